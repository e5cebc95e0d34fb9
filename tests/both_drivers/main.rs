//! One meaning, two drivers: a script of commands under threads and under a virtual clock, both of which really hash,
//! gives the same chains, answers and events.

#[path = "../storms/random.rs"]
mod random;
#[path = "../transcript/mod.rs"]
mod transcript;

mod lab;
mod notebook;
mod scripts;
mod strategies;
mod tracing;
mod trees;
