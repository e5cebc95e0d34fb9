//! What a proof is worth, and a chain of them.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Sub},
};

use super::Target;

/// An expected number of hashes: of one proof, or of all proofs of a chain together.
///
/// The work of a target is 2^128 / target, rounded down, as Bitcoin counts it (`GetBlockProof` in its `chain.cpp`).
/// Sums are exact, with 192 bits: even at the hardest target there is room for 2^64 blocks. Its text is decimal.
///
/// ```
/// use chainlab::pow::{Target, Work};
///
/// let chain: Work = [16, 16, 17].map(|bits| Target::leading_zero_bits(bits).work()).into_iter().sum();
/// assert_eq!(chain.to_string(), "262144");
/// assert!(chain > Target::leading_zero_bits(17).work());
/// ```
// Aligned as a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(8))]
#[must_use]
pub struct Work {
    // The order of the fields is what derives the order of the numbers.
    high: u64,
    low: u128,
}

impl Work {
    /// No work at all.
    pub const ZERO: Self = Self { high: 0, low: 0 };

    /// Counts the work of one proof for a target.
    pub(super) const fn of(target: Target) -> Self {
        match target.get() {
            1 => Self { high: 1, low: 0 },
            // Rounded down, 2^128 / target is one more than (2^128 - 1) / target only where it comes out even.
            target => {
                let even = u128::MAX % target == target - 1;
                Self { high: 0, low: u128::MAX / target + even as u128 }
            }
        }
    }

    /// Returns it as a floating-point number, for ratios and reports.
    pub fn as_f64(self) -> f64 {
        self.high as f64 * 2f64.powi(128) + self.low as f64
    }
}

impl Add for Work {
    type Output = Self;

    /// Adds exactly.
    ///
    /// # Panics
    ///
    /// From 2^192 on, which no chain reaches: it would take 2^64 blocks at the hardest target.
    fn add(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        let high = self.high.checked_add(other.high).and_then(|high| high.checked_add(carry.into()));
        Self { high: high.expect("a chain has fewer than 2^64 blocks"), low }
    }
}

impl Sub for Work {
    type Output = Self;

    /// Subtracts exactly.
    ///
    /// # Panics
    ///
    /// If there is less of it: subtract from the work of a chain that of its own beginning.
    fn sub(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        let high = self.high.checked_sub(other.high).and_then(|high| high.checked_sub(borrow.into()));
        Self { high: high.expect("no less is subtracted from more"), low }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Long division by 10^19, one limb of 64 bits after the other; 2^192 has 58 digits, so four times.
        const CHUNK: u128 = 10u128.pow(19);
        let mut limbs = [self.high, (self.low >> 64) as u64, self.low as u64];
        let mut text = String::new();
        while limbs != [0; 3] {
            let mut remainder = 0;
            for limb in &mut limbs {
                let dividend = remainder << 64 | u128::from(*limb);
                *limb = (dividend / CHUNK) as u64;
                remainder = dividend % CHUNK;
            }
            text.insert_str(0, &format!("{remainder:019}"));
        }
        let digits = text.trim_start_matches('0');
        f.pad_integral(true, "", if digits.is_empty() { "0" } else { digits })
    }
}
