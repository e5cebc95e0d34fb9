//! Why a transaction is refused, and why one is lost.

use serde::{Deserialize, Serialize};

use crate::{rules::Violation, transaction::REWARD_SENDER};

/// Why a submitted transaction is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Transactions from "0" are rewards, and rewards are for miners.
    #[error("transactions from \"{REWARD_SENDER}\" are rewards and cannot be submitted")]
    Reward,
    /// No block can hold it, however few others that block holds.
    #[error("no block can hold the transaction: {0}")]
    Unminable(Violation),
    /// A nonce where no accounts are kept.
    #[error("no accounts are kept, so a transaction carries no nonce; found {found}")]
    UnexpectedNonce {
        /// The transaction's nonce.
        found: u64,
    },
    /// The very same transaction is pending: it is taken in once.
    #[error("nonce {nonce} of {sender} is pending with the same payment")]
    AlreadyPending {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The transaction's nonce.
        nonce: u64,
    },
    /// A transaction of the sender is mined with the nonce, or another is pending with it.
    #[error("nonce {nonce} of {sender} is taken; the next is {next}")]
    NonceTaken {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The transaction's nonce.
        nonce: u64,
        /// The first nonce that is free.
        next: u64,
    },
    /// The nonce is ahead of the sender's next, and no more of those can wait.
    #[error("nonce {nonce} of {sender} is too far ahead of the next, {next}, to wait for it")]
    TooFarAhead {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The transaction's nonce.
        nonce: u64,
        /// The first nonce that is free.
        next: u64,
    },
    /// The sender does not have what it spends, its pending transactions counted; or nothing at all.
    #[error(
        "{sender} has {balance}, receives {income} and spends {pending} in pending transactions, and cannot spend \
         {amount} more"
    )]
    Overdraft {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The sender's balance after the last block.
        balance: u64,
        /// What pending transactions bring it.
        income: u128,
        /// What its pending transactions spend.
        pending: u128,
        /// What this one spends.
        amount: u64,
    },
    /// The mempool is full, and this transaction would be the first to leave, or counted on coins of one that had to.
    #[error("the mempool is full: it holds {capacity} transactions")]
    Full {
        /// The most that it holds.
        capacity: usize,
    },
}

impl SubmitError {
    /// What becomes of a transaction that was pending before.
    pub(super) fn as_loss(&self) -> LossReason {
        match self {
            Self::AlreadyPending { .. } | Self::NonceTaken { .. } => LossReason::Replaced,
            Self::Full { .. } | Self::TooFarAhead { .. } => LossReason::Evicted,
            Self::Reward | Self::Unminable(_) | Self::UnexpectedNonce { .. } | Self::Overdraft { .. } => {
                LossReason::Unpayable
            }
        }
    }
}

/// Why a pending transaction left a node without having been mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// Its node crashed, or lost its disk.
    Crashed,
    /// The mempool was full.
    Evicted,
    /// Another transaction with its nonce went in.
    Replaced,
    /// Its sender can no longer pay for it, or for one of a lower nonce that it follows.
    Unpayable,
}
