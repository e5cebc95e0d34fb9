//! How an example ends.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

/// Turns what became of an example into how the process ends. Where nobody reads its output any more, there is nothing
/// to tell, and nothing went wrong.
pub(crate) fn with(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody reads that either, the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
