//! The queue of arrivals: what comes when, to whom, and in which order.
//!
//! Most arrivals lie less than a second ahead, so they wait in a ring of buckets, each a quarter of a millisecond wide, which
//! reaches 268 milliseconds ahead: pushing is an append, and a bucket is sorted once, when its turn comes; of one that holds
//! more than a few, what has come to nothing by then is left out first. What lies beyond waits in another ring, each of whose
//! buckets is a round of the first, and is spread out over that when its turn comes; and what lies more than four minutes ahead
//! in a heap.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    mem,
};

use super::{
    filled::{BUCKETS, Filled, place_of},
    sorting::{FEW, sort},
};
use crate::time::Time;

/// A bucket is 2^18 nanoseconds wide.
const WIDTH_BITS: u32 = 18;
/// From room for so many entries on, a bucket gives its memory back when it is emptied. Else each would keep as much as ever
/// came in one of them, nearly all of it in no cache.
const LARGE: usize = 512;

/// Something that comes to a node at a time.
///
/// Equal times are ordered by destination, source and the source's count, so that the order depends neither on the order
/// of pushing nor on what other nodes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: Time,
    pub(super) to: u32,
    pub(super) from: u32,
    /// The number of the message among its sender's. It wraps around after 2^32, when those far behind have long come.
    pub(super) count: u32,
    /// Where what arrives is kept.
    pub(super) slot: u32,
}

/// When it is the turn of something to come: at a time, and there in an order.
pub(super) type Turn = (Time, u64, u32);

/// The turn of something that comes to a node from another, with a count of that one.
#[inline]
pub(super) fn turn(at: Time, to: u32, from: u32, count: u32) -> Turn {
    (at, u64::from(to) << 32 | u64::from(from), count)
}

/// The last turn at a moment.
pub(super) fn end_of(moment: Time) -> Turn {
    (moment, u64::MAX, u32::MAX)
}

impl Arrival {
    #[inline]
    pub(super) fn turn(&self) -> Turn {
        turn(self.at, self.to, self.from, self.count)
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.turn(), self.slot).cmp(&(other.turn(), other.slot))
    }
}

/// Arrivals, the earliest first.
#[derive(Debug)]
pub(super) struct Queue {
    /// Of the buckets after the open one, each in its number's place: the last of them has that of the open one.
    ring: Vec<Vec<Arrival>>,
    filled: Filled,
    /// The number of the bucket that is open.
    open: u64,
    /// What is left of the open bucket, sorted, the earliest last.
    current: Vec<Arrival>,
    /// Memory to sort it.
    spare: Vec<Arrival>,
    /// What lies beyond the ring, each round of it in its number's place.
    rounds: Vec<Vec<Arrival>>,
    filled_rounds: Filled,
    /// The first bucket of the next round that has entries, the last there is if none has.
    next_round: u64,
    beyond: BinaryHeap<Reverse<Arrival>>,
}

impl Queue {
    /// Makes an empty queue for what comes at a moment or later.
    pub(super) fn new(now: Time) -> Self {
        Self {
            ring: vec![Vec::new(); BUCKETS],
            filled: Filled::default(),
            open: bucket(now),
            current: Vec::new(),
            spare: Vec::new(),
            rounds: vec![Vec::new(); BUCKETS],
            filled_rounds: Filled::default(),
            next_round: u64::MAX,
            beyond: BinaryHeap::new(),
        }
    }

    /// Adds an arrival that is no earlier than the last one popped.
    #[inline]
    pub(super) fn push(&mut self, arrival: Arrival) {
        let number = bucket(arrival.at);
        let ahead = number.wrapping_sub(self.open);
        if ahead.wrapping_sub(1) < BUCKETS as u64 {
            self.filled.fill(number);
            self.ring[place_of(number)].push(arrival);
        } else if number > self.open {
            self.push_beyond(arrival, number);
        } else {
            self.push_into_open(arrival);
        }
    }

    #[inline(never)]
    fn push_beyond(&mut self, arrival: Arrival, number: u64) {
        let round = round_of(number);
        if round - round_of(self.open) < BUCKETS as u64 {
            self.filled_rounds.fill(round);
            self.next_round = self.next_round.min(start_of(round));
            self.rounds[place_of(round)].push(arrival);
        } else {
            self.beyond.push(Reverse(arrival));
        }
    }

    #[cold]
    fn push_into_open(&mut self, arrival: Arrival) {
        let place = self.current.partition_point(|other| *other > arrival);
        self.current.insert(place, arrival);
    }

    /// Takes out the first arrival, unless it is later than a moment.
    pub(super) fn pop_until(&mut self, limit: Time) -> Option<Arrival> {
        self.pop_until_without(limit, |_| false)
    }

    /// Takes out the first arrival, unless it is later than a moment, without some that have come to nothing: when a bucket is
    /// opened that holds more than a few, `drops` is asked once for each, and what it answers with yes is gone. To sort that, and
    /// to take it out, would be in vain.
    #[inline]
    pub(super) fn pop_until_without(
        &mut self,
        limit: Time,
        mut drops: impl FnMut(&Arrival) -> bool,
    ) -> Option<Arrival> {
        while self.current.is_empty() {
            if !self.open_next(limit, &mut drops) {
                return None;
            }
        }
        self.current.pop_if(|arrival| arrival.at <= limit)
    }

    /// What is left of the bucket that is open, the earliest last: what comes next.
    #[inline]
    pub(super) fn opened(&self) -> &[Arrival] {
        &self.current
    }

    /// Iterates over what has yet to come to a node at a moment whose bucket is open, the earliest last.
    pub(super) fn opened_for(&self, to: u32, now: Time) -> impl Iterator<Item = &Arrival> {
        let later =
            self.current.partition_point(|arrival| arrival.turn() > turn(now, to, u32::MAX, u32::MAX));
        self.current[later..].iter().take_while(move |arrival| arrival.turn() >= turn(now, to, 0, 0))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty()
            && self.beyond.is_empty()
            && self.filled.is_none()
            && self.filled_rounds.is_none()
    }

    /// Iterates over what comes at a moment, or came before and was not popped, in no order.
    pub(super) fn due(&self, now: Time) -> impl Iterator<Item = &Arrival> {
        let number = bucket(now);
        let next = self.ring[place_of(number)].iter().chain(&self.rounds[place_of(round_of(number))]);
        let far = self.beyond.iter().map(|Reverse(arrival)| arrival);
        self.current.iter().chain(next).chain(far).filter(move |arrival| arrival.at <= now)
    }

    /// Lets the ring begin at a moment before which there is nothing: what is pushed next lies in reach of it again.
    #[inline]
    pub(super) fn advance(&mut self, now: Time) {
        let number = bucket(now).saturating_sub(1);
        // A bucket that is left behind would come again one round later.
        if number > self.open
            && self.current.is_empty()
            && self.filled.next_after(self.open).is_none_or(|next| next > number)
        {
            self.open = number;
        }
    }

    /// Takes out everything, in no order.
    pub(super) fn drain(&mut self) -> Vec<Arrival> {
        let mut all = mem::take(&mut self.current);
        self.ring.iter_mut().chain(&mut self.rounds).for_each(|bucket| all.append(bucket));
        (self.filled, self.filled_rounds, self.next_round) = (Filled::default(), Filled::default(), u64::MAX);
        all.extend(self.beyond.drain().map(|Reverse(arrival)| arrival));
        all
    }

    /// Spreads out the next round, of which nothing is open yet, over the ring.
    #[inline(never)]
    fn spread_out(&mut self) {
        let round = round_of(self.next_round);
        self.filled_rounds.empty(round);
        self.next_round = self.filled_rounds.next_after(round).map_or(u64::MAX, start_of);
        self.open = self.open.max(start_of(round).saturating_sub(1));
        let mut arrivals = mem::take(&mut self.rounds[place_of(round)]);
        for arrival in arrivals.drain(..) {
            let number = bucket(arrival.at);
            debug_assert!((1..=BUCKETS as u64).contains(&(number - self.open)));
            self.filled.fill(number);
            self.ring[place_of(number)].push(arrival);
        }
        give_back(&mut arrivals);
        self.rounds[place_of(round)] = arrivals;
    }

    /// Opens the next bucket that has entries, unless it begins after a moment; tells whether it did.
    #[inline(never)]
    fn open_next(&mut self, limit: Time, mut drops: impl FnMut(&Arrival) -> bool) -> bool {
        let last = bucket(limit);
        let next = loop {
            let far = self.beyond.peek().map(|Reverse(arrival)| bucket(arrival.at));
            let next = self.filled.next_after(self.open).into_iter().chain(far).min();
            // The round may begin with the very next.
            if self.next_round > next.unwrap_or(last).min(last) {
                break next;
            }
            self.spread_out();
        };
        let Some(next) = next.filter(|next| *next <= last) else { return false };
        if next - self.open <= BUCKETS as u64 {
            self.filled.empty(next);
            let bucket = &mut self.ring[place_of(next)];
            mem::swap(&mut self.current, bucket);
            give_back(bucket);
        }
        self.open = next;
        while let Some(first) = self.beyond.peek_mut().filter(|first| bucket(first.0.at) == next) {
            self.current.push(PeekMut::pop(first).0);
        }
        if self.current.len() > FEW {
            self.current.retain(|arrival| !drops(arrival));
        }
        sort(&mut self.current, &mut self.spare);
        true
    }
}

/// Gives the memory of an empty bucket back if that is large.
fn give_back(bucket: &mut Vec<Arrival>) {
    if bucket.capacity() >= LARGE {
        *bucket = Vec::new();
    }
}

fn bucket(at: Time) -> u64 {
    at.as_nanos() >> WIDTH_BITS
}

/// The round that a bucket is of, from one on.
fn round_of(bucket: u64) -> u64 {
    bucket / BUCKETS as u64 + 1
}

/// The first bucket of a round.
fn start_of(round: u64) -> u64 {
    (round - 1) * BUCKETS as u64
}

#[cfg(test)]
mod tests;
