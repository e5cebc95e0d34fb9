//! What a page costs that plays a run again: its events are taken in and written out.
//!
//! `cargo bench --bench picture_replay`. A hundred nodes; each block is mined by one and told of to all others, with a trace
//! of the messages. A million events take as much for each as a hundred thousand do: it is asserted that they take at most
//! twice as much.

use std::{
    hint::black_box,
    io,
    time::{Duration, Instant},
};

use chainlab::{BlockHash, Event, Happening, MessageName, NodeId, Passage, Time, picture::Replay};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NODES: u64 = 100;
const SIZES: [usize; 2] = [100_000, 1_000_000];

fn hash(number: u64) -> BlockHash {
    BlockHash::of(&number.to_be_bytes())
}

/// The events of one block: a node mines it, and the others get it and accept it.
fn block(number: u64) -> impl Iterator<Item = Event> {
    let (block, position, parent) = (hash(number), number + 1, hash(number - 1));
    let sent = Time::from_secs(number);
    let node = move |step: u64| NodeId::new(((number + step) % NODES) as u32);
    (0..NODES).flat_map(move |step| {
        let at = |what| Event { time: sent + Duration::from_millis(step), node: node(step), what };
        let from = node(0);
        let passage = || Passage {
            from,
            sent,
            kind: MessageName::NewBlock,
            block: Some(block),
            transactions: Vec::new(),
            lost: None,
        };
        match step {
            0 => vec![at(Happening::Mined { block, position, parent })],
            _ => vec![at(Happening::Message(passage())), at(Happening::Accepted { block, position, from })],
        }
    })
}

fn events(count: usize) -> Vec<Event> {
    (1..).flat_map(block).take(count).collect()
}

fn write(events: &[Event]) {
    Replay::from_events(black_box(events)).write_to(io::sink()).expect("a sink takes all");
}

fn replay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10);
    let all = SIZES.map(events);
    for (size, events) in SIZES.into_iter().zip(&all) {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("{size} events"), |bencher| bencher.iter(|| write(events)));
    }
    group.finish();
    // `cargo test` merely tries whether all of it works.
    if std::env::args().any(|argument| argument == "--bench") {
        let mut fastest = [Duration::MAX; 2];
        // In turns, so that what else the machine does slows both.
        for _ in 0..5 {
            for (events, fastest) in all.iter().zip(&mut fastest) {
                let start = now();
                write(events);
                *fastest = start.elapsed().min(*fastest);
            }
        }
        let [few, many] = fastest;
        println!("{} events: {few:?}, {}: {many:?}", SIZES[0], SIZES[1]);
        let ratio = many.as_secs_f64() / few.as_secs_f64() * SIZES[0] as f64 / SIZES[1] as f64;
        assert!(
            ratio < 2.0,
            "an event of a million takes {ratio:.2} times as long as one of a hundred thousand"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn now() -> Instant {
    Instant::now()
}

criterion_group!(benches, replay);
criterion_main!(benches);
