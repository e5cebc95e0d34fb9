//! What is left out does not matter: whole runs, with and without it.

mod bounds;
mod downloads;
mod races;
mod ties;

use std::time::Duration;

use super::Simulation;
use crate::{
    Difficulty, Genesis, Limits, NodeId, Relay, Report, Rules, Time,
    pow::Target,
    report::Messages,
    strategy::{Behaviour, DoubleSpend, Eclipse, Strategy, Stubborn},
    verbs::{HashRate, Identity, RestartFrom},
    wire::{Bandwidth, BlockCost, Key, Latency, Link, Topology, Verdict},
};

/// Nodes that open eight links each, of 50 to 150 ms, and mine all alike; a block in so many seconds.
fn network(nodes: u32, interval: f64, skips: bool) -> Simulation {
    network_with(Relay::Push, nodes, interval, skips)
}

/// As well, with another relay; where blocks are announced they take their time to be sent.
fn network_with(relay: Relay, nodes: u32, interval: f64, skips: bool) -> Simulation {
    network_of(&vec![Strategy::Honest; nodes as usize], relay, interval, skips)
}

/// As well, of nodes with these strategies.
fn network_of(strategies: &[Strategy], relay: Relay, interval: f64, skips: bool) -> Simulation {
    let nodes = strategies.len() as u32;
    let rate = 1000;
    let target = Target::from_expected_hashes((interval * 1000.0 * f64::from(rate * nodes)) as u128);
    let rules = Rules {
        difficulty: Difficulty::Fixed(target),
        genesis: Genesis::Shared {
            time: Some(Time::from_secs(1_000_000)),
            allocations: [("alice".into(), 9)].into(),
        },
        relay,
        ..Rules::bitcoin()
    };
    let simulation = Simulation::new(rules, 1);
    simulation.driver.world.borrow_mut().around.skips = skips;
    // Where blocks come fast there are more branches than that.
    simulation.set_limits(Limits { side_branches: 2, ..Limits::default() });
    for strategy in strategies {
        let behaviour = Behaviour { strategy: strategy.clone(), ..Behaviour::default() };
        simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
    }
    let topology = Topology::Random { links: 8 };
    simulation.join(&topology).unwrap();
    for (a, b) in topology.edges(nodes as usize, 1).unwrap() {
        let key = Key::new(7).and((a.index() as u64) << 32 | b.index() as u64);
        let latency = Latency::fixed(Duration::from_nanos(50_000_000 + (key.uniform() * 1e8) as u64));
        let link = Link::default().with_latency(latency);
        simulation.set_link(a, b, link).unwrap();
        simulation.set_link(b, a, link).unwrap();
    }
    if relay == Relay::Announce {
        simulation.set_block_cost(BlockCost { bytes: Some(100_000), ..BlockCost::default() });
        for node in simulation.nodes() {
            simulation.set_bandwidth(node, Bandwidth::new(20_000_000, 10_000_000).unwrap()).unwrap();
        }
    }
    for node in simulation.nodes() {
        simulation.start_mining(node, HashRate::per_second(1e3 * f64::from(rate)).unwrap()).unwrap();
    }
    simulation
}

/// What a run came to, in every figure.
fn outcome(simulation: &Simulation, interval: f64, blocks: u64, act: impl Fn(&Simulation)) -> String {
    // How much was replayed is all that may differ.
    let report = || serde_json::to_string(&Report { replayed: 0, ..simulation.report() }).unwrap();
    simulation.run_blocks(blocks / 2);
    act(simulation);
    simulation.run_blocks(blocks - blocks / 2);
    let at_a_proof = report();
    simulation.run_for(Duration::from_millis(73));
    let under_way = report();
    act(simulation);
    simulation.run_for(Duration::from_secs_f64(3.0 * interval));
    let tips =
        simulation.nodes().into_iter().map(|node| simulation.chain(node).unwrap().tip_hash().to_string());
    format!("{at_a_proof}\n{under_way}\n{}\n{}", report(), tips.collect::<String>())
}

#[test]
fn what_is_skipped_does_not_matter() {
    let one = NodeId::new(1);
    let acts: [&dyn Fn(&Simulation); 10] = [
        &|_| {},
        &|simulation| {
            let cost = BlockCost { bytes: Some(500_000), validation: Duration::from_millis(100) };
            simulation.set_block_cost(cost);
        },
        &|simulation| {
            simulation.crash(one).unwrap();
            simulation.run_for(Duration::from_millis(40));
            simulation.restart(one, RestartFrom::Chain).unwrap();
        },
        &|simulation| {
            simulation.crash(one).unwrap();
            simulation.restart(one, RestartFrom::Genesis).unwrap();
        },
        &|simulation| {
            for node in simulation.nodes() {
                simulation.crash(node).unwrap();
                simulation.restart(node, RestartFrom::Chain).unwrap();
                simulation.run_for(Duration::from_millis(430));
            }
        },
        &|simulation| {
            simulation.pause(one).unwrap();
            simulation.run_for(Duration::from_millis(400));
            simulation.resume(one).unwrap();
        },
        &|simulation| {
            simulation.partition([[one, NodeId::new(0)]]).unwrap();
            simulation.run_for(Duration::from_secs(2));
            simulation.heal();
        },
        &|simulation| {
            simulation.hold(NodeId::new(0), one).unwrap();
            simulation.run_for(Duration::from_secs(1));
            simulation.release(NodeId::new(0), one);
            let slow = Link::default().with_latency(Latency::fixed(Duration::from_secs(3)));
            simulation.set_link(one, NodeId::new(0), slow).unwrap();
            simulation.run_for(Duration::from_secs(1));
            simulation.set_link(one, NodeId::new(0), Link::default()).unwrap();
        },
        &|simulation| {
            let payment = crate::Transaction::new("alice", "bob", 1);
            simulation.submit(one, payment).unwrap();
            simulation.set_link(one, NodeId::new(0), Link::default().with_loss(0.5).unwrap()).unwrap();
        },
        &|simulation| {
            let mut judged = 0;
            simulation.set_judge(move |_, to, _| {
                judged += 1;
                match judged % 5 {
                    0 if to == one => Verdict::Drop,
                    1 => Verdict::Delay(Duration::from_millis(judged % 300)),
                    _ => Verdict::Pass,
                }
            });
        },
    ];
    let sizes =
        [(2, 600.0, 9), (30, 600.0, 20), (30, 2.0, 50), (30, 0.3, 200), (20, 0.05, 300), (9, 0.02, 2000)];
    for (relay, (nodes, interval, blocks)) in
        [Relay::Push, Relay::Announce].into_iter().flat_map(|relay| sizes.map(|size| (relay, size)))
    {
        for (number, act) in acts.iter().enumerate() {
            let [skipping, full] = [true, false]
                .map(|skips| outcome(&network_with(relay, nodes, interval, skips), interval, blocks, act));
            // The reports are too long to be shown.
            assert!(skipping == full, "{relay}, act {number}, {nodes} nodes, {interval} s");
        }
    }
}

/// Links are looked at in parts.
#[test]
fn what_is_skipped_does_not_matter_among_nodes_of_many_links() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = network(150, 20.0, skips);
        simulation.join(&Topology::Complete).unwrap();
        simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(90))));
        outcome(&simulation, 20.0, 20, |_| {})
    });
    // The reports are too long to be shown.
    assert!(skipping == full);
}

/// What an attacker makes of a repeat is its own affair.
#[test]
fn what_is_skipped_does_not_matter_to_attackers() {
    let eclipse = |victim, feeds| Strategy::Eclipse(Eclipse { victim: NodeId::new(victim), feeds });
    let stubborn = Stubborn { lead: true, equal_fork: true, trail: 1 };
    let attackers = [
        Strategy::Selfish,
        Strategy::Stubborn(stubborn),
        eclipse(2, true),
        eclipse(2, false),
        eclipse(5, true),
    ];
    for (relay, attacker) in [Relay::Push, Relay::Announce]
        .into_iter()
        .flat_map(|relay| attackers.each_ref().map(|it| (relay, it)))
    {
        for (nodes, interval, blocks) in [(4, 20.0, 100), (30, 20.0, 60), (30, 2.0, 100)] {
            let mut strategies = vec![Strategy::Honest; nodes];
            strategies[1] = attacker.clone();
            let [skipping, full] = [true, false].map(|skips| {
                let simulation = network_of(&strategies, relay, interval, skips);
                // The attacker is a peer of all, and so of its victim.
                for other in simulation.nodes() {
                    if other != NodeId::new(1) {
                        simulation.connect(NodeId::new(1), other).unwrap();
                    }
                }
                outcome(&simulation, interval, blocks, |_| {})
            });
            // The reports are too long to be shown.
            assert!(skipping == full, "{relay}, {attacker:?}, {nodes} nodes, {interval} s");
        }
    }
}

/// Every message is seen, when it is sent and when it comes.
#[test]
fn what_is_traced_is_not_skipped() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = network(9, 2.0, skips);
        simulation.run_blocks(20);
        simulation.set_tracing(true);
        let events = simulation.events();
        simulation.run_blocks(20);
        events.map(|event| format!("{event:?}\n")).collect::<String>()
    });
    assert!(full.lines().count() > 20 * 8 * 7, "{}", full.lines().count());
    // The events are too many to be shown.
    assert!(skipping == full);
}

/// Where nothing happens any more time ends with the last message, whether or not it matters.
#[test]
fn time_ends_with_the_last_message() {
    for relay in [Relay::Push, Relay::Announce] {
        let [skipping, full] = [true, false].map(|skips| {
            let simulation = network_with(relay, 9, 2.0, skips);
            let ends = |steps: &dyn Fn(&Simulation)| {
                steps(&simulation);
                let Messages { sent, delivered, .. } = simulation.report().messages;
                assert_eq!(sent, delivered);
                simulation.now()
            };
            [
                ends(&|simulation| {
                    simulation.run_blocks(1);
                    simulation.nodes().into_iter().for_each(|node| simulation.stop_mining(node).unwrap());
                    while simulation.step() {}
                }),
                ends(&|simulation| {
                    simulation.mine(NodeId::new(0)).unwrap();
                    assert!(!simulation.run_blocks(1));
                }),
                ends(&|simulation| {
                    simulation.mine(NodeId::new(1)).unwrap();
                    assert!(!simulation.run_until_true(|_| false));
                }),
            ]
        });
        assert_eq!(skipping, full, "{relay}");
    }
}

/// Whoever tells a node of a block over a link one way is no peer that it could ask.
#[test]
fn what_is_skipped_does_not_matter_over_links_one_way() {
    for relay in [Relay::Push, Relay::Announce] {
        let [skipping, full] = [true, false].map(|skips| {
            let simulation = network_with(relay, 30, 20.0, skips);
            for number in 0..30 {
                let [teller, told, other] =
                    [number, (number * 7 + 5) % 30, (number * 11 + 6) % 30].map(NodeId::new);
                // Some are strangers to each other.
                let _ = simulation.disconnect(other, told);
                for from in [teller, other] {
                    if from != told {
                        simulation.register(from, [told]).unwrap();
                    }
                }
            }
            simulation
                .set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(90))));
            outcome(&simulation, 20.0, 60, |_| {})
        });
        // The reports are too long to be shown.
        assert!(skipping == full, "{relay}");
    }
}

/// So many tell a node of the block that it waits for that it asks another.
#[test]
fn what_is_skipped_does_not_matter_among_many_peers() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = network_with(Relay::Announce, 80, 20.0, skips);
        simulation.join(&Topology::Complete).unwrap();
        let all_alike = Link::default().with_latency(Latency::fixed(Duration::from_millis(20)));
        simulation.set_default_link(all_alike);
        let outcome = outcome(&simulation, 20.0, 20, |_| {});
        let report = simulation.report();
        let blocks = 79 * report.mined;
        // Each of them is told of by 78 others, and takes a question and an answer.
        assert!(report.messages.sent > blocks * (78 + 2) + blocks / 10, "{blocks} blocks, {report:?}");
        outcome
    });
    // The reports are too long to be shown.
    assert!(skipping == full);
}

/// A sample is taken with all that is under way.
#[test]
fn what_is_replayed_does_not_matter_to_samples() {
    let [(replaying, replayed), (carrying, _)] = [true, false].map(|replays| {
        let simulation = network(9, 2.0, true);
        simulation.set_replays(replays);
        simulation.take_samples();
        assert!(simulation.run_blocks(2000));
        (format!("{:?}", simulation.samples()), simulation.report().replayed)
    });
    assert!(replaying == carrying, "{replayed} were replayed");
    assert!(replayed > 500, "{replayed} were replayed");
}

#[test]
fn where_nothing_happens_a_run_ends_however_far_it_is_to_go() {
    let simulation = network(2, 600.0, true);
    simulation.run_blocks(1);
    for node in simulation.nodes() {
        simulation.crash(node).unwrap();
    }
    assert!(!simulation.run_blocks(u64::MAX));
    assert!(!simulation.run_to_position(u64::MAX));
    simulation.run_for(Duration::MAX);
    assert_eq!(simulation.now(), Time::MAX);
}

/// Nothing is left of a command that was given up in a pause, though the node never goes on.
#[test]
fn what_was_given_up_ends_in_a_crash() {
    let simulation = network(2, 1e9, true);
    let node = NodeId::new(0);
    simulation
        .at(simulation.now() + Duration::from_secs(1), move |simulation| simulation.pause(node).unwrap());
    assert!(simulation.mine_within(node, Duration::from_secs(2)).is_err());
    let given_up = || simulation.driver.world.borrow().given_up.len();
    assert_eq!(given_up(), 1);
    simulation.crash(node).unwrap();
    assert_eq!(given_up(), 0);
}
