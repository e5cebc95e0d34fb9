//! Who has which block, and since when.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use super::figures::{Propagation, Spread};

/// How many blocks are followed that some node lacks.
const FOLLOWED_MAX: usize = 4096;

/// Follows blocks, by their numbers in the order in which they were mined, until every node has them.
///
/// Blocks with greater numbers never come before one that is no longer followed: what is let go is the oldest, and who
/// has a block has all before it.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    blocks: BTreeMap<usize, Holders>,
    to_each: Durations,
    to_half: Durations,
    to_90_percent: Durations,
    to_all: Durations,
}

/// The nodes that have a block.
#[derive(Debug, Clone)]
struct Holders {
    /// One bit for each node that had joined when the block was mined.
    bits: Vec<u64>,
    nodes: usize,
    count: usize,
}

impl Holders {
    /// Notes that a node has the block; tells whether that is news, and of a node that counts.
    fn insert(&mut self, node: usize) -> bool {
        if node >= self.nodes {
            return false;
        }
        let (word, bit) = (&mut self.bits[node / 64], 1 << (node % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        self.count += usize::from(is_new);
        is_new
    }
}

impl Followed {
    pub(super) fn new() -> Self {
        let [to_each, to_half, to_90_percent, to_all] = [(); 4].map(|()| Durations::new());
        Self { blocks: BTreeMap::new(), to_each, to_half, to_90_percent, to_all }
    }

    /// Begins to follow a block that one of so many nodes has mined.
    pub(super) fn mined(&mut self, block: usize, miner: usize, nodes: usize) {
        let bits = vec![0; nodes.div_ceil(64)];
        self.blocks.insert(block, Holders { bits, nodes, count: 0 });
        self.hold(block, miner, Duration::ZERO);
        if self.blocks.len() > FOLLOWED_MAX {
            self.blocks.pop_first();
        }
    }

    /// Notes that a node other than its miner has taken a block on, so long after it was mined; tells whether the ones
    /// before it may be new to that node, too.
    pub(super) fn accepted(&mut self, block: usize, node: usize, elapsed: Duration) -> bool {
        let is_new = self.hold(block, node, elapsed);
        if is_new {
            self.to_each.record(elapsed);
        }
        is_new
    }

    fn hold(&mut self, block: usize, node: usize, elapsed: Duration) -> bool {
        let Some(holders) = self.blocks.get_mut(&block) else { return false };
        if !holders.insert(node) {
            return false;
        }
        let (count, nodes) = (holders.count, holders.nodes);
        if count == nodes.div_ceil(2) {
            self.to_half.record(elapsed);
        }
        if count == (9 * nodes).div_ceil(10) {
            self.to_90_percent.record(elapsed);
        }
        if count == nodes {
            self.to_all.record(elapsed);
            self.blocks.remove(&block);
        }
        true
    }

    pub(super) fn figures(&self) -> Propagation {
        Propagation {
            to_each: self.to_each.spread(),
            to_half: self.to_half.spread(),
            to_90_percent: self.to_90_percent.spread(),
            to_all: self.to_all.spread(),
        }
    }
}

/// Any number of durations, in memory that depends on the longest alone: some 200 KiB for minutes.
#[derive(Debug, Clone)]
struct Durations {
    /// In nanoseconds.
    histogram: Histogram<u64>,
    max: Duration,
}

impl Durations {
    fn new() -> Self {
        let histogram = Histogram::new(3).expect("three digits are a precision that there is");
        Self { histogram, max: Duration::ZERO }
    }

    fn record(&mut self, duration: Duration) {
        /// What a histogram holds at most.
        const LONGEST: u64 = i64::MAX as u64 / 2;
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(LONGEST).min(LONGEST);
        self.histogram.record(nanos).expect("the histogram grows up to its longest");
        self.max = self.max.max(duration);
    }

    fn spread(&self) -> Spread {
        // The histogram answers with the longest that it cannot tell from the right one.
        let percentile =
            |quantile| Duration::from_nanos(self.histogram.value_at_quantile(quantile)).min(self.max);
        Spread {
            count: self.histogram.len(),
            median: percentile(0.5),
            percentile_90: percentile(0.9),
            max: self.max,
        }
    }
}
