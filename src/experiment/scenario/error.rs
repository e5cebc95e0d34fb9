//! What is wrong with a scenario, and where.

use thiserror::Error;

use super::NodeRef;
use crate::{
    blockchain::MineError,
    rules::{RetargetError, RulesError, Violation},
    text::shortened_sentence,
    verbs::{CallError, JoinError, NodeError, PartitionFault, RegisterError, RestartError, SpawnError},
    wire::TopologyError,
};

/// A scenario that cannot be, or cannot be carried out.
#[derive(Debug, Error)]
#[error("{path}: {problem}")]
pub struct ScenarioError {
    /// Where in the scenario: `faults[2].nodes[0]`; `.` for the whole.
    pub path: String,
    /// What is wrong there.
    pub problem: Box<Problem>,
}

impl ScenarioError {
    pub(super) fn new(path: impl Into<String>, problem: impl Into<Problem>) -> Self {
        Self { path: cut(path.into()), problem: Box::new(problem.into()) }
    }
}

impl From<serde_path_to_error::Error<serde_json::Error>> for ScenarioError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let problem = shortened_sentence(error.inner().to_string());
        Self::new(place(error.path()), Problem::Document(problem))
    }
}

/// The most characters of a path that an error carries.
const PATH_CHARS: usize = 200;

/// Returns where in a document something is wrong.
pub(in crate::experiment) fn place(path: &serde_path_to_error::Path) -> String {
    match path.to_string() {
        // A field's name may be empty; where the text ends too early, the path ends with what it does not know.
        path if path.is_empty() || path == "?" => ".".into(),
        path => cut(path),
    }
}

/// Cuts a path, which may hold a name of the document's own, of any length.
fn cut(path: String) -> String {
    path.chars().take(PATH_CHARS).collect()
}

/// What can be wrong with a scenario.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The document is no JSON, or a field is misspelt, missing or of another kind.
    #[error("{0}")]
    Document(String),
    /// A number lies outside of its range.
    #[error("{found} is not from {least} to {most}")]
    Range {
        /// The number.
        found: f64,
        /// The least that it can be.
        least: f64,
        /// The most that it can be.
        most: f64,
    },
    /// There is no such node, or not yet.
    #[error("{node} is not there: there are {nodes}")]
    UnknownNode {
        /// The node.
        node: NodeRef,
        /// How many nodes there are at that time.
        nodes: usize,
    },
    /// A node is named twice where it can be only once.
    #[error("{node} is named twice")]
    Twice {
        /// The node.
        node: NodeRef,
    },
    /// Nodes are not named a second time: all that are left have been meant already.
    #[error("`nodes` is left out a second time: there are no others left")]
    OthersTwice,
    /// There are not as many values as nodes.
    #[error("{found} values for {nodes} nodes")]
    Count {
        /// How many values there are.
        found: usize,
        /// How many there must be, or may be.
        nodes: usize,
    },
    /// All hash rates together are more than can be counted.
    #[error("the hash rates are {sum} together: at most {most}")]
    Sum {
        /// Their sum.
        sum: f64,
        /// The most that it can be.
        most: f64,
    },
    /// A block would take less than an attempt.
    #[error(
        "{hashes_per_second} hashes a second make {hashes} in the {seconds} s of a block: it takes 1 at least"
    )]
    Pace {
        /// The sum of the hash rates.
        hashes_per_second: f64,
        /// The time wanted for a block.
        seconds: f64,
        /// What is tried in that time.
        hashes: f64,
    },
    /// Hash rates are shared out by regions, and nodes lie in none.
    #[error("nodes lie in no regions: `regions` is not stated")]
    NoRegions,
    /// There is no such region.
    #[error("there is no region {region:?}: there are {regions}")]
    UnknownRegion {
        /// What was given, its first 80 characters.
        region: String,
        /// The names of those that there are.
        regions: String,
    },
    /// A region has a hash rate but no node.
    #[error("{hash_rate} hashes a second are nobody's: no node lies there with the seed {seed}")]
    EmptyRegion {
        /// The region's hash rate.
        hash_rate: f64,
        /// The seed by which it is drawn where nodes lie.
        seed: u64,
    },
    /// The nodes would have too many links.
    #[error("{nodes} nodes would have {links} links: at most {most}")]
    Links {
        /// How many nodes there are.
        nodes: usize,
        /// How many links they would have.
        links: u128,
        /// The most that there can be.
        most: u128,
    },
    /// A node would choose more others than there are.
    #[error("{links} links a node: there are only {nodes} nodes")]
    MoreLinksThanNodes {
        /// How many others a node would choose.
        links: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// A ring of two neighbours a node is to be rewired.
    #[error("a ring of {nodes} nodes falls apart when it is rewired: it takes 4 neighbours a node")]
    FallsApart {
        /// How many nodes there are.
        nodes: usize,
    },
    /// An address is no node's.
    #[error("{address:?} is no node's address")]
    UnknownAddress {
        /// The address, its first 80 characters.
        address: String,
    },
    /// A node pays itself, or is joined to itself.
    #[error("{node} is both ends")]
    Itself {
        /// The node.
        node: NodeRef,
    },
    /// A node is its own victim, or the merchant that it pays.
    #[error("{node} would attack itself")]
    AttacksItself {
        /// The node.
        node: NodeRef,
    },
    /// A payment is to be spent twice where nobody has coins.
    #[error("the rules keep no accounts, so that there is nothing to spend twice")]
    NoAccounts,
    /// A network of threads is to let go of final blocks.
    #[error("a network of threads keeps all of its blocks: leave it out")]
    KeepsAll,
    /// A node that is down crashes, or is to mine or to join another.
    #[error("{node} is down at {seconds} s")]
    Down {
        /// The node.
        node: NodeRef,
        /// The time of the change.
        seconds: f64,
    },
    /// A node that is not down is restarted.
    #[error("{node} is not down at {seconds} s")]
    NotDown {
        /// The node.
        node: NodeRef,
        /// The time of the change.
        seconds: f64,
    },
    /// There is no partition to heal.
    #[error("there is no partition at {seconds} s")]
    NotPartitioned {
        /// The time of the change.
        seconds: f64,
    },
    /// Nothing says when to stop.
    #[error("states none of `seconds`, `blocks` and `position`: the run would never end")]
    NoStop,
    /// The run may never end.
    #[error("nobody mines after {seconds} s: state `seconds`, or the run may never end")]
    NobodyMines {
        /// When the last change has happened.
        seconds: f64,
    },
    /// The run ends before anything is counted.
    #[error("{seconds} s is not after the warm-up of {warm_up_seconds} s")]
    StopsInWarmUp {
        /// When the run ends.
        seconds: f64,
        /// When the warm-up does.
        warm_up_seconds: f64,
    },
    /// The name of a node cannot be an address.
    #[error("{name:?} cannot be a node's address: {violation}")]
    Address {
        /// The name, its first 80 characters.
        name: String,
        /// What a block with a reward for it would do wrong.
        violation: Box<Violation>,
    },
    /// The name of a node is that of the sender of rewards, or none.
    #[error("{name:?} cannot be a node's name and address")]
    Name {
        /// The name, its first 80 characters.
        name: String,
    },
    /// Rules that cannot be kept together.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A difficulty that cannot follow the hash rates so.
    #[error(transparent)]
    Retarget(#[from] RetargetError),
    /// A topology that cannot be, or not among so many nodes.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// A node could not be started.
    #[error(transparent)]
    Spawn(Box<SpawnError>),
    /// Nodes could not be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A node could not be asked.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node could not be joined to another.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A node could not be restarted.
    #[error(transparent)]
    Restart(#[from] RestartError),
    /// The network could not be partitioned.
    #[error(transparent)]
    Partition(#[from] PartitionFault),
    /// A node does not mine.
    #[error(transparent)]
    Mine(#[from] CallError<MineError>),
}

impl From<SpawnError> for Problem {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(Box::new(error))
    }
}
