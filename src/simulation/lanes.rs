//! The links over which blocks flow without a message for each, as flat tables.

use std::hint;

use crate::message::NodeId;

/// A directed link over which every message takes the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) to: u32,
    /// How much longer than over the fastest link of its node.
    pub(super) more_nanos: u32,
}

/// How many links are looked at together, at most.
pub(super) const LOOKED_AT: usize = u64::BITS as usize;

/// The links that [`those_that`] picks out.
#[derive(Debug)]
pub(super) struct Those<'a> {
    lanes: &'a [Lane],
    /// A bit for each that is left.
    left: u64,
}

/// Picks out those links, of [`LOOKED_AT`] at most, that meet a condition, each with its place among them; all are looked at
/// first. That takes no branch for each: few meet it, and which do cannot be foreseen.
#[inline]
pub(super) fn those_that(lanes: &[Lane], meets: impl Fn(&Lane) -> bool) -> Those<'_> {
    let left = lanes.iter().rev().fold(0, |left, lane| left << 1 | u64::from(meets(lane)));
    Those { lanes, left }
}

impl<'a> Iterator for Those<'a> {
    type Item = (usize, &'a Lane);

    #[inline]
    fn next(&mut self) -> Option<(usize, &'a Lane)> {
        let place = self.left.trailing_zeros() as usize;
        let lane = self.lanes.get(place)?;
        self.left &= self.left - 1;
        Some((place, lane))
    }
}

/// The links of every node to its peers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lanes {
    of: Vec<Start>,
    lanes: Vec<Lane>,
    /// Whether each is known to have another the other way.
    are_both_ways: bool,
    /// How long a message takes over the fastest and over the slowest.
    fastest_nanos: Option<u64>,
    slowest_nanos: u64,
}

/// Where a node's links begin, and how long a message takes over the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// The place of the first among all.
    pub(super) at: u32,
    count: u32,
    pub(super) nanos: u64,
    /// How much longer it takes over the slowest.
    pub(super) most_more_nanos: u32,
}

impl Start {
    /// How long a message takes over one of the links, in nanoseconds.
    #[inline]
    pub(super) fn nanos_over(&self, lane: &Lane) -> u64 {
        self.nanos + u64::from(lane.more_nanos)
    }
}

impl Lanes {
    /// Adds the next node's, each with its receiver and the nanoseconds that a message takes; tells whether they can be
    /// kept, as they differ by four seconds at most, and take no more than half of all time.
    pub(super) fn add_node(&mut self, links: &[(NodeId, u64)]) -> bool {
        let all = || links.iter().map(|(_, nanos)| *nanos);
        let nanos = all().min().unwrap_or(0);
        let slowest = all().max().unwrap_or(0);
        let Ok(most_more_nanos) = u32::try_from(slowest - nanos) else { return false };
        if slowest > u64::MAX / 2 {
            return false;
        }
        self.fastest_nanos = self.fastest_nanos.into_iter().chain(all()).min();
        self.slowest_nanos = self.slowest_nanos.max(slowest);
        let at = self.lanes.len();
        self.of.push(Start { at: at as u32, count: links.len() as u32, nanos, most_more_nanos });
        self.lanes.extend(links.iter().map(|(to, each)| {
            let more_nanos = u32::try_from(each - nanos).expect("it is at most the most");
            Lane { to: to.index() as u32, more_nanos }
        }));
        self.lanes[at..].sort_unstable_by_key(|lane| lane.to);
        true
    }

    /// Finds out whether all go both ways, once all nodes are there: to look for the way back of each block that comes took
    /// a twentieth of the time in which it is carried.
    pub(super) fn find_ways_back(&mut self) {
        // Taken in their order, those to a node come from its own receivers in their order.
        let mut met = vec![0; self.nodes()];
        let mut is_met = |from: u32, to: u32| {
            let place: &mut usize = &mut met[to as usize];
            let back = self.of(to).1.get(*place);
            *place += 1;
            back.is_some_and(|back| back.to == from)
        };
        self.are_both_ways =
            (0..self.nodes() as u32).all(|from| self.of(from).1.iter().all(|lane| is_met(from, lane.to)));
    }

    /// Tells whether a node has a link to another, whose own link has just brought it something.
    #[inline]
    pub(super) fn lead_back(&self, from: u32, to: u32) -> bool {
        debug_assert!(self.leads(to, from));
        self.are_both_ways || self.leads(from, to)
    }

    /// Tells whether each is known to have another the other way.
    pub(super) fn are_both_ways(&self) -> bool {
        self.are_both_ways
    }

    /// How long a message takes over the slowest, in nanoseconds.
    pub(super) fn slowest_nanos(&self) -> u64 {
        self.slowest_nanos
    }

    /// How long a message takes over the fastest, in nanoseconds; 0 if there is none.
    pub(super) fn fastest_nanos(&self) -> u64 {
        self.fastest_nanos.unwrap_or(0)
    }

    /// Tells whether a message takes some time over each.
    pub(super) fn take_time(&self) -> bool {
        self.of.iter().all(|start| start.count == 0 || start.nanos > 0)
    }

    /// How long a message takes from a node to another, in nanoseconds, if there is a link.
    pub(super) fn nanos(&self, from: u32, to: u32) -> Option<u64> {
        let (start, lanes) = self.of(from);
        let place = lanes.binary_search_by_key(&to, |lane| lane.to).ok()?;
        Some(start.nanos_over(&lanes[place]))
    }

    /// Tells whether a node has a link to another.
    pub(super) fn leads(&self, from: u32, to: u32) -> bool {
        self.of(from).1.binary_search_by_key(&to, |lane| lane.to).is_ok()
    }

    /// How many there are.
    pub(super) fn links(&self) -> u64 {
        self.lanes.len() as u64
    }

    pub(super) fn nodes(&self) -> usize {
        self.of.len()
    }

    /// Has a node's links fetched from memory, and does not wait for them; of one without any, nothing.
    #[inline]
    pub(super) fn fetch(&self, node: u32) {
        if (node as usize) < self.nodes() {
            // A line of the cache holds eight.
            for line in self.of(node).1.chunks(8) {
                hint::black_box(line[0].to);
            }
        }
    }

    /// A node's links, in the order of their receivers, and what they have in common.
    #[inline]
    pub(super) fn of(&self, node: u32) -> (&Start, &[Lane]) {
        let start = &self.of[node as usize];
        (start, &self.lanes[start.at as usize..(start.at + start.count) as usize])
    }
}

/// Who has links to each node.
#[derive(Debug)]
pub(super) struct Sources {
    /// Where those of each node begin, and where those of the last one end.
    starts: Vec<u32>,
    all: Vec<Source>,
}

/// A link to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) from: u32,
    /// How long a message takes, in nanoseconds.
    pub(super) nanos: u64,
}

impl Sources {
    pub(super) fn new(lanes: &Lanes) -> Self {
        let mut starts = vec![0; lanes.nodes() + 1];
        lanes.lanes.iter().for_each(|lane| starts[lane.to as usize + 1] += 1);
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        // Taken by their senders, those to a node come in the order of these.
        let (mut next, mut all) = (starts.clone(), vec![Source { from: 0, nanos: 0 }; lanes.lanes.len()]);
        for from in 0..lanes.nodes() as u32 {
            let (start, lanes) = lanes.of(from);
            for lane in lanes {
                let place = &mut next[lane.to as usize];
                all[*place as usize] = Source { from, nanos: start.nanos_over(lane) };
                *place += 1;
            }
        }
        Self { starts, all }
    }

    /// All links, by their receivers and then by their senders: where all go both ways, each is the way back of the one that
    /// has its place among all [`Lanes`].
    pub(super) fn all(&self) -> &[Source] {
        &self.all
    }

    /// The links to a node, in the order of their senders.
    pub(super) fn of(&self, to: u32) -> &[Source] {
        &self.all[self.starts[to as usize] as usize..self.starts[to as usize + 1] as usize]
    }
}
