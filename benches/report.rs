//! What recording costs: every event of a run goes through the recorder, under a lock in the network of threads.
//!
//! `cargo bench --bench report`. A hundred nodes and ten thousand; each block is mined by one and accepted by all others,
//! so that an element is an event.

use std::{hint::black_box, time::Duration};

use chainlab::{
    BlockHash, Blockchain, Event, Happening, IgnoreReason, NodeId, Rules, Time,
    report::{Messages, Recorder},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NODES: [u32; 2] = [100, 10_000];

fn hash(number: u64) -> BlockHash {
    BlockHash::of(&number.to_be_bytes())
}

/// The events of one block: a node mines it, and the others accept it.
fn block(number: u64, nodes: u32) -> impl Iterator<Item = Event> {
    let (block, position, parent) = (hash(number), number + 1, hash(number - 1));
    let miner = NodeId::new((number % u64::from(nodes)) as u32);
    (0..nodes).map(move |step| {
        let node = NodeId::new((miner.index() as u32 + step) % nodes);
        let what = match step {
            0 => Happening::Mined { block, position, parent },
            _ => Happening::Accepted { block, position, from: miner },
        };
        Event { time: Time::from_secs(number) + Duration::from_millis(step.into()), node, what }
    })
}

/// A recorder that has seen so many blocks, all accepted by all.
fn recorder(blocks: u64, nodes: u32) -> Recorder {
    let mut recorder = Recorder::new(Time::UNIX_EPOCH);
    (0..nodes).for_each(|node| recorder.add_node(NodeId::new(node), "node"));
    (1..=blocks).flat_map(|number| block(number, nodes)).for_each(|event| recorder.observe(&event));
    recorder
}

fn observe(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recorder");
    for (nodes, blocks) in [(NODES[0], 100), (NODES[0], 10_000), (NODES[1], 100)] {
        let mut recorder = recorder(blocks, nodes);
        let mut last = blocks;
        group.throughput(Throughput::Elements(nodes.into()));
        let name = format!("mined and accepted by {nodes} nodes, after {blocks} blocks and more");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                last += 1;
                block(last, nodes).for_each(|event| recorder.observe(&event));
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    let (from, reason) = (NodeId::new(1), IgnoreReason::Unwanted);
    let ignored =
        Event { time: Time::UNIX_EPOCH, node: NodeId::new(0), what: Happening::Ignored { from, reason } };
    let mut before = recorder(100, NODES[0]);
    group.bench_function("ignored", |bencher| bencher.iter(|| before.observe(black_box(&ignored))));
    group.finish();
}

fn report(criterion: &mut Criterion) {
    let chain = Blockchain::start(&Rules::notebook(), Time::UNIX_EPOCH).unwrap();
    let recorder = recorder(10_000, NODES[0]);
    let mut group = criterion.benchmark_group("report");
    group.bench_function("copy of a recorder of 10000 blocks", |bencher| bencher.iter(|| recorder.clone()));
    group.bench_function("of 10000 blocks, none of them in the chain", |bencher| {
        bencher.iter(|| recorder.report(Time::MAX, &chain, |_| 1, Messages::default()));
    });
    group.finish();
}

criterion_group!(benches, observe, report);
criterion_main!(benches);
