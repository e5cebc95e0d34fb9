//! Saves and loads: what was saved comes back, whatever was damaged is named, and a save that is cut off at any moment
//! leaves the old state or the new one.
//!
//! Real processes are killed a few times in every run. To have some hundreds killed, which takes minutes:
//!
//! ```text
//! CHAINLAB_KILLS=1000 cargo test --release --test save -- --ignored --nocapture killed_at_any_moment_many_times
//! ```

mod damage;
mod killed;
mod round_trip;
mod state;
mod together;
