//! `chainlab sweep plan`: the runs of an experiment, and how long they take.

#![expect(clippy::disallowed_methods, reason = "it tells how long runs take")]

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use chainlab::experiment::{Experiment, ExperimentError, Pilots, Plan};
use indicatif::HumanDuration;

use crate::ended::{Ended, check_output, naming, read, write_whole};

/// Plans a sweep: the runs of an experiment as lines of JSON, with an estimate of their time from a few pilot runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The experiment, as JSON.
    file: PathBuf,
    /// Where the plan goes.
    #[arg(short, long)]
    output: PathBuf,
    /// How many runs are made to tell how long all take; 0 leaves the estimate out.
    #[arg(long, default_value_t = 5)]
    pilots: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { file, output, pilots } = arguments;
    check_output(output, [file])?;
    let experiment = Experiment::from_json(&read(file)?).map_err(|error| naming(file)(&error))?;
    let pilots = try_out(&experiment, *pilots)?;
    let plan = Plan::new(&experiment, pilots);
    // Whole, or not at all: a shard must not start on half a plan.
    write_whole(output, |out| {
        plan.write(experiment.runs(), out).map_err(|error| naming(output)(&error))?;
        Ok(())
    })?;

    let mut out = io::stdout().lock();
    write!(out, "{} runs are planned in {}", plan.runs(), output.display())?;
    if pilots.runs > 0 {
        let took = HumanDuration(Duration::try_from_secs_f64(plan.seconds()).unwrap_or(Duration::MAX));
        write!(out, "; on one core they take about {took}, by {} of them", pilots.runs)?;
    }
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a few runs, from all over the experiment: the order of names mixes points and replicates.
fn try_out(experiment: &Experiment, pilots: usize) -> Result<Pilots, ExperimentError> {
    let runs = experiment.runs();
    let pilots = pilots.min(runs.len());
    let started = Instant::now();
    for pilot in 0..pilots {
        experiment.row(runs[pilot * runs.len() / pilots])?;
    }
    Ok(Pilots { runs: pilots as u64, seconds: started.elapsed().as_secs_f64() })
}
