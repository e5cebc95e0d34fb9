//! The first driver: every node is a thread of the operating system, on the wall clock.
//!
//! A thread owns its node and the receiving ends of two channels: one for what other nodes say, one for what the
//! [`Network`] handle says, so that a flood of messages holds no command up. It handles both, carries out the node's
//! effects, and searches for proofs in slices of about a millisecond in between. A node with nothing to do and no
//! deadline blocks on its channels. One thread more delivers messages that take their time.
//!
//! What can be done to a network stands in `verbs`, whatever drives it; here is how threads carry it out. What they share
//! is in `shared` and what stands above it in the list of `tests/modules.rs`; the threads are `worker` and `late`.

mod acts;
mod changes;
mod clock;
mod counters;
mod delivery;
mod effort;
mod late;
mod life;
mod mailbox;
mod nodes;
mod panicked;
mod question;
mod save;
mod shared;
mod spin;
mod threads;
mod watch;
mod worker;

pub use crate::verbs::{
    Agreement, CallError, DownCause, HashRate, HashRateError, Identity, JoinError, NodeError, PartitionFault,
    RegisterError, Registration, RestartError, RestartFrom, Settled, SpawnError, Unsettled, WaitError,
};
pub use clock::Clock;
pub use panicked::Panicked;
pub use save::{FileError, LoadError, SaveError};
pub use threads::{Config, Network, Threads};
pub use watch::Events;
