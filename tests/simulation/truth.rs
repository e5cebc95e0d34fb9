//! The simulation against figures that nobody of this project made: `tests/truth/published.json`.
//!
//! Each figure is estimated by some independent runs, whose spread gives the standard error of their mean; four of those
//! are allowed. The seeds are fixed, so that what holds once holds for ever. All models have what the sealed rules have: a
//! tie keeps ours, that is, a node stays on the chain that it had first, and as the difficulty is fixed all blocks have
//! the same work, so that the longest chain wins.

use std::time::Duration;

use chainlab::{
    Difficulty, Happening, Report, Rules, Simulation,
    network::HashRate,
    pow::Target,
    wire::{Latency, Link, Topology},
};
use serde_json::Value;

/// The time in which all miners together find a block, on average.
const INTERVAL: Duration = Duration::from_secs(600);
/// All miners together make so many attempts a second for each unit of their shares.
const RATE: u32 = 1_000_000;

fn published() -> Value {
    serde_json::from_str(include_str!("../truth/published.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list")).iter().map(number).collect()
}

fn rows(table: &Value) -> &Vec<Value> {
    table["rows"].as_array().unwrap()
}

/// Miners of so large shares, each connected with each other, by links that all take the same time.
fn miners(shares: &[u64], delay: Duration, seed: u64) -> Simulation {
    let attempts = u128::from(u64::from(RATE) * shares.iter().sum::<u64>()) * u128::from(INTERVAL.as_secs());
    let difficulty = Difficulty::Fixed(Target::from_expected_hashes(attempts));
    let simulation = Simulation::new(Rules { difficulty, ..Rules::bitcoin() }, seed);
    for _ in shares {
        simulation.spawn().unwrap();
    }
    simulation.join(&Topology::Complete).unwrap();
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(delay)));
    for (node, share) in simulation.nodes().into_iter().zip(shares) {
        simulation
            .start_mining(node, HashRate::per_second(*share as f64 * f64::from(RATE)).unwrap())
            .unwrap();
    }
    simulation
}

/// So many blocks of miners in so many runs, each with a seed of its own.
fn runs(shares: &[u64], delay: Duration, runs: u64, blocks: u64) -> Vec<Report> {
    let run = |seed| {
        let simulation = miners(shares, delay, seed);
        assert!(simulation.run_blocks(blocks));
        simulation.report()
    };
    (0..runs).map(run).collect()
}

/// Asserts that the mean of some runs' figures is within four of its standard errors of a published figure.
#[track_caller]
fn assert_near(what: &str, figures: impl IntoIterator<Item = f64>, published: f64) {
    let figures: Vec<_> = figures.into_iter().collect();
    let (mean, error) = mean(&figures);
    println!("{what}: {mean:.5} +- {error:.5}, published {published:.5}");
    // It has seen something: an estimate as uncertain as this would agree with anything.
    assert!(error < 0.15 * published, "{what}: {mean} +- {error}");
    assert!((mean - published).abs() < 4.0 * error, "{what}: {mean} +- {error} is not {published}");
}

/// The mean, and its standard error.
fn mean(figures: &[f64]) -> (f64, f64) {
    let count = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / count;
    let squares: f64 = figures.iter().map(|figure| (figure - mean) * (figure - mean)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}

/// The delay at which as many blocks are found meanwhile, on average.
fn delay(blocks: f64) -> Duration {
    INTERVAL.mul_f64(blocks)
}

/// Nine miners, ten seconds apart. Published are a miner's stale blocks over its blocks in the chain, not over those that
/// it mined, as a report's stale rate would be; and its share of the chain.
#[test]
fn nine_miners_have_the_published_stale_rates() {
    let published = published();
    let table = &published["darosior_miningsimulation"]["D_10s"];
    let shares: Vec<_> =
        table["hash_pct"].as_array().unwrap().iter().map(|share| share.as_u64().unwrap()).collect();
    let reports = runs(&shares, Duration::from_secs(10), 20, 30_000);
    let [stale, chain] = ["stale_pct", "share_pct"].map(|name| numbers(&table[name]));
    for (miner, share) in shares.iter().enumerate() {
        let of_miner = |report: &Report| {
            let node = &report.nodes[miner];
            ((node.mined - node.in_chain) as f64 / node.in_chain as f64, node.chain_share)
        };
        let (stales, chains): (Vec<_>, Vec<_>) = reports.iter().map(of_miner).unzip();
        assert_near(&format!("stale of {share} %"), stales, stale[miner] / 100.0);
        assert_near(&format!("chain of {share} %"), chains, chain[miner] / 100.0);
    }
}

/// Published are stale blocks over mined ones, as in a report.
#[test]
fn two_miners_have_the_published_stale_rates() {
    let published = published();
    for row in rows(&published["two_equal_miners"]) {
        let x = number(&row["x"]);
        let reports = runs(&[5, 5], delay(x), 20, 8000);
        let stale = reports.iter().map(|report| report.stale_rate);
        assert_near(&format!("two equal miners, x = {x}"), stale, number(&row["stale_fraction"]));
    }
    for row in rows(&published["two_miners_general"]) {
        let (shares, x) = (numbers(&row["h"]), number(&row["lambdaD"]));
        let shares: Vec<_> = shares.iter().map(|share| (10.0 * share).round() as u64).collect();
        let reports = runs(&shares, delay(x), 20, 4000);
        let stale = reports.iter().map(|report| report.stale_rate);
        assert_near(&format!("miners {shares:?}, x = {x}"), stale, number(&row["stale_fraction"]));
    }
}

/// All agree and nothing is under way: the chance that the next block has a rival at its position. Each network is new, and
/// is watched until its first block has come to all.
#[test]
fn a_block_has_a_rival_as_often_as_published() {
    for row in rows(&published()["fork_probability_from_sync"]) {
        let (count, x) = (number(&row["n"]), number(&row["lambdaD"]));
        let has_rival = |seed| {
            let simulation = miners(&vec![1; count as usize], delay(x), seed);
            let events = simulation.events();
            simulation.run_blocks(1);
            simulation.run_for(delay(x));
            let is_first = |what| matches!(what, Happening::Mined { position: 2, .. });
            f64::from(u8::from(events.filter(|event| is_first(event.what.clone())).count() > 1))
        };
        // The rarer they are, the more networks it takes to see some.
        let networks = (1.0 / x) as u64 * 100 + 1000;
        assert_near(&format!("{count} miners, x = {x}"), (0..networks).map(has_rival), number(&row["prob"]));
    }
}

/// However the delays differ, as long as none is longer than the time of x blocks, at most x / (1 + x) are stale.
#[test]
fn no_more_are_stale_than_the_bound() {
    for x in [0.1, 0.5, 2.0] {
        let longest = delay(x);
        let run = |seed| {
            let simulation = miners(&[1; 12], longest, seed);
            let latency = Latency::uniform(Duration::ZERO, longest).unwrap();
            for (one, other) in Topology::Complete.edges(12, seed).unwrap() {
                let link = Link::default().with_latency(latency.drawn_once(seed, one, other));
                simulation.set_link(one, other, link).unwrap();
            }
            simulation.run_blocks(2000);
            simulation.report().stale_rate
        };
        let (mean, error) = mean(&(0..10).map(run).collect::<Vec<_>>());
        let bound = x / (1.0 + x);
        println!("x = {x}: {mean:.4} +- {error:.4}, bound {bound:.4}");
        assert!(mean > 0.2 * bound, "x = {x}: {mean} is no test of {bound}");
        assert!(mean <= bound + 4.0 * error, "x = {x}: {mean} +- {error} is above {bound}");
    }
}
