//! The first driver: every node is a thread of the operating system, on the wall clock.
//!
//! A thread owns its node and the receiving ends of two channels: one for what other nodes say, one for what the
//! [`Network`] handle says, so that a flood of messages holds no command up. It handles both, carries out what the node
//! wishes, and searches for proofs in slices of about a millisecond in between. A node with nothing to do and no
//! deadline blocks on its channels.

mod call;
mod carrier;
mod clock;
mod error;
mod faults;
mod handle;
mod member;
mod puppet;
mod question;
mod save;
mod settle;
mod shared;
mod spin;
mod watch;
mod worker;

pub use call::Registration;
pub use clock::Clock;
pub use error::{
    CallError, DownCause, JoinError, LinkChangeError, NodeError, Panicked, PartitionFault, RegisterError,
    RestartError, SpawnError,
};
pub use faults::RestartFrom;
pub use handle::{Config, Identity, Network};
pub use member::HashRate;
pub use puppet::Puppet;
pub use save::{FileError, LoadError, SaveError};
pub use settle::{Agreement, Settled, Unsettled};
pub use watch::Events;
