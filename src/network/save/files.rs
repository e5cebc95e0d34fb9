//! Every access to the file system, with errors that name the path.

use std::{
    fs::{self, DirEntry, File},
    io::{self, ErrorKind, Write},
    iter,
    path::Path,
};

use super::{
    error::{FileError, LoadError},
    layout::{CURRENT, CURRENT_NEW, Current, Generation, LOCK, is_in_generation, seal, unseal},
};
use crate::text::shortened;

/// Says which path an error is about.
fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|source| FileError { path: path.to_owned(), source })
}

/// Makes a directory and those above it, so that they are there after a power cut too.
pub(super) fn create_directories(dir: &Path) -> Result<(), FileError> {
    let missing: Vec<_> = dir.ancestors().take_while(|dir| *dir != Path::new("") && !dir.is_dir()).collect();
    for dir in missing.into_iter().rev() {
        match fs::create_dir(dir) {
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => {}
            created => at(dir, created)?,
        }
        let above = dir.parent().filter(|above| *above != Path::new(""));
        flush_directory(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
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
pub(super) fn current(dir: &Path) -> Result<Option<Current>, LoadError> {
    let path = dir.join(CURRENT);
    let content = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        content => at(&path, content)?,
    };
    let Some(lines) = unseal(&content) else { return Err(LoadError::Seal { path }) };
    match Current::from_lines(lines) {
        Some(current) => Ok(Some(current)),
        None => Err(LoadError::Line { path, expected: "a generation", found: shortened(lines) }),
    }
}

/// Chooses the next generation's number: one that nothing in the directory has.
pub(super) fn next_generation(dir: &Path, old: Option<Generation>) -> Generation {
    // One that cannot be looked at is tried, for the error.
    let is_free = |generation: &Generation| fs::symlink_metadata(dir.join(generation.to_string())).is_err();
    let mut numbers =
        iter::successors(Some(Generation::after(old)), |last| Some(Generation::after(Some(*last))));
    numbers.find(is_free).expect("a directory has fewer entries than there are numbers")
}

/// Writes down which generation will be the current one, before anything of it is there.
pub(super) fn prepare_current(dir: &Path, current: Current) -> Result<(), FileError> {
    write(&dir.join(CURRENT_NEW), seal(&current.to_string()).as_bytes())?;
    flush_directory(dir)
}

/// Makes it the current one: the moment from which the new state is found.
pub(super) fn switch_current(dir: &Path) -> Result<(), FileError> {
    let current = dir.join(CURRENT);
    at(&current, fs::rename(dir.join(CURRENT_NEW), &current))?;
    flush_directory(dir)
}

/// Removes the generation that the current one has taken the place of, and what a save that was cut off has left.
pub(super) fn remove_old(dir: &Path, current: Option<Current>) -> Result<(), FileError> {
    let path = dir.join(CURRENT_NEW);
    let cut_off = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        content => Some(at(&path, content)?),
    };
    // If not even its name was written down whole, nothing of the generation is there.
    let begun = cut_off.as_deref().and_then(unseal).and_then(Current::from_lines);
    let old = [current.and_then(|current| current.before), begun.map(|begun| begun.generation)];
    let kept = current.map(|current| current.generation);
    for generation in old.into_iter().flatten().filter(|generation| Some(*generation) != kept) {
        remove_generation(&dir.join(generation.to_string()))?;
    }
    // Last, as nothing else says what was begun.
    if cut_off.is_some() { at(&path, fs::remove_file(&path)) } else { Ok(()) }
}

/// Removes a generation that may be gone already, wholly or in part. A directory that holds anything but what a save
/// writes is somebody's own by now, and stays.
fn remove_generation(dir: &Path) -> Result<(), FileError> {
    if !fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir()) {
        return Ok(());
    }
    let entries: Vec<_> = at(dir, fs::read_dir(dir).and_then(Iterator::collect))?;
    let is_ours = |entry: &DirEntry| entry.file_name().to_str().is_some_and(is_in_generation);
    if !entries.iter().all(is_ours) {
        return Ok(());
    }
    for path in entries.iter().map(DirEntry::path) {
        at(&path, fs::remove_file(&path))?;
    }
    at(dir, fs::remove_dir(dir))
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
