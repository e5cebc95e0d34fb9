//! The rows of a sweep's shards, put together.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    fs::File,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use super::{
    plan::{Plan, PlannedRuns, ReadPlanError},
    row::{FIRST, Format, cell_count},
    row_file::{Found, Line, PART, RowFileError, read_at},
    run::{MODEL, RunId},
};

/// How many missing runs are named.
const NAMED_MAX: usize = 20;
/// How much of a file is read at once.
const CHUNK: usize = 1 << 14;

/// What the files of a sweep's shards came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// How many rows were written.
    pub rows: u64,
    /// How many runs of the plan have no row.
    pub missing: u64,
    /// Which, the first twenty of them.
    pub named: Vec<RunId>,
}

impl Plan {
    /// Writes the rows of files, as [`RowFile`](super::RowFile)s of comma-separated values leave them, in the order of
    /// their runs' names: whole ones, and those whose name ends with `.part`.
    ///
    /// It keeps some kilobytes of each whole file, whatever its length, and some bytes of each row of the others; and it
    /// holds no file open.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or holds rows of another plan or of another version of the model; two rows of one run
    /// differ; or the rows cannot be written. What was written before is then of no use.
    pub fn merge<R: BufRead>(
        &self,
        runs: PlannedRuns<R>,
        files: &[PathBuf],
        mut out: impl Write,
    ) -> Result<Merged, MergeError> {
        let header = Format::Csv.header(self.columns());
        let mut sources =
            files.iter().map(|path| Source::open(path, &header)).collect::<Result<Vec<_>, _>>()?;
        let mut heads = BinaryHeap::new();
        for (place, source) in sources.iter_mut().enumerate() {
            if let Some((run, text)) = source.next_row()? {
                heads.push(Reverse(Head { run, place, text }));
            }
        }
        let mut merged = Merged::default();
        out.write_all(header.as_bytes()).map_err(MergeError::Write)?;
        for planned in runs {
            let planned = planned?.id;
            let mut taken: Option<Head> = None;
            while let Some(Reverse(head)) = heads.peek().filter(|Reverse(head)| head.run <= planned) {
                let place = head.place;
                if head.run < planned {
                    return Err(head.stranger(&sources));
                }
                let next = sources[place].next_row()?;
                let Some(Reverse(head)) = heads.pop() else { break };
                heads.extend(next.map(|(run, text)| Reverse(Head { run, place, text })));
                match &taken {
                    None => {
                        out.write_all(&head.text).map_err(MergeError::Write)?;
                        taken = Some(head);
                    }
                    Some(first) if first.text == head.text => {}
                    Some(first) => {
                        let [one, other] = [first.place, place].map(|place| sources[place].path.clone());
                        return Err(MergeError::Differ { run: planned, one, other });
                    }
                }
            }
            if taken.is_some() {
                merged.rows += 1;
            } else {
                merged.missing += 1;
                if merged.named.len() < NAMED_MAX {
                    merged.named.push(planned);
                }
            }
        }
        if let Some(Reverse(head)) = heads.pop() {
            return Err(head.stranger(&sources));
        }
        out.flush().map_err(MergeError::Write)?;
        Ok(merged)
    }
}

/// The next row of a source.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    run: RunId,
    place: usize,
    text: Vec<u8>,
}

impl Head {
    /// Says that no such run is planned, or if it can that it is another model's.
    fn stranger(&self, sources: &[Source<'_>]) -> MergeError {
        let path = sources[self.place].path.clone();
        let model = FIRST.iter().position(|name| *name == "model");
        let text = String::from_utf8_lossy(&self.text);
        let cell = model.and_then(|place| text.split(',').nth(place)?.parse().ok());
        match cell {
            Some(found) if found != MODEL => MergeError::OtherModel { path, run: self.run, found },
            _ => MergeError::Stranger { path, run: self.run },
        }
    }
}

/// A file of rows, read in the order of their names.
struct Source<'a> {
    path: &'a PathBuf,
    /// How many cells each row has.
    cells: Option<usize>,
    rows: Rows,
    last: Option<RunId>,
}

enum Rows {
    /// They stand in that order.
    Whole(Chunks),
    /// They stand as they were finished.
    Part(std::vec::IntoIter<Line>),
}

impl<'a> Source<'a> {
    fn open(path: &'a PathBuf, header: &str) -> Result<Self, MergeError> {
        let is_part = path.as_os_str().as_encoded_bytes().ends_with(PART.as_bytes());
        let rows = if is_part {
            let file = File::open(path).map_err(|source| RowFileError::Io { path: path.clone(), source })?;
            let mut lines = Found::scan(&file, path, Format::Csv, header)?.lines;
            lines.sort_unstable();
            Rows::Part(lines.into_iter())
        } else {
            let mut chunks = Chunks::default();
            let first = chunks.next_line(path)?;
            if first.is_none_or(|first| first != header.as_bytes()) {
                return Err(RowFileError::Header { path: path.clone() }.into());
            }
            Rows::Whole(chunks)
        };
        Ok(Self { path, cells: cell_count(header.as_bytes()), rows, last: None })
    }

    fn next_row(&mut self) -> Result<Option<(RunId, Vec<u8>)>, MergeError> {
        let io = |source| RowFileError::Io { path: self.path.clone(), source };
        let (run, text) = match &mut self.rows {
            Rows::Part(lines) => {
                let Some(line) = lines.next() else { return Ok(None) };
                (line.run, read_at(self.path, line.start, line.length).map_err(io)?)
            }
            Rows::Whole(chunks) => {
                let Some(text) = chunks.next_line(self.path)? else { return Ok(None) };
                let foreign = || RowFileError::Foreign { path: self.path.clone(), line: chunks.lines };
                let run = Format::Csv.run_of(&text, self.cells).ok_or_else(foreign)?;
                if self.last.is_some_and(|last| last >= run) {
                    return Err(MergeError::Order { path: self.path.clone(), line: chunks.lines });
                }
                (run, text)
            }
        };
        self.last = Some(run);
        Ok(Some((run, text)))
    }
}

/// The lines of a file that is open only while a chunk of it is read: there may be more files than a process may have open.
#[derive(Default)]
struct Chunks {
    /// What was read and not given.
    unread: VecDeque<u8>,
    /// Where what comes after it begins.
    next: u64,
    /// How many lines were given.
    lines: u64,
}

impl Chunks {
    /// Returns the next line, with its end if it has one.
    fn next_line(&mut self, path: &Path) -> Result<Option<Vec<u8>>, RowFileError> {
        let mut looked_at = 0;
        loop {
            if let Some(end) = self.unread.iter().skip(looked_at).position(|byte| *byte == b'\n') {
                self.lines += 1;
                return Ok(Some(self.unread.drain(..=looked_at + end).collect()));
            }
            looked_at = self.unread.len();
            let chunk = read_at(path, self.next, CHUNK)
                .map_err(|source| RowFileError::Io { path: path.into(), source })?;
            if chunk.is_empty() {
                self.lines += 1;
                return Ok((looked_at > 0).then(|| self.unread.drain(..).collect()));
            }
            self.next += chunk.len() as u64;
            self.unread.extend(chunk);
        }
    }
}

/// Why rows cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] ReadPlanError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] RowFileError),
    /// The rows cannot be written.
    #[error("the rows cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The rows of a file do not stand in the order of their names.
    #[error("{}: line {line} is out of order", .path.display())]
    Order {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// A row is of a run that is not planned.
    #[error("{}: run {run} is not in the plan", .path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// The run.
        run: RunId,
    },
    /// A row is of a run of another version of the model.
    #[error("{}: run {run} was made by version {found} of the model, and this is version {MODEL}", .path.display())]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// The run.
        run: RunId,
        /// The version.
        found: u32,
    },
    /// Two rows of a run are not the same.
    #[error("run {run} is in {} and in {}, and its rows differ", .one.display(), .other.display())]
    Differ {
        /// The run.
        run: RunId,
        /// The one file.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
}
