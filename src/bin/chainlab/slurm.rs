//! `chainlab sweep slurm`: the batch script of a sweep.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    num::NonZero,
    path::PathBuf,
    process::ExitCode,
};

use chainlab::experiment::Plan;

use crate::{
    ended::{Ended, TRY_AGAIN, naming},
    rows::quoted,
};

/// How many times as long as estimated a task may take.
const MARGIN: f64 = 3.0;
/// The least time limit, in minutes.
const MINUTES_MIN: f64 = 10.0;

/// Prints the batch script of a sweep for Slurm: an array of tasks, each of which makes the runs of a shard.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The plan.
    plan: PathBuf,
    /// How many tasks there are, each with many runs.
    #[arg(long)]
    tasks: NonZero<u32>,
    /// How many cores a task has.
    #[arg(long, default_value = "1")]
    cores: NonZero<u32>,
    /// The directory where the shards' files go.
    #[arg(short, long, default_value = "rows")]
    output: PathBuf,
    /// The time limit of a task, in minutes: at least 2, as it is told to end a minute before. By default three times what
    /// the plan estimates, and ten at least.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    minutes: Option<u32>,
}

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { plan: path, tasks, cores, output, minutes } = arguments;
    let file = File::open(path).map_err(|error| naming(path)(&error))?;
    let (plan, _) = Plan::read(BufReader::new(file)).map_err(|error| naming(path)(&error))?;
    let minutes = match minutes {
        Some(minutes) => f64::from(*minutes),
        None if plan.seconds() > 0.0 => {
            // A run is on one core: a task takes at least as long as one.
            let runs = plan.runs();
            let rounds = runs.div_ceil(u64::from(tasks.get())).div_ceil(u64::from(cores.get()));
            let task = plan.seconds() / runs as f64 * rounds as f64;
            (MARGIN * task / 60.0).ceil().max(MINUTES_MIN)
        }
        None => {
            return Err("the plan has no estimate of its time: say how many --minutes a task may take".into());
        }
    };
    let (plan, rows) = (quoted(&path.to_string_lossy()), quoted(&output.to_string_lossy()));
    write!(
        io::stdout().lock(),
        r#"#!/bin/sh
#SBATCH --job-name=chainlab
#SBATCH --array=1-{tasks}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cores}
#SBATCH --time={minutes}
#SBATCH --requeue
#SBATCH --open-mode=append
# Before its time is up, a task keeps what is finished, ends with the code {TRY_AGAIN}, and goes to the queue again.
#SBATCH --signal=TERM@60

srun --ntasks=1 --cpus-per-task={cores} \
    chainlab sweep run {plan} --shard "$SLURM_ARRAY_TASK_ID/{tasks}" --threads {cores} -o {rows}
code=$?
if [ "$code" -eq {TRY_AGAIN} ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$code"

# When all tasks have ended:
# chainlab sweep merge {rows} {plan} -o results.csv
"#
    )?;
    Ok(ExitCode::SUCCESS)
}
