//! The 95 % intervals of experiments hold the truth 95 % of the time, where the truth is known.
//!
//! Where blocks are everywhere at once, a node that makes a quarter of all attempts finds each block with a probability of
//! exactly 1/4, so that this is what its share of the chain is on average. How long blocks take, from one to the next and on
//! their way, is exponentially distributed there.

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

/// How many of the intervals hold the truth, which is to be 95 % to within four standard errors of the binomial
/// distribution.
#[track_caller]
fn assert_covered(name: &str, truth: f64, estimates: &[Estimate]) {
    let covered = estimates.iter().filter(|estimate| estimate.low <= truth && truth <= estimate.high).count();
    let expected = 0.95 * estimates.len() as f64;
    let error = (expected * 0.05).sqrt();
    assert!(
        (covered as f64 - expected).abs() <= 4.0 * error,
        "{name}: {covered} of {} intervals hold the truth, and not {expected}",
        estimates.len()
    );
}

#[test]
fn intervals_by_replicates_hold_the_truth() {
    let estimate = |seed| {
        let experiment = json!({"scenario": scenario(200, seed), "replicates": 10});
        let experiment = Experiment::from_json(&experiment.to_string()).unwrap();
        let mut summary = Summary::new(&experiment, &["node_0_chain_share".into()]).unwrap();
        for row in experiment.run().unwrap() {
            summary.add(row.run.point, row.cells.iter().map(|cell| cell.number()));
        }
        summary.estimate(0, "node_0_chain_share").unwrap()
    };
    assert_covered("node_0_chain_share", TRUTH, &(0..EXPERIMENTS).map(estimate).collect::<Vec<_>>());
}

/// Holds the intervals of figures within one run against what they are on average.
#[track_caller]
fn assert_covered_within_runs(scenario: impl Fn(u64) -> Value, truths: &[(&str, f64)]) {
    let estimates = (0..EXPERIMENTS).map(|seed| {
        let scenario = Scenario::from_value(scenario(seed)).unwrap();
        let simulation = scenario.simulation().unwrap();
        simulation.take_samples();
        scenario.run_to_stop(&simulation, || true);
        within_run(&simulation, 20)
    });
    let estimates: Vec<_> = estimates.collect();
    for (name, truth) in truths {
        let of_name = estimates.iter().map(|figures| {
            let (_, estimate) =
                figures.iter().find(|(other, _)| other == name).expect("there are enough blocks");
            *estimate
        });
        assert_covered(name, *truth, &of_name.collect::<Vec<_>>());
    }
}

/// A percentile of the exponential distribution.
fn exponential(mean: f64, percent: f64) -> f64 {
    -mean * (1.0 - percent / 100.0).ln()
}

/// Up to the first new target blocks come as a Poisson process, one in 600 s.
#[test]
fn intervals_by_batches_hold_the_truth() {
    assert_covered_within_runs(
        |seed| scenario(2000, seed),
        &[
            ("node_0_chain_share", TRUTH),
            ("block_interval_seconds", 600.0),
            ("block_interval_median_seconds", exponential(600.0, 50.0)),
            ("block_interval_percentile_90_seconds", exponential(600.0, 90.0)),
            ("block_interval_percentile_95_seconds", exponential(600.0, 95.0)),
        ],
    );
}

/// Of two nodes the other has each block after one latency; fewer than one block in a thousand is stale.
#[test]
fn intervals_of_how_long_blocks_take_hold_the_truth() {
    assert_covered_within_runs(
        |seed| {
            let mut value = scenario(2000, seed);
            value["link"] = json!({"latency": {"exponential": {"mean_seconds": 0.1}}});
            value
        },
        &[
            ("propagation_mean_seconds", 0.1),
            ("propagation_median_seconds", exponential(0.1, 50.0)),
            ("propagation_percentile_90_seconds", exponential(0.1, 90.0)),
            ("propagation_all_percentile_95_seconds", exponential(0.1, 95.0)),
        ],
    );
}
