//! The blockchain as a value: immutable, verified, cheap to clone and to fork.
//!
//! A [`Blockchain`] is its last block and a shared pointer to the chain before it, as a commit is in git. It can be
//! made only by verifying, and each link remembers the rules that it was verified under.

mod chain;
mod claim;
mod compare;
mod document;
mod final_part;
mod find;
mod iter;
mod link;
mod locator;
mod mine;
mod text;

pub use chain::{Blockchain, InvalidBlock};
pub use document::ChainError;
pub(crate) use document::{ChainBlocks, read_blocks};
pub(crate) use final_part::Cut;
pub use find::Found;
pub use iter::Blocks;
pub(crate) use locator::{Locator, Locators};
pub use mine::MineError;
