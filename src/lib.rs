//! A whole proof-of-work blockchain network inside one process.

mod hash;
pub mod pow;

pub use hash::{BlockHash, ParseHashError};
