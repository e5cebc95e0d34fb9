//! A block: the notebook's five fields, its canonical JSON and its hash.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    document::{self, DocumentError, HashedText, Read, Scanner, Text, push_hash, push_number},
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
        let mut text = Vec::new();
        self.write(&mut text, Some(self.proof));
        String::from_utf8(text).expect("what needs it is escaped, and all is ASCII")
    }

    /// Computes the block's hash: SHA-256 of its canonical JSON. It costs in proportion to the block; a chain keeps
    /// its blocks' hashes.
    pub fn hash(&self) -> BlockHash {
        self.hash_and_size().0
    }

    /// Computes the block's hash and the number of bytes in its canonical JSON.
    pub(crate) fn hash_and_size(&self) -> (BlockHash, usize) {
        let mut text = HashedText::new();
        self.write(&mut text, Some(self.proof));
        text.finish()
    }

    /// Counts the bytes of the block's canonical JSON.
    pub(crate) fn size(&self) -> usize {
        let mut bytes = 0;
        self.write(&mut bytes, Some(self.proof));
        bytes
    }

    /// Returns a number of bytes that the block's canonical JSON does not take, without writing it: a byte of an address
    /// takes six at most, and of all else there is little.
    pub(crate) fn size_bound(&self) -> usize {
        let addresses = |each: &Transaction| each.sender().len() + each.recipient().len();
        self.transactions.iter().fold(300, |bytes, each| bytes + 150 + 6 * addresses(each))
    }

    /// Computes what a sealed proof is made over: SHA-256 of the canonical JSON without the proof.
    pub fn digest(&self) -> BlockHash {
        self.digest_and_size().0
    }

    /// Computes what a sealed proof is made over and the number of bytes in the canonical JSON, its proof counted.
    pub(crate) fn digest_and_size(&self) -> (BlockHash, usize) {
        let mut text = HashedText::new();
        self.write(&mut text, None);
        let (digest, bytes) = text.finish();
        let digits = self.proof.checked_ilog10().unwrap_or(0) as usize + 1;
        (digest, bytes + "\"proof\": , ".len() + digits)
    }

    /// Writes the canonical JSON with a proof, or without one.
    fn write(&self, text: &mut impl Text, proof: Option<u64>) {
        text.push(b"{\"index\": ");
        push_number(text, self.index);
        text.push(b", \"previous_hash\": ");
        match &self.previous_hash {
            PreviousHash::NumberOne => text.push(b"1"),
            PreviousHash::TextOne => text.push(b"\"1\""),
            PreviousHash::Hash(hash) => push_hash(text, hash),
        }
        if let Some(proof) = proof {
            text.push(b", \"proof\": ");
            push_number(text, proof);
        }
        text.push(b", \"timestamp\": ");
        self.timestamp.write(text);
        text.push(b", \"transactions\": [");
        for (place, transaction) in self.transactions.iter().enumerate() {
            if place > 0 {
                text.push(b", ");
            }
            transaction.write(text);
        }
        text.push(b"]}");
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

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::hash::TransactionHash;

    fn transaction() -> impl Strategy<Value = Transaction> {
        let address = || prop_oneof!["[0-9a-f]{0,40}", any::<String>()];
        (address(), address(), any::<u64>(), any::<Option<u64>>()).prop_map(
            |(sender, recipient, amount, nonce)| {
                let transaction = Transaction::new(sender, recipient, amount);
                nonce.into_iter().fold(transaction, Transaction::with_nonce)
            },
        )
    }

    proptest! {
        /// What is written without a detour is what serde writes, which Python's own blocks are held against.
        #[test]
        fn the_canonical_text_is_the_document(
            index: u64,
            seconds in prop_oneof![
                any::<i64>().prop_map(Timestamp::integer),
                (0..1_u64 << 53).prop_map(Timestamp::from_micros),
                any::<f64>().prop_filter_map("no document's", Timestamp::float),
            ],
            transactions in vec(transaction(), 0..4),
            proof: u64,
            previous in prop_oneof![
                Just(PreviousHash::NumberOne),
                Just(PreviousHash::TextOne),
                any::<[u8; 32]>().prop_map(|bytes| PreviousHash::Hash(BlockHash::from_bytes(bytes))),
            ],
        ) {
            let block = Block::new(index, seconds, transactions, proof, previous);
            let json = document::to_json(&block);
            prop_assert_eq!(&block.canonical_json(), &json);
            prop_assert_eq!(block.hash_and_size(), (BlockHash::of(json.as_bytes()), json.len()));
            prop_assert_eq!(block.size(), json.len());
            prop_assert!(block.size_bound() > json.len());
            let without = json.replace(&format!("\"proof\": {proof}, "), "");
            prop_assert_eq!(block.digest_and_size(), (BlockHash::of(without.as_bytes()), json.len()));
            for transaction in block.transactions() {
                let json = document::to_json(transaction);
                let hash = BlockHash::of(json.as_bytes());
                prop_assert_eq!(transaction.hash(), TransactionHash::from_bytes(*hash.as_bytes()));
                prop_assert_eq!(transaction.size_in_block(), json.len() + 2);
            }
        }
    }
}
