//! The figures of a report, and what each means.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;

use super::spread::Spread;
use crate::{
    event::IgnoreReason,
    mempool::LossReason,
    message::{MessageKind, NodeId},
    time::seconds,
    wire,
};

/// What a run showed, as plain data. Its text is a table; serde writes every figure.
///
/// A *mined* block is one that a node was seen to mine since the recording began: neither a genesis nor a block of a
/// chain that was loaded. One that is mined again, bit for bit, is still one block, and its first miner's. *The chain* is
/// the one that the report was asked for with: the best of the nodes' chains by the rules' fork choice. A share of
/// nothing is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How long the recording has gone on, what was left out as warm-up not counted.
    #[serde(rename = "duration_seconds", serialize_with = "seconds::serialize")]
    pub duration: Duration,
    /// Each node's part, in the order of their numbers.
    pub nodes: Vec<NodeReport>,
    /// The blocks mined by all nodes.
    pub mined: u64,
    /// How many of them were not carried message by message, as it was known how the blocks of their miners come to all
    /// nodes: see [`Simulation::set_replays`](crate::Simulation::set_replays). No other figure depends on it.
    pub replayed: u64,
    /// The mined blocks that are in the chain.
    pub in_chain: u64,
    /// The mined blocks that are not in the chain: those whose branch lost, and those that have yet to win.
    pub stale: u64,
    /// `stale / mined`, from 0 to 1.
    pub stale_rate: f64,
    /// The stale blocks by their numbers: the first that was mined is 1.
    pub stale_blocks: Vec<u64>,
    /// The times from a block in the chain to the next, from being mined to being mined: of n that follow each other,
    /// n - 1. Times are differences of the miners' own clocks; one that would be negative is 0.
    pub block_intervals: Spread,
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
    /// What came of double spends.
    pub double_spends: DoubleSpends,
    /// How long the mined blocks were under way.
    pub propagation: Propagation,
    /// What became of the messages.
    pub messages: Messages,
}

impl Report {
    /// Returns which share of the last `count` mined blocks are stale, from 0 to 1; of all, if there are fewer.
    ///
    /// Those mined last may yet win or lose: see [`Report::stale`].
    pub fn stale_rate_of_last(&self, count: u64) -> f64 {
        let before = self.mined.saturating_sub(count);
        let stale = self.stale_blocks.len() - self.stale_blocks.partition_point(|number| *number <= before);
        share(stale as f64, (self.mined - before) as f64)
    }
}

/// What came of the double spends of [`Strategy::DoubleSpend`](crate::strategy::Strategy::DoubleSpend), those under way
/// left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DoubleSpends {
    /// How many have ended.
    pub tried: u64,
    /// How many payments were taken back.
    pub won: u64,
    /// The blocks that were mined for them in vain.
    pub stale: u64,
    /// The coins lost: the rewards of those blocks, and the payments that stand.
    pub cost: u64,
}

impl DoubleSpends {
    pub(super) fn count(&mut self, won: bool, stale: u64, cost: u64) {
        self.tried += 1;
        self.won += u64::from(won);
        self.stale += stale;
        self.cost = self.cost.saturating_add(cost);
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Propagation {
    /// How many pairs there are of a block and a node other than its miner that counts for it, whether it has it or not.
    pub pairs: u64,
    /// Over all pairs of a block and a node other than its miner that has it: the time until that node had it.
    pub to_each: Spread,
    /// Over all blocks that half of the nodes have, rounded up and the miner counted: the time until they had it.
    pub to_half: Spread,
    /// Over all blocks that 90 % of the nodes have, rounded up and the miner counted: the time until they had it.
    pub to_90_percent: Spread,
    /// Over all blocks that all nodes have: the time until they had it. A network of one has its blocks at once.
    pub to_all: Spread,
}

impl Propagation {
    /// Returns the share of the nodes that have a block against the time since it was mined, over all blocks, their
    /// miners not counted: at the end of each [bin](Spread::bins) of `to_each` the share that had it by then.
    ///
    /// It never falls, and ends below 1 if some node lacks some block.
    pub fn curve(&self) -> Vec<(Duration, f64)> {
        let so_far = self.to_each.bins.iter().scan(0, |sum, bin| {
            *sum += bin.count;
            Some((bin.to, *sum))
        });
        so_far.map(|(time, count)| (time, share(count as f64, self.pairs as f64))).collect()
    }
}

/// What became of the messages between nodes, as their driver counts them.
///
/// Sent are as many as were delivered, dropped, missed and lost together, and those under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Messages {
    /// Those that a node sent to one other; what goes to all peers counts once for each.
    pub sent: u64,
    /// The sent ones by what they are about, and their bytes.
    pub kinds: BTreeMap<MessageKind, Volume>,
    /// Those that came into their receiver's inbox.
    pub delivered: u64,
    /// Those that were dropped because too many of the sender's, or too long ones, were under way to the receiver or unread
    /// there.
    pub dropped: u64,
    /// Those whose receiver was down when they arrived.
    pub missed: u64,
    /// Those lost on their link, by the reason.
    pub lost: BTreeMap<wire::MessageLoss, u64>,
}

/// How much was sent, whatever became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Volume {
    /// The number of messages.
    pub messages: u64,
    /// Their bytes, by [`Message::size`](crate::Message::size).
    pub bytes: u64,
}

impl Messages {
    /// What became of them after a moment at which these had been counted: what arrived since may have been sent before.
    pub(super) fn since(mut self, before: &Self) -> Self {
        self.sent = self.sent.saturating_sub(before.sent);
        for (kind, Volume { messages, bytes }) in &before.kinds {
            if let Some(volume) = self.kinds.get_mut(kind) {
                volume.messages = volume.messages.saturating_sub(*messages);
                volume.bytes = volume.bytes.saturating_sub(*bytes);
            }
        }
        self.kinds.retain(|_, volume| volume.messages > 0);
        self.delivered = self.delivered.saturating_sub(before.delivered);
        self.dropped = self.dropped.saturating_sub(before.dropped);
        self.missed = self.missed.saturating_sub(before.missed);
        for (cause, lost) in &before.lost {
            if let Some(count) = self.lost.get_mut(cause) {
                *count = count.saturating_sub(*lost);
            }
        }
        self.lost.retain(|_, count| *count > 0);
        self
    }
}

pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
