//! What a run of an experiment costs besides its blocks, and what it gains by a second core.
//!
//! `cargo bench --bench experiment --features parallel`. The row `run` is a run of nine miners that ends with its first
//! block: its scenario is read, its network is made, its report is a row. It is to be below 5 ms.
//!
//! Recorded on two cores of a virtual machine: a run in 70 µs; the 64 runs in 184 ms on one core, in 93 ms on both, which
//! is 0.51 of the time; aim: at most 0.55.

use std::hint::black_box;

use chainlab::experiment::{Experiment, Format};
use criterion::{Criterion, criterion_group, criterion_main};

fn experiment(blocks: u64, replicates: u32) -> Experiment {
    let json = format!(
        r#"{{
            "scenario": {{
                "nodes": 9,
                "link": {{"latency": {{"fixed": {{"seconds": 1}}}}}},
                "stop": {{"blocks": {blocks}}}
            }},
            "replicates": {replicates}
        }}"#
    );
    Experiment::from_json(&json).expect("a valid experiment")
}

fn run(criterion: &mut Criterion) {
    let short = experiment(1, 1);
    criterion.bench_function("run", |bencher| {
        bencher.iter(|| {
            let row = short.row(short.runs()[0]).expect("it can be run");
            Format::Csv.line(black_box(&row), short.columns())
        });
    });
}

fn runs(criterion: &mut Criterion) {
    let long = experiment(1000, 64);
    let mut group = criterion.benchmark_group("64 runs of 1000 blocks");
    group.sample_size(10);
    group.bench_function("one core", |bencher| {
        bencher.iter(|| long.runs().iter().map(|run| long.row(*run)).collect::<Result<Vec<_>, _>>());
    });
    #[cfg(feature = "parallel")]
    group.bench_function("all cores", |bencher| bencher.iter(|| long.run()));
    group.finish();
}

criterion_group!(benches, run, runs);
criterion_main!(benches);
