//! Races are replayed as they are carried.

use super::*;
use crate::strategy::TieBreak;

/// What a run of one miner of a strategy among honest ones comes to, with replays or without; and how many of a hundred blocks
/// were replayed.
fn run(
    (attacker, tie_break): (&Strategy, &TieBreak),
    (topology, is_even): (&Topology, bool),
    seed: u64,
    replays: bool,
) -> (String, u64) {
    const NODES: usize = 9;
    let rules = Rules { genesis: Genesis::Shared { time: None, allocations: [].into() }, ..Rules::bitcoin() };
    let simulation = Simulation::new(rules.paced_for(NODES as f64 * 1e6), seed);
    simulation.set_replays(replays);
    simulation.set_limits(Limits { side_branches: 3, ..Limits::default() });
    for node in 0..NODES {
        let strategy = if node == 4 { attacker.clone() } else { Strategy::Honest };
        let behaviour = Behaviour { strategy, tie_break: tie_break.clone() };
        let node = simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
        // The attacker finds a third of all blocks.
        let rate = if node == NodeId::new(4) { 4e6 } else { 1e6 };
        simulation.start_mining(node, HashRate::per_second(rate).unwrap()).unwrap();
    }
    simulation.join(topology).unwrap();
    for (one, other) in topology.edges(NODES, seed).unwrap() {
        let more =
            if is_even { 0 } else { u64::from(one.index() as u32 * 7 + other.index() as u32 * 31) % 50 };
        let latency = Latency::fixed(Duration::from_millis(50 + more));
        for (from, to) in [(one, other), (other, one)] {
            simulation.set_link(from, to, Link::default().with_latency(latency)).unwrap();
        }
    }
    let report = outcome(&simulation, 600.0, 400, |_| {});
    let Report { replayed, mined, .. } = simulation.report();
    (report, 100 * replayed / mined)
}

#[test]
fn races_are_replayed_as_they_are_carried() {
    let stubborn = |lead, equal_fork, trail| Strategy::Stubborn(Stubborn { lead, equal_fork, trail });
    let attackers =
        [Strategy::Selfish, stubborn(true, false, 0), stubborn(false, true, 0), stubborn(false, false, 1)];
    let tie_breaks = [TieBreak::FirstSeen, TieBreak::Random, TieBreak::LowestHash];
    let networks = [
        (Topology::Complete, true),
        (Topology::Complete, false),
        (Topology::Ring, true),
        (Topology::Random { links: 3 }, false),
    ];
    for (attacker, tie_break) in attackers.iter().flat_map(|it| tie_breaks.each_ref().map(|tie| (it, tie))) {
        for network in &networks {
            for seed in 0..2 {
                let [(replaying, share), (carrying, none)] = [true, false]
                    .map(|replays| run((attacker, tie_break), (&network.0, network.1), seed, replays));
                // The reports are too long to be shown.
                assert!(replaying == carrying, "{attacker:?}, {tie_break:?}, {network:?}, seed {seed}");
                assert_eq!(none, 0);
                // While nothing is held back a third of all blocks is found, and in a race that ends at once another.
                let is_plain = (attacker, tie_break) == (&Strategy::Selfish, &TieBreak::FirstSeen);
                assert!(
                    !is_plain || network.0 != Topology::Complete || share > 50,
                    "{share} % were replayed"
                );
            }
        }
    }
}
