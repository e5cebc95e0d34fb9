//! The second driver: the same nodes under a virtual clock.
//!
//! Nothing happens by itself: time passes while a simulation is told to run, and while a verb waits for its answer. What
//! comes next is taken from one queue, on one thread, and all randomness follows from a seed, so that the same calls give
//! the same run, on any machine.

mod acts;
mod arrivals;
mod asking;
mod carry;
mod contest;
mod downloads;
mod drive;
mod events;
mod filled;
mod finality;
mod flood;
mod floods;
mod flow;
mod lanes;
mod longest;
mod messages;
mod nodes;
mod noticing;
#[cfg(test)]
mod plain;
mod queue;
mod recording;
mod records;
mod rehearsal;
mod replays;
mod run;
mod samples;
mod schedule;
mod searches;
mod shared;
mod slots;
mod sorting;
#[cfg(test)]
mod tests;
mod under_way;
mod unread;
mod ways;
mod world;

use crate::verbs::NetworkOf;

pub use drive::Virtual;
pub use events::SimulationEvents;
pub(crate) use samples::Sampled;
pub(crate) use shared::Goal;

/// A network under a virtual clock, on one thread.
///
/// It has the verbs of a [`Network`](crate::Network) but saving and loading, and their meaning. Nothing happens by
/// itself: time passes while it is told to run, and while a verb waits for its answer.
///
/// ```
/// use std::time::Duration;
/// use chainlab::{Rules, Simulation, network::HashRate, wire::Topology};
///
/// let simulation = Simulation::new(Rules::bitcoin(), 42);
/// for _ in 0..100 {
///     let node = simulation.spawn()?;
///     simulation.start_mining(node, HashRate::per_second(72_000.0)?)?;
/// }
/// simulation.join(&Topology::Random { links: 8 })?;
/// simulation.run_for(Duration::from_secs(86_400));
/// assert!((100..190).contains(&simulation.report().mined), "a block in ten minutes or so");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Simulation = NetworkOf<Virtual>;
