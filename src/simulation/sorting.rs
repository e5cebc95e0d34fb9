//! Sorting what comes in one bucket of the queue.

use std::mem;

use super::queue::Arrival;

/// Up to so many entries are sorted by insertion, which most buckets are.
const FEW: usize = 24;
/// From so many on they are sorted by one digit after the other.
const MANY: usize = 512;
/// The bits of a digit: the counters of its values still lie in the nearest cache.
const DIGIT: u32 = 11;

/// Sorts, the earliest last; `spare` is memory for that.
#[inline]
pub(super) fn sort(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>) {
    let count = arrivals.len();
    if count <= FEW {
        sort_few(arrivals);
    } else if count < MANY {
        arrivals.sort_unstable_by(|one, other| other.cmp(one));
    } else {
        sort_many(arrivals, spare);
    }
}

/// Sorts by insertion.
#[inline]
fn sort_few(arrivals: &mut [Arrival]) {
    for end in 1..arrivals.len() {
        let arrival = arrivals[end];
        let mut place = end;
        while place > 0 && arrivals[place - 1] < arrival {
            arrivals[place] = arrivals[place - 1];
            place -= 1;
        }
        arrivals[place] = arrival;
    }
}

/// Sorts by one number after the other, the last that counts first. Of one turn are only what is queued twice, and what is
/// left of a download that became a message, of which nothing comes.
#[inline(never)]
fn sort_many(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>) {
    spare.resize(arrivals.len(), arrivals[0]);
    sort_by_digits(arrivals, spare, |arrival| u64::from(arrival.count));
    sort_by_digits(arrivals, spare, |arrival| u64::from(arrival.to) << 32 | u64::from(arrival.from));
    sort_by_digits(arrivals, spare, |arrival| arrival.at.as_nanos());
}

/// Sorts by a number, the greatest first, and leaves those of one number in their order: by one digit after the other, of
/// those in which any differ. Where all links take the same time, much that comes in one bucket comes at one moment.
fn sort_by_digits(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>, number: impl Fn(&Arrival) -> u64) {
    let first = number(&arrivals[0]);
    let differing = arrivals.iter().fold(0, |bits, arrival| bits | (number(arrival) ^ first));
    let mut left = differing;
    while left != 0 {
        let (shift, digits) = (left.trailing_zeros(), (1 << DIGIT) - 1);
        left &= !(digits << shift);
        let digit = |arrival: &Arrival| (!number(arrival) >> shift & digits) as usize;
        let mut places = [0_u32; 1 << DIGIT];
        arrivals.iter().for_each(|arrival| places[digit(arrival)] += 1);
        let mut sum = 0;
        for place in &mut places {
            sum += mem::replace(place, sum);
        }
        for arrival in &*arrivals {
            let place = &mut places[digit(arrival)];
            spare[*place as usize] = *arrival;
            *place += 1;
        }
        mem::swap(arrivals, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn few_and_many_are_sorted_alike(
            step in prop_oneof![Just(0), Just(1), Just(1_u64 << 20)],
            arrivals in prop_oneof![vec(any::<(u8, u32, u32)>(), 0..60), vec(any::<(u8, u32, u32)>(), 400..700)],
            few_nodes in any::<bool>(),
        ) {
            let node = |node| if few_nodes { node % 3 } else { node };
            let arrivals = arrivals.into_iter().zip(0..);
            let mut arrivals: Vec<_> = arrivals
                .map(|((at, to, from), slot)| {
                    let at = Time::from_nanos(step * u64::from(at));
                    Arrival { at, to: node(to), from: node(from), count: slot / 2, slot: slot / 2 }
                })
                .collect();
            let mut expected = arrivals.clone();
            expected.sort();
            expected.reverse();
            sort(&mut arrivals, &mut Vec::new());
            prop_assert_eq!(arrivals, expected);
        }
    }
}
