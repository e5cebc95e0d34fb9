//! Which lane of the tree each block lies in: the chain that ends up highest in the first, each branch in one of its own
//! for as long as it goes on.

use std::cmp::Reverse;

use super::records::BlockRow;
use crate::picture::pack::pack;

/// Returns the lane of every block. It costs O(n log n), however deep or wide the tree is.
pub(super) fn lanes(blocks: &[BlockRow]) -> Vec<u32> {
    let mut from_the_top: Vec<_> = (0..blocks.len()).collect();
    from_the_top.sort_by_key(|block| (Reverse(blocks[*block].position), *block));
    // How high the chains go that stand on a block, and which of its children leads to the highest, of equal ones the
    // first that was told of.
    let mut reach: Vec<_> = blocks.iter().map(|block| block.position).collect();
    let mut heir = vec![None; blocks.len()];
    for &block in &from_the_top {
        let Some(parent) = blocks[block].parent.map(|parent| parent as usize) else { continue };
        if heir[parent]
            .is_none_or(|heir: usize| (reach[heir], Reverse(heir)) < (reach[block], Reverse(block)))
        {
            heir[parent] = Some(block);
            reach[parent] = reach[block];
        }
    }
    let starts_branch =
        |block: usize| blocks[block].parent.is_none_or(|parent| heir[parent as usize] != Some(block));
    let roots = (0..blocks.len()).filter(|block| blocks[*block].parent.is_none());
    let first = roots.max_by_key(|root| (reach[*root], Reverse(*root)));

    // The first lane belongs to the highest chain alone. A branch also takes the place above its parent, for the line to it.
    let upwards = || from_the_top.iter().rev().copied();
    let branches: Vec<_> = upwards().filter(|block| starts_branch(*block) && Some(*block) != first).collect();
    let spans = branches.iter().map(|block| (blocks[*block].position.saturating_sub(1), reach[*block]));
    let (slots, _) = pack(spans);
    let mut lanes = vec![0; blocks.len()];
    for (block, slot) in branches.iter().zip(slots) {
        lanes[*block] = 1 + slot as u32;
    }
    for block in upwards().filter(|block| !starts_branch(*block)) {
        lanes[block] = blocks[block].parent.map_or(0, |parent| lanes[parent as usize]);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hash::BlockHash;
    use proptest::prelude::*;

    /// A tree in which each block stands on one before it.
    fn tree(parents: &[Option<usize>]) -> Vec<BlockRow> {
        let mut blocks: Vec<BlockRow> = Vec::new();
        for (number, parent) in (0_u32..).zip(parents) {
            let position = parent.map_or(1, |parent| blocks[parent].position + 1);
            let (hash, parent) = (BlockHash::of(&number.to_be_bytes()), parent.map(|parent| parent as u32));
            blocks.push(BlockRow { hash, position, parent, miner: None });
        }
        blocks
    }

    #[test]
    fn a_fork_has_a_lane_of_its_own() {
        let parents = [None, Some(0), Some(0), Some(2), Some(3), Some(4), Some(4)];
        assert_eq!(lanes(&tree(&parents)), [0, 1, 0, 0, 0, 0, 1]);
        assert_eq!(lanes(&[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn no_two_blocks_lie_on_each_other(parents in prop::collection::vec(any::<prop::sample::Index>(), 0..80)) {
            let parents = parents.iter().enumerate().map(|(number, index)| index.index(number + 1).checked_sub(1));
            let blocks = tree(&parents.collect::<Vec<_>>());
            let lanes = lanes(&blocks);
            let places: BTreeSet<_> = blocks.iter().zip(&lanes).map(|(block, lane)| (block.position, lane)).collect();
            prop_assert_eq!(places.len(), blocks.len());
            // The highest chain, followed down from its tip, is straight.
            let highest = (0..blocks.len()).max_by_key(|block| blocks[*block].position);
            let height = highest.map_or(0, |block| blocks[block].position);
            let in_first = lanes.iter().filter(|lane| **lane == 0).count() as u64;
            prop_assert_eq!(in_first, height);
        }
    }
}
