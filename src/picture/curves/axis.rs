//! An axis: which values it spans, and how they are written.

/// A span of values, in a unit in which they are neither long nor tiny: so that no tick is lost to rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    /// The power of a thousand that is one.
    thousands: i32,
}

impl Axis {
    /// Makes an axis that has all values on it, and zero unless that is far away from them.
    pub(super) fn new(values: impl Iterator<Item = f64> + Clone) -> Self {
        let largest = values.clone().map(f64::abs).fold(0.0, f64::max);
        let mut axis = Self { from: 0.0, to: 1.0, thousands: 0 };
        while axis.place(largest) >= 10_000.0 {
            axis.thousands += 1;
        }
        while largest > 0.0 && axis.place(largest) < 0.01 {
            axis.thousands -= 1;
        }
        let (from, to) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), value| {
            let place = axis.place(value);
            (from.min(place), to.max(place))
        });
        let size = from.abs().max(to.abs());
        if to - from < size / 4.0 {
            // Values that are nearly the same do not begin at zero, and have room.
            let room = ((to - from) / 8.0).max(size / 1000.0);
            (axis.from, axis.to) = (from - room, to + room);
        } else {
            axis.from = from.min(0.0);
            axis.to = if size > 0.0 { to.max(0.0) + (to.max(0.0) - axis.from) / 25.0 } else { 1.0 };
        }
        axis
    }

    /// Where a value lies.
    pub(super) fn place(&self, value: f64) -> f64 {
        let factor = (0..self.thousands.abs()).fold(1.0, |factor, _| factor * 1000.0);
        if self.thousands < 0 { value * factor } else { value / factor }
    }

    /// Writes what lies at a place.
    pub(super) fn label(&self, place: f64) -> String {
        let digits = [20.0, 2.0, 0.2, 0.02].iter().filter(|size| self.to - self.from < **size).count();
        let label = format!("{place:.digits$}");
        // A zero may come out of a rounding as a negative one.
        if label.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) { "0".into() } else { label }
    }

    /// Returns an axis's name with the unit of what is written.
    pub(super) fn named(&self, name: &str) -> String {
        match self.thousands {
            0 => name.to_owned(),
            thousands => format!("{name}, in 10^{}", 3 * thousands),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_have_units() {
        let axis = Axis::new([0.0, 2.5e12].into_iter());
        assert_eq!(
            (axis.named("difficulty"), axis.label(axis.place(1e12))),
            ("difficulty, in 10^9".into(), "1000".into())
        );
        let axis = Axis::new([0.000_002, 0.000_004].into_iter());
        assert_eq!(
            (axis.named("share"), axis.label(axis.place(3e-6))),
            ("share, in 10^-6".into(), "3.0".into())
        );
        assert_eq!(Axis::new([0.0].into_iter()).label(0.5), "0.50");
    }

    proptest! {
        #[test]
        fn all_values_are_on_the_axis(
            values in prop::collection::vec((-1.0..1.0_f64, -100..99_i32), 1..9)
        ) {
            let values: Vec<_> = values.into_iter().map(|(value, power)| value * 10_f64.powi(power)).collect();
            let axis = Axis::new(values.iter().copied());
            prop_assert!(axis.from < axis.to && axis.from.abs() < 20_000.0 && axis.to < 20_000.0);
            for value in values {
                prop_assert!((axis.from..=axis.to).contains(&axis.place(value)));
            }
        }
    }
}
