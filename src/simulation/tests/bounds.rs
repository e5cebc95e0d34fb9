//! What is left out of the queue ends where it would in the queue: at the room on a link, and with time.

use super::*;
use crate::{
    simulation::{arrivals::TABLES_FETCHED_FROM, world::World},
    wire::Waiting,
};

/// One node mines, and what it says takes days to come to the other.
fn over_a_slow_link(interval: f64, skips: bool) -> Simulation {
    let simulation = network(2, interval, skips);
    simulation.stop_mining(NodeId::new(1)).unwrap();
    let slow = Link::default().with_latency(Latency::fixed(Duration::from_secs(1_000_000)));
    simulation.set_link(NodeId::new(0), NodeId::new(1), slow).unwrap();
    simulation
}

/// What does not fit onto a link is dropped, whether or not it would be put into the queue.
#[test]
fn what_is_skipped_takes_room_on_its_link() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = over_a_slow_link(1.0, skips);
        simulation.run_blocks(70_000);
        let Messages { sent, dropped, .. } = simulation.report().messages;
        (sent, dropped)
    });
    assert_eq!(skipping, full);
    assert!(full.1 > 4_000, "{full:?}");
}

/// What goes to many takes room on each link until it comes there, is lost or is let go of.
#[test]
fn what_has_come_takes_no_room() {
    let simulation = network(5, 600.0, true);
    let ends = || (0..5).flat_map(|from| (0..5).map(move |to| (NodeId::new(from), NodeId::new(to))));
    let lossy = Link::default().with_latency(Latency::fixed(Duration::from_secs(1)));
    let lossy = lossy.with_loss(0.2).unwrap();
    ends()
        .filter(|(from, to)| from != to)
        .for_each(|(from, to)| simulation.set_link(from, to, lossy).unwrap());
    let waiting = || {
        let world = simulation.driver.world.borrow();
        let waiting = ends().map(|(from, to)| world.around.traffic.links().waiting(from, to));
        waiting.filter(|waiting| *waiting != Waiting::default()).count()
    };
    let mut most = 0;
    for round in 0..40 {
        simulation.run_blocks(1);
        most = waiting().max(most);
        match round % 4 {
            0 => simulation.partition([[NodeId::new(1)]]).unwrap(),
            1 => simulation.heal(),
            2 => simulation.hold(NodeId::new(0), NodeId::new(1)).unwrap(),
            _ => simulation.release(NodeId::new(0), NodeId::new(1)),
        }
    }
    assert!(most > 0);
    simulation.nodes().into_iter().for_each(|node| simulation.stop_mining(node).unwrap());
    simulation.run_for(Duration::from_secs(86_400));
    assert_eq!(waiting(), 0);
}

/// What an attacker shows at once is too much to flow.
#[test]
fn what_is_shown_at_once_takes_room_on_its_links() {
    let spend = Strategy::DoubleSpend(DoubleSpend::new("carol", 1, 300, 100_000).unwrap());
    let [skipping, full] = [true, false].map(|skips| {
        let simulation =
            network_of(&[Strategy::Honest, spend.clone(), Strategy::Honest], Relay::Push, 600.0, skips);
        simulation.start_mining(NodeId::new(1), HashRate::per_second(1e7).unwrap()).unwrap();
        outcome(&simulation, 600.0, 3_000, |_| {})
    });
    // The reports are too long to be shown.
    assert!(skipping == full);
}

/// Others than blocks take up room, too, while blocks flow.
#[test]
fn what_flows_has_no_more_room_than_others_leave() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = over_a_slow_link(2_000.0, skips);
        simulation.run_blocks(1);
        for _ in 0..66_000 {
            simulation.resolve(NodeId::new(0)).unwrap();
        }
        simulation.run_blocks(5);
        let Messages { sent, delivered, dropped, .. } = simulation.report().messages;
        (sent, delivered, dropped)
    });
    assert_eq!(skipping, full);
    assert!(full.2 > 0, "{full:?}");
}

/// Where a message takes all the time that there is, all else goes on.
#[test]
fn what_comes_at_the_end_of_time_ends_nothing_sooner() {
    let [skipping, full] = [true, false].map(|skips| {
        let simulation = network(4, 600.0, skips);
        let never = Link::default().with_latency(Latency::fixed(Duration::MAX));
        for from in [0, 1, 2].map(NodeId::new) {
            simulation.set_link(from, NodeId::new(3), never).unwrap();
        }
        outcome(&simulation, 600.0, 20, |simulation| {
            let cost = BlockCost { validation: Duration::MAX, ..BlockCost::default() };
            simulation.set_block_cost(cost);
            simulation.run_blocks(1);
            simulation.partition([[NodeId::new(0)]]).unwrap();
            simulation.run_for(Duration::from_secs(1));
            simulation.heal();
            simulation.set_block_cost(BlockCost::default());
        })
    });
    // The reports are too long to be shown.
    assert!(skipping == full);
    for nodes in [2, 4] {
        let simulation = network(nodes, 600.0, true);
        simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::MAX)));
        for (one, other) in (Topology::Random { links: 8 }).edges(nodes as usize, 1).unwrap() {
            let never = Link::default().with_latency(Latency::fixed(Duration::MAX));
            simulation.set_link(one, other, never).unwrap();
            simulation.set_link(other, one, never).unwrap();
        }
        simulation.run_blocks(1);
        for node in simulation.nodes() {
            simulation.stop_mining(node).unwrap();
        }
        simulation.run_for(Duration::MAX);
        assert_eq!(simulation.report().messages.sent, simulation.report().messages.delivered);
    }
}

/// Who keeps few blocks beside its chain forgets one for another while others may still tell of it: it is told of that again.
#[test]
fn what_is_forgotten_is_heard_of_again() {
    for interval in [0.15, 0.3, 0.6] {
        let run = |skips, replays| {
            let simulation = network(9, interval, skips);
            simulation.set_replays(replays);
            (0..400)
                .map(|_| {
                    simulation.run_blocks(3);
                    let World { nodes, around, .. } = &mut *simulation.driver.world.borrow_mut();
                    let all = (0..9).map(NodeId::new);
                    all.map(|node| nodes.at(around, node).unwrap().remembered()).collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        };
        let full = run(false, false);
        assert!(run(true, false) == full, "skipping, {interval} s");
        assert!(run(true, true) == full, "replaying, {interval} s");
    }
}

/// Three blocks are found at once, and the next one when all have each of them, but are still told of one: whoever reorganises
/// forgets that for its own, and is told of it again.
#[test]
fn what_is_forgotten_for_a_rival_is_heard_of_again() {
    let run = |replays| {
        let simulation = network(4, 600.0, true);
        simulation.set_replays(replays);
        let mines = |node, rate| simulation.start_mining(node, HashRate::per_second(rate).unwrap()).unwrap();
        let (at_once, a_second, never) = (1e18, 2.4e9, 1e-9);
        simulation.nodes().into_iter().for_each(|node| mines(node, never));
        let [loser, forgotten, winner, slow] = [0, 1, 2, 3].map(NodeId::new);
        for (one, other, there, back) in [
            (loser, forgotten, 50, 50),
            (loser, winner, 55, 55),
            (loser, slow, 105, 150),
            (forgotten, winner, 60, 60),
            (forgotten, slow, 100, 100),
            (winner, slow, 110, 110),
        ] {
            for (from, to, millis) in [(one, other, there), (other, one, back)] {
                let latency = Latency::fixed(Duration::from_millis(millis));
                simulation.set_link(from, to, Link::default().with_latency(latency)).unwrap();
            }
        }
        let rounds = (0..400).map(|_| {
            for finder in [forgotten, winner, loser] {
                mines(finder, at_once);
                simulation.run_blocks(1);
                mines(finder, never);
            }
            simulation.run_for(Duration::from_millis(120));
            mines(winner, a_second);
            simulation.run_for(Duration::from_secs(3));
            mines(winner, never);
            simulation.run_for(Duration::from_secs(5));
            let World { nodes, around, .. } = &mut *simulation.driver.world.borrow_mut();
            let remembered = |node| nodes.at(around, node).expect("it is no puppet").remembered();
            [loser, forgotten, winner, slow].map(remembered)
        });
        rounds.collect::<Vec<_>>()
    };
    assert!(run(true) == run(false));
}

/// Of so many nodes what tables tell is fetched ahead. A puppet has its place in each of them, too.
#[test]
fn what_is_fetched_ahead_is_there() {
    for has_puppet in [false, true] {
        let [skipping, full] = [true, false].map(|skips| {
            let nodes = TABLES_FETCHED_FROM;
            let simulation = Simulation::new(Rules::bitcoin().paced_for(1000.0), 1);
            simulation.driver.world.borrow_mut().around.skips = skips;
            // Nothing is fetched for a block that is replayed.
            simulation.set_replays(false);
            let members: Vec<_> = (0..nodes).map(|_| simulation.spawn().unwrap()).collect();
            simulation.join(&Topology::Random { links: 2 }).unwrap();
            if has_puppet {
                let puppet = simulation.puppet().unwrap();
                simulation.register(members[nodes - 1], [puppet]).unwrap();
            }
            simulation.start_mining(members[0], HashRate::per_second(1000.0).unwrap()).unwrap();
            assert!(simulation.run_blocks(2));
            simulation.stop_mining(members[0]).unwrap();
            simulation.settle(Duration::from_secs(60)).unwrap();
            simulation.report()
        });
        assert_eq!(skipping, full, "{has_puppet}");
        assert_eq!(skipping.propagation.to_all.count, 2, "{has_puppet}");
    }
}
