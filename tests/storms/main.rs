//! Storms: networks under random faults, from printed seeds, on threads and under the virtual clock.
//!
//! At every look each live node's chain is valid by a slow, obvious validator, and its work never falls but by a
//! restart from the genesis. After the storm all agree, and every transaction is accounted for. Nothing hangs: every
//! wait has an end, at which the test fails with the seed, what was done, and where everybody stands.
//!
//! A seed gives the same actions for ever. What threads make of them is the operating system's, and differs from run to
//! run: a seed that failed once is run often. What a simulation makes of them is the same in every run.
//!
//! - `CHAINLAB_LONG=1 cargo test --release --test storms -- --nocapture` runs many further seeds of each kind.
//! - `CHAINLAB_SEEDS=1000..21000 cargo test --release --test storms simulations` runs these seeds alone.
//! - `CHAINLAB_SEED=7 cargo test --test storms networks -- --nocapture` runs one seed, a hundred times.

#[path = "../model/mod.rs"]
mod model;

mod acts;
mod aftermath;
mod faults;
mod liar;
mod looks;
mod random;
mod rules;
mod simulated;
mod storm;
mod threads;
mod validator;
mod watchdog;

use std::{env, ops::Range};

use peak_alloc::PeakAlloc;
use watchdog::{Log, finishes};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far above what the storms take together, and far below what they would if anything grew with what is said in them.
const MEMORY_MAX: usize = 256 << 20;

/// The number that an environment variable gives.
fn number(name: &str, text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{name} has {text:?}, which is no number"))
}

/// The seeds to run, and how often each, of a kind of which so many are run by default, and so many in the long form.
fn seeds(short: u64, long: u64) -> (Range<u64>, u32) {
    if let Ok(text) = env::var("CHAINLAB_SEED") {
        let seed = number("CHAINLAB_SEED", &text);
        return (seed..seed + 1, 100);
    }
    if let Ok(text) = env::var("CHAINLAB_SEEDS") {
        let (first, end) =
            text.split_once("..").expect("CHAINLAB_SEEDS has a first seed, two dots and an end");
        return (number("CHAINLAB_SEEDS", first)..number("CHAINLAB_SEEDS", end), 1);
    }
    (0..if env::var_os("CHAINLAB_LONG").is_some() { long } else { short }, 1)
}

fn run(name: &str, short: u64, long: u64, storm: fn(u64, &Log)) {
    let (seeds, times) = seeds(short, long);
    for seed in seeds {
        (0..times).for_each(|_| finishes(name, seed, storm));
        let peak = ALLOCATOR.peak_usage();
        assert!(peak < MEMORY_MAX, "{name}: {peak} bytes at the peak, seed {seed}");
    }
}

#[test]
fn sealed_networks_come_through_storms() {
    run("sealed", 10, 500, threads::sealed);
}

#[test]
fn notebook_networks_come_through_storms() {
    run("notebook", 10, 500, threads::notebook);
}

#[test]
fn sealed_simulations_come_through_storms() {
    run("simulated sealed", 1500, 75_000, simulated::sealed);
}

#[test]
fn notebook_simulations_come_through_storms() {
    run("simulated notebook", 500, 25_000, simulated::notebook);
}
