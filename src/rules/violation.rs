//! What a block can do wrong.

use serde::{Deserialize, Serialize};

use crate::{block::PreviousHash, hash::BlockHash, pow::Target, time::Timestamp};

/// What a block did wrong: one kind for each rule, with what was expected and what was found.
///
/// Of a text that the block's maker chose it carries the first 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Violation {
    /// The first block is not the network's.
    #[error("foreign genesis: expected {expected}, found {found}")]
    ForeignGenesis {
        /// The hash of the rules' first block.
        expected: BlockHash,
        /// The hash of the block in its place.
        found: BlockHash,
    },
    /// The block does not name the one before it.
    #[error("wrong previous hash: expected {expected}, found {found}")]
    PreviousHash {
        /// The hash of the block before.
        expected: BlockHash,
        /// What the block names.
        found: PreviousHash,
    },
    /// The proof's hash is not below the target.
    #[error("proof {proof} is not met: its hash {hash} is not below target {target}")]
    Proof {
        /// The block's proof.
        proof: u64,
        /// The hash that the proof gives.
        hash: BlockHash,
        /// The target that it is held to.
        target: Target,
    },
    /// The index does not count on.
    #[error("wrong index: expected {expected}, found {found}")]
    Index {
        /// The index of the block before, plus one.
        expected: u64,
        /// The block's index.
        found: u64,
    },
    /// The timestamp is not a whole number of microseconds.
    #[error("timestamp {found} is not a whole number of microseconds")]
    TimestampNotWhole {
        /// The block's timestamp.
        found: Timestamp,
    },
    /// The timestamp is not later than the median of the blocks before.
    #[error("timestamp {found} is not after {median}, the median of the blocks before")]
    TimestampNotAfterMedian {
        /// The median of the last 11 timestamps.
        median: Timestamp,
        /// The block's timestamp.
        found: Timestamp,
    },
    /// The timestamp of a window's first block is too far before that of the block before.
    #[error("timestamp {found} is before {earliest}, the earliest that a window may start with here")]
    WindowStartsTooEarly {
        /// The earliest timestamp that is allowed: the last block's less the rules' `back_max`.
        earliest: Timestamp,
        /// The block's timestamp.
        found: Timestamp,
    },
    /// The block holds more transactions besides its reward than it may.
    #[error("too many payments: at most {most}, found {found}")]
    TooManyPayments {
        /// The most that the rules allow.
        most: usize,
        /// The number in the block, all but one counted.
        found: usize,
    },
    /// The block takes more bytes than it may.
    #[error("too many bytes: at most {most}, found {found}")]
    TooManyBytes {
        /// The most that the rules allow.
        most: usize,
        /// The bytes of the block's canonical JSON.
        found: usize,
    },
    /// An address is longer than it may be.
    #[error("address {address} is too long: at most {most} characters, found {found}")]
    AddressTooLong {
        /// The address, its first 80 characters.
        address: String,
        /// The most characters that the rules allow.
        most: usize,
        /// The address's characters.
        found: usize,
    },
    /// The block has no reward.
    #[error("the reward is missing")]
    RewardMissing,
    /// The block has more than one reward.
    #[error("{found} rewards in one block")]
    RewardRepeated {
        /// The number of rewards in the block.
        found: usize,
    },
    /// The reward is not the last transaction.
    #[error("the reward is transaction {position} of {count}, not the last")]
    RewardNotLast {
        /// The reward's position, counted from 1.
        position: usize,
        /// The number of transactions.
        count: usize,
    },
    /// The reward has the wrong amount.
    #[error("wrong reward: expected {expected}, found {found}")]
    RewardAmount {
        /// The rules' reward.
        expected: u64,
        /// The reward's amount.
        found: u64,
    },
    /// A transaction carries a nonce that is not its sender's next, or none.
    #[error("wrong nonce of {sender}: expected {expected}, found {}", .found.map_or("none".into(), |nonce| nonce.to_string()))]
    Nonce {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The sender's next nonce.
        expected: u64,
        /// The transaction's nonce.
        found: Option<u64>,
    },
    /// A transaction carries a nonce though it is a reward, or though no accounts are kept.
    #[error("unexpected nonce {found} of {sender}")]
    UnexpectedNonce {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The transaction's nonce.
        found: u64,
    },
    /// A sender spends more than it has.
    #[error("overdraft of {sender}: has {balance}, spends {amount}")]
    Overdraft {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// What the sender has at that point of the block.
        balance: u64,
        /// What the transaction spends.
        amount: u64,
    },
    /// A recipient would have more than can be counted.
    #[error("{recipient} has {balance}, and {amount} more cannot be counted")]
    BalanceTooLarge {
        /// The recipient's address, its first 80 characters.
        recipient: String,
        /// What the recipient has at that point of the block.
        balance: u64,
        /// What the transaction would add.
        amount: u64,
    },
}

impl Violation {
    /// Returns the name of the broken rule, as it stands in documents and as a report counts by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ForeignGenesis { .. } => "foreign_genesis",
            Self::PreviousHash { .. } => "previous_hash",
            Self::Proof { .. } => "proof",
            Self::Index { .. } => "index",
            Self::TimestampNotWhole { .. } => "timestamp_not_whole",
            Self::TimestampNotAfterMedian { .. } => "timestamp_not_after_median",
            Self::WindowStartsTooEarly { .. } => "window_starts_too_early",
            Self::TooManyPayments { .. } => "too_many_payments",
            Self::TooManyBytes { .. } => "too_many_bytes",
            Self::AddressTooLong { .. } => "address_too_long",
            Self::RewardMissing => "reward_missing",
            Self::RewardRepeated { .. } => "reward_repeated",
            Self::RewardNotLast { .. } => "reward_not_last",
            Self::RewardAmount { .. } => "reward_amount",
            Self::Nonce { .. } => "nonce",
            Self::UnexpectedNonce { .. } => "unexpected_nonce",
            Self::Overdraft { .. } => "overdraft",
            Self::BalanceTooLarge { .. } => "balance_too_large",
        }
    }
}
