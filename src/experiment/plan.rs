//! The plan of a sweep: an experiment and the names of all its runs, for machines that share nothing else.

use std::{
    io::{self, BufRead, Write},
    iter::FusedIterator,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    definition::Definition,
    error::ExperimentError,
    row::Row,
    run::{MODEL, Run, RunId},
    runs::{Experiment, Layout},
};
use crate::text::shortened;

const FORMAT: &str = "chainlab plan";
const VERSION: u32 = 1;

/// The plan of a sweep, without its runs. As a file it is lines of JSON: the first is the plan, and each other a run.
///
/// ```
/// use chainlab::experiment::{Experiment, Pilots, Plan};
///
/// let json = r#"{"scenario": {"stop": {"blocks": 10}}, "grid": {"nodes": [2, 3]}, "replicates": 5}"#;
/// let experiment = Experiment::from_json(json)?;
/// let mut file = Vec::new();
/// Plan::new(&experiment, Pilots { runs: 2, seconds: 0.5 }).write(experiment.runs(), &mut file)?;
///
/// let (plan, runs) = Plan::read(&*file)?;
/// assert_eq!((plan.runs(), plan.seconds()), (10, 2.5));
/// let runs = runs.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(plan.row(runs[7])?, experiment.row(runs[7])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    definition: Definition,
    layout: Layout,
    runs: u64,
    pilots: Pilots,
}

/// Runs that were made to tell how long all take, on one core.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilots {
    /// How many there were.
    pub runs: u64,
    /// How long they took together.
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    model: u32,
    runs: u64,
    pilots: Pilots,
    /// The nodes that have columns of their own.
    nodes: Vec<u32>,
    experiment: Value,
}

/// As much of the first line as tells what the others are.
#[derive(Default, Deserialize)]
struct Named {
    format: Option<String>,
    version: Option<u32>,
    model: Option<u32>,
}

impl Plan {
    /// Plans an experiment.
    pub fn new(experiment: &Experiment, pilots: Pilots) -> Self {
        Self {
            definition: experiment.definition.clone(),
            layout: experiment.layout.clone(),
            runs: experiment.runs().len() as u64,
            pilots,
        }
    }

    /// Writes the plan and its runs.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    pub fn write(&self, runs: &[Run], mut out: impl Write) -> io::Result<()> {
        let header = Header {
            format: FORMAT.into(),
            version: VERSION,
            model: MODEL,
            runs: self.runs,
            pilots: self.pilots,
            nodes: self.layout.nodes.clone(),
            experiment: self.definition.to_value(),
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        for run in runs {
            serde_json::to_writer(&mut out, run)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Reads a plan, and then its runs one by one.
    ///
    /// # Errors
    ///
    /// The first line is not that of a plan, or of a plan for another version of the model.
    pub fn read<R: BufRead>(mut input: R) -> Result<(Self, PlannedRuns<R>), ReadPlanError> {
        let mut line = String::new();
        input.read_line(&mut line).map_err(|source| ReadPlanError::Io { line: 1, source })?;
        let named: Named = serde_json::from_str(&line).unwrap_or_default();
        if named.format.as_deref() != Some(FORMAT) {
            return Err(ReadPlanError::OtherFormat { found: shortened(line.trim_end()) });
        }
        if let Some(found) = named.version.filter(|version| *version != VERSION) {
            return Err(ReadPlanError::OtherVersion { found });
        }
        if let Some(found) = named.model.filter(|model| *model != MODEL) {
            return Err(ReadPlanError::OtherModel { found });
        }
        let header: Header = serde_json::from_str(&line)
            .map_err(|error| ReadPlanError::Line { line: 1, problem: error.to_string() })?;
        let definition = Definition::from_value(header.experiment)?;
        let layout = Layout::new(&definition, header.nodes);
        let plan = Self { definition, layout, runs: header.runs, pilots: header.pilots };
        let points = plan.definition.points.len();
        let runs =
            PlannedRuns { input, points, expected: plan.runs, number: 1, last: None, line, has_ended: false };
        Ok((plan, runs))
    }

    /// Returns how many runs it has.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns about how many seconds all its runs take on one core, by its pilots.
    pub fn seconds(&self) -> f64 {
        self.pilots.seconds / self.pilots.runs.max(1) as f64 * self.runs as f64
    }

    /// Returns the names of the columns of its rows: see [`Experiment::columns`].
    pub fn columns(&self) -> &[String] {
        &self.layout.columns
    }

    /// Makes one of its runs.
    ///
    /// # Errors
    ///
    /// The run is another here than it was planned as, or its scenario cannot be run.
    pub fn row(&self, run: Run) -> Result<Row, ExperimentError> {
        self.definition.row(&self.layout, run)
    }
}

/// The runs of a plan, in the order of their names, from [`Plan::read`]. It ends after the first error.
#[derive(Debug)]
#[must_use = "an iterator does nothing unless it is asked"]
pub struct PlannedRuns<R> {
    input: R,
    points: u32,
    expected: u64,
    /// The number of the last line read, counted from 1.
    number: u64,
    last: Option<RunId>,
    line: String,
    has_ended: bool,
}

impl<R: BufRead> PlannedRuns<R> {
    fn read(&mut self) -> Result<Option<Run>, ReadPlanError> {
        self.line.clear();
        self.number += 1;
        let line = self.number;
        let problem = |problem: String| ReadPlanError::Line { line, problem };
        let length = self.input.read_line(&mut self.line);
        if length.map_err(|source| ReadPlanError::Io { line, source })? == 0 {
            let found = line - 2;
            let expected = self.expected;
            return if found == expected { Ok(None) } else { Err(ReadPlanError::Runs { found, expected }) };
        }
        let run: Run = serde_json::from_str(&self.line).map_err(|error| problem(error.to_string()))?;
        if run.point >= self.points {
            return Err(problem(format!("point {} is not there: there are {}", run.point, self.points)));
        }
        if self.last.is_some_and(|last| last >= run.id) {
            return Err(problem(format!("run {} is out of order", run.id)));
        }
        self.last = Some(run.id);
        Ok(Some(run))
    }
}

impl<R: BufRead> Iterator for PlannedRuns<R> {
    type Item = Result<Run, ReadPlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let run = self.read().transpose();
        self.has_ended = !matches!(run, Some(Ok(_)));
        run
    }
}

impl<R: BufRead> FusedIterator for PlannedRuns<R> {}

/// Why a plan cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadPlanError {
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
        found: u32,
    },
    /// It was made for another version of the model, which gives other figures.
    #[error("the plan is for version {found} of the model, and this is version {MODEL}")]
    OtherModel {
        /// The version.
        found: u32,
    },
    /// A line is not what stands there in a plan.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
    /// The experiment is none.
    #[error("line 1: experiment.{0}")]
    Experiment(#[from] ExperimentError),
    /// It was cut off, or something was added.
    #[error("there are {found} runs, and {expected} were planned")]
    Runs {
        /// How many there are.
        found: u64,
        /// How many there are to be.
        expected: u64,
    },
}
