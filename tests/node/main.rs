//! Step tests of the node: no threads, no clock; every effect is looked at.

mod arrival;
mod bench;
mod commands;
mod end_of_time;
mod events;
mod forks;
mod gossip;
mod lab;
mod mempool;
mod mining;
mod missing;
mod payments;
mod pending;
mod placement;
mod questions;
mod relay;
mod resolve;
mod silent;
mod told_anew;
mod unacknowledged;
mod walk;
