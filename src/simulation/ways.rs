//! Finding out how a pushed block comes to all nodes, without carrying it.
//!
//! Where each link always takes the same time a block comes to a node by the shortest way from its finder. Ways are found in
//! the order of their lengths, as Dijkstra does: those that are to be gone on with wait in a ring of buckets. Within a bucket
//! their order matters only if a link can lead from a bucket into the same one. Towards the end few nodes are left to which
//! a shorter way could still be found: each of these looks at the links that lead to it, instead of all others at theirs.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    iter::Peekable,
    mem,
    time::Duration,
};

use super::{
    filled::{BUCKETS, Filled, place_of},
    lanes::{LOOKED_AT, Lane, Lanes, Source, Sources, those_that},
    records::Spread,
};
use crate::{message::NodeId, time::Time};

/// A way that is to be gone on with: how many nanoseconds it takes, and where it leads.
type Way = (u64, u32);

/// How many of the ways are kept that were looked for to the end, unless those from one node are more: half a megabyte.
const KEPT_MAX: usize = 65_536;

/// The shortest ways from a node to all others, as far as they are known; and memory for the next.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// How many nanoseconds the ways take from each node that they were looked for from to the end, and not long ago.
    kept: BTreeMap<NodeId, Vec<u64>>,
    /// How many nanoseconds the shortest way takes to each node.
    nanos: Vec<u64>,
    /// To how many nodes no way is known.
    unknown: usize,
    /// No shortest way is longer, once one is known to each node.
    longest: u64,
    /// How many nanoseconds it takes until the last message comes of those that have gone on with a way.
    last: u64,
    /// How many ways were gone on with.
    gone_on: usize,
    /// After how many of them it is looked whether few nodes are left to whom the next could matter.
    looks_back_after: usize,
    /// Shorter ways are not gone on with: those to whom that could matter have looked for the shortest themselves.
    looked_back_until: u64,
    /// How many bits of nanoseconds a bucket is wide.
    width_bits: u32,
    /// The ways that end in each bucket, but in the open one.
    buckets: Vec<Vec<Way>>,
    filled: Filled,
    /// Those that were found to end in the open bucket, since it was opened.
    soon: BinaryHeap<Reverse<Way>>,
}

impl Ways {
    /// Finds out how a block that a node has found comes to all others while nothing else happens; none if it does not, or
    /// if who brings it to whom depends on more than how long it takes.
    pub(super) fn spread(&mut self, (lanes, sources): (&Lanes, &Sources), finder: NodeId) -> Option<Spread> {
        // Over links that take no time one comes after the other at one moment.
        if !lanes.are_both_ways() && !lanes.take_time() {
            return None;
        }
        let mut accepted = Vec::with_capacity(lanes.nodes());
        self.look((lanes, sources), finder, |(nanos, _)| {
            accepted.push(nanos);
            true
        });
        let buckets = accepted.chunk_by_mut(|one, next| one >> self.width_bits == next >> self.width_bits);
        buckets.for_each(<[u64]>::sort_unstable);
        // The finder has it at once.
        let accepted: Vec<_> = accepted[1..].iter().copied().map(Duration::from_nanos).collect();
        let are_told = accepted.len() + 1 == lanes.nodes() && self.last < u64::MAX / 2;
        // Who has brought it is not told.
        let are_not_told =
            if lanes.are_both_ways() { accepted.len() as u64 } else { self.ways_back(lanes, finder) };
        are_told.then(|| Spread {
            accepted,
            last: Duration::from_nanos(self.last),
            messages: lanes.links() - are_not_told,
            requests: 0,
            bytes: None,
        })
    }

    /// Tells whether a block that a node has found comes to another in less than a time while nothing else happens.
    pub(super) fn comes_within(
        &mut self,
        links: (&Lanes, &Sources),
        time: Duration,
        (finder, to): (NodeId, NodeId),
    ) -> bool {
        let within = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let to = to.index();
        self.look(links, finder, |(nanos, node)| nanos < within && node as usize != to);
        self.nanos[to] < within
    }

    /// Finds out after how many nanoseconds a block that a node has found comes to each while nothing else happens. It is
    /// kept until there is too much of it, or the links are [others](Self::forget).
    pub(super) fn all_from(&mut self, links: (&Lanes, &Sources), finder: NodeId) -> &[u64] {
        if !self.kept.contains_key(&finder) {
            self.look(links, finder, |_| true);
            if (self.kept.len() + 1) * self.nanos.len() > KEPT_MAX {
                self.kept.clear();
            }
            self.kept.insert(finder, self.nanos.clone());
        }
        &self.kept[&finder]
    }

    /// Forgets all ways, as the links are others.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }

    /// Tells when a block that a node finds at a moment comes to some others while nothing else happens, in the order in which
    /// it does.
    pub(super) fn times(
        &mut self,
        links: (&Lanes, &Sources),
        (now, finder): (Time, NodeId),
        others: &[NodeId],
    ) -> Vec<(Time, NodeId)> {
        if others.is_empty() {
            return Vec::new();
        }
        let nanos = self.all_from(links, finder);
        let time = |other: &NodeId| (now.after_nanos(nanos[other.index()]), *other);
        let mut times: Vec<_> = others.iter().map(time).collect();
        times.sort_unstable();
        times
    }

    /// Tells after how many nanoseconds the peers of a miner have all heard what it tells them once a block has come to it that
    /// a node has found, and that it does not pass on. None, unless the block comes to the miner from the finder itself, and
    /// from nobody else by then, and has come to each peer before what the miner tells that one: then no shortest way leads
    /// through the miner.
    pub(super) fn shown_after(
        &mut self,
        (lanes, sources): (&Lanes, &Sources),
        finder: NodeId,
        miner: NodeId,
    ) -> Option<u64> {
        let telling = sources.of(miner.index() as u32);
        // Among many nodes it mostly does not.
        telling.iter().find(|source| source.from as usize == finder.index())?;
        let nanos = self.all_from((lanes, sources), finder);
        let heard = nanos[miner.index()];
        let brings = |source: &&Source| nanos[source.from as usize].saturating_add(source.nanos) <= heard;
        let mut bringing = telling.iter().filter(brings).map(|source| source.from as usize);
        let is_alone = (bringing.next(), bringing.next()) == (Some(finder.index()), None);
        let (start, lanes) = lanes.of(miner.index() as u32);
        let told_at = |more_nanos: u32| heard.saturating_add(start.nanos).saturating_add(more_nanos.into());
        let have_it = lanes.iter().all(|lane| nanos[lane.to as usize] < told_at(lane.more_nanos));
        (is_alone && have_it).then(|| told_at(start.most_more_nanos))
    }

    /// Looks for the shortest ways from a node, as long as `goes_on` says so, which is told of each: bucket by bucket, and
    /// those of a bucket in any order.
    fn look(
        &mut self,
        (lanes, sources): (&Lanes, &Sources),
        finder: NodeId,
        mut goes_on: impl FnMut(Way) -> bool,
    ) {
        self.nanos.clear();
        self.nanos.resize(lanes.nodes(), u64::MAX);
        self.nanos[finder.index()] = 0;
        (self.unknown, self.longest, self.last) = (lanes.nodes() - 1, u64::MAX, 0);
        self.buckets.resize_with(BUCKETS, Vec::new);
        // Of what was not looked for to the end last time some is left.
        let mut number = 0;
        while let Some(next) = self.filled.next_after(number) {
            self.filled.empty(next);
            self.buckets[place_of(next)].clear();
            number = next;
        }
        (self.gone_on, self.looks_back_after, self.looked_back_until) = (0, 0, 0);
        self.soon.clear();
        self.soon.push(Reverse((0, finder.index() as u32)));
        // The slowest link reaches over half of the ring at most.
        let least = lanes.slowest_nanos() / (BUCKETS as u64 / 2);
        self.width_bits = least.checked_ilog2().map_or(0, |bits| bits + 1);
        let are_left_at_once = lanes.fastest_nanos() >> self.width_bits > 0;
        let (mut number, mut open) = (0, Vec::new());
        loop {
            let mut left = open.iter().copied().peekable();
            while let Some(way) = self.take_next(&mut left) {
                if self.nanos[way.1 as usize] == way.0 {
                    if !goes_on(way) {
                        return;
                    }
                    self.go_on(lanes, way, number);
                }
            }
            open.clear();
            mem::swap(&mut open, &mut self.buckets[place_of(number)]);
            let Some(next) = self.filled.next_after(number) else { return };
            number = next;
            self.filled.empty(number);
            self.look_back(lanes, sources, number);
            mem::swap(&mut open, &mut self.buckets[place_of(number)]);
            if !are_left_at_once {
                open.sort_unstable();
            }
        }
    }

    /// Takes the shortest of what is left of the open bucket, and of what has come into it since.
    #[inline]
    fn take_next(&mut self, left: &mut Peekable<impl Iterator<Item = Way>>) -> Option<Way> {
        match self.soon.peek() {
            Some(Reverse(soon)) if left.peek().is_none_or(|way| soon < way) => {
                self.soon.pop().map(|soon| soon.0)
            }
            _ => left.next(),
        }
    }

    /// Before the bucket of this number is opened: where the nodes are few to whom those ways could matter that end within the
    /// time of the fastest link, has each of them look for its shortest way itself.
    fn look_back(&mut self, lanes: &Lanes, sources: &Sources, number: u64) {
        let from = number << self.width_bits;
        if self.unknown > 0 || self.gone_on < self.looks_back_after || from < self.looked_back_until {
            return;
        }
        let until = from.saturating_add(lanes.fastest_nanos());
        let end_after = |moment| self.nanos.iter().filter(|nanos| **nanos >= moment).count();
        if 2 * end_after(until) > end_after(from) {
            // To count them costs as much as to go on with some ways.
            self.looks_back_after = self.gone_on + self.nanos.len() / 4;
            return;
        }
        self.looked_back_until = until;
        for node in 0..self.nanos.len() {
            let known = self.nanos[node];
            if known < until {
                continue;
            }
            let way_over = |source: &Source| self.nanos[source.from as usize].saturating_add(source.nanos);
            match sources.of(node as u32).iter().map(way_over).min() {
                Some(way) if way < known => self.shorten((way, node as u32), number),
                _ => {}
            }
        }
    }

    /// Notes a way that is shorter than the one that is known, while the bucket of this number is open.
    #[inline]
    fn shorten(&mut self, (way, node): Way, number: u64) {
        self.nanos[node as usize] = way;
        match way >> self.width_bits {
            same if same == number => self.soon.push(Reverse((way, node))),
            later => {
                self.filled.fill(later);
                self.buckets[place_of(later)].push((way, node));
            }
        }
    }

    /// Goes on with a way out of the bucket of this number.
    #[inline]
    fn go_on(&mut self, lanes: &Lanes, (way, node): Way, number: u64) {
        self.gone_on += 1;
        let (start, lanes) = lanes.of(node);
        let soonest = way.saturating_add(start.nanos);
        self.last = self.last.max(soonest.saturating_add(start.most_more_nanos.into()));
        if soonest >= self.longest || way < self.looked_back_until {
            return;
        }
        let way_over = |lane: &Lane| soonest.saturating_add(lane.more_nanos.into());
        for lanes in lanes.chunks(LOOKED_AT) {
            for (_, lane) in those_that(lanes, |lane| way_over(lane) < self.nanos[lane.to as usize]) {
                self.unknown -= usize::from(self.nanos[lane.to as usize] == u64::MAX);
                self.shorten((way_over(lane), lane.to), number);
            }
        }
        if self.unknown == 0 && self.longest == u64::MAX {
            self.longest = self.nanos.iter().copied().max().unwrap_or(0);
        }
    }

    /// Returns how many nodes have a link back to whoever has brought them the block that a node has found: of those whose
    /// ways take as long, the one of the lowest number.
    fn ways_back(&self, lanes: &Lanes, finder: NodeId) -> u64 {
        let mut are_brought = vec![false; lanes.nodes()];
        are_brought[finder.index()] = true;
        let mut ways_back = 0;
        for from in 0..lanes.nodes() as u32 {
            let (start, of_node) = lanes.of(from);
            let soonest = self.nanos[from as usize].saturating_add(start.nanos);
            for lane in of_node {
                let to = lane.to as usize;
                let brings = soonest.saturating_add(lane.more_nanos.into()) == self.nanos[to];
                if brings && !mem::replace(&mut are_brought[to], true) {
                    ways_back += u64::from(lanes.leads(lane.to, from));
                }
            }
        }
        ways_back
    }
}

#[cfg(test)]
mod tests;
