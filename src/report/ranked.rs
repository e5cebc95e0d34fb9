//! Percentiles of parts of a run.

use super::bins::{Bins, shortest_in};

/// How many of a part must exceed a percentile, on average, for it to be told: of fewer, the longest would stand for it.
const BEYOND_MIN: u64 = 2;

/// The durations of a run in their order, as their classes tell them apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranked {
    /// The longest nanoseconds of each class, and how many durations are no longer.
    ends: Vec<(u64, u64)>,
}

impl Ranked {
    /// Ranks durations by the longest of each class and how many it holds, the shortest first.
    pub(super) fn of(classes: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let ends = classes.into_iter().scan(0, |sum, (longest, count)| {
            *sum += count;
            Some((longest, *sum))
        });
        Self { ends: ends.collect() }
    }

    /// Returns the nanoseconds of a percentile of all, by the nearest rank; none if there are none.
    pub(super) fn nearest(&self, percent: u64) -> Option<u64> {
        let (_, count) = self.ends.last()?;
        self.at(nearest_rank(*count, percent))
    }

    /// The nanoseconds at a rank, counted from 1.
    fn at(&self, rank: u64) -> Option<u64> {
        let end = self.ends.partition_point(|(_, up_to)| *up_to < rank);
        self.ends.get(end).map(|(longest, _)| *longest)
    }

    /// Returns a percentile, in seconds, of a part of the durations of which is known how many lie in each bin: it is of the
    /// nearest rank, as those of a spread. Within its bin, 3 % of it at most, the part is taken to lie as the whole does; of
    /// the whole it is exact. None of so few that less than two are longer.
    pub(crate) fn percentile(&self, part: &Bins, percent: u64) -> Option<f64> {
        let count: u64 = part.iter().map(|(_, count)| count).sum();
        let rank = rank(count, percent)?;
        let mut before = 0;
        let (bin, own, place) = part.iter().find_map(|(bin, own)| {
            let place = rank - before;
            before += own;
            (rank <= before).then_some((bin, own, place))
        })?;
        let [first, behind] = [bin, bin + 1].map(|bin| self.shorter_than(shortest_in(bin)));
        let place = (u128::from(place) * u128::from(behind - first)).div_ceil(own.into()) as u64;
        Some(self.at(first + place)? as f64 / 1e9)
    }

    /// How many are shorter.
    fn shorter_than(&self, nanos: u64) -> u64 {
        let classes = self.ends.partition_point(|(longest, _)| *longest < nanos);
        classes.checked_sub(1).map_or(0, |last| self.ends[last].1)
    }
}

/// Returns the rank of a percentile of so many values; none of so few that less than two are greater.
pub(crate) fn rank(count: u64, percent: u64) -> Option<u64> {
    let is_enough = u128::from(count) * u128::from(100 - percent) >= 100 * u128::from(BEYOND_MIN);
    is_enough.then(|| nearest_rank(count, percent))
}

/// Returns the rank, counted from 1, of a percentile of so many values.
fn nearest_rank(count: u64, percent: u64) -> u64 {
    (u128::from(count) * u128::from(percent)).div_ceil(100) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::spread::Durations;
    use proptest::{collection::vec, prelude::*};

    fn bins(nanos: &[u64]) -> Bins {
        let mut bins = Bins::new();
        nanos.iter().for_each(|nanos| bins.record(*nanos));
        bins
    }

    fn ranked(nanos: &[u64]) -> (Durations, Ranked) {
        let mut durations = Durations::default();
        nanos.iter().for_each(|nanos| durations.record(*nanos));
        let ranked = durations.ranked();
        (durations, ranked)
    }

    #[test]
    fn of_too_few_there_is_no_percentile() {
        assert_eq!((rank(3, 50), rank(4, 50), rank(5, 50)), (None, Some(2), Some(3)));
        assert_eq!((rank(19, 90), rank(20, 90)), (None, Some(18)));
        assert_eq!((rank(199, 99), rank(200, 99), rank(0, 50)), (None, Some(198), None));
    }

    proptest! {
        /// Of the whole they are the spread's; of a part, in the bin of what they are.
        #[test]
        fn percentiles_are_of_the_nearest_rank(
            nanos in vec(prop_oneof![0..5000_u64, 0..10_000_000_000_u64, any::<u64>()], 200..600), part in 200..600_usize,
        ) {
            let (durations, ranked) = ranked(&nanos);
            let spread = durations.spread();
            let all = bins(&nanos);
            for (percent, of_all) in [(50, spread.median), (90, spread.percentile_90), (99, spread.percentile_99)] {
                prop_assert_eq!(ranked.percentile(&all, percent), Some(of_all.as_nanos() as f64 / 1e9));
            }
            let mut part: Vec<_> = nanos.into_iter().take(part).collect();
            let found = ranked.percentile(&bins(&part), 90).unwrap() * 1e9;
            part.sort_unstable();
            let exact = part[rank(part.len() as u64, 90).unwrap() as usize - 1].min(i64::MAX as u64 / 2) as f64;
            prop_assert!((found - exact).abs() <= 1.0 + exact / 32.0, "{} {}", found, exact);
        }
    }
}
