//! Parts of a sweep, for machines that know nothing of each other.

use std::{fmt, str::FromStr};

use super::run::RunId;
use crate::text::shortened;

/// One of so many shards of a sweep, which together hold each of its runs once. Its text is `3/64`.
///
/// Which runs it holds depends on their ids alone: neither on the plan that they stand in, nor on how many there are.
///
/// ```
/// use chainlab::experiment::Shard;
///
/// let shard: Shard = "3/64".parse()?;
/// assert_eq!((shard.number(), shard.count()), (3, 64));
/// assert!(shard.holds("00000000000000020123456789abcdef".parse()?));
/// assert_eq!("0/64".parse::<Shard>().unwrap_err().to_string(), "\"0/64\": shards are 1/64 to 64/64");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

impl Shard {
    /// Makes one of so many shards; the first is 1. None if there is no such one.
    pub fn new(number: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&number).then_some(Self { number, count })
    }

    /// Returns its number, from 1 to their count.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Returns how many there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Tells whether a run is its.
    pub fn holds(self, run: RunId) -> bool {
        run.leading() % u64::from(self.count) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = ParseShardError;

    /// Reads a number and how many there are.
    ///
    /// # Errors
    ///
    /// Anything else, or a number of which there is none.
    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let other = || ParseShardError::Other { found: shortened(text) };
        let (number, count) = text.split_once('/').ok_or_else(other)?;
        let number = number.parse().map_err(|_| other())?;
        let count = count.parse().map_err(|_| other())?;
        if count == 0 {
            return Err(other());
        }
        Self::new(number, count).ok_or(ParseShardError::Outside { number, count })
    }
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseShardError {
    /// It is something else.
    #[error("expected a shard as 3/64, found \"{found}\"")]
    Other {
        /// The text, its first 80 characters.
        found: String,
    },
    /// There are not that many.
    #[error("\"{number}/{count}\": shards are 1/{count} to {count}/{count}")]
    Outside {
        /// The number.
        number: u32,
        /// How many there are.
        count: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "3", "3/", "/3", "a/3", "3/b", "-1/3", "1/0", "0/0", "4294967296/1", "1/2/3"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.ends_with(&format!("found \"{text}\"")), "{error}");
        }
        assert_eq!("8/7".parse::<Shard>(), Err(ParseShardError::Outside { number: 8, count: 7 }));
    }

    proptest! {
        #[test]
        fn each_run_is_one_shards(bytes in any::<[u8; 16]>(), count in 1..200_u32) {
            let id = RunId::from_bytes(bytes);
            let holders = (1..=count).filter(|number| Shard::new(*number, count).unwrap().holds(id));
            prop_assert_eq!(holders.count(), 1);
        }
    }
}
