//! Experiments: what is to be run, as plain data.
//!
//! A [`Scenario`] says all of a run that its outcome depends on. It is read from JSON, written back out with every
//! default filled in, and run under either driver.
//!
//! An [`Experiment`] runs a scenario many times, at each of the values that some of its fields take, and gives a
//! [`Row`] a run; [`Estimate`] and [`Summary`] tell what they come to. A [`Plan`] hands its runs to machines that share
//! nothing, each with its [`Shard`] of them, and puts their [files](RowFile) together:
//! see [the guide to sweeps](crate::guide::sweeps).

mod batches;
mod definition;
mod error;
mod estimate;
mod field;
mod figures;
mod merge;
mod plan;
mod points;
mod range;
mod repeats;
mod row;
mod row_file;
mod run;
mod runs;
mod scenario;
mod shard;
mod student;
mod summary;
mod validation;

pub use batches::within_run;
pub use error::ExperimentError;
pub use estimate::Estimate;
pub use merge::{MergeError, Merged};
pub use plan::{Pilots, Plan, PlannedRuns, ReadPlanError};
pub use row::{Cell, Format, Row};
pub use row_file::{PART, RowFile, RowFileError};
pub use run::{MODEL, ParseRunIdError, Run, RunId};
pub use runs::Experiment;
pub use scenario::{
    Change, Fault, HashRates, NodeRef, Pace, Payment, Problem, RegionTable, Scenario, ScenarioError, Stop,
    StrategyOf, TieBreakOf,
};
pub use shard::{ParseShardError, Shard};
pub use summary::{Summary, UnknownFigure};
pub use validation::{Checked, DISTANCE_MAX, Effort, Model};
