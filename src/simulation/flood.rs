//! One block on its way through the network.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint,
};

use super::{
    lanes::{LOOKED_AT, Lane, Lanes, Source, those_that},
    queue::{Arrival, Queue, Turn, turn},
};
use crate::{blockchain::Blockchain, message::NodeId, report::Volume, time::Time};

/// In the place of a node: none.
pub(super) const NOBODY: u32 = u32::MAX;
/// Stands for a node that has told nobody.
const NOT_YET: Telling = Telling { except: u32::MAX - 1, count: 0 };
/// Marks the slot of an arrival as that of a flood, whose number the last bits are.
pub(super) const FLOOD: u32 = 1 << 31;
/// Marks it as a question for the block, of whom it comes from; or as the block, for whom it comes to.
pub(super) const ASKED: u32 = 1 << 30;
pub(super) const SENT: u32 = 1 << 29;

/// The number of the flood that an arrival is of.
#[inline]
pub(super) fn number_of(arrival: &Arrival) -> usize {
    (arrival.slot & !(FLOOD | ASKED | SENT)) as usize
}

/// What an arrival is.
#[derive(Debug)]
pub(super) enum Wave {
    /// A message by itself.
    Message,
    /// The first that a node is told of a block, and the number of its flood.
    First(u32, Blockchain),
    /// A repeat.
    Repeat,
    /// A question for this block.
    Asked(Blockchain),
    /// This block, which was asked for, and the number of its flood.
    Sent(u32, Blockchain),
}

/// How a node has told its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Telling {
    /// Whom it left out.
    except: u32,
    /// How many messages it had sent by then: what it said to a peer before and after at the same moment comes so.
    count: u32,
}

/// A message that a flood stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spelled {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) sent: Time,
    /// When its receiver has looked at it.
    pub(super) due: Time,
    pub(super) count: u32,
}

impl Spelled {
    pub(super) fn turn(&self) -> Turn {
        turn(self.due, self.to.index() as u32, self.from.index() as u32, self.count)
    }
}

/// The memory of a flood, to be used for another.
#[derive(Debug, Default)]
pub(super) struct Spare {
    first: Vec<Time>,
    told: Vec<Telling>,
    hears_all: Vec<bool>,
}

/// One block on its way.
#[derive(Debug)]
pub(super) struct Flood {
    pub(super) chain: Blockchain,
    /// The bytes of a message that tells of it, as it is counted.
    bytes: u64,
    /// What such a message takes up of the room on a link.
    pub(super) own_bytes: u64,
    /// When each node hears of the block first, as far as is known, or when it had it: whatever tells it later is not in the
    /// queue. The end of time, if that is not known or the node [hears all](Self::hears_all).
    pub(super) first: Vec<Time>,
    /// How each node has told its peers that did so when it heard.
    told: Vec<Telling>,
    /// Whether each node is to hear of it from all that tell it, and has not told its peers. Empty if none is.
    hears_all: Vec<bool>,
    /// Of those that told their peers at another time: when, and how.
    late: BTreeMap<u32, (Time, Telling)>,
    /// The links, from whom and to whom, over which it is told of by a message of its own.
    apart: BTreeSet<(u32, u32)>,
    /// How many of its arrivals are in the queue.
    pub(super) queued: u32,
    /// For how many nodes the first time is the end of time.
    unheard: usize,
    /// The latest first time, once none is the end of time.
    last_first: Time,
    /// No message of it comes later.
    pub(super) last: Time,
}

impl Flood {
    /// Makes one that nobody has told of yet, in the memory of one that is over.
    pub(super) fn begin(
        chain: Blockchain,
        (bytes, own_bytes): (u64, u64),
        now: Time,
        nodes: usize,
        spare: Spare,
    ) -> Self {
        let Spare { mut first, mut told, mut hears_all } = spare;
        first.clear();
        first.resize(nodes, Time::MAX);
        told.clear();
        told.resize(nodes, NOT_YET);
        hears_all.clear();
        let (unheard, last_first) = (nodes, Time::MAX);
        let (late, apart, queued, last) = (BTreeMap::new(), BTreeSet::new(), 0, now);
        Self {
            chain,
            bytes,
            own_bytes,
            first,
            told,
            hears_all,
            late,
            apart,
            queued,
            unheard,
            last_first,
            last,
        }
    }

    /// Tells whether what tells a node of the block comes when the node has heard of it, or has it.
    #[inline]
    pub(super) fn is_repeat(&self, arrival: &Arrival) -> bool {
        self.first[arrival.to as usize] < arrival.at
    }

    /// Has what is known of a node fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, node: u32) {
        hint::black_box((self.first[node as usize], self.told[node as usize].count));
    }

    /// Has a node tell its peers, but one, and but those that it tells by messages of their own, at a moment; `came_from` is
    /// whose link has just brought it the block.
    #[inline(always)]
    pub(super) fn relay(
        &mut self,
        all: &Lanes,
        number: u32,
        (now, from, except): (Time, u32, u32),
        (came_from, apart): (u32, &[u32]),
        queue: &mut Queue,
        count: &mut u32,
    ) -> Option<Volume> {
        let first = &mut self.first[from as usize];
        let told = &mut self.told[from as usize];
        let telling = Telling { except, count: count.wrapping_add(1) };
        if *told != NOT_YET || self.late.contains_key(&from) {
            return None;
        }
        if *first == now || *first == Time::MAX {
            self.unheard -= usize::from(now < *first);
            *first = now;
            *told = telling;
            if let Some(hears_all) = self.hears_all.get_mut(from as usize) {
                *hears_all = false;
            }
        } else {
            *first = now.min(*first);
            self.late.insert(from, (now, telling));
        }
        *count = telling.count;
        let (start, lanes) = all.of(from);
        let soonest = now.after_nanos(start.nanos);
        self.last = self.last.max(soonest.after_nanos(u64::from(start.most_more_nanos)));
        let leaves_out = except != NOBODY
            && if except == came_from { all.lead_back(from, except) } else { all.leads(from, except) };
        let messages = lanes.len() as u64 - u64::from(leaves_out) - apart.len() as u64;
        if !apart.is_empty() {
            self.apart.extend(apart.iter().map(|to| (from, *to)));
        }
        let volume = Some(Volume { messages, bytes: messages * self.bytes });
        if soonest > self.last_first {
            return volume;
        }
        let comes_at = |lane: &Lane| soonest.after_nanos(u64::from(lane.more_nanos));
        // Not to mind the end of time saves a quarter of what a link takes. In its last seconds more is let through then, and
        // looked at again.
        let early = soonest.as_nanos().min(u64::MAX - u64::from(u32::MAX));
        for lanes in lanes.chunks(LOOKED_AT) {
            let first = self.first.as_slice();
            let may_be_first =
                |lane: &Lane| early + u64::from(lane.more_nanos) <= first[lane.to as usize].as_nanos();
            for (_, lane) in those_that(lanes, may_be_first) {
                let at = comes_at(lane);
                // Equal times are told apart by their senders only when they come.
                if at > self.first[lane.to as usize] || lane.to == except || apart.contains(&lane.to) {
                    continue;
                }
                if !self.hears_all(lane.to) {
                    let first = &mut self.first[lane.to as usize];
                    self.unheard -= usize::from(*first == Time::MAX && at < Time::MAX);
                    *first = at;
                }
                self.queued += 1;
                queue.push(Arrival { at, to: lane.to, from, count: *count, slot: number | FLOOD });
            }
        }
        if self.unheard == 0 && self.last_first == Time::MAX {
            self.last_first = self.first.iter().copied().max().unwrap_or(Time::MAX);
        }
        volume
    }

    /// A node has heard of the block in vain: the next messages that tell it of that after a turn are put into the queue.
    pub(super) fn was_in_vain(
        &mut self,
        sources: &[Source],
        number: u32,
        (after, to): (Turn, u32),
        queue: &mut Queue,
    ) {
        let comes: Vec<_> = self.to_node(sources, to, after).collect();
        let next = comes.iter().map(|message| message.due).min();
        self.hears_at(to, next.unwrap_or(Time::MAX));
        let next = comes.into_iter().filter(|message| Some(message.due) == next);
        self.queue_all(next, number, queue);
    }

    /// A node makes something of whoever tells it of the block: each message that does so after a turn is put into the queue,
    /// and so are those that are yet to be sent, until the node [has](Self::has_come) the block or tells of it itself.
    pub(super) fn matters_to(
        &mut self,
        sources: &[Source],
        number: u32,
        (after, to): (Turn, u32),
        queue: &mut Queue,
    ) {
        let comes: Vec<_> = self.to_node(sources, to, after).collect();
        self.hears_at(to, Time::MAX);
        self.hears_all.resize(self.first.len(), false);
        self.hears_all[to as usize] = true;
        self.queue_all(comes, number, queue);
    }

    /// Notes that a node hears of the block later than was thought.
    fn hears_at(&mut self, node: u32, at: Time) {
        let before = self.first[node as usize];
        self.unheard += usize::from(before < Time::MAX && at == Time::MAX);
        self.last_first = Time::MAX;
        self.set_first(node, at);
    }

    /// Notes that a node that has waited for the block has it now: whoever tells it later need not.
    #[inline]
    pub(super) fn has_come(&mut self, node: u32, now: Time) {
        self.unheard -= usize::from(self.first[node as usize] == Time::MAX);
        self.set_first(node, now);
    }

    /// Tells whether a node hears of the block from all that tell it.
    #[inline]
    pub(super) fn hears_all(&self, node: u32) -> bool {
        self.hears_all.get(node as usize).copied().unwrap_or(false)
    }

    #[inline]
    fn set_first(&mut self, node: u32, at: Time) {
        let (first, told) = (&mut self.first[node as usize], &mut self.told[node as usize]);
        if *told != NOT_YET {
            self.late.insert(node, (*first, *told));
            *told = NOT_YET;
        }
        *first = at;
        if let Some(hears_all) = self.hears_all.get_mut(node as usize) {
            *hears_all = false;
        }
    }

    fn queue_all(&mut self, messages: impl IntoIterator<Item = Spelled>, number: u32, queue: &mut Queue) {
        for Spelled { from, to, due, count, .. } in messages {
            self.queued += 1;
            let [from, to] = [from, to].map(|node| node.index() as u32);
            queue.push(Arrival { at: due, to, from, count, slot: number | FLOOD });
        }
    }

    /// Tells whether a node has heard of the block by a moment, and no later message is put into the queue.
    #[inline]
    pub(super) fn is_heard_by(&self, node: NodeId, now: Time) -> bool {
        let first = self.first[node.index()];
        !self.is_over(now) && first <= now && first < Time::MAX
    }

    /// When a node has told its peers, and how, if it has.
    fn telling_of(&self, from: u32) -> Option<(Time, Telling)> {
        match self.told[from as usize] {
            NOT_YET => self.late.get(&from).copied(),
            telling => Some((self.first[from as usize], telling)),
        }
    }

    /// Its messages that come to a node over links after a turn.
    pub(super) fn to_node<'a>(
        &'a self,
        sources: &'a [Source],
        to: u32,
        after: Turn,
    ) -> impl Iterator<Item = Spelled> + 'a {
        sources.iter().filter_map(move |&Source { from, nanos }| {
            self.message((from, to, nanos), self.telling_of(from)?, after)
        })
    }

    /// Tells whether nothing more comes of it: whoever tells of the block from now on begins another, as some may have
    /// forgotten it.
    #[inline]
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.queued == 0 && self.last < now
    }

    /// Leaves its memory to another.
    pub(super) fn end(self) -> Spare {
        let Self { first, told, hears_all, .. } = self;
        Spare { first, told, hears_all }
    }

    /// All of its messages that come after a turn.
    pub(super) fn under_way<'a>(
        &'a self,
        lanes: &'a Lanes,
        after: Turn,
    ) -> impl Iterator<Item = Spelled> + 'a {
        let told = (0..lanes.nodes() as u32).filter_map(|from| Some((from, self.telling_of(from)?)));
        told.flat_map(move |(from, telling)| {
            let (start, lanes) = lanes.of(from);
            lanes
                .iter()
                .filter_map(move |lane| self.message((from, lane.to, start.nanos_over(lane)), telling, after))
        })
    }

    /// The message over a link that takes so many nanoseconds, from a node that has told its peers, if there is one that
    /// comes after a turn.
    fn message(
        &self,
        (from, to, nanos): (u32, u32, u64),
        (sent, Telling { except, count }): (Time, Telling),
        after: Turn,
    ) -> Option<Spelled> {
        let due = sent.after_nanos(nanos);
        let is_apart = !self.apart.is_empty() && self.apart.contains(&(from, to));
        if turn(due, to, from, count) <= after || to == except || is_apart {
            return None;
        }
        let [from, to] = [from, to].map(NodeId::new);
        Some(Spelled { from, to, sent, due, count })
    }
}
