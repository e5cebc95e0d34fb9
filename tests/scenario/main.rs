//! Scenarios: what their documents say, what is wrong with them, and what comes of them under either driver.

#[path = "../golden/mod.rs"]
mod golden;

mod both_drivers;
mod counting;
mod documents;
mod mutations;
mod ready;
mod runs;

use chainlab::experiment::Scenario;

/// Reads a scenario that is as it should be.
#[track_caller]
fn scenario(value: serde_json::Value) -> Scenario {
    Scenario::from_value(value).unwrap_or_else(|error| panic!("{error}"))
}
