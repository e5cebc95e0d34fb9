//! A whole proof-of-work blockchain network inside one process.

mod hash;
mod message;
mod time;
pub mod wire;

pub use hash::{BlockHash, ParseHashError};
pub use message::NodeId;
pub use time::Time;
