//! What is wrong with an experiment, and where.

use super::{run::RunId, scenario::ScenarioError};
use crate::text::shortened_sentence;

/// Why a document is no experiment, or a run of it cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A field of the document is wrong, or it is no JSON.
    #[error("{field}: {problem}")]
    Field {
        /// The field: `grid.nodes`; `.` for the document as a whole.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// At a point, a field has no place in the scenario.
    #[error("point {point} ({values}): {field}: {problem}")]
    Place {
        /// The point's place, from 0 on.
        point: u32,
        /// What it sets.
        values: String,
        /// The field that has no place.
        field: String,
        /// Why not.
        problem: String,
    },
    /// At a point, the scenario is wrong.
    #[error("point {point} ({values}): {source}")]
    Scenario {
        /// The point's place, from 0 on.
        point: u32,
        /// What it sets.
        values: String,
        /// What is wrong with the scenario.
        source: ScenarioError,
    },
    /// Two points are one and the same scenario, so that their runs are, too.
    #[error("points {first} and {second} are the same scenario ({values})")]
    Twice {
        /// The place of the one, from 0 on.
        first: u32,
        /// The place of the other.
        second: u32,
        /// What the other sets.
        values: String,
    },
    /// A run is not the one that it was planned as.
    #[error("run {planned} is {found} here: it was planned by another version")]
    Other {
        /// Its name in the plan.
        planned: RunId,
        /// Its name here.
        found: RunId,
    },
}

impl ExperimentError {
    pub(super) fn at(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: shortened_sentence(field), problem: shortened_sentence(problem) }
    }
}
