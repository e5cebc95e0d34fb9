//! How hash rates are shared out among nodes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Problem, Scenario, ScenarioError, prepared::check_range};
use crate::{
    message::NodeId,
    text::shortened,
    wire::{Key, Purpose},
};

/// The most hashes a second, of a node and of all together.
pub(super) const HASH_RATE_MAX: f64 = 1e15;
/// The largest exponent of Zipf's law: with it the second largest miner has a thousandth of a thousandth of the largest's.
const EXPONENT_MAX: f64 = 20.0;

/// How many attempts a second the nodes make. A node of none does not mine.
///
/// In a simulation only their ratios matter where the pace follows them. A report counts at most 2^64 attempts of a node,
/// seven months of a million million a second: for what Bitcoin's miners make, count in units of a million million.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum HashRates {
    /// Every node the same.
    Equal {
        /// All nodes' together.
        total: f64,
    },
    /// Each its own, by their numbers.
    List(Vec<f64>),
    /// By Zipf's law: the node of number k has a part in proportion to (k + 1)^-exponent.
    Zipf {
        /// From 0, with which all have the same; with 1 the second has half of the first's.
        exponent: f64,
        /// All nodes' together.
        total: f64,
    },
    /// Drawn for each node from an exponential distribution, and scaled to the total.
    Exponential {
        /// All nodes' together.
        total: f64,
    },
    /// Each region's, shared out evenly among the nodes that lie there. A region that is left out has none.
    ByRegion(BTreeMap<String, f64>),
}

impl Default for HashRates {
    /// A million together, each the same.
    fn default() -> Self {
        Self::Equal { total: 1e6 }
    }
}

impl HashRates {
    /// The hash rate of each node of a scenario.
    pub(super) fn of_each(&self, scenario: &Scenario) -> Result<Vec<f64>, ScenarioError> {
        let nodes = scenario.nodes;
        let check_total = |total| check_range(self.place(), total, 0.0, HASH_RATE_MAX);
        let rates = match self {
            Self::Equal { total } => {
                check_total(*total)?;
                vec![total / nodes as f64; nodes]
            }
            Self::List(rates) => {
                if rates.len() != nodes {
                    let found = rates.len();
                    return Err(ScenarioError::new(self.place(), Problem::Count { found, nodes }));
                }
                for (node, rate) in rates.iter().enumerate() {
                    check_range(format!("hash_rates.list[{node}]"), *rate, 0.0, HASH_RATE_MAX)?;
                }
                rates.clone()
            }
            Self::Zipf { exponent, total } => {
                check_range("hash_rates.zipf.exponent", *exponent, 0.0, EXPONENT_MAX)?;
                check_total(*total)?;
                scaled(*total, (1..=nodes).map(|rank| libm::pow(rank as f64, -exponent)).collect())
            }
            Self::Exponential { total } => {
                check_total(*total)?;
                let key = Key::new(scenario.seed).and(Purpose::HashRate as u64);
                scaled(*total, (0..nodes).map(|node| key.and(node as u64).exponential()).collect())
            }
            Self::ByRegion(of) => by_region(of, scenario, scenario.seed)?,
        };
        let sum = sum(&rates);
        match sum <= HASH_RATE_MAX {
            true => Ok(rates),
            false => Err(ScenarioError::new(self.place(), Problem::Sum { sum, most: HASH_RATE_MAX })),
        }
    }

    /// Where in a scenario stands how much they are together.
    pub(super) fn place(&self) -> &'static str {
        match self {
            Self::Equal { .. } => "hash_rates.equal.total",
            Self::List(_) => "hash_rates.list",
            Self::Zipf { .. } => "hash_rates.zipf.total",
            Self::Exponential { .. } => "hash_rates.exponential.total",
            Self::ByRegion(_) => "hash_rates.by_region",
        }
    }
}

/// The sum, the first first.
pub(super) fn sum(rates: &[f64]) -> f64 {
    rates.iter().fold(0.0, |sum, rate| sum + rate)
}

/// Parts of a total in proportion to weights.
fn scaled(total: f64, weights: Vec<f64>) -> Vec<f64> {
    let all = sum(&weights);
    // Of a single node the exponential draw may be 0.
    weights.into_iter().map(|weight| if all > 0.0 { total * (weight / all) } else { 0.0 }).collect()
}

impl Scenario {
    /// Checks whether with another seed, too, nodes lie where hash rates are: where they lie is drawn.
    pub(in crate::experiment) fn check_with_seed(&self, seed: u64) -> Result<(), ScenarioError> {
        match &self.hash_rates {
            HashRates::ByRegion(of) => by_region(of, self, seed).map(drop),
            _ => Ok(()),
        }
    }
}

fn by_region(of: &BTreeMap<String, f64>, scenario: &Scenario, seed: u64) -> Result<Vec<f64>, ScenarioError> {
    let Some(regions) = scenario.regions.map(|table| table.regions()) else {
        return Err(ScenarioError::new("hash_rates.by_region", Problem::NoRegions));
    };
    let names: Vec<_> = regions.iter().map(|region| region.name.to_string()).collect();
    let places: Vec<_> =
        (0..scenario.nodes as u32).map(|node| regions.place_of(NodeId::new(node), seed)).collect();
    let mut rates = vec![0.0; scenario.nodes];
    for (region, &hash_rate) in of {
        let path = format!("hash_rates.by_region.{region}");
        let Some(place) = names.iter().position(|name| name == region) else {
            let problem = Problem::UnknownRegion { region: shortened(region), regions: names.join(", ") };
            return Err(ScenarioError::new(path, problem));
        };
        check_range(&*path, hash_rate, 0.0, HASH_RATE_MAX)?;
        let there = places.iter().filter(|other| **other == place).count();
        if there == 0 && hash_rate > 0.0 {
            return Err(ScenarioError::new(path, Problem::EmptyRegion { hash_rate, seed }));
        }
        for (rate, _) in rates.iter_mut().zip(&places).filter(|(_, other)| **other == place) {
            *rate = hash_rate / there as f64;
        }
    }
    Ok(rates)
}
