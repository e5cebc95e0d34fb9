//! What the threads cost: a chain request beside a bare pair of channels, settling a conflict, starting and ending nodes,
//! gossip, and mining.
//!
//! `cargo bench --bench network`; recorded results stand in `README.md`.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock and starts threads")]

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use chainlab::{Network, NodeId, Rules, pow::Target};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use crossbeam_channel::{Receiver, Sender, unbounded};

mod gossip;
mod mining;

criterion_group!(
    benches,
    gossip::memory,
    mining::processor_time,
    chain_request,
    resolve,
    thousand_nodes,
    gossip::one_block_to_all,
    gossip::transactions,
    gossip::a_block_beside_payments,
    gossip::messages,
    gossip::heal,
    gossip::thousand_nodes
);
criterion_main!(benches);

/// A thread that answers every ping with a pong: the least that a question to another thread can cost.
struct PingPong {
    ping: Option<Sender<()>>,
    pong: Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl PingPong {
    fn start() -> Self {
        let (ping, pings) = unbounded();
        let (pongs, pong) = unbounded();
        let thread = thread::spawn(move || {
            for ping in pings {
                pongs.send(ping).expect("the other end waits for the answer");
            }
        });
        Self { ping: Some(ping), pong, thread: Some(thread) }
    }

    fn ask(&self) {
        self.ping.as_ref().expect("it has not ended").send(()).expect("the thread waits for pings");
        self.pong.recv().expect("the thread answers each ping");
    }
}

impl Drop for PingPong {
    fn drop(&mut self) {
        self.ping = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread does nothing that could panic");
        }
    }
}

fn chain_request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chain request");
    let network = Network::new(Rules::notebook());
    let node = network.spawn().expect("a thread starts");
    let ping_pong = PingPong::start();
    group.bench_function("node", |bencher| bencher.iter(|| network.chain(node)));
    group.bench_function("bare channels", |bencher| bencher.iter(|| ping_pong.ask()));
    print_ratio(&network, node, &ping_pong);

    let searching = Network::new(Rules::notebook().with_first_target(Target::HARDEST));
    let node = searching.spawn().expect("a thread starts");
    thread::scope(|scope| {
        let mining = scope.spawn(|| searching.mine(node));
        group.bench_function("node that searches", |bencher| bencher.iter(|| searching.chain(node)));
        searching.shutdown().expect("no node panics");
        mining.join().expect("the call returns").expect_err("the network was shut down");
    });
}

fn print_ratio(network: &Network, node: NodeId, ping_pong: &PingPong) {
    let questions = if is_measured() { 500 } else { 1 };
    let (of_node, of_channels) = in_turns(
        || {
            for _ in 0..questions {
                let _ = black_box(network.chain(node).expect("the node is up"));
            }
        },
        || {
            for _ in 0..questions {
                ping_pong.ask();
            }
        },
    );
    let ratio = of_node.as_secs_f64() / of_channels.as_secs_f64();
    let (of_node, of_channels) = (of_node / questions, of_channels / questions);
    println!("in turns: chain request {of_node:?}, bare channels {of_channels:?}, ratio {ratio:.2}");
}

/// Lets two take turns, as the machine's load changes from second to second, and returns the median time of each.
fn in_turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
    let timed = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    for _ in 0..turns() {
        of_one.push(timed(&mut one));
        of_other.push(timed(&mut other));
    }
    (median(of_one), median(of_other))
}

/// Tells a bench from a test that it runs.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn turns() -> usize {
    if is_measured() { 101 } else { 1 }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Two nodes of which one is to be a block ahead of the other.
struct Pair {
    network: Network,
    ahead: NodeId,
    behind: NodeId,
}

impl Pair {
    fn of_length(blocks: u64) -> Self {
        let network = Network::new(Rules::notebook().with_first_target(Target::EASIEST));
        let ahead = network.spawn().expect("a thread starts");
        let behind = network.spawn().expect("a thread starts");
        network.register(behind, [ahead]).expect("both are up");
        for _ in 1..blocks {
            network.mine(ahead).expect("almost every proof is met");
        }
        network.resolve(behind).expect("both are up");
        Self { network, ahead, behind }
    }

    /// Puts one node a block ahead, and times how long the other takes to settle it.
    fn settle(&self) -> Duration {
        self.network.mine(self.ahead).expect("almost every proof is met");
        let start = Instant::now();
        black_box(self.network.resolve(self.behind).expect("both are up"));
        start.elapsed()
    }
}

const LENGTHS: [u64; 3] = [10, 1_000, 100_000];

fn resolve(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve, one block behind");
    for blocks in LENGTHS {
        // Outside of the closure, which runs once for each sample.
        let mut pair = Pair::of_length(blocks);
        let mut length = blocks;
        group.bench_function(BenchmarkId::from_parameter(blocks), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut total = Duration::ZERO;
                for _ in 0..rounds {
                    total += pair.settle();
                    length += 1;
                    if length == 2 * blocks {
                        (pair, length) = (Pair::of_length(blocks), blocks);
                    }
                }
                total
            });
        });
    }
    print_resolves();
}

/// Lets chains of all lengths take turns, as [`in_turns`] does.
fn print_resolves() {
    let pairs = LENGTHS.map(Pair::of_length);
    let mut times = LENGTHS.map(|_| Vec::new());
    for _ in 0..turns() {
        for (pair, times) in pairs.iter().zip(&mut times) {
            times.push(pair.settle());
        }
    }
    println!("in turns: resolve one block behind {LENGTHS:?} blocks: {:?}", times.map(median));
}

fn thousand_nodes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1,000 nodes");
    group.sample_size(10);
    group.bench_function("spawn, register in a ring, shut down", |bencher| {
        bencher.iter(|| {
            let network = Network::new(Rules::notebook());
            let nodes: Vec<_> = (0..1_000).map(|_| network.spawn().expect("a thread starts")).collect();
            for (place, &node) in nodes.iter().enumerate() {
                let next = nodes[(place + 1) % nodes.len()];
                network.register(node, [next]).expect("both are up");
            }
            network.shutdown().expect("no node panics");
        });
    });
}
