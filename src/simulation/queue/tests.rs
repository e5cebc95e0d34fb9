//! A sorted list is what a queue is held against.

use super::*;
use proptest::{collection::vec, prelude::*};

#[derive(Debug, Clone)]
enum Step {
    Push {
        ahead: u64,
        to: u32,
        from: u32,
    },
    /// So many that large memory is given back.
    PushMany {
        ahead: u64,
        times: u32,
    },
    PopUntil {
        ahead: u64,
    },
    PopAll,
    Advance {
        ahead: u64,
    },
    Drain,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ahead = prop_oneof![
        Just(0),
        0..3_u64,
        0..1_000_000_u64,
        0..2_000_000_000_u64,
        0..600_000_000_000_u64,
        (0..9_u64).prop_map(|rounds| rounds << 28),
        Just(u64::MAX)
    ];
    let push =
        (ahead.clone(), 0..3_u32, 0..3_u32).prop_map(|(ahead, to, from)| Step::Push { ahead, to, from });
    let push_many =
        (ahead.clone(), 400..1_500_u32).prop_map(|(ahead, times)| Step::PushMany { ahead, times });
    let step = prop_oneof![
        80 => push,
        1 => push_many,
        1 => Just(Step::PopAll),
        40 => ahead.clone().prop_map(|ahead| Step::PopUntil { ahead }),
        20 => ahead.prop_map(|ahead| Step::Advance { ahead }),
        10 => Just(Step::Drain),
    ];
    vec(step, 0..200)
}

proptest! {
    /// A sorted list is the model.
    #[test]
    fn arrivals_come_in_order(start in prop_oneof![Just(0), any::<u64>()], steps in steps()) {
        let (mut now, mut queue, mut model) = (start, Queue::new(Time::from_nanos(start)), Vec::new());
        for (step, number) in steps.into_iter().zip(0..) {
            let count = 10_000 * number;
            match step {
                Step::Push { ahead, to, from } => {
                    let at = Time::from_nanos(now.saturating_add(ahead));
                    let arrival = Arrival { at, to, from, count, slot: count };
                    queue.push(arrival);
                    model.push(arrival);
                    model.sort();
                }
                Step::PushMany { ahead, times } => {
                    let at = Time::from_nanos(now.saturating_add(ahead));
                    let sent = (count..count + times).map(|count| (count % 7, count % 3, count));
                    for (to, from, count) in sent {
                        let arrival = Arrival { at, to, from, count, slot: count };
                        queue.push(arrival);
                        model.push(arrival);
                    }
                    model.sort();
                }
                Step::PopAll => {
                    for first in model.drain(..) {
                        prop_assert_eq!(queue.pop_until(Time::MAX), Some(first));
                        now = first.at.as_nanos();
                    }
                    prop_assert!(queue.is_empty());
                }
                Step::PopUntil { ahead } => {
                    let limit = Time::from_nanos(now.saturating_add(ahead));
                    let first = model.first().copied().filter(|arrival: &Arrival| arrival.at <= limit);
                    prop_assert_eq!(queue.is_empty(), model.is_empty());
                    prop_assert_eq!(queue.pop_until(limit), first);
                    if let Some(first) = first {
                        model.remove(0);
                        now = first.at.as_nanos();
                        for to in 0..8 {
                            let is_its = |arrival: &&Arrival| (arrival.at, arrival.to) == (first.at, to);
                            let its = model.iter().filter(is_its).rev();
                            prop_assert!(queue.opened_for(to, first.at).eq(its));
                        }
                    }
                }
                Step::Advance { ahead } => {
                    let first = model.first().map_or(u64::MAX, |arrival| arrival.at.as_nanos());
                    now = now.saturating_add(ahead).min(first);
                    queue.advance(Time::from_nanos(now));
                }
                Step::Drain => {
                    let mut all = queue.drain();
                    all.sort();
                    prop_assert_eq!(&all, &model);
                    model.clear();
                }
            }
        }
    }

    /// What is left out is gone, and all else comes, each once.
    #[test]
    fn what_is_not_left_out_comes_in_order(
        pushed in vec((0..4_u64, 0..2_000_000_u64, 0..40_usize), 0..40),
        mut limits in vec(0..(4_u64 << 37), 0..8),
        each in 1..30_u32,
    ) {
        let mut queue = Queue::new(Time::UNIX_EPOCH);
        let at = pushed.into_iter().flat_map(|(far, at, times)| vec![(far << 37) + at; times]);
        let mut model: Vec<_> = at
            .zip(0..)
            .map(|(at, count)| Arrival { at: Time::from_nanos(at), to: count % 7, from: 0, count, slot: 0 })
            .collect();
        model.iter().for_each(|arrival| queue.push(*arrival));
        model.sort();
        limits.sort_unstable();
        // Whole buckets, mostly.
        let is_unwanted = |arrival: &Arrival| !(arrival.count / 20).is_multiple_of(each);
        let (mut popped, mut dropped) = (Vec::new(), Vec::new());
        for limit in limits.into_iter().chain([u64::MAX]).map(Time::from_nanos) {
            let before = popped.len();
            while let Some(arrival) = queue.pop_until_without(limit, |arrival| {
                dropped.extend(Some(*arrival).filter(is_unwanted));
                is_unwanted(arrival)
            }) {
                popped.push(arrival);
            }
            prop_assert!(popped[before..].iter().all(|arrival| arrival.at <= limit));
            let wanted = model.iter().filter(|arrival| arrival.at <= limit && !is_unwanted(arrival));
            prop_assert!(popped.iter().filter(|arrival| !is_unwanted(arrival)).eq(wanted));
        }
        prop_assert!(queue.is_empty());
        prop_assert!(popped.is_sorted());
        popped.append(&mut dropped);
        popped.sort();
        prop_assert_eq!(popped, model);
    }
}
