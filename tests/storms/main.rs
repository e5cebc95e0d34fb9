//! Storms: networks of threads under random faults, from printed seeds.
//!
//! At every look each live node's chain is valid by a slow, obvious validator, and its work never falls but by a
//! restart from the genesis. After the storm all agree, and every transaction is accounted for. Nothing hangs: every
//! wait has an end, at which the test fails with the seed, what was done, and where everybody stands.
//!
//! A seed gives the same actions for ever. What the threads make of them is the operating system's, and differs from
//! run to run: a seed that failed once is kept, and is run often.
//!
//! - `CHAINLAB_LONG=1 cargo test --release --test storms -- --nocapture` runs 500 further seeds of each kind.
//! - `CHAINLAB_SEED=7 cargo test --test storms -- --nocapture` runs one seed, a hundred times.

#[path = "../model/mod.rs"]
mod model;

mod acts;
mod aftermath;
mod faults;
mod liar;
mod looks;
mod random;
mod simulated;
mod storm;
mod threads;
mod validator;
mod watchdog;

use std::env;

use peak_alloc::PeakAlloc;
use watchdog::{Log, finishes};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far above what the storms take together, and far below what they would if anything grew with what is said in them.
const MEMORY_MAX: usize = 256 << 20;

/// Seeds that once failed, to be run ever after; what `faults` shows by itself needs none. A change of what a storm
/// draws makes other storms of them.
const SEALED_REGRESSIONS: &[u64] = &[];
const NOTEBOOK_REGRESSIONS: &[u64] = &[];

/// The seed to replay, if there is one.
fn seed() -> Option<u64> {
    let text = env::var("CHAINLAB_SEED").ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("CHAINLAB_SEED is {text:?}, not a number")))
}

fn run(name: &str, short: u64, regressions: &[u64], storm: fn(u64, &Log)) {
    if let Some(seed) = seed() {
        (0..100).for_each(|_| finishes(name, seed, storm));
        return;
    }
    let further = if env::var_os("CHAINLAB_LONG").is_some() { 500 } else { 0 };
    let further = 1_000_000..1_000_000 + further;
    for seed in regressions.iter().copied().chain(0..short).chain(further) {
        finishes(name, seed, storm);
        let peak = ALLOCATOR.peak_usage();
        assert!(peak < MEMORY_MAX, "{name}: {peak} bytes at the peak, seed {seed}");
    }
}

#[test]
fn sealed_networks_come_through_storms() {
    run("sealed", 10, SEALED_REGRESSIONS, threads::sealed);
}

#[test]
fn notebook_networks_come_through_storms() {
    run("notebook", 10, NOTEBOOK_REGRESSIONS, threads::notebook);
}

#[test]
fn sealed_simulations_come_through_storms() {
    run("simulated sealed", 1500, &[], simulated::sealed);
}

#[test]
fn notebook_simulations_come_through_storms() {
    run("simulated notebook", 500, &[], simulated::notebook);
}
