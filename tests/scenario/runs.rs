//! What comes of a scenario in a simulation.

use std::time::Duration;

use chainlab::{NodeId, Report, Simulation, experiment::within_run, wire::Regions};
use serde_json::{Value, json};

use crate::scenario;

fn run(value: Value) -> Report {
    scenario(value).run().unwrap()
}

/// Each node's part of all attempts.
fn shares(value: Value) -> Vec<f64> {
    run(value).nodes.iter().map(|node| node.attempts_share).collect()
}

#[test]
fn hash_rates_are_shared_out_as_stated() {
    let stop = json!({"blocks": 50});
    let close = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(expected);
        assert!(pairs.clone().all(|(one, other)| (one - other).abs() < 1e-6), "{found:?} {expected:?}");
    };
    close(&shares(json!({"nodes": 4, "stop": stop})), &[0.25; 4]);
    let list = json!({"list": [1e6, 3e6, 0]});
    close(&shares(json!({"nodes": 3, "hash_rates": list, "stop": stop})), &[0.25, 0.75, 0.0]);
    let zipf = json!({"zipf": {"exponent": 1, "total": 11e6}});
    close(
        &shares(json!({"nodes": 3, "hash_rates": zipf, "stop": stop})),
        &[6.0 / 11.0, 3.0 / 11.0, 2.0 / 11.0],
    );
}

/// The parts of an exponential distribution: with a mean of 1, half are below ln 2, and the largest of 400 is about 6.6.
#[test]
fn exponential_rates_are_drawn_by_the_seed() {
    let of = |seed: u64| {
        let rates = json!({"exponential": {"total": 4e8}});
        shares(json!({"nodes": 400, "seed": seed, "hash_rates": rates, "stop": {"blocks": 1}}))
    };
    let shares = of(3);
    let below = shares.iter().filter(|share| **share * 400.0 < std::f64::consts::LN_2).count();
    assert!((160..240).contains(&below), "{below}");
    let largest = shares.iter().copied().fold(0.0, f64::max) * 400.0;
    assert!((4.0..14.0).contains(&largest), "{largest}");
    assert_eq!(of(3), shares);
    assert_ne!(of(4), shares);
}

#[test]
fn a_regions_rate_is_shared_out_among_its_nodes() {
    let rates = json!({"by_region": {"europe": 3e6, "north america": 1e6}});
    let value =
        json!({"nodes": 40, "seed": 5, "regions": "2019", "hash_rates": rates, "stop": {"blocks": 20}});
    let shares = shares(value);
    let places: Vec<_> = (0..40).map(|node| Regions::of_2019().place_of(NodeId::new(node), 5)).collect();
    let of = |place: usize| {
        shares.iter().zip(&places).filter(|(_, other)| **other == place).map(|(share, _)| share).sum::<f64>()
    };
    assert!((of(1) - 0.75).abs() < 1e-6 && (of(0) - 0.25).abs() < 1e-6, "{} {}", of(1), of(0));
    let each: Vec<_> =
        shares.iter().zip(&places).filter(|(_, place)| **place == 1).map(|(share, _)| *share).collect();
    assert!(each.iter().all(|share| (share - 0.75 / each.len() as f64).abs() < 1e-6), "{each:?}");
}

#[test]
fn it_stops_at_whichever_comes_first() {
    let report = run(json!({"stop": {"blocks": 30, "seconds": 1e9}}));
    assert_eq!(report.mined, 30);
    let report = run(json!({"stop": {"blocks": 1_000_000, "seconds": 86400}}));
    assert_eq!(report.duration, Duration::from_secs(86_400));
    let report = run(json!({"stop": {"position": 12, "blocks": 1000}}));
    assert_eq!(report.in_chain, 11);
    // The warm-up passes in any case, and is not counted.
    let report = run(json!({"stop": {"position": 2}, "warm_up_seconds": 86400}));
    assert_eq!((report.mined, report.duration), (0, Duration::ZERO));
    let report = run(json!({"stop": {"blocks": 5}, "warm_up_seconds": 86400}));
    assert_eq!(report.mined, 5);
}

/// A reward that no balance holds twice ends all mining; payments would be made for ever.
#[test]
fn a_run_in_which_nobody_mines_any_more_ends() {
    let report = run(json!({
        "rules": {"preset": "bitcoin", "reward": u64::MAX}, "nodes": 2,
        "transactions": [{"from": 0, "to": 1, "every_seconds": 1}],
        "stop": {"blocks": 100}
    }));
    assert!(report.mined < 100, "{}", report.mined);
}

/// All that happens at the last moment happens, though nobody mines until the last of it.
#[test]
fn a_run_does_not_end_in_the_midst_of_what_changes_at_a_moment() {
    let report = run(json!({
        "nodes": 2,
        "pace": {"block_seconds": 10},
        "faults": [
            {"at_seconds": 50, "kind": "partition", "groups": [[0], [1]]},
            {"at_seconds": 100, "kind": "crash", "nodes": [0, 1]},
            {"at_seconds": 200, "kind": "heal"},
            {"at_seconds": 200, "kind": "restart", "nodes": [0, 1]},
        ],
        "stop": {"blocks": 100},
    }));
    assert_eq!((report.mined, report.restarts), (100, 2));
}

/// Whenever its caller says so, and what it came to by then is what it comes to where every block is carried.
#[test]
fn a_run_that_is_stopped_is_reported_on_as_it_stands() {
    let link = json!({ "latency": { "fixed": { "seconds": 0.1 } } });
    let scenario = scenario(json!({ "nodes": 5, "pace": { "block_seconds": 2 }, "link": link, "seed": 3 }));
    for asked in 1..200 {
        let simulation = scenario.simulation().unwrap();
        let mut left = asked;
        scenario.run_to_stop(&simulation, || {
            left -= 1;
            left > 0
        });
        let carrying = scenario.simulation().unwrap();
        carrying.set_replays(false);
        // Of what comes at one moment it may have stopped before the last.
        [&simulation, &carrying].into_iter().for_each(|each| each.run_until(simulation.now()));
        let report = Report { replayed: 0, ..simulation.report() };
        assert_eq!(report, carrying.report(), "{asked} times asked");
    }
}

/// What is let go of is out of sight, and nothing else is different.
#[test]
fn a_finality_changes_nothing_but_what_is_kept() {
    let value = |finality: Value| {
        json!({
            "rules": {"preset": "sealed"}, "nodes": 3, "finality": finality,
            "link": {"latency": {"fixed": {"seconds": 0.05}}}, "stop": {"blocks": 10_000}
        })
    };
    let [all, last] = [json!(null), json!(100)].map(|finality| {
        let scenario = scenario(value(finality));
        let simulation = scenario.simulation().unwrap();
        scenario.run_to_stop(&simulation, || true);
        simulation
    });
    assert_eq!(all.report(), last.report());
    let kept = |simulation: &Simulation| simulation.chain(NodeId::new(0)).unwrap().iter().len() as u64;
    assert_eq!(kept(&all), all.chain(NodeId::new(0)).unwrap().len());
    assert!(kept(&last) < 5000, "{}", kept(&last));
    let figures = |simulation: &Simulation| within_run(simulation, 20);
    assert_eq!(figures(&last), figures(&all)[..1], "the others are read off the chain");
}

/// Batches of 32 blocks each make up the whole run, so that their means are its own; and they do not depend on whether
/// blocks are replayed, nor on what was before the warm-up's end.
#[test]
fn what_adds_up_block_by_block_is_estimated_by_batches() {
    let scenario = scenario(json!({
        "nodes": 5, "pace": {"block_seconds": 30}, "topology": "line",
        "link": {"latency": {"fixed": {"seconds": 1}}}, "warm_up_seconds": 5000, "stop": {"blocks": 640}
    }));
    let sampled = |replays| {
        let simulation = scenario.simulation().unwrap();
        simulation.take_samples();
        simulation.set_replays(replays);
        scenario.run_to_stop(&simulation, || true);
        let mut report = None;
        // The last sample is taken just before the next block.
        while simulation.report().mined == 640 {
            report = Some(simulation.report());
            simulation.step();
        }
        (report.unwrap(), within_run(&simulation, 20))
    };
    let [(report, estimates), (carried, by_carrying)] = [true, false].map(sampled);
    assert!(report.replayed > 300 && report.stale > 5, "{report}");
    assert_eq!(Report { replayed: 0, ..report.clone() }, carried);
    assert_eq!(estimates, by_carrying);
    let assert_is = |name: &str, mean: f64| {
        let estimate = estimates.iter().find(|(other, _)| other == name).expect("there is some").1;
        assert_eq!((estimate.count, estimate.batch), (20, 32), "{name}");
        assert!((estimate.mean - mean).abs() < 1e-9 * mean, "{name}: {} is not {mean}", estimate.mean);
        assert!(estimate.low < mean && mean < estimate.high, "{name}: {estimate:?}");
    };
    let bytes: u64 = report.messages.kinds.values().map(|volume| volume.bytes).sum();
    assert_is("messages_a_block", report.messages.sent as f64 / 640.0);
    assert_is("bytes_a_block", bytes as f64 / 640.0);
    let given_up: u64 = report.reorganisations.iter().map(|(depth, count)| depth * count).sum();
    assert_is("blocks_given_up_a_block", given_up as f64 / 640.0);
    assert_is("reorganisations_a_block", report.reorganisations.values().sum::<u64>() as f64 / 640.0);
    // As many in each batch, but for what is under way where one ends.
    let to_each = report.propagation.to_each.mean.as_secs_f64();
    let estimate = estimates.iter().find(|(name, _)| name == "propagation_mean_seconds").unwrap().1;
    assert!((estimate.mean - to_each).abs() < 0.01 * to_each, "{} is not {to_each}", estimate.mean);
    for (name, spread) in [
        ("propagation", &report.propagation.to_each),
        ("propagation_half", &report.propagation.to_half),
        ("propagation_90_percent", &report.propagation.to_90_percent),
        ("propagation_all", &report.propagation.to_all),
    ] {
        for (percentile, of_all) in [
            ("median", spread.median),
            ("percentile_90", spread.percentile_90),
            ("percentile_95", spread.percentile_95),
            ("percentile_99", spread.percentile_99),
        ] {
            let name = format!("{name}_{percentile}_seconds");
            let estimate = estimates.iter().find(|(other, _)| *other == name);
            // A batch has 128 times to each node, of which one is beyond the 99th percentile, and 32 of the others.
            let is_estimated = match percentile {
                "percentile_99" => false,
                "percentile_95" => name.starts_with("propagation_percentile"),
                _ => true,
            };
            assert_eq!(estimate.is_some(), is_estimated, "{name}");
            if let Some((_, estimate)) = estimate {
                assert_eq!((estimate.mean, estimate.batch), (of_all.as_secs_f64(), 32), "{name}");
            }
        }
    }
}

#[test]
fn changes_happen_at_their_time() {
    let simulation = scenario(json!({
        "names": ["alice", "bob"], "nodes": 4,
        "link": {"latency": {"fixed": {"seconds": 1}}},
        "faults": [
            {"at_seconds": 40000, "kind": "restart", "nodes": ["bob"]},
            {"at_seconds": 10000, "kind": "crash", "nodes": ["bob"]},
            {"at_seconds": 50000, "kind": "join", "peers": ["alice", 2], "name": "carol", "hash_rate": 2.5e5},
            {"at_seconds": 60000, "kind": "set_hash_rate", "nodes": [0, 2, 3], "hash_rate": 0},
            {"at_seconds": 70000, "kind": "set_link", "from": "alice", "to": "carol", "link": {"loss": 1}}
        ],
        "stop": {"seconds": 1e6}
    }))
    .simulation()
    .unwrap();
    let start = simulation.now();
    let at = |seconds: u64, simulation: &Simulation| {
        simulation.run_until(start + Duration::from_secs(seconds));
        simulation.report()
    };
    let attempts = |report: &Report, node: usize| report.nodes[node].attempts;
    let bob = NodeId::new(1);
    let before = at(10_001, &simulation);
    assert_eq!((before.crashes, before.restarts, simulation.chain(bob).is_err()), (1, 0, true));
    let down = at(39_999, &simulation);
    assert_eq!(attempts(&down, 1), attempts(&before, 1));
    let after = at(50_001, &simulation);
    assert_eq!((after.restarts, after.nodes.len()), (1, 5));
    // A quarter of a million a second, for ten thousand seconds.
    assert!(attempts(&after, 1).abs_diff(attempts(&down, 1) + 2_500_250_000) < 1_000_000);
    assert_eq!(
        (simulation.find_node("carol"), &*simulation.address(NodeId::new(4)).unwrap()),
        (Some(NodeId::new(4)), "carol")
    );
    assert_eq!(simulation.peers(NodeId::new(4)).unwrap(), [NodeId::new(0), NodeId::new(2)]);
    let slow = at(60_001, &simulation);
    let last = at(100_000, &simulation);
    for node in [0, 2, 3] {
        assert_eq!(attempts(&last, node), attempts(&slow, node));
    }
    assert!(attempts(&last, 4) > attempts(&slow, 4));
    assert!(last.messages.lost.values().sum::<u64>() > 0, "alice tells carol nothing any more");
}

#[test]
fn payments_are_made_again_and_again() {
    let simulation = scenario(json!({
        "rules": {"preset": "bitcoin", "genesis": {"shared": {"time_ns": null, "allocations": {"node-0": 100}}}},
        "nodes": 3, "hash_rates": {"list": [0, 0, 1e6]},
        "transactions": [{"from": 0, "to": 1, "amount": 2, "every_seconds": 60, "start_seconds": 30}],
        "stop": {"seconds": 100000}
    }))
    .simulation()
    .unwrap();
    // At 30 s and every minute from then on: ten until the 570th second.
    simulation.run_for(Duration::from_secs(599));
    let pending = simulation.pending(NodeId::new(0)).unwrap().len() as u64;
    let paid = |simulation: &Simulation| {
        let chain = simulation.chain(NodeId::new(2)).unwrap();
        chain.balance("node-1")
    };
    assert_eq!(paid(&simulation) + 2 * pending, 20);
    // There are a hundred coins, and what is not covered is left out.
    simulation.run_for(Duration::from_secs(50_000));
    assert_eq!(paid(&simulation), 100);
}

#[test]
fn the_same_scenario_gives_the_same_report() {
    let value = json!({
        "nodes": 60, "seed": 9, "link": {"latency": {"exponential": {"mean_seconds": 20}}, "loss": 0.01},
        "hash_rates": {"exponential": {"total": 1e6}},
        "faults": [{"at_seconds": 5000, "kind": "partition", "groups": [[1, 2, 3]]}, {"at_seconds": 90000, "kind": "heal"}],
        "warm_up_seconds": 3000, "stop": {"blocks": 300}
    });
    let report = run(value.clone());
    assert_eq!(report, run(value.clone()));
    let written = scenario(value.clone()).to_value();
    assert_eq!(report, run(written), "what is written out is the same scenario");
    let mut other = value;
    other["seed"] = json!(10);
    assert_ne!(report, run(other));
}

/// Payments that would go on beyond the end of time are not made for ever.
#[test]
fn a_run_ends_with_time() {
    let genesis = json!({"shared": {"time_ns": 18_446_744_072_709_551_615_u64, "allocations": {}}});
    let report = crate::scenario(json!({
        "rules": {"preset": "bitcoin", "genesis": genesis},
        "nodes": 2,
        "transactions": [{"from": 0, "to": 1, "every_seconds": 0.3}],
        "warm_up_seconds": 1,
        "stop": {"blocks": 1},
    }))
    .run()
    .unwrap();
    assert!(report.mined <= 1, "{report}");
}

/// A number stays a number where a scenario is written out, so that a run's name stays what it was.
#[test]
fn a_victim_is_named_as_any_other_node() {
    let eclipsed = |victim: Value| {
        scenario(json!({
            "nodes": 4, "names": ["alice", "bob"], "topology": {"edges": [[1, 0], [0, 2], [2, 3]]},
            "strategies": [{"nodes": ["alice"], "strategy": {"eclipse": {"victim": victim, "feeds": true}}}],
            "stop": {"blocks": 50}
        }))
    };
    let by_number = eclipsed(json!(1));
    for victim in [json!("bob"), json!(1)] {
        let scenario = eclipsed(victim.clone());
        assert_eq!(scenario.run().unwrap(), by_number.run().unwrap());
        let written = scenario.to_value();
        assert_eq!(written["strategies"][0]["strategy"]["eclipse"]["victim"], victim);
        assert_eq!(crate::scenario(written), scenario);
    }
    let simulation = by_number.simulation().unwrap();
    by_number.run_to_stop(&simulation, || true);
    let [bob, carol] = [1, 3].map(|node| simulation.chain(NodeId::new(node)).unwrap());
    assert_eq!(bob.common_ancestor(&carol).unwrap().len(), 1, "bob is kept apart");
}
