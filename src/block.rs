//! A block: the notebook's five fields, its canonical JSON and its hash.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    document::{self, DocumentError, Read, Scanner},
    hash::BlockHash,
    time::Timestamp,
    transaction::Transaction,
};

/// A block as anyone may write it: nothing in it has been verified.
///
/// A block that stands in a [`Blockchain`](crate::Blockchain) has been. It reads and writes the notebook's JSON with
/// serde; reading works from JSON only, as the text of a number decides what it is. Cloning copies no transactions.
///
/// ```
/// use chainlab::{Block, PreviousHash, Timestamp};
///
/// let block = Block::new(1, Timestamp::integer(0), [], 100, PreviousHash::NumberOne);
/// assert_eq!(
///     block.canonical_json(),
///     r#"{"index": 1, "previous_hash": 1, "proof": 100, "timestamp": 0, "transactions": []}"#
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[must_use]
pub struct Block {
    // Alphabetical, as the canonical JSON has them.
    index: u64,
    previous_hash: PreviousHash,
    proof: u64,
    timestamp: Timestamp,
    transactions: Arc<[Transaction]>,
}

impl Block {
    /// Makes a block of its five fields, whatever they are.
    pub fn new(
        index: u64,
        timestamp: Timestamp,
        transactions: impl Into<Arc<[Transaction]>>,
        proof: u64,
        previous_hash: PreviousHash,
    ) -> Self {
        Self { index, previous_hash, proof, timestamp, transactions: transactions.into() }
    }

    /// Returns the block with another proof.
    pub fn with_proof(self, proof: u64) -> Self {
        Self { proof, ..self }
    }

    /// Returns the position in its chain that the block claims, counted from 1 as all positions are. The notebook calls it
    /// `index`. Only where whole blocks are checked is it sure to be where a chain has the block.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Returns when the block says that it was made.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns the transactions; the miner's reward is the last.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// Returns the proof of work.
    pub fn proof(&self) -> u64 {
        self.proof
    }

    /// Returns what the block names as the hash of the one before.
    pub fn previous_hash(&self) -> PreviousHash {
        self.previous_hash
    }

    /// Returns the text that the hash is made from: what Python's `json.dumps(block, sort_keys=True)` gives.
    pub fn canonical_json(&self) -> String {
        document::to_json(self)
    }

    /// Computes the block's hash: SHA-256 of its canonical JSON. It costs in proportion to the block; a chain keeps
    /// its blocks' hashes.
    pub fn hash(&self) -> BlockHash {
        self.hash_and_size().0
    }

    /// Computes the block's hash and the number of bytes in its canonical JSON.
    pub(crate) fn hash_and_size(&self) -> (BlockHash, usize) {
        document::hash_json(self)
    }

    /// Counts the bytes of the block's canonical JSON.
    pub(crate) fn size(&self) -> usize {
        document::json_size(self)
    }

    /// Computes what a sealed proof is made over: SHA-256 of the canonical JSON without the proof.
    pub fn digest(&self) -> BlockHash {
        self.digest_and_size().0
    }

    /// Computes what a sealed proof is made over and the number of bytes in the canonical JSON, its proof counted.
    pub(crate) fn digest_and_size(&self) -> (BlockHash, usize) {
        #[derive(Serialize)]
        struct WithoutProof<'a> {
            index: u64,
            previous_hash: PreviousHash,
            timestamp: Timestamp,
            transactions: &'a [Transaction],
        }
        let &Self { index, previous_hash, proof, timestamp, ref transactions } = self;
        let (digest, bytes) =
            document::hash_json(&WithoutProof { index, previous_hash, timestamp, transactions });
        let digits = proof.checked_ilog10().unwrap_or(0) as usize + 1;
        (digest, bytes + "\"proof\": , ".len() + digits)
    }

    /// Reads a block's JSON: `index`, `timestamp`, `transactions`, `proof` and `previous_hash`.
    ///
    /// # Errors
    ///
    /// What is missing, unknown, of a wrong type or out of range, by name.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        document::read(text, Self::read)
    }

    pub(crate) fn read(scanner: &mut Scanner<'_>) -> Read<Self> {
        let (mut index, mut timestamp, mut transactions) = (None, None, None);
        let (mut proof, mut previous_hash) = (None, None);
        let required = ["index", "timestamp", "transactions", "proof", "previous_hash"];
        let has_all = document::object(scanner, "block", required, &[], |scanner, field| {
            match field {
                "index" => index = Some(document::whole_number(field, scanner.value()?)),
                "timestamp" => timestamp = Some(Timestamp::read(scanner.value()?)),
                "transactions" => transactions = Some(document::array(scanner, field, read_transaction)?),
                "proof" => proof = Some(document::whole_number(field, scanner.value()?)),
                _ => previous_hash = Some(PreviousHash::read(scanner.value()?)),
            }
            Ok(())
        })?;
        Ok(has_all.and_then(|()| {
            Ok(Self {
                index: document::taken(index)?,
                previous_hash: document::taken(previous_hash)?,
                proof: document::taken(proof)?,
                timestamp: document::taken(timestamp)?,
                transactions: document::taken(transactions)?.into(),
            })
        }))
    }
}

fn read_transaction(scanner: &mut Scanner<'_>, position: u64) -> Read<Transaction> {
    Ok(Transaction::read(scanner)?.map_err(|error| error.in_transaction(position)))
}

impl fmt::Display for Block {
    /// Writes the block's fields on one line, the hash that it names by its first digits, and each transaction on one more:
    ///
    /// ```text
    /// block 2 on e8e7cb92, proof 35293, at 1507824951.7695177, 2 transactions
    ///   alice pays bob 5
    ///   carol is rewarded with 1
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, previous_hash, proof, timestamp, transactions } = self;
        let s = if transactions.len() == 1 { "" } else { "s" };
        write!(f, "block {index} on {previous_hash:.8}, proof {proof}, at {timestamp}")?;
        write!(f, ", {} transaction{s}", transactions.len())?;
        transactions.iter().try_for_each(|transaction| write!(f, "\n  {transaction}"))
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::deserialize_raw(deserializer, Self::from_json)
    }
}

/// What a block names as the hash of the one before, kept as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PreviousHash {
    /// The integer 1, in the notebook's first block.
    NumberOne,
    /// The string "1", in the first block of the tutorial's later code.
    TextOne,
    /// The hash of the block before.
    Hash(BlockHash),
}

impl PreviousHash {
    fn read(json: &str) -> Result<Self, DocumentError> {
        let refused =
            || document::unexpected("previous_hash", "1, \"1\" or 64 lower-case hexadecimal digits", json);
        if json == "1" {
            return Ok(Self::NumberOne);
        }
        if !json.starts_with('"') {
            return Err(refused());
        }
        match &*document::string("previous_hash", json)? {
            "1" => Ok(Self::TextOne),
            text => text.parse().map(Self::Hash).map_err(|_| refused()),
        }
    }
}

impl<'de> Deserialize<'de> for PreviousHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::deserialize_raw(deserializer, Self::read)
    }
}

impl Serialize for PreviousHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NumberOne => serializer.serialize_u64(1),
            Self::TextOne => serializer.serialize_str("1"),
            Self::Hash(hash) => hash.serialize(serializer),
        }
    }
}

impl fmt::Display for PreviousHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NumberOne => f.write_str("1"),
            Self::TextOne => f.write_str("\"1\""),
            Self::Hash(hash) => hash.fmt(f),
        }
    }
}
