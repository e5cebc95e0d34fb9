//! What a run has come to, as far as it adds up block by block.

use std::time::Duration;

/// What blocks come to one after the other, as the names of figures begin: each node, half of the nodes, nine tenths, all.
pub(crate) const PASSAGES: [&str; 4] =
    ["propagation", "propagation_half", "propagation_90_percent", "propagation_all"];

/// Sums over a run so far: of what came between two of them, means can be taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) mined: u64,
    /// How long blocks took to come to each of those.
    pub(crate) propagation: [Sum; 4],
    /// What is counted block by block, by the names of its figures.
    pub(crate) counts: Vec<(&'static str, u64)>,
}

/// Durations added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(super) count: u64,
    pub(super) nanos: u128,
}

impl Sum {
    /// Adds so many durations that are so long together, so many times.
    pub(super) fn add(&mut self, other: Self, times: u64) {
        self.count += other.count * times;
        self.nanos += other.nanos * u128::from(times);
    }

    pub(super) fn of(duration: Option<Duration>) -> Self {
        duration.map_or(Self::default(), |duration| Self { count: 1, nanos: duration.as_nanos() })
    }
}

impl Tally {
    /// The mean in seconds of how long blocks took since an earlier one; none if there was no block.
    pub(crate) fn mean_since(&self, before: &Self, passage: usize) -> Option<f64> {
        let [now, then] = [self, before].map(|tally| tally.propagation[passage]);
        mean((now.nanos - then.nanos) as f64 / 1e9, now.count - then.count)
    }

    /// What was counted since an earlier one, a block; none if none was mined.
    pub(crate) fn counted_since(&self, before: &Self, place: usize) -> Option<f64> {
        let [now, then] = [self, before].map(|tally| tally.counts[place].1);
        mean((now - then) as f64, self.mined - before.mined)
    }
}

fn mean(sum: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}
