//! How fast does this machine search for a proof?
//!
//! `cargo run --release --example hash_rate` prints a table: for each rule of the proof of work, the loop that one
//! writes first, a careful loop, and chainlab's search; then how two threads do beside one. It takes a few seconds.
//! With `-- --check` it fails if chainlab's search is less than twice as fast as the careful loop on a CPU with
//! AVX-512: then the compiler no longer vectorises it, which shows nowhere else.

#[path = "../benches/loops/mod.rs"]
mod loops;

use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use chainlab::pow::{Challenge, InstructionSet, Target, instruction_set};
use loops::Loop;

/// The loops take turns so many times, each for a millisecond or two, and each one's fastest turn counts: whatever
/// else runs on the machine only adds time.
const TURNS: usize = 100;

/// So many candidates a turn: naive, single stream, chainlab.
const CANDIDATES: [u64; 3] = [5_000, 30_000, 100_000];

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    println!("chainlab's search runs on: {}\n", instruction_set());
    println!(
        "{:<10}{:<15}{:>12}{:>10}   expected time to a proof of so many bits",
        "rule", "loop", "million", "times"
    );
    println!(
        "{:<10}{:<15}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "", "", "hashes/s", "naive", "16", "24", "32", "40"
    );

    let mut lost = false;
    for (rule, challenge) in loops::rules(35293) {
        let rates = measure(challenge);
        for (each, rate) in Loop::ALL.into_iter().zip(rates) {
            print!("{rule:<10}{:<15}{:>12.2}{:>10.1}", each.name(), rate / 1e6, rate / rates[0]);
            for bits in [16, 24, 32, 40] {
                let seconds = Target::leading_zero_bits(bits).work().as_f64() / rate;
                print!("{:>10}", duration(seconds));
            }
            println!();
        }
        let [_, single_stream, chainlab] = rates;
        println!("{:<10}chainlab is {:.2} times single stream\n", "", chainlab / single_stream);
        lost |= instruction_set() == InstructionSet::Avx512 && chainlab < 2.0 * single_stream;
    }

    let (_, notebook) = loops::rules(35293)[0];
    println!("two searches on two threads together: {:.2} times one", two_threads(notebook));
    if check && lost {
        eprintln!("error: with AVX-512, chainlab's search is less than twice as fast as a single stream");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Measures the loops' hashes a second.
fn measure(challenge: Challenge) -> [f64; 3] {
    let mut fastest = [f64::INFINITY; 3];
    for _ in 0..TURNS {
        for ((each, candidates), fastest) in Loop::ALL.into_iter().zip(CANDIDATES).zip(&mut fastest) {
            *fastest = fastest.min(time(|| each.run(challenge, 10_000_000, candidates)));
        }
    }
    std::array::from_fn(|i| CANDIDATES[i] as f64 / fastest[i])
}

/// Measures how many times the hashes of one search two searches do in the same time, each on its own thread.
fn two_threads(challenge: Challenge) -> f64 {
    let search = || Loop::Chainlab.run(challenge, 10_000_000, CANDIDATES[2]);
    let [mut one, mut two] = [f64::INFINITY; 2];
    // On a busy machine two cores are seldom free at once: many short turns find such a moment, few long ones do not.
    for _ in 0..5 * TURNS {
        one = one.min(time(search));
        two = two.min(time(|| {
            thread::scope(|scope| {
                scope.spawn(search);
                search();
            });
        }));
    }
    2.0 * one / two
}

#[expect(clippy::disallowed_methods, reason = "this program is there to read the clock")]
fn time(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// Writes a time with three digits or so, in the unit that fits.
fn duration(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.1?}", Duration::from_secs_f64(seconds)),
        ..100.0 => format!("{seconds:.1}s"),
        ..6000.0 => format!("{:.1}min", seconds / 60.0),
        ..360_000.0 => format!("{:.1}h", seconds / 3600.0),
        _ => format!("{:.1}d", seconds / 86_400.0),
    }
}
