//! `chainlab validate`: the simulation against what others have published.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use chainlab::experiment::{Checked, DISTANCE_MAX, Effort, Model};

use crate::{ended::Ended, progress};

/// Simulates what others have published figures of, and holds the means of some runs against them.
///
/// A row passes if its mean is at most 4 standard errors away from what was published, or from a bound that it must not
/// exceed. All seeds are fixed. The exit code is 1 if a row does not pass.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Simulates a tenth of it: some seconds instead of a minute.
    #[arg(long)]
    quick: bool,
    /// Only the models whose names hold this.
    #[arg(default_value = "")]
    only: String,
}

const EXAMPLES: &str = "\
Examples:
  chainlab validate --quick
  chainlab validate selfish";

pub(crate) fn run(Arguments { quick, only }: &Arguments) -> Ended {
    let effort = if *quick { Effort::Quick } else { Effort::Full };
    let mut models = Model::all(effort);
    models.retain(|model| model.name.contains(only.as_str()));
    if models.is_empty() {
        return Err(format!("no model's name holds {only:?}").into());
    }
    let bar = progress::bar(models.len(), "models");
    let (mut rows, mut missed) = (0, 0);
    for model in &models {
        bar.tick();
        let checked = model.check();
        bar.suspend(|| write_model(&mut io::stdout().lock(), model, &checked))?;
        rows += checked.len();
        missed += checked.iter().filter(|row| !row.passes()).count();
        bar.inc(1);
    }
    bar.finish_and_clear();
    writeln!(io::stdout(), "{} of {rows} rows pass", rows - missed)?;
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_model(out: &mut impl Write, model: &Model, rows: &[Checked]) -> io::Result<()> {
    writeln!(out, "{}", model.name)?;
    writeln!(out, "  from {}", model.source)?;
    if !model.bridge.is_empty() {
        writeln!(out, "  here {}", model.bridge)?;
    }
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows {
        let [mean, _, interval] = row.simulated.texts();
        let published = format!("{}{:.5}", if row.is_bound { "at most " } else { "" }, row.published);
        let verdict = if row.passes() { "pass" } else { "FAIL" };
        writeln!(
            out,
            "  {verdict}  {:width$}  published {published}, simulated {mean} ({interval}), {:+.1} of {DISTANCE_MAX} \
             standard errors",
            row.name, row.distance
        )?;
    }
    writeln!(out)
}
