//! `chainlab run`: one run of a scenario, and its report.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use chainlab::{
    Report,
    experiment::{Estimate, Scenario, within_run},
};
use serde_json::json;

use crate::{
    ended::{Ended, check_output, naming},
    event_file::EventFile,
    figures,
    scenarios::text_of,
};

/// Runs a scenario, and prints its report.
///
/// Below it stand figures with their standard errors and 95 % intervals, by batches of blocks: the stale rate; the seconds
/// from a block to the next, and how long blocks took to come to the nodes, means and percentiles; messages,
/// reorganisations and whatever else is counted, a block; and the shares of the chain of the ten nodes with the most
/// blocks. Without an interval are counts of the run as a whole, the longest times, percentiles that fewer than two times
/// of a batch exceed, and the shares of the attempts, which follow from the hash rates. Intervals by replicates, as an
/// experiment makes them, need no thought about how long blocks depend on each other.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The scenario, as JSON, or the name of a ready one.
    file: PathBuf,
    /// What all randomness follows from, instead of the scenario's own.
    #[arg(long)]
    seed: Option<u64>,
    /// Of how many batches the intervals are.
    #[arg(long, default_value_t = 20)]
    batches: usize,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Writes all that happens to a file meanwhile, as lines of JSON. A run that is killed may leave half a line at its end.
    #[arg(long)]
    events: Option<PathBuf>,
    /// Writes every message to that file as well: when it was sent, and when it came or why it did not.
    #[arg(long, requires = "events")]
    trace: bool,
}

const EXAMPLES: &str = "\
Examples:
  chainlab run partition
  chainlab run mine.json --seed 7
  chainlab run mine.json --events events.jsonl --trace";

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let Arguments { file, seed, batches, json, events, trace } = arguments;
    if let Some(events) = events {
        check_output(events, [file])?;
    }
    let mut scenario = Scenario::from_json(&text_of(file)?).map_err(|error| naming(file)(&error))?;
    scenario.seed = seed.unwrap_or(scenario.seed);
    let simulation = scenario.simulation().map_err(|error| naming(file)(&error))?;
    simulation.take_samples();
    simulation.set_tracing(*trace);
    // A file that cannot be written is told before the run, and as soon as it is full.
    let mut written = Ok(());
    let mut events = events.as_ref().map(|path| EventFile::begin(path, &simulation)).transpose()?;
    scenario.run_to_stop(&simulation, || {
        written = events.as_mut().map_or(Ok(()), EventFile::write);
        written.is_ok()
    });
    written?;
    events.map_or(Ok(()), EventFile::finish)?;
    let report = simulation.report();
    let estimates = within_run(&simulation, *batches);
    let text = if *json { as_json(&report, &estimates) } else { as_text(&report, &estimates) };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(report: &Report, estimates: &[(String, Estimate)]) -> String {
    let estimates: serde_json::Map<_, _> =
        estimates.iter().map(|(name, estimate)| (name.clone(), json!(estimate))).collect();
    format!("{:#}\n", json!({"report": report, "estimates": estimates}))
}

fn as_text(report: &Report, estimates: &[(String, Estimate)]) -> String {
    let mut text = report.to_string();
    if !estimates.is_empty() {
        text.push('\n');
        text.push_str(&figures::table(estimates));
    }
    text
}
