//! Intervals, put side by side where they overlap.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

/// Gives each interval the first slot in which it overlaps no other, and returns the slots and how many there are.
/// Intervals include both their ends, and come in the order of their starts. It costs O(n log n).
pub(super) fn pack<T: Ord + Copy>(intervals: impl IntoIterator<Item = (T, T)>) -> (Vec<usize>, usize) {
    let mut busy = BinaryHeap::new();
    let mut free = BTreeSet::new();
    let mut count = 0;
    let slot = |(start, end)| {
        while let Some(&Reverse((last, slot))) = busy.peek()
            && last < start
        {
            busy.pop();
            free.insert(slot);
        }
        let slot = free.pop_first().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        busy.push(Reverse((end, slot)));
        slot
    };
    let slots = intervals.into_iter().map(slot).collect();
    (slots, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first slot of which no interval overlaps, by looking at all.
    fn slow(intervals: &[(usize, usize)]) -> Vec<usize> {
        let mut slots: Vec<usize> = Vec::new();
        for (number, &(start, _)) in intervals.iter().enumerate() {
            let is_free =
                |slot: &usize| (0..number).all(|other| slots[other] != *slot || intervals[other].1 < start);
            slots.push((0..).find(is_free).expect("slots do not end"));
        }
        slots
    }

    proptest! {
        #[test]
        fn each_has_the_first_free_slot(pairs in prop::collection::vec((0..30_usize, 0..10_usize), 0..40)) {
            let mut intervals: Vec<_> = pairs.iter().map(|(start, length)| (*start, start + length)).collect();
            intervals.sort();
            let (slots, count) = pack(intervals.iter().copied());
            prop_assert_eq!(count, slots.iter().map(|slot| slot + 1).max().unwrap_or(0));
            prop_assert_eq!(slots, slow(&intervals));
        }
    }
}
