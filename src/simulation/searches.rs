//! When the nodes find their proofs.
//!
//! Each node has a clock of its own, which runs down by the attempts that the node makes. A *drawn* search takes an
//! exponentially distributed number of attempts, as a real one does to within one attempt. That has no memory: a new tip
//! at the same difficulty needs no new draw, and at another difficulty what is left is scaled. A *hashed* search takes
//! the attempts that it has really taken.

use std::hint;

use super::schedule::Schedule;
use crate::{
    message::NodeId,
    time::Time,
    wire::{Key, Purpose},
};

/// The searches of all nodes, and when they end.
#[derive(Debug)]
pub(super) struct Searches {
    key: Key,
    clocks: Vec<Clock>,
    /// What the drawn search that each node runs takes on average, or 0 if it runs none: all that a new tip looks at, close
    /// together.
    drawn: Vec<f64>,
    /// When the running searches end.
    ends: Schedule,
}

#[derive(Debug, Clone, Default)]
struct Clock {
    is_running: bool,
    proof: u64,
    /// Attempts a second.
    rate: f64,
    /// How many attempts are left until the proof.
    left: f64,
    /// How many a drawn search takes on average, or 0 if nothing is drawn that could go on.
    work: f64,
    /// Since when `left` is what it is.
    since: Time,
    /// How many numbers were drawn.
    draws: u64,
    attempts: f64,
}

/// What a search takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effort {
    /// A number of attempts to be drawn, `work` on average.
    Drawn { work: f64 },
    /// So many attempts, after which there is this proof.
    Hashed { attempts: u64, proof: u64 },
}

impl Searches {
    pub(super) fn new(seed: u64) -> Self {
        let key = Key::new(seed).and(Purpose::Search as u64);
        Self { key, clocks: Vec::new(), drawn: Vec::new(), ends: Schedule::default() }
    }

    /// Adds the next node, which makes so many attempts a second when it searches.
    pub(super) fn add_node(&mut self, rate: f64) {
        self.clocks.push(Clock { rate, ..Clock::default() });
        self.drawn.push(0.0);
        self.ends.add_node();
    }

    /// Begins a search in place of the node's last one.
    #[inline]
    pub(super) fn begin(&mut self, now: Time, node: NodeId, effort: Effort) {
        // The same search on another tip: its end stays, and is not rounded again.
        if effort != (Effort::Drawn { work: self.drawn[node.index()] }) {
            self.begin_anew(now, node, effort);
        }
    }

    /// Has what a new tip looks at fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, node: u32) {
        hint::black_box(self.drawn[node as usize]);
    }

    fn begin_anew(&mut self, now: Time, node: NodeId, effort: Effort) {
        let key = self.key_of(node);
        self.change(now, node, |clock| {
            clock.is_running = true;
            match effort {
                Effort::Drawn { work } if clock.work > 0.0 => clock.left *= work / clock.work,
                Effort::Drawn { work } => {
                    clock.left = clock.draw(key, work);
                    clock.draws += 1;
                }
                Effort::Hashed { attempts, .. } => clock.left = attempts as f64,
            }
            (clock.work, clock.proof) = match effort {
                Effort::Drawn { work } => (work, 0),
                Effort::Hashed { proof, .. } => (0.0, proof),
            };
        });
    }

    /// Ends a node's search without a proof. What was drawn for it goes on with its next one.
    pub(super) fn stop(&mut self, now: Time, node: NodeId) {
        self.change(now, node, |clock| clock.is_running = false);
    }

    /// Has a node make so many attempts a second from now on.
    pub(super) fn set_rate(&mut self, now: Time, node: NodeId, rate: f64) {
        self.change(now, node, |clock| clock.rate = rate);
    }

    /// Returns when the next proof is found, and by whom.
    pub(super) fn next(&self) -> Option<(Time, NodeId)> {
        self.ends.first()
    }

    /// Returns when the proof after the next is found, if whoever finds the next draws again at the same difficulty; none if
    /// nobody else searches.
    pub(super) fn next_but_one(&mut self) -> Option<Time> {
        let (since, finder) = self.next()?;
        let other = self.ends.second();
        let clock = &self.clocks[finder.index()];
        let again = Clock { left: clock.draw(self.key_of(finder), clock.work), since, ..clock.clone() };
        other.map(|other| again.end().map_or(other, |again| again.min(other)))
    }

    /// Takes out the next proof, and whose it is.
    pub(super) fn pop(&mut self) -> Option<(NodeId, u64)> {
        let (now, node) = self.next()?;
        let proof = self.clocks[node.index()].proof;
        self.change(now, node, |clock| (clock.is_running, clock.work) = (false, 0.0));
        Some((node, proof))
    }

    /// Returns the attempts that a node has made until a moment.
    pub(super) fn attempts(&self, now: Time, node: NodeId) -> u64 {
        self.clocks.get(node.index()).map_or(0, |clock| (clock.attempts + clock.made(now)).round() as u64)
    }

    /// Changes a node's clock, and when it ends.
    fn change(&mut self, now: Time, node: NodeId, change: impl FnOnce(&mut Clock)) {
        let clock = &mut self.clocks[node.index()];
        let made = clock.made(now);
        clock.attempts += made;
        (clock.left, clock.since) = ((clock.left - made).max(0.0), now);
        change(clock);
        self.drawn[node.index()] = if clock.is_running { clock.work } else { 0.0 };
        let end = clock.end();
        self.ends.set(node, end);
    }

    fn key_of(&self, node: NodeId) -> Key {
        self.key.and(node.index() as u64)
    }
}

impl Clock {
    /// How many attempts the next drawn search takes.
    fn draw(&self, key: Key, work: f64) -> f64 {
        work * key.and(self.draws).exponential()
    }

    /// The attempts made since `since`.
    fn made(&self, now: Time) -> f64 {
        if self.is_running { self.rate * (now - self.since).as_secs_f64() } else { 0.0 }
    }

    /// When nothing will be left, unless it goes on beyond the end of time, as it does at the rate 0. However high the rate
    /// is, that is not at once: a run for any time would have no end.
    fn end(&self) -> Option<Time> {
        if !self.is_running {
            return None;
        }
        let ahead = (self.left / self.rate * 1e9).round();
        let ahead = if ahead < 1e19 { (ahead as u64).max(1) } else { return None };
        self.since.as_nanos().checked_add(ahead).map(Time::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::{collection::vec, prelude::*};

    const ALICE: NodeId = NodeId::new(0);
    const BOB: NodeId = NodeId::new(1);
    const DRAWN: Effort = Effort::Drawn { work: 1000.0 };

    fn searches(rates: &[f64]) -> Searches {
        let mut searches = Searches::new(7);
        rates.iter().for_each(|rate| searches.add_node(*rate));
        searches
    }

    impl Searches {
        fn next_time(&self) -> Option<Time> {
            self.next().map(|(end, _)| end)
        }
    }

    fn secs(seconds: f64) -> Time {
        Time::from_nanos((seconds * 1e9) as u64)
    }

    /// How long a first drawn search takes, in seconds.
    fn first(rate: f64, work: f64) -> f64 {
        let mut searches = searches(&[rate]);
        searches.begin(Time::UNIX_EPOCH, ALICE, Effort::Drawn { work });
        (searches.next_time().unwrap() - Time::UNIX_EPOCH).as_secs_f64()
    }

    #[test]
    fn a_hashed_search_takes_its_attempts() {
        let mut searches = searches(&[100.0]);
        searches.begin(secs(1.0), ALICE, Effort::Hashed { attempts: 250, proof: 249 });
        assert_eq!(searches.next_time(), Some(secs(3.5)));
        assert_eq!(searches.attempts(secs(2.0), ALICE), 100);
        searches.set_rate(secs(2.0), ALICE, 300.0);
        assert_eq!(searches.next_time(), Some(secs(2.5)));
        assert_eq!(searches.pop(), Some((ALICE, 249)));
        assert_eq!((searches.next_time(), searches.attempts(secs(9.0), ALICE)), (None, 250));
    }

    #[test]
    fn a_drawn_search_goes_on_on_a_new_tip() {
        let end = first(10.0, 1000.0);
        let mut searches = searches(&[10.0]);
        searches.begin(Time::UNIX_EPOCH, ALICE, DRAWN);
        searches.begin(secs(end / 2.0), ALICE, DRAWN);
        assert_eq!(searches.next_time(), Some(secs(end)));
        assert_eq!(searches.pop(), Some((ALICE, 0)));
    }

    #[test]
    fn what_is_left_follows_difficulty_and_rate() {
        let end = first(10.0, 1000.0);
        let mut searches = searches(&[10.0]);
        let is_near = |searches: &Searches, expected: f64| {
            let found = (searches.next_time().unwrap() - Time::UNIX_EPOCH).as_secs_f64();
            assert!((found - expected).abs() < 1e-6 * end, "{found} is not {expected}");
        };
        searches.begin(Time::UNIX_EPOCH, ALICE, DRAWN);
        searches.begin(secs(end / 2.0), ALICE, Effort::Drawn { work: 3000.0 });
        is_near(&searches, end * 2.0);
        searches.set_rate(secs(end), ALICE, 40.0);
        is_near(&searches, end * 1.25);
        searches.stop(secs(end * 1.1), ALICE);
        assert_eq!(searches.next_time(), None);
        searches.begin(secs(end * 3.0), ALICE, Effort::Drawn { work: 3000.0 });
        is_near(&searches, end * 3.15);
    }

    /// What one would find alone may never be: it may be told to search no more.
    #[test]
    fn nothing_is_foreseen_of_one_who_is_alone() {
        let mut searches = searches(&[10.0, 0.0]);
        for node in [ALICE, BOB] {
            searches.begin(Time::UNIX_EPOCH, node, DRAWN);
        }
        assert!(searches.next().is_some());
        assert_eq!(searches.next_but_one(), None);
    }

    #[test]
    fn nothing_is_found_at_the_rate_zero() {
        let mut searches = searches(&[0.0]);
        searches.begin(Time::UNIX_EPOCH, ALICE, DRAWN);
        assert_eq!(searches.next_time(), None);
        searches.set_rate(secs(5.0), ALICE, 10.0);
        let expected = secs(5.0 + first(10.0, 1000.0));
        assert!(searches.next_time().unwrap() - expected < Duration::from_micros(1));
    }

    #[test]
    fn no_rate_is_so_high_that_time_stands_still() {
        let mut searches = searches(&[f64::MAX]);
        let mut now = Time::UNIX_EPOCH;
        for _ in 0..3 {
            searches.begin(now, ALICE, DRAWN);
            assert_eq!(searches.next_time(), Some(now + Duration::from_nanos(1)));
            searches.pop();
            now += Duration::from_nanos(1);
        }
        assert_eq!(searches.attempts(now, ALICE), u64::MAX);
    }

    /// A node more, and what it does, leaves the draws of the others as they were.
    #[test]
    fn draws_of_nodes_do_not_depend_on_each_other() {
        let ends = |bob_searches: bool| {
            let mut searches = searches(&[10.0, 25.0]);
            searches.begin(Time::UNIX_EPOCH, ALICE, DRAWN);
            if bob_searches {
                searches.begin(Time::UNIX_EPOCH, BOB, DRAWN);
            }
            let mut ends = Vec::new();
            while let Some(end) = searches.next_time().filter(|_| ends.len() < 20) {
                let (node, ..) = searches.pop().unwrap();
                ends.extend((node == ALICE).then_some(end));
                searches.begin(end, node, DRAWN);
            }
            ends
        };
        assert_eq!(ends(true), ends(false));
    }

    /// The mean of 100,000 draws has a standard error of a third of a per cent, the variance of an exponential
    /// distribution one of 0.9 %; four are allowed.
    #[test]
    fn drawn_searches_are_exponential() {
        let mut searches = searches(&[1000.0]);
        let (mut now, mut sum, mut squares, count) = (Time::UNIX_EPOCH, 0.0, 0.0, 100_000);
        for _ in 0..count {
            searches.begin(now, ALICE, DRAWN);
            let end = searches.next_time().unwrap();
            let took = (end - now).as_secs_f64();
            (sum, squares, now) = (sum + took, squares + took * took, end);
            searches.pop().unwrap();
        }
        let mean = sum / count as f64;
        let variance = squares / count as f64 - mean * mean;
        assert!((mean - 1.0).abs() < 0.013, "{mean}");
        assert!((variance - 1.0).abs() < 0.036, "{variance}");
        let attempts = searches.attempts(now, ALICE);
        assert!(attempts.abs_diff((sum * 1000.0) as u64) <= 1, "{attempts}");
    }

    proptest! {
        /// Whoever finds the next, and whoever finds the one after it.
        #[test]
        fn the_proof_after_the_next_is_foreseen(rates in vec(1.0..100.0_f64, 2..5)) {
            let mut searches = searches(&rates);
            for node in 0..rates.len() {
                searches.begin(Time::UNIX_EPOCH, NodeId::new(node as u32), DRAWN);
            }
            for _ in 0..100 {
                let (next, foreseen) = (searches.next(), searches.next_but_one());
                prop_assert_eq!(searches.next(), next, "to look ahead changes nothing");
                let (now, node) = next.unwrap();
                searches.pop().unwrap();
                searches.begin(now, node, DRAWN);
                prop_assert_eq!(searches.next_time(), foreseen);
            }
        }

        /// However the search is interrupted, it takes as many attempts as it would have taken in one go.
        #[test]
        fn interruptions_lose_no_attempts(steps in vec((0..3_u8, 0.0..5.0_f64, 0.0..50.0_f64), 0..30)) {
            let total = first(1.0, 1000.0);
            let mut searches = searches(&[1.0]);
            let (mut now, mut rate, mut is_running, mut left) = (0.0, 1.0, false, total);
            for (kind, pause, new_rate) in steps {
                let made = if is_running { rate * pause } else { 0.0 };
                if made >= left { break }
                (now, left) = (now + pause, left - made);
                match kind {
                    0 => { searches.begin(secs(now), ALICE, DRAWN); is_running = true; }
                    1 => { searches.stop(secs(now), ALICE); is_running = false; }
                    _ => { searches.set_rate(secs(now), ALICE, new_rate); rate = new_rate; }
                }
            }
            // What is drawn first is drawn at the first search.
            searches.begin(secs(now), ALICE, DRAWN);
            searches.set_rate(secs(now), ALICE, 1.0);
            let end = (searches.next_time().unwrap() - secs(now)).as_secs_f64();
            prop_assert!((end - left).abs() < 1e-5, "{} is not {}", end, left);
        }
    }
}
