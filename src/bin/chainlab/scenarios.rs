//! `chainlab scenarios`: those that the command has built in.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use crate::ended::{Ended, read};

/// What the list has of a ready scenario.
macro_rules! ready {
    ($name:literal, $what:literal) => {
        ($name, $what, include_str!(concat!("../../../examples/scenarios/", $name, ".json")))
    };
}

/// The ready scenarios: their names, what they are, and their text.
const READY: [(&str, &str, &str); 7] = [
    ready!(
        "bitcoin_today",
        "ten thousand nodes in six regions, of Zipf's hash rates, for half a day: takes a minute"
    ),
    ready!("double_spend", "a miner of 30 % pays a merchant, and mines the payment away"),
    ready!("fast_blocks", "the nodes of bitcoin_today, a block in 15 s: takes a minute"),
    ready!("forks", "two of six nodes are cut off for an hour: a tree to draw"),
    ready!("partition", "a third of the nodes is cut off for a day"),
    ready!("retarget", "half of the hash rate leaves"),
    ready!("selfish_miner", "a miner of 35 % keeps its blocks to itself for a while"),
];

/// Lists the ready scenarios, or prints one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which one to print, as JSON.
    name: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  chainlab scenarios
  chainlab scenarios partition > mine.json
  chainlab run selfish_miner";

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let mut out = io::stdout().lock();
    match &arguments.name {
        None => READY.iter().try_for_each(|(name, what, _)| writeln!(out, "{name:13}  {what}"))?,
        Some(name) => out.write_all(ready(name).ok_or_else(|| unknown(name))?.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a scenario's file; where there is none, its name may be that of a ready one.
pub(crate) fn text_of(file: &Path) -> Result<String, String> {
    if let Some(text) = file.to_str().and_then(ready).filter(|_| !file.exists()) {
        return Ok(text.into());
    }
    read(file)
}

fn ready(name: &str) -> Option<&'static str> {
    READY.iter().find(|(ready, ..)| *ready == name).map(|(_, _, text)| *text)
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = READY.iter().map(|(name, ..)| *name).collect();
    format!("\"{name}\" is no ready scenario; there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn all_that_are_ready_are_built_in() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scenarios");
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> =
            files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, READY.map(|(name, ..)| name));
    }
}
