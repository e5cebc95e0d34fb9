//! The first driver: every node is a thread of the operating system, on the wall clock.
//!
//! A thread owns its node and the receiving ends of two channels: one for what other nodes say, one for what the
//! [`Network`] handle says, so that a flood of messages holds no command up. It handles both, carries out the node's
//! effects, and searches for proofs in slices of about a millisecond in between. A node with nothing to do and no
//! deadline blocks on its channels. One thread more delivers messages that take their time.
//!
//! What verbs mean is plain values and functions, which know of no thread: `state`, `agreement`, `links_up`, `ending` and
//! `traffic`. What the threads share is in `shared` and what stands above it in the list of `tests/rooms.rs`; the threads
//! are `worker` and `late`; the rest is the handle and its verbs.

mod agreement;
mod call;
mod clock;
mod closure;
mod counters;
mod delivery;
mod ending;
mod error;
mod faults;
mod handle;
mod late;
mod links_up;
mod mailbox;
mod nodes;
mod puppet;
mod question;
mod report;
mod save;
mod settle;
mod shared;
mod spin;
mod state;
mod traffic;
mod watch;
mod worker;

pub use agreement::{Agreement, Settled, Unsettled};
pub use call::Registration;
pub use clock::Clock;
pub use ending::RestartFrom;
pub use error::{
    CallError, DownCause, JoinError, NodeError, Panicked, PartitionFault, RegisterError, RestartError,
    SpawnError,
};
pub use handle::{Config, Identity, Network};
pub use mailbox::HashRate;
pub use puppet::Puppet;
pub use save::{FileError, LoadError, SaveError};
pub use watch::Events;
