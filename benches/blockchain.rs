//! What the blockchain as a value costs: each at several lengths, which should matter to none but the documents.
//!
//! `cargo bench --bench blockchain`; recorded results are in `blockchain.md` beside this file.

use std::time::Duration;

use chainlab::{
    Block, Blockchain, PreviousHash, Relay, Rules, Time, Timestamp, Transaction,
    pow::{Search, Target},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const LENGTHS: [u64; 3] = [100, 10_000, 1_000_000];

/// The notebook's rules, but any proof will do: what is measured is the chain, not the search.
fn rules() -> Rules {
    Rules::notebook().with_first_target(Target::EASIEST)
}

/// Rules that allow the same blocks, and are not the same.
fn other_rules() -> Rules {
    Rules { relay: Relay::Push, ..rules() }
}

fn block_on(chain: &Blockchain, rules: &Rules, miner: &str, transfers: u64) -> Block {
    let transfer =
        |amount| Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", amount);
    let transactions: Vec<_> = (0..transfers).map(transfer).chain([Transaction::reward(miner, 1)]).collect();
    let previous_hash = PreviousHash::Hash(chain.tip_hash());
    let time = Time::from_secs(1_507_824_951) + Duration::from_millis(chain.len());
    let block = Block::new(chain.len() + 1, Timestamp::from(time), transactions, 0, previous_hash);
    let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
    let proof = Search::new(challenge, chain.next_target(rules)).run(u64::MAX).expect("the target is easy");
    block.with_proof(proof.expect("the search runs to its end"))
}

fn grow(chain: &Blockchain, rules: &Rules, miner: &str, blocks: u64) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| {
        chain.append(block_on(&chain, rules, miner, 0), rules).expect("the block was mined for this chain")
    })
}

fn chain_of(length: u64) -> Blockchain {
    let start = Blockchain::start(&rules(), Time::from_secs(1_507_824_951)).unwrap();
    grow(&start, &rules(), "11120ceb2131427f99dda3fc2623ae9b5000", length - 1)
}

fn values(criterion: &mut Criterion) {
    let longest = chain_of(LENGTHS[2]);
    for length in LENGTHS {
        let trunk = longest.at(length).expect("the longest is at least so long");

        criterion.bench_with_input(BenchmarkId::new("clone", length), &trunk, |bencher, chain| {
            bencher.iter(|| chain.clone());
        });
        criterion.bench_with_input(
            BenchmarkId::new("block at a position", length),
            &trunk,
            |bencher, chain| {
                // A walk over all positions that looks random: a multiplicative generator modulo 2^64.
                let mut state = 1_u64;
                bencher.iter(|| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let position = ((u128::from(state) * u128::from(length)) >> 64) as u64 + 1;
                    chain.block(position).map(Block::proof)
                });
            },
        );
        criterion.bench_with_input(BenchmarkId::new("append", length), &trunk, |bencher, chain| {
            let (rules, block) = (rules(), block_on(chain, &rules(), "miner", 0));
            bencher.iter(|| chain.append(block.clone(), &rules).map(|chain| chain.len()));
        });
    }
}

/// A node that has a block of its own after the shared ones takes on a chain that is ten blocks longer.
fn adopt(criterion: &mut Criterion) {
    let longest = chain_of(LENGTHS[2]);
    for length in LENGTHS {
        let trunk = longest.at(length).expect("the longest is at least so long");
        let ours = grow(&trunk, &rules(), "ours", 1);

        let theirs = grow(&trunk, &rules(), "theirs", 11);
        criterion.bench_with_input(
            BenchmarkId::new("adopt from a node of equal rules", length),
            &theirs,
            |bencher, theirs| {
                let rules = rules();
                bencher.iter(|| {
                    let common = ours.common_ancestor(theirs).expect("they share the trunk");
                    let adopted = theirs.verify(&rules).expect("the chain is valid");
                    (common.len(), adopted)
                });
            },
        );

        let theirs =
            grow(&trunk.verify(&other_rules()).expect("they allow the same"), &other_rules(), "theirs", 11);
        criterion.bench_with_input(
            BenchmarkId::new("adopt from a node of other rules", length),
            &theirs,
            |bencher, theirs| {
                let rules = rules();
                bencher.iter(|| {
                    let common = ours.common_ancestor(theirs).expect("they share the trunk");
                    let mut after = theirs.iter_after(common.len()).cloned();
                    after
                        .try_fold(common, |chain, block| chain.append(block, &rules))
                        .expect("the blocks are valid")
                });
            },
        );

        // What it would cost to verify all of it, as the notebook does.
        if length <= 10_000 {
            criterion.bench_with_input(
                BenchmarkId::new("verify from the first block", length),
                &theirs,
                |bencher, theirs| {
                    bencher.iter(|| theirs.verify(&rules()).expect("the chain is valid"));
                },
            );
        }
    }
}

fn documents(criterion: &mut Criterion) {
    let rules = rules();
    let start = chain_of(1);
    let chain = (0..1_000).fold(start, |chain, _| {
        chain
            .append(block_on(&chain, &rules, "miner", 3), &rules)
            .expect("the block was mined for this chain")
    });
    let text = chain.to_json();
    let mut group = criterion.benchmark_group("documents of 1001 blocks");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("to_json", |bencher| bencher.iter(|| chain.to_json()));
    group.bench_function("from_json", |bencher| {
        bencher.iter(|| Blockchain::from_json(&text, &rules).expect("the chain is valid"));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = values, adopt, documents
}
criterion_main!(benches);
