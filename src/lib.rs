//! A whole proof-of-work blockchain network inside one process.

mod accounts;
mod block;
mod blockchain;
mod command;
mod document;
mod event;
mod hash;
mod mempool;
mod message;
pub mod network;
mod node;
pub mod pow;
mod rules;
mod time;
mod transaction;

pub use accounts::{Account, Accounts};
pub use block::{Block, PreviousHash};
pub use blockchain::{Blockchain, Blocks, ChainError, InvalidBlock};
pub use command::{Answer, Command, Forged, MineError, Outcome, Resolution, Snapshot, Submitted, Ticket};
pub use document::{DocumentError, Place};
pub use event::{Event, Happening, IgnoreReason};
pub use hash::{BlockHash, ParseHashError};
pub use mempool::{LossReason, Mempool, SubmitError};
pub use message::{Message, NodeId, RequestId, Told};
pub use network::Network;
pub use node::{Effect, Input, Limits, Node, SearchId, Template};
pub use rules::{Checks, Context, ForkChoice, Genesis, ProofRule, Retarget, Rules, Violation};
pub use time::{Time, Timestamp};
pub use transaction::{REWARD_SENDER, Transaction};
