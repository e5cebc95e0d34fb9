//! What gossip costs: a block to a hundred nodes, a message, a partition that heals, a thousand nodes.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use chainlab::{
    BlockHash, Difficulty, Genesis, Message, MessageKind, Network, NodeId, RequestId, Rules, Transaction,
    network::Config, pow::Target, wire::Topology,
};
use criterion::{BenchmarkId, Criterion};
use crossbeam_channel::unbounded;

use crate::{in_turns, is_measured};

const PATIENCE: Duration = Duration::from_secs(60);

/// The sealed rules without work: almost every proof is met.
fn rules_without_work() -> Rules {
    Rules {
        difficulty: Difficulty::Fixed(Target::EASIEST),
        genesis: Genesis::Shared { time: None, allocations: [("alice".into(), 1)].into() },
        ..Rules::sealed()
    }
}

/// A network without work whose nodes choose so many others each.
fn network(nodes: usize, links: usize) -> Network {
    let network = Network::new(rules_without_work());
    for _ in 0..nodes {
        network.spawn().expect("a thread starts");
    }
    network.join(&Topology::Random { links }).expect("the nodes are up");
    network
}

fn mine_and_settle(network: &Network, miner: NodeId) {
    network.mine(miner).expect("almost every proof is met");
    network.settle(PATIENCE).expect("one miner makes no fork");
}

pub(crate) fn one_block_to_all(criterion: &mut Criterion) {
    let network = network(100, 4);
    let miner = network.nodes()[0];
    criterion.bench_function("gossip/one block to 100 nodes", |bencher| {
        bencher.iter(|| mine_and_settle(&network, miner));
    });
}

/// What a transaction costs that comes to 100 nodes: messages and bytes a transaction and node, and the same were each
/// told once to every peer but the one that it came from, as it was done at first.
pub(crate) fn transactions(_: &mut Criterion) {
    for (way, is_burst, most) in [("one by one", false, 20), ("as fast as they are taken", true, 500)] {
        let count = if is_measured() { most } else { 5 };
        let network = network(100, 4);
        let nodes = network.nodes();
        let payment = |nonce| Transaction::new("alice", "bob", 0).with_nonce(nonce);
        let wait = |pending: usize| {
            for &node in &nodes {
                while network.pending(node).expect("the nodes are up").len() < pending {
                    thread::yield_now();
                }
            }
        };
        let sent = |network: &Network| {
            let kinds = network.report().messages.kinds;
            kinds.get(&MessageKind::Transactions).copied().unwrap_or_default()
        };
        let start = Instant::now();
        for nonce in 0..count {
            let node = if is_burst { nodes[0] } else { nodes[nonce as usize % 100] };
            network.submit(node, payment(nonce)).expect("it is the next");
            if !is_burst {
                wait(nonce as usize + 1);
            }
        }
        wait(count as usize);
        let each = |total: u64| total as f64 / count as f64 / nodes.len() as f64;
        let elapsed = start.elapsed();
        let volume = sent(&network);
        let peers: usize =
            nodes.iter().map(|node| network.peers(*node).expect("it is no puppet").len()).sum();
        let once = (peers as u64 - (nodes.len() as u64 - 1)) * count;
        let bytes = 16 + 64 + ("alice".len() + "bob".len()) as u64;
        println!(
            "{way}: {:.2} messages and {:.0} bytes a transaction and node ({:.2} and {:.0} were each told once), {:?} a \
             transaction",
            each(volume.messages),
            each(volume.bytes),
            each(once),
            each(once * bytes),
            elapsed / count as u32
        );
    }
}

/// A block that comes to 100 nodes which know of payments, beside one that comes to as many which know of none. The
/// payments wait for one that never comes, so that no block holds them.
pub(crate) fn a_block_beside_payments(_: &mut Criterion) {
    let (payments, blocks) = if is_measured() { (8, 10) } else { (2, 1) };
    let [without, with] = [network(100, 4), network(100, 4)];
    let nodes = with.nodes();
    for nonce in 1..=payments {
        with.submit(nodes[0], Transaction::new("alice", "bob", 0).with_nonce(nonce)).expect("it may wait");
    }
    for &node in &nodes {
        while with.pending(node).expect("the nodes are up").len() < payments as usize {
            thread::yield_now();
        }
    }
    let mine = |network: &Network| (0..blocks).for_each(|_| mine_and_settle(network, network.nodes()[0]));
    let (with, without) = in_turns(|| mine(&with), || mine(&without));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!(
        "in turns: {:?} from one block to the next where payments wait, {:?} where none do, ratio {ratio:.2}",
        with / blocks,
        without / blocks
    );
}

/// Messages that a node reads and forgets, beside the same over a bare channel to a thread that does nothing else.
pub(crate) fn messages(_: &mut Criterion) {
    let count = if is_measured() { 200_000 } else { 1_000 };
    let config = Config { unread_max: u32::MAX, ..Config::default() };
    let network = Network::with_config(rules_without_work(), config);
    let node = network.spawn().expect("a thread starts");
    let puppet = network.puppet().expect("the network is up");
    let message = Message::Acknowledge { block: BlockHash::of(b"none that is known") };

    let (sender, receiver) = unbounded::<(NodeId, Message)>();
    let (done, is_done) = unbounded();
    let reader = thread::spawn(move || {
        for (_, message) in receiver {
            if let Message::ChainRequest { request } = black_box(message) {
                done.send(request).expect("the other end waits");
            }
        }
    });
    let end = Message::ChainRequest { request: RequestId(1) };
    let (to_node, over_channel) = in_turns(
        || {
            for _ in 0..count {
                network.say(puppet, node, message.clone()).expect("both are there");
            }
            network.say(puppet, node, end.clone()).expect("both are there");
            network.hear(puppet, PATIENCE).expect("it is a puppet").expect("everybody is answered");
        },
        || {
            for _ in 0..count {
                sender.send((puppet, message.clone())).expect("the reader reads");
            }
            sender.send((puppet, end.clone())).expect("the reader reads");
            is_done.recv().expect("the reader answers");
        },
    );
    drop(sender);
    reader.join().expect("the reader does not panic");
    let rate = |time: Duration| f64::from(count) / time.as_secs_f64() / 1e6;
    let (to_node, over_channel) = (rate(to_node), rate(over_channel));
    println!(
        "in turns: {to_node:.2} million messages a second to a node, {over_channel:.2} over a bare channel, ratio {:.2}",
        to_node / over_channel
    );
}

pub(crate) fn heal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gossip/settle after a partition");
    group.sample_size(10);
    for blocks in [10, 100, 1000] {
        group.bench_function(BenchmarkId::from_parameter(blocks), |bencher| {
            bencher.iter_custom(|rounds| (0..rounds).map(|_| healing(blocks)).sum());
        });
    }
}

/// Cuts ten nodes in two halves that mine so many blocks, and one more; times how long they take to agree again.
fn healing(blocks: usize) -> Duration {
    let network = network(10, 3);
    let nodes = network.nodes();
    let (left, right) = nodes.split_at(5);
    network.join(&Topology::Complete).expect("the nodes are up");
    network.partition([left.to_vec(), right.to_vec()]).expect("no node is in both");
    for _ in 0..blocks {
        network.mine(left[0]).expect("almost every proof is met");
        network.mine(right[0]).expect("almost every proof is met");
    }
    mine_and_settle(&network, right[0]);
    let start = Instant::now();
    network.heal();
    network.settle(PATIENCE).expect("one branch is better");
    start.elapsed()
}

pub(crate) fn thousand_nodes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gossip/1,000 nodes");
    group.sample_size(10);
    group.bench_function("start, one block to all, stop", |bencher| {
        bencher.iter(|| {
            let network = network(1_000, 4);
            mine_and_settle(&network, network.nodes()[0]);
            network.shutdown().expect("no node panics");
        });
    });
}

/// Measured before anything else runs: memory that was used and given back would not be counted again.
pub(crate) fn memory(_: &mut Criterion) {
    let before = resident_bytes();
    let network = network(1_000, 4);
    mine_and_settle(&network, network.nodes()[0]);
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        println!(
            "memory of one of 1,000 nodes, its thread's stack included: {} KiB",
            (after - before) / 1024 / 1000
        );
    }
}

/// The memory that the process has in use, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(1024 * line.split_whitespace().nth(1)?.parse::<u64>().ok()?)
}
