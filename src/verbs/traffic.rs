//! The life of a message on its link: what a judge says of it, whether the link loses it, how much may be under way, who
//! waits for a release, and when it arrives.

use std::{collections::BTreeMap, fmt};

use super::{links_up::CameUp, trace::Trace};
use crate::{
    message::{Message, NodeId, Size},
    time::Time,
    wire::{
        Arrival, Bandwidth, BlockCost, Epoch, Fate, Link, Links, Load, MessageLoss, Partition, Regions, Room,
        Verdict, Waiting,
    },
};

/// The links of a network, and what waits on them.
#[derive(Debug)]
pub struct Traffic {
    links: Links,
    judge: Option<Judge>,
    /// Whether what is sent is traced.
    is_traced: bool,
    /// What has come to a link's end and waits for a release.
    held: BTreeMap<(NodeId, NodeId), Vec<UnderWay>>,
    /// What each link has for what is under way.
    room: Room,
}

/// A message under way.
///
/// It is moved from hand to hand: it is small enough for that to be a few instructions.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) due: Time,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// Its own bytes, whatever its blocks are said to have: what it takes in memory.
    pub(crate) bytes: u64,
    message: Message,
    sent: Epoch,
    /// Where it is counted.
    pub(crate) lane: u32,
    /// What its receiver has still to take in and to look at, if that takes time.
    load: Option<Box<Load>>,
    trace: Trace,
}

impl UnderWay {
    /// Tells whether it counts as delivered: it is due, and no block in it is still to be looked at.
    pub(crate) fn has_come(&self, now: Time) -> bool {
        self.due <= now && self.load.as_deref().is_none_or(|load| load.validation_nanos == 0)
    }
}

/// A message under way that was relayed, as its lane counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnLane {
    pub(crate) sent: Epoch,
    pub(crate) bytes: u64,
    pub(crate) lane: u32,
}

impl OnLane {
    /// Makes it a message by itself, which is due now.
    pub(crate) fn by_itself(self, due: Time, (from, to): (NodeId, NodeId), message: Message) -> UnderWay {
        let Self { sent, bytes, lane } = self;
        UnderWay { due, from, to, bytes, message, sent, lane, load: None, trace: Trace::default() }
    }
}

/// What a driver has to do with a message that is sent, or due.
#[derive(Debug)]
pub(crate) enum Offer {
    /// Put it into its receiver's inbox.
    Arrived(Message, Trace),
    /// Bring it back when it is due.
    Later(UnderWay),
    /// Nothing: it waits for a release.
    Held,
    /// Count it as dropped: too much is under way.
    TooMuch(Trace),
    /// Count it as lost.
    Lost(MessageLoss, Trace),
}

/// Why a message does not go its way.
#[derive(Debug)]
pub(crate) enum Refusal {
    TooMuch,
    Lost(MessageLoss),
}

impl Refusal {
    pub(crate) fn with(self, trace: Trace) -> Offer {
        match self {
            Self::TooMuch => Offer::TooMuch(trace),
            Self::Lost(loss) => Offer::Lost(loss, trace),
        }
    }
}

type JudgeFn = dyn FnMut(NodeId, NodeId, &Message) -> Verdict + Send;

/// A test's say on every message.
pub(crate) struct Judge(pub(crate) Box<JudgeFn>);

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl Traffic {
    pub(crate) fn new(seed: u64, room: Room) -> Self {
        Self { links: Links::new(seed), judge: None, is_traced: false, held: BTreeMap::new(), room }
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// What a message of a size takes on the wire.
    #[inline]
    pub(crate) fn load(&self, size: Size) -> Load {
        let cost = self.links.block_cost();
        let own_bytes = size.own_bytes();
        let stated = cost.bytes.map(|each| each.saturating_mul(size.blocks));
        let block_bytes = stated.unwrap_or(size.block_bytes);
        let validation_nanos = cost.validation_nanos(block_bytes);
        let bytes = size.with_block_bytes(block_bytes);
        Load { bytes, own_bytes, validation_nanos, writing_nanos: 0 }
    }

    /// Begins the trace of a message that a node sends, if messages are traced; `now` is asked for the node's time.
    pub(crate) fn trace(&self, message: &Message, from: NodeId, now: impl FnOnce() -> Time) -> Trace {
        if self.is_traced { Trace::of(message, from, now()) } else { Trace::default() }
    }

    /// Sends a message. One that is due at once arrives at once if `may_arrive` says that it overtakes
    /// nothing.
    #[inline]
    pub(crate) fn send(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        message: Message,
        load: Load,
        may_arrive: bool,
        trace: Trace,
    ) -> Offer {
        let verdict = self.judge.as_mut().map_or(Verdict::Pass, |judge| (judge.0)(from, to, &message));
        let (due, lane) = match self.way(verdict, now, (from, to), load) {
            Ok(way) => way,
            Err(refusal) => return refusal.with(trace),
        };
        // What is delayed by a verdict is delayed by nothing else.
        let is_light = load.is_light() || verdict != Verdict::Pass;
        let (sent, arrives) = (self.links.epoch(), due <= now && may_arrive);
        if arrives && is_light && self.links.arrival(from, to, sent) == Arrival::Arrived {
            return Offer::Arrived(message, trace);
        }
        let bytes = load.own_bytes;
        let lane = self.links.put_on((from, to), lane, bytes);
        let load = (!is_light).then(|| Box::new(self.written(from, to, load)));
        let message = UnderWay { due, from, to, bytes, message, sent, lane, load, trace };
        if arrives { self.arrive(message) } else { Offer::Later(message) }
    }

    /// Sends a message to one of the many whom it is relayed to, which the driver keeps; returns when it is due there, and where
    /// it is counted. Nobody judges it, it is not traced, and it takes its receiver no time.
    #[inline]
    pub(crate) fn relay(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        load: Load,
    ) -> Result<(Time, u32), Refusal> {
        debug_assert!(!self.is_judged() && !self.is_traced && load.is_light());
        let (due, lane) = self.way(Verdict::Pass, now, (from, to), load)?;
        Ok((due, self.links.put_on((from, to), lane, load.own_bytes)))
    }

    /// Lets a message arrive that was relayed so, if nothing has come in its way since it was sent; tells whether it did.
    #[inline]
    pub(crate) fn arrive_relayed(&mut self, (from, to): (NodeId, NodeId), message: OnLane) -> bool {
        let has_arrived = self.links.arrival(from, to, message.sent) == Arrival::Arrived;
        if has_arrived {
            self.links.take_off((from, to), message.lane, message.bytes);
        }
        has_arrived
    }

    /// Decides when a message comes to the end of its link, whose lane it tells if it has one.
    #[inline]
    fn way(
        &mut self,
        verdict: Verdict,
        now: Time,
        (from, to): (NodeId, NodeId),
        load: Load,
    ) -> Result<(Time, Option<u32>), Refusal> {
        if let Some(loss) = self.links.refusal(verdict, from, to) {
            return Err(Refusal::Lost(loss));
        }
        // What finds no room takes none of its sender's time, and none of its link's draws.
        let lane = self.links.place(from, to);
        if !self.links.under_way(lane).leaves_room(load.own_bytes, self.room) {
            return Err(Refusal::TooMuch);
        }
        match self.links.carry(verdict, now, (from, to), lane, load.bytes) {
            (Fate::Deliver(due), lane) => Ok((due, lane)),
            (Fate::Lost(loss), _) => Err(Refusal::Lost(loss)),
        }
    }

    /// Tells whether half of the room on the lane in a place is taken up, or more.
    #[inline]
    pub(crate) fn is_half_full(&self, lane: Option<u32>) -> bool {
        let Waiting { messages, bytes } = self.links.under_way(lane);
        messages > self.room.messages / 2 || bytes > self.room.bytes / 2
    }

    /// Has the lanes fetched from memory over which a node is about to send to others, without waiting for one before the
    /// next.
    pub(crate) fn fetch_lanes(&self, from: NodeId, others: &[NodeId]) {
        others.iter().filter_map(|to| self.links.place(from, *to)).for_each(|lane| self.fetch(lane));
    }

    /// Has what the arrival of a message reads that is counted in a lane fetched from memory, and does not wait for it.
    pub(crate) fn fetch(&self, lane: u32) {
        std::hint::black_box(self.links.under_way(Some(lane)).messages);
    }

    /// Lets a message arrive that is due.
    #[inline]
    pub(crate) fn arrive(&mut self, mut message: UnderWay) -> Offer {
        let UnderWay { due, from, to, bytes, sent, lane, .. } = message;
        let arrival = self.links.arrival(from, to, sent);
        if arrival == Arrival::Held {
            self.held.entry((from, to)).or_default().push(message);
            return Offer::Held;
        }
        if arrival == Arrival::Arrived
            && let Some(load) = message.load.take()
        {
            let later = self.links.taken_in_at(due, to, *load);
            if later > due {
                return Offer::Later(UnderWay { due: later, ..message });
            }
        }
        self.links.take_off((from, to), lane, bytes);
        match arrival {
            Arrival::Lost(loss) => Offer::Lost(loss, message.trace),
            _ => Offer::Arrived(message.message, message.trace),
        }
    }

    /// Tells whether somebody judges what is sent.
    pub(crate) fn is_judged(&self) -> bool {
        self.judge.is_some()
    }

    /// Tells whether what is sent is traced.
    pub(crate) fn is_traced(&self) -> bool {
        self.is_traced
    }

    /// Puts a message under way that was sent since the last change; `read` is when its receiver has looked at it, and
    /// `is_to_come` tells whether what comes to the link's end at a moment has yet to come there.
    pub(crate) fn put_under_way(
        &mut self,
        (from, to): (NodeId, NodeId),
        read: Time,
        message: Message,
        is_to_come: impl FnOnce(Time) -> bool,
    ) -> UnderWay {
        let looking = match self.load(message.measured()).is_light() {
            true => Some(0),
            false => self.links.steady_block_nanos(from, to),
        };
        let looking = looking.expect("blocks flow without messages only where this is always the same");
        let at_end = Time::from_nanos(read.as_nanos().saturating_sub(looking));
        let is_to_come = is_to_come(at_end);
        let due = if is_to_come { at_end } else { read };
        self.put_back((from, to), (at_end, due), message, !is_to_come)
    }

    /// Puts a message under way that was sent since the last change, comes to the link's end at a time, and is due at
    /// another; `is_read` tells whether its receiver has nothing more to do with it than to wait until then.
    pub(crate) fn put_back(
        &mut self,
        (from, to): (NodeId, NodeId),
        (at_end, due): (Time, Time),
        message: Message,
        is_read: bool,
    ) -> UnderWay {
        let load = self.load(message.measured());
        self.links.note_arrival(from, to, at_end);
        let bytes = load.own_bytes;
        let lane = self.links.put_on((from, to), None, bytes);
        let load = (!is_read && !load.is_light()).then(|| Box::new(self.written(from, to, load)));
        let sent = self.links.epoch();
        UnderWay { due, from, to, bytes, message, sent, lane, load, trace: Trace::default() }
    }

    /// Has a node send so many bytes after what it sends already; tells when they are out.
    pub(crate) fn sent_at(&mut self, now: Time, from: NodeId, bytes: u64) -> Time {
        self.links.sent_at(now, from, bytes)
    }

    /// Has a node take in what has come to it from another, over a link of any bandwidth, and look at it; tells when it has.
    pub(crate) fn read_at(&mut self, now: Time, (from, to): (NodeId, NodeId), load: Load) -> Time {
        let load = Load { writing_nanos: self.links.uploading_nanos(from, load.bytes), ..load };
        self.links.taken_in_at(now, to, load)
    }

    /// Notes that something that is sent comes to the end of a link at a time.
    pub(crate) fn note_arrival(&mut self, (from, to): (NodeId, NodeId), at: Time) {
        self.links.note_arrival(from, to, at);
    }

    /// What a message takes that is sent over a link as it is now.
    fn written(&self, from: NodeId, to: NodeId, load: Load) -> Load {
        Load { writing_nanos: self.links.writing_nanos(from, to, load.bytes), ..load }
    }

    /// Tells whether a message may be lost between two nodes, either way, while nothing is cut, crashed or held.
    pub(crate) fn may_lose(&self, one: NodeId, other: NodeId) -> bool {
        let loses = |from, to| self.links.link(from, to).loss() > 0.0;
        self.is_judged() || loses(one, other) || loses(other, one)
    }

    pub(crate) fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) -> Option<CameUp> {
        let before = self.links.link(from, to);
        self.links.set_link(from, to, link);
        CameUp::One(from, to).with_setting(before, link)
    }

    pub(crate) fn set_default(&mut self, link: Link) -> Option<CameUp> {
        let before = self.links.default_link();
        self.links.set_default(link);
        CameUp::All.with_setting(before, link)
    }

    /// Sets how fast a node sends and takes in: nothing is lost by that.
    pub(crate) fn set_bandwidth(&mut self, node: NodeId, bandwidth: Bandwidth) -> Option<CameUp> {
        self.links.set_bandwidth(node, bandwidth);
        None
    }

    pub(crate) fn set_regions(&mut self, regions: Option<Regions>) -> Option<CameUp> {
        self.links.set_regions(regions);
        None
    }

    pub(crate) fn set_block_cost(&mut self, cost: BlockCost) -> Option<CameUp> {
        self.links.set_block_cost(cost);
        None
    }

    /// Sets who judges. What the judge before dropped may pass now.
    pub(crate) fn set_judge(&mut self, judge: Option<Judge>) -> Option<CameUp> {
        std::mem::replace(&mut self.judge, judge).map(|_| CameUp::All)
    }

    /// Has what is sent traced, or no longer.
    pub(crate) fn set_tracing(&mut self, is_traced: bool) -> Option<CameUp> {
        self.is_traced = is_traced;
        None
    }

    pub(crate) fn partition(&mut self, partition: Partition) -> Option<CameUp> {
        Some(CameUp::Across(self.links.partition(partition)))
    }

    pub(crate) fn heal(&mut self) -> Option<CameUp> {
        Some(CameUp::Across(self.links.heal()))
    }

    pub(crate) fn hold(&mut self, from: NodeId, to: NodeId) {
        self.links.hold(from, to);
    }

    /// Ends a hold; what waited is due now, in the order in which it came.
    pub(crate) fn release(&mut self, now: Time, from: NodeId, to: NodeId) -> (Option<CameUp>, Vec<UnderWay>) {
        let was_held = self.links.release(from, to);
        let held = self.held.remove(&(from, to)).unwrap_or_default();
        let due = held.into_iter().map(|message| UnderWay { due: now, ..message });
        (was_held.then_some(CameUp::One(from, to)), due.collect())
    }

    /// Loses what is under way to a node and from it.
    pub(crate) fn crash(&mut self, node: NodeId) {
        self.links.crash(node);
    }
}

#[cfg(test)]
mod tests;
