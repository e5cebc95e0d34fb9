//! What a message costs on its way through the links, and what a topology costs to draw.
//!
//! `cargo bench --bench wire`. Messages go between ten thousand nodes with eight links each, from a random node each
//! time, as in a simulation; the row `none` is the loop without any links.

use std::{hint::black_box, time::Duration};

use chainlab::{
    NodeId, Time,
    wire::{Latency, Link, Links, Topology},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NODES: u32 = 10_000;
const MESSAGES: u32 = 100_000;

/// The two ends of many messages, in no order that a cache could foresee.
fn ends() -> Vec<(NodeId, NodeId)> {
    let mut from = 1_u64;
    (0..MESSAGES)
        .map(|count| {
            from = from.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let node = (from >> 33) as u32 % NODES;
            (NodeId::new(node), NodeId::new((node + 1 + count % 8) % NODES))
        })
        .collect()
}

fn send(criterion: &mut Criterion) {
    let ms = Duration::from_millis;
    let link = Link::default();
    let log_normal = Latency::log_normal(ms(60), 0.8).expect("a valid sigma");
    let links = [
        ("perfect", link),
        ("fixed latency", link.with_latency(Latency::fixed(ms(60)))),
        ("normal latency", link.with_latency(Latency::normal(ms(60), ms(6)))),
        (
            "log-normal latency, bandwidth, loss",
            link.with_latency(log_normal)
                .with_bandwidth(1_000_000)
                .and_then(|link| link.with_loss(0.01))
                .expect("a valid bandwidth and loss"),
        ),
    ];
    let ends = ends();
    let mut group = criterion.benchmark_group("send");
    group.throughput(Throughput::Elements(MESSAGES.into()));
    group.bench_function("none", |bencher| {
        bencher.iter(|| ends.iter().for_each(|ends| _ = black_box(ends)));
    });
    for (name, link) in links {
        let mut links = Links::new(1);
        links.set_default(link);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for &(from, to) in &ends {
                    black_box(links.send(Time::from_nanos(0), from, to, 300));
                }
            });
        });
    }
    group.finish();
}

fn topologies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("topology of 10,000 nodes");
    for topology in [
        Topology::Ring,
        Topology::Random { links: 8 },
        Topology::SmallWorld { neighbours: 8, rewiring: 0.1 },
        Topology::ScaleFree { links: 8 },
    ] {
        group.bench_function(format!("{topology:?}"), |bencher| {
            bencher.iter(|| topology.edges(NODES as usize, 1).map(|edges| edges.len()));
        });
    }
    group.finish();
}

criterion_group!(benches, send, topologies);
criterion_main!(benches);
