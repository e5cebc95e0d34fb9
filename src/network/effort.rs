//! What a node's search for proofs costs and counts: how many attempts fill a slice, and when those of a limited rate are
//! due.
//!
//! A thread that is woken for each attempt would do little else. One of a limited rate tries many attempts ahead, keeps to
//! itself what they have found until that is due, and sleeps meanwhile. What is tried ahead is lost when the search is for
//! another block, so that it is never much more than what was due of the search before.

use std::time::{Duration, Instant};

/// How long a slice of a search takes at most: the longest that an input waits.
pub(super) const SLICE: Duration = Duration::from_millis(1);
/// How many attempts are tried ahead at least: they take some ten microseconds, about as long as to be woken.
const AHEAD_MIN: u64 = 1_000;
/// How much of what it has missed a late thread makes up for.
const MADE_UP_MAX: Duration = Duration::from_millis(100);
/// Longer than anybody waits.
const NEVER: Duration = Duration::from_secs(1 << 30);

/// The attempts of a node, each of which counts when it is due: at a limited rate one after another, evenly.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// How many attempts a second are due, if they are limited; any number from 0.
    rate: Option<f64>,
    /// How many have counted.
    made: u64,
    /// When the last of these was due, or the search began; nothing while nothing is searched for.
    last: Option<Instant>,
    /// How many more have been tried.
    ahead: u64,
}

impl Effort {
    /// Returns how many attempts have been made by a moment.
    pub(super) fn attempts(&self, now: Instant) -> u64 {
        self.made.saturating_add(self.due(now))
    }

    /// Has so many attempts a second be due from now on; none of them is, if they are not limited.
    pub(super) fn set_rate(&mut self, rate: Option<f64>, now: Instant) {
        self.settle(now);
        // What is under way of the next attempt stays, but at the rate 0, at which nothing is.
        let under_way = self
            .rate
            .zip(self.last)
            .map_or(0.0, |(rate, last)| now.saturating_duration_since(last).as_secs_f64() * rate);
        let since = rate.and_then(|rate| Duration::try_from_secs_f64(under_way / rate).ok());
        self.last = self.last.map(|_| since.and_then(|since| now.checked_sub(since)).unwrap_or(now));
        self.rate = rate;
    }

    /// Begins a search, in the place of the one before if there is one. What is left of the time to the next attempt stays:
    /// a slow miner would make none if it began anew with each transaction that comes.
    pub(super) fn begin(&mut self, now: Instant) {
        self.settle(now);
        self.ahead = 0;
        self.last.get_or_insert(now);
    }

    /// Ends the search.
    pub(super) fn stop(&mut self, now: Instant) {
        self.settle(now);
        (self.ahead, self.last) = (0, None);
    }

    /// Has the time stand still. Returns how long the next attempt has been under way, for [`Effort::resume`].
    pub(super) fn pause(&mut self, now: Instant) -> Option<Duration> {
        self.settle(now);
        self.last.take().map(|last| now.saturating_duration_since(last))
    }

    /// Has the time go on.
    pub(super) fn resume(&mut self, now: Instant, under_way: Option<Duration>) {
        self.last = under_way.map(|under_way| now.checked_sub(under_way).unwrap_or(now));
    }

    /// Counts what is due. If nothing more was tried, what should have been is made up for, up to a bound.
    pub(super) fn settle(&mut self, now: Instant) {
        let due = self.due(now);
        self.made = self.made.saturating_add(due);
        self.ahead -= due;
        self.last = self.due_at(due).or(self.last);
        if self.ahead == 0
            && let Some(next) = self.due_at(1)
        {
            let missed = now.saturating_duration_since(next);
            self.last = self.last.map(|last| last + missed.saturating_sub(MADE_UP_MAX));
        }
    }

    /// Notes that so many more attempts have been tried.
    pub(super) fn tried(&mut self, attempts: u64) {
        self.ahead = self.ahead.saturating_add(attempts);
    }

    /// Returns when the first attempt of a search is due; nothing, if it is at once.
    pub(super) fn first_is_due_at(&self) -> Option<Instant> {
        self.due_at(1)
    }

    /// Returns when all that has been tried is due; nothing, if it is at once.
    pub(super) fn all_is_due_at(&self) -> Option<Instant> {
        self.due_at(self.ahead)
    }

    /// Returns how many attempts to try next: a slice, but no more ahead of a limited rate than a search has tried before.
    pub(super) fn next(&self, tried: u64, slice: u64) -> u64 {
        match self.rate {
            None => slice,
            Some(_) => tried.max(AHEAD_MIN).min(slice),
        }
    }

    /// How many of those that have been tried are due.
    fn due(&self, now: Instant) -> u64 {
        let (Some(rate), Some(last)) = (self.rate, self.last) else {
            return if self.rate.is_none() { self.ahead } else { 0 };
        };
        if self.all_is_due_at().is_some_and(|at| at <= now) {
            return self.ahead;
        }
        let due = now.saturating_duration_since(last).as_secs_f64() * rate;
        (due as u64).min(self.ahead)
    }

    /// When so many attempts after the last are due.
    fn due_at(&self, attempts: u64) -> Option<Instant> {
        let (rate, last) = self.rate.zip(self.last)?;
        let after = match attempts {
            0 => Duration::ZERO,
            _ => Duration::try_from_secs_f64(attempts as f64 / rate).unwrap_or(NEVER).min(NEVER),
        };
        Some(last + after)
    }
}

/// How many attempts fill a slice.
pub(super) struct Pace {
    /// The most attempts a second seen lately: other threads can only make it less, and a slice is a millisecond of
    /// this thread's own time.
    fastest: f64,
}

impl Default for Pace {
    fn default() -> Self {
        // The first slice is short and finds out.
        Self { fastest: 1e6 }
    }
}

impl Pace {
    pub(super) fn attempts(&self) -> u64 {
        (self.fastest * SLICE.as_secs_f64()) as u64
    }

    pub(super) fn observe(&mut self, attempts: u64, elapsed: Duration) {
        let observed = attempts as f64 / elapsed.as_secs_f64().max(1e-6);
        // A misread clock is forgotten after some hundred slices.
        self.fastest = observed.max(0.99 * self.fastest).max(1e5);
    }
}

#[cfg(test)]
mod tests;
