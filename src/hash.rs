//! The names of blocks and transactions: 32 bytes of SHA-256, written as 64 lower-case hexadecimal digits.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::shortened;

/// The bytes of a hash, first byte first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum([u8; 32]);

impl Ord for Sum {
    /// Compares byte by byte, the first eight at once: maps of blocks and of what is pending do it all the time.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |sum: &Self| sum.0.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        first(self).cmp(&first(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Sum {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Sum {
    /// Hashes the last eight bytes, which are a hash already. The first ones of a block's may all be 0.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)));
    }
}

/// The SHA-256 hash that names a block; its text is 64 lower-case hexadecimal digits.
///
/// ```
/// use chainlab::BlockHash;
///
/// let hash: BlockHash = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0".parse()?;
/// assert_eq!(hash.as_bytes()[0], 0x47);
/// assert_eq!(hash.to_string().len(), 64);
/// # Ok::<(), chainlab::ParseHashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(Sum);

impl BlockHash {
    /// Makes a hash from its bytes, first byte first.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Sum(bytes))
    }

    /// Hashes bytes with SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_bytes(Sha256::digest(bytes).into())
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(self.as_bytes(), f)
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHash({self})")
    }
}

impl FromStr for BlockHash {
    type Err = ParseHashError;

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Anything else: a digest written in upper case is another text, and so another hash of the block above it.
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        read_hex(text).map(Self::from_bytes)
    }
}

impl Serialize for BlockHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlockHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The SHA-256 hash of a transaction's canonical JSON, by which nodes tell of it; its text is 64 lower-case hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionHash(Sum);

impl TransactionHash {
    /// Makes a hash from its bytes, first byte first.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Sum(bytes))
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl fmt::Display for TransactionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(self.as_bytes(), f)
    }
}

impl fmt::Debug for TransactionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionHash({self})")
    }
}

impl FromStr for TransactionHash {
    type Err = ParseHashError;

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Anything else.
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        read_hex(text).map(Self::from_bytes)
    }
}

impl Serialize for TransactionHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TransactionHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn read_hex(text: &str) -> Result<[u8; 32], ParseHashError> {
    let mut bytes = [0; 32];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if !text.bytes().any(|digit| digit.is_ascii_uppercase()) => Ok(bytes),
        _ => Err(ParseHashError { found: shortened(text) }),
    }
}

fn write_hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [0; 64];
    hex::encode_to_slice(bytes, &mut digits).expect("64 digits are room for 32 bytes");
    f.pad(std::str::from_utf8(&digits).expect("hexadecimal digits are ASCII"))
}

/// A text that is no hash of a block or a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 lower-case hexadecimal digits, found \"{found}\"")]
pub struct ParseHashError {
    /// The text, its first 80 characters.
    pub found: String,
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    };

    use super::*;

    #[test]
    fn hashes_of_blocks_that_took_much_work_differ() {
        let hasher = BuildHasherDefault::<DefaultHasher>::new();
        let hashes = (0..100).map(|last| {
            let mut bytes = [0; 32];
            bytes[31] = last;
            hasher.hash_one(BlockHash::from_bytes(bytes))
        });
        assert_eq!(hashes.collect::<BTreeSet<_>>().len(), 100);
    }

    #[test]
    fn hashes_of_transactions_are_ordered_by_their_bytes() {
        let hashes: Vec<_> = [0, 7, 8, 31]
            .into_iter()
            .flat_map(|place| {
                [0, 1, 255].map(|byte| {
                    let mut bytes = [7; 32];
                    bytes[place] = byte;
                    TransactionHash::from_bytes(bytes)
                })
            })
            .collect();
        for (one, other) in hashes.iter().flat_map(|one| hashes.iter().map(move |other| (one, other))) {
            assert_eq!(one.cmp(other), one.as_bytes().cmp(other.as_bytes()), "{one} {other}");
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let text = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0";
        assert_eq!(text.parse::<BlockHash>().unwrap().to_string(), text);
        for other in ["", "1", &text[1..], &text.to_uppercase(), &format!("{text}0"), &text.replace('4', "g")]
        {
            assert_eq!(other.parse::<BlockHash>(), Err(ParseHashError { found: other.into() }));
        }
    }
}
