//! The blocks of the last heights, as events tell of them.

use std::collections::BTreeMap;

use chainlab::{BlockHash, Event, Happening, NodeId};

/// How many heights are kept: more than a terminal has columns for.
const HEIGHTS: u64 = 200;

/// The blocks of the last heights, those of branches that nobody is on any more among them.
#[derive(Debug, Default)]
pub(crate) struct Forks {
    blocks: BTreeMap<(u64, BlockHash), Block>,
}

/// A block, as far as it is told of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// The hash of the block before it, if that was told.
    pub(crate) parent: Option<BlockHash>,
    /// Who mined it; nobody mined the genesis.
    pub(crate) miner: Option<NodeId>,
}

impl Forks {
    /// Makes the blocks of a network that has its genesis alone.
    pub(crate) fn new(genesis: BlockHash) -> Self {
        Self { blocks: [((1, genesis), Block { parent: None, miner: None })].into() }
    }

    /// Adds the block that an event tells of, and forgets what is too far below it.
    pub(crate) fn observe(&mut self, event: &Event) {
        let Happening::Mined { block, position, parent } = event.what else { return };
        self.blocks.insert((position, block), Block { parent: Some(parent), miner: Some(event.node) });
        let highest = self.highest();
        while let Some(lowest) = self.blocks.first_entry().filter(|entry| entry.key().0 + HEIGHTS <= highest)
        {
            lowest.remove();
        }
    }

    /// Returns the highest position of a block.
    pub(crate) fn highest(&self) -> u64 {
        self.blocks.last_key_value().map_or(0, |((position, _), _)| *position)
    }

    /// Returns the blocks at a position, in the order of their hashes.
    pub(crate) fn at(&self, position: u64) -> impl Iterator<Item = (BlockHash, Block)> {
        let next = position.saturating_add(1);
        let (first, end) =
            ((position, BlockHash::from_bytes([0; 32])), (next, BlockHash::from_bytes([0; 32])));
        self.blocks.range(first..end).map(|((_, hash), block)| (*hash, *block))
    }
}
