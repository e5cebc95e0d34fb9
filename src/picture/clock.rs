//! The ticks of an axis of time.

use std::time::Duration;

/// The most ticks after the first, so that their labels have room.
const TICKS_MAX: u64 = 8;
/// Units, their names and their nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("µs", 1000),
    ("ns", 1),
];

/// An axis of time from 0 on: a tick after each step.
pub(super) struct Clock {
    length: u64,
    step: u64,
    unit: (&'static str, u64),
}

impl Clock {
    pub(super) fn new(length: Duration) -> Self {
        let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let is_enough = |step: &u64| length / step <= TICKS_MAX;
        let step = steps().find(is_enough).unwrap_or(u64::MAX);
        let unit = UNITS.into_iter().find(|(_, nanos)| step.is_multiple_of(*nanos)).unwrap_or(("ns", 1));
        Self { length, step, unit }
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = (Duration, String)> {
        let (name, unit) = self.unit;
        let ticks = (0..=self.length / self.step).map(|count| count * self.step);
        ticks.map(move |nanos| (Duration::from_nanos(nanos), format!("{} {name}", nanos / unit)))
    }
}

/// The steps that a person counts in.
fn steps() -> impl Iterator<Item = u64> {
    let below_a_minute = (0..11).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let seconds = [100, 200, 600, 1800, 3600, 7200, 21_600, 43_200];
    let days = (0..5).flat_map(|power| [1, 2, 5].map(|digit| 86_400 * digit * 10_u64.pow(power)));
    below_a_minute.chain(seconds.into_iter().chain(days).map(|seconds: u64| seconds * 1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(length: Duration) -> Vec<String> {
        Clock::new(length).ticks().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(Duration::from_secs(3)),
            ["0 ms", "500 ms", "1000 ms", "1500 ms", "2000 ms", "2500 ms", "3000 ms"]
        );
        assert_eq!(labels(Duration::from_secs(7)), ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s", "7 s"]);
        assert_eq!(labels(Duration::from_nanos(1)), ["0 ns", "1 ns"]);
        assert_eq!(
            labels(Duration::from_secs(86_400 * 3)),
            ["0 h", "12 h", "24 h", "36 h", "48 h", "60 h", "72 h"]
        );
    }

    #[test]
    fn there_are_few_of_any_length() {
        for power in 0..64 {
            let count = labels(Duration::from_nanos(u64::MAX >> power)).len() as u64;
            assert!((2..=TICKS_MAX + 1).contains(&count), "{power}: {count}");
        }
    }
}
