//! How many durations lie in each bin of a spread, of a part of a run.

use std::{mem, time::Duration};

use super::{
    classes::{Classes, class_of, shortest_of},
    spread::{LONGEST, nanos_of},
};

/// A bin is a 32nd of the power of two at or below its start.
const BIN_BITS: u32 = 5;
/// How many bins there are.
const BINS: usize = bin_of(LONGEST) as usize + 1;
/// How many bins stand for one bit.
const A_BIT: usize = 32;

/// Returns the bin of a number of nanoseconds.
#[inline]
pub(super) const fn bin_of(nanos: u64) -> u64 {
    class_of(nanos, BIN_BITS)
}

/// Returns the shortest nanoseconds of a bin.
pub(super) const fn shortest_in(bin: u64) -> u64 {
    shortest_of(bin, BIN_BITS)
}

/// Keeps how many of some durations lie in each bin, the shortest first.
pub(super) fn binned(durations: &[Duration]) -> Classes {
    Classes::counted(durations.iter().map(|duration| bin_of(nanos_of(*duration).min(LONGEST))))
}

/// How many durations lie in each bin: 15 kB, however many there are.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    counts: Box<[u64]>,
    /// A bit for every 32 bins, the lowest for the first: whether they may hold any. So a few durations are found, and
    /// taken out, without a look at all bins.
    held: u64,
}

impl Bins {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BINS].into(), held: 0 }
    }

    /// Records a duration of so many nanoseconds.
    #[inline]
    pub(crate) fn record(&mut self, nanos: u64) {
        self.record_times(nanos, 1);
    }

    #[inline]
    pub(super) fn record_times(&mut self, nanos: u64, times: u64) {
        self.count(bin_of(nanos.min(LONGEST)), times);
    }

    /// Adds so many durations in each bin, so many times.
    pub(crate) fn add(&mut self, binned: &Classes, times: u64) {
        binned.iter().for_each(|(bin, count)| self.count(bin, count * times));
    }

    #[inline]
    fn count(&mut self, bin: u64, count: u64) {
        self.counts[bin as usize] += count;
        self.held |= 1 << (bin as usize / A_BIT);
    }

    /// Takes all out.
    pub(crate) fn take(&mut self) -> Classes {
        let taken = Classes::of(self.iter());
        let held = mem::take(&mut self.held);
        bits_of(held).for_each(|bit| self.row_mut(bit).fill(0));
        taken
    }

    /// Those that are not empty and how many each holds, the shortest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let bins = bits_of(self.held).flat_map(|bit| bit * A_BIT..BINS.min((bit + 1) * A_BIT));
        bins.map(|bin| (bin as u64, self.counts[bin])).filter(|(_, count)| *count > 0)
    }

    fn row_mut(&mut self, bit: usize) -> &mut [u64] {
        &mut self.counts[bit * A_BIT..BINS.min((bit + 1) * A_BIT)]
    }
}

/// The bits that are set, the lowest first.
fn bits_of(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        /// One by one or together, and taken out in parts: each is in the bin of its length, and none is left.
        #[test]
        fn what_is_recorded_is_taken_out_once(nanos in vec(prop_oneof![0..5000_u64, any::<u64>()], 0..200)) {
            let (mut bins, mut together) = (Bins::new(), Bins::new());
            for part in nanos.chunks(70) {
                part.iter().for_each(|nanos| bins.record(*nanos));
                together.add(&bins.take(), 1);
                prop_assert!(bins.iter().next().is_none() && bins.counts.iter().all(|count| *count == 0));
            }
            let mut durations: Vec<_> = nanos.into_iter().map(Duration::from_nanos).collect();
            durations.sort();
            let expected: Vec<_> = binned(&durations).iter().collect();
            prop_assert_eq!(together.iter().collect::<Vec<_>>(), expected);
            for (bin, _) in together.iter() {
                let [from, to] = [bin, bin + 1].map(shortest_in);
                prop_assert!(bin_of(from) == bin && bin_of(to - 1) == bin && bin_of(to) == bin + 1);
            }
        }
    }
}
