//! One run of an experiment: its name, and the seed that follows from it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::text::shortened;

/// The version of the model: a scenario and a seed give the same figures as long as it stays.
///
/// Whatever changes a run's figures raises it, so that rows of before and after are never mixed.
pub const MODEL: u32 = 2;

/// The name of a run: a hash of its scenario, its replicate and the version of the [model](MODEL). Its text is 32
/// lower-case hexadecimal digits.
///
/// It is the first 16 bytes of SHA-256 of `{"model":2,"scenario":{...},"replicate":0}`, with the scenario as it is written
/// out with every default, its fields in the order of their names, without any space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 16]);

impl RunId {
    /// Makes a name from its bytes, first byte first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the seed of the run, from 0 to 2^53 - 1: any program reads it exactly.
    ///
    /// ```
    /// use chainlab::experiment::RunId;
    ///
    /// let run: RunId = "00000000000008000000000000000000".parse()?;
    /// assert_eq!(run.seed(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn seed(self) -> u64 {
        self.leading() >> 11
    }

    /// The first 64 bits.
    pub(super) const fn leading(self) -> u64 {
        (u128::from_be_bytes(self.0) >> 64) as u64
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        hex::encode_to_slice(self.0, &mut digits).expect("32 digits are room for 16 bytes");
        f.pad(std::str::from_utf8(&digits).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl FromStr for RunId {
    type Err = ParseRunIdError;

    /// Reads 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Anything else.
    fn from_str(text: &str) -> Result<Self, ParseRunIdError> {
        let mut bytes = [0; 16];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if !text.bytes().any(|digit| digit.is_ascii_uppercase()) => Ok(Self(bytes)),
            _ => Err(ParseRunIdError { found: shortened(text) }),
        }
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hexadecimal digits, found \"{found}\"")]
pub struct ParseRunIdError {
    /// The text, its first 80 characters.
    pub found: String,
}

/// A run of an experiment: which of its points, and which of the replicates there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name.
    #[serde(rename = "run")]
    pub id: RunId,
    /// The point, by its place among the experiment's points, from 0 on.
    pub point: u32,
    /// The replicate, from 0 on.
    pub replicate: u32,
}

/// Names the runs of one scenario.
pub(super) struct Namer(Sha256);

impl Namer {
    /// Takes a scenario with every default filled in.
    pub(super) fn new(mut scenario: Value) -> Self {
        // Whatever order a map has kept them in, as it does where another crate asks for that.
        scenario.sort_all_objects();
        Self(Sha256::new_with_prefix(format!("{{\"model\":{MODEL},\"scenario\":{scenario}")))
    }

    pub(super) fn name(&self, replicate: u32) -> RunId {
        let digest = self.0.clone().chain_update(format!(",\"replicate\":{replicate}}}")).finalize();
        let (first, _) = digest.split_at(16);
        RunId(first.try_into().expect("16 bytes are as many"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_the_hash_of_its_text() {
        let namer = Namer::new(json!({"seed": 1, "nodes": 2}));
        let digest = Sha256::digest(r#"{"model":2,"scenario":{"nodes":2,"seed":1},"replicate":7}"#);
        assert_eq!(namer.name(7).to_string(), hex::encode(&digest[..16]));
        assert_ne!(namer.name(7), namer.name(8));
        assert_eq!(namer.name(7).to_string().parse(), Ok(namer.name(7)));
        let upper = namer.name(7).to_string().to_uppercase();
        assert_eq!(upper.parse::<RunId>(), Err(ParseRunIdError { found: upper.clone() }));
    }
}
