//! The network of threads. Nothing here sleeps, and where time is measured nothing may come too soon, however late it
//! comes; what must not hang runs under [`common::finishes`].

mod bad_input;
mod common;
mod ending;
mod faults;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod no_threads;
mod rates;
mod restarting;
mod storm;
mod waiting;
mod wire;
