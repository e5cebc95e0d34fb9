//! What a run has come to, as far as it adds up block by block.

use std::time::Duration;

/// Sums over a run so far: of what came between two of them, means can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) mined: u64,
    /// How long blocks took to come to each node, to half of the nodes, to nine tenths and to all.
    pub(crate) propagation: [Sum; 4],
    pub(crate) reorganisations: u64,
    pub(crate) given_up: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
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
    /// The means of what came after an earlier one; none where there was nothing.
    pub(crate) fn means_since(&self, before: &Self) -> [(&'static str, Option<f64>); 8] {
        let mean = |of: f64, count: u64| (count > 0).then(|| of / count as f64);
        let seconds = |place: usize| {
            let [now, then] = [self, before].map(|tally| tally.propagation[place]);
            mean((now.nanos - then.nanos) as f64 / 1e9, now.count - then.count)
        };
        let a_block = |of: fn(&Self) -> u64| mean((of(self) - of(before)) as f64, self.mined - before.mined);
        [
            ("propagation_mean_seconds", seconds(0)),
            ("propagation_half_mean_seconds", seconds(1)),
            ("propagation_90_percent_mean_seconds", seconds(2)),
            ("propagation_all_mean_seconds", seconds(3)),
            ("reorganisations_a_block", a_block(|tally| tally.reorganisations)),
            ("blocks_given_up_a_block", a_block(|tally| tally.given_up)),
            ("messages_a_block", a_block(|tally| tally.messages)),
            ("bytes_a_block", a_block(|tally| tally.bytes)),
        ]
    }
}
