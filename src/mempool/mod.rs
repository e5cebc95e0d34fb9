//! The pending transactions of a node: what waits to be mined, what leaves, and what comes back.
//!
//! Without accounts two equal transactions are two transactions, as in the notebook. With accounts a transaction is
//! known by its sender and nonce, and there is one judgement for what enters, what stays when the chain changes, and
//! what a save brings back: all that is pending can be mined in its order, each sender's nonces counting on from its
//! account, and each payment made from what its sender has by then, with what the ones before bring it. Whoever has
//! nothing sends nothing, not even an amount of 0, so that made-up senders cannot fill the mempool for nothing.
//!
//! A transaction ahead of its sender's next nonce cannot be mined yet. A few wait in a small space of their own, from
//! senders that have a coin; they leave before any that can be mined.
//!
//! The mempool is bounded. Without accounts it takes no more when it is full. With accounts the transaction that
//! leaves first is the one farthest from being mined: of the sender with the most pending, the one of the highest
//! nonce, or where each has one the last that came, and with it what counts on its coins. So a flood from one sender
//! pushes out only itself.
//!
//! As nothing is signed, a flood can be in another's name. Whoever takes a nonce first has it, and whoever fills the
//! mempool with payments of amount 0 from an address that has a coin keeps that address's further ones out until they
//! are mined. Nobody else is kept out, and the address's next nonce is not. When the mempool holds one payment
//! each of as many senders as it has room for, none gives way: another's is refused until a block has made room.

mod change;
mod crowd;
mod error;
mod flows;
mod gaps;
mod judgement;
mod pool;
#[cfg(test)]
mod tests;

pub use error::{LossReason, SubmitError};
pub use pool::Mempool;
