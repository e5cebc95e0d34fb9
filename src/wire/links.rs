//! The state of all links of a network.

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};

use super::{
    Arrival, BlockCost, Epoch, Fate, Link, MessageLoss, Partition, Regions, Verdict, draw::Key, host::Hosts,
    lane::Lane, lanes::Lanes, room::Waiting,
};
use crate::{NodeId, Time};

/// All links of a network: what each is like, what is held, and how the network is partitioned.
///
/// Any node can send to any other; who does is the nodes' business. A directed link, from one node to another, takes
/// memory only once it is set, held, or used while messages may take time: some seventy bytes each, for ever, however many
/// messages it carries. What links are set to takes as much again, once for those that are set alike one after the other. A
/// network of perfect links, without bandwidths, regions and a time to look at blocks, takes none but for what is under way.
/// Nodes are dense from 0, and so are the tables here.
///
/// `Links` keeps no message. A driver keeps those under way and those held, each with the [`Epoch`] of its sending; see
/// the [module](super) for the life of a message.
///
/// ```
/// use std::time::Duration;
/// use chainlab::{NodeId, Time, wire::{Arrival, Fate, Latency, Link, Links, MessageLoss, Partition}};
///
/// let [alice, bob] = [NodeId::new(0), NodeId::new(1)];
/// let now = Time::from_nanos(0);
/// let mut links = Links::new(42);
/// assert_eq!(links.send(now, alice, bob, 300), Fate::Deliver(now));
///
/// let slow = Link::default().with_latency(Latency::fixed(Duration::from_millis(40)));
/// links.set_link(alice, bob, slow);
/// assert_eq!(links.send(now, alice, bob, 300), Fate::Deliver(now + Duration::from_millis(40)));
///
/// let sent = links.epoch();
/// links.partition(Partition::new([[alice]])?);
/// links.heal();
/// assert_eq!(links.arrival(alice, bob, sent), Arrival::Lost(MessageLoss::Partition));
/// # Ok::<(), chainlab::wire::PartitionError>(())
/// ```
#[derive(Debug)]
pub struct Links {
    key: Key,
    pub(super) seed: u64,
    pub(super) default: Link,
    pub(super) hosts: Hosts,
    pub(super) regions: Option<Regions>,
    /// The places of the regions of the first nodes, which take a draw each.
    pub(super) places: Vec<u32>,
    pub(super) block_cost: BlockCost,
    partition: Partition,
    epoch: Epoch,
    /// How many lanes are held.
    held: usize,
    /// The last crash of every node that ever crashed.
    crashes: BTreeMap<NodeId, Epoch>,
    lanes: Lanes,
    /// What a link was last set to: mostly the next is set to the same, and shares it.
    last_set: Option<Arc<Link>>,
    /// When all of them are idle.
    idle_at: Time,
}

impl Links {
    /// Makes a network of perfect links, all of whose draws follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self {
            key: Key::new(seed),
            seed,
            default: Link::default(),
            hosts: Hosts::default(),
            regions: None,
            places: Vec::new(),
            block_cost: BlockCost::default(),
            partition: Partition::default(),
            epoch: Epoch::default(),
            held: 0,
            crashes: BTreeMap::new(),
            lanes: Lanes::default(),
            last_set: None,
            idle_at: Time::UNIX_EPOCH,
        }
    }

    /// Sets what every link is like that has no setting of its own, from the next message on.
    pub fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    /// Returns what every link is like that has no setting of its own.
    pub const fn default_link(&self) -> Link {
        self.default
    }

    /// Sets what the directed link is like, from the next message on. Messages under way keep their fate.
    pub fn set_link(&mut self, from: NodeId, to: NodeId, link: Link) {
        let last_set = self.last_set.take().filter(|last| **last == link);
        let link = last_set.unwrap_or_else(|| Arc::new(link));
        self.last_set = Some(Arc::clone(&link));
        self.lane_mut(from, to).link = Some(link);
    }

    /// Sets what the links between two nodes are like, in both directions.
    pub fn set_both_links(&mut self, a: NodeId, b: NodeId, link: Link) {
        self.set_link(a, b, link);
        self.set_link(b, a, link);
    }

    /// Returns what the directed link is like.
    pub fn link(&self, from: NodeId, to: NodeId) -> Link {
        let own = self.lane(from, to).and_then(|lane| lane.link.as_deref());
        own.copied().unwrap_or_else(|| self.unset_link(from, to))
    }

    /// Tells whether every message arrives at once: nothing was ever set, held or used but perfect links.
    ///
    /// A driver may then deliver without asking any further. Costs O(1).
    pub fn are_perfect(&self) -> bool {
        self.lanes.is_empty()
            && self.partition.is_empty()
            && self.default.is_perfect()
            && self.hosts.is_empty()
            && self.regions.is_none()
            && self.block_cost == BlockCost::default()
    }

    /// Decides what becomes of a message of so many bytes.
    ///
    /// A message over a perfect link arrives now, without a draw, and without any memory if no bandwidth was ever
    /// set, there are no regions, and blocks take no time to look at. Else it costs O(log d), d being the number of links of
    /// the sender that are set or were used, at first O(d), and at most two draws.
    ///
    /// Whoever carries out [`Fate::Deliver`] remembers [`Links::epoch`] with the message, and asks [`Links::arrival`]
    /// when it is due, even if that is now.
    pub fn send(&mut self, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        self.send_with(Verdict::Pass, now, from, to, bytes)
    }

    /// Decides what becomes of a message on which the caller has a verdict; [`Verdict::Pass`] is [`Links::send`].
    ///
    /// A message that is delayed or dropped is not put on the link: it shifts none of the link's draws.
    pub fn send_with(&mut self, verdict: Verdict, now: Time, from: NodeId, to: NodeId, bytes: u64) -> Fate {
        match self.refusal(verdict, from, to) {
            Some(loss) => Fate::Lost(loss),
            None => self.carry(verdict, now, (from, to), self.place(from, to), bytes).0,
        }
    }

    /// Tells why a message does not come so far as to be put on a directed link, if it does not.
    #[inline]
    pub(crate) fn refusal(&self, verdict: Verdict, from: NodeId, to: NodeId) -> Option<MessageLoss> {
        if self.partition.separates(from, to) {
            return Some(MessageLoss::Partition);
        }
        (verdict == Verdict::Drop).then_some(MessageLoss::Verdict)
    }

    /// The place of a directed link's lane, if it has one.
    #[inline]
    pub(crate) fn place(&self, from: NodeId, to: NodeId) -> Option<u32> {
        self.lanes.place(from, to)
    }

    /// Puts a message that is not refused on a directed link, whose lane is in that place, and decides what becomes of it;
    /// tells the place of the lane that it has then, if it has one.
    #[inline]
    pub(crate) fn carry(
        &mut self,
        verdict: Verdict,
        now: Time,
        (from, to): (NodeId, NodeId),
        place: Option<u32>,
        bytes: u64,
    ) -> (Fate, Option<u32>) {
        if let Verdict::Delay(delay) = verdict {
            // It is under way from now on, so the lane must be there for a partition to mark.
            return (Fate::Deliver(now + delay), Some(self.place_or_add((from, to), place)));
        }
        let out = self.sent_at(now, from, bytes);
        let own = place.and_then(|place| self.lanes.at(place).link.as_deref());
        let link = own.copied().unwrap_or_else(|| self.unset_link(from, to));
        // What takes no time leaves nothing to remember, unless it has to wait for what came before.
        let is_idle = place.is_none_or(|place| self.lanes.at(place).idle_at() <= now);
        if is_idle && self.is_instant(&link) {
            return (Fate::Deliver(out), place);
        }
        let place = self.place_or_add((from, to), place);
        let key = self.key;
        let key = || key.and((from.index() as u64) << 32 | to.index() as u64);
        let lane = self.lanes.at_mut(place);
        let fate = match lane.carry(&link, key, out, bytes) {
            Some(at) => Fate::Deliver(at),
            None => Fate::Lost(MessageLoss::Loss),
        };
        self.idle_at = lane.idle_at().max(self.idle_at);
        (fate, Some(place))
    }

    /// What is under way on the lane in a place, if there is one.
    #[inline]
    pub(crate) fn under_way(&self, place: Option<u32>) -> Waiting {
        place.map_or(Waiting::default(), |place| self.lanes.at(place).under_way)
    }

    /// What is under way on a directed link.
    #[cfg(test)]
    pub(crate) fn waiting(&self, from: NodeId, to: NodeId) -> Waiting {
        self.under_way(self.lanes.place(from, to))
    }

    /// Counts so many bytes as under way, on the lane in a place, or on one that is there from now on; returns its place,
    /// which it keeps until all that is under way was [taken off](Self::take_off).
    #[inline]
    pub(crate) fn put_on(&mut self, (from, to): (NodeId, NodeId), place: Option<u32>, bytes: u64) -> u32 {
        let place = self.place_or_add((from, to), place);
        self.lanes.at_mut(place).under_way.add(bytes);
        place
    }

    /// Counts so many bytes as under way no more. A lane of which nothing else is to be remembered is forgotten then.
    #[inline]
    pub(crate) fn take_off(&mut self, (from, to): (NodeId, NodeId), place: u32, bytes: u64) {
        let lane = self.lanes.at_mut(place);
        lane.under_way.remove(bytes);
        if lane.is_forgotten() {
            self.lanes.remove(from, to);
        }
    }

    /// Returns the present epoch, to be remembered with each message that is sent.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Tells whether a message arrives that was sent in that epoch and is due now.
    ///
    /// It is lost if a partition that separates its ends has begun since, even if healed; only a message that takes no
    /// time at all, over a perfect link that was never set, held or used before, survives a partition that begins and heals
    /// before this is asked, unless a [`Network`](crate::Network) or a [`Simulation`](crate::Simulation) carries it. It is
    /// lost as well if one of its ends has crashed since, and held if its link is. Costs two comparisons where no partition
    /// has begun since, no node has crashed and nothing is held.
    pub fn arrival(&self, from: NodeId, to: NodeId, sent: Epoch) -> Arrival {
        if sent == self.epoch && self.held == 0 {
            return Arrival::Arrived;
        }
        let has_crashed = |node| self.crashes.get(&node).is_some_and(|crash| *crash > sent);
        if has_crashed(from) || has_crashed(to) {
            return Arrival::Lost(MessageLoss::Crash);
        }
        let lane = self.lane(from, to);
        if self.partition.separates(from, to) || lane.is_some_and(|lane| lane.cut > sent) {
            Arrival::Lost(MessageLoss::Partition)
        } else if lane.is_some_and(|lane| lane.held) {
            Arrival::Held
        } else {
            Arrival::Arrived
        }
    }

    /// Cuts all links between the groups of a partition, in place of those of the partition before, which it returns.
    ///
    /// Messages under way or held between the groups are lost, and so is all that is sent while the partition lasts.
    /// Costs O(the links set or used).
    ///
    /// Two nodes can talk again if the partition that is returned separates them and [`Links::is_reachable`] now says
    /// so; a driver tells them.
    pub fn partition(&mut self, partition: Partition) -> Partition {
        self.epoch = self.epoch.next();
        let epoch = self.epoch;
        self.lanes.for_each(|from, to, lane| {
            if partition.separates(from, to) {
                lane.cut = epoch;
            }
        });
        mem::replace(&mut self.partition, partition)
    }

    /// Crashes a node: what is under way or held, to it and from it, is lost. What is sent from now on is not.
    pub fn crash(&mut self, node: NodeId) {
        self.epoch = self.epoch.next();
        self.crashes.insert(node, self.epoch);
    }

    /// Ends the partition and returns it. What was lost stays lost, and what is held stays held.
    pub fn heal(&mut self) -> Partition {
        mem::take(&mut self.partition)
    }

    /// Holds the directed link: messages that would arrive from now on, under way or yet to be sent, wait at its end.
    pub fn hold(&mut self, from: NodeId, to: NodeId) {
        if !mem::replace(&mut self.lane_mut(from, to).held, true) {
            self.held += 1;
        }
    }

    /// Releases the directed link, and tells whether it was held.
    ///
    /// The messages that wait at its end arrive now, in the order in which they came there; [`Links::arrival`] must be
    /// asked again, as a partition may have come between. Those still under way arrive when they are due.
    pub fn release(&mut self, from: NodeId, to: NodeId) -> bool {
        let place = self.place(from, to);
        let was_held = place.is_some_and(|place| mem::take(&mut self.lanes.at_mut(place).held));
        self.held -= usize::from(was_held);
        was_held
    }

    /// Tells whether a message sent now could arrive without a `heal`, a `release` or a `set_link`: no partition
    /// separates the nodes, the directed link is not held, and it does not lose everything.
    pub fn is_reachable(&self, from: NodeId, to: NodeId) -> bool {
        !self.partition.separates(from, to)
            && !self.lane(from, to).is_some_and(|lane| lane.held)
            && self.link(from, to).loss() < 1.0
    }

    /// Tells whether nothing is cut and nothing held.
    pub(crate) fn are_whole(&self) -> bool {
        self.partition.is_empty() && self.held == 0
    }

    /// Tells whether every line is free. One may not be though nothing is under way: what is lost by chance was sent all
    /// the same.
    pub(crate) fn are_idle(&self, now: Time) -> bool {
        self.hosts.are_idle(now) && self.idle_at <= now
    }

    /// Returns the time that every message which tells of a block takes over a directed link, in nanoseconds, if that is
    /// always the same.
    ///
    /// # Errors
    ///
    /// When that may be so: when the messages before, of a slower link, have arrived; or never.
    pub(crate) fn steady_nanos(&self, now: Time, from: NodeId, to: NodeId) -> Result<u64, Time> {
        let link = self.link(from, to);
        let nanos =
            link.latency().steady_nanos().filter(|_| link.loss() == 0.0 && link.bandwidth().is_none());
        let nanos = nanos.ok_or(Time::MAX)?;
        let block_nanos = self.steady_block_nanos(from, to).ok_or(Time::MAX)?;
        match self.last_arrival(from, to) {
            last if last > now + Duration::from_nanos(nanos) && link.is_ordered() => Err(last),
            _ => Ok(nanos.saturating_add(block_nanos)),
        }
    }

    /// Returns when the last of the messages over a directed link so far comes.
    pub(crate) fn last_arrival(&self, from: NodeId, to: NodeId) -> Time {
        self.lane(from, to).map_or(Time::UNIX_EPOCH, Lane::last_arrival)
    }

    /// Notes that a message that was sent over a link arrives at a time, which those after it do not come before.
    pub(crate) fn note_arrival(&mut self, from: NodeId, to: NodeId, at: Time) {
        if !(self.ends_take_no_time() && self.link(from, to).is_perfect()) {
            self.lane_mut(from, to).note_arrival(at);
            self.idle_at = at.max(self.idle_at);
        }
    }

    /// Tells whether a message over such a link takes no time at all: nothing of it is to be remembered, unless whoever
    /// carries it counts it as under way.
    fn is_instant(&self, link: &Link) -> bool {
        link.is_perfect() && self.ends_take_no_time()
    }

    /// Tells whether no node has a bandwidth, or looks at blocks; nor a region.
    fn ends_take_no_time(&self) -> bool {
        self.hosts.is_empty() && self.regions.is_none() && self.block_cost.validation.is_zero()
    }

    /// The place of a directed link's lane, which is the one given, or there from now on.
    #[inline]
    fn place_or_add(&mut self, (from, to): (NodeId, NodeId), place: Option<u32>) -> u32 {
        place.unwrap_or_else(|| self.lanes.place_or_add(from, to))
    }

    fn lane(&self, from: NodeId, to: NodeId) -> Option<&Lane> {
        self.lanes.get(from, to)
    }

    pub(super) fn lane_mut(&mut self, from: NodeId, to: NodeId) -> &mut Lane {
        let place = self.lanes.place_or_add(from, to);
        self.lanes.at_mut(place)
    }
}

#[cfg(test)]
mod tests;
