//! A file of rows that grows as runs finish, and goes on where it stopped.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{
    row::{Format, cell_count},
    run::{Run, RunId},
};

/// What the name of a file ends with that is not whole yet.
pub const PART: &str = ".part";

/// Rows of runs, in the order in which they finished, beside the file that all of them are to be in.
///
/// Each line is written by itself and is in the file when [`append`](Self::append) returns, so that a process that is
/// killed loses no finished run. Where all are there, [`finish`](Self::finish) puts them in the order of their names,
/// under the file's own name: it is there whole, or not at all.
#[derive(Debug)]
pub struct RowFile {
    path: PathBuf,
    part: PathBuf,
    header: String,
    /// Of the other file, which is locked as long as it is open.
    file: File,
    length: u64,
    lines: Vec<Line>,
}

/// Where a row's line lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) run: RunId,
    pub(super) start: u64,
    pub(super) length: usize,
}

impl RowFile {
    /// Opens the file of the rows of these runs, which are in the order of their names, or begins it. None if it is whole.
    ///
    /// A whole file of some of the runs is gone on with, as when an experiment is given more replicates.
    ///
    /// # Errors
    ///
    /// The file is there and holds something else; another process writes it; or it cannot be read or written.
    pub fn open(
        path: &Path,
        format: Format,
        columns: &[String],
        runs: &[Run],
    ) -> Result<Option<Self>, RowFileError> {
        let header = format.header(columns);
        let part = with_ending(path, PART);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| RowFileError::Io { path, source }
        };
        if path.try_exists().map_err(at(path))? {
            let file = File::open(path).map_err(at(path))?;
            let found = Found::read(&file, path, format, &header, columns, runs)?;
            if found.is_torn {
                let line = found.lines.len() as u64 + if found.has_header { 2 } else { 1 };
                return Err(RowFileError::Foreign { path: path.into(), line });
            }
            if found.lines.iter().map(|line| line.run).eq(runs.iter().map(|run| run.id)) {
                remove_if_there(&part).map_err(at(&part))?;
                return Ok(None);
            }
            if part.try_exists().map_err(at(&part))? {
                return Err(RowFileError::Both { path: path.into(), part });
            }
            fs::rename(path, &part).map_err(at(&part))?;
        }
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(&part).map_err(at(&part))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(RowFileError::Busy { path: part }),
            // Not every file system of a cluster has locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut found = Found::read(&file, &part, format, &header, columns, runs)?;
        file.set_len(found.length).map_err(at(&part))?;
        if found.length == 0 {
            file.write_all(header.as_bytes()).map_err(at(&part))?;
            found.length = header.len() as u64;
        }
        let Found { length, lines, .. } = found;
        let mut rows = Self { path: path.into(), part, header, file, length, lines };
        rows.sort_lines()?;
        Ok(Some(rows))
    }

    /// Returns those of some runs that it has no row of.
    pub fn missing(&self, runs: &[Run]) -> Vec<Run> {
        let mut done = self.lines.iter().map(|line| line.run).peekable();
        let is_missing = |run: &&Run| {
            while done.next_if(|done| *done < run.id).is_some() {}
            done.peek() != Some(&run.id)
        };
        runs.iter().filter(is_missing).copied().collect()
    }

    /// Adds the line of a run's row, and has it in the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or another process has written it, where files cannot be locked; it holds what it held.
    pub fn append(&mut self, run: RunId, line: &str) -> Result<(), RowFileError> {
        let length = self.file.metadata().map_err(|source| self.failed(source))?.len();
        if length != self.length {
            return Err(RowFileError::Busy { path: self.part.clone() });
        }
        if let Err(source) = self.file.write_all(line.as_bytes()) {
            // Half a line would be a part of the file for whoever goes on.
            let source = self.file.set_len(self.length).err().unwrap_or(source);
            return Err(self.failed(source));
        }
        self.lines.push(Line { run, start: self.length, length: line.len() });
        self.length += line.len() as u64;
        Ok(())
    }

    /// Puts the rows in the order of their runs' names, under the file's own name.
    ///
    /// # Errors
    ///
    /// The files cannot be read or written, or another process has added a row.
    pub fn finish(mut self) -> Result<(), RowFileError> {
        let mut added = Vec::new();
        let read =
            self.file.seek(SeekFrom::Start(self.length)).and_then(|_| self.file.read_to_end(&mut added));
        read.map_err(|source| self.failed(source))?;
        if added.contains(&b'\n') {
            return Err(RowFileError::Busy { path: self.part });
        }
        self.sort_lines()?;
        let begin = self.header.len() as u64;
        let end = self
            .lines
            .iter()
            .try_fold(begin, |end, line| (line.start == end).then_some(end + line.length as u64));
        let finished = if end == Some(self.length) && added.is_empty() {
            self.file.sync_all().and_then(|()| fs::rename(&self.part, &self.path))
        } else {
            self.write_sorted()
        };
        finished.map_err(|source| self.failed(source))
    }

    fn write_sorted(&mut self) -> io::Result<()> {
        let sorted = with_ending(&self.path, ".sorted");
        let mut out = BufWriter::new(File::create(&sorted)?);
        out.write_all(self.header.as_bytes())?;
        let mut text = Vec::new();
        for line in &self.lines {
            text.resize(line.length, 0);
            self.file.seek(SeekFrom::Start(line.start))?;
            self.file.read_exact(&mut text)?;
            out.write_all(&text)?;
        }
        out.into_inner()?.sync_all()?;
        fs::rename(&sorted, &self.path)?;
        remove_if_there(&self.part)
    }

    /// Sorts the lines by their runs, and drops those that are there twice.
    fn sort_lines(&mut self) -> Result<(), RowFileError> {
        self.lines.sort_unstable();
        let twice = self.lines.windows(2).filter(|pair| pair[0].run == pair[1].run);
        for pair in twice {
            let texts = [self.text(pair[0]), self.text(pair[1])];
            let [one, other] = texts.map(|text| text.map_err(|source| self.failed(source)));
            if one? != other? {
                return Err(RowFileError::Differs { path: self.part.clone(), run: pair[0].run });
            }
        }
        self.lines.dedup_by_key(|line| line.run);
        Ok(())
    }

    fn text(&self, line: Line) -> io::Result<Vec<u8>> {
        read_at(&self.part, line.start, line.length)
    }

    fn failed(&self, source: io::Error) -> RowFileError {
        RowFileError::Io { path: self.part.clone(), source }
    }
}

/// What a file of rows holds.
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    /// Up to the end of the last line that is whole.
    pub(super) length: u64,
    /// Whether something comes after that.
    pub(super) is_torn: bool,
    has_header: bool,
}

impl Found {
    /// Reads where the rows of a file lie, which is to be of some runs alone.
    fn read(
        file: &File,
        path: &Path,
        format: Format,
        header: &str,
        columns: &[String],
        runs: &[Run],
    ) -> Result<Self, RowFileError> {
        let found = Self::scan(file, path, format, header)?;
        // Where there is no header, the columns of the first row are those of all.
        if let Some(first) = found.lines.first().filter(|_| !found.has_header) {
            let text = read_at(path, first.start, first.length)
                .map_err(|source| RowFileError::Io { path: path.into(), source })?;
            if !format.has_columns(&text, columns) {
                return Err(RowFileError::Header { path: path.into() });
            }
        }
        for (place, line) in found.lines.iter().enumerate() {
            if runs.binary_search_by_key(&line.run, |run| run.id).is_err() {
                let number = place as u64 + if found.has_header { 2 } else { 1 };
                return Err(RowFileError::Stranger { path: path.into(), line: number, run: line.run });
            }
        }
        Ok(found)
    }

    /// Reads where the rows of a file lie.
    pub(super) fn scan(file: &File, path: &Path, format: Format, header: &str) -> Result<Self, RowFileError> {
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let io = |source| RowFileError::Io { path: path.into(), source };
        let (mut text, cells) = (Vec::new(), cell_count(header.as_bytes()));
        let mut found = Self { lines: Vec::new(), length: 0, is_torn: false, has_header: false };
        for number in 1.. {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(io)? == 0 {
                break;
            }
            let is_header = number == 1 && !header.is_empty();
            // Half a header of other columns is no header that was cut off.
            let may_be_torn = !is_header || header.as_bytes().starts_with(&text);
            if may_be_torn && !text.ends_with(b"\n") {
                found.is_torn = true;
                break;
            }
            if is_header {
                if text != header.as_bytes() {
                    return Err(RowFileError::Header { path: path.into() });
                }
                found.has_header = true;
            } else {
                let run = format.run_of(&text, cells);
                let run = run.ok_or_else(|| RowFileError::Foreign { path: path.into(), line: number })?;
                found.lines.push(Line { run, start: found.length, length: text.len() });
            }
            found.length += text.len() as u64;
        }
        Ok(found)
    }
}

pub(super) fn read_at(path: &Path, start: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::with_capacity(length);
    file.take(length as u64).read_to_end(&mut text)?;
    Ok(text)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Why a file of rows cannot be gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowFileError {
    /// It cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It has other columns.
    #[error("{}: its columns are not those of this experiment", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// A line is no row.
    #[error("{}: line {line} is no row of a run", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// A row is of a run that is not among these.
    #[error("{}: line {line} is of run {run}, which is not one of this experiment's", .path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The run.
        run: RunId,
    },
    /// Two rows of a run are not the same.
    #[error("{}: there are two rows of run {run}, and they differ", .path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The run.
        run: RunId,
    },
    /// Another process has it open.
    #[error("{}: another process is writing it", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// There are two files to go on with.
    #[error("{} and {} are both there, and the first is not whole: remove one", .path.display(), .part.display())]
    Both {
        /// The file.
        path: PathBuf,
        /// What is to become that file.
        part: PathBuf,
    },
}
