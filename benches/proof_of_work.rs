//! Hashes a second: chainlab's search beside a naive loop and a careful one, by rule, by the length of the last
//! proof and by instruction set; and the notebook's searches from start to end.
//!
//! `cargo bench --bench proof_of_work`; results with their machine are recorded in `proof_of_work.md`.

mod loops;

use std::time::Duration;

use chainlab::pow::{Challenge, InstructionSet, Target, proof_of_work};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use loops::Loop;

/// Far from where a proof gains a digit.
const FIRST: u64 = 10_000_000;

/// The last proof of each number of digits.
const LAST_PROOFS: [u64; 4] = [7, 35_293, 1_234_567_890, 12_345_678_901_234_567_890];

fn by_loop(criterion: &mut Criterion) {
    for last_proof in LAST_PROOFS {
        let digits = last_proof.to_string().len();
        for (rule, challenge) in loops::rules(last_proof) {
            let is_sealed = matches!(challenge, Challenge::Sealed { .. });
            if is_sealed && digits > 1 {
                // Its messages hold no last proof.
                continue;
            }
            let name = if is_sealed { rule.into() } else { format!("{rule}, {digits} digits") };
            let mut group = criterion.benchmark_group(name);
            for each in Loop::ALL {
                let candidates = if each == Loop::Chainlab { 100_000 } else { 10_000 };
                group.throughput(Throughput::Elements(candidates));
                group.bench_function(each.name(), |bencher| {
                    bencher.iter(|| each.run(challenge, FIRST, candidates));
                });
            }
            group.finish();
        }
    }
}

fn by_instruction_set(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("instruction set");
    group.throughput(Throughput::Elements(100_000));
    for set in InstructionSet::available() {
        for (rule, challenge) in loops::rules(35_293) {
            group.bench_function(BenchmarkId::new(set.to_string(), rule), |bencher| {
                bencher.iter(|| loops::search_on(set, challenge, FIRST, 100_000));
            });
        }
    }
    group.finish();
}

fn end_to_end(criterion: &mut Criterion) {
    let twelve = |target| {
        (0..12).fold(vec![100], |mut proofs, i| {
            proofs.push(proof_of_work(proofs[i], target).expect("proofs are frequent"));
            proofs
        })
    };
    let known = twelve(Target::leading_zero_bits(16));
    assert_eq!(known.last(), Some(&68_975));

    let mut group = criterion.benchmark_group("end to end");
    group.throughput(Throughput::Elements(known[1..].iter().map(|proof| proof + 1).sum()));
    group.bench_function("the notebook's twelve proofs after 100", |bencher| {
        bencher.iter(|| twelve(Target::leading_zero_bits(16)));
    });
    group.throughput(Throughput::Elements(12));
    group.bench_function("twelve proofs at the easiest target", |bencher| {
        bencher.iter(|| twelve(Target::EASIEST));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    targets = by_loop, by_instruction_set, end_to_end
}
criterion_main!(benches);
