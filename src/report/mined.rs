//! The blocks that were seen to be mined, in the order of their positions.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    iter,
};

use crate::{hash::BlockHash, time::Time};

/// A block that a node was seen to mine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MinedBlock {
    /// Counted from 1, in the order in which they were mined.
    pub(super) number: u64,
    /// The miner's place.
    pub(super) miner: usize,
    pub(super) time: Time,
}

/// Where a block stands, and its name: blocks are in this order.
pub(super) type Place = (u64, BlockHash);

/// Mined blocks by their places.
///
/// Most are mined on top of the one before: those come into a queue, which takes half the memory of a map, and no search.
#[derive(Debug, Clone, Default)]
pub(super) struct MinedBlocks {
    /// Those that came after all others before them.
    rising: VecDeque<(Place, MinedBlock)>,
    /// The rest; each comes before the last of `rising`.
    others: BTreeMap<Place, MinedBlock>,
}

impl MinedBlocks {
    /// Adds a block, in O(log n), and O(1) if it comes after all others; tells whether it was not there.
    pub(super) fn insert(&mut self, place: Place, block: MinedBlock) -> bool {
        match self.rising.back().map_or(Ordering::Less, |(last, _)| last.cmp(&place)) {
            Ordering::Less => self.rising.push_back((place, block)),
            Ordering::Equal => return false,
            Ordering::Greater => {
                let Entry::Vacant(vacant) = self.others.entry(place) else { return false };
                if self.rising.binary_search_by_key(&place, |(place, _)| *place).is_ok() {
                    return false;
                }
                vacant.insert(block);
            }
        }
        true
    }

    /// Takes out the first block, in O(log n), if it stands at a position or before.
    pub(super) fn pop_until(&mut self, position: u64) -> Option<(Place, MinedBlock)> {
        let first = self.iter().next().filter(|((first, _), _)| *first <= position)?;
        if self.others.remove(&first.0).is_none() {
            self.rising.pop_front();
        }
        Some(first)
    }

    /// Iterates over the blocks in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, MinedBlock)> {
        let mut rising = self.rising.iter().copied().peekable();
        let mut others = self.others.iter().map(|(place, block)| (*place, *block)).peekable();
        iter::from_fn(move || match others.peek() {
            Some((other, _)) if rising.peek().is_none_or(|(next, _)| other < next) => others.next(),
            _ => rising.next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64, u8),
        PopUntil(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..40_u64, 0..3_u8).prop_map(|(position, hash)| Step::Insert(position, hash)),
            1 => (0..30_u64).prop_map(Step::PopUntil),
        ]
    }

    proptest! {
        #[test]
        fn mined_blocks_are_a_plain_map(steps in vec(step(), 0..200), rises: bool) {
            let (mut mined, mut plain) = (MinedBlocks::default(), BTreeMap::new());
            for (number, step) in (0..).zip(steps) {
                match step {
                    Step::Insert(position, hash) => {
                        // As blocks are mined, or in any order.
                        let position = if rises { position % 3 + number } else { position };
                        let place = (position, BlockHash::from_bytes([hash; 32]));
                        let block = MinedBlock { number, miner: 0, time: Time::UNIX_EPOCH };
                        let is_new = !plain.contains_key(&place);
                        prop_assert_eq!(mined.insert(place, block), is_new);
                        plain.entry(place).or_insert(block);
                    }
                    Step::PopUntil(position) => {
                        let first = plain.first_entry().filter(|first| first.key().0 <= position);
                        prop_assert_eq!(mined.pop_until(position), first.map(|first| first.remove_entry()));
                    }
                }
                prop_assert!(mined.iter().eq(plain.iter().map(|(place, block)| (*place, *block))));
            }
        }
    }
}
