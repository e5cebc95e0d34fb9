//! A whole proof-of-work blockchain network inside one process.

mod accounts;
mod block;
mod blockchain;
mod document;
mod hash;
pub mod pow;
mod rules;
mod time;
mod transaction;

pub use accounts::{Account, Accounts};
pub use block::{Block, PreviousHash};
pub use blockchain::{Blockchain, Blocks, ChainError, InvalidBlock};
pub use document::{DocumentError, Place};
pub use hash::{BlockHash, ParseHashError};
pub use rules::{Checks, Context, ForkChoice, Genesis, ProofRule, Retarget, Rules, Violation};
pub use time::{Time, Timestamp};
pub use transaction::{REWARD_SENDER, Transaction};
