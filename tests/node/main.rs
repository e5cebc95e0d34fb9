//! Step tests of the node: no threads, no clock; every wish is looked at.

mod bench;
mod commands;
mod gossip;
mod mining;
mod resolve;
