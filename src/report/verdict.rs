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
            self.intervals.record(block.time.nanos_since(before));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, PreviousHash, Rules, Timestamp, blockchain::Cut, pow::Target};

    /// To look for each from the tip is the model: of a whole chain and of one with a gap, whatever is left out.
    #[test]
    fn a_chain_holds_in_order_what_it_holds() {
        let rules = Rules::notebook().with_first_target(Target::EASIEST);
        let grown = |chain: Blockchain, proof| {
            let (index, previous_hash) = (chain.len() + 1, PreviousHash::Hash(chain.tip_hash()));
            let block = Block::new(index, Timestamp::integer(0), [], proof, previous_hash);
            chain.append(block, &rules).expect("any proof will do")
        };
        let start = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
        let whole = (1..1000).fold(start.clone(), |chain, _| grown(chain, 1));
        let other = (1..1100).fold(start, |chain, _| grown(chain, 2));
        let cut = Cut::before_tip_of(&whole.at(700).unwrap()).shortened(&whole).unwrap();
        for chain in [&whole, &cut] {
            for step in [1, 3, 255, 256, 257, 600] {
                let mut in_order = InOrder::new(chain);
                for position in (1..=1100).step_by(step) {
                    for asked in [&other, &whole, &other] {
                        let Some(hash) = asked.at(position).map(|asked| asked.tip_hash()) else { continue };
                        let is_held = in_order.holds(hash, position);
                        assert_eq!(is_held, chain.holds(hash, position), "{position} by {step}");
                    }
                }
            }
        }
    }
}
