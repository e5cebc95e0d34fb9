//! Every access to the file system, with errors that name the path.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
};

use super::{
    error::{FileError, LoadError},
    layout::{CURRENT, CURRENT_NEW, Generation, LOCK, seal, unseal},
};

/// Says which path an error is about.
fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|source| FileError { path: path.to_owned(), source })
}

/// Makes a directory and those above it, so that they are there after a power cut too.
pub(super) fn create_directories(dir: &Path) -> Result<(), FileError> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = dir.parent().filter(|above| *above != Path::new(""));
    if let Some(above) = above {
        create_directories(above)?;
    }
    match fs::create_dir(dir) {
        // Somebody else was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
        created => at(dir, created)?,
    }
    flush_directory(above.unwrap_or(Path::new(".")))
}

/// Waits until nobody else saves to or loads from a directory; others wait until what is returned is dropped. The
/// operating system lets go of it when the process ends, however it ends.
pub(super) fn lock_to_save(dir: &Path) -> Result<File, FileError> {
    let path = dir.join(LOCK);
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    at(&path, lock.and_then(|lock| lock.lock().map(|()| lock)))
}

/// Waits until nobody saves to a directory. In a copy of one that lacks the lock nobody ever did.
pub(super) fn lock_to_load(dir: &Path) -> Result<Option<File>, FileError> {
    let path = dir.join(LOCK);
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        lock => at(&path, lock.and_then(|lock| lock.lock_shared().map(|()| Some(lock)))),
    }
}

/// Reads which generation is the current one, if any was ever saved.
pub(super) fn current(dir: &Path) -> Result<Option<Generation>, LoadError> {
    let path = dir.join(CURRENT);
    let content = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        content => at(&path, content)?,
    };
    let Some(line) = unseal(&content) else { return Err(LoadError::Seal { path }) };
    match line.strip_suffix('\n').and_then(Generation::from_name) {
        Some(generation) => Ok(Some(generation)),
        None => {
            Err(LoadError::Line { path, expected: "a generation", found: line.chars().take(80).collect() })
        }
    }
}

/// Writes down which generation will be the current one.
pub(super) fn prepare_current(dir: &Path, generation: Generation) -> Result<(), FileError> {
    write(&dir.join(CURRENT_NEW), seal(&format!("{generation}\n")).as_bytes())
}

/// Makes it the current one: the moment from which the new state is found.
pub(super) fn switch_current(dir: &Path) -> Result<(), FileError> {
    let current = dir.join(CURRENT);
    at(&current, fs::rename(dir.join(CURRENT_NEW), &current))?;
    flush_directory(dir)
}

/// Removes every generation but one, and what a save that was cut off has left.
pub(super) fn remove_all_but(dir: &Path, kept: Option<Generation>) -> Result<(), FileError> {
    for entry in at(dir, fs::read_dir(dir))? {
        let entry = at(dir, entry)?;
        let (name, path) = (entry.file_name(), entry.path());
        let generation = name.to_str().and_then(Generation::from_name);
        if generation.is_some() && generation != kept {
            at(&path, fs::remove_dir_all(&path))?;
        } else if name == CURRENT_NEW {
            at(&path, fs::remove_file(&path))?;
        }
    }
    Ok(())
}

/// Makes a directory that must not be there yet.
pub(super) fn create_directory(dir: &Path) -> Result<(), FileError> {
    at(dir, fs::create_dir(dir))
}

/// Writes a file and flushes it to the disk.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    at(path, write())
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    at(path, fs::read(path))
}

/// Flushes a directory to the disk: which files it has, and what they are called.
pub(super) fn flush_directory(dir: &Path) -> Result<(), FileError> {
    // Windows has no such call; there the file system's journal alone keeps renames in order.
    if cfg!(unix) { at(dir, File::open(dir).and_then(|dir| dir.sync_all())) } else { Ok(()) }
}
