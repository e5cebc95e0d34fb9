//! What can be done to a network and what that means, whatever drives its nodes.
//!
//! [`NetworkOf`] holds every verb, with its documentation and its errors, over a trait of acts ([`Driver`]) that a driver
//! carries out: threads on the wall clock, or one thread on a virtual clock. What the verbs go by is plain values and
//! functions here: a node's state, who agrees with whom, who is told that links have come up, what an end leaves, and a
//! message's life on its link.

pub(crate) mod agreement;
mod calls;
pub(crate) mod closure;
mod conditions;
pub(crate) mod drive;
pub(crate) mod ending;
mod error;
mod faults;
mod front;
pub(crate) mod links_up;
mod names;
mod picture;
mod puppets;
mod rate;
pub(crate) mod state;
pub(crate) mod trace;
pub(crate) mod traffic;
pub(crate) mod view;
mod watch;

pub use agreement::{Agreement, Settled, Unsettled};
pub use calls::Registration;
pub use drive::Driver;
pub use ending::RestartFrom;
pub use error::{
    CallError, DownCause, JoinError, NodeError, PartitionFault, RegisterError, RestartError, SpawnError,
    WaitError,
};
pub use front::NetworkOf;
pub use names::Identity;
pub(crate) use names::Names;
pub use rate::{HashRate, HashRateError};
