//! How the target follows the hash rate.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::RetargetError;
use crate::{block::Block, document::checked, pow::Target, time::seconds};

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
///
/// A value is valid once made, and reads and writes documents with serde.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
#[must_use]
pub struct Retarget(Document);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    first_target: Target,
    easiest_target: Target,
    #[serde(deserialize_with = "read_window")]
    window: u32,
    #[serde(
        rename = "spacing_seconds",
        serialize_with = "seconds::serialize",
        deserialize_with = "read_spacing"
    )]
    spacing: Duration,
    #[serde(deserialize_with = "read_factor_max")]
    factor_max: u32,
    #[serde(rename = "back_max_seconds", with = "seconds")]
    back_max: Duration,
}

impl Retarget {
    /// Makes the target follow the hash rate from a first target on, which is the easiest, too: after every window of
    /// so many blocks, towards a time from block to block. It changes by at most 4 at once, as Bitcoin's, and nothing
    /// bounds how far time goes back between windows.
    ///
    /// # Errors
    ///
    /// A window of less than 2 blocks, which have no interval; a spacing of less than a microsecond, or with which a
    /// window takes more than 73,000 years.
    pub fn new(first_target: Target, window: u32, spacing: Duration) -> Result<Self, RetargetError> {
        let (easiest_target, factor_max, back_max) = (first_target, 4, Duration::MAX);
        Document { first_target, easiest_target, window, spacing, factor_max, back_max }.try_into()
    }

    /// Returns it with another easiest target, which retargeting never goes above.
    ///
    /// # Errors
    ///
    /// If the first target is easier.
    pub fn with_easiest_target(self, easiest_target: Target) -> Result<Self, RetargetError> {
        Document { easiest_target, ..self.0 }.try_into()
    }

    /// Returns it with another number of blocks in a window.
    ///
    /// # Errors
    ///
    /// As [`Retarget::new`].
    pub fn with_window(self, window: u32) -> Result<Self, RetargetError> {
        Document { window, ..self.0 }.try_into()
    }

    /// Returns it with another wanted time from block to block.
    ///
    /// # Errors
    ///
    /// As [`Retarget::new`].
    pub fn with_spacing(self, spacing: Duration) -> Result<Self, RetargetError> {
        Document { spacing, ..self.0 }.try_into()
    }

    /// Returns it with another bound on how much the target changes at once, up or down; with 1 it never does.
    ///
    /// # Errors
    ///
    /// If it is 0.
    pub fn with_factor_max(self, factor_max: u32) -> Result<Self, RetargetError> {
        Document { factor_max, ..self.0 }.try_into()
    }

    /// Returns it with another bound on how far the timestamp of a window's first block may lie before that of the block
    /// before it; with [`Duration::MAX`], as far as the median lets it.
    ///
    /// It is held where whole blocks are checked. Testnet 4 has 600 s, one spacing (BIP 94, in Bitcoin Core
    /// `enforce_BIP94` and `MAX_TIMEWARP`); the main network has no bound.
    pub const fn with_back_max(self, back_max: Duration) -> Self {
        Self(Document { back_max, ..self.0 })
    }

    /// Returns it with another first target, which is the easiest, too.
    pub const fn starting_at(self, target: Target) -> Self {
        Self(Document { first_target: target, easiest_target: target, ..self.0 })
    }

    /// Returns the target of the first window.
    pub const fn first_target(&self) -> Target {
        self.0.first_target
    }

    /// Returns the target that retargeting never goes above.
    pub const fn easiest_target(&self) -> Target {
        self.0.easiest_target
    }

    /// Returns the blocks in a window, at least 2: the number after which the target changes.
    pub const fn window(&self) -> u32 {
        self.0.window
    }

    /// Returns the wanted time from block to block.
    pub const fn spacing(&self) -> Duration {
        self.0.spacing
    }

    /// Returns the most that the target changes by at once, up or down, at least 1.
    pub const fn factor_max(&self) -> u32 {
        self.0.factor_max
    }

    /// Returns how far the timestamp of a window's first block may lie before that of the block before it.
    pub const fn back_max(&self) -> Duration {
        self.0.back_max
    }

    /// Tells whether the block at a position, counted from 1, starts a window, and so gets a new target.
    pub fn is_due_at(&self, position: u64) -> bool {
        position > 1 && (position - 1).is_multiple_of(u64::from(self.window()))
    }

    /// Returns the target of the block at a position, which is due, after one that was held to `last`; none if `block` does not
    /// find both the first and the last block of the window before it.
    #[cold]
    pub(super) fn target_at<'a>(
        &self,
        position: u64,
        last: Target,
        block: impl Fn(u64) -> Option<&'a Block>,
    ) -> Option<Target> {
        let micros = |position| Some(i128::from(block(position)?.timestamp().rounded_micros()));
        let (first, end) = (position - u64::from(self.window()), position - 1);
        Some(self.next_target(last, micros(end)? - micros(first)?))
    }

    /// Returns the earliest time that the first block of a window may have after a block at `last_micros`, both in
    /// microseconds since the Unix epoch.
    pub fn earliest_micros(&self, last_micros: u64) -> u64 {
        last_micros.saturating_sub(u64::try_from(self.back_max().as_micros()).unwrap_or(u64::MAX))
    }

    /// Returns the target after a window at `target` whose first and last block lie `actual` microseconds apart.
    ///
    /// As in Bitcoin these are the times of the first and the last block of the same window, one interval fewer than
    /// the window has blocks. A negative time counts as the shortest. The arithmetic is exact, rounded down.
    pub fn next_target(&self, target: Target, actual_micros: i128) -> Target {
        let (wanted, factor) = (self.0.wanted_micros() as u64, u64::from(self.factor_max()));
        let (shortest, longest) = ((wanted / factor).max(1), wanted.saturating_mul(factor));
        let actual = actual_micros.clamp(i128::from(shortest), i128::from(longest)) as u64;
        let scaled = Target::new(multiply_divide(target.get(), actual, wanted).max(1));
        scaled.expect("at least 1").min(self.easiest_target())
    }
}

impl Document {
    /// How long a window is to take.
    fn wanted_micros(&self) -> u128 {
        u128::from(self.window).saturating_mul(self.spacing.as_micros())
    }
}

impl TryFrom<Document> for Retarget {
    type Error = RetargetError;

    fn try_from(document: Document) -> Result<Self, RetargetError> {
        let Document { first_target: first, easiest_target: easiest, window, spacing, factor_max, .. } =
            document;
        if first > easiest {
            return Err(RetargetError::FirstTarget { first, easiest });
        }
        check_window(window)?;
        check_spacing(spacing)?;
        // Up to there, the arithmetic fits into 64 bits.
        if document.wanted_micros() > u128::from(u64::MAX >> 3) {
            return Err(RetargetError::Spacing { spacing });
        }
        check_factor_max(factor_max)?;
        Ok(Self(document))
    }
}

fn check_window(window: u32) -> Result<u32, RetargetError> {
    if window >= 2 { Ok(window) } else { Err(RetargetError::Window { window }) }
}

fn check_spacing(spacing: Duration) -> Result<Duration, RetargetError> {
    if spacing.as_micros() > 0 { Ok(spacing) } else { Err(RetargetError::Spacing { spacing }) }
}

fn check_factor_max(factor_max: u32) -> Result<u32, RetargetError> {
    if factor_max > 0 { Ok(factor_max) } else { Err(RetargetError::FactorMax) }
}

fn read_window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, check_window)
}

fn read_spacing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    check_spacing(seconds::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn read_factor_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, check_factor_max)
}

impl From<Retarget> for Document {
    fn from(retarget: Retarget) -> Self {
        retarget.0
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
