//! `chainlab sweep run`: the runs of one shard.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{self, BufReader, Write},
    num::NonZero,
    path::PathBuf,
    process::ExitCode,
};

use chainlab::experiment::{Format, Plan, Run, Shard};
use clap::{CommandFactory, error::ErrorKind};

use crate::{
    ended::{Ended, TRY_AGAIN, naming},
    rows::fill,
    spread::Outcome,
};

/// Makes the runs of one shard of a plan, on all cores of this machine.
///
/// Its rows go to a file of its own. What is finished is skipped, so that a shard may be run again after whatever ended
/// it. At SIGTERM or Ctrl-C it ends with the exit code 75, and what is finished is kept; a second such signal ends it
/// there and then, with 130.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The plan.
    plan: PathBuf,
    /// Which shard, from 1/N to N/N. By default that of the task of a Slurm array, by SLURM_ARRAY_TASK_ID,
    /// SLURM_ARRAY_TASK_COUNT, SLURM_ARRAY_TASK_MIN and SLURM_ARRAY_TASK_STEP.
    #[arg(long)]
    shard: Option<Shard>,
    /// The directory where its file goes, made if it is not there.
    #[arg(short, long)]
    output: PathBuf,
    /// How many runs are made at once. By default as many as there are cores.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { plan: path, shard, output, threads } = arguments;
    let shard = match shard {
        Some(shard) => *shard,
        None => of_task(|name| env::var(name).ok()).unwrap_or_else(|problem| {
            crate::Arguments::command().error(ErrorKind::MissingRequiredArgument, problem).exit()
        }),
    };
    let file = File::open(path).map_err(|error| naming(path)(&error))?;
    let read = || -> Result<(Plan, Vec<Run>), Box<dyn Error>> {
        let (plan, runs) = Plan::read(BufReader::new(file))?;
        let is_its = |run: &Result<Run, _>| run.as_ref().map_or(true, |run| shard.holds(run.id));
        Ok((plan, runs.filter(is_its).collect::<Result<Vec<_>, _>>()?))
    };
    let (plan, runs) = read().map_err(|error| naming(path)(&*error))?;
    fs::create_dir_all(output).map_err(|error| naming(output)(&error))?;
    let digits = shard.count().to_string().len();
    let rows = output.join(format!("shard-{:0digits$}-of-{}.csv", shard.number(), shard.count()));
    let columns = plan.columns().to_vec();
    match fill(&rows, Format::Csv, &columns, &runs, *threads, move |run| plan.row(run))? {
        Outcome::Done => {
            writeln!(io::stdout(), "{} runs of shard {shard} are in {}", runs.len(), rows.display())?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted => Ok(ExitCode::from(TRY_AGAIN)),
    }
}

/// Reads which shard a task of a Slurm array is.
fn of_task(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str, otherwise: Option<u32>| match (variable(name), otherwise) {
        (Some(text), _) => text.parse().map_err(|_| format!("{name} is \"{text}\", and no number")),
        (None, Some(otherwise)) => Ok(otherwise),
        (None, None) => {
            Err(format!("--shard K/N is needed: this is no task of an array, as {name} is not set"))
        }
    };
    let id = number("SLURM_ARRAY_TASK_ID", None)?;
    let count = number("SLURM_ARRAY_TASK_COUNT", None)?;
    let least = number("SLURM_ARRAY_TASK_MIN", Some(1))?;
    let step = number("SLURM_ARRAY_TASK_STEP", Some(1))?;
    let place = id.checked_sub(least).and_then(|after| after.checked_div(step));
    let shard = place.and_then(|place| Shard::new(place.checked_add(1)?, count));
    shard.ok_or_else(|| format!("task {id} is none of {count} tasks from {least} on in steps of {step}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<String, String> {
        let value = |name: &str| {
            let name = name.strip_prefix("SLURM_ARRAY_TASK_").unwrap();
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        of_task(value).map(|shard| shard.to_string())
    }

    #[test]
    fn tasks_are_shards() {
        assert_eq!(of(&[("ID", "3"), ("COUNT", "64"), ("MIN", "1")]).unwrap(), "3/64");
        assert_eq!(of(&[("ID", "0"), ("COUNT", "64"), ("MIN", "0")]).unwrap(), "1/64");
        assert_eq!(of(&[("ID", "63"), ("COUNT", "64"), ("MIN", "0"), ("STEP", "1")]).unwrap(), "64/64");
        assert_eq!(of(&[("ID", "14"), ("COUNT", "3"), ("MIN", "10"), ("STEP", "2")]).unwrap(), "3/3");
    }

    #[test]
    fn what_is_no_task_is_refused() {
        assert!(of(&[]).unwrap_err().contains("--shard K/N is needed"));
        let error = of(&[("ID", "3")]).unwrap_err();
        assert!(error.contains("SLURM_ARRAY_TASK_COUNT is not set"), "{error}");
        assert_eq!(of(&[("ID", "x")]).unwrap_err(), "SLURM_ARRAY_TASK_ID is \"x\", and no number");
        for (id, count, least, step) in [("9", "3", "1", "1"), ("0", "3", "1", "1"), ("1", "3", "1", "0")] {
            let error = of(&[("ID", id), ("COUNT", count), ("MIN", least), ("STEP", step)]).unwrap_err();
            assert!(error.contains(&format!("task {id} is none of 3 tasks")), "{error}");
        }
    }
}
