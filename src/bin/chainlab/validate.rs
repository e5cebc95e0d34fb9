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
    let mut rows = Vec::new();
    for model in &models {
        bar.tick();
        let checked = model.check();
        bar.suspend(|| write_model(&mut io::stdout().lock(), model, &checked))?;
        rows.extend(checked);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(conclude(&mut io::stdout(), &rows)?)
}

/// Writes how many rows pass, and says by the exit code whether all do.
fn conclude(out: &mut impl Write, rows: &[Checked]) -> io::Result<ExitCode> {
    let passed = rows.iter().filter(|row| row.passes()).count();
    writeln!(out, "{passed} of {} rows pass", rows.len())?;
    Ok(if passed == rows.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A row as it is, and as it would be if the simulation were so many standard errors off.
    #[test]
    fn a_row_that_is_off_fails_the_command() {
        let models = Model::all(Effort::Quick);
        let model = models.iter().find(|model| model.name.starts_with("two equal miners")).unwrap();
        let right = model.check();
        let said = |rows: &[Checked]| {
            let mut out = Vec::new();
            write_model(&mut out, model, rows).unwrap();
            let code = conclude(&mut out, rows).unwrap();
            (String::from_utf8(out).unwrap(), code)
        };
        let (text, code) = said(&right);
        assert!(text.contains("  pass  ") && text.ends_with("1 of 1 rows pass\n"), "{text}");
        assert_eq!(code, ExitCode::SUCCESS);
        for distance in [-4.1, 4.1] {
            let off = Checked { distance, ..right[0].clone() };
            let (text, code) = said(&[right[0].clone(), off]);
            assert!(text.contains("  FAIL  ") && text.ends_with("1 of 2 rows pass\n"), "{text}");
            assert!(text.contains(&format!("{distance:+.1} of 4 standard errors")), "{text}");
            assert_eq!(code, ExitCode::FAILURE);
        }
    }
}
