//! Saves and loads: what was saved comes back, whatever was damaged is named, and a save that is cut off at any moment
//! leaves the old state or the new one.
//!
//! Real processes are killed a few times in every run. To have a thousand killed, which takes minutes:
//!
//! ```text
//! CHAINLAB_LONG=1 cargo test --release --test save -- --nocapture killed
//! ```

mod damage;
mod killed;
mod left_over;
mod round_trip;
mod state;
mod together;
