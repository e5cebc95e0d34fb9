//! Sorting what comes in one bucket of the queue.

use std::mem;

use super::queue::Arrival;

/// Up to so many entries are sorted by insertion, which most buckets are.
pub(super) const FEW: usize = 8;
/// More are divided by their times first, by so many bits of these: most parts then have one entry, or none.
const PART_BITS: u32 = 5;
/// From so many on they are sorted by one digit after the other.
const MANY: usize = 512;
/// The bits of a digit: the counters of its values still lie in the nearest cache.
const DIGIT_BITS: u32 = 11;

/// Sorts, the earliest last; `spare` is memory for that. Most buckets have one entry: a call would take longer.
#[inline(always)]
pub(super) fn sort(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>) {
    let count = arrivals.len();
    // What one has told many over links that take the same time lies in the opposite order.
    if arrivals.is_sorted_by(is_before) {
        arrivals.reverse();
    } else if count <= FEW {
        sort_few(arrivals);
    } else if count < MANY {
        sort_by_parts(arrivals, spare);
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
        while place > 0 && is_before(&arrivals[place - 1], &arrival) {
            arrivals[place] = arrivals[place - 1];
            place -= 1;
        }
        arrivals[place] = arrival;
    }
}

/// Tells whether one comes before another; mostly their times tell.
#[inline]
fn is_before(one: &Arrival, other: &Arrival) -> bool {
    one.at < other.at || one.at == other.at && one < other
}

/// Divides what comes into parts by its times, the latest first, and sorts each part by itself.
#[inline(never)]
fn sort_by_parts(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>) {
    let differing = differing(arrivals, |arrival| arrival.at.as_nanos());
    let shift = (u64::BITS - differing.leading_zeros()).saturating_sub(PART_BITS);
    let ends = divide::<{ 1 << PART_BITS }>(arrivals, spare, |arrival| !arrival.at.as_nanos() >> shift);
    let mut start = 0;
    for end in ends.map(|end| end as usize) {
        let part = &mut arrivals[start..end];
        match part.len() {
            ..=FEW => sort_few(part),
            _ => part.sort_unstable_by(|one, other| other.cmp(one)),
        }
        start = end;
    }
}

/// Sorts by one number after the other, the last that counts first. Of one turn are only what is queued twice, and what is
/// left of a download that became a message, of which nothing comes.
#[inline(never)]
fn sort_many(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>) {
    sort_by_digits(arrivals, spare, |arrival| u64::from(arrival.count));
    sort_by_digits(arrivals, spare, |arrival| u64::from(arrival.to) << 32 | u64::from(arrival.from));
    sort_by_digits(arrivals, spare, |arrival| arrival.at.as_nanos());
}

/// Sorts by a number, the greatest first, and leaves those of one number in their order: by one digit after the other, of
/// those in which any differ. Where all links take the same time, much that comes in one bucket comes at one moment.
fn sort_by_digits(arrivals: &mut Vec<Arrival>, spare: &mut Vec<Arrival>, number: impl Fn(&Arrival) -> u64) {
    let mut left = differing(arrivals, &number);
    while left != 0 {
        let shift = left.trailing_zeros();
        left &= !(((1 << DIGIT_BITS) - 1) << shift);
        divide::<{ 1 << DIGIT_BITS }>(arrivals, spare, |arrival| !number(arrival) >> shift);
    }
}

/// The bits in which the numbers of any two differ.
fn differing(arrivals: &[Arrival], number: impl Fn(&Arrival) -> u64) -> u64 {
    let first = number(&arrivals[0]);
    arrivals.iter().fold(0, |bits, arrival| bits | (number(arrival) ^ first))
}

/// Divides what comes into parts, by the remainders of numbers divided by how many parts there are: those of a smaller
/// remainder come first, and those of one stay in their order. Returns where each part ends.
#[inline]
fn divide<const PARTS: usize>(
    arrivals: &mut Vec<Arrival>,
    spare: &mut Vec<Arrival>,
    number: impl Fn(&Arrival) -> u64,
) -> [u32; PARTS] {
    let part = |arrival: &Arrival| number(arrival) as usize % PARTS;
    spare.resize(arrivals.len(), arrivals[0]);
    let mut places = [0_u32; PARTS];
    arrivals.iter().for_each(|arrival| places[part(arrival)] += 1);
    let mut sum = 0;
    for place in &mut places {
        sum += mem::replace(place, sum);
    }
    for arrival in &*arrivals {
        let place = &mut places[part(arrival)];
        spare[*place as usize] = *arrival;
        *place += 1;
    }
    mem::swap(arrivals, spare);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn few_and_many_are_sorted_alike(
            step in prop_oneof![Just(0), Just(1), Just(1_u64 << 20), Just(1 << 56)],
            differing in prop_oneof![Just(u8::MAX), any::<u8>()],
            arrivals in prop_oneof![
                vec(any::<(u8, u32, u32)>(), 0..60),
                vec(any::<(u8, u32, u32)>(), 60..400),
                vec(any::<(u8, u32, u32)>(), 400..700),
            ],
            few_nodes in any::<bool>(),
        ) {
            let node = |node| if few_nodes { node % 3 } else { node };
            let arrivals = arrivals.into_iter().zip(0..);
            let mut arrivals: Vec<_> = arrivals
                .map(|((at, to, from), slot)| {
                    let at = Time::from_nanos(step * u64::from(at & differing));
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
