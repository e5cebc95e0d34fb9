//! Validation: simulated figures against published ones.
//!
//! Each [`Model`] is a network of which somebody else has said what it comes to, in a paper, by a formula, or by another
//! simulator. It is run some times, with fixed seeds, so that what holds once holds for ever; the spread of the runs gives
//! the standard error of their mean, and a mean may be four of those away from what was published.
//!
//! Traps on the way: catching up is not overtaking; stale blocks for each mined one and for each one in the chain are two
//! figures; a selfish miner's revenue is nothing without the gamma of the tie; a window of 2016 blocks measures 2015
//! intervals, as Bitcoin retargets by the times of its first and its last.

mod double_spend;
mod race;
mod selfish;
mod stale;
mod truth;

#[cfg(feature = "parallel")]
use rayon::prelude::*;

use serde::Serialize;
use serde_json::{Value, json};

use self::truth::Truth;
use super::{Estimate, Scenario};
use crate::pow::Target;

/// The most standard errors that a mean may be away from what was published.
pub const DISTANCE_MAX: f64 = 4.0;
/// How uncertain a mean may be, as a part of what was published: one more so would agree with anything.
const UNCERTAINTY_MAX: f64 = 0.2;

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Some seconds, on two cores.
    Quick,
    /// A minute, on two cores: the standard errors are a third of those.
    Full,
}

impl Effort {
    /// So many times as many blocks.
    fn scale(self) -> u64 {
        match self {
            Self::Quick => 1,
            Self::Full => 10,
        }
    }
}

/// A network of which somebody has said what it comes to.
#[must_use]
pub struct Model {
    /// What the network is.
    pub name: String,
    /// Who said so, and where.
    pub source: String,
    /// In what the published model differs, and what was done about it; empty if in nothing.
    pub bridge: &'static str,
    figures: Vec<Published>,
    replicates: u64,
    /// The figures of a run of a seed, as many as are published.
    run: Box<dyn Fn(u64) -> Vec<f64> + Send + Sync>,
}

/// A published figure.
#[derive(Debug, Clone)]
struct Published {
    name: String,
    value: f64,
    /// Whether it is an upper bound.
    is_bound: bool,
}

impl Published {
    fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, is_bound: false }
    }
}

/// A published figure and what the simulation says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// What it is a figure of.
    pub name: String,
    /// What was published.
    pub published: f64,
    /// Whether that is an upper bound.
    pub is_bound: bool,
    /// What was simulated.
    pub simulated: Estimate,
    /// How many standard errors the mean is above what was published.
    pub distance: f64,
}

impl Checked {
    /// Tells whether the mean is within [`DISTANCE_MAX`] standard errors of what was published, or of what is below a
    /// bound, and whether it is certain enough to say so.
    pub fn passes(&self) -> bool {
        let is_near = if self.is_bound { self.distance } else { self.distance.abs() } <= DISTANCE_MAX;
        is_near && self.simulated.standard_error <= UNCERTAINTY_MAX * self.published
    }
}

impl Model {
    /// Returns every model that there are published figures for.
    ///
    /// ```
    /// use chainlab::experiment::{Effort, Model};
    ///
    /// let models = Model::all(Effort::Quick);
    /// let two = models.iter().find(|model| model.name == "two equal miners, 1 block a delay").expect("it is there");
    /// let checked = two.check();
    /// assert_eq!((checked.len(), checked[0].published), (1, 0.25));
    /// assert!(checked[0].passes(), "{:?}", checked[0]);
    /// ```
    pub fn all(effort: Effort) -> Vec<Self> {
        let truth = Truth::read();
        let mut models = stale::models(&truth, effort);
        models.extend(selfish::models(&truth, effort));
        models.extend(double_spend::models(effort));
        models
    }

    /// Runs the model some times, with the feature `parallel` on all cores, and holds its means against what was
    /// published. The figures are the same however many cores there are.
    pub fn check(&self) -> Vec<Checked> {
        let seeds = 1..=self.replicates;
        #[cfg(feature = "parallel")]
        let runs: Vec<_> = seeds.into_par_iter().map(&self.run).collect();
        #[cfg(not(feature = "parallel"))]
        let runs: Vec<_> = seeds.map(&self.run).collect();
        let figures = self.figures.iter().enumerate();
        let check = |(place, published): (usize, &Published)| {
            let values: Vec<_> = runs.iter().map(|run: &Vec<f64>| run[place]).collect();
            let simulated = Estimate::of(&values).expect("every model is run more than once");
            Checked {
                name: published.name.clone(),
                published: published.value,
                is_bound: published.is_bound,
                simulated,
                distance: (simulated.mean - published.value) / simulated.standard_error,
            }
        };
        figures.map(check).collect()
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Bitcoin's rules at a difficulty that stays as it is. It would follow the blocks in the chain, so that the more of them
/// are stale the more are found: in the models that have been published the pace of all blocks is given.
fn rules() -> Value {
    json!({"preset": "bitcoin", "difficulty": {"fixed": Target::EASIEST}})
}

/// A scenario of this module's own: miners of these shares of the hash rate, each joined to each other, and a block in ten
/// minutes; `more` says the rest.
fn scenario(shares: &[f64], seed: u64, more: Value) -> Scenario {
    let mut document = json!({
        "rules": rules(),
        "pace": {"block_seconds": 600},
        "nodes": shares.len(),
        "hash_rates": {"list": shares.iter().map(|share| share * 1e6).collect::<Vec<_>>()},
        "topology": "complete",
        "seed": seed,
    });
    let (Some(document_fields), Value::Object(more)) = (document.as_object_mut(), more) else {
        unreachable!("both are objects")
    };
    document_fields.extend(more);
    Scenario::from_value(document).expect("it is one of the models, each of which is run by a test")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A figure of which ten runs say a value and as much more or less, beside 1 as published.
    fn checked(value: f64, spread: f64, is_bound: bool) -> Checked {
        let run = move |seed: u64| vec![value + if seed.is_multiple_of(2) { spread } else { -spread }];
        let model = Model {
            name: "a model".into(),
            source: "a paper".into(),
            bridge: "",
            figures: vec![Published { is_bound, ..Published::new("a figure", 1.0) }],
            replicates: 10,
            run: Box::new(run),
        };
        model.check().remove(0)
    }

    /// The standard error is a third of what the runs are away from their mean.
    #[test]
    fn a_row_passes_within_four_standard_errors() {
        for (value, is_bound, passes) in [
            (1.0, false, true),
            (1.039, false, true),
            (1.041, false, false),
            (0.961, false, true),
            (0.959, false, false),
            (0.959, true, true),
            (0.1, true, true),
            (1.039, true, true),
            (1.041, true, false),
        ] {
            let row = checked(value, 0.03, is_bound);
            assert!((row.simulated.standard_error - 0.01).abs() < 1e-9, "{row:?}");
            assert_eq!(row.passes(), passes, "{row:?}");
        }
    }

    #[test]
    fn a_row_that_says_nothing_does_not_pass() {
        assert!(checked(1.0, 0.59, false).passes());
        assert!(!checked(1.0, 0.61, false).passes());
    }
}
