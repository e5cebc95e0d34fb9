//! How fast does this machine search for a proof?
//!
//! `cargo run --release --example hash_rate` prints a table: for each rule of the proof of work, the loop that one
//! writes first, a careful loop, and chainlab's search; then how two threads do beside one. It takes a few seconds.
//! With `-- --check` it fails if chainlab's search is less than twice as fast as the careful loop on a CPU with
//! AVX-512: then the compiler no longer vectorises it, which shows nowhere else. On Ctrl-C no loop has another turn, and
//! the table is of the turns that they had.

#[path = "shared/end.rs"]
mod end;
#[path = "shared/interrupt.rs"]
mod interrupt;
#[path = "../benches/loops/mod.rs"]
mod loops;

use std::{
    error::Error,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use chainlab::pow::{Challenge, InstructionSet, Target, instruction_set};
use clap::{Parser, value_parser};
use interrupt::Interrupt;
use loops::Loop;

/// Measures how fast this machine searches for a proof.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each loop has its turn of a millisecond or two. The fastest counts: whatever else runs on the machine
    /// only adds time.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
    turns: u32,
    /// Fails if chainlab's search is so slow that the compiler cannot have vectorised it.
    #[arg(long)]
    check: bool,
}

/// The first candidate: far from where a proof gains a digit.
const FIRST: u64 = 10_000_000;

/// So many candidates a turn: naive, single stream, chainlab.
const CANDIDATES: [u64; 3] = [5_000, 30_000, 100_000];

fn main() -> ExitCode {
    end::with(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let turns = Turns { count: arguments.turns, interrupt: Interrupt::listen(|| {})? };
    let mut out = io::stdout();
    writeln!(out, "chainlab's search runs on: {}\n", instruction_set())?;
    writeln!(
        out,
        "{:<10}{:<15}{:>12}{:>10}   expected time to a proof of so many bits",
        "rule", "loop", "million", "times"
    )?;
    writeln!(
        out,
        "{:<10}{:<15}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "", "", "hashes/s", "naive", "16", "24", "32", "40"
    )?;

    let mut lost = Vec::new();
    for (rule, challenge) in loops::rules(35293) {
        let rates =
            turns.measure(&CANDIDATES, |i, candidates| Loop::ALL[i].run(challenge, FIRST, candidates));
        for (each, rate) in Loop::ALL.into_iter().zip(&rates) {
            let times: String = [16, 24, 32, 40]
                .map(|bits| Target::leading_zero_bits(bits).work().as_f64() / rate)
                .map(|seconds| format!("{:>10}", duration(seconds)))
                .concat();
            let (name, naive) = (each.name(), rate / rates[0]);
            writeln!(out, "{rule:<10}{name:<15}{:>12.2}{naive:>10.1}{times}", rate / 1e6)?;
        }
        let ratio = rates[2] / rates[1];
        writeln!(out, "{:<10}chainlab is {ratio:.2} times single stream\n", "")?;
        if ratio < floor(instruction_set()) {
            lost.push(format!("{rule} on {}", instruction_set()));
        }
    }

    let (rule, challenge) = loops::rules(35293)[0];
    let sets: Vec<_> = InstructionSet::available().collect();
    let rates = turns.measure(&vec![CANDIDATES[1]; 1 + sets.len()], |i, candidates| match i.checked_sub(1) {
        None => Loop::SingleStream.run(challenge, FIRST, candidates),
        Some(i) => loops::search_on(sets[i], challenge, FIRST, candidates),
    });
    let mut line = format!("{rule}, chainlab in times of single stream:");
    for (set, rate) in sets.into_iter().zip(&rates[1..]) {
        let ratio = rate / rates[0];
        write!(line, "  {set} {ratio:.2}")?;
        if ratio < floor(set) {
            lost.push(format!("{rule} on {set}"));
        }
    }
    writeln!(out, "{line}\n")?;
    writeln!(out, "two searches on two threads together: {:.2} times one", turns.two_threads(challenge))?;

    if arguments.check && !lost.is_empty() {
        let lost = lost.join(", ");
        return Err(format!("chainlab's search is so slow that it is not vectorised: {lost}").into());
    }
    Ok(())
}

/// Returns the least that a vectorised search does in times of a single stream, where anybody has measured it.
fn floor(set: InstructionSet) -> f64 {
    match set {
        InstructionSet::Avx512 => 2.0,
        InstructionSet::Avx2 => 0.5,
        InstructionSet::Sha | InstructionSet::Baseline => 0.0,
    }
}

/// How often each loop has its turn: once, if no more are wanted.
struct Turns {
    count: u32,
    interrupt: Interrupt,
}

impl Turns {
    /// Counts so many times as many turns.
    fn times(&self, times: u32) -> impl Iterator<Item = u32> {
        let turns = 0..self.count.saturating_mul(times);
        turns.take_while(|turn| *turn == 0 || !self.interrupt.came())
    }

    /// Measures the hashes a second of several loops that take turns; `run` is told which, and how many candidates to
    /// try.
    fn measure(&self, candidates: &[u64], run: impl Fn(usize, u64)) -> Vec<f64> {
        let mut fastest = vec![f64::INFINITY; candidates.len()];
        for _ in self.times(1) {
            for (i, (candidates, fastest)) in candidates.iter().zip(&mut fastest).enumerate() {
                *fastest = fastest.min(time(|| run(i, *candidates)));
            }
        }
        candidates.iter().zip(fastest).map(|(candidates, fastest)| *candidates as f64 / fastest).collect()
    }

    /// Measures how many times the hashes of one search two searches do in the same time, each on its own thread.
    fn two_threads(&self, challenge: Challenge) -> f64 {
        let search = || Loop::Chainlab.run(challenge, FIRST, CANDIDATES[2]);
        let [mut one, mut two] = [f64::INFINITY; 2];
        // On a busy machine two cores are seldom free at once: many short turns find such a moment, few long ones do
        // not.
        for _ in self.times(5) {
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
