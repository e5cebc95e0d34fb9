//! How many blocks are stale, of miners that all hear of a block the same time later.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Effort, Model, Published, scenario,
    truth::{NineMiners, Truth},
};
use crate::{
    event::Happening,
    report::{NodeReport, Report},
};

/// The time from block to block.
const INTERVAL: f64 = 600.0;

pub(super) fn models(truth: &Truth, effort: Effort) -> Vec<Model> {
    let mut models = vec![nine_miners(&truth.darosior_miningsimulation, effort)];
    for row in &truth.two_equal_miners.rows {
        let name = format!("two equal miners, {} block a delay", row.x);
        let source = truth.two_equal_miners.source();
        models.push(stale(name, source, vec![0.5, 0.5], row.x, row.stale_fraction, effort));
    }
    for row in &truth.two_miners_general.rows {
        let name = format!("miners of {} and {}, {} block a delay", row.h[0], row.h[1], row.x);
        let source = format!("Sompolinsky & Zohar 2015: {}", truth.two_miners_general.source());
        models.push(stale(name, source, row.h.clone(), row.x, row.stale_fraction, effort));
    }
    for row in &truth.fork_probability_from_sync.rows {
        models.push(from_sync(row.n, row.x, row.prob, truth.fork_probability_from_sync.source(), effort));
    }
    models.extend([0.1, 0.5, 2.0].map(|x| bound(x, effort)));
    models
}

/// Links that all take the time in which so many blocks are found on average.
fn delayed(blocks: f64) -> Value {
    json!({"latency": {"fixed": {"seconds": blocks * INTERVAL}}})
}

/// Another simulator's figures: of each miner the stale blocks for each in the chain, and the share of the chain.
fn nine_miners(published: &NineMiners, effort: Effort) -> Model {
    let table = &published.ten_seconds;
    let figures = table.hash_pct.iter().zip(&table.stale_pct).zip(&table.share_pct);
    let figures = figures.flat_map(|((share, stale), chain)| {
        let of = |what| format!("{what} of a miner of {share} %");
        [
            Published::new(of("stale for each in the chain"), stale / 100.0),
            Published::new(of("share of the chain"), chain / 100.0),
        ]
    });
    let shares: Vec<_> = table.hash_pct.iter().map(|share| share / 100.0).collect();
    let blocks = 20_000 * effort.scale();
    Model {
        name: "nine miners, a block known to all after 10 s".into(),
        source: published.source.clone(),
        bridge: "",
        figures: figures.collect(),
        replicates: 20,
        run: Box::new(move |seed| {
            let link = json!({"latency": {"fixed": {"seconds": 10}}});
            let report = run(&shares, seed, json!({"link": link, "stop": {"blocks": blocks}}));
            let of_node = |node: &NodeReport| {
                [(node.mined - node.in_chain) as f64 / node.in_chain as f64, node.chain_share]
            };
            report.nodes.iter().flat_map(of_node).collect()
        }),
    }
}

fn stale(name: String, source: String, shares: Vec<f64>, x: f64, published: f64, effort: Effort) -> Model {
    // The fewer are stale, the more blocks it takes to tell.
    let blocks = (400.0 / x.clamp(0.05, 0.5)) as u64 * effort.scale();
    Model {
        name,
        source,
        bridge: "",
        figures: vec![Published::new("stale of all mined", published)],
        replicates: 20,
        run: Box::new(move |seed| {
            vec![run(&shares, seed, json!({"link": delayed(x), "stop": {"blocks": blocks}})).stale_rate]
        }),
    }
}

/// The chance that a block which is found while all agree has a rival at its position. Each network is new, and is watched
/// until its first block has come to all.
fn from_sync(miners: usize, x: f64, published: f64, source: String, effort: Effort) -> Model {
    let networks = 20 + (4.0 / x) as u64 * effort.scale();
    let has_rival = move |seed| {
        let shares = vec![1.0 / miners as f64; miners];
        let scenario = scenario(&shares, seed, json!({"link": delayed(x)}));
        let simulation = scenario.simulation().expect("it was checked when it was read");
        let events = simulation.events();
        simulation.run_blocks(1);
        simulation.run_for(Duration::from_secs_f64(x * INTERVAL));
        let first = events.filter(|event| matches!(event.what, Happening::Mined { position: 2, .. }));
        first.count() > 1
    };
    Model {
        name: format!("{miners} equal miners that agree, {x} block a delay"),
        source,
        bridge: "each network is made anew, and watched for its first block alone",
        figures: vec![Published::new("chance of a rival", published)],
        replicates: 50,
        run: Box::new(move |seed| {
            let rivals = (0..networks).filter(|network| has_rival(seed * 1_000_000 + network)).count();
            vec![rivals as f64 / networks as f64]
        }),
    }
}

/// However the delays differ, as long as none is longer than the time of x blocks.
fn bound(x: f64, effort: Effort) -> Model {
    let blocks = 1000 * effort.scale();
    Model {
        name: format!("twelve miners, at most {x} block a delay"),
        source: "the bound x / (1 + x) for delays of at most x blocks".into(),
        bridge: "the delay of each message is drawn evenly from none to the longest",
        figures: vec![Published { is_bound: true, ..Published::new("stale of all mined", x / (1.0 + x)) }],
        replicates: 10,
        run: Box::new(move |seed| {
            let latency = json!({"uniform": {"min_seconds": 0, "max_seconds": x * INTERVAL}});
            let more = json!({"link": {"latency": latency}, "stop": {"blocks": blocks}});
            vec![run(&[1.0 / 12.0; 12], seed, more).stale_rate]
        }),
    }
}

fn run(shares: &[f64], seed: u64, more: Value) -> Report {
    scenario(shares, seed, more).run().expect("it was checked when it was read")
}
