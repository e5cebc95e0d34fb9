//! Scenarios: an experiment as plain data.

mod act;
mod attackers;
mod change;
mod error;
mod hash_rates;
mod node_ref;
mod parts;
mod prepared;
mod run;
mod threads;
mod timeline;
mod topology;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    rules::Rules,
    wire::{BlockCost, Link, Topology},
};

pub use change::{Change, Fault};
pub(super) use error::place;
pub use error::{Problem, ScenarioError};
pub use hash_rates::HashRates;
pub use node_ref::NodeRef;
pub use parts::{Pace, Payment, RegionTable, Stop, StrategyOf, TieBreakOf};

/// Up to how many nodes all are joined to each other, where no topology is stated.
const COMPLETE_NODES_MAX: usize = 50;
/// How many others each node chooses where there are more, as Bitcoin's nodes do.
const LINKS: usize = 8;

/// An experiment as plain data: a network, what happens to it, and when to stop.
///
/// It reads and writes JSON. What a document leaves out is as in the default scenario; what it misspells is an error, as
/// is what cannot be, and each error names the path of the field and the value.
///
/// ```
/// use chainlab::experiment::Scenario;
///
/// let scenario = Scenario::from_json(r#"{
///     "nodes": 3,
///     "link": {"latency": {"fixed": {"seconds": 2}}},
///     "faults": [{"at_seconds": 86400, "kind": "crash", "nodes": [2]}],
///     "stop": {"blocks": 200}
/// }"#)?;
/// let report = scenario.run()?;
/// assert_eq!((report.mined, report.crashes), (200, 1));
///
/// let error = Scenario::from_json(r#"{"faults": [{"at_seconds": 1, "kind": "crash", "nodes": [12]}]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "faults[0].nodes[0]: node 12 is not there: there are 10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// All times are counted from the start. A node's address, where its rewards go and from which it pays, is its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// The rules; by default Bitcoin's. Without relay, as under the notebook's, each node mines for itself.
    pub rules: Rules,
    /// How hard it is to find a block at the start; by default in balance with the hash rates.
    pub pace: Pace,
    /// How many nodes there are at the start, from 1 to 1,000,000; by default 10.
    pub nodes: usize,
    /// The names of the first nodes; by default of none. The others are `node-3` and so on, by their numbers.
    pub names: Vec<String>,
    /// How the hash rates are shared out; by default a million a second, evenly.
    pub hash_rates: HashRates,
    /// Which nodes are joined. Where it is left out, all of up to 50 nodes are joined to each other, and each of more
    /// chooses 8 others.
    pub topology: Option<Topology>,
    /// What every link is like; by default perfect: nothing takes time, and nothing is lost.
    pub link: Link,
    /// Where nodes lie: their links then have the latency between their regions, and they their regions' bandwidth. The six
    /// of `2019`, whose latencies are the means, or those of `2019_drawn`, where each message's is drawn around them. By
    /// default they lie nowhere.
    pub regions: Option<RegionTable>,
    /// What blocks take on the wire, and how long their receivers look at them; by default their own bytes, and no time.
    pub block_cost: BlockCost,
    /// What miners show and when; the others are honest.
    pub strategies: Vec<StrategyOf>,
    /// Which of two equally good branches nodes take; the others take the first that they saw.
    pub tie_breaks: Vec<TieBreakOf>,
    /// Who pays whom, and how often; by default nobody.
    pub transactions: Vec<Payment>,
    /// What changes, and when; by default nothing. What changes at the same time does so in the order in which it stands
    /// here.
    pub faults: Vec<Fault>,
    /// After how many blocks a block is final and is let go of, at least 1; by default none is. A long run then takes
    /// memory for its nodes, and not some 400 bytes for each block. Those blocks can no longer be looked at, so that
    /// the intervals by batches are missing that are read off the chain; the report is the same, unless a fork is
    /// deeper or a node farther behind. A simulation alone can do it: see
    /// [`Simulation::set_finality`](crate::Simulation::set_finality).
    pub finality: Option<u64>,
    /// When the run ends; by default after 1000 blocks.
    pub stop: Stop,
    /// How long the network runs before anything is counted; by default everything is.
    #[serde(rename = "warm_up_seconds", with = "crate::time::seconds")]
    pub warm_up: Duration,
    /// What all draws follow from; by default 1.
    pub seed: u64,
}

impl Default for Scenario {
    /// Ten nodes under Bitcoin's rules, all joined by perfect links, until 1000 blocks are mined.
    fn default() -> Self {
        Self {
            rules: Rules::bitcoin(),
            pace: Pace::default(),
            nodes: 10,
            names: Vec::new(),
            hash_rates: HashRates::default(),
            topology: None,
            link: Link::default(),
            regions: None,
            block_cost: BlockCost::default(),
            strategies: Vec::new(),
            tie_breaks: Vec::new(),
            transactions: Vec::new(),
            faults: Vec::new(),
            finality: None,
            stop: Stop::after_blocks(1000),
            warm_up: Duration::ZERO,
            seed: 1,
        }
    }
}

impl Scenario {
    /// Reads a scenario from JSON and checks it.
    ///
    /// # Errors
    ///
    /// The path of what is misspelt, missing or cannot be, and why.
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let error = Scenario::from_json(r#"{"link": {"loss": 1.5}}"#).unwrap_err();
    /// assert!(error.to_string().starts_with("link.loss: the loss is 1.5, not a probability from 0 to 1"));
    /// ```
    pub fn from_json(json: &str) -> Result<Self, ScenarioError> {
        check_not_a_list(json.trim_start().starts_with('['))?;
        let mut reader = serde_json::Deserializer::from_str(json);
        let scenario: Self = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| refused(error, |at| fault(&serde_json::from_str(json).ok()?, at)))?;
        reader.end().map_err(|error| ScenarioError::new(".", Problem::Document(error.to_string())))?;
        scenario.checked()
    }

    /// Reads a scenario from a JSON value and checks it.
    ///
    /// # Errors
    ///
    /// As [`Scenario::from_json`].
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// assert_eq!(Scenario::from_value(serde_json::json!({"nodes": 7}))?.nodes, 7);
    /// # Ok::<(), chainlab::experiment::ScenarioError>(())
    /// ```
    pub fn from_value(value: Value) -> Result<Self, ScenarioError> {
        check_not_a_list(value.is_array())?;
        let scenario: Self = serde_path_to_error::deserialize(&value)
            .map_err(|error| refused(error, |at| fault(&value, at)))?;
        scenario.checked()
    }

    /// Writes the scenario as JSON, every default filled in: what is equal is written equally.
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let scenario = Scenario::from_json("{}")?;
    /// let json = scenario.to_json();
    /// assert!(json.contains(r#""topology": "complete""#));
    /// assert_eq!(Scenario::from_json(&json)?, scenario);
    /// # Ok::<(), chainlab::experiment::ScenarioError>(())
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.filled_in()).expect("a scenario has string keys")
    }

    /// Returns the scenario as a JSON value, every default filled in.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self.filled_in()).expect("a scenario has string keys")
    }

    /// Checks what no field can tell alone. Whoever runs a scenario does so too.
    ///
    /// # Errors
    ///
    /// The path of what cannot be, and why.
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let mut scenario = Scenario::default();
    /// scenario.nodes = 0;
    /// assert_eq!(scenario.check().unwrap_err().to_string(), "nodes: 0 is not from 1 to 1000000");
    /// ```
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.prepare().map(drop)
    }

    fn checked(self) -> Result<Self, ScenarioError> {
        self.check()?;
        Ok(self.filled_in())
    }

    fn filled_in(&self) -> Self {
        Self { topology: Some(self.topology()), ..self.clone() }
    }

    /// The topology, stated or not.
    fn topology(&self) -> Topology {
        self.topology.clone().unwrap_or(match self.nodes <= COMPLETE_NODES_MAX {
            true => Topology::Complete,
            false => Topology::Random { links: LINKS },
        })
    }
}

/// What is wrong with a document that cannot be read. That a field is not its fault's kind's is seen when the whole
/// fault is read, so that its place is found anew.
fn refused(
    error: serde_path_to_error::Error<serde_json::Error>,
    fault: impl FnOnce(usize) -> Option<Value>,
) -> ScenarioError {
    let ScenarioError { path, problem } = error.into();
    let number = path.strip_prefix("faults[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    let stray = number.and_then(|number| change::stray_field(&fault(number)?, &problem.to_string()));
    match stray {
        Some(field) => ScenarioError { path: format!("{path}.{field}"), problem },
        None => ScenarioError { path, problem },
    }
}

/// The document of a fault.
fn fault(scenario: &Value, number: usize) -> Option<Value> {
    scenario.get("faults")?.get(number).cloned()
}

/// Refuses a list, whose values serde would take for the fields in their order.
fn check_not_a_list(is_list: bool) -> Result<(), ScenarioError> {
    let message = || "a scenario is an object of fields, not a list".to_owned();
    if is_list { Err(ScenarioError::new(".", Problem::Document(message()))) } else { Ok(()) }
}
