//! Blocks that nodes ask for without a message come as if each question and each answer were one.

use super::*;

/// A run of few nodes in which announced blocks meet each other, and whatever else is done, all drawn from a seed: what
/// happens, and what becomes of messages.
fn run(seed: u64, skips: bool) -> Vec<String> {
    let draw = |of: u64, count: usize| (Key::new(seed).and(of).uniform() * count as f64) as usize;
    let interval = [0.2, 1.0, 3.0, 60.0][draw(1, 4)];
    let simulation = network_with(Relay::Announce, 4 + draw(2, 12) as u32, interval, skips);
    let bytes = [1_400, 100_000, 1_000_000][draw(3, 3)];
    let validation = Duration::from_millis([0, 0, 70][draw(4, 3)]);
    simulation.set_block_cost(BlockCost { bytes: Some(bytes), validation });
    let resolve_timeout = Duration::from_millis([0, 400, 1000, 3000, 60_000][draw(5, 5)]);
    let limits = Limits { resolve_timeout, side_branches: 1 + draw(6, 3), ..Limits::default() };
    simulation.set_limits(limits);
    let events = simulation.events();
    for node in simulation.nodes() {
        let upload = [500_000, 2_000_000, 20_000_000][draw(100 + node.index() as u64, 3)];
        simulation.set_bandwidth(node, Bandwidth::new(upload, 2 * upload).unwrap()).unwrap();
        // Limits are those of nodes that begin after they are set.
        simulation.crash(node).unwrap();
        simulation.restart(node, RestartFrom::Chain).unwrap();
        simulation.start_mining(node, HashRate::per_second(1e6).unwrap()).unwrap();
    }
    // Much comes at one moment, and at that when others are asked.
    if draw(7, 2) == 0 {
        for one in simulation.nodes() {
            for other in simulation.peers(one).unwrap() {
                let hops = 1 + draw(10_000 + 100 * one.index() as u64 + other.index() as u64, 5);
                let latency = Latency::fixed(Duration::from_millis(50 * hops as u64));
                simulation.set_link(one, other, Link::default().with_latency(latency)).unwrap();
            }
            simulation.set_bandwidth(one, Bandwidth::default()).unwrap();
        }
    }
    let nodes = simulation.nodes().len();
    let mut seen = Vec::new();
    for step in 0..40 {
        let draw = |of: u64, count: usize| draw(1000 + 10 * step + of, count);
        let [one, other] = [1, 2].map(|of| NodeId::new(draw(of, nodes) as u32));
        match draw(3, 12) {
            0..7 => drop(simulation.run_blocks(1)),
            7..9 => simulation.run_for(Duration::from_millis(draw(4, 700) as u64)),
            9 => drop(simulation.resolve(one)),
            10 => simulation.submit(one, crate::Transaction::new("alice", "bob", 1)).map_or((), drop),
            _ => {
                match draw(5, 4) {
                    0 => simulation.crash(one).unwrap(),
                    1 => simulation.pause(one).unwrap(),
                    2 => simulation.hold(one, other).unwrap(),
                    _ => simulation.partition([[one]]).unwrap(),
                }
                simulation.run_for(Duration::from_millis(draw(6, 500) as u64));
                simulation.heal();
                simulation.release(one, other);
                let _ = simulation.resume(one);
                let _ = simulation.restart(one, RestartFrom::Chain);
                let _ = simulation.start_mining(one, HashRate::per_second(1e6).unwrap());
            }
        }
        seen.extend(std::iter::from_fn(|| events.try_next()).map(|event| format!("{event:?}")));
        seen.push(format!("{} {:?}", simulation.now(), simulation.report().messages));
    }
    seen
}

#[test]
fn what_nodes_ask_and_are_sent_without_messages_does_not_matter() {
    for seed in 0..150 {
        let [skipping, full] = [true, false].map(|skips| run(seed, skips));
        let differs = skipping.iter().zip(&full).position(|(skipping, full)| skipping != full);
        let shown = differs.map(|place| (place, &skipping[place], &full[place]));
        assert_eq!(shown, None, "seed {seed}");
        assert_eq!(skipping.len(), full.len(), "seed {seed}");
    }
}
