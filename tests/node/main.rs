//! Step tests of the node: no threads, no clock; every wish is looked at.

mod bench;
mod commands;
mod end_of_time;
mod forks;
mod gossip;
mod mempool;
mod mining;
mod missing;
mod pending;
mod resolve;
mod walk;
