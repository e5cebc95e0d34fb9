//! How one block came to all nodes, to be counted again for each that comes alike.

use std::{iter, time::Duration};

use super::{
    bins::binned,
    classes::Classes,
    spread::Packed,
    tally::{Sum, Tally},
};

/// How a block came to all nodes: what it adds to the figures of its propagation.
///
/// It takes two bytes or so for each of the durations that a spread tells apart: some kilobytes, whatever the nodes.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(super) nodes: usize,
    pub(super) to_each: Packed,
    /// Its bins.
    pub(super) to_each_binned: Classes,
    /// None if the miner alone is half of the nodes.
    pub(super) to_half: Option<Duration>,
    pub(super) to_90_percent: Option<Duration>,
    pub(super) to_all: Option<Duration>,
}

impl Pattern {
    /// Makes the pattern of a block that all nodes but its miner accepted so long after it was mined, the soonest first.
    pub(crate) fn of(elapsed: &[Duration]) -> Self {
        let nodes = elapsed.len() + 1;
        // The miner has it from the start.
        let to = |count: usize| count.checked_sub(2).map(|place| elapsed[place]);
        Self {
            nodes,
            to_each: Packed::of(elapsed),
            to_each_binned: binned(elapsed),
            to_half: to(half_of(nodes)),
            to_90_percent: to(nine_tenths_of(nodes)),
            to_all: to(nodes),
        }
    }

    /// Adds so many blocks of it to a tally.
    pub(crate) fn add_to(&self, tally: &mut Tally, blocks: u64) {
        let to_each = Sum { count: self.nodes as u64 - 1, nanos: self.to_each.sum() };
        let to_some = [self.to_half, self.to_90_percent, self.to_all].map(Sum::of);
        let of_one = iter::once(to_each).chain(to_some);
        tally.propagation.iter_mut().zip(of_one).for_each(|(sum, of_one)| sum.add(of_one, blocks));
    }
}

/// How many nodes are half of them, rounded up.
pub(super) fn half_of(nodes: usize) -> usize {
    nodes.div_ceil(2)
}

/// How many nodes are nine tenths of them, rounded up.
pub(super) fn nine_tenths_of(nodes: usize) -> usize {
    (9 * nodes).div_ceil(10)
}
