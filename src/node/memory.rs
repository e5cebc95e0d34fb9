//! What a node remembers of what it was told: side branches, orphans, blocks of the future, questions, and bad blocks.
//!
//! All of it is bounded, and so that one peer's junk pushes out nobody else's.

use std::collections::{BTreeMap, VecDeque};

use super::{machine::Limits, questions::Questions};
use crate::{
    blockchain::Blockchain,
    hash::BlockHash,
    message::{NodeId, Told},
    time::Time,
};

/// What a node remembers of others' blocks, and of who knows its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Gossip {
    /// Tips beside the node's own chain, the oldest first.
    pub(super) side_branches: VecDeque<Branch>,
    /// Blocks whose parent is not known, the oldest first.
    pub(super) orphans: VecDeque<Orphan>,
    /// Whether blocks have become known since the orphans were looked through.
    pub(super) has_news: bool,
    /// Verified chains whose time has not come, the soonest first.
    pub(super) early: Vec<(Time, NodeId, Blockchain)>,
    /// Who was asked for missing blocks, and who may be.
    pub(super) questions: Questions,
    /// The peers that are not known to have the tip.
    pub(super) unconfirmed: Vec<NodeId>,
    /// When they are told of it again, and how many times they were.
    pub(super) announce_at: Option<Time>,
    pub(super) announced: u32,
    /// The bad blocks of each sender.
    bad_blocks: BTreeMap<NodeId, u32>,
    pub(super) banned: Vec<NodeId>,
}

/// A chain beside the node's own.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// Whose it counts as: who sent it, or the node itself, if it was its own.
    pub(super) from: NodeId,
    pub(super) chain: Blockchain,
}

#[derive(Debug, Clone)]
pub(super) struct Orphan {
    pub(super) from: NodeId,
    pub(super) hash: BlockHash,
    pub(super) told: Told,
}

impl Gossip {
    pub(super) fn deadline(&self) -> Option<Time> {
        let early = self.early.first().map(|(until, ..)| *until);
        [early, self.announce_at, self.questions.deadline()].into_iter().flatten().min()
    }

    pub(super) fn is_banned(&self, peer: NodeId) -> bool {
        self.banned.contains(&peer)
    }

    /// Counts a bad block; tells whether it was the one too many.
    pub(super) fn count_bad_block(&mut self, from: NodeId, most: u32) -> bool {
        let count = self.bad_blocks.entry(from).or_insert(0);
        *count = count.saturating_add(1);
        let is_one_too_many = *count >= most && !self.banned.contains(&from);
        if is_one_too_many {
            self.banned.push(from);
            self.orphans.retain(|orphan| orphan.from != from);
            self.questions.forget(from);
        }
        is_one_too_many
    }

    /// Notes that a peer has the tip; tells whether that is news.
    pub(super) fn confirm(&mut self, peer: NodeId) -> bool {
        let before = self.unconfirmed.len();
        self.unconfirmed.retain(|unconfirmed| *unconfirmed != peer);
        if self.unconfirmed.is_empty() {
            self.announce_at = None;
        }
        self.unconfirmed.len() < before
    }

    pub(super) fn keep_orphan(&mut self, orphan: Orphan, limits: &Limits) {
        if self.orphans.iter().any(|kept| (kept.hash, kept.from) == (orphan.hash, orphan.from)) {
            return;
        }
        self.orphans.push_back(orphan);
        if self.orphans.len() > limits.orphans {
            self.orphans.remove(first_to_leave(self.orphans.iter().map(|orphan| orphan.from)));
        }
    }

    /// Keeps a chain whose time has not come. If there are too many, the one whose time is farthest off leaves; tells
    /// whether it is kept.
    pub(super) fn keep_early(
        &mut self,
        until: Time,
        from: NodeId,
        chain: Blockchain,
        limits: &Limits,
    ) -> bool {
        if self.early.iter().any(|(.., waiting)| *waiting == chain) {
            return false;
        }
        let at = self.early.partition_point(|(other, ..)| *other <= until);
        self.early.insert(at, (until, from, chain));
        self.early.truncate(limits.orphans);
        at < self.early.len()
    }

    pub(super) fn keep_side_branch(&mut self, from: NodeId, chain: Blockchain, limits: &Limits) {
        self.has_news = true;
        // A longer branch takes the place of its own beginning, and counts as that did: whoever goes on with another's
        // must not take it along when its own leave.
        let beginning = self.side_branches.iter().find(|branch| branch.chain.is_start_of(&chain));
        let from = beginning.map_or(from, |branch| branch.from);
        self.side_branches.retain(|branch| !branch.chain.is_start_of(&chain));
        self.side_branches.push_back(Branch { from, chain });
        if self.side_branches.len() > limits.side_branches {
            self.side_branches.remove(first_to_leave(self.side_branches.iter().map(|branch| branch.from)));
        }
    }
}

/// Tells what leaves where there is too much, told from the oldest on: the oldest of whoever has the most. So a flood
/// from one sender pushes out only its own.
fn first_to_leave(senders: impl Iterator<Item = NodeId> + Clone) -> usize {
    let mut counts = BTreeMap::new();
    for sender in senders.clone() {
        *counts.entry(sender).or_insert(0) += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    senders.map(|sender| counts[&sender]).position(|count| count == most).unwrap_or(0)
}
