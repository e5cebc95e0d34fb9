//! `chainlab sweep`: an experiment over many machines.

use clap::Subcommand;

use crate::{ended::Ended, merge, plan, shard, slurm};

/// Spreads an experiment over many machines, which need to share nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chainlab sweep plan delays.json -o delays.plan
  chainlab sweep run delays.plan --shard 3/64 -o rows
  chainlab sweep merge rows delays.plan -o delays.csv

The file that comes out is the one of `chainlab experiment`, to the byte, however many shards there are, and
however often they are run. For many tasks on one machine, or on a cluster:

  seq 64 | parallel --resume-failed --joblog log chainlab sweep run delays.plan --shard {}/64 --threads 1 -o rows
  chainlab sweep slurm delays.plan --tasks 64 -o rows > delays.sh && sbatch delays.sh";

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::Arguments),
    Run(shard::Arguments),
    Merge(merge::Arguments),
    Slurm(slurm::Arguments),
}

pub(crate) fn run(arguments: Arguments) -> Ended {
    match arguments.command {
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Run(arguments) => shard::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Slurm(arguments) => slurm::run(&arguments),
    }
}
