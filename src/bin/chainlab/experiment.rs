//! `chainlab experiment`: all runs of an experiment on this machine, and what they came to.

use std::{
    error::Error,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use chainlab::experiment::{Experiment, Format, Summary};

use crate::{
    ended::{Ended, INTERRUPTED, naming, read},
    rows::fill,
    spread::Outcome,
};

/// Up to how many lines a table is printed that nobody chose the figures of.
const LINES_MAX: usize = 500;

/// Makes all runs of an experiment, writes a row for each, and prints what the figures come to.
///
/// Each figure is printed with its mean over the replicates of a point, its standard error and its 95 % interval. An
/// experiment that was interrupted goes on where it stopped, and ends with the same file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The experiment, as JSON.
    file: PathBuf,
    /// Where the rows go: a file whose name ends with .csv or .jsonl. By default that of the experiment, with .csv.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Prints but these figures, by the names of their columns.
    #[arg(long, value_delimiter = ',')]
    figures: Vec<String>,
    /// How many runs are made at once. By default as many as there are cores.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

const EXAMPLES: &str = r#"Example:
  chainlab experiment delays.json --figures stale_rate

where delays.json is

  {
      "scenario": {"nodes": 9, "stop": {"blocks": 1000}},
      "grid": {"link.latency.fixed.seconds": [1, 10, 60]},
      "replicates": 20
  }

Instead of a "grid", of which every combination is run, "points" may list what is set together."#;

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { file, output, figures, threads } = arguments;
    let experiment = Experiment::from_json(&read(file)?).map_err(|error| naming(file)(&error))?;
    let output = output.clone().unwrap_or_else(|| file.with_extension("csv"));
    let format = format_of(&output)?;
    // What cannot be printed is told before hours have passed.
    let is_long = experiment.points() as usize * experiment.figures().len() > LINES_MAX;
    let summary = match is_long && figures.is_empty() {
        true => None,
        false => Some(Summary::new(&experiment, figures)?),
    };

    let experiment = Arc::new(experiment);
    let maker = Arc::clone(&experiment);
    let make = move |run| maker.row(run);
    match fill(&output, format, experiment.columns(), experiment.runs(), *threads, make)? {
        Outcome::Done => print(&experiment, summary, &output, format),
        Outcome::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
    }
}

fn format_of(path: &Path) -> Result<Format, String> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("jsonl") => Ok(Format::JsonLines),
        _ => Err(format!("{}: rows are written to a file named .csv or .jsonl", path.display())),
    }
}

fn print(experiment: &Experiment, summary: Option<Summary>, output: &Path, format: Format) -> Ended {
    let table = match summary {
        Some(mut summary) => {
            add_rows(experiment, &mut summary, output, format).map_err(|error| naming(output)(&*error))?;
            summary.to_string()
        }
        None => "A table of all figures would be long: choose some by --figures.\n".into(),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{} runs; their rows are in {}\n", experiment.runs().len(), output.display())?;
    out.write_all(table.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the rows of a whole file, which stand in the order of the runs.
fn add_rows(
    experiment: &Experiment,
    summary: &mut Summary,
    path: &Path,
    format: Format,
) -> Result<(), Box<dyn Error>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = String::new();
    if format == Format::Csv {
        reader.read_line(&mut line)?;
    }
    for run in experiment.runs() {
        line.clear();
        reader.read_line(&mut line)?;
        let numbers = format.numbers(&line, experiment.columns());
        summary.add(run.point, numbers.ok_or_else(|| format!("the row of run {} is damaged", run.id))?);
    }
    Ok(())
}
