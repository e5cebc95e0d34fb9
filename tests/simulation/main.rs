//! The simulation held to what it promises: the same bits on every machine, whatever is replayed, published figures, and
//! lines that tell all.

mod any_run;
mod calls;
mod determinism;
mod finality;
mod lines;
mod replays;
mod replays_by_size;
mod retarget;
mod wire;
