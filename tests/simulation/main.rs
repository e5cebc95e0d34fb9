//! The simulation held to what it promises: the same bits on every machine, and published figures.

mod determinism;
mod truth;
mod wire;
