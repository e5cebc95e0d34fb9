//! What is replayed does not matter: the same runs, with replays and without, look by look.

use std::{cell::Cell, collections::BTreeMap, env, time::Duration};

use chainlab::{
    Blockchain, Genesis, NodeId, Relay, Rules, Simulation, Time, Transaction,
    network::{HashRate, Identity},
    wire::{Latency, Link, Topology, Verdict},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::any_run::{
    RATE, Run, Wire, carry_out, compare, fixed, network, rules, run, run_with_schemer, seen,
};

#[test]
fn what_is_replayed_does_not_matter() {
    replay_and_carry(&run());
}

/// Beside a miner that follows the others, blocks are replayed while it holds nothing back; beside one that spends twice or
/// keeps another apart, none are.
#[test]
fn nor_does_it_with_a_node_that_is_not_honest() {
    replay_and_carry(&run_with_schemer());
}

/// `CHAINLAB_LONG=1` runs 20,000 cases.
fn replay_and_carry(runs: &impl Strategy<Value = Run>) {
    let cases = if env::var_os("CHAINLAB_LONG").is_some() { 20_000 } else { 300 };
    let mut runner = TestRunner::new(Config { cases, source_file: Some(file!()), ..Config::default() });
    let replayed = Cell::new(0);
    let tested = runner.run(runs, |run| {
        let [(replaying, some), (carrying, none)] =
            [true, false].map(|replays| carry_out(&run, |simulation| simulation.set_replays(replays)));
        prop_assert_eq!(none.report().replayed, 0);
        replayed.set(replayed.get() + some.report().replayed);
        compare(&replaying, &carrying)
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
    assert!(replayed.get() > u64::from(cases), "{} blocks are not enough", replayed.get());
}

/// Five nodes that all know each other, 100 ms apart, and find a block in 600 s.
pub(super) fn quiet_run() -> Run {
    Run {
        seed: 3,
        nodes: 5,
        topology: Topology::Complete,
        has_own_latencies: false,
        millis: 100,
        interval: 600.0,
        window: None,
        relay: Relay::Push,
        wire: Wire::default(),
        schemer: None,
        acts: Vec::new(),
    }
}

/// The same, when each of them has found some.
fn quiet() -> Simulation {
    let simulation = network(&quiet_run());
    assert!(simulation.run_blocks(100));
    simulation
}

/// How many of so many blocks more were replayed.
pub(super) fn replayed(simulation: &Simulation, blocks: u64) -> u64 {
    let before = simulation.report();
    simulation.run_blocks(blocks);
    let after = simulation.report();
    assert_eq!(after.mined - before.mined, blocks);
    after.replayed - before.replayed
}

#[test]
fn a_quiet_network_replays_all_but_the_last_block() {
    let simulation = quiet();
    let before = simulation.report();
    // The last block is looked at before time goes on.
    assert_eq!((before.mined, before.stale, before.replayed), (100, 0, 99));
    assert_eq!(replayed(&simulation, 50), 49);
    // Whoever takes it block by block, and looks at nothing, has them replayed all the same.
    let before = simulation.report();
    (0..50).for_each(|_| assert!(simulation.run_blocks(1)));
    assert_eq!(simulation.report().replayed - before.replayed, 49);
    let line = format!("blocks replayed, not carried message by message: {}\n", before.replayed);
    assert!(before.to_string().contains(&line));
}

/// Where the next is found by one who has it, though not all messages have come; but whoever looks at every block sees those
/// under way.
#[test]
fn a_block_is_replayed_that_the_next_is_found_on_meanwhile() {
    let run = Run { interval: 2.0, ..quiet_run() };
    let [(some, at_once), (few, one_by_one)] = [500, 1].map(|blocks| {
        let simulation = network(&run);
        (0..500 / blocks).for_each(|_| assert!(simulation.run_blocks(blocks)));
        (simulation.report().replayed, seen(&simulation, None))
    });
    assert_eq!(at_once, one_by_one);
    assert!(some > few + 10, "{some} and {few} of 500 were replayed");
}

/// Both sides of a fork are carried, and what decides it is not: where all nodes know both sides, nothing else happens then.
#[test]
fn the_block_that_decides_a_fork_is_replayed() {
    // Where the difficulty changes with it, it is carried.
    for (window, interval) in [(None, 30.0), (Some(3), 3.0)] {
        let run = Run { nodes: 20, interval, window, ..quiet_run() };
        let [replaying, carrying] = [true, false].map(|replays| {
            let simulation = network(&run);
            simulation.set_replays(replays);
            assert!(simulation.run_blocks(9000));
            simulation
        });
        assert_eq!(seen(&replaying, None), seen(&carrying, None));
        let report = replaying.report();
        assert!(report.stale > 20 && report.reorganisations.values().sum::<u64>() > 20);
        let carried = report.mined - report.replayed;
        assert!(
            window.is_some() || carried < 2 * report.stale + report.stale / 2,
            "{carried} with {} forks",
            report.stale
        );
    }
}

/// The block after the one that is found meanwhile is found sooner than was foreseen, as that made it easier.
#[test]
fn a_run_ends_with_its_last_block_however_easy_that_became() {
    let run = Run { nodes: 3, millis: 10_000, interval: 15.0, window: Some(3), ..quiet_run() };
    let [replaying, carrying] = [true, false].map(|replays| {
        let simulation = network(&run);
        simulation.set_replays(replays);
        simulation
    });
    for run in 0..20_000 {
        assert!(replaying.run_blocks(4) && carrying.run_blocks(4));
        assert_eq!(replaying.now(), carrying.now(), "in run {run}");
    }
}

/// Whoever finds a block may find no other: a run that ends then ends when it would have ended.
#[test]
fn a_run_in_which_all_mining_ends_ends_as_if_carried() {
    for (seed, miners) in (0..40).flat_map(|seed| [(seed, 1), (seed, 2)]) {
        let [replaying, carrying] = [true, false].map(|replays| {
            // No balance holds four of these.
            let rules = Rules { reward: u64::MAX / 3 - 100, ..rules(miners, 15.0, None) };
            let simulation = Simulation::new(rules, seed);
            simulation.set_replays(replays);
            simulation.set_default_link(fixed(10_000));
            let nodes = [(); 2].map(|()| simulation.spawn().unwrap());
            simulation.join(&Topology::Complete).unwrap();
            for node in &nodes[..miners as usize] {
                simulation.start_mining(*node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
            }
            assert!(!simulation.run_blocks(50), "{}", simulation.report());
            seen(&simulation, None)
        });
        assert_eq!(replaying, carrying, "seed {seed}, {miners} miners");
    }
}

/// The difficulty may become such that no proof is found before time ends.
#[test]
fn a_run_that_a_retarget_ends_ends_as_if_carried() {
    for seed in 0..500 {
        let [replaying, carrying] = [true, false].map(|replays| {
            let start = Time::from_nanos(u64::MAX - 20_000_000_000_000);
            let genesis = Genesis::Shared { time: Some(start), allocations: BTreeMap::new() };
            let simulation = Simulation::new(Rules { genesis, ..rules(2, 600.0, Some(2)) }, seed);
            simulation.set_replays(replays);
            simulation.set_default_link(fixed(10_000));
            let nodes = [(); 2].map(|()| simulation.spawn().unwrap());
            simulation.join(&Topology::Complete).unwrap();
            for node in nodes {
                simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
            }
            assert!(!simulation.run_blocks(u64::MAX), "{}", simulation.report());
            seen(&simulation, None)
        });
        assert_eq!(replaying, carrying, "seed {seed}");
    }
}

/// Each thing that a block's spreading might show, or be changed by, by itself: while it lasts none is replayed.
#[test]
fn where_anything_else_goes_on_nothing_is_replayed() {
    let [zero, one] = [0, 1].map(NodeId::new);
    let [slow, fast] = [1_000_000_000, 100].map(|millis| fixed(millis).with_order(false));
    type GoingOn<'a> = (&'a str, &'a dyn Fn(&Simulation));
    let going_on: [GoingOn; 11] = [
        ("a node has another chain", &|simulation| {
            let new = simulation.spawn().unwrap();
            // With its first input it has looked round, and found nothing to think about.
            simulation.pending(new).unwrap();
        }),
        ("a node is down", &|simulation| simulation.crash(one).unwrap()),
        ("a node stands still", &|simulation| simulation.pause(one).unwrap()),
        ("a link draws", &|simulation| {
            let latency = Latency::exponential(Duration::from_millis(1));
            simulation.set_link(zero, one, Link::default().with_latency(latency)).unwrap();
        }),
        ("a link loses", &|simulation| {
            simulation.set_link(zero, one, Link::default().with_loss(0.1).unwrap()).unwrap();
        }),
        ("a link is held", &|simulation| simulation.hold(zero, one).unwrap()),
        ("a partition", &|simulation| simulation.partition([[zero, one]]).unwrap()),
        ("a judge", &|simulation| simulation.set_judge(|_, _, _| Verdict::Pass)),
        ("a transaction is pending that cannot be mined", &|simulation| {
            let late = Transaction::new("sender-1", "carol", 1).with_nonce(7);
            simulation.submit(zero, late).unwrap();
        }),
        ("a message is under way", &|simulation| {
            simulation.disconnect(zero, one).unwrap();
            simulation.set_link(zero, one, slow).unwrap();
            simulation.connect(zero, one).unwrap();
            simulation.set_link(zero, one, fast).unwrap();
        }),
        ("it is turned off", &|simulation| simulation.set_replays(false)),
    ];
    for (name, begin) in going_on {
        let simulation = quiet();
        begin(&simulation);
        assert_eq!(replayed(&simulation, 50), 0, "{name}");
    }
    let simulation = quiet();
    let events = simulation.events();
    assert_eq!(replayed(&simulation, 50), 0);
    assert_eq!(events.count(), 50 * 5, "one was still to come to the others, and one is");
    // A subscription that has ended is noticed with the next event.
    assert!(replayed(&simulation, 50) >= 48);
}

/// Whatever it does: nobody is to see that all have the block before its last messages have come, after 200 ms.
#[test]
fn a_block_is_carried_that_something_is_planned_for_in_mid_flood() {
    let twin = quiet();
    twin.run_blocks(1);
    for (millis, expected) in [(150, 0), (250, 1)] {
        let simulation = quiet();
        simulation.at(twin.now() + Duration::from_millis(millis), |_| {});
        assert_eq!(replayed(&simulation, 2), expected, "{millis} ms after it was found");
    }
}

/// A new difficulty comes to each search when the block comes to its node: where each message takes the same time that is
/// known beforehand.
#[test]
fn the_last_block_of_a_window_is_replayed_where_it_is_pushed() {
    for relay in [Relay::Push, Relay::Announce] {
        let simulation = network(&Run { window: Some(10), relay, ..quiet_run() });
        simulation.run_blocks(100);
        let before = simulation.chain(NodeId::new(0)).unwrap().len();
        let replayed = replayed(&simulation, 100);
        simulation.run_for(Duration::from_secs(1));
        let chain = simulation.chain(NodeId::new(0)).unwrap();
        let target = |position| chain.at(position).unwrap().target();
        let changes =
            (before + 1..chain.len()).filter(|position| target(position + 1) != target(*position)).count();
        assert!(changes > 3, "{changes}");
        let carried = if relay == Relay::Push { 0 } else { changes as u64 };
        assert_eq!(replayed, 99 - carried, "the last one is looked at before time goes on");
    }
}

/// Until its time has come the others keep it, and nobody is on it.
#[test]
fn a_block_of_the_future_is_not_replayed() {
    let run = quiet_run();
    let start = |replays| {
        let simulation = Simulation::new(rules(run.nodes, run.interval, run.window), run.seed);
        simulation.set_replays(replays);
        let later = simulation.now() + Duration::from_secs(3 * 3600);
        let genesis = Blockchain::start(simulation.rules(), simulation.now()).unwrap();
        let chain = (0..11).try_fold(genesis, |chain, _| chain.mine_next(simulation.rules(), [], "x", later));
        let chain = chain.unwrap();
        for number in 0..run.nodes {
            let address = Some(format!("miner-{number}"));
            let node = simulation
                .spawn_with_chain(Identity { name: None, address, ..Identity::default() }, chain.clone())
                .unwrap();
            simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
        }
        simulation.join(&Topology::Complete).unwrap();
        simulation.run_for(Duration::from_secs(3000));
        simulation
    };
    let [replaying, carrying] = [true, false].map(start);
    let report = replaying.report();
    assert!(report.mined > 2 && report.replayed == 0, "{report}");
    for simulation in [&replaying, &carrying] {
        simulation.run_for(Duration::from_secs(86_400));
    }
    assert_eq!(seen(&replaying, None), seen(&carrying, None));
    assert!(replaying.report().replayed > 50);
}

/// Nobody can see what would come after the end of time.
#[test]
fn what_takes_for_ever_is_not_replayed() {
    let simulation = network(&Run { millis: u64::MAX, topology: Topology::Ring, ..quiet_run() });
    assert_eq!(replayed(&simulation, 20), 0);
}

/// Nor what does not come to all, though all have the block before.
#[test]
fn what_comes_to_some_alone_is_not_replayed() {
    for relay in [Relay::Push, Relay::Announce] {
        let wire = Wire { patience: Some(600_000), ..Wire::default() };
        let simulation = network(&Run { relay, wire, topology: Topology::Line, ..quiet_run() });
        assert!(replayed(&simulation, 20) > 0);
        simulation.run_for(Duration::from_secs(2));
        simulation.disconnect(NodeId::new(2), NodeId::new(3)).unwrap();
        assert_eq!(replayed(&simulation, 20), 0);
    }
}

/// Each node searches anew when a block comes to it.
#[test]
fn real_searches_are_not_replayed() {
    let simulation = Simulation::hashed(rules(5, 0.002, None), 3);
    for _ in 0..5 {
        let node = simulation.spawn().unwrap();
        simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
    }
    simulation.join(&Topology::Complete).unwrap();
    assert_eq!(replayed(&simulation, 20), 0);
}
