//! What is left out does not matter where much comes at one moment.

use super::*;

/// All links take the same time, so that much comes at one moment, while nodes begin and cease to notice repeats.
#[test]
fn what_is_skipped_does_not_matter_among_ties() {
    for (relay, seconds, nodes, interval, blocks) in [
        (Relay::Push, 10, 9, 600.0, 1500),
        (Relay::Push, 10, 9, 20.0, 1500),
        (Relay::Push, 10, 9, 4.0, 300),
        (Relay::Push, 10, 3, 1.0, 300),
        (Relay::Announce, 10, 9, 20.0, 500),
        (Relay::Announce, 0, 9, 0.1, 500),
        (Relay::Announce, 0, 9, 0.02, 500),
    ] {
        let [skipping, full] = [true, false].map(|skips| {
            let simulation = network_with(relay, nodes, interval, skips);
            simulation.join(&Topology::Complete).unwrap();
            let link = Link::default().with_latency(Latency::fixed(Duration::from_secs(seconds)));
            for (one, other) in Topology::Complete.edges(nodes as usize, 1).unwrap() {
                simulation.set_link(one, other, link).unwrap();
                simulation.set_link(other, one, link).unwrap();
            }
            outcome(&simulation, interval, blocks, |_| {})
        });
        // The reports are too long to be shown.
        assert!(skipping == full, "{relay}, {seconds} s, {nodes} nodes, {interval} s");
    }
}

/// All links take nearly the same time, so that much of what comes in one bucket of the queue is a repeat of something else
/// there, and is left out when that is opened: it counts when that something is in vain, or its link changes.
#[test]
fn what_is_skipped_does_not_matter_among_near_ties() {
    for (relay, seed) in
        [Relay::Push, Relay::Announce].into_iter().flat_map(|relay| (0..8).map(move |seed| (relay, seed)))
    {
        let (nodes, interval) = (30, [20.0, 1.0, 0.2, 0.03][seed as usize % 4]);
        let run = |skips| {
            let simulation = network_with(relay, nodes, interval, skips);
            let topology = Topology::Random { links: 8 };
            for (one, other) in topology.edges(nodes as usize, 1).unwrap() {
                let key = Key::new(seed).and((one.index() as u64) << 32 | other.index() as u64);
                let nanos = 50_000_000 + (key.uniform() * 2e5) as u64;
                let link = Link::default().with_latency(Latency::fixed(Duration::from_nanos(nanos)));
                simulation.set_link(one, other, link).unwrap();
                simulation.set_link(other, one, link).unwrap();
            }
            let one = NodeId::new(1);
            outcome(&simulation, interval, 100, |simulation| {
                if seed >= 4 {
                    simulation.crash(one).unwrap();
                    simulation.restart(one, RestartFrom::Genesis).unwrap();
                    simulation.run_for(Duration::from_micros(50_150));
                    let link = Link::default().with_latency(Latency::fixed(Duration::from_millis(60)));
                    simulation.set_link(NodeId::new(0), one, link).unwrap();
                }
            })
        };
        let [skipping, full] = [true, false].map(run);
        // The reports are too long to be shown.
        assert!(skipping == full, "{relay}, seed {seed}");
    }
}

/// All links take the same time, so that what is done is done while some of what comes at that moment has come and some has
/// not, or when all has.
#[test]
fn what_is_skipped_does_not_matter_to_what_is_done_among_ties() {
    const HOP: Duration = Duration::from_millis(50);
    // Not all know each other.
    const NODES: u32 = 24;
    let run = |relay, skips, seed: u64| {
        let interval = if seed.is_multiple_of(2) { 0.4 } else { 30.0 };
        let simulation = network_with(relay, NODES, interval, skips);
        let validation = if seed.is_multiple_of(3) { HOP } else { Duration::ZERO };
        simulation.set_block_cost(BlockCost { bytes: Some(1_000_000), validation });
        // Where lines are slow what a node says waits for a block that it sends.
        let bandwidth = match seed % 4 == 3 {
            true => Bandwidth::new(2_000_000, 10_000_000).unwrap(),
            false => Bandwidth::default(),
        };
        for node in simulation.nodes() {
            simulation.set_bandwidth(node, bandwidth).unwrap();
        }
        simulation.set_default_link(Link::default().with_latency(Latency::fixed(HOP)));
        let topology = Topology::Random { links: 8 };
        for (one, other) in topology.edges(NODES as usize, 1).unwrap() {
            for (from, to) in [(one, other), (other, one)] {
                simulation.set_link(from, to, Link::default().with_latency(Latency::fixed(HOP))).unwrap();
            }
        }
        let mut seen = Vec::new();
        for act in 0..40_u64 {
            let draw = |of: u64, most: u64| (Key::new(seed).and(act).and(of).uniform() * most as f64) as u64;
            let node = |of| NodeId::new(draw(of, NODES.into()) as u32);
            simulation.run_blocks(1);
            if draw(1, 2) == 0 {
                simulation.run_for(HOP * draw(2, 9) as u32);
            } else {
                let length = |simulation: &Simulation| simulation.chain(node(3)).unwrap().len();
                let before = length(&simulation);
                assert!(simulation.run_until_true(|simulation| length(simulation) > before));
            }
            seen.push(format!("{:?} {:?}", simulation.now(), simulation.report().messages));
            let (one, other) = (node(4), node(5));
            match draw(6, 6) {
                0 => simulation.crash(one).unwrap(),
                1 => simulation.partition([[one]]).unwrap(),
                2 => simulation.pause(one).unwrap(),
                3 => simulation.hold(other, one).unwrap(),
                4 => simulation.set_link(one, other, Link::default()).unwrap(),
                _ => drop(simulation.resolve(one)),
            }
            simulation.run_for(HOP * draw(7, 3) as u32);
            simulation.heal();
            let _ = simulation.restart(one, RestartFrom::Chain);
            let _ = simulation.resume(one);
            simulation.release(other, one);
            simulation.set_link(one, other, Link::default().with_latency(Latency::fixed(HOP))).unwrap();
            let _ = simulation.start_mining(one, HashRate::per_second(1e6).unwrap());
        }
        seen
    };
    for (relay, seed) in
        [Relay::Push, Relay::Announce].into_iter().flat_map(|relay| (0..30).map(move |seed| (relay, seed)))
    {
        let [skipping, full] = [true, false].map(|skips| run(relay, skips, seed));
        let differs = skipping.iter().zip(&full).position(|(skipping, full)| skipping != full);
        let shown = differs.map(|act| (act, &skipping[act], &full[act]));
        assert_eq!(shown, None, "{relay}, seed {seed}");
    }
}
