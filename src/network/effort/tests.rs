//! Efforts at moments that are made up.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::network::clock::instant;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One of a thousand attempts a second, whose search begins.
fn begun(start: Instant) -> Effort {
    let mut effort = Effort::default();
    effort.set_rate(Some(1e3), start);
    effort.begin(start);
    effort
}

#[test]
fn attempts_count_one_by_one_when_they_are_due() {
    let start = instant();
    let mut effort = begun(start);
    assert_eq!(effort.first_is_due_at(), Some(start + millis(1)));
    effort.tried(10);
    assert_eq!(effort.all_is_due_at(), Some(start + millis(10)));
    let counted = [0, 999, 1_001, 9_001, 10_000, 50_000];
    let counted = counted.map(|micros| effort.attempts(start + Duration::from_micros(micros)));
    assert_eq!(counted, [0, 0, 1, 9, 10, 10]);
    // Another search takes its place: what was ahead is lost, what had begun goes on.
    effort.begin(start + Duration::from_micros(3_500));
    assert_eq!((effort.attempts(start + millis(50)), effort.first_is_due_at()), (3, Some(start + millis(4))));
    effort.stop(start + Duration::from_micros(3_900));
    // What searches for nothing saves nothing up.
    effort.begin(start + millis(500));
    assert_eq!(effort.first_is_due_at(), Some(start + millis(501)));
}

#[test]
fn what_is_tried_ahead_doubles_up_to_a_slice() {
    let mut effort = begun(instant());
    let (mut tried, mut steps) = (0, Vec::new());
    for _ in 0..9 {
        let next = effort.next(tried, 60_000);
        steps.push(next);
        tried += next;
    }
    assert_eq!(steps, [1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    // A slow machine's slice is shorter than that.
    assert_eq!(effort.next(0, 100), 100);
    effort.set_rate(None, instant());
    assert_eq!(effort.next(0, 60_000), 60_000);
}

#[test]
fn a_late_thread_makes_up_for_a_tenth_of_a_second() {
    let start = instant();
    let mut effort = begun(start);
    for (late, missed) in [(50, 0), (100, 0), (5_000, 4_900)] {
        effort.tried(1);
        let due = effort.all_is_due_at().unwrap();
        // The next is as late as that.
        effort.settle(due + millis(1 + late));
        assert_eq!(effort.first_is_due_at(), Some(due + millis(1 + missed)));
    }
}

/// What a second has brought at the old rate stays that.
#[test]
fn another_rate_is_one_from_then_on() {
    let start = instant();
    for (old, after, new, next) in
        [(1e3, 500, 2.0, 250_000), (1.0, 900_000, 1e3, 100), (0.0, 900_000, 1e3, 1_000)]
    {
        let mut effort = begun(start);
        effort.set_rate(Some(old), start);
        effort.tried(1_000);
        let now = start + Duration::from_micros(after);
        effort.set_rate(Some(new), now);
        assert_eq!(effort.attempts(now), 0);
        let due = effort.first_is_due_at().unwrap().saturating_duration_since(now);
        assert!(due.abs_diff(Duration::from_micros(next)) < Duration::from_micros(1), "{due:?}");
    }
}

#[test]
fn no_rate_is_too_low_or_too_high() {
    let start = instant();
    for rate in [0.0, f64::MIN_POSITIVE, 1e-9, 1e30, f64::MAX] {
        let mut effort = Effort::default();
        effort.set_rate(Some(rate), start);
        effort.begin(start);
        assert!(effort.first_is_due_at().is_some());
        effort.tried(u64::MAX);
        effort.tried(u64::MAX);
        let most = if rate < 1.0 { 0 } else { u64::MAX };
        assert_eq!(effort.attempts(start + millis(60_000)), most);
        effort.settle(start + millis(60_000));
        effort.stop(start + millis(120_000));
        assert_eq!(effort.attempts(start), most);
    }
}

#[test]
fn an_unlimited_search_counts_what_it_tries() {
    let start = instant();
    let mut effort = Effort::default();
    effort.begin(start);
    assert_eq!((effort.first_is_due_at(), effort.all_is_due_at()), (None, None));
    effort.tried(70);
    assert_eq!(effort.attempts(start), 70);
    // A limit that comes later lets none off.
    effort.set_rate(Some(1e3), start + millis(500));
    assert_eq!(effort.first_is_due_at(), Some(start + millis(501)));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Search,
    Settle,
    Pause(u64),
}

proptest! {
    /// However it is interrupted, it makes the attempts of the time that it has had, to within one.
    #[test]
    fn interruptions_lose_no_attempts(
        rate in 1.0..1e5_f64,
        steps in vec((0..90_000_u64, prop_oneof![
            Just(Step::Search), Just(Step::Settle), (0..10_000_000_u64).prop_map(Step::Pause),
        ]), 0..50),
    ) {
        let start = instant();
        let (mut now, mut effort) = (start, Effort::default());
        effort.set_rate(Some(rate), start);
        effort.begin(start);
        let mut had = Duration::ZERO;
        for (micros, step) in steps {
            // It always has enough ahead: the bound of what is made up for is not met.
            effort.tried(1_000_000);
            let time = Duration::from_micros(micros);
            (now, had) = (now + time, had + time);
            match step {
                Step::Search => effort.begin(now),
                Step::Settle => effort.settle(now),
                Step::Pause(micros) => {
                    let under_way = effort.pause(now);
                    now += Duration::from_micros(micros);
                    prop_assert_eq!(effort.attempts(now + millis(70)), effort.attempts(now));
                    effort.resume(now, under_way);
                }
            }
            let due = had.as_secs_f64() * rate;
            prop_assert!((effort.attempts(now) as f64 - due).abs() <= 1.0 + 1e-6 * due, "{due}");
        }
    }
}
