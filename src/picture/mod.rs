//! Pictures of what happened, made from the [events](crate::Event) of a run. They start no thread and read no clock.

mod replay;

pub use replay::{Replay, ReplayError};
