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
    /// The next blocks and their positions, the last first.
    next: Vec<(u64, BlockHash)>,
}

/// How many positions are walked back at a time.
const STRETCH: u64 = 256;

impl<'a> InOrder<'a> {
    pub(super) fn new(chain: &'a Blockchain) -> Self {
        Self { chain, next: Vec::new() }
    }

    /// Tells whether the chain holds a block at a position, which is not before the last that was asked for.
    fn holds(&mut self, hash: BlockHash, position: u64) -> bool {
        while self.next.pop_if(|(at, _)| *at < position).is_some() {}
        if self.next.is_empty() {
            let end = self.chain.len().min(position.saturating_add(STRETCH - 1));
            if let Some(chain) = self.chain.at(end).or_else(|| self.chain.at(position)) {
                self.next.extend(chain.back().take_while(|(at, _)| *at >= position));
            }
        }
        self.next.last() == Some(&(position, hash))
    }
}

impl Verdict {
    pub(super) fn new() -> Self {
        Self { in_chain: Vec::new(), stale: Vec::new(), intervals: Durations::default(), last: None }
    }

    /// Judges a block by a chain.
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
