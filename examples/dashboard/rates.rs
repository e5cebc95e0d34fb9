//! Figures over time, from totals that only grow.

use std::{collections::VecDeque, time::Duration};

/// How many samples are kept: one for each column of a wide terminal.
const SAMPLES: usize = 300;

/// A total, and how much it grew from sample to sample.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    total: u64,
    /// The latest last.
    growths: VecDeque<Growth>,
}

#[derive(Debug, Clone, Copy)]
struct Growth {
    count: u64,
    took: Duration,
}

impl Rate {
    /// Notes the total a while after it was noted last.
    pub(crate) fn note(&mut self, total: u64, took: Duration) {
        let count = total.saturating_sub(self.total);
        self.total = total;
        if self.growths.len() == SAMPLES {
            self.growths.pop_front();
        }
        self.growths.push_back(Growth { count, took });
    }

    /// Returns the total.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the growth a second over the last so many samples; none before there is a sample.
    pub(crate) fn per_second(&self, samples: usize) -> Option<f64> {
        let last = || self.growths.iter().rev().take(samples);
        let seconds = last().map(|growth| growth.took).sum::<Duration>().as_secs_f64();
        let count: u64 = last().map(|growth| growth.count).sum();
        (seconds > 0.0).then(|| count as f64 / seconds)
    }

    /// Returns the last so many growths, the latest last.
    pub(crate) fn last(&self, samples: usize) -> Vec<u64> {
        let skipped = self.growths.len().saturating_sub(samples);
        self.growths.iter().skip(skipped).map(|growth| growth.count).collect()
    }
}
