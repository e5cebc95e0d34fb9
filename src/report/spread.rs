//! How durations are spread: any number of them, in bounded memory.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

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
        let width = 1 << nanos.max(1).ilog2().saturating_sub(5);
        let from = nanos / width * width;
        Self { from: Duration::from_nanos(from), to: Duration::from_nanos(from + width), count: 0 }
    }
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
        /// What a histogram holds at most.
        const LONGEST: u64 = i64::MAX as u64 / 2;
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.histogram.record(nanos.min(LONGEST)).expect("the histogram grows up to its longest");
        self.sum += u128::from(nanos);
        self.max = self.max.max(duration);
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
