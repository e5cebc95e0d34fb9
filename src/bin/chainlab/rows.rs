//! Runs whose rows go to a file.

use std::{
    env,
    error::Error,
    io::{self, Write},
    num::NonZero,
    path::Path,
};

use chainlab::experiment::{ExperimentError, Format, Row, RowFile, Run};

use crate::spread::{Outcome, spread};

/// Makes those runs whose rows are not in a file, and writes them there as they finish. Where it is interrupted, it says
/// what is left and how to go on.
pub(crate) fn fill(
    path: &Path,
    format: Format,
    columns: &[String],
    runs: &[Run],
    threads: Option<NonZero<usize>>,
    make: impl Fn(Run) -> Result<Row, ExperimentError> + Send + Sync + 'static,
) -> Result<Outcome, Box<dyn Error>> {
    let Some(mut file) = RowFile::open(path, format, columns, runs)? else {
        return Ok(Outcome::Done);
    };
    let missing = file.missing(runs);
    let done = runs.len() - missing.len();
    let mut left = missing.len();
    let outcome = spread(missing, done, threads, make, |row| {
        file.append(row.run.id, &format.line(&row, columns))?;
        left -= 1;
        Ok(())
    })?;
    match outcome {
        Outcome::Done => file.finish()?,
        Outcome::Interrupted => {
            let (all, finished) = (runs.len(), runs.len() - left);
            // If nobody reads that, the exit code still tells.
            let _ = writeln!(
                io::stderr(),
                "interrupted: {finished} of {all} runs are finished and kept, {left} are left; to go on: {}",
                command_line()
            );
        }
    }
    Ok(outcome)
}

/// The command as it was given, for a shell.
fn command_line() -> String {
    env::args_os().map(|argument| quoted(&argument.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Writes a word so that a shell reads it as it is.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./=:,+@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("rows/shard-1.csv"), "rows/shard-1.csv");
        assert_eq!(quoted("my plan's $HOME"), r"'my plan'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
