//! A century of Bitcoin with ten thousand nodes, in a minute: how many blocks are stale, and how many theory expects.
//!
//! `cargo run --release --example century -- --help` tells what can be changed. Ctrl-C ends it early, with what was found by
//! then.

#![expect(clippy::disallowed_methods, reason = "it tells how long the simulation took")]

#[path = "shared/end.rs"]
mod end;
#[path = "shared/interrupt.rs"]
mod interrupt;
#[path = "shared/values.rs"]
mod values;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use chainlab::{
    Difficulty, Report, Retarget, Rules, Simulation, Time,
    network::HashRate,
    wire::{Latency, Link, Topology},
};
use clap::{Parser, value_parser};
use interrupt::Interrupt;

/// Blocks come and go for ever here: with the standard allocator it takes a fifth longer, and more.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many attempts each node makes a second.
const ATTEMPTS: f64 = 1e6;
const DAY: Duration = Duration::from_secs(86_400);

/// Simulates a network of equal miners for a century, and holds its stale rate against theory.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many nodes there are, all with the same hash rate; each opens eight links to others.
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..))]
    nodes: u32,
    /// How many days pass.
    #[arg(long, default_value_t = 36_525)]
    days: u32,
    /// The seconds from block to block.
    #[arg(long, default_value = "600", value_parser = values::seconds)]
    interval: Duration,
    /// What all randomness follows from: the same seed, the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Carries every block from node to node, instead of replaying those that spread as one before.
    #[arg(long)]
    carry: bool,
    /// Lets go of blocks that so many and more follow everywhere: a century takes memory for its nodes alone.
    #[arg(long, default_value_t = 100)]
    finality: u64,
}

fn main() -> ExitCode {
    end::with(simulate(&Arguments::parse()))
}

fn simulate(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let &Arguments { nodes, days, interval, seed, carry, finality } = arguments;
    let interrupt = Interrupt::listen(|| {})?;
    let mut out = io::stdout();
    writeln!(out, "{nodes} nodes mine for {days} days, a block in {interval:?}; the seed is {seed}.")?;
    // First, so that there is one network at a time.
    let unheard = unheard(arguments, &interrupt)?;
    let simulation = network(nodes, interval, seed)?;
    simulation.set_replays(!carry);
    simulation.set_finality(finality);
    let started = Instant::now();
    for _ in 0..days {
        // At the end of time no day passes any more.
        if interrupt.came() || simulation.now() == Time::MAX {
            break;
        }
        simulation.run_for(DAY);
    }
    let took = started.elapsed();
    let report = simulation.report();
    print(&report, unheard, &mut out)?;
    writeln!(
        out,
        "It took {took:.1?}: {:.1} million blocks delivered a second, {} of {} blocks replayed.",
        f64::from(nodes) * report.mined as f64 / took.as_secs_f64() / 1e6,
        report.replayed,
        report.mined
    )?;
    Ok(())
}

/// Nodes that mine, joined by links of 50 to 150 ms, each of which always takes the same time.
fn network(nodes: u32, interval: Duration, seed: u64) -> Result<Simulation, Box<dyn Error>> {
    let all = f64::from(nodes) * ATTEMPTS;
    let rules = Rules::bitcoin();
    let retarget = Retarget::new(rules.difficulty.first_target(), 2016, interval)?;
    let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..rules }.paced_for(all);
    let simulation = Simulation::new(rules, seed);
    for _ in 0..nodes {
        let node = simulation.spawn()?;
        simulation.start_mining(node, HashRate::per_second(ATTEMPTS)?)?;
    }
    let topology = Topology::Random { links: 8 };
    simulation.join(&topology)?;
    let latency = Latency::uniform(Duration::from_millis(50), Duration::from_millis(150))?;
    for (one, other) in topology.edges(nodes as usize, seed)? {
        let link = Link::default().with_latency(latency.drawn_once(seed, one, other));
        simulation.set_link(one, other, link)?;
        simulation.set_link(other, one, link)?;
    }
    Ok(simulation)
}

/// How long a block takes to come to a node, on average, in such a network where no two blocks meet. Where two do, nodes that
/// had the rival come to it with the next block, minutes later.
fn unheard(arguments: &Arguments, interrupt: &Interrupt) -> Result<Duration, Box<dyn Error>> {
    let &Arguments { nodes, interval, mut seed, .. } = arguments;
    loop {
        let simulation = network(nodes, interval.max(DAY), seed)?;
        for _ in 0..100 {
            if interrupt.came() {
                break;
            }
            simulation.run_blocks(10);
        }
        let report = simulation.report();
        if report.stale == 0 {
            return Ok(report.propagation.to_each.mean);
        }
        seed = seed.wrapping_add(1);
    }
}

fn print(report: &Report, unheard: Duration, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} blocks were mined, of which {} are stale.", report.mined, report.stale)?;
    if report.mined < 2 {
        // Without two there is no time from block to block to hold anything against.
        return Ok(());
    }
    let mined = report.mined as f64;
    if report.stale == 0 {
        // A Poisson number whose mean is above three is zero less often than once in twenty times.
        return writeln!(out, "None is stale: fewer than {:.4} % are (95 %).", (300.0 / mined).min(100.0));
    }
    // Forks are rare and, but for that they follow from each other, independent: their number is about Poisson's.
    let margin = 1.96 * (report.stale as f64).sqrt() / mined;
    // A rival is found by those who have not heard of a block yet: in its first moments by all, and at last by none.
    let expected = unheard.as_secs_f64() / report.block_intervals.mean.as_secs_f64();
    writeln!(
        out,
        "{:.4} % ± {:.4} % are stale (95 %); to first order, a block that comes to a node after {:.3} s is rivalled by \
         {:.4} %.",
        100.0 * report.stale_rate,
        100.0 * margin,
        unheard.as_secs_f64(),
        100.0 * expected
    )
}
