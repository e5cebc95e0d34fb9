//! Experiments: what is to be run, as plain data.
//!
//! A [`Scenario`] says all of a run that its outcome depends on. It is read from JSON, written back out with every
//! default filled in, and run under either driver.

mod scenario;

pub use scenario::{
    Change, Fault, HashRates, NodeRef, Pace, Payment, Problem, RegionTable, Scenario, ScenarioError, Stop,
    StrategyOf, TieBreakOf,
};
