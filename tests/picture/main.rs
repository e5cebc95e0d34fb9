//! Pictures: what is in them, golden files of small runs, and what no input may bring about.

#[path = "../golden/mod.rs"]
mod golden;

#[cfg(feature = "plot")]
mod curves;
mod fork_tree;
mod reading;
mod runs;
mod space_time;
