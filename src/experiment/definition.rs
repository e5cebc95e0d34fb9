//! What an experiment says, as its document does.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    error::ExperimentError,
    points::Points,
    repeats::WithoutRepeats,
    run::Namer,
    scenario::{Scenario, ScenarioError, place},
};
use crate::text::shortened_sentence;

/// The document of an experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    scenario: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grid: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points: Option<Vec<Map<String, Value>>>,
    replicates: u32,
}

/// A scenario, what its points set in it, and how often each is run.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    /// As it was read, to be written again.
    document: Document,
    pub(super) points: Points,
    pub(super) replicates: u32,
}

impl Definition {
    /// Reads the document of an experiment. Its scenarios are not looked at.
    pub(super) fn read(json: &str) -> Result<Self, ExperimentError> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let document: Document =
            serde_path_to_error::deserialize(&mut reader).map_err(|error| misread(&error))?;
        reader.end().map_err(|error| ExperimentError::at(".", error.to_string()))?;
        let mut reader = serde_json::Deserializer::from_str(json);
        let WithoutRepeats =
            serde_path_to_error::deserialize(&mut reader).map_err(|error| misread(&error))?;
        Self::new(document)
    }

    /// Reads the document as a part of another.
    pub(super) fn from_value(value: Value) -> Result<Self, ExperimentError> {
        let document: Document = serde_path_to_error::deserialize(value).map_err(|error| misread(&error))?;
        Self::new(document)
    }

    fn new(document: Document) -> Result<Self, ExperimentError> {
        let points = match (document.grid.clone(), document.points.clone()) {
            (Some(_), Some(_)) => {
                return Err(ExperimentError::at("points", "there is a grid already: leave one of them out"));
            }
            (_, Some(points)) => Points::of_list(points)?,
            (grid, None) => Points::of_grid(grid.unwrap_or_default())?,
        };
        if document.replicates == 0 {
            return Err(ExperimentError::at("replicates", "0 is no number of replicates: 1 is the least"));
        }
        Ok(Self { points, replicates: document.replicates, document })
    }

    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(&self.document).expect("its maps have names as keys")
    }

    /// Returns the scenario with what a point sets in it.
    pub(super) fn scenario(&self, point: u32) -> Result<Scenario, ExperimentError> {
        let mut scenario = Value::Object(self.document.scenario.clone());
        for (field, value) in self.points.fields().iter().zip(self.points.values(point)) {
            field.set(&mut scenario, value.clone()).map_err(|problem| ExperimentError::Place {
                point,
                values: self.describe(point),
                field: shortened_sentence(field.to_string()),
                problem: shortened_sentence(problem),
            })?;
        }
        Scenario::from_value(scenario).map_err(|source| self.wrong_at(point, source))
    }

    /// The error that the scenario is wrong at a point.
    pub(super) fn wrong_at(&self, point: u32, source: ScenarioError) -> ExperimentError {
        ExperimentError::Scenario { point, values: self.describe(point), source }
    }

    /// Returns what a point sets, for a person: `link.loss = 0.1, nodes = 5`.
    pub(super) fn describe(&self, point: u32) -> String {
        let pairs = self.points.fields().iter().zip(self.points.values(point));
        let pairs: Vec<_> = pairs.map(|(field, value)| format!("{field} = {value}")).collect();
        if pairs.is_empty() { "as stated".into() } else { shortened_sentence(pairs.join(", ")) }
    }
}

fn misread(error: &serde_path_to_error::Error<serde_json::Error>) -> ExperimentError {
    ExperimentError::at(&*place(error.path()), error.inner().to_string())
}

/// Returns what names the runs of a scenario.
pub(super) fn namer(scenario: &Scenario) -> Namer {
    Namer::new(scenario.to_value())
}
