//! The page that plays a run again: what it holds, and what it shows in a browser.

#[path = "../events/any.rs"]
mod any;
mod browser;
#[path = "../chromium/mod.rs"]
mod chromium;
mod model;
mod page;
#[path = "../tools/mod.rs"]
mod tools;
