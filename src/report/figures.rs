//! The figures of a report, and what each means.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{event::IgnoreReason, mempool::LossReason, message::NodeId, wire};

/// What a run showed, as plain data. Its text is a table; serde writes every figure.
///
/// A *mined* block is one that a node was seen to mine since the recording began: neither a genesis nor a block of a
/// chain that was loaded. One that is mined again, bit for bit, is still one block, and its first miner's. *The chain* is
/// the one that the report was asked for with: the best of the nodes' chains by the rules' fork choice. A share of
/// nothing is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How long the recording has gone on.
    pub duration: Duration,
    /// Each node's part, in the order of their numbers.
    pub nodes: Vec<NodeReport>,
    /// The blocks mined by all nodes.
    pub mined: u64,
    /// The mined blocks that are in the chain.
    pub in_chain: u64,
    /// The mined blocks that are not in the chain: those whose branch lost, and those that have yet to win.
    pub stale: u64,
    /// `stale / mined`, from 0 to 1.
    pub stale_rate: f64,
    /// How often a node gave up blocks of its own chain, by how many it gave up. Every node counts for itself, so that
    /// a fork which three nodes leave is counted three times.
    pub reorganisations: BTreeMap<u64, u64>,
    /// How often a node dropped a block or a chain that breaks a rule, by
    /// [`Violation::name`](crate::Violation::name).
    pub rejections: BTreeMap<&'static str, u64>,
    /// How often a node dropped a document that does not parse.
    pub rejected_documents: u64,
    /// How often a node dropped a message that it had no use for, by the reason.
    pub ignored: BTreeMap<IgnoreReason, u64>,
    /// How often a node ceased to listen to a peer.
    pub banned: u64,
    /// How many pending transactions left a node without having been mined, by the reason. Every node counts for
    /// itself: one that was lost here may be pending, or in the chain, elsewhere.
    pub transactions_lost: BTreeMap<LossReason, u64>,
    /// How often a node crashed.
    pub crashes: u64,
    /// How often a node came back from a crash.
    pub restarts: u64,
    /// How often a node panicked.
    pub panics: u64,
    /// How long the mined blocks were under way.
    pub propagation: Propagation,
    /// What became of the messages.
    pub messages: Messages,
}

/// A node's part in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeReport {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: Arc<str>,
    /// The blocks that it mined.
    pub mined: u64,
    /// The blocks that it mined and that are in the chain.
    pub in_chain: u64,
    /// `in_chain` over that of all nodes, from 0 to 1: its share of what the run added to the chain.
    pub chain_share: f64,
    /// The attempts at proofs that it made, as its driver counts them.
    pub attempts: u64,
    /// `attempts` over those of all nodes, from 0 to 1: its share of the hash rate.
    pub attempts_share: f64,
}

/// How long the mined blocks were under way, stale ones too, from being mined to being taken on as the tip.
///
/// A node has a block from the moment when it first takes it on, as its tip or below its tip: whoever catches up by
/// several blocks has them all at that moment. A block that arrives but does not win, as when a tie keeps a node's own, is
/// not taken on, and counts only when its branch wins. A node counts for the blocks mined since it joined.
///
/// Times are differences of the nodes' own clocks; one that would be negative is 0. Blocks are followed until every node
/// has them, but no more than the latest 4096 that some node lacks, which bounds the memory: what takes on an older one
/// is not counted. Behind a block that nobody was seen to mine, as a liar's, those before it are not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Propagation {
    /// Over all pairs of a block and a node other than its miner that has it: the time until that node had it.
    pub to_each: Spread,
    /// Over all blocks that half of the nodes have, rounded up and the miner counted: the time until they had it.
    pub to_half: Spread,
    /// Over all blocks that 90 % of the nodes have, rounded up and the miner counted: the time until they had it.
    pub to_90_percent: Spread,
    /// Over all blocks that all nodes have: the time until they had it. A network of one has its blocks at once.
    pub to_all: Spread,
}

/// How a number of durations are spread; all 0 if there are none.
///
/// A percentile is the smallest of the durations that so many per cent of them do not exceed (the nearest rank), too long
/// by at most one part in a thousand, and told up to 146 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The 50th percentile.
    pub median: Duration,
    /// The 90th percentile.
    pub percentile_90: Duration,
    /// The longest.
    pub max: Duration,
}

/// What became of the messages between nodes, as their driver counts them.
///
/// Sent are as many as were delivered, dropped, missed and lost together, and those under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Messages {
    /// Those that a node sent to one other; what goes to all peers counts once for each.
    pub sent: u64,
    /// Those that came into their receiver's inbox.
    pub delivered: u64,
    /// Those that were dropped because too many of the sender's were under way to the receiver, or unread there.
    pub dropped: u64,
    /// Those whose receiver was down when they arrived.
    pub missed: u64,
    /// Those lost on their link, by the reason.
    pub lost: BTreeMap<wire::MessageLoss, u64>,
}
