//! The scenarios that lie in `examples/scenarios`.

use std::fs;

use chainlab::{Report, experiment::Scenario};
use serde_json::{Value, json};

use crate::golden::assert_golden;

const READY: [&str; 7] =
    ["bitcoin_today", "double_spend", "fast_blocks", "forks", "partition", "retarget", "selfish_miner"];

fn text(name: &str) -> String {
    fs::read_to_string(format!("{}/examples/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A ready scenario with other fields.
fn cut(name: &str, fields: Value) -> Scenario {
    let mut value: Value = serde_json::from_str(&text(name)).unwrap();
    for (field, other) in fields.as_object().unwrap() {
        value[field] = other.clone();
    }
    crate::scenario(value)
}

fn run(name: &str, fields: Value) -> Report {
    cut(name, fields).run().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn each_is_written_out_with_all_its_defaults() {
    for name in READY {
        let scenario = Scenario::from_json(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let json = scenario.to_json();
        assert_golden(&format!("scenarios/{name}.json"), &format!("{json}\n"));
        let again = Scenario::from_json(&json).unwrap();
        assert_eq!((&again, again.to_json()), (&scenario, json), "{name}");
    }
}

#[test]
fn there_are_no_others() {
    let folder = format!("{}/examples/scenarios", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".json", ""))
        .collect();
    names.sort();
    assert_eq!(names, READY);
}

/// At 15 s a block more of them are mined before their miner has heard of the last.
#[test]
fn fast_blocks_are_stale_more_often() {
    let small = json!({"nodes": 150, "stop": {"blocks": 400}});
    let [today, fast] = ["bitcoin_today", "fast_blocks"].map(|name| run(name, small.clone()));
    assert_eq!((today.mined, fast.mined), (400, 400));
    assert!(fast.stale_rate > today.stale_rate, "{} {}", fast.stale_rate, today.stale_rate);
    let ratio = today.duration.as_secs_f64() / fast.duration.as_secs_f64();
    // The means of 400 exponential intervals, each with a standard error of a twentieth.
    assert!((30.0..53.0).contains(&ratio), "{ratio}");
}

/// Seven of twenty nodes mine a third of a day's 144 blocks for nothing.
#[test]
fn a_partition_makes_the_blocks_of_its_smaller_side_stale() {
    let report = run("partition", json!({}));
    let deepest = report.reorganisations.keys().last().unwrap();
    assert!((25..80).contains(deepest), "{deepest}");
    assert!(report.stale >= *deepest);
    let whole = run("partition", json!({"faults": []}));
    assert!(whole.stale < 5, "{}", whole.stale);
}

/// Ten weeks before the target follows: four weeks at 10 minutes, then at 20 until a window is over.
#[test]
fn blocks_come_at_half_the_pace_until_the_retarget() {
    let simulation = cut("retarget", json!({})).simulation().unwrap();
    let week = std::time::Duration::from_secs(604_800);
    let mined = |weeks: u32| {
        let before = simulation.report().mined;
        simulation.run_for(week * weeks);
        f64::from(u32::try_from(simulation.report().mined - before).unwrap()) / f64::from(weeks)
    };
    let (first, slow) = (mined(4), mined(2));
    mined(4);
    let late = mined(2);
    // 1008 blocks a week with a standard error of 16 in four, 22 in two.
    assert!((920.0..1100.0).contains(&first), "{first}");
    assert!((430.0..620.0).contains(&slow), "{slow}");
    assert!((880.0..1140.0).contains(&late), "{late}");
}

#[test]
fn attackers_gain() {
    let selfish = run("selfish_miner", json!({}));
    let attacker = &selfish.nodes[0];
    assert_eq!(selfish.mined, 10_000);
    assert!(attacker.chain_share > attacker.attempts_share, "{attacker:?}");
    let spends = run("double_spend", json!({"stop": {"blocks": 1000}})).double_spends;
    assert!(spends.tried > spends.won && spends.won > 0, "{spends:?}");
}
