//! How small a hash must be.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Work;
use crate::{hash::BlockHash, text::shortened};

/// The bound that a proof's hash must be below: its first 16 bytes, read as a big-endian number, against this one.
///
/// A target is at least 1. The larger it is, the easier, and that is its order: the greater of two targets is the
/// easier one. Its text is 32 lower-case hexadecimal digits, to be compared with the first 32 of a hash by eye; with
/// serde it is that text, because most readers of JSON know no number of 128 bits.
///
/// The first 16 bytes are fine enough for any network: Bitcoin's, at 10^21 hashes a second, needs 6 * 10^23 of the
/// 3.4 * 10^38 steps that there are.
///
/// ```
/// use chainlab::pow::Target;
///
/// let target = Target::leading_hex_zeros(4);
/// assert_eq!(target.get(), 1 << 112);
/// assert_eq!(target.to_string(), "00010000000000000000000000000000");
/// assert_eq!(target.expected_hashes(), 65_536);
/// assert!(Target::leading_zero_bits(17) < target);
/// ```
// Aligned to eight bytes, and not to sixteen, as all else that a block's link holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(8))]
#[must_use]
pub struct Target(u128);

impl Target {
    /// The easiest target, `u128::MAX`: it turns down one hash in 2^128.
    pub const EASIEST: Self = Self(u128::MAX);

    /// The hardest target, 1: it is met by one hash in 2^128.
    pub const HARDEST: Self = Self(1);

    /// Makes a target from its number; `None` for 0, which no hash is below.
    pub const fn new(target: u128) -> Option<Self> {
        if target == 0 { None } else { Some(Self(target)) }
    }

    /// Returns the number that the first 16 bytes of a hash must be below.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// Makes the target that a hash meets when its first `bits` bits are zero, 2^(128 - `bits`).
    ///
    /// No bits at all ask for nothing, but 2^128 is one more than a target can be: 0 gives [`Target::EASIEST`],
    /// which turns down one hash in 2^128.
    ///
    /// # Panics
    ///
    /// If `bits` is above 128.
    pub const fn leading_zero_bits(bits: u32) -> Self {
        assert!(bits <= 128, "a target asks for at most 128 leading zero bits");
        if bits == 0 { Self::EASIEST } else { Self(1 << (128 - bits)) }
    }

    /// Makes the target that a hash meets when its first `digits` hexadecimal digits are zero, as the notebook says
    /// it: four times as many [leading zero bits](Target::leading_zero_bits).
    ///
    /// # Panics
    ///
    /// If `digits` is above 32.
    pub const fn leading_hex_zeros(digits: u32) -> Self {
        assert!(digits <= 32, "a target asks for at most 32 leading hexadecimal zeros");
        Self::leading_zero_bits(4 * digits)
    }

    /// Makes the target that one in `hashes` hashes meets: 2^128 / `hashes`, to the nearest.
    ///
    /// Both 0 and 1 give [`Target::EASIEST`]. Below 2^64, [`Target::expected_hashes`] gives `hashes` back.
    ///
    /// ```
    /// use chainlab::pow::Target;
    ///
    /// let a_minute = Target::from_expected_hashes(60 * 58_000_000);
    /// assert_eq!(a_minute.expected_hashes(), 60 * 58_000_000);
    /// ```
    pub const fn from_expected_hashes(hashes: u128) -> Self {
        if hashes <= 1 { Self::EASIEST } else { Self(two_to_the_128_over(hashes)) }
    }

    /// Returns how many hashes a search needs on average: 2^128 / target, to the nearest.
    ///
    /// The hardest target needs 2^128, which is given as `u128::MAX`; [`Target::work`] is exact there too.
    pub const fn expected_hashes(self) -> u128 {
        if self.0 == 1 { u128::MAX } else { two_to_the_128_over(self.0) }
    }

    /// Tells whether a hash meets this target: whether its first 16 bytes, as a big-endian number, are below it.
    pub fn is_met_by(self, hash: &BlockHash) -> bool {
        let (head, _) = hash.as_bytes().split_first_chunk().expect("32 bytes begin with 16");
        u128::from_be_bytes(*head) < self.0
    }

    /// Returns what a proof for this target is worth: the expected number of hashes, 2^128 / target, rounded down.
    pub const fn work(self) -> Work {
        Work::of(self)
    }
}

/// Divides 2^128 by a divisor of at least 2, to the nearest, halves up.
const fn two_to_the_128_over(divisor: u128) -> u128 {
    let (quotient, remainder) = (u128::MAX / divisor, u128::MAX % divisor);
    // 2^128 is one more than u128::MAX, so its remainder is one more; being at least half the divisor rounds up.
    if remainder + 1 >= divisor - remainder - 1 { quotient + 1 } else { quotient }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:032x}", self.get()))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    /// Reads 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Anything else, and 32 zeros.
    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let number = match text.len() {
            32 if text.bytes().all(is_digit) => u128::from_str_radix(text, 16).ok(),
            _ => None,
        };
        number.and_then(Self::new).ok_or_else(|| ParseTargetError { found: shortened(text) })
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hexadecimal digits, not all zero, found \"{found}\"")]
pub struct ParseTargetError {
    /// The text, its first 80 characters.
    pub found: String,
}
