//! Blocks that come to all nodes as an earlier one of the same miner has.
//!
//! At Bitcoin's pace 999 of 1,000 blocks travel through a network in which nothing else happens. Where nothing is drawn
//! for a message, how such a block spreads depends on who found it, and on nothing else; or on its size as well, where
//! nodes or links have bandwidths and blocks are looked at. So that is found out once for each miner and size: when it
//! comes to each node, and how many messages that takes. Where each message takes the same time the same flood tells it
//! that would carry the block; else the first such block is carried, and [recorded](super::recording). From then on such
//! a block is that record, shifted in time. It costs what making the block costs, whatever the number of nodes.
//!
//! A block may be replayed that a node has found
//!
//! - on a chain that all nodes have, and while no message is under way that could matter to any;
//! - while no node has anything on its mind but its chain: no question, deadline, orphan or early block, no ban, nothing
//!   pending, nothing held back, no peer that it would have to tell again;
//! - while all nodes are live, all lines free, and links whole; while nothing is drawn for a message, nor for a block
//!   whether a node has to ask for it; while nobody judges what links carry;
//! - with a timestamp that is in time at once;
//! - at the difficulty of the block before: another one changes how far each search has come when the block comes there;
//! - while nobody subscribes to events.
//!
//! It waits until it is known that nothing else happens before its last message has arrived: neither another proof, nor
//! a wake-up, nor a plan, nor the end of the time that is to pass. Whatever comes first, or looks at the world, has it
//! carried from node to node as any other block.
//!
//! One other thing may happen, where each message takes the same time: somebody [who has it](Surroundings::has_heir) finds
//! the next block. That comes to each node later, as it takes no way that the one before it has not taken sooner, and so it
//! meets a network in which all have the one before.

use std::{collections::BTreeMap, time::Duration};

use super::{carry::Surroundings, floods::Spread, messages::Flow, nodes::Nodes, recording::Recording};
use crate::{
    blockchain::{Blockchain, Cut},
    message::{Message, NodeId, Told, request_bytes},
    node::Effect,
    report::{Pattern, Ranked, Recorder, Tally, Volume},
    rules::Relay,
    time::Time,
    wire::is_packet,
};

/// The most records. With the least used each gives way to a new one; they take some kilobytes each.
const RECORDS_MAX: usize = 16_384;

/// What is known of how blocks spread, and the one whose finder has yet to tell its peers.
#[derive(Debug)]
pub(super) struct Replays {
    pub(super) are_on: bool,
    records: BTreeMap<Kind, Record>,
    /// The longest that a block was seen to spread: what comes sooner is not worth finding out more.
    longest: Duration,
    /// A block whose finder has yet to tell its peers, at the moment when it was found.
    found: Option<Found>,
    /// A block that is carried, of which is noted how it spreads.
    pub(super) recording: Option<Recording>,
    /// When the last message of what was replayed has come. Until then nobody is to look.
    settled_by: Time,
}

impl Default for Replays {
    fn default() -> Self {
        let (records, longest) = (BTreeMap::new(), Duration::ZERO);
        let settled_by = Time::UNIX_EPOCH;
        Self { are_on: true, records, longest, found: None, recording: None, settled_by }
    }
}

/// A block that may be replayed.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The bytes of a message that asks for it: whoever asks names more blocks that he has the longer the chain is.
    pub(super) request_bytes: u64,
    chain: Blockchain,
}

/// What decides how a block spreads: blocks of a kind all spread alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    finder: NodeId,
    /// The bytes of a message with the block, or 0 where sizes do not matter.
    bytes: u64,
    /// The bytes of a message that asks for it, or 0 where these do not matter.
    request_bytes: u64,
}

/// How the blocks of a kind spread.
#[derive(Debug)]
struct Record {
    /// How long it takes until the last node has such a block, and until the last message has arrived.
    accepted: Duration,
    last: Duration,
    messages: u64,
    requests: u64,
    bytes: Option<u64>,
    pattern: Pattern,
    /// How many blocks of the pattern are still to be added to the recorder.
    uses: u64,
    /// How many of those the recorder has counted as recent ones.
    noted: u64,
}

impl Replays {
    /// Forgets how blocks spread, as they will do so no more.
    pub(super) fn forget(&mut self, recorder: &mut Recorder) {
        self.note_recent(recorder);
        self.add_to(recorder);
        self.records.clear();
        self.longest = Duration::ZERO;
        self.recording = None;
    }

    /// Has what has been replayed so far count no longer.
    pub(super) fn count_from_now(&mut self) {
        self.records.values_mut().for_each(|record| (record.uses, record.noted) = (0, 0));
    }

    /// Adds to a copy of the recorder what has been replayed.
    pub(super) fn add_to(&self, recorder: &mut Recorder) {
        self.records.values().for_each(|record| record.settle(recorder));
    }

    /// Has a recorder count as recent what has been replayed since it last did.
    pub(super) fn note_recent(&mut self, recorder: &mut Recorder) {
        self.records.values_mut().for_each(|record| record.note_recent(recorder));
    }

    /// How long all blocks took, in their order, those that have been replayed as well.
    pub(super) fn ranked(&self, recorder: &Recorder) -> [Ranked; 4] {
        let used = self.records.values().filter(|record| record.uses > 0);
        recorder.ranked(used.map(|record| (&record.pattern, record.uses)))
    }

    /// Adds to a tally what has been replayed.
    pub(super) fn add_to_tally(&self, tally: &mut Tally) {
        self.records.values().for_each(|record| record.pattern.add_to(tally, record.uses));
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

    /// Tells whether all that was replayed has come to all by a moment.
    pub(super) fn are_settled(&self, now: Time) -> bool {
        self.settled_by <= now
    }

    pub(super) fn take_found(&mut self) -> Option<Found> {
        self.found.take()
    }

    /// Keeps how blocks of a kind spread, of which that was not known.
    pub(super) fn keep(&mut self, kind: Kind, spread: Spread, recorder: &mut Recorder) {
        if self.records.len() >= RECORDS_MAX {
            let least = self.records.iter().min_by_key(|(_, record)| record.uses).map(|(kind, _)| *kind);
            if let Some(mut record) = least.and_then(|kind| self.records.remove(&kind)) {
                record.note_recent(recorder);
                record.settle(recorder);
            }
        }
        let Spread { accepted, last, messages, requests, bytes } = spread;
        self.longest = self.longest.max(last);
        let pattern = Pattern::of(&accepted);
        let accepted = accepted.last().copied().unwrap_or_default();
        let (uses, noted) = (0, 0);
        self.records.insert(kind, Record { accepted, last, messages, requests, bytes, pattern, uses, noted });
    }
}

impl Record {
    fn note_recent(&mut self, recorder: &mut Recorder) {
        if self.uses > self.noted {
            recorder.add_recent(&self.pattern, self.uses - self.noted);
            self.noted = self.uses;
        }
    }

    fn settle(&self, recorder: &mut Recorder) {
        if self.uses > 0 {
            recorder.add(&self.pattern, self.uses);
        }
    }
}

impl Surroundings {
    /// Tells whether a block that a node has just found on the chain of all nodes, and tells its peers of, may be replayed,
    /// as far as that can be told before it is known what comes next. If so its peers are yet to be told.
    pub(super) fn keeps_for_replay(&mut self, nodes: &mut Nodes, finder: NodeId, news: &Message) -> bool {
        let now = self.now;
        let may_be = self.replays.are_on
            && !self.is_hashed
            && self.subscribers.is_empty()
            && nodes.rest()
            && self.queue.is_empty()
            && self.is_steady();
        let Some(node) = nodes.at(self, finder).filter(|_| may_be) else { return false };
        let chain = match news {
            Message::NewBlock(Told::Chain(chain)) | Message::CompactBlock(Told::Chain(chain)) => chain,
            Message::Announce { block, .. } if *block == node.chain().tip_hash() => node.chain(),
            _ => return false,
        };
        let may_be = node.is_in_time(now, chain) && chain.next_target(&self.rules) == chain.target();
        if may_be {
            self.replays.found = Some(self.of_its_kind(finder, chain.clone()));
        }
        may_be
    }

    /// Finds out of which kind a block is that was found.
    fn of_its_kind(&self, finder: NodeId, chain: Blockchain) -> Found {
        let Flow::Steady { by_all_sizes } = self.flow else {
            return Found { kind: Kind { finder, bytes: 0, request_bytes: 0 }, request_bytes: 0, chain };
        };
        let bytes = self.traffic.load(Message::NewBlock(Told::Chain(chain.clone())).measured()).bytes;
        let request_bytes = match self.rules.relay {
            Relay::Announce | Relay::Compact { .. } => {
                request_bytes(chain.parent().map_or(0, |parent| parent.locator().len()))
            }
            Relay::Push | Relay::None => 0,
        };
        let do_requests_matter = by_all_sizes || !is_packet(request_bytes);
        let kind = Kind { finder, bytes, request_bytes: if do_requests_matter { request_bytes } else { 0 } };
        Found { kind, request_bytes, chain }
    }

    /// Tells whether whoever finds the next proof has heard by then of a block that was just found, and no other proof is
    /// found before its last message has arrived. A proof at another difficulty might change when the others are.
    pub(super) fn has_heir(&mut self, found: &Found) -> bool {
        let Found { kind, chain, .. } = found;
        let (Some((proof, heir)), Some(record)) = (self.searches.next(), self.replays.records.get(kind))
        else {
            return false;
        };
        let (accepted, last) = (self.now + record.accepted, self.now + record.last);
        let position = chain.len() + 2;
        let is_retargeted = self.rules.difficulty.retarget().is_some_and(|it| it.is_due_at(position));
        self.flow == Flow::Free
            && !is_retargeted
            && self.searches.next_but_one().is_none_or(|other| other > last)
            && (accepted < proof || self.floods.comes_within(proof - self.now, (kind.finder, heir), chain))
    }

    /// Has all nodes take on a block that was just found, if all of its messages arrive before another moment; tells
    /// whether they do.
    pub(super) fn replay(&mut self, nodes: &mut Nodes, found: &Found, before: Time) -> bool {
        let Found { kind, request_bytes, chain } = found;
        let Replays { records, longest, .. } = &self.replays;
        let can_be_rehearsed = self.flow == Flow::Free && self.now + *longest < before;
        if can_be_rehearsed && !records.contains_key(kind) {
            match self.floods.rehearse(kind.finder, chain) {
                Some(spread) => self.replays.keep(*kind, spread, &mut self.recorder),
                None => self.replays.longest = Duration::MAX,
            }
        }
        let Some(record) = self.replays.records.get_mut(kind) else { return false };
        let by = self.now + record.accepted;
        if self.now + record.last >= before
            || !self.recorder.accepted_by_all(by, &chain.tip_hash(), &record.pattern)
        {
            return false;
        }
        record.uses += 1;
        self.replays.settled_by = self.now + record.last;
        let Volume { messages, bytes } = &mut self.flooded;
        *messages += record.messages;
        *bytes += record.bytes.unwrap_or_else(|| record.messages * self.floods.bytes_of(chain));
        *bytes += record.requests * request_bytes;
        self.changes += 1;
        nodes.give(kind.finder, chain.clone());
        true
    }

    /// Has the finder of a block tell its peers, now that it is not replayed.
    pub(super) fn carry_found(&mut self, nodes: &mut Nodes, found: &Found) {
        let finder = found.kind.finder;
        let message = nodes.at(self, finder).expect("it has found a block").news(&found.chain);
        let is_steady = matches!(self.flow, Flow::Steady { .. });
        let is_new = is_steady && !self.replays.records.contains_key(&found.kind);
        if is_new && self.traffic.links().are_idle(self.now) {
            self.replays.recording = Some(Recording::begin(found, self.now, self.messages.clone()));
        }
        self.carry_out(finder, Effect::Relay { except: None, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Messages, rules::Rules};

    fn kind(finder: usize) -> Kind {
        Kind { finder: NodeId::new(finder as u32), bytes: 0, request_bytes: 0 }
    }

    fn keep(replays: &mut Replays, recorder: &mut Recorder, finder: usize) {
        let second = Duration::from_secs(1);
        let spread =
            Spread { accepted: vec![second], last: second, messages: 1, requests: 0, bytes: Some(1) };
        replays.keep(kind(finder), spread, recorder);
    }

    /// What was replayed by it counts all the same.
    #[test]
    fn of_too_many_records_the_least_used_gives_way() {
        let (mut replays, mut recorder) = (Replays::default(), Recorder::new(Time::UNIX_EPOCH));
        for finder in 0..RECORDS_MAX {
            keep(&mut replays, &mut recorder, finder);
            let record = replays.records.get_mut(&kind(finder)).expect("it was kept");
            record.uses = if finder == 7 { 2 } else { 3 };
        }
        let chain = Blockchain::started(&Rules::sealed(), Time::UNIX_EPOCH);
        let counted = |replays: &Replays, recorder: &Recorder| -> u64 {
            let mut recorder = recorder.clone();
            replays.add_to(&mut recorder);
            let report = recorder.report(Time::UNIX_EPOCH, &chain, |_| 0, Messages::default());
            report.propagation.to_each.bins.iter().map(|bin| bin.count).sum()
        };
        let before = counted(&replays, &recorder);
        assert_eq!(before, 3 * RECORDS_MAX as u64 - 1);
        keep(&mut replays, &mut recorder, RECORDS_MAX);
        assert_eq!(replays.records.len(), RECORDS_MAX);
        assert!(!replays.records.contains_key(&kind(7)) && replays.records.contains_key(&kind(8)));
        assert_eq!(counted(&replays, &recorder), before);
    }
}
