//! `chainlab scenarios`: those that the command has built in.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use crate::ended::{Ended, read};

/// The ready scenarios: their names, and what they are.
const READY: &[(&str, &str)] = &[];

/// Lists the ready scenarios, or prints one.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which one to print, as JSON.
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Ended {
    let mut out = io::stdout().lock();
    match &arguments.name {
        None => READY.iter().try_for_each(|(name, _)| writeln!(out, "{name}"))?,
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
    READY.iter().find(|(ready, _)| *ready == name).map(|(_, text)| *text)
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = READY.iter().map(|(name, _)| *name).collect();
    format!("\"{name}\" is no ready scenario; there are {}", names.join(", "))
}
