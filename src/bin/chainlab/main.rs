//! The command `chainlab`: runs scenarios and experiments, and sweeps over many machines.
//!
//! It reads arguments and files, calls the library, and prints. `chainlab --help` tells the rest.

mod draw;
mod ended;
mod event_file;
mod experiment;
mod figures;
mod interrupt;
mod merge;
mod plan;
mod progress;
mod rows;
mod run;
mod scenarios;
mod shard;
mod slurm;
mod spread;
mod sweep;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Simulates proof-of-work networks: scenarios, experiments, and sweeps over many machines.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chainlab scenarios                               lists the ready scenarios
  chainlab scenarios partition > mine.json         writes one, to be changed
  chainlab run mine.json                           runs it, and prints its report
  chainlab experiment delays.json -o delays.csv    runs an experiment on all cores, a row a run
  chainlab draw tree events.jsonl                  draws what `run --events` has written
  chainlab validate --quick                        holds the simulation against published figures
  chainlab sweep --help                            tells how to spread one over many machines

Exit codes: 0 if all went well, 1 if something failed, 2 if the arguments are wrong, 75 if a shard was
interrupted and is to be run again, and 130 if anything else was interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Experiment(experiment::Arguments),
    Sweep(sweep::Arguments),
    Scenarios(scenarios::Arguments),
    Draw(draw::Arguments),
    Validate(validate::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Experiment(arguments) => experiment::run(&arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Scenarios(arguments) => scenarios::run(&arguments),
        Command::Draw(arguments) => draw::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
    };
    ended::with(result)
}
