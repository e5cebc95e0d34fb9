//! What a block costs on its way: bandwidths, validation, regions, and how it is told of. Times are computed by hand.

use std::time::Duration;

use chainlab::{
    Limits, MessageKind, NodeId, Relay, Rules, Simulation, Time,
    pow::Target,
    wire::{Bandwidth, BlockCost, Latency, Link, Regions, Topology},
};

const MEGABYTE: u64 = 1_000_000;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many nodes, with blocks of a megabyte and links of 100 ms.
fn network(nodes: usize, relay: Relay) -> Simulation {
    let rules = Rules { relay, ..Rules::bitcoin().with_first_target(Target::EASIEST) };
    let simulation = Simulation::new(rules, 1);
    simulation.set_limits(Limits { resolve_timeout: Duration::from_secs(600), ..Limits::default() });
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(millis(100))));
    simulation.set_block_cost(BlockCost { bytes: Some(MEGABYTE), validation: Duration::ZERO });
    for _ in 0..nodes {
        simulation.spawn().unwrap();
    }
    simulation
}

/// Has the first node find a block; returns when each of the others has it, counted from then.
fn arrivals(simulation: &Simulation) -> Vec<Duration> {
    let nodes = simulation.nodes();
    let len = simulation.mine(nodes[0]).unwrap().position;
    let start = simulation.now();
    let others = nodes[1..].iter();
    // Each is waited for from the start on, whoever comes first.
    let mut arrivals = vec![None; others.len()];
    while arrivals.contains(&None) {
        assert!(simulation.step());
        for (arrival, node) in arrivals.iter_mut().zip(&nodes[1..]) {
            if arrival.is_none() && simulation.chain(*node).unwrap().len() == len {
                *arrival = Some(simulation.now() - start);
            }
        }
    }
    arrivals.into_iter().flatten().collect()
}

/// A second for a megabyte, but for what the message is besides.
fn is_about(found: Duration, expected: Duration) -> bool {
    found >= expected && found - expected < millis(2)
}

/// Who told of the block is a peer no more: nobody is left out of the telling, though one is who told of it.
#[test]
fn a_block_comes_after_its_sender_has_left() {
    for (nodes, messages) in [(2, 1), (3, 2)] {
        let simulation = network(nodes, Relay::Push);
        simulation.join(&Topology::Line).unwrap();
        let [miner, other] = [0, 1].map(NodeId::new);
        simulation.mine(miner).unwrap();
        simulation.disconnect(miner, other).unwrap();
        simulation.run_for(Duration::from_secs(5));
        assert_eq!(simulation.report().messages.sent, messages);
        assert!(simulation.nodes().iter().all(|node| simulation.chain(*node).unwrap().len() == 2));
    }
}

#[test]
fn a_node_sends_a_block_to_one_peer_after_the_other() {
    let simulation = network(4, Relay::Push);
    simulation.join(&Topology::Star).unwrap();
    simulation.set_bandwidth(NodeId::new(0), Bandwidth::new(MEGABYTE, MEGABYTE).unwrap()).unwrap();
    let found = arrivals(&simulation);
    for (found, seconds) in found.iter().zip(1..) {
        assert!(is_about(*found, Duration::from_secs(seconds) + millis(100)), "{found:?}");
    }
}

#[test]
fn a_node_takes_in_a_block_while_it_is_sent_at_the_slower_s_pace() {
    for (upload, download, seconds) in [(1, 4, 1), (4, 1, 1), (1, 1, 1)] {
        let simulation = network(2, Relay::Push);
        simulation.connect(NodeId::new(0), NodeId::new(1)).unwrap();
        simulation.set_bandwidth(NodeId::new(0), Bandwidth::new(upload * MEGABYTE, 1).unwrap()).unwrap();
        simulation.set_bandwidth(NodeId::new(1), Bandwidth::new(1, download * MEGABYTE).unwrap()).unwrap();
        let found = arrivals(&simulation);
        assert!(is_about(found[0], Duration::from_secs(seconds) + millis(100)), "{found:?}");
    }
}

#[test]
fn a_block_is_looked_at_in_proportion_to_its_bytes() {
    let simulation = network(3, Relay::Push);
    simulation.join(&Topology::Line).unwrap();
    simulation.set_block_cost(BlockCost { bytes: Some(MEGABYTE / 2), validation: millis(80) });
    assert_eq!(arrivals(&simulation), [millis(140), millis(280)]);
    // By its own bytes it is looked at sooner.
    simulation.set_block_cost(BlockCost { bytes: None, validation: millis(80) });
    let found = arrivals(&simulation)[0];
    assert!(found > millis(100) && found < millis(101), "{found:?}");
}

#[test]
fn an_announced_block_comes_after_a_question_and_to_each_once() {
    for (relay, trips, copies) in [
        (Relay::Push, 1, 5 * 4 + 5),
        (Relay::Announce, 3, 5),
        (Relay::Compact { fallback_percent: 100 }, 3, 5),
    ] {
        let simulation = network(6, relay);
        simulation.join(&Topology::Complete).unwrap();
        assert_eq!(arrivals(&simulation), [millis(100 * trips); 5], "{relay}");
        simulation.run_for(Duration::from_secs(60));
        let bytes = simulation.report().messages.kinds[&MessageKind::Blocks].bytes;
        let of_compact = if let Relay::Compact { .. } = relay { 25 * MEGABYTE / 64 } else { 0 };
        assert_eq!((bytes - of_compact) / MEGABYTE, copies, "{relay}");
    }
}

#[test]
fn a_compact_block_comes_at_once_and_costs_a_64th() {
    let simulation = network(2, Relay::Compact { fallback_percent: 0 });
    simulation.connect(NodeId::new(0), NodeId::new(1)).unwrap();
    simulation.set_bandwidth(NodeId::new(0), Bandwidth::new(MEGABYTE, MEGABYTE).unwrap()).unwrap();
    let found = arrivals(&simulation);
    assert!(is_about(found[0], millis(100) + Duration::from_micros(15_625)), "{found:?}");
}

#[test]
fn nodes_in_regions_have_their_latencies_and_bandwidths() {
    let simulation = network(40, Relay::Push);
    let regions = Regions::of_2019();
    simulation.set_regions(Some(regions.clone()));
    let place = |node: NodeId| {
        let region = simulation.region(node).unwrap().unwrap();
        regions.iter().position(|other| *other == region).unwrap()
    };
    let [one, other] = [0, 39].map(NodeId::new);
    simulation.connect(one, other).unwrap();
    simulation.mine(one).unwrap();
    let start = simulation.now();
    let came = simulation.wait_until(other, Duration::from_secs(60), |chain| chain.len() == 2);
    assert!(came.is_ok());
    let [from, to] = [one, other].map(|node| simulation.region(node).unwrap().unwrap().bandwidth);
    let slower = from.upload().unwrap().min(to.download().unwrap());
    let link = Link::default().with_latency(regions.latency(place(one), place(other)).unwrap());
    let expected = Duration::from_secs_f64(MEGABYTE as f64 / slower as f64);
    // The latency of the regions is fixed: a network of this one link has it.
    let alone = network(2, Relay::Push);
    alone.set_default_link(link);
    alone.connect(NodeId::new(0), NodeId::new(1)).unwrap();
    let latency = arrivals(&alone)[0];
    assert!(is_about(simulation.now() - start, latency + expected), "{latency:?} {expected:?}");
}

#[test]
fn bandwidths_and_regions_that_are_taken_away_leave_nothing() {
    let simulation = network(2, Relay::Push);
    simulation.connect(NodeId::new(0), NodeId::new(1)).unwrap();
    simulation.set_regions(Some(Regions::of_2019()));
    simulation.set_bandwidth(NodeId::new(0), Bandwidth::new(1, 1).unwrap()).unwrap();
    simulation.set_regions(None);
    simulation.set_bandwidth(NodeId::new(0), Bandwidth::default()).unwrap();
    assert_eq!(arrivals(&simulation), [millis(100)]);
    assert!(simulation.now() > Time::UNIX_EPOCH);
}

#[test]
fn over_a_link_one_way_blocks_go_one_way() {
    let simulation = network(3, Relay::Announce);
    simulation.join(&Topology::OneWay(vec![(0, 1), (1, 2)])).unwrap();
    assert_eq!(arrivals(&simulation), [millis(300), millis(600)]);
    let last = NodeId::new(2);
    simulation.mine(last).unwrap();
    simulation.run_for(Duration::from_secs(60));
    assert_eq!(simulation.chain(NodeId::new(0)).unwrap().len(), 2);
    assert_eq!(simulation.peers(last).unwrap(), []);
}
