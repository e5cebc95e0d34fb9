//! Events as lines of JSON: written as they happen, and read again.

use std::{
    io::{self, BufRead, Write},
    iter::FusedIterator,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Event;
use crate::{
    text::{shortened, shortened_sentence},
    time::Time,
};

/// What the first line calls the format.
const FORMAT: &str = "chainlab events";
/// The version of the format that is written, and the one that is read.
const VERSION: u64 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u64,
    start_ns: Time,
}

/// Writes events as lines of JSON, the first of which names the format, its version and the start of the run.
///
/// Each line goes out in one piece; hand over a [`BufWriter`](io::BufWriter) to have several go together, and
/// [flush](EventWriter::flush) at the end.
///
/// ```
/// use chainlab::{Event, EventReader, EventWriter, Happening, NodeId, Time};
///
/// let mut file = Vec::new();
/// let event = Event { time: Time::from_secs(5), node: NodeId::new(0), what: Happening::Crashed };
/// EventWriter::new(&mut file, Time::from_secs(4))?.write(&event)?;
/// let text = String::from_utf8(file)?;
/// assert_eq!(text, concat!(
///     r#"{"format":"chainlab events","version":1,"start_ns":4000000000}"#, "\n",
///     r#"{"time_ns":5000000000,"node":0,"what":"crashed"}"#, "\n",
/// ));
///
/// let mut events = EventReader::new(text.as_bytes())?;
/// assert_eq!(events.start(), Time::from_secs(4));
/// assert_eq!(events.next().transpose()?, Some(event));
///
/// let broken = text.replace("5000", "-5");
/// let error = EventReader::new(broken.as_bytes())?.next().expect("there is a line").unwrap_err();
/// assert_eq!(error.to_string(), "line 2: time_ns: invalid value: integer `-5000000`, expected u64 at column 19");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventWriter<W> {
    out: W,
    /// The memory of a line, used again.
    line: Vec<u8>,
}

impl<W: Write> EventWriter<W> {
    /// Begins to write the events of a run that starts at a moment: writes the first line.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    pub fn new(out: W, start: Time) -> io::Result<Self> {
        let mut writer = Self { out, line: Vec::new() };
        writer.write_line(&Header { format: FORMAT.into(), version: VERSION, start_ns: start })?;
        Ok(writer)
    }

    /// Writes an event.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        self.write_line(event)
    }

    /// Flushes what is written to.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn write_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }
}

/// Reads the lines that an [`EventWriter`] has written, one event at a time.
///
/// It ends after the first error. It keeps one line; one that was cut off in the middle is an error.
#[derive(Debug)]
#[must_use = "an iterator does nothing unless it is asked"]
pub struct EventReader<R> {
    input: R,
    start: Time,
    /// The number of the last line read, counted from 1.
    number: u64,
    line: String,
    has_ended: bool,
}

impl<R: BufRead> EventReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    ///
    /// What is read from says why it cannot be; or the first line does not name this format, in a version that is
    /// known here.
    pub fn new(mut input: R) -> Result<Self, ReadEventError> {
        let mut line = String::new();
        input.read_line(&mut line).map_err(|source| ReadEventError::Io { line: 1, source })?;
        let named: Named = serde_json::from_str(&line).unwrap_or_default();
        if named.format.as_deref() != Some(FORMAT) {
            return Err(ReadEventError::OtherFormat { found: shortened(line.trim_end()) });
        }
        // What is no number at all is told of by its field.
        if let Some(found) = named.version.and_then(|version| version.as_u64()).filter(|it| *it != VERSION) {
            return Err(ReadEventError::OtherVersion { found });
        }
        let Header { start_ns: start, .. } = read_line(&line, 1)?;
        Ok(Self { input, start, number: 1, line, has_ended: false })
    }

    /// Returns the moment at which the run started.
    pub fn start(&self) -> Time {
        self.start
    }

    fn read(&mut self) -> Result<Option<Event>, ReadEventError> {
        self.line.clear();
        self.number += 1;
        let length = self.input.read_line(&mut self.line);
        match length.map_err(|source| ReadEventError::Io { line: self.number, source })? {
            0 => Ok(None),
            _ => read_line(&self.line, self.number).map(Some),
        }
    }
}

/// As much of the first line as tells what the others are.
#[derive(Default, Deserialize)]
struct Named {
    format: Option<String>,
    version: Option<Value>,
}

fn read_line<'a, T: Deserialize<'a>>(line: &'a str, number: u64) -> Result<T, ReadEventError> {
    serde_json::from_str(line).map_err(|_| {
        // Read a second time, to find the field: to keep it in mind costs more than to read.
        let mut json = serde_json::Deserializer::from_str(line);
        let (field, message) = match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Err(error) => (error.path().to_string(), error.inner().to_string()),
            Ok(_) => (".".into(), json.end().map_or_else(|error| error.to_string(), |()| String::new())),
        };
        ReadEventError::Line {
            line: number,
            field: shortened_sentence(field),
            message: shortened_sentence(message.replace(" at line 1 column ", " at column ")),
        }
    })
}

impl<R: BufRead> Iterator for EventReader<R> {
    type Item = Result<Event, ReadEventError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let event = self.read().transpose();
        self.has_ended = !matches!(event, Some(Ok(_)));
        event
    }
}

impl<R: BufRead> FusedIterator for EventReader<R> {}

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadEventError {
    /// The lines cannot be read at all.
    #[error("line {line}: {source}")]
    Io {
        /// The line, counted from 1.
        line: u64,
        /// Why not.
        source: io::Error,
    },
    /// The first line names no such format.
    #[error("the first line does not name the format \"{FORMAT}\", but is: {found}")]
    OtherFormat {
        /// The first line, its first 80 characters.
        found: String,
    },
    /// The first line names a version that is not known here.
    #[error("version {found} of the format is not known here; version {VERSION} is")]
    OtherVersion {
        /// The version.
        found: u64,
    },
    /// A line is no event.
    #[error("line {line}: {field}: {message}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// The field, the fields that it stands in before it: `what.mined.position`.
        field: String,
        /// What is wrong there, with the column.
        message: String,
    },
}
