//! How durations are spread: any number of them, in bounded memory.

use std::time::Duration;

use hdrhistogram::Histogram;
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

/// What a histogram holds at most, in nanoseconds.
pub(super) const LONGEST: u64 = i64::MAX as u64 / 2;

pub(super) fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Any number of durations, in memory that depends on the longest alone: some 200 KiB for minutes.
#[derive(Debug, Clone)]
pub(super) struct Durations {
    /// In nanoseconds.
    histogram: Histogram<u64>,
    sum: u128,
    max: Duration,
}

impl Durations {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new(3).expect("three digits are a precision that there is");
        Self { histogram, sum: 0, max: Duration::ZERO }
    }

    #[inline]
    pub(super) fn record(&mut self, duration: Duration) {
        let nanos = nanos_of(duration);
        self.histogram.record(nanos.min(LONGEST)).expect("the histogram grows up to its longest");
        self.sum += u128::from(nanos);
        self.max = self.max.max(duration);
    }

    /// Records a duration so many times.
    pub(super) fn record_times(&mut self, duration: Duration, times: u64) {
        let nanos = nanos_of(duration);
        self.histogram.record_n(nanos.min(LONGEST), times).expect("the histogram grows up to its longest");
        self.sum += u128::from(nanos) * u128::from(times);
        self.max = self.max.max(duration);
    }

    /// Records packed durations so many times.
    pub(super) fn add(&mut self, packed: &Packed, times: u64) {
        for (class, count) in packed.classes.iter() {
            let nanos = shortest_of(class, CLASS_BITS);
            self.histogram.record_n(nanos, count * times).expect("the histogram grows up to its longest");
        }
        self.sum += packed.sum * u128::from(times);
        self.max = self.max.max(packed.max);
    }

    pub(super) fn sum(&self) -> Sum {
        Sum { count: self.histogram.len(), nanos: self.sum }
    }

    pub(super) fn ranked(&self) -> Ranked {
        let longest = nanos_of(self.max);
        // The histogram tells the longest of each class.
        let classes = self.histogram.iter_recorded();
        Ranked::of(
            classes.map(|class| (class.value_iterated_to().min(longest), class.count_since_last_iteration())),
        )
    }

    pub(super) fn spread(&self) -> Spread {
        let count = self.histogram.len();
        if count == 0 {
            return Spread::default();
        }
        // The histogram answers with the longest that it cannot tell from the right one.
        let percentile =
            |quantile| Duration::from_nanos(self.histogram.value_at_quantile(quantile)).min(self.max);
        Spread {
            count,
            mean: Duration::from_nanos((self.sum / u128::from(count)) as u64),
            median: percentile(0.5),
            percentile_90: percentile(0.9),
            percentile_95: percentile(0.95),
            percentile_99: percentile(0.99),
            max: self.max,
            bins: self.bins(),
        }
    }

    fn bins(&self) -> Vec<Bin> {
        let mut bins: Vec<Bin> = Vec::new();
        // A bin is made of whole bins of the histogram, which are finer.
        for finer in self.histogram.iter_recorded() {
            let bin = Bin::of(finer.value_iterated_to());
            match bins.last_mut() {
                Some(last) if last.from == bin.from => last.count += finer.count_since_last_iteration(),
                _ => bins.push(Bin { count: finer.count_since_last_iteration(), ..bin }),
            }
        }
        bins
    }
}

/// Durations that are recorded again and again, as a histogram tells them apart.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    classes: Classes,
    sum: u128,
    max: Duration,
}

/// Durations of one class differ by less than one part in 1024, as in a histogram of three digits.
const CLASS_BITS: u32 = 10;

impl Packed {
    /// Packs durations, the shortest first.
    pub(super) fn of(durations: &[Duration]) -> Self {
        let class = |duration: &Duration| class_of(nanos_of(*duration).min(LONGEST), CLASS_BITS);
        let classes = Classes::counted(durations.iter().map(class));
        let sum = durations.iter().map(|duration| u128::from(nanos_of(*duration))).sum();
        Self { classes, sum, max: durations.last().copied().unwrap_or_default() }
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
        /// Packed and recorded so many times, or one by one: the same spread to the last bin.
        #[test]
        fn packed_durations_are_those_that_were_packed(
            nanos in vec(prop_oneof![0..5000_u64, 0..10_000_000_000_u64, any::<u64>()], 0..200),
            times in 0..4_u64,
        ) {
            let mut durations: Vec<_> = nanos.into_iter().map(Duration::from_nanos).collect();
            durations.sort();
            let (mut one_by_one, mut packed) = (Durations::new(), Durations::new());
            (0..times).for_each(|_| durations.iter().for_each(|duration| one_by_one.record(*duration)));
            packed.add(&Packed::of(&durations), times);
            if times > 0 {
                prop_assert_eq!(packed.spread(), one_by_one.spread());
            } else {
                prop_assert_eq!(packed.spread().count, 0);
            }
        }
    }
}
