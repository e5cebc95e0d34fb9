//! What is replayed where messages take time by their size, as announced blocks do: the same, once no line is busy.

use std::time::Duration;

use chainlab::{
    Limits, NodeId, Relay, Simulation,
    network::HashRate,
    wire::{Bandwidth, BlockCost, Topology},
};

use super::{
    any_run::{RATE, Run, Wire, fixed, network, seen},
    replays::{quiet_run, replayed},
};

/// What comes of a network that replays what can be replayed, and of one that carries it.
fn replaying_and_carrying<T>(run: &Run, look: impl Fn(Simulation) -> T) -> [T; 2] {
    [true, false].map(|replays| {
        let simulation = network(run);
        simulation.set_replays(replays);
        look(simulation)
    })
}

/// The first of each finder is carried, and of each size that counts, unless it is asked for once by whoever lacks it.
#[test]
fn where_messages_take_time_by_their_size_all_but_the_first_are_replayed() {
    let block_cost = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let regions = Wire { are_in_regions: true, block_cost, ..Wire::default() };
    let slow = Wire { bandwidth: Some(1_000_000), ..Wire::default() };
    let patient = Wire { patience: Some(600_000), ..regions };
    let looking = BlockCost { bytes: None, validation: Duration::from_secs(10) };
    for (name, relay, wire, least) in [
        ("announced in regions", Relay::Announce, regions, 99),
        ("announced to whoever waits for it", Relay::Announce, patient, 99),
        ("pushed in regions", Relay::Push, regions, 99),
        ("made of what is pending", Relay::Compact { fallback_percent: 0 }, regions, 99),
        ("asked for by all", Relay::Compact { fallback_percent: 100 }, regions, 99),
        ("drawn who asks", Relay::Compact { fallback_percent: 50 }, regions, 0),
        ("announced, by their own bytes", Relay::Announce, Wire::default(), 80),
        ("announced over slow links", Relay::Announce, slow, 60),
        ("looked at for longer the longer they are", Relay::Push, Wire { block_cost: looking, ..slow }, 80),
    ] {
        let run = Run { relay, wire, ..quiet_run() };
        let [replaying, carrying] = replaying_and_carrying(&run, |simulation| {
            assert!(simulation.run_blocks(100));
            (replayed(&simulation, 100), seen(&simulation, None))
        });
        assert_eq!(replaying.1, carrying.1, "{name}");
        assert!(replaying.0 >= least && (least > 0 || replaying.0 == 0), "{name}: {}", replaying.0);
    }
}

/// Nobody asks for it twice, so that how it spreads is known before the first is carried.
#[test]
fn the_first_of_each_miner_is_replayed_where_all_wait_for_what_they_asked_for() {
    let block_cost = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let [patient, impatient] = [Some(600_000), None].map(|patience| {
        let wire = Wire { are_in_regions: true, block_cost, patience, ..Wire::default() };
        let run = Run { relay: Relay::Announce, wire, ..quiet_run() };
        let [replaying, carrying] = replaying_and_carrying(&run, |simulation| {
            assert!(simulation.run_blocks(100));
            simulation
        });
        assert_eq!(seen(&replaying, None), seen(&carrying, None));
        replaying.report().replayed
    });
    assert_eq!(patient, 99, "all but the last, as where blocks are pushed");
    assert!(impatient <= 99 - 4, "{impatient}: of five miners the first was carried");
}

/// So many may tell a node of a block that it asks another, however soon the first would answer.
#[test]
fn a_node_with_too_many_peers_carries_the_first_block_of_each_miner() {
    let [few, many] = [32, 33].map(|nodes| {
        let wire = Wire { patience: Some(600_000), ..Wire::default() };
        let run = Run { nodes, relay: Relay::Announce, wire, ..quiet_run() };
        let [replaying, carrying] = replaying_and_carrying(&run, |simulation| {
            assert!(simulation.run_blocks(40));
            simulation
        });
        assert_eq!(seen(&replaying, None), seen(&carrying, None));
        replaying.report().replayed
    });
    assert_eq!(few, 39, "all but the last, as where blocks are pushed");
    assert!(many < 20, "{many}");
}

/// Whatever those wait for that are yet to come.
#[test]
fn nodes_that_ask_twice_carry_the_first_block_of_each_miner() {
    let block_cost = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let wire = Wire { are_in_regions: true, block_cost, ..Wire::default() };
    let run = Run { relay: Relay::Announce, wire, ..quiet_run() };
    let [replaying, carrying] = replaying_and_carrying(&run, |simulation| {
        simulation.set_limits(Limits { resolve_timeout: Duration::from_secs(600), ..Limits::default() });
        assert!(simulation.run_blocks(100));
        simulation
    });
    assert_eq!(seen(&replaying, None), seen(&carrying, None));
    assert!((50..=94).contains(&replaying.report().replayed), "{}", replaying.report());
}

/// Two tell a third at one moment, the first of them after the second, and it asks the first.
#[test]
fn who_tells_at_the_same_moment_is_asked_in_order() {
    let topology = Topology::Edges(vec![(0, 1), (0, 2), (1, 3), (2, 3)]);
    let wire = Wire { patience: Some(600_000), ..Wire::default() };
    let run = Run { nodes: 4, topology, relay: Relay::Announce, wire, ..quiet_run() };
    let [replaying, carrying] = replaying_and_carrying(&run, |simulation| {
        // A block takes the first of these three times to come, and the other once to be told of.
        for (one, other, millis) in [(0, 1, 20), (1, 3, 20), (0, 2, 10), (2, 3, 50)] {
            let [one, other] = [one, other].map(NodeId::new);
            simulation.set_link(one, other, fixed(millis)).unwrap();
            simulation.set_link(other, one, fixed(millis)).unwrap();
        }
        assert!(simulation.run_blocks(100));
        simulation
    });
    assert_eq!(seen(&replaying, None), seen(&carrying, None));
    assert!(replaying.report().replayed > 90);
}

/// What a link lost kept its sender's line busy, though nothing is under way: how the next block spreads then, none does
/// later.
#[test]
fn what_spreads_over_a_busy_line_is_not_replayed() {
    let megabyte = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let wire =
        Wire { upload: Some(100_000), block_cost: megabyte, patience: Some(600_000), ..Wire::default() };
    let run = Run { nodes: 4, wire, interval: 3000.0, ..quiet_run() };
    let [zero, three] = [0, 3].map(NodeId::new);
    for (seed, relay) in (0..100).flat_map(|seed| [(seed, Relay::Push), (seed, Relay::Announce)]) {
        let [replaying, carrying] =
            replaying_and_carrying(&Run { seed, relay, ..run.clone() }, |simulation| {
                for other in [1, 2, 3].map(NodeId::new) {
                    simulation.stop_mining(other).unwrap();
                    simulation.set_bandwidth(other, Bandwidth::default()).unwrap();
                }
                simulation.run_blocks(3);
                simulation.run_for(Duration::from_secs(200));
                simulation.set_link(zero, three, fixed(100).with_loss(1.0).unwrap()).unwrap();
                simulation.run_blocks(1);
                simulation.run_for(Duration::from_secs(25));
                simulation.disconnect(zero, three).unwrap();
                // At this rate it finds the next block now and then while its line is still busy.
                simulation.start_mining(zero, HashRate::per_second(2e5 * RATE as f64).unwrap()).unwrap();
                simulation.run_for(Duration::from_secs(10_000));
                simulation
            });
        assert_eq!(seen(&replaying, None), seen(&carrying, None), "seed {seed}");
        assert!(replaying.report().replayed > 10, "seed {seed}: {}", replaying.report());
    }
}

/// A message takes as long as its sender was slow when it began to send it: one that becomes slow meanwhile has not begun
/// before, while its receiver was taking in what was replayed.
#[test]
fn a_line_that_becomes_slow_does_not_reach_back() {
    let megabyte = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let wire = Wire { block_cost: megabyte, ..Wire::default() };
    for seed in 0..200 {
        let [replaying, carrying] = replaying_and_carrying(
            &Run { seed, nodes: 2, millis: 1000, interval: 60.0, wire, ..quiet_run() },
            |simulation| {
                let nodes = simulation.nodes();
                let all = |upload| {
                    let bandwidth = Bandwidth::new(upload, 100_000).unwrap();
                    nodes.iter().for_each(|node| simulation.set_bandwidth(*node, bandwidth).unwrap());
                };
                all(10_000_000);
                simulation.run_blocks(12);
                simulation.run_for(Duration::from_millis(500));
                all(1000);
                simulation.run_for(Duration::from_secs(600));
                simulation
            },
        );
        assert_eq!(seen(&replaying, None), seen(&carrying, None), "seed {seed}");
    }
}

/// However long a block took over the slow line.
#[test]
fn blocks_are_replayed_again_once_a_slow_line_is_fast() {
    let megabyte = BlockCost { bytes: Some(1_000_000), ..BlockCost::default() };
    let wire = Wire { block_cost: megabyte, ..Wire::default() };
    let simulation = network(&Run { wire, interval: 60.0, ..quiet_run() });
    assert!(replayed(&simulation, 100) > 90);
    let zero = NodeId::new(0);
    let mine = |attempts| {
        let rate = HashRate::per_second(attempts * RATE as f64).unwrap();
        simulation.nodes().into_iter().for_each(|node| simulation.start_mining(node, rate).unwrap());
    };
    simulation.set_bandwidth(zero, Bandwidth::new(1000, 1000).unwrap()).unwrap();
    mine(1.0);
    assert!(replayed(&simulation, 100) > 0);
    mine(1e-6);
    simulation.run_for(Duration::from_secs(10_000));
    simulation.set_bandwidth(zero, Bandwidth::default()).unwrap();
    mine(1e3);
    assert!(replayed(&simulation, 100) > 90);
}
