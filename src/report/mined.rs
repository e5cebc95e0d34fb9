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
    rising: Rising,
    /// The rest; each comes before the last of `rising`.
    others: BTreeMap<Place, MinedBlock>,
}

/// Blocks in their order, to be added at the end.
///
/// They lie in pieces, none of which is empty: what is added moves nothing, and touches no more memory than it needs. A
/// single queue of a million blocks would be moved twenty times, each time to memory that the system has to clear first.
#[derive(Debug, Clone, Default)]
struct Rising(VecDeque<VecDeque<(Place, MinedBlock)>>);

/// How many blocks a piece holds.
const PIECE: usize = 64;

impl MinedBlocks {
    /// Adds a block, in O(log n), and O(1) if it comes after all others; tells whether it was not there.
    pub(super) fn insert(&mut self, place: Place, block: MinedBlock) -> bool {
        match self.rising.last().map_or(Ordering::Less, |last| last.cmp(&place)) {
            Ordering::Less => self.rising.push(place, block),
            Ordering::Equal => return false,
            Ordering::Greater => {
                let Entry::Vacant(vacant) = self.others.entry(place) else { return false };
                if self.rising.holds(&place) {
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
            self.rising.pop_first();
        }
        Some(first)
    }

    /// Iterates over the blocks in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, MinedBlock)> {
        let mut rising = self.rising.0.iter().flatten().copied().peekable();
        let mut others = self.others.iter().map(|(place, block)| (*place, *block)).peekable();
        iter::from_fn(move || match others.peek() {
            Some((other, _)) if rising.peek().is_none_or(|(next, _)| other < next) => others.next(),
            _ => rising.next(),
        })
    }
}

impl Rising {
    fn last(&self) -> Option<&Place> {
        let (last, _) = self.0.back()?.back()?;
        Some(last)
    }

    fn push(&mut self, place: Place, block: MinedBlock) {
        match self.0.back_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push_back((place, block)),
            None => {
                let mut piece = VecDeque::with_capacity(PIECE);
                piece.push_back((place, block));
                self.0.push_back(piece);
            }
        }
    }

    fn pop_first(&mut self) {
        if let Some(piece) = self.0.front_mut() {
            piece.pop_front();
            if piece.is_empty() {
                self.0.pop_front();
            }
        }
    }

    /// Tells whether a block is among them, in O(log n).
    fn holds(&self, place: &Place) -> bool {
        let after = self.0.partition_point(|piece| piece.front().is_some_and(|(first, _)| first <= place));
        let piece = after.checked_sub(1).and_then(|before| self.0.get(before));
        piece.is_some_and(|piece| piece.binary_search_by_key(place, |(place, _)| *place).is_ok())
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
        fn mined_blocks_are_a_plain_map(steps in vec(step(), 0..400), rises: bool) {
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
