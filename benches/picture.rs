//! What pictures cost: the tree of a run, from its events to a text and an SVG document.
//!
//! `cargo bench --bench picture`. A node mines on one of the last few blocks, so that every third block is stale and
//! nothing is folded: the most there is to draw. A tree of ten thousand blocks is to take below 50 ms on a machine that has
//! nothing else to do, and is held to take about as long as ten trees of a thousand.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chainlab::{BlockHash, Event, Happening, NodeId, Time, picture::ForkTree};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BLOCKS: [u64; 2] = [1000, 10_000];
/// As many blocks cost as much in one tree as in ten; the rest is for logarithms, caches and a busy machine.
const RATIO_MAX: f64 = 2.0;

fn hash(number: u64) -> BlockHash {
    BlockHash::of(&number.to_be_bytes())
}

/// The events of a run of so many blocks: each third is mined beside the one before, and all accept the others.
fn events(blocks: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut tip, mut position) = (0, 1);
    for number in 1..=blocks {
        let node = NodeId::new((number % 7) as u32);
        let what = Happening::Mined { block: hash(number), position: position + 1, parent: hash(tip) };
        events.push(Event { time: Time::from_secs(number), node, what });
        if number % 3 != 0 {
            (tip, position) = (number, position + 1);
            let block = hash(number);
            let others = (0..7).map(NodeId::new).filter(|other| *other != node);
            events.extend(others.map(|other| {
                let what = Happening::Accepted { block, position, from: node };
                Event { time: Time::from_secs(number), node: other, what }
            }));
        }
    }
    events
}

fn draw(events: &[Event]) -> usize {
    let tree = ForkTree::from_events(black_box(events));
    black_box(tree.to_svg()).len()
}

/// How long so many drawings take.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn time(events: &[Event], times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        draw(events);
    }
    start.elapsed()
}

fn trees(criterion: &mut Criterion) {
    let [few, many] = BLOCKS.map(events);
    let mut group = criterion.benchmark_group("fork tree");
    for (blocks, events) in BLOCKS.into_iter().zip([&few, &many]) {
        group.throughput(Throughput::Elements(blocks));
        group.bench_function(format!("SVG of {blocks} blocks"), |bencher| bencher.iter(|| draw(events)));
        let tree = ForkTree::from_events(events);
        group.bench_function(format!("text of {blocks} blocks"), |bencher| bencher.iter(|| tree.to_string()));
    }
    group.finish();
    // `cargo test` merely tries whether all of it works.
    if std::env::args().any(|argument| argument == "--bench") {
        let times = BLOCKS[1] / BLOCKS[0];
        let (mut ten, mut one) = (Duration::MAX, Duration::MAX);
        // In turns, so that what else the machine does slows both.
        for _ in 0..30 {
            ten = ten.min(time(&few, times));
            one = one.min(time(&many, 1));
        }
        let ratio = one.as_secs_f64() / ten.as_secs_f64();
        println!("{times} trees of {} blocks: {ten:?}, one of {}: {one:?}", BLOCKS[0], BLOCKS[1]);
        assert!(ratio < RATIO_MAX, "not linear: {ratio} times as long");
    }
}

criterion_group!(benches, trees);
criterion_main!(benches);
