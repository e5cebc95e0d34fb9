//! What a node remembers of what it was told: side branches, orphans, blocks of the future, questions, and bad blocks.
//!
//! All of it is bounded, and so that one peer's junk pushes out nobody else's.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Limits,
    kept::{Kept, Sent},
    questions::Questions,
    reading::Reading,
};
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
    pub(super) side_branches: Kept<Branch>,
    /// Blocks whose parent is not known, the oldest first.
    pub(super) orphans: Kept<Orphan>,
    /// Whether blocks have become known since the orphans were looked through to the end.
    pub(super) has_news: bool,
    /// The soonest first.
    pub(super) early: Kept<Early>,
    /// The answers that are unfinished, the oldest first.
    pub(super) readings: VecDeque<Reading>,
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
    /// The chain's, kept here so that most need not be looked at.
    pub(super) len: u64,
    /// What its blocks that were not the node's own take as canonical JSON, when it was kept; nothing if it was its own.
    pub(super) bytes: u64,
    pub(super) chain: Blockchain,
}

/// A block whose parent is not known.
#[derive(Debug, Clone)]
pub(super) struct Orphan {
    pub(super) from: NodeId,
    pub(super) hash: BlockHash,
    /// The parent's position, as the block claims.
    pub(super) parent: u64,
    /// What the block takes as canonical JSON.
    pub(super) bytes: u64,
    pub(super) told: Told,
    /// Whether the link to its sender has come up since, who may have lost it.
    pub(super) is_doubtful: bool,
}

/// A verified chain whose time has not come.
#[derive(Debug, Clone)]
pub(super) struct Early {
    pub(super) until: Time,
    pub(super) from: NodeId,
    pub(super) chain: Blockchain,
    /// What its new blocks take as canonical JSON.
    pub(super) bytes: u64,
    /// Whether the link to its sender has come up since, who may have lost it.
    pub(super) is_doubtful: bool,
}

impl Sent for Branch {
    fn sent(&self) -> (NodeId, u64) {
        (self.from, self.bytes)
    }
}

impl Sent for Orphan {
    fn sent(&self) -> (NodeId, u64) {
        (self.from, self.bytes)
    }
}

impl Sent for Early {
    fn sent(&self) -> (NodeId, u64) {
        (self.from, self.bytes)
    }
}

impl Gossip {
    pub(super) fn deadline(&self, now: Time) -> Option<Time> {
        let early = self.early.front().map(|early| early.until);
        // What is left of the orphans and of answers goes on at once.
        let goes_on = (self.has_news || !self.readings.is_empty()).then_some(now);
        [early, self.announce_at, goes_on].into_iter().flatten().min()
    }

    /// Tells whether no block waits for another, and nobody is banned.
    pub(super) fn is_quiet(&self) -> bool {
        self.orphans.is_empty() && self.banned.is_empty()
    }

    /// The blocks of the longest side branch.
    pub(super) fn longest_branch(&self) -> u64 {
        self.side_branches.iter().map(|branch| branch.len).max().unwrap_or(0)
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
            self.readings.retain(|reading| reading.from != from);
            self.questions.forget(from);
        }
        is_one_too_many
    }

    /// Notes that a peer has the tip; tells whether that is news.
    pub(super) fn confirm(&mut self, peer: NodeId) -> bool {
        let before = self.unconfirmed.len();
        self.unconfirmed.retain(|unconfirmed| *unconfirmed != peer);
        if self.unconfirmed.is_empty() {
            (self.announce_at, self.announced) = (None, 0);
        }
        self.unconfirmed.len() < before
    }

    /// Notes that a peer has the tip, if it is one of several that are not known to have it; tells whether it is.
    pub(super) fn confirm_but_the_last(&mut self, peer: NodeId) -> bool {
        let place = self.unconfirmed.iter().position(|unconfirmed| *unconfirmed == peer);
        match place {
            Some(place) if self.unconfirmed.len() > 1 => {
                self.unconfirmed.remove(place);
                true
            }
            _ => false,
        }
    }

    /// Notes that a peer may have lost what it has told of.
    pub(super) fn doubt(&mut self, peer: NodeId) {
        let orphans = self.orphans.iter_mut().filter(|orphan| orphan.from == peer);
        orphans.for_each(|orphan| orphan.is_doubtful = true);
        let early = self.early.iter_mut().filter(|early| early.from == peer);
        early.for_each(|early| early.is_doubtful = true);
    }

    pub(super) fn keep_orphan(&mut self, orphan: Orphan, limits: &Limits) {
        if self.orphans.iter().any(|kept| (kept.hash, kept.from) == (orphan.hash, orphan.from)) {
            return;
        }
        keep(orphan, &mut self.orphans, (limits.orphans, limits.kept_bytes));
    }

    /// Keeps a chain whose time has not come. If there is too much, of whoever has the most the one whose time is farthest
    /// off leaves; tells whether it is kept.
    pub(super) fn keep_early(&mut self, early: Early, limits: &Limits) -> bool {
        if self.early.iter().any(|waiting| waiting.chain == early.chain) {
            return false;
        }
        let (from, chain) = (early.from, early.chain.clone());
        let at = self.early.partition_point(|waiting| waiting.until <= early.until);
        self.early.insert(at, early);
        while self.early.bytes_from(from) > limits.kept_bytes {
            let farthest = self.early.iter().rposition(|waiting| waiting.from == from);
            self.early.remove(farthest.expect("something of its own takes the bytes"));
        }
        if self.early.len() > limits.orphans {
            let leaves = self.early.iter().rposition(self.early.is_of_most());
            self.early.remove(leaves.expect("somebody has sent the most"));
        }
        self.early.iter().any(|waiting| waiting.chain == chain)
    }

    /// Tells whether a side branch more, of so many bytes, stays, and has none of the others leave for its bytes.
    pub(super) fn has_room_beside(&self, bytes: u64, limits: &Limits) -> bool {
        limits.side_branches > 0 && self.side_branches.bytes().saturating_add(bytes) <= limits.kept_bytes
    }

    /// Keeps a chain beside the node's own.
    pub(super) fn keep_side_branch(&mut self, branch: Branch, limits: &Limits) {
        self.has_news = true;
        keep(branch, &mut self.side_branches, (limits.side_branches, limits.kept_bytes));
    }

    /// Takes out the beginnings of a chain that go beyond a position, and returns whose the first counts as, if there is one.
    pub(super) fn take_beginnings(&mut self, chain: &Blockchain, after: u64) -> Option<NodeId> {
        let is_beginning = |branch: &Branch| {
            after < branch.len && branch.len <= chain.len() && branch.chain.is_start_of(chain)
        };
        let first = self.side_branches.iter().find(|branch| is_beginning(branch))?.from;
        self.side_branches.retain(|branch| !is_beginning(branch));
        Some(first)
    }
}

/// Keeps something as the latest. If its sender's take too many bytes then, the oldest of these leave; and if there are too
/// many of all, the oldest of whoever has sent the most.
fn keep<T: Sent>(item: T, kept: &mut Kept<T>, (most, most_bytes): (usize, u64)) {
    let (from, _) = item.sent();
    let mut excess = kept.push(item).saturating_sub(most_bytes);
    if excess > 0 {
        kept.retain(|item| {
            let (sender, bytes) = item.sent();
            let leaves = excess > 0 && sender == from;
            if leaves {
                excess = excess.saturating_sub(bytes);
            }
            !leaves
        });
    }
    if kept.len() > most {
        let leaves = kept.iter().position(kept.is_of_most());
        kept.remove(leaves.expect("somebody has sent the most"));
    }
}
