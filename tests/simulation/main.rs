//! The simulation held to what it promises: the same bits on every machine, and published figures.

mod determinism;
mod retarget;
mod truth;
mod wire;
