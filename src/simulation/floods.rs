//! Blocks on their way through the network, without a message for each link.
//!
//! Of the messages that bring a block to a node only the first matters: the node has the block then, and a repeat over a
//! link that loses nothing leaves no trace. So only what may come first is put into the queue, about one message in ten, and
//! what has been overtaken since is left out when its bucket is opened. The others are known all the same: who told its
//! peers, when, and whom not, says when each of them comes. From that they are counted, come back if the first was in vain,
//! and are all spelled out when the network changes, or links may have no room for them.
//!
//! Where blocks are announced it is their hashes that nodes are told. The first matters, as the node asks for the block and
//! [downloads](super::downloads) it. A node that makes anything of being told again hears, from then on, each that tells it,
//! until it has the block or tells of it itself.

use std::{mem, sync::Arc};

use super::{
    flood::{ASKED, FLOOD, Flood, NOBODY, SENT, Spare, Spelled, Wave, number_of},
    lanes::{Lanes, Sources},
    queue::{Arrival, Queue, Turn, end_of},
};
use crate::{
    blockchain::{Blockchain, Cut},
    message::{ANNOUNCEMENT_BYTES, NodeId, Size},
    report::Volume,
    time::Time,
    wire::Room,
};

/// How many blocks are on their way at most, and how much they take up of the room on a link: of either so little that there
/// is room for them while half of it is [free](crate::verbs::traffic::Traffic::is_half_full).
const FLOODS_MAX: usize = 256;
pub(super) const OWN_BYTES_MAX: u64 = Room::LINK.bytes / 4;

/// All blocks on their way.
#[derive(Debug, Default)]
pub(super) struct Floods {
    pub(super) lanes: Arc<Lanes>,
    /// Whether nodes are told of blocks by their hashes.
    by_hash: bool,
    /// Who has links to each node, once that has been asked.
    sources: Option<Sources>,
    /// What every block counts as, if not as its own bytes.
    block_bytes: Option<u64>,
    floods: Vec<Option<Flood>>,
    /// What brought a block last. A message that is queued when an earlier one is not known yet, and again when that was in
    /// vain, comes a second time at once.
    last: Option<Arrival>,
    /// Memory of floods that are over.
    spare: Vec<Spare>,
}

/// Why the messages that tell of a block are to be sent one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OneByOne {
    /// The node has told its peers before.
    ToldBefore,
    /// So many blocks are on their way that links may have no room.
    NoRoom,
}

impl Floods {
    /// Begins anew, when nothing is on its way; tells whether the links are others than before, or blocks count as other
    /// bytes. `by_hash` tells whether what nodes are told is the hash of a block.
    pub(super) fn set_lanes(&mut self, lanes: Arc<Lanes>, by_hash: bool, block_bytes: Option<u64>) -> bool {
        debug_assert!(self.floods.iter().all(Option::is_none));
        let are_others = self.lanes != lanes || self.block_bytes != block_bytes;
        self.by_hash = by_hash;
        if are_others {
            self.lanes = lanes;
            self.sources = None;
            self.block_bytes = block_bytes;
            self.spare.clear();
        }
        are_others
    }

    /// The links, and who has one to each node.
    pub(super) fn links(&mut self) -> (&Lanes, &Sources) {
        let Self { lanes, sources, .. } = self;
        (lanes, Self::sources(lanes, sources))
    }

    fn sources<'a>(lanes: &Lanes, sources: &'a mut Option<Sources>) -> &'a Sources {
        sources.get_or_insert_with(|| Sources::new(lanes))
    }

    /// The bytes of a message that tells of a block.
    pub(super) fn bytes_of(&self, chain: &Blockchain) -> u64 {
        let size = Size::of_new_block(chain);
        size.with_block_bytes(self.block_bytes.unwrap_or(size.block_bytes))
    }

    /// Drops something that is yet to arrive if it has become a repeat; tells whether it has, and so is to be left out of the
    /// queue. If what overtook it is in vain it comes back with all that its receiver [is told](Flood::to_node).
    #[inline]
    pub(super) fn drops(&mut self, arrival: &Arrival) -> bool {
        if arrival.slot & (FLOOD | ASKED | SENT) != FLOOD {
            return false;
        }
        let flood = self.flood_mut(number_of(arrival) as u32);
        let is_repeat = flood.is_repeat(arrival);
        flood.queued -= u32::from(is_repeat);
        is_repeat
    }

    /// Tells what has arrived.
    #[inline]
    pub(super) fn arrive(&mut self, arrival: &Arrival) -> Wave {
        if arrival.slot & FLOOD == 0 {
            return Wave::Message;
        }
        let number = number_of(arrival);
        let flood = self.floods[number].as_mut().expect("a flood lasts until its last arrival");
        flood.queued -= 1;
        if arrival.slot & ASKED != 0 {
            return Wave::Asked(flood.chain.clone());
        }
        if arrival.slot & SENT != 0 {
            return Wave::Sent(number as u32, flood.chain.clone());
        }
        if flood.is_repeat(arrival) || self.last == Some(*arrival) {
            return Wave::Repeat;
        }
        self.last = Some(*arrival);
        Wave::First(number as u32, flood.chain.clone())
    }

    /// Has what an arrival's flood knows of its receiver fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, arrival: &Arrival) {
        if Self::is_of_flood(arrival)
            && let Some(flood) = &self.floods[number_of(arrival)]
        {
            flood.fetch(arrival.to);
        }
    }

    /// Puts something of a flood into the queue that is no message which tells of its block.
    pub(super) fn push(&mut self, number: u32, arrival: Arrival, queue: &mut Queue) {
        self.flood_mut(number).queued += 1;
        queue.push(arrival);
    }

    /// The block of a flood.
    pub(super) fn block(&self, number: u32) -> &Blockchain {
        &self.floods[number as usize].as_ref().expect("a flood lasts until its last arrival").chain
    }

    #[inline]
    fn flood_mut(&mut self, number: u32) -> &mut Flood {
        self.floods[number as usize].as_mut().expect("a flood lasts until its last arrival")
    }

    /// Has a node tell its peers, but one, and but those that it tells by messages of their own, of a block, and returns the
    /// messages that makes. `hint` is the flood whose message the node has just got, and from whom.
    ///
    /// # Errors
    ///
    /// Whoever asks is to send the messages one by one.
    #[inline(always)]
    pub(super) fn relay(
        &mut self,
        now: Time,
        (from, except): (NodeId, Option<NodeId>),
        chain: &Blockchain,
        (hint, apart): (Option<(u32, NodeId)>, &[u32]),
        queue: &mut Queue,
        count: &mut u32,
    ) -> Result<Volume, OneByOne> {
        let number = self.number_of(chain, hint.map(|(number, _)| number), now).ok_or(OneByOne::NoRoom)?;
        let flood = self.floods[number as usize].as_mut().expect("it was found or made");
        let from = from.index() as u32;
        let except = except.map_or(NOBODY, |node| node.index() as u32);
        let came_from = hint.map_or(NOBODY, |(_, node)| node.index() as u32);
        let told = flood.relay(&self.lanes, number, (now, from, except), (came_from, apart), queue, count);
        told.ok_or(OneByOne::ToldBefore)
    }

    /// A node has heard of a block in vain: the next message that brings it matters, too.
    #[cold]
    pub(super) fn was_in_vain(
        &mut self,
        now: Time,
        (number, chain): (u32, &Blockchain),
        to: NodeId,
        queue: &mut Queue,
    ) {
        let Self { lanes, sources, floods, .. } = self;
        let flood = floods.get_mut(number as usize).and_then(Option::as_mut);
        // It may have been spelled out meanwhile.
        let Some(flood) = flood.filter(|flood| flood.chain.is_same_copy(chain)) else { return };
        if flood.first[to.index()] > now {
            // Another came at the same time, and was in vain, too.
            return;
        }
        let sources = Self::sources(lanes, sources);
        flood.was_in_vain(sources.of(to.index() as u32), number, (end_of(now), to.index() as u32), queue);
    }

    /// Has a node hear each message that tells it of a block which it has heard of, from a turn on, and makes something of.
    #[cold]
    pub(super) fn matters_to(&mut self, number: u32, to: NodeId, after: Turn, queue: &mut Queue) {
        let Self { lanes, sources, floods, .. } = self;
        let sources = Self::sources(lanes, sources);
        let flood = floods[number as usize].as_mut().expect("whoever asks has seen it");
        flood.matters_to(sources.of(to.index() as u32), number, (after, to.index() as u32), queue);
    }

    /// The number of a flood whose block a node has heard of, and others may still tell it of, if one meets a condition.
    #[inline]
    pub(super) fn heard_of(
        &self,
        now: Time,
        node: NodeId,
        meets: impl Fn(&Blockchain) -> bool,
    ) -> Option<u32> {
        let is_one = |flood: &Flood| flood.is_heard_by(node, now) && meets(&flood.chain);
        let place = self.floods.iter().position(|flood| flood.as_ref().is_some_and(is_one))?;
        Some(place as u32)
    }

    /// Who has told a node of a block by a turn, and when, in the order in which it was told.
    pub(super) fn told(&mut self, number: u32, to: NodeId, since: Time, by: Turn) -> Vec<(Time, NodeId)> {
        let Self { lanes, sources, floods, .. } = self;
        let sources = Self::sources(lanes, sources);
        let flood = floods[number as usize].as_ref().expect("whoever asks has seen it");
        let to = to.index() as u32;
        let mut told: Vec<_> =
            flood.to_node(sources.of(to), to, (since, 0, 0)).filter(|message| message.turn() <= by).collect();
        told.sort_unstable_by_key(Spelled::turn);
        told.into_iter().map(|message| (message.due, message.from)).collect()
    }

    /// Notes that a node that has waited for a block [has it](Flood::has_come) now.
    #[inline]
    pub(super) fn has_come(&mut self, number: u32, node: NodeId, now: Time) {
        self.flood_mut(number).has_come(node.index() as u32, now);
    }

    /// Notes that a node knows a block by now: if it [heard](Self::matters_to) each that told it of that, it need not any more.
    #[inline]
    pub(super) fn matters_no_more(&mut self, number: u32, node: NodeId, now: Time) {
        let flood = self.flood_mut(number);
        if flood.hears_all(node.index() as u32) {
            flood.has_come(node.index() as u32, now);
        }
    }

    /// Tells whether messages may still be under way that tell of a block which a node has heard of, and does not
    /// remember.
    pub(super) fn miss(
        &self,
        now: Time,
        node: NodeId,
        queue: &Queue,
        remembers: impl Fn(&Blockchain) -> bool,
    ) -> bool {
        // Of what comes at this very moment it may not have heard yet.
        let is_to_come = |number| {
            let mut to_come = queue.opened_for(node.index() as u32, now);
            to_come.any(|arrival| Self::is_of_flood(arrival) && number_of(arrival) == number)
        };
        let is_missed = |(number, flood): (usize, &Flood)| {
            flood.is_heard_by(node, now)
                && !remembers(&flood.chain)
                && (flood.first[node.index()] < now || !is_to_come(number))
        };
        let mut floods =
            (0..).zip(&self.floods).filter_map(|(number, flood)| Some((number, flood.as_ref()?)));
        // Who is told of it by its hash, and makes something of that, hears each that tells it.
        !self.by_hash && floods.any(is_missed)
    }

    /// The blocks of the shortest chain whose last is on its way.
    pub(super) fn shortest(&self) -> Option<u64> {
        self.floods.iter().flatten().map(|flood| flood.chain.len()).min()
    }

    /// Lets go of blocks.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        for flood in self.floods.iter_mut().flatten() {
            cut.shorten(&mut flood.chain);
        }
    }

    /// Tells whether an arrival is one of a flood's.
    pub(super) fn is_of_flood(arrival: &Arrival) -> bool {
        arrival.slot & FLOOD != 0
    }

    /// Tells whether nothing more comes of any.
    pub(super) fn are_over(&self, now: Time) -> bool {
        self.floods.iter().flatten().all(|flood| flood.is_over(now))
    }

    /// Returns how many messages have yet to come after a moment.
    pub(super) fn under_way(&self, moment: Time) -> u64 {
        self.messages_after(end_of(moment)).count() as u64
    }

    /// When the last of the messages comes that have yet to come after a moment.
    pub(super) fn last(&self, moment: Time) -> Option<Time> {
        self.messages_after(end_of(moment)).map(|message| message.due).max()
    }

    fn messages_after(&self, turn: Turn) -> impl Iterator<Item = Spelled> {
        let flows = move |flood: &&Flood| flood.last >= turn.0;
        self.floods.iter().flatten().filter(flows).flat_map(move |flood| flood.under_way(&self.lanes, turn))
    }

    /// Ends all floods, and returns the messages that they stood for and that have yet to come after a turn, each with its
    /// block.
    pub(super) fn spell_out(&mut self, turn: Turn, queue: &mut Queue) -> Vec<(Spelled, Blockchain)> {
        let now = turn.0;
        let floods = mem::take(&mut self.floods);
        if floods.iter().all(Option::is_none) {
            return Vec::new();
        }
        let mut all = Vec::new();
        for arrival in queue.drain() {
            if arrival.slot & FLOOD == 0 {
                queue.push(arrival);
            } else if arrival.slot & (ASKED | SENT) == 0 && arrival.at <= now && self.last != Some(arrival) {
                // Its time has come, but not its turn.
                let flood = floods[number_of(&arrival)].as_ref();
                let chain = flood.expect("a flood lasts until its last arrival").chain.clone();
                let [from, to] = [arrival.from, arrival.to].map(NodeId::new);
                all.push((Spelled { from, to, sent: now, due: arrival.at, count: arrival.count }, chain));
            }
        }
        for flood in floods.iter().flatten() {
            let messages = flood.under_way(&self.lanes, turn);
            all.extend(messages.map(|message| (message, flood.chain.clone())));
        }
        all.sort_by_key(|(message, _)| message.turn());
        all.dedup_by_key(|(message, _)| message.turn());
        all
    }

    #[inline]
    fn number_of(&mut self, chain: &Blockchain, hint: Option<u32>, now: Time) -> Option<u32> {
        let is_one = |flood: &Flood| flood.chain.is_same_copy(chain) && !flood.is_over(now);
        let is_of = |flood: &Option<Flood>| flood.as_ref().is_some_and(is_one);
        // It may have been spelled out meanwhile.
        if let Some(hint) = hint.filter(|hint| self.floods.get(*hint as usize).is_some_and(is_of)) {
            return Some(hint);
        }
        if let Some(number) = self.floods.iter().position(is_of) {
            return Some(number as u32);
        }
        self.begin(chain.clone(), now)
    }

    /// Ends those of which nothing more comes; the numbers of the others stay.
    #[inline]
    pub(super) fn end_those_over(&mut self, now: Time) {
        for place in &mut self.floods {
            if let Some(over) = place.take_if(|flood| flood.is_over(now)) {
                self.spare.push(over.end());
            }
        }
        while self.floods.pop_if(|last| last.is_none()).is_some() {}
    }

    /// Begins one, if there is room for it.
    #[cold]
    fn begin(&mut self, chain: Blockchain, now: Time) -> Option<u32> {
        self.end_those_over(now);
        let (bytes, own_bytes) = match self.by_hash {
            true => (ANNOUNCEMENT_BYTES, ANNOUNCEMENT_BYTES),
            false => (self.bytes_of(&chain), Size::of_new_block(&chain).own_bytes()),
        };
        let (count, sum) = self
            .floods
            .iter()
            .flatten()
            .fold((0, own_bytes), |(count, sum), flood| (count + 1, sum.saturating_add(flood.own_bytes)));
        if count >= FLOODS_MAX || sum > OWN_BYTES_MAX {
            return None;
        }
        let spare = self.spare.pop().unwrap_or_default();
        let flood = Some(Flood::begin(chain, (bytes, own_bytes), now, self.lanes.nodes(), spare));
        let free = self.floods.iter().position(Option::is_none);
        match free {
            Some(number) => self.floods[number] = flood,
            None => self.floods.push(flood),
        }
        Some(free.unwrap_or(self.floods.len() - 1) as u32)
    }
}

#[cfg(test)]
mod tests;
