//! How durations are spread: any number of them, in bounded memory.

use std::time::Duration;

use serde::Serialize;

use super::{
    bins::{bin_of, shortest_in},
    classes::{Classes, class_of, shortest_of},
    ranked::Ranked,
    tally::Sum,
};
use crate::time::seconds;

/// How a number of durations are spread; all 0 if there are none.
///
/// A percentile is the smallest of the durations that so many per cent of them do not exceed (the nearest rank), too long
/// by at most one part in a thousand, and told up to 146 years. In documents durations are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// Their sum over their number, exact to the nanosecond.
    #[serde(rename = "mean_seconds", serialize_with = "seconds::serialize")]
    pub mean: Duration,
    /// The 50th percentile.
    #[serde(rename = "median_seconds", serialize_with = "seconds::serialize")]
    pub median: Duration,
    /// The 90th percentile.
    #[serde(rename = "percentile_90_seconds", serialize_with = "seconds::serialize")]
    pub percentile_90: Duration,
    /// The 95th percentile.
    #[serde(rename = "percentile_95_seconds", serialize_with = "seconds::serialize")]
    pub percentile_95: Duration,
    /// The 99th percentile.
    #[serde(rename = "percentile_99_seconds", serialize_with = "seconds::serialize")]
    pub percentile_99: Duration,
    /// The longest.
    #[serde(rename = "max_seconds", serialize_with = "seconds::serialize")]
    pub max: Duration,
    /// Where they lie: the bins of a histogram, the shortest first; those that hold none are left out.
    pub bins: Vec<Bin>,
}

/// A bin of a histogram: the durations from one on, and below another.
///
/// It is a nanosecond wide below 32 ns, and from there on a 32nd of the power of two at or below its start: 3 % of it at
/// most, so that there are 32 bins from a second to two and as many from two to four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// The shortest that it holds.
    #[serde(rename = "from_seconds", serialize_with = "seconds::serialize")]
    pub from: Duration,
    /// The shortest that is too long for it.
    #[serde(rename = "to_seconds", serialize_with = "seconds::serialize")]
    pub to: Duration,
    /// How many it holds.
    pub count: u64,
}

impl Bin {
    /// The bin of a number of nanoseconds, with nothing in it.
    fn of(nanos: u64) -> Self {
        let bin = bin_of(nanos);
        let [from, to] = [bin, bin + 1].map(|bin| Duration::from_nanos(shortest_in(bin)));
        Self { from, to, count: 0 }
    }
}

/// What is told apart at most, in nanoseconds.
pub(super) const LONGEST: u64 = i64::MAX as u64 / 2;

pub(super) fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Durations of one class differ by less than one part in 1024.
const CLASS_BITS: u32 = 10;

#[inline]
fn class_of_nanos(nanos: u64) -> u64 {
    class_of(nanos.min(LONGEST), CLASS_BITS)
}

/// Any number of durations, in memory that depends on the longest alone: some 200 KiB for minutes.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    /// How many there are in each class up to the longest's.
    counts: Vec<u64>,
    count: u64,
    /// In nanoseconds, like the longest.
    sum: u128,
    max: u64,
}

impl Durations {
    /// Records a duration of so many nanoseconds.
    #[inline]
    pub(super) fn record(&mut self, nanos: u64) {
        self.record_times(nanos, 1);
    }

    /// Records a duration so many times.
    #[inline]
    pub(super) fn record_times(&mut self, nanos: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.add_to_class(class_of_nanos(nanos), times);
        self.sum += u128::from(nanos) * u128::from(times);
        self.max = self.max.max(nanos);
    }

    /// Records packed durations so many times.
    pub(super) fn add(&mut self, packed: &Packed, times: u64) {
        if times == 0 {
            return;
        }
        packed.classes.iter().for_each(|(class, count)| self.add_to_class(class, count * times));
        self.sum += packed.sum * u128::from(times);
        self.max = self.max.max(packed.max);
    }

    #[inline]
    fn add_to_class(&mut self, class: u64, times: u64) {
        let class = class as usize;
        if class >= self.counts.len() {
            self.make_room(class);
        }
        self.counts[class] += times;
        self.count += times;
    }

    /// Makes room for a class and all others of its power of two.
    #[cold]
    fn make_room(&mut self, class: usize) {
        let classes = (class + 1).next_multiple_of(1 << CLASS_BITS);
        self.counts.reserve_exact(classes - self.counts.len());
        self.counts.resize(classes, 0);
    }

    pub(super) fn sum(&self) -> Sum {
        Sum { count: self.count, nanos: self.sum }
    }

    pub(super) fn ranked(&self) -> Ranked {
        Ranked::of(self.classes())
    }

    /// The longest nanoseconds of each class that holds any, and how many it holds, the shortest first.
    fn classes(&self) -> impl Iterator<Item = (u64, u64)> {
        let held = (0..).zip(&self.counts).filter(|(_, count)| **count > 0);
        held.map(|(class, count)| ((shortest_of(class + 1, CLASS_BITS) - 1).min(self.max), *count))
    }

    pub(super) fn spread(&self) -> Spread {
        let ranked = self.ranked();
        let percentile = |percent| ranked.nearest(percent).map_or(Duration::ZERO, Duration::from_nanos);
        let mean = self.sum.checked_div(self.count.into()).unwrap_or(0);
        Spread {
            count: self.count,
            mean: Duration::from_nanos(mean as u64),
            median: percentile(50),
            percentile_90: percentile(90),
            percentile_95: percentile(95),
            percentile_99: percentile(99),
            max: Duration::from_nanos(self.max),
            bins: self.bins(),
        }
    }

    fn bins(&self) -> Vec<Bin> {
        let mut bins: Vec<Bin> = Vec::new();
        // A bin is made of whole classes, which are finer.
        for (longest, count) in self.classes() {
            let bin = Bin::of(longest);
            match bins.last_mut() {
                Some(last) if last.from == bin.from => last.count += count,
                _ => bins.push(Bin { count, ..bin }),
            }
        }
        bins
    }
}

/// Durations that are recorded again and again, in their classes.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    classes: Classes,
    sum: u128,
    max: u64,
}

impl Packed {
    /// Packs durations, the shortest first.
    pub(super) fn of(durations: &[Duration]) -> Self {
        let nanos = || durations.iter().copied().map(nanos_of);
        let classes = Classes::counted(nanos().map(class_of_nanos));
        Self { classes, sum: nanos().map(u128::from).sum(), max: nanos().next_back().unwrap_or(0) }
    }

    pub(super) fn sum(&self) -> u128 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        /// A sorted list is the model.
        #[test]
        fn a_spread_is_a_sorted_list_s(
            nanos in vec(prop_oneof![0..5000_u64, 0..10_000_000_000_u64, 0..=LONGEST], 0..300),
        ) {
            let mut sorted = nanos.clone();
            sorted.sort_unstable();
            let mut durations = Durations::default();
            nanos.iter().for_each(|nanos| durations.record(*nanos));
            let spread = durations.spread();
            let count = sorted.len();
            if count == 0 {
                prop_assert_eq!(spread, Spread::default());
                return Ok(());
            }
            let sum: u128 = sorted.iter().map(|nanos| u128::from(*nanos)).sum();
            prop_assert_eq!((spread.count, nanos_of(spread.max)), (count as u64, sorted[count - 1]));
            prop_assert_eq!(spread.mean.as_nanos(), sum / count as u128);
            let Spread { median, percentile_90, percentile_95, percentile_99, .. } = spread;
            for (percent, told) in [(50, median), (90, percentile_90), (95, percentile_95), (99, percentile_99)] {
                let (exact, told) = (sorted[(count * percent).div_ceil(100) - 1], nanos_of(told));
                prop_assert!((exact..=exact + exact / 1024).contains(&told), "{percent}: {told}, and not {exact}");
            }
            for bin in &spread.bins {
                let [from, to] = [bin.from, bin.to].map(nanos_of);
                let held = sorted.iter().filter(|nanos| (from..to).contains(nanos)).count();
                prop_assert_eq!(bin.count, held as u64);
            }
            prop_assert_eq!(spread.bins.iter().map(|bin| bin.count).sum::<u64>(), spread.count);
        }

        /// Packed and recorded so many times, or one by one: the same spread to the last bin.
        #[test]
        fn packed_durations_are_those_that_were_packed(
            nanos in vec(prop_oneof![0..5000_u64, 0..10_000_000_000_u64, any::<u64>()], 0..200),
            times in 0..4_u64,
        ) {
            let (mut one_by_one, mut packed) = (Durations::default(), Durations::default());
            (0..times).for_each(|_| nanos.iter().for_each(|nanos| one_by_one.record(*nanos)));
            let mut durations: Vec<_> = nanos.into_iter().map(Duration::from_nanos).collect();
            durations.sort();
            packed.add(&Packed::of(&durations), times);
            prop_assert_eq!(packed.spread(), one_by_one.spread());
        }
    }
}
