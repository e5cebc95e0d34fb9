//! How the command ends.

use std::{
    error::Error,
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What a subcommand came to: an exit code, or why it failed.
pub(crate) type Ended = Result<ExitCode, Box<dyn Error>>;

/// What a shell reports of a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;
/// What a mail system's programs, and batch scripts after them, take as: try again later.
pub(crate) const TRY_AGAIN: u8 = 75;

/// Turns what became of the command into how the process ends. Where nobody reads its output any more, there is nothing
/// to tell, and nothing went wrong.
pub(crate) fn with(ended: Ended) -> ExitCode {
    match ended {
        Ok(code) => code,
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

/// Reads a file as text; its errors name it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| naming(path)(&error))
}

/// Returns what puts a file's name before what is wrong with it.
pub(crate) fn naming(path: &Path) -> impl Fn(&dyn Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// Returns where a file is written before it is renamed, so that it is there whole or not at all. The rows that an
/// experiment keeps beside its file have another name.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

/// Checks that a file that is to be written, and what is written beside it first, is none that is read.
pub(crate) fn check_output<'a>(
    output: &Path,
    read: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), String> {
    // What is not there yet is no other file.
    let written: Vec<_> =
        [output.canonicalize(), beside(output).canonicalize()].into_iter().flatten().collect();
    let is_written = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| written.contains(&path));
    match read.into_iter().find(is_written) {
        Some(path) => Err(format!("{}: it is read, and would be written over", path.display())),
        None => Ok(()),
    }
}
