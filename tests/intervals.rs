//! The 95 % intervals of experiments hold the truth 95 % of the time, where the truth is known.
//!
//! Where blocks are everywhere at once, a node that makes a quarter of all attempts finds each block with a probability of
//! exactly 1/4, so that this is what its share of the chain is on average.

use chainlab::experiment::{Estimate, Experiment, Scenario, Summary, within_run};
use serde_json::{Value, json};

const TRUTH: f64 = 0.25;
/// So many that four standard errors are less than all that may be too many: intervals of everything are seen.
const EXPERIMENTS: u64 = 400;

fn scenario(blocks: u64, seed: u64) -> Value {
    json!({
        "nodes": 2,
        "hash_rates": {"list": [1e6, 3e6]},
        "stop": {"blocks": blocks},
        "seed": seed,
    })
}

/// Holds how many of the intervals hold the truth to within four standard errors of the binomial distribution.
#[track_caller]
fn assert_covered(estimate: impl Fn(u64) -> Estimate) {
    let estimates = (0..EXPERIMENTS).map(estimate);
    let covered = estimates.filter(|estimate| estimate.low <= TRUTH && TRUTH <= estimate.high).count();
    let expected = 0.95 * EXPERIMENTS as f64;
    let error = (expected * 0.05).sqrt();
    assert!(
        (covered as f64 - expected).abs() <= 4.0 * error,
        "{covered} of {EXPERIMENTS} intervals hold the truth, and not {expected}"
    );
}

#[test]
fn intervals_by_replicates_hold_the_truth() {
    assert_covered(|seed| {
        let experiment = json!({"scenario": scenario(200, seed), "replicates": 10});
        let experiment = Experiment::from_json(&experiment.to_string()).unwrap();
        let mut summary = Summary::new(&experiment, &["node_0_chain_share".into()]).unwrap();
        for row in experiment.run().unwrap() {
            summary.add(row.run.point, row.cells.iter().map(|cell| cell.number()));
        }
        summary.estimate(0, "node_0_chain_share").unwrap()
    });
}

#[test]
fn intervals_by_batches_hold_the_truth() {
    assert_covered(|seed| {
        let scenario = Scenario::from_value(scenario(2000, seed)).unwrap();
        let simulation = scenario.simulation().unwrap();
        scenario.run_to_stop(&simulation, || true);
        let estimates = within_run(&simulation, 20);
        let share = estimates.into_iter().find(|(name, _)| name == "node_0_chain_share");
        share.expect("it finds hundreds of blocks").1
    });
}
