//! What links remember, and for how long.

use super::*;
use crate::wire::{Bandwidth, Latency};

const NODES: u32 = 10_000;

/// Each node sends a message to each of the eight after it.
fn send_to_neighbours(links: &mut Links) {
    for from in 0..NODES {
        for step in 1..=8 {
            links.send(Time::default(), NodeId::new(from), NodeId::new((from + step) % NODES), 100);
        }
    }
}

fn lanes(links: &Links) -> usize {
    links.lanes.len()
}

#[test]
fn perfect_links_take_no_memory() {
    let mut links = Links::new(1);
    send_to_neighbours(&mut links);
    assert_eq!((lanes(&links), links.are_perfect()), (0, true));
    links.partition(Partition::new([[NodeId::new(NODES - 1)]]).unwrap());
    assert!(!links.are_perfect());
    send_to_neighbours(&mut links);
    links.heal();
    assert_eq!((lanes(&links), links.are_perfect()), (0, true));
    // One link that is set leaves the others of its sender free.
    links.set_link(NodeId::new(0), NodeId::new(1), Link::default().with_order(false));
    send_to_neighbours(&mut links);
    assert_eq!((lanes(&links), links.are_perfect()), (1, false));
}

#[test]
fn a_perfect_link_takes_memory_while_something_is_under_way() {
    let [a, b] = [NodeId::new(0), NodeId::new(1)];
    let mut links = Links::new(1);
    let place = links.put_on((a, b), None, 10);
    assert_eq!(links.put_on((a, b), Some(place), 20), place);
    links.take_off((a, b), place, 10);
    assert_eq!((lanes(&links), links.waiting(a, b)), (1, Waiting { messages: 1, bytes: 20 }));
    links.take_off((a, b), place, 20);
    assert_eq!(lanes(&links), 0);
    // Whatever else is sent meanwhile.
    let place = links.put_on((a, b), None, 10);
    let (fate, lane) = links.carry(Verdict::Pass, Time::from_secs(1), (a, b), links.place(a, b), 20);
    assert_eq!((fate, lane), (Fate::Deliver(Time::from_secs(1)), Some(place)));
    links.take_off((a, b), place, 10);
    assert_eq!(lanes(&links), 0);
    // And though what is spelled out has just arrived.
    let place = links.put_on((a, b), None, 10);
    links.note_arrival(a, b, Time::from_secs(1));
    links.take_off((a, b), place, 10);
    assert_eq!(lanes(&links), 0);
    // What is held is remembered.
    links.hold(a, b);
    let place = links.put_on((a, b), None, 10);
    links.take_off((a, b), place, 10);
    assert!(!links.is_reachable(a, b));
}

#[test]
fn a_link_that_becomes_perfect_keeps_order() {
    let [a, b] = [NodeId::new(0), NodeId::new(1)];
    let mut links = Links::new(1);
    links.set_default(Link::default().with_latency(Latency::fixed(Duration::from_secs(1))));
    let second = Fate::Deliver(Time::from_secs(1));
    assert_eq!(links.send(Time::default(), a, b, 100), second);
    links.set_default(Link::default());
    assert_eq!(links.send(Time::default(), a, b, 100), second);
    assert_eq!(links.send(Time::from_secs(2), a, b, 100), Fate::Deliver(Time::from_secs(2)));
}

/// Draws are counted and lines are busy, though nothing is under way any more.
#[test]
fn what_is_counted_as_under_way_changes_no_fate() {
    let [a, b] = [NodeId::new(0), NodeId::new(1)];
    let latency = Latency::uniform(Duration::ZERO, Duration::from_millis(90)).unwrap();
    let drawn = Link::default().with_latency(latency).with_loss(0.5).unwrap();
    let narrow = Link::default().with_bandwidth(1000).unwrap();
    for link in [drawn, narrow] {
        let mut all = [Links::new(1), Links::new(1)];
        all.iter_mut().for_each(|links| links.set_default(link));
        for _ in 0..20 {
            let [counting, other] = &mut all;
            let (fate, place) =
                counting.carry(Verdict::Pass, Time::default(), (a, b), counting.place(a, b), 100);
            assert_eq!(fate, other.send(Time::default(), a, b, 100));
            let place = counting.put_on((a, b), place, 100);
            counting.take_off((a, b), place, 100);
        }
    }
}

#[test]
fn links_take_memory_once_they_are_used_and_then_no_more() {
    let mut links = Links::new(1);
    let latency = Latency::uniform(Duration::from_millis(10), Duration::from_millis(90)).unwrap();
    links.set_default(Link::default().with_latency(latency).with_bandwidth(1_000_000).unwrap());
    assert_eq!(lanes(&links), 0);
    for _ in 0..3 {
        send_to_neighbours(&mut links);
        assert_eq!(lanes(&links), 80_000);
    }
    // Asking, sending across a partition and releasing what is not held make none.
    let stranger = NodeId::new(NODES + 5);
    assert!(links.is_reachable(stranger, NodeId::new(0)));
    assert_eq!(links.arrival(stranger, NodeId::new(0), Epoch::default()), Arrival::Arrived);
    assert!(!links.release(stranger, NodeId::new(0)));
    links.partition(Partition::new([[stranger]]).unwrap());
    links.send(Time::default(), stranger, NodeId::new(0), 1);
    assert_eq!(lanes(&links), 80_000);
}

#[test]
fn a_partition_cuts_what_takes_time_at_the_ends_of_perfect_links() {
    let [a, b] = [NodeId::new(0), NodeId::new(1)];
    let cost = BlockCost { bytes: None, validation: Duration::from_secs(1) };
    let slow = Bandwidth::new(1000, 1000).unwrap();
    let takes_time: [fn(&mut Links, BlockCost, Bandwidth); 2] = [
        |links, cost, _| links.set_block_cost(cost),
        |links, _, slow| links.set_bandwidth(NodeId::new(1), slow),
    ];
    for set in takes_time {
        let mut links = Links::new(1);
        set(&mut links, cost, slow);
        assert_eq!(links.send(Time::default(), a, b, 3000), Fate::Deliver(Time::default()));
        let sent = links.epoch();
        links.partition(Partition::new([[a]]).unwrap());
        links.heal();
        assert_eq!(links.arrival(a, b, sent), Arrival::Lost(MessageLoss::Partition));
    }
}

#[test]
fn holds_are_counted_once_each() {
    let [a, b] = [NodeId::new(0), NodeId::new(1)];
    let mut links = Links::new(1);
    for (from, to) in [(a, b), (a, b), (b, a)] {
        links.hold(from, to);
    }
    assert_eq!(links.held, 2);
    for (from, to) in [(a, b), (a, b), (b, a)] {
        links.release(from, to);
    }
    assert_eq!(links.held, 0, "asking for arrivals is cheap again");
}
