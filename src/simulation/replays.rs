//! Blocks that come to all nodes as an earlier one of the same miner has.
//!
//! At Bitcoin's pace 999 of 1,000 blocks travel through a network in which nothing else happens. Where nothing is drawn
//! for a message, how such a block spreads depends on who found it, and on nothing else. So that is found out once for
//! each miner, by the same flood that would carry the block: when it comes to each node, and how many messages that
//! takes. From then on such a block is that record, shifted in time. It costs what making the block costs, whatever the
//! number of nodes.
//!
//! A block may be replayed that a node has found
//!
//! - on a chain that all nodes have, and while no message is under way that could matter to any;
//! - while no node has anything on its mind but its chain: no question, deadline, orphan or early block, no ban, nothing
//!   pending, nothing held back, no peer that it would have to tell again;
//! - while all nodes are live, links are whole and take the same time for every message, and nobody judges what they
//!   carry. A message's size does not matter on such links, and so not the block's;
//! - with a timestamp that is in time at once;
//! - at the difficulty of the block before: another one changes how far each search has come when the block comes there;
//! - while nobody subscribes to events.
//!
//! It waits until it is known that nothing else happens before its last message has arrived: neither another proof, nor
//! a wake-up, nor a plan, nor the end of the time that is to pass. Whatever comes first, or looks at the world, has it
//! carried from node to node as any other block.

use std::{collections::BTreeMap, time::Duration};

use super::{carry::Surroundings, floods::Rehearsal, nodes::Nodes};
use crate::{
    blockchain::{Blockchain, Cut},
    message::NodeId,
    report::{Pattern, Recorder, Volume},
    time::Time,
};

/// The most records. With the least used each gives way to a new one; they take some kilobytes each.
const RECORDS_MAX: usize = 16_384;

/// What is known of how blocks spread, and the one whose finder has yet to tell its peers.
#[derive(Debug)]
pub(super) struct Replays {
    pub(super) are_on: bool,
    records: BTreeMap<NodeId, Record>,
    /// The longest that a block was seen to spread: what comes sooner is not worth finding out more.
    longest: Duration,
    /// A block whose finder has yet to tell its peers, at the moment when it was found.
    found: Option<Found>,
}

impl Default for Replays {
    fn default() -> Self {
        Self { are_on: true, records: BTreeMap::new(), longest: Duration::ZERO, found: None }
    }
}

/// A block that may be replayed.
#[derive(Debug, Clone)]
pub(super) struct Found {
    finder: NodeId,
    chain: Blockchain,
}

/// How the blocks of a node spread.
#[derive(Debug)]
struct Record {
    /// How long it takes until the last node has such a block, and until the last message has arrived.
    accepted: Duration,
    last: Duration,
    messages: u64,
    pattern: Pattern,
    /// How many blocks of the pattern are still to be added to the recorder.
    uses: u64,
}

impl Replays {
    /// Forgets how blocks spread, as they will do so no more.
    pub(super) fn forget(&mut self, recorder: &mut Recorder) {
        self.add_to(recorder);
        self.records.clear();
        self.longest = Duration::ZERO;
    }

    /// Has what has been replayed so far count no longer.
    pub(super) fn count_from_now(&mut self) {
        self.records.values_mut().for_each(|record| record.uses = 0);
    }

    /// Adds to a copy of the recorder what has been replayed.
    pub(super) fn add_to(&self, recorder: &mut Recorder) {
        self.records.values().for_each(|record| record.settle(recorder));
    }

    /// Lets go of blocks.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        if let Some(found) = &mut self.found {
            cut.shorten(&mut found.chain);
        }
    }

    pub(super) fn has_found(&self) -> bool {
        self.found.is_some()
    }

    pub(super) fn take_found(&mut self) -> Option<Found> {
        self.found.take()
    }

    fn keep(&mut self, finder: NodeId, rehearsal: Rehearsal, recorder: &mut Recorder) {
        if self.records.len() >= RECORDS_MAX {
            let least = self.records.iter().min_by_key(|(_, record)| record.uses).map(|(node, _)| *node);
            if let Some(record) = least.and_then(|node| self.records.remove(&node)) {
                record.settle(recorder);
            }
        }
        let Rehearsal { accepted, last, messages } = rehearsal;
        self.longest = self.longest.max(last);
        let pattern = Pattern::of(&accepted);
        let accepted = accepted.last().copied().unwrap_or_default();
        self.records.insert(finder, Record { accepted, last, messages, pattern, uses: 0 });
    }
}

impl Record {
    fn settle(&self, recorder: &mut Recorder) {
        if self.uses > 0 {
            recorder.add(&self.pattern, self.uses);
        }
    }
}

impl Surroundings {
    /// Tells whether a block that a node has just found on the chain of all nodes may be replayed, as far as that can be
    /// told before it is known what comes next. If so its peers are yet to be told.
    pub(super) fn keeps_for_replay(&mut self, nodes: &mut Nodes, finder: NodeId, chain: &Blockchain) -> bool {
        let now = self.now;
        let may_be = self.replays.are_on
            && !self.is_hashed
            && self.subscribers.is_empty()
            && nodes.rest()
            && nodes.at(self, finder).is_some_and(|node| node.is_in_time(now, chain))
            && chain.next_target(&self.rules) == chain.target()
            && self.queue.is_empty()
            && self.flows();
        if may_be {
            self.replays.found = Some(Found { finder, chain: chain.clone() });
        }
        may_be
    }

    /// Has all nodes take on a block that was just found, if all of its messages arrive before another moment; tells
    /// whether they do.
    pub(super) fn replay(&mut self, nodes: &mut Nodes, found: &Found, before: Time) -> bool {
        let Found { finder, chain } = found;
        let Replays { records, longest, .. } = &self.replays;
        if !records.contains_key(finder) && self.now + *longest < before {
            match self.floods.rehearse(*finder, chain) {
                Some(rehearsal) => self.replays.keep(*finder, rehearsal, &mut self.recorder),
                None => self.replays.longest = Duration::MAX,
            }
        }
        let Some(record) = self.replays.records.get_mut(finder) else { return false };
        let by = self.now + record.accepted;
        if self.now + record.last >= before
            || !self.recorder.accepted_by_all(by, &chain.tip_hash(), &record.pattern)
        {
            return false;
        }
        record.uses += 1;
        let Volume { messages, bytes } = &mut self.flooded;
        *messages += record.messages;
        *bytes += record.messages * self.floods.bytes_of(chain);
        self.changes += 1;
        nodes.give(*finder, chain.clone());
        true
    }

    /// Has the finder of a block tell its peers, now that it is not replayed.
    pub(super) fn carry_found(&mut self, found: &Found) {
        self.relay_block(found.finder, None, &found.chain);
    }
}
