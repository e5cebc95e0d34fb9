//! The example `notebook_server`, started as a process of its own: the notebook's `curl` lines, its Python as a peer, the
//! page in a browser, and bad input.
//!
//! Where a tool is missing the test that needs it says so and passes, unless `CHAINLAB_REQUIRE_TOOLS` is set.

mod bad_input;
#[path = "../built/mod.rs"]
mod built;
#[path = "../chromium/mod.rs"]
mod chromium;
mod curl;
mod foreign;
mod page;
mod python;
mod server;
#[path = "../tools/mod.rs"]
mod tools;
#[path = "../transcript/mod.rs"]
mod transcript;
