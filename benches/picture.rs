//! What pictures cost: the tree of a run, from its events to a text and an SVG document.
//!
//! `cargo bench --bench picture`. A node mines on one of the last few blocks, so that every third block is stale and
//! nothing is folded: the most there is to draw. A tree of ten thousand blocks is held to its bound, and to be no more
//! than what ten times a thousand cost but for a logarithm.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chainlab::{BlockHash, Event, Happening, NodeId, Time, picture::ForkTree};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BLOCKS: [u64; 2] = [1000, 10_000];
/// Ten times the blocks cost ten times as much; the rest is for logarithms, caches and a busy machine.
const RATIO_MAX: f64 = 20.0;
const TREE_MAX: Duration = Duration::from_millis(50);

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

/// The best of several times.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn best(events: &[Event]) -> Duration {
    let time = |_| {
        let start = Instant::now();
        draw(events);
        start.elapsed()
    };
    (0..20).map(time).min().expect("there are some")
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
        let (few, many) = (best(&few), best(&many));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{} blocks: {few:?}, {} blocks: {many:?}, {ratio:.1} times as long", BLOCKS[0], BLOCKS[1]);
        assert!(ratio < RATIO_MAX, "not linear: {ratio} times as long");
        assert!(many < TREE_MAX, "{many:?}");
    }
}

criterion_group!(benches, trees);
criterion_main!(benches);
