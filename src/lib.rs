//! A whole proof-of-work blockchain network inside one process.

mod hash;

pub use hash::{BlockHash, ParseHashError};
