//! The command `chainlab`, as a program: what it prints, how it ends, and that its rows are the same whatever becomes of
//! it meanwhile.
//!
//! Where a tool is missing the test that needs it says so and passes, unless `CHAINLAB_REQUIRE_TOOLS` is set.
#![cfg(unix)]

#[path = "../built/mod.rs"]
mod built;
mod draw;
mod experiment;
#[path = "../golden/mod.rs"]
mod golden;
mod killed;
mod prints;
mod program;
mod readme;
mod sweep;
mod terminal;
#[path = "../tools/mod.rs"]
mod tools;
