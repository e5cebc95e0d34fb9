//! `chainlab sweep merge`: the rows of all shards, in one file.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use chainlab::experiment::{MergeError, Merged, PART, Plan};

use crate::ended::{Ended, check_output, naming, write_whole};

/// Puts the rows of all shards together, in the order of their runs' names.
///
/// A run without a row is an error, as are two rows of a run that differ, and rows of another plan or another version of
/// the model.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directories of shards' files.
    #[arg(required = true)]
    directories: Vec<PathBuf>,
    /// The plan.
    plan: PathBuf,
    /// Where the rows go.
    #[arg(short, long)]
    output: PathBuf,
    /// Writes what there is, though rows are missing; the file's first line, which begins with #, says so.
    #[arg(long)]
    partial: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { directories, plan, output, partial } = arguments;
    let mut files = Vec::new();
    for directory in directories {
        files.extend(rows_in(directory).map_err(|error| naming(directory)(&error))?);
    }
    files.sort();
    if output.extension().is_some_and(|ending| ending == "jsonl") {
        let output = output.display();
        return Err(format!("{output}: what is merged are comma-separated values: name it .csv").into());
    }
    check_output(output, files.iter().chain([plan]))?;
    let Merged { rows, missing, .. } =
        write_whole(output, |out| write((plan, output), &files, out, *partial))?;
    let partial = if missing > 0 { format!("; {missing} are missing") } else { String::new() };
    writeln!(io::stdout(), "{rows} rows are in {}{partial}", output.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the files of rows in a directory, whole ones and others.
fn rows_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_of_shard =
            name.starts_with("shard-") && name.strip_suffix(PART).unwrap_or(name).ends_with(".csv");
        if is_of_shard {
            files.push(path);
        }
    }
    Ok(files)
}

/// Writes the rows of a plan that is in a file into another, which errors name.
fn write(
    (plan, output): (&Path, &Path),
    files: &[PathBuf],
    mut out: impl Write,
    partial: bool,
) -> Result<Merged, Box<dyn Error>> {
    if partial {
        let counted = merge((plan, output), files, io::sink())?;
        let Merged { rows, missing, .. } = &counted;
        if *missing > 0 {
            writeln!(out, "# partial: {rows} of {} runs; {missing} are missing", rows + missing)
                .map_err(|error| naming(output)(&error))?;
        }
        let merged = merge((plan, output), files, out)?;
        if merged != counted {
            return Err("rows were added meanwhile: merge again".into());
        }
        return Ok(merged);
    }
    let merged = merge((plan, output), files, out)?;
    let Merged { rows, missing, named } = &merged;
    if *missing > 0 {
        let names: Vec<_> = named.iter().map(ToString::to_string).collect();
        let others = missing - named.len() as u64;
        let others = if others > 0 { format!(" and {others} others") } else { String::new() };
        return Err(format!(
            "{missing} of {} runs have no row: {}{others}; run their shards again, or write what there is by --partial",
            rows + missing,
            names.join(", ")
        )
        .into());
    }
    Ok(merged)
}

fn merge(
    (plan, output): (&Path, &Path),
    files: &[PathBuf],
    out: impl Write,
) -> Result<Merged, Box<dyn Error>> {
    let file = File::open(plan).map_err(|error| naming(plan)(&error))?;
    let (read, runs) = Plan::read(BufReader::new(file)).map_err(|error| naming(plan)(&error))?;
    read.merge(runs, files, out).map_err(|error| match error {
        MergeError::Plan(error) => naming(plan)(&error).into(),
        MergeError::Write(error) => naming(output)(&error).into(),
        error => error.into(),
    })
}
