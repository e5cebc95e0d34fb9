//! What a block costs on its way from thread to thread: it never comes sooner than its bytes, its links and whoever looks at
//! it allow. How much later it comes is the machine's affair.

use std::time::{Duration, Instant};

use chainlab::{
    Limits, Network, NodeId, Relay, Rules,
    network::Config,
    pow::Target,
    wire::{Bandwidth, BlockCost, Latency, Link, Regions, Topology},
};

/// Longer than anything takes on whatever machine.
const PATIENCE: Duration = Duration::from_secs(60);
const MEGABYTE: u64 = 1_000_000;

/// Three nodes that all know each other, with blocks of a megabyte, told of in a way.
fn network(relay: Relay, setting: impl FnOnce(&Network)) -> Network {
    let limits = Limits { resolve_timeout: PATIENCE, ..Limits::default() };
    let rules = Rules { relay, ..Rules::bitcoin().with_first_target(Target::EASIEST) };
    let network = Network::with_config(rules, Config { limits, seed: 7, ..Config::default() });
    for _ in 0..3 {
        network.spawn().unwrap();
    }
    network.set_block_cost(BlockCost { bytes: Some(MEGABYTE), validation: Duration::ZERO });
    setting(&network);
    network.join(&Topology::Complete).unwrap();
    network
}

/// Has the first node find a block, and returns after what time all have it.
#[expect(clippy::disallowed_methods, reason = "what threads take is held against a clock")]
fn spread(network: &Network) -> Duration {
    // From before it is found: nothing can have come sooner.
    let start = Instant::now();
    let found = network.mine(NodeId::new(0)).unwrap().position;
    for node in network.nodes() {
        let _ = network.wait_until(node, PATIENCE, |chain| chain.len() == found).unwrap();
    }
    start.elapsed()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_node_sends_a_block_to_one_peer_after_the_other() {
    // Half a second for each peer; either may have it from the other, which takes half a second as well.
    let upload = |network: &Network| {
        for node in network.nodes() {
            network.set_bandwidth(node, Bandwidth::new(2 * MEGABYTE, 100 * MEGABYTE).unwrap()).unwrap();
        }
    };
    for relay in [Relay::Push, Relay::Announce] {
        assert!(spread(&network(relay, upload)) >= millis(1000), "{relay}");
    }
    // Its short ids are a 64th of it.
    let slower = |network: &Network| {
        for node in network.nodes() {
            network.set_bandwidth(node, Bandwidth::new(MEGABYTE / 20, 100 * MEGABYTE).unwrap()).unwrap();
        }
    };
    let compact = Relay::Compact { fallback_percent: 0 };
    assert!(spread(&network(compact, slower)) >= millis(2 * 20_000 / 64));
}

#[test]
fn a_link_sends_a_block_at_its_own_pace() {
    let narrow = |network: &Network| {
        network.set_default_link(Link::default().with_bandwidth(2 * MEGABYTE).unwrap());
    };
    assert!(spread(&network(Relay::Push, narrow)) >= millis(500));
}

#[test]
fn a_block_is_looked_at_before_it_is_taken_on() {
    let slow = |network: &Network| {
        network.set_block_cost(BlockCost { bytes: Some(MEGABYTE), validation: millis(300) });
    };
    assert!(spread(&network(Relay::Push, slow)) >= millis(300));
}

#[test]
fn an_announced_block_takes_three_messages() {
    let far = |network: &Network| {
        network.set_default_link(Link::default().with_latency(Latency::fixed(millis(100))));
    };
    assert!(spread(&network(Relay::Announce, far)) >= millis(300));
    assert!(spread(&network(Relay::Push, far)) >= millis(100));
}

/// The fastest line sends 20.7 megabits a second, and the shortest way takes 11 ms.
#[test]
fn nodes_in_regions_are_as_slow_and_as_far_from_each_other_as_these() {
    let in_regions = |network: &Network| network.set_regions(Some(Regions::of_2019()));
    assert!(spread(&network(Relay::Push, in_regions)) >= millis(2 * 386 + 11));
}
