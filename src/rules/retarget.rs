//! How the target follows the hash rate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pow::Target;

/// Retargeting as Bitcoin's: after every window of blocks the target is scaled by the time that the window took over
/// the time wanted for it.
///
/// A window's time is that from its first block to its last, so nobody measures the interval from the last block of one
/// window to the first of the next. Miners of most of the work can have time go back there: they hold all timestamps
/// just above the median, but that of each window's last block at the present. Each window then seems to have taken
/// ever longer, and the target becomes easier by [`factor_max`](Self::factor_max) with each: the *time warp*. A bound on
/// how far time goes back there, [`back_max`](Self::back_max), ends it. What is left is a window that ends before it
/// begins, as such a time counts as the shortest (the attack of Murch and Zawy, which BIP 54 forbids too).
///
/// Sources: `CalculateNextWorkRequired` in Bitcoin Core's `src/pow.cpp`; BIP 94, "Time Warp Attack Prevention".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retarget {
    /// The number of blocks after which the target changes; less than 2, which have an interval, is taken as 2.
    pub window: u32,
    /// The wanted time from block to block.
    #[serde(rename = "spacing_seconds", with = "crate::time::seconds")]
    pub spacing: Duration,
    /// The most that the target changes by at once, up or down; 0 is taken as 1.
    pub factor_max: u32,
    /// How far the timestamp of a window's first block may lie before that of the block before it; with
    /// [`Duration::MAX`], as far as the median lets it. It is held where whole blocks are checked. Testnet 4 has 600 s,
    /// one spacing (BIP 94, in Bitcoin Core `enforce_BIP94` and `MAX_TIMEWARP`); the main network has no bound.
    #[serde(rename = "back_max_seconds", with = "crate::time::seconds")]
    pub back_max: Duration,
}

impl Retarget {
    /// Tells whether the block at a position, counted from 1, starts a window, and so gets a new target.
    pub fn is_due_at(&self, position: u64) -> bool {
        position > 1 && (position - 1).is_multiple_of(self.window())
    }

    /// Returns the earliest time that the first block of a window may have after a block at `last_micros`, both in
    /// microseconds since the Unix epoch.
    pub fn earliest_micros(&self, last_micros: u64) -> u64 {
        last_micros.saturating_sub(u64::try_from(self.back_max.as_micros()).unwrap_or(u64::MAX))
    }

    /// Returns the blocks in a window, at least 2.
    pub fn window(&self) -> u64 {
        u64::from(self.window.max(2))
    }

    /// Returns the target after a window at `target` whose first and last block lie `actual` microseconds apart.
    ///
    /// As in Bitcoin these are the times of the first and the last block of the same window, one interval fewer than
    /// the window has blocks. A negative time counts as the shortest. The arithmetic is exact, rounded down.
    pub fn next_target(&self, target: Target, actual_micros: i128, easiest: Target) -> Target {
        let wanted = u128::from(self.window()).saturating_mul(self.spacing.as_micros());
        // A hundred thousand years: nothing real is cut, and the product below fits.
        let wanted = wanted.clamp(1, u128::from(u64::MAX >> 2)) as u64;
        let factor = u64::from(self.factor_max.max(1));
        let (shortest, longest) = ((wanted / factor).max(1), wanted.saturating_mul(factor));
        let actual = actual_micros.clamp(i128::from(shortest), i128::from(longest)) as u64;
        let scaled = Target::new(multiply_divide(target.get(), actual, wanted).max(1));
        scaled.expect("at least 1").min(easiest)
    }
}

/// Computes `value * factor / divisor`, rounded down, without losing a bit on the way; `u128::MAX` if it is more.
fn multiply_divide(value: u128, factor: u64, divisor: u64) -> u128 {
    // Three digits to the base 2^64, then long division.
    let (factor, divisor) = (u128::from(factor), u128::from(divisor));
    let low = u128::from(value as u64) * factor;
    let high = (value >> 64) * factor + (low >> 64);
    let (top, remainder) = (high / divisor, high % divisor);
    if top >> 64 != 0 {
        return u128::MAX;
    }
    (top << 64) | (((remainder << 64) | u128::from(low as u64)) / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Held against 128 bits where they are enough, and shifted up to where they are not.
        #[test]
        fn multiply_divide_is_exact(value in any::<u64>(), factor in any::<u64>(), divisor in 1..u64::MAX) {
            let exact = u128::from(value) * u128::from(factor) / u128::from(divisor);
            prop_assert_eq!(multiply_divide(u128::from(value), factor, divisor), exact);
            // Shifted up by 64 bits, the quotient's upper half is the same and its lower half is the remainder's.
            let remainder = u128::from(value) * u128::from(factor) % u128::from(divisor);
            let shifted = multiply_divide(u128::from(value) << 64, factor, divisor);
            if exact >> 64 == 0 {
                prop_assert_eq!(shifted, (exact << 64) + (remainder << 64) / u128::from(divisor));
            } else {
                prop_assert_eq!(shifted, u128::MAX);
            }
        }
    }
}
