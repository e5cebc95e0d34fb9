//! The same network driven in the plainest way: what that comes to must be what a simulation comes to.

mod acts;
mod driver;
mod sensible;
mod setup;
mod steps;

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use self::{
    driver::Plain,
    sensible::sensible,
    setup::{NODES, Setup, setups},
    steps::{Step, steps},
};
use super::acts::address;
use crate::{
    message::NodeId,
    time::Time,
    verbs::{state::State, view::View},
    wire::{BlockCost, Latency, Link},
};

const START: Time = Time::from_secs(1_000_000);

/// The fields in which two reports differ; but how many blocks were replayed, which the plainest driver does not do.
fn differences(one: &str, other: &str) -> Vec<[String; 3]> {
    let [one, other]: [BTreeMap<String, serde_json::Value>; 2] =
        [one, other].map(|report| serde_json::from_str(report).unwrap());
    assert!(one.keys().eq(other.keys()));
    let differ = one.into_iter().filter(|(name, value)| name != "replayed" && other[name] != *value);
    differ.map(|(name, value)| [value.to_string(), other[&name].to_string(), name]).collect()
}

proptest! {
    #[test]
    fn a_simulation_does_what_the_plainest_driver_does(setup in setups(), steps in steps()) {
        both_do(&setup, steps)?;
    }
}

/// A block that its receiver looks at is under way on a link of which nothing had to be remembered before.
#[test]
fn what_is_looked_at_is_lost_by_a_partition_that_comes_and_goes() {
    let [other, miner, peer] = [0, 2, 3].map(NodeId::new);
    let cost = BlockCost { bytes: Some(1_000_000), validation: Duration::from_secs(1) };
    let cut = || [Step::Partition(miner), Step::Partition(other), Step::Pass(Duration::from_secs(9))];
    let begin = [Step::SetCost(cost), Step::Connect(peer, miner), Step::Mine(miner, 1000), Step::Find];
    let looks = [Step::Pass(Duration::from_millis(500))];
    both_do(&Setup::default(), [&begin[..], &cut()].concat()).unwrap();
    both_do(&Setup::default(), [&begin[..], &looks, &cut()].concat()).unwrap();
}

/// Just when a block has come to its link's end, the link is held: the block has been let through.
#[test]
fn what_is_looked_at_is_not_held() {
    let [miner, peer] = [0, 1].map(NodeId::new);
    let half = Duration::from_millis(500);
    let link = Link::default().with_latency(Latency::fixed(half));
    let cost = BlockCost { bytes: Some(1_000_000), validation: Duration::from_secs(1) };
    let begin = [
        Step::SetLink(miner, peer, link),
        Step::SetLink(peer, miner, link),
        Step::SetCost(cost),
        Step::Connect(peer, miner),
        Step::Mine(miner, 1000),
        Step::Find,
        Step::Pass(half),
    ];
    let held = [Step::Hold(miner, peer), Step::Pass(Duration::from_secs(9)), Step::Release(miner, peer)];
    both_do(&Setup::default(), [&begin[..], &held].concat()).unwrap();
}

/// Who has none of another's blocks to tell acknowledges what it hears from it all the same, as that may be lost.
#[test]
fn what_comes_one_way_is_acknowledged_on_the_way_back() {
    let [miner, peer] = [0, 1].map(NodeId::new);
    let loses = Link::default().with_loss(0.5).unwrap();
    let steps = [
        Step::Register(miner, peer),
        Step::SetLink(peer, miner, loses),
        Step::Mine(miner, 1000),
        Step::Find,
        Step::Pass(Duration::from_secs(300)),
    ];
    both_do(&Setup::default(), steps.to_vec()).unwrap();
}

/// A node repeats its inventories half a second later, just when what others sent at that moment comes to it.
#[test]
fn repeats_leave_no_trace_when_something_is_due_at_the_same_moment() {
    let [miner, one, two, three, four] = [0, 1, 2, 3, 4].map(NodeId::new);
    let half = Duration::from_millis(500);
    let link = Link::default().with_latency(Latency::fixed(half)).with_order(false);
    let steps = vec![
        Step::Submit(one, 1),
        Step::Connect(four, three),
        Step::SetLink(four, three, link),
        Step::Mine(miner, 1000),
        Step::Pass(Duration::from_secs(300)),
        Step::Connect(miner, two),
        Step::Connect(three, miner),
        Step::Submit(two, 1),
        Step::Connect(miner, four),
        Step::Pass(half),
    ];
    both_do(&Setup::default(), steps).unwrap();
}

/// The miner's last block comes to the first node from the third before it comes from the fourth, who told of it before, and
/// both times its parent is not known.
#[test]
fn what_comes_after_something_in_vain_comes_once() {
    let [first, miner, third, fourth] = [0, 1, 3, 4].map(NodeId::new);
    let far = Link::default().with_latency(Latency::fixed(Duration::from_millis(1250)));
    let steps = vec![
        Step::Mine(miner, 1000),
        Step::Connect(first, fourth),
        Step::Connect(first, third),
        Step::SetLink(fourth, first, far),
        Step::SetCost(BlockCost { bytes: Some(833), validation: Duration::from_secs(79) }),
        Step::Pass(Duration::from_secs(300)),
        Step::Connect(fourth, miner),
        Step::Connect(miner, third),
        Step::Pass(Duration::from_secs(4)),
    ];
    both_do(&Setup::default(), steps).unwrap();
}

/// A block is told of as a new peer's, and the next one as any, both at one moment: the receiver looks at both, and is done
/// with the first one first.
#[test]
fn what_is_looked_at_is_read_in_the_order_in_which_it_was_sent() {
    let [miner, teller, peer] = [0, 1, 2].map(NodeId::new);
    let cost = BlockCost { bytes: Some(1), validation: Duration::from_secs(1) };
    let steps = vec![
        Step::Connect(miner, teller),
        Step::Mine(miner, 1000),
        Step::Find,
        Step::Find,
        Step::SetCost(cost),
        Step::Connect(teller, peer),
        Step::Pass(Duration::from_millis(1)),
    ];
    both_do(&Setup::default(), steps).unwrap();
}

/// Does the same to two simulations, one of which is watched, and in the plainest way, and compares them after each step.
fn both_do(setup: &Setup, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let [watched, quick] = [(); 2].map(|()| setup.simulation());
    let mut plain = Plain::new(setup.clone());
    let events = watched.events();
    for _ in 0..NODES {
        setup.spawn(&watched);
        setup.spawn(&quick);
        plain.add(State::Live);
    }
    for step in sensible(steps) {
        let expected = plain.act(&step);
        for simulation in [&watched, &quick] {
            prop_assert_eq!(&step.act(setup, simulation), &expected, "{:?}", step);
            prop_assert_eq!(simulation.now(), plain.now, "{:?}", step);
            let report = serde_json::to_string(&simulation.report()).unwrap();
            let differences = differences(&report, &plain.report());
            prop_assert!(differences.is_empty(), "{:?}: {:?}", step, differences);
        }
        let happened: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
        prop_assert_eq!(happened, std::mem::take(&mut plain.events));
    }
    for simulation in [&watched, &quick] {
        for node in plain.live() {
            prop_assert_eq!(simulation.snapshot(node).unwrap(), plain.nodes[node.index()].snapshot());
        }
    }
    Ok(())
}
