//! Which of the mined blocks are in the chain.

use super::{
    mined::{MinedBlock, Place},
    spread::Durations,
};
use crate::{blockchain::Blockchain, hash::BlockHash, time::Time};

/// What became of mined blocks, taken in the order of their positions.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    /// The blocks in the chain, by the places of their miners.
    in_chain: Vec<u64>,
    /// The numbers of the blocks that are not.
    stale: Vec<u64>,
    intervals: Durations,
    /// The position and the time of the last block that is in the chain.
    last: Option<(u64, Time)>,
}

/// A chain that is asked for its blocks in the order of their positions: from its tip, the way to each would be long.
pub(super) struct InOrder<'a> {
    chain: &'a Blockchain,
    /// The chain up to a little after the last position that was asked for.
    stretch: Blockchain,
}

/// How far a stretch reaches.
const STRETCH: u64 = 256;

impl<'a> InOrder<'a> {
    pub(super) fn new(chain: &'a Blockchain) -> Self {
        Self { chain, stretch: chain.clone() }
    }

    fn holds(&mut self, hash: BlockHash, position: u64) -> bool {
        if !(position..position.saturating_add(STRETCH)).contains(&self.stretch.len()) {
            let end = self.chain.at(position.saturating_add(STRETCH - 1));
            self.stretch = end.unwrap_or_else(|| self.chain.clone());
        }
        self.stretch.holds(hash, position)
    }
}

impl Verdict {
    pub(super) fn new() -> Self {
        Self { in_chain: Vec::new(), stale: Vec::new(), intervals: Durations::new(), last: None }
    }

    /// Judges a block by a chain, in O(log n).
    pub(super) fn judge(&mut self, (position, hash): Place, block: MinedBlock, chain: &mut InOrder<'_>) {
        if !chain.holds(hash, position) {
            self.stale.push(block.number);
            return;
        }
        if self.in_chain.len() <= block.miner {
            self.in_chain.resize(block.miner + 1, 0);
        }
        self.in_chain[block.miner] += 1;
        if let Some((_, before)) = self.last.filter(|(last, _)| last.checked_add(1) == Some(position)) {
            self.intervals.record(block.time - before);
        }
        self.last = Some((position, block.time));
    }

    /// The blocks of a miner that are in the chain.
    pub(super) fn in_chain(&self, miner: usize) -> u64 {
        self.in_chain.get(miner).copied().unwrap_or(0)
    }

    pub(super) fn intervals(&self) -> &Durations {
        &self.intervals
    }

    /// The numbers of the stale blocks, in order.
    pub(super) fn into_stale(mut self) -> Vec<u64> {
        self.stale.sort_unstable();
        self.stale
    }
}
