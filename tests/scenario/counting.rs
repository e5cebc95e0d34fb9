//! The warm-up: what is counted from a moment on, held against a recorder that has observed all events since then.

use std::time::{Duration, Instant};

use chainlab::{
    Network, NodeId, Report, Rules, Simulation,
    network::HashRate,
    report::Recorder,
    wire::{Latency, Link, Topology},
};
use proptest::prelude::*;

const NODES: u32 = 6;

fn simulation(seed: u64, latency: Duration) -> Simulation {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(6e6), seed);
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(latency)));
    for _ in 0..NODES {
        let node = simulation.spawn().unwrap();
        simulation.start_mining(node, HashRate::default()).unwrap();
    }
    simulation.join(&Topology::Ring).unwrap();
    simulation
}

/// All that does not depend on whether blocks were replayed.
fn without_replays(report: Report) -> Report {
    Report { replayed: 0, ..report }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In the middle of a fork or not, with blocks replayed or carried.
    #[test]
    fn a_report_is_that_of_the_events_since(
        seed: u64, latency_seconds in 0..300_u64, warm_up_seconds in 0..100_000_u64, seconds in 0..200_000_u64,
    ) {
        let latency = Duration::from_secs(latency_seconds);
        let warm_up = Duration::from_secs(warm_up_seconds);
        let rest = Duration::from_secs(seconds);

        let replayed = simulation(seed, latency);
        let messages_before = std::rc::Rc::new(std::cell::Cell::new(0));
        let before = std::rc::Rc::clone(&messages_before);
        replayed.at(replayed.now() + warm_up, move |simulation| {
            before.set(simulation.report().messages.sent);
            simulation.count_from_now();
        });
        replayed.run_for(warm_up + rest);

        let carried = simulation(seed, latency);
        carried.run_for(warm_up);
        let all = carried.report();
        carried.count_from_now();
        let start = carried.now();
        let events = carried.events_with_capacity(usize::MAX);
        carried.run_for(rest);
        let mut recorder = Recorder::new(start);
        (0..NODES).for_each(|node| recorder.add_node(NodeId::new(node), format!("node-{node}")));
        while let Some(event) = events.try_next() {
            recorder.observe(&event);
        }
        let best = (0..NODES).map(|node| carried.chain(NodeId::new(node)).unwrap()).reduce(|best, chain| {
            if chain.is_better_than(&best, carried.rules()) { chain } else { best }
        }).unwrap();
        let report = carried.report();
        prop_assert_eq!(report.messages.sent + all.messages.sent, {
            let whole = simulation(seed, latency);
            whole.run_for(warm_up + rest);
            whole.report().messages.sent
        });
        let attempts = |node: NodeId| report.nodes[node.index()].attempts;
        let model = recorder.report(carried.now(), &best, attempts, report.messages.clone());
        prop_assert_eq!(&report, &model);
        prop_assert_eq!(report.duration, rest);
        prop_assert_eq!(messages_before.get(), all.messages.sent);
        prop_assert_eq!(without_replays(replayed.report()), report);
        // A million attempts a second each, from the warm-up on.
        for node in &carried.report().nodes {
            prop_assert!(node.attempts.abs_diff(seconds * 1_000_000) <= 1, "{} {seconds}", node.attempts);
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long is counted is held against a clock")]
fn a_network_counts_anew() {
    let network = Network::new(Rules::notebook());
    let (alice, bob) = (network.spawn_named("alice").unwrap(), network.spawn().unwrap());
    network.connect(alice, bob).unwrap();
    (0..3).for_each(|_| drop(network.mine(alice).unwrap()));
    network.resolve(bob).unwrap();
    network.crash(bob).unwrap();
    let before = network.report();
    assert!(before.messages.sent > 0 && before.nodes[0].attempts > 0 && before.crashes == 1);
    let counted = Instant::now();
    network.count_from_now();
    let report = network.report();
    assert_eq!((report.mined, report.crashes, report.messages.sent), (0, 0, 0));
    assert_eq!((&*report.nodes[0].name, report.nodes[0].attempts, report.nodes.len()), ("alice", 0, 2));
    assert!(report.duration <= counted.elapsed() && report.messages.kinds.is_empty());
    network.mine(alice).unwrap();
    let report = network.report();
    assert_eq!((report.mined, report.in_chain, report.nodes[0].mined), (1, 1, 1));
}
