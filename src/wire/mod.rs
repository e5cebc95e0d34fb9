//! The links between nodes: latency, bandwidth, loss, order, partitions, and the topologies that nodes are joined in.
//!
//! Everything here is plain data and arithmetic. A driver asks [`Links::send`] what becomes of a message, carries out
//! the answer by its own clock, and asks [`Links::arrival`] when the message is there. Nodes know nothing of it.
//!
//! - [`Link`] is the setting of one directed link: its [`Latency`], bandwidth, loss and whether it keeps order.
//! - [`Links`] is the state of all links of a network, with [`Partition`]s and holds.
//! - [`Bandwidth`] is what a node sends and takes in at once, and [`BlockCost`] what blocks cost.
//! - [`Regions`] are where nodes lie, and how far from each other.
//! - [`Topology`] says which nodes are joined.
//!
//! # What becomes of a message
//!
//! 1. If a partition separates its ends, or the caller's [`Verdict`] is to drop it, it is lost.
//! 2. Its sender sends it after all that it sends already, whoever to, which takes its length over the sender's upload,
//!    unless it fits into a packet; then it is written out on the link, which takes its length over the link's bandwidth
//!    and begins when the messages before it are out.
//! 3. It may be lost by chance. It was written out all the same.
//! 4. It is under way for the link's latency. On a link that keeps order it arrives no earlier than those before it.
//!    A verdict of the caller's may delay it instead: then only the delay counts, and steps 2 to 4 and 7 do not.
//! 5. When it is due, it is lost if a partition that separates its ends has begun since it was sent, healed or not: the
//!    cable was cut. It is lost as well if its sender or its receiver has crashed since: their connection is gone.
//! 6. If the link is held when it is due, it waits at the link's end, in order, until the release.
//! 7. Its receiver takes it in after all that has come to it before, which takes its length over the receiver's download
//!    since its first byte was there, and looks at what blocks it brings. Until then it counts as under way: step 5 may
//!    still lose it.
//!
//! Messages that arrive at the same time are delivered in the order of their sending; that is the driver's part. A
//! lost message is gone. Nothing is sent again; that is the nodes' business.
//!
//! # Randomness
//!
//! Every draw is a function of the seed, the two ends, the purpose (loss or latency) and the count of the messages that
//! were put on that directed link before while anything was drawn for each. So a node more, a message elsewhere or a
//! loss added to a link changes no latency anywhere. The key is mixed as in SplitMix64; a loss takes it as it is, and
//! so does a latency, but a uniform one, which seeds a Xoshiro256++ with it. See [`Latency`] for what may differ
//! between platforms.

mod draw;
mod ends;
mod fate;
mod graphs;
mod host;
mod lane;
mod lanes;
mod latency;
mod link;
mod links;
mod partition;
mod regions;
mod room;
mod shape;
mod topology;

pub(crate) use draw::{Key, Purpose};
pub use fate::{Arrival, Fate, MessageLoss, Verdict};
pub use host::{Bandwidth, BlockCost};
pub(crate) use host::{Hosts, Load, is_packet};
pub(crate) use lane::writing_nanos;
pub use latency::Latency;
pub use link::{Link, LinkError};
pub use links::Links;
pub use partition::{Epoch, Partition, PartitionError};
pub use regions::{Region, Regions, RegionsError};
pub(crate) use room::{Room, Waiting};
pub use shape::LatencyError;
pub use topology::{Topology, TopologyError};
