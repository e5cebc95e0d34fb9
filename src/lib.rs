//! A whole proof-of-work blockchain network inside one process.

mod block;
mod document;
mod hash;
mod time;
mod transaction;

pub use block::{Block, PreviousHash};
pub use document::{DocumentError, Place};
pub use hash::{BlockHash, ParseHashError};
pub use time::{Time, Timestamp};
pub use transaction::{REWARD_SENDER, Transaction};
