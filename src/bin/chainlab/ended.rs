//! How the command ends.

use std::{
    error::Error,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
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

/// Writes a file beside its place and renames it once it is on the disk, so that it is there whole or not at all, whoever else
/// writes it at the same time. Returns what the writing came to; its own errors name the file.
pub(crate) fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let named = |error: io::Error| naming(path)(&error);
    let (beside, file) = create_beside(path).map_err(named)?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out).and_then(|written| {
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(named)?;
        fs::rename(&beside, path).map_err(named)?;
        Ok(written)
    });
    if written.is_err() {
        // What went wrong is worth more than that the rest of it could not be removed.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Creates a file beside a path, under a name that nothing else has.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let mut name = OsString::from(path);
        name.push(if number == 0 { ".new".to_owned() } else { format!(".new-{number}") });
        match File::create_new(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            created => return Ok((name.into(), created?)),
        }
    }
}

/// Checks that a file that is to be written is none that is read.
pub(crate) fn check_output<'a>(
    output: &Path,
    read: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), String> {
    // What is not there yet is no other file.
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    let is_written = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| path == output);
    match read.into_iter().find(is_written) {
        Some(path) => Err(format!("{}: it is read, and would be written over", path.display())),
        None => Ok(()),
    }
}
