//! What a proof is sought for.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::Target;
use crate::BlockHash;

/// What a proof is sought for, by one of the three rules; it says which bytes are hashed with a candidate.
///
/// Here the hash is computed one candidate at a time with the sha2 crate. That is how a proof is verified, and what
/// decides in a [`Search`](super::Search), whose own loop only picks the candidates worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Challenge {
    /// The notebook's rule: the last proof in decimal, then this one in decimal.
    LastProof {
        /// The proof of the block before.
        last_proof: u64,
    },
    /// The tutorial's later rule: the last proof in decimal, this one in decimal, and the last block's hash in hex.
    LastProofAndHash {
        /// The proof of the block before.
        last_proof: u64,
        /// The hash of the block before.
        last_hash: BlockHash,
    },
    /// The sealed rule: the 32 bytes that stand for everything in the block but its proof, then the proof as 8
    /// big-endian bytes.
    Sealed {
        /// SHA-256 of the block's canonical JSON without its proof.
        digest: BlockHash,
    },
}

impl Challenge {
    /// Hashes the message that this challenge and a proof make.
    ///
    /// ```
    /// use chainlab::{BlockHash, pow::Challenge};
    ///
    /// let challenge = Challenge::LastProof { last_proof: 100 };
    /// assert_eq!(challenge.hash(35293), BlockHash::of(b"10035293"));
    /// ```
    pub fn hash(&self, proof: u64) -> BlockHash {
        let (message, length) = self.message(proof);
        BlockHash::of(&message[..length])
    }

    /// Tells whether a proof's hash meets the target.
    pub fn is_met(&self, proof: u64, target: Target) -> bool {
        target.is_met_by(&self.hash(proof))
    }

    /// Writes what is hashed: at most 20 and 20 decimal digits and 64 hexadecimal ones. Returns it with its length.
    pub(super) fn message(&self, proof: u64) -> ([u8; 104], usize) {
        let mut message = [0; 104];
        let mut rest = &mut message[..];
        match self {
            Self::LastProof { last_proof } => write!(rest, "{last_proof}{proof}"),
            Self::LastProofAndHash { last_proof, last_hash } => {
                write!(rest, "{last_proof}{proof}{last_hash}")
            }
            Self::Sealed { digest } => {
                rest.write_all(digest.as_bytes()).and_then(|()| rest.write_all(&proof.to_be_bytes()))
            }
        }
        .expect("104 bytes are room for the longest message");
        let length = 104 - rest.len();
        (message, length)
    }
}
