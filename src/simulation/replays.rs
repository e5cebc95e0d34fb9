//! Blocks that come to all nodes as an earlier one of the same miner has.
//!
//! At Bitcoin's pace 999 of 1,000 blocks travel through a network in which nothing else happens. Where nothing is drawn
//! for a message, how such a block spreads depends on who found it, and on nothing else; or on its size as well, where
//! nodes or links have bandwidths and blocks are looked at. So that is found out once for each miner and size: when it
//! comes to each node, and how many messages that takes. Where each message takes the same time the shortest
//! [ways](super::ways) tell it; where blocks are announced, and nobody can ask twice for one, a
//! [rehearsal](super::rehearsal) does; else the first such block is carried, and [recorded](super::recording). From then
//! on such a block is that record, shifted in time. It costs what making the block costs, whatever the number of nodes.
//!
//! A block may be replayed that a node has found
//!
//! - on a chain that all nodes have, and while no message is under way that could matter to any; or, where each message takes
//!   the same time and no block is on its way any more, on one that some nodes keep beside their own, if the two differ in
//!   their last block alone, which both were held to the same difficulty, and the block that is given up holds no payments;
//! - while no node has anything on its mind but its chain: no question, deadline, orphan or early block, no ban, nothing
//!   pending, nothing held back, no peer that it would have to tell again. Where each message takes the same time and no block
//!   is on its way any more, one may hold blocks back: if it gives them up when this block comes, or if it
//!   [contests](super::contest) this block, which is at the difficulty of the one before, over links both ways;
//! - while all nodes are live, all lines free, and links whole; while nothing is drawn for a message, nor for a block
//!   whether a node has to ask for it; while nobody judges what links carry;
//! - with a timestamp that is in time at once;
//! - at the difficulty of the block before, or else where each message takes the same time: then each search goes on at the
//!   new difficulty from when the block comes there, if no search can end before its last message has arrived, and one does
//!   before time ends;
//! - while nobody subscribes to events.
//!
//! It waits until it is known what happens before its last message has arrived. Where that is a wake-up, a plan or the
//! end of the time that is to pass, or somebody looks at the world, it is carried from node to node as any other block;
//! and so it is where another proof is found, but for the following case.
//!
//! Where each message takes the same time the next block may be found meanwhile: by a node that has this one by then, if
//! the search of yet another goes on until after the last message; if neither the difficulty changes after the next block,
//! nor a sample is due before it; and if it is not what the run is to end with. The next block comes to each node later, as
//! it takes no way that this one has not taken sooner, and so it meets nodes that have this one. A block that is contested has
//! no such heir.

use std::{mem, time::Duration};

use super::{
    carry::Surroundings,
    contest::Contest,
    flow::Flow,
    nodes::Nodes,
    recording::Recording,
    records::{Kind, Records},
    rehearsal::Rehearsal,
    ways::Ways,
};
use crate::{
    blockchain::{Blockchain, Cut},
    message::{Message, NodeId, Size, Told, request_bytes},
    node::Effect,
    pow::Target,
    report::{Recorder, Volume},
    rules::Relay,
    time::Time,
    wire::is_packet,
};

/// What is known of how blocks spread, and the one whose finder has yet to tell its peers.
#[derive(Debug)]
pub(super) struct Replays {
    pub(super) are_on: bool,
    pub(super) records: Records,
    /// By which blocks come that are pushed.
    pub(super) ways: Ways,
    /// What blocks are rehearsed by that are asked for, if they can be.
    pub(super) rehearsal: Option<Rehearsal>,
    /// A block whose finder has yet to tell its peers, at the moment when it was found.
    found: Option<Found>,
    /// A block that is carried, of which is noted how it spreads.
    pub(super) recording: Option<Recording>,
    /// When the last message of what was replayed has come, at the latest. Until then nobody is to look.
    pub(super) settled_by: Time,
}

impl Default for Replays {
    fn default() -> Self {
        let (records, ways, settled_by) = (Records::default(), Ways::default(), Time::UNIX_EPOCH);
        Self { are_on: true, records, ways, rehearsal: None, found: None, recording: None, settled_by }
    }
}

/// A block that may be replayed.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The bytes of a message that asks for it: whoever asks names more blocks that he has the longer the chain is.
    pub(super) request_bytes: u64,
    /// The target of a search on top of it.
    pub(super) target: Target,
    /// The work of that search over the work of finding this block: 1 where the difficulty stays.
    scale: f64,
    pub(super) chain: Blockchain,
    /// Those to whom it comes on top of a rival of their tip, or who give up what they hold back for it.
    reorganising: Vec<NodeId>,
    /// The rival of it that somebody holds back and will show.
    contest: Option<Contest>,
}

impl Replays {
    /// Forgets how blocks spread, as they will do so no more.
    pub(super) fn forget(&mut self, recorder: &mut Recorder) {
        self.records.forget(recorder);
        self.ways.forget();
        self.recording = None;
    }

    /// Lets go of blocks.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        if let Some(found) = &mut self.found {
            cut.shorten(&mut found.chain);
            if let Some(contest) = &mut found.contest {
                cut.shorten(&mut contest.rival);
            }
        }
    }

    pub(super) fn has_found(&self) -> bool {
        self.found.is_some()
    }

    pub(super) fn take_found(&mut self) -> Option<Found> {
        self.found.take()
    }
}

impl Surroundings {
    /// Keeps a block that a node has just found, and tells its peers of, if it may be replayed, as far as that can be told
    /// before it is known what comes next: its peers are yet to be told. `were_together` tells whether all nodes are known to
    /// have had the chain that it was found on, its finder not as a branch that it held back.
    ///
    /// # Errors
    ///
    /// The message to its peers, if it may not be replayed.
    pub(super) fn keep_for_replay(
        &mut self,
        nodes: &mut Nodes,
        (finder, were_together): (NodeId, bool),
        news: Message,
    ) -> Result<(), Message> {
        let now = self.now;
        let is_plain = were_together && nodes.rest();
        let may_be = self.replays.are_on
            && !self.is_hashed
            && self.subscribers.is_empty()
            && self.queue.is_empty()
            && self.is_steady()
            // Who keeps a block beside another may forget a third for it, and would notice a repeat of that.
            && (is_plain || self.flow == Flow::Free && self.floods.are_over(now));
        let Some(node) = nodes.at(self, finder).filter(|_| may_be) else { return Err(news) };
        let chain = match news {
            Message::NewBlock(Told::Chain(chain)) | Message::CompactBlock(Told::Chain(chain)) => chain,
            Message::Announce { block, .. } if block == node.chain().tip_hash() => node.chain().clone(),
            news => return Err(news),
        };
        let is_in_time = node.is_in_time(now, &chain);
        let mut found = self.of_its_kind(finder, chain);
        let is_even = found.scale == 1.0 || self.flow == Flow::Free;
        match is_in_time
            && is_even
            && (is_plain || self.is_told_what_follows(nodes, &mut found, were_together))
        {
            true => {
                self.replays.found = Some(found);
                Ok(())
            }
            false => Err(nodes.at(self, finder).expect("it has found a block").news(&found.chain)),
        }
    }

    /// Finds out what follows where not all nodes rest with one chain; tells whether that can be told.
    fn is_told_what_follows(&mut self, nodes: &mut Nodes, found: &mut Found, were_together: bool) -> bool {
        let finder = found.kind.finder;
        if were_together && found.scale == 1.0 {
            found.contest = self.contest(nodes, finder, &found.chain);
        }
        if found.contest.is_some() {
            return true;
        }
        let Some(reorganising) = nodes.reorganising(self, finder, (&found.chain, found.target)) else {
            return false;
        };
        found.reorganising = reorganising;
        true
    }

    /// Finds out of which kind a block is that was found.
    fn of_its_kind(&self, finder: NodeId, chain: Blockchain) -> Found {
        let (before, target) = (chain.target(), chain.next_target(&self.rules));
        let scale = if target == before { 1.0 } else { target.work().as_f64() / before.work().as_f64() };
        let (kind, request_bytes) = match self.flow {
            Flow::Steady { by_all_sizes } => self.kind_by_size(finder, &chain, by_all_sizes),
            _ => (Kind { finder, bytes: 0, request_bytes: 0 }, 0),
        };
        Found { kind, request_bytes, target, scale, chain, reorganising: Vec::new(), contest: None }
    }

    /// Finds out of which kind a block is where sizes matter, and how many bytes a message takes that asks for it.
    fn kind_by_size(&self, finder: NodeId, chain: &Blockchain, by_all_sizes: bool) -> (Kind, u64) {
        let bytes = self.traffic.load(Size::of_new_block(chain)).bytes;
        let request_bytes = match self.rules.relay {
            Relay::Announce | Relay::Compact { .. } => {
                request_bytes(chain.parent().map_or(0, |parent| parent.locator().len()))
            }
            Relay::Push | Relay::None => 0,
        };
        let do_requests_matter = by_all_sizes || !is_packet(request_bytes);
        let kind = Kind { finder, bytes, request_bytes: if do_requests_matter { request_bytes } else { 0 } };
        (kind, request_bytes)
    }

    /// Tells whether whoever finds the next proof has heard by then of a block that was just found, and no other proof is
    /// found before its last message has arrived, where each message takes the same time. Another difficulty after either
    /// block would change when the others end, which is not foreseen.
    pub(super) fn has_heir(&mut self, found: &Found) -> bool {
        let Found { kind, scale, ref chain, .. } = *found;
        let (Some((proof, heir)), Some(record)) = (self.searches.next(), self.replays.records.get(kind))
        else {
            return false;
        };
        let (accepted, last) = (self.now + record.accepted, self.now + record.last);
        let position = chain.len() + 2;
        let is_retargeted = self.rules.difficulty.retarget().is_some_and(|it| it.is_due_at(position));
        self.flow == Flow::Free
            && found.contest.is_none()
            && scale == 1.0
            && !is_retargeted
            && self.searches.next_but_one().is_some_and(|other| other > last)
            && (accepted < proof
                || self.replays.ways.comes_within(self.floods.links(), proof - self.now, (kind.finder, heir)))
    }

    /// Has all nodes take on a block that was just found, if all of its messages arrive before another moment; tells
    /// whether they do.
    pub(super) fn replay(&mut self, nodes: &mut Nodes, found: &Found, before: Time) -> bool {
        let Found { kind, request_bytes, target, scale, chain, reorganising, contest } = found;
        let Some(record) = self.replays.records.get_mut(*kind) else {
            let is_worth_it = self.now + self.replays.records.longest < before;
            return is_worth_it && self.rehearse(found) && self.replay(nodes, found, before);
        };
        if let Some(contest) = contest {
            return self.replay_contested(nodes, (found, contest), before);
        }
        let by = self.now + record.accepted;
        // A search that is shortened later ends no sooner than if it were shortened now.
        let (left, all_left) = (before - self.now, Time::MAX - self.now);
        let before = if *scale < 1.0 { self.now + left.mul_f64(*scale) } else { before };
        // If none ends before time does, nothing comes after this block.
        let is_last = *scale > 1.0 && left.as_secs_f64() * *scale >= all_left.as_secs_f64();
        if is_last || self.now + record.last >= before {
            return false;
        }
        let late = self.replays.ways.times(self.floods.links(), (self.now, kind.finder), reorganising);
        if !self.recorder.accepted_by_all(by, &chain.tip_hash(), &record.pattern, &late) {
            return false;
        }
        record.uses += 1;
        self.replays.settled_by = self.replays.settled_by.max(self.now + record.last);
        let Volume { messages, bytes } = &mut self.unqueued;
        *messages += record.messages;
        *bytes += record.bytes.unwrap_or_else(|| record.messages * self.floods.bytes_of(chain));
        *bytes += record.requests * request_bytes;
        self.changes += 1;
        // Else what was carried long before is looked through whenever something comes to a node.
        self.floods.end_those_over(self.now);
        nodes.give(self, kind.finder, (chain.clone(), *target), reorganising);
        if *scale != 1.0 {
            self.begin_anew(nodes, kind.finder);
        }
        true
    }

    /// Has each node begin its search on top of a block that a node has just found when that comes there.
    fn begin_anew(&mut self, nodes: &mut Nodes, finder: NodeId) {
        let found_at = self.now;
        let mut ways = mem::take(&mut self.replays.ways);
        for (node, nanos) in (0..).map(NodeId::new).zip(ways.all_from(self.floods.links(), finder)) {
            self.now = found_at.after_nanos(*nanos);
            nodes.at(self, node);
        }
        (self.now, self.replays.ways) = (found_at, ways);
    }

    /// Finds out how a block spreads whose kind is new, if that can be told without carrying it; tells whether it can.
    fn rehearse(&mut self, Found { kind, request_bytes, chain, .. }: &Found) -> bool {
        let Self { replays: Replays { records, ways, rehearsal, .. }, traffic, floods, recorder, .. } = self;
        if self.flow == Flow::Free {
            match ways.spread(floods.links(), kind.finder) {
                Some(spread) => records.keep(*kind, spread, recorder),
                None => records.longest = Duration::MAX,
            }
        } else if let Some(announced) = rehearsal
            && is_packet(*request_bytes)
            && traffic.links().are_idle(self.now)
        {
            let load = traffic.load(Size::of_new_block(chain));
            match announced.spread(kind.finder, load) {
                Some(spread) => records.keep(*kind, spread, recorder),
                None => *rehearsal = None,
            }
        }
        records.get(*kind).is_some()
    }

    /// Has the finder of a block tell its peers, now that it is not replayed.
    pub(super) fn carry_found(&mut self, nodes: &mut Nodes, found: &Found) {
        let finder = found.kind.finder;
        let message = nodes.at(self, finder).expect("it has found a block").news(&found.chain);
        let is_steady = matches!(self.flow, Flow::Steady { .. });
        let is_new = is_steady && self.replays.records.get(found.kind).is_none();
        if is_new && self.traffic.links().are_idle(self.now) {
            self.replays.recording = Some(Recording::begin(found, self.now, self.counted()));
        }
        self.carry_out(finder, &found.chain, Effect::Relay { except: None, message });
    }
}
