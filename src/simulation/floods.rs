//! Blocks on their way through the network, without a message for each link.
//!
//! Of the messages that bring a block to a node only the first matters: the node has the block then, and a repeat over a
//! link that loses nothing leaves no trace. So only what may come first is put into the queue, about one message in ten.
//! The others are known all the same: who told its peers, when, and whom not, says when each of them comes. From that
//! they are counted, come back if the first was in vain, and are all spelled out when the network changes.

use std::{mem, time::Duration};

use super::{
    lanes::Lanes,
    queue::{Arrival, Queue},
};
use crate::{
    blockchain::{Blockchain, Cut},
    message::{Message, NodeId, Told},
    report::Volume,
    time::Time,
};

/// In the place of a node: none.
const NOBODY: u32 = u32::MAX;
/// Stands for a node that has told nobody.
const NOT_YET: Telling = Telling { except: u32::MAX - 1, count: 0 };
/// Marks the slot of an arrival as that of a flood.
const FLOOD: u32 = 1 << 31;

/// How a node has told its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Telling {
    /// Whom it left out.
    except: u32,
    /// How many messages it had sent by then: what it said to a peer before and after at the same moment comes so.
    count: u32,
}

/// A message that a flood stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) due: Time,
    pub(super) count: u32,
    pub(super) chain: Blockchain,
}

/// One block on its way.
#[derive(Debug)]
struct Flood {
    chain: Blockchain,
    /// The bytes of a message that tells of it.
    bytes: u64,
    /// When each node hears of the block first, as far as is known, or when it had it.
    first: Vec<Time>,
    /// How each node has told its peers that did so when it heard.
    told: Vec<Telling>,
    /// Those that told their peers at another time: which, when, and how.
    late: Vec<(u32, Time, Telling)>,
    /// How many of its arrivals are in the queue.
    queued: u32,
    /// How many nodes are not known to hear of the block.
    unheard: usize,
    /// No node hears of it first after this, once all are known to hear of it.
    last_first: Time,
    /// No message of it comes later.
    last: Time,
}

impl Flood {
    /// Makes one that nobody has told of yet, in the memory of one that is over.
    fn begin((chain, bytes): (Blockchain, u64), now: Time, nodes: usize, spare: Spare) -> Self {
        let (mut first, mut told) = spare;
        first.clear();
        first.resize(nodes, Time::MAX);
        told.clear();
        told.resize(nodes, NOT_YET);
        let (unheard, last_first) = (nodes, Time::MAX);
        Self { chain, bytes, first, told, late: Vec::new(), queued: 0, unheard, last_first, last: now }
    }

    /// Has a node tell its peers, but one, at a moment.
    #[inline]
    fn relay(
        &mut self,
        lanes: &Lanes,
        number: u32,
        (now, from, except): (Time, u32, u32),
        queue: &mut Queue,
        count: &mut u32,
    ) -> Option<Volume> {
        let first = &mut self.first[from as usize];
        let told = &mut self.told[from as usize];
        let telling = Telling { except, count: count.wrapping_add(1) };
        if *told == NOT_YET && (*first == now || *first == Time::MAX) {
            self.unheard -= usize::from(*first == Time::MAX);
            *first = now;
            *told = telling;
        } else if *told == NOT_YET && self.late.iter().all(|late| late.0 != from) {
            self.unheard -= usize::from(*first == Time::MAX);
            *first = now.min(*first);
            self.late.push((from, now, telling));
        } else {
            return None;
        }
        *count = telling.count;
        let (start, lanes) = lanes.of(from);
        let soonest = later(now, start.nanos);
        self.last = self.last.max(later(soonest, u64::from(start.most_more_nanos)));
        let leaves_out = except != NOBODY && lanes.binary_search_by_key(&except, |lane| lane.to).is_ok();
        let messages = lanes.len() as u64 - u64::from(leaves_out);
        let volume = Some(Volume { messages, bytes: messages * self.bytes });
        if soonest > self.last_first {
            return volume;
        }
        for lane in lanes {
            let at = later(soonest, u64::from(lane.more_nanos));
            let first = &mut self.first[lane.to as usize];
            // Equal times are told apart by their senders only when they come.
            if at <= *first && lane.to != except {
                self.unheard -= usize::from(*first == Time::MAX);
                *first = at;
                self.queued += 1;
                queue.push(Arrival { at, to: lane.to, from, count: *count, slot: number | FLOOD });
            }
        }
        if self.unheard == 0 && self.last_first == Time::MAX {
            self.last_first = self.first.iter().copied().max().unwrap_or(Time::MAX);
        }
        volume
    }
}

/// The memory of a flood, to be used for another.
type Spare = (Vec<Time>, Vec<Telling>);

/// All blocks on their way.
#[derive(Debug)]
pub(super) struct Floods {
    lanes: Lanes,
    /// What every block counts as, if not as its own bytes.
    block_bytes: Option<u64>,
    floods: Vec<Option<Flood>>,
    /// Memory of floods that are over.
    spare: Vec<Spare>,
    /// What rehearsals are carried by, in a time of their own.
    rehearsals: (Queue, Time),
}

/// How a block comes from its finder to all other nodes.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// After what time each of them takes it on, the soonest first.
    pub(super) accepted: Vec<Duration>,
    /// After what time the last message has come.
    pub(super) last: Duration,
    pub(super) messages: u64,
}

/// What an arrival is.
#[derive(Debug)]
pub(super) enum Wave {
    /// A message by itself, in this slot.
    Message(u32),
    /// A block that comes first, and the number of its flood.
    First(u32, Blockchain),
    /// A repeat.
    Repeat,
}

impl Default for Floods {
    fn default() -> Self {
        let rehearsals = (Queue::new(Time::UNIX_EPOCH), Time::UNIX_EPOCH);
        Self { lanes: Lanes::default(), block_bytes: None, floods: Vec::new(), spare: Vec::new(), rehearsals }
    }
}

impl Floods {
    /// Begins anew, when nothing is on its way; tells whether the links are others than before, or blocks count as other
    /// bytes.
    pub(super) fn set_lanes(&mut self, lanes: Lanes, block_bytes: Option<u64>) -> bool {
        debug_assert!(self.floods.iter().all(Option::is_none));
        let are_others = self.lanes != lanes || self.block_bytes != block_bytes;
        if are_others {
            self.lanes = lanes;
            self.block_bytes = block_bytes;
            self.spare.clear();
        }
        are_others
    }

    /// The bytes of a message that tells of a block.
    pub(super) fn bytes_of(&self, chain: &Blockchain) -> u64 {
        let size = Message::NewBlock(Told::Chain(chain.clone())).measured();
        size.with_block_bytes(self.block_bytes.unwrap_or(size.block_bytes))
    }

    /// Tells what has arrived.
    #[inline]
    pub(super) fn arrive(&mut self, arrival: &Arrival) -> Wave {
        if arrival.slot & FLOOD == 0 {
            return Wave::Message(arrival.slot);
        }
        let number = arrival.slot & !FLOOD;
        let flood = self.floods[number as usize].as_mut().expect("a flood lasts until its last arrival");
        flood.queued -= 1;
        if flood.first[arrival.to as usize] < arrival.at {
            return Wave::Repeat;
        }
        Wave::First(number, flood.chain.clone())
    }

    /// Has a node tell its peers, but one, of a block, and returns the messages that makes. If it has told them
    /// before, it makes none, and whoever asks sends them one by one. `hint` is the flood that the node has just heard of.
    #[inline]
    pub(super) fn relay(
        &mut self,
        now: Time,
        (from, except): (NodeId, Option<NodeId>),
        chain: &Blockchain,
        hint: Option<u32>,
        queue: &mut Queue,
        count: &mut u32,
    ) -> Option<Volume> {
        let number = self.number_of(chain, hint, now);
        let flood = self.floods[number as usize].as_mut().expect("it was found or made");
        let from = from.index() as u32;
        let except = except.map_or(NOBODY, |node| node.index() as u32);
        flood.relay(&self.lanes, number, (now, from, except), queue, count)
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
        let flood = self.floods.get_mut(number as usize).and_then(Option::as_mut);
        // It may have been spelled out meanwhile.
        let Some(flood) = flood.filter(|flood| flood.chain.is_same_copy(chain)) else { return };
        if flood.first[to.index()] > now {
            // Another came at the same time, and was in vain, too.
            return;
        }
        let is_to_it = |message: &Spelled| message.to == to;
        let comes: Vec<_> = spelled(flood, &self.lanes, now).filter(is_to_it).collect();
        let next = comes.iter().map(|message| message.due).min();
        flood.first[to.index()] = next.unwrap_or(Time::MAX);
        // It hears of the block first later than was thought.
        flood.unheard += usize::from(next.is_none());
        flood.last_first = Time::MAX;
        for Spelled { from, to, due, count, .. } in
            comes.into_iter().filter(|message| Some(message.due) == next)
        {
            flood.queued += 1;
            let [from, to] = [from, to].map(|node| node.index() as u32);
            queue.push(Arrival { at: due, to, from, count, slot: number | FLOOD });
        }
    }

    /// Finds out how a block that a node has found comes to all others while nothing else happens; none if it does not.
    ///
    /// It costs what carrying the block costs, less what the nodes do.
    pub(super) fn rehearse(&mut self, finder: NodeId, chain: &Blockchain) -> Option<Rehearsal> {
        if self.rehearsals.1 > Time::from_nanos(u64::MAX / 2) {
            self.rehearsals = (Queue::new(Time::UNIX_EPOCH), Time::UNIX_EPOCH);
        }
        let Self { lanes, spare, rehearsals: (queue, now), .. } = self;
        let (start, mut count) = (*now, 0);
        let mut flood =
            Flood::begin((chain.clone(), 0), start, lanes.nodes(), spare.pop().unwrap_or_default());
        let (mut accepted, mut messages) = (Vec::with_capacity(lanes.nodes()), 0);
        let mut next = Some((start, finder.index() as u32, NOBODY));
        while let Some((at, node, except)) = next {
            // Of those that come first at one moment one is taken on.
            if let Some(volume) = flood.relay(lanes, 0, (at, node, except), queue, &mut count) {
                messages += volume.messages;
                accepted.push(at - start);
            }
            next = std::iter::from_fn(|| queue.pop_until(Time::MAX)).find_map(|arrival| {
                (flood.first[arrival.to as usize] == arrival.at).then_some((
                    arrival.at,
                    arrival.to,
                    arrival.from,
                ))
            });
        }
        // Time does not go back in a queue.
        *now = flood.last;
        let last = flood.last - start;
        spare.push((flood.first, flood.told));
        // Beyond the end of time nothing comes.
        let is_with_all = accepted.len() == lanes.nodes() && *now < Time::MAX;
        is_with_all.then(|| Rehearsal { accepted: accepted.split_off(1), last, messages })
    }

    /// Tells whether messages may still be under way that tell of a block which a node has heard of, and does not
    /// remember.
    pub(super) fn miss(&self, now: Time, node: NodeId, remembers: impl Fn(&Blockchain) -> bool) -> bool {
        let mut heard = self
            .floods
            .iter()
            .flatten()
            .filter(|flood| flood.last >= now && flood.first[node.index()] <= now);
        heard.any(|flood| !remembers(&flood.chain))
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

    /// Returns how many messages are under way.
    pub(super) fn under_way(&self, now: Time) -> u64 {
        self.floods.iter().flatten().map(|flood| spelled(flood, &self.lanes, now).count() as u64).sum()
    }

    /// Ends all floods, and returns the messages under way that they stood for, in the order in which they were sent.
    pub(super) fn spell_out(&mut self, now: Time, queue: &mut Queue) -> Vec<Spelled> {
        let floods = mem::take(&mut self.floods);
        if floods.iter().all(Option::is_none) {
            return Vec::new();
        }
        let mut all = Vec::new();
        for arrival in queue.drain() {
            if arrival.slot & FLOOD == 0 {
                queue.push(arrival);
            } else if arrival.at <= now {
                // Its time has come, but not its turn.
                let flood = floods[(arrival.slot & !FLOOD) as usize].as_ref();
                let chain = flood.expect("a flood lasts until its last arrival").chain.clone();
                let [from, to] = [arrival.from, arrival.to].map(NodeId::new);
                all.push(Spelled { from, to, due: arrival.at, count: arrival.count, chain });
            }
        }
        for flood in floods.iter().flatten() {
            all.extend(spelled(flood, &self.lanes, now));
        }
        all.sort_by_key(|message| (message.due, message.to, message.from, message.count));
        all
    }

    fn number_of(&mut self, chain: &Blockchain, hint: Option<u32>, now: Time) -> u32 {
        let is_of =
            |flood: &Option<Flood>| flood.as_ref().is_some_and(|flood| flood.chain.is_same_copy(chain));
        if let Some(hint) = hint.filter(|hint| is_of(&self.floods[*hint as usize])) {
            return hint;
        }
        if let Some(number) = self.floods.iter().position(is_of) {
            return number as u32;
        }
        self.begin(chain.clone(), now)
    }

    #[cold]
    fn begin(&mut self, chain: Blockchain, now: Time) -> u32 {
        for place in &mut self.floods {
            if let Some(over) = place.take_if(|flood| flood.queued == 0 && flood.last < now) {
                self.spare.push((over.first, over.told));
            }
        }
        let bytes = self.bytes_of(&chain);
        let spare = self.spare.pop().unwrap_or_default();
        let flood = Flood::begin((chain, bytes), now, self.lanes.nodes(), spare);
        let flood = Some(flood);
        let free = self.floods.iter().position(Option::is_none);
        match free {
            Some(number) => self.floods[number] = flood,
            None => self.floods.push(flood),
        }
        free.unwrap_or(self.floods.len() - 1) as u32
    }
}

/// The messages of a flood that come after a moment.
fn spelled<'a>(flood: &'a Flood, lanes: &'a Lanes, now: Time) -> impl Iterator<Item = Spelled> + 'a {
    let told = (0..).zip(&flood.told).filter(|(_, telling)| **telling != NOT_YET);
    let told = told.map(|(from, telling)| (from, flood.first[from as usize], *telling));
    told.chain(flood.late.iter().copied()).flat_map(move |(from, sent, Telling { except, count })| {
        let (start, lanes) = lanes.of(from);
        lanes.iter().filter(move |lane| lane.to != except).filter_map(move |lane| {
            let due = later(sent, start.nanos + u64::from(lane.more_nanos));
            let [from, to] = [from, lane.to].map(NodeId::new);
            (due > now).then(|| Spelled { from, to, due, count, chain: flood.chain.clone() })
        })
    })
}

fn later(time: Time, nanos: u64) -> Time {
    Time::from_nanos(time.as_nanos().saturating_add(nanos))
}
