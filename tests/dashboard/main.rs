//! The example `dashboard`: its model and its panels on ratatui's backend for tests, its keys on a real network, and the
//! whole of it in a real terminal, tmux's.
//!
//! Where tmux is missing its tests say so and pass, unless `CHAINLAB_REQUIRE_TOOLS` is set.

#[path = "../built/mod.rs"]
mod built;
#[path = "../../examples/dashboard/dashboard.rs"]
mod dashboard;
#[path = "../../examples/dashboard/forks.rs"]
mod forks;
#[path = "../../examples/dashboard/keys.rs"]
mod keys;
#[path = "../../examples/dashboard/model.rs"]
mod model;
mod pages;
#[path = "../../examples/dashboard/panels.rs"]
mod panels;
mod pressing;
#[path = "../../examples/dashboard/rates.rs"]
mod rates;
mod reading;
#[cfg(unix)]
#[path = "../../examples/dashboard/screen.rs"]
mod screen;
#[path = "../../examples/dashboard/text.rs"]
mod text;
#[cfg(unix)]
mod tmux;
#[path = "../tools/mod.rs"]
mod tools;
#[path = "../../examples/dashboard/tree.rs"]
mod tree;
