//! The simulation held to what it promises: the same bits on every machine, published figures, and lines that tell all.

mod determinism;
mod lines;
mod retarget;
mod truth;
mod wire;
