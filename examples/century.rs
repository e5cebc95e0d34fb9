//! A century of Bitcoin with ten thousand nodes, in minutes: how many blocks are stale, and how many theory expects.
//!
//! `cargo run --release --example century -- --help` tells what can be changed.

#![expect(clippy::disallowed_methods, reason = "it tells how long the simulation took")]

use std::{
    error::Error,
    process::ExitCode,
    time::{Duration, Instant},
};

use chainlab::{
    Difficulty, Report, Retarget, Rules, Simulation,
    network::HashRate,
    wire::{Latency, Link, Topology},
};
use clap::Parser;

/// What each node tries, in attempts a millisecond.
const ATTEMPTS: u64 = 1000;

/// Simulates a network of equal miners for years, and holds its stale rate against theory.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many nodes there are, all with the same hash rate; each opens eight links to others.
    #[arg(long, default_value_t = 10_000)]
    nodes: u32,
    /// How many years of 365 days pass.
    #[arg(long, default_value_t = 100.0)]
    years: f64,
    /// The seconds from block to block.
    #[arg(long, default_value_t = 600.0)]
    interval: f64,
    /// What all randomness follows from: the same seed, the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Carries every block from node to node, instead of replaying those that spread as one before.
    #[arg(long)]
    carry: bool,
}

fn main() -> ExitCode {
    match simulate(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let &Arguments { nodes, years, interval, seed, carry } = arguments;
    let simulation = network(nodes, Duration::try_from_secs_f64(interval)?, seed)?;
    simulation.set_replays(!carry);
    let started = Instant::now();
    simulation.run_for(Duration::try_from_secs_f64(years * 365.0 * 86_400.0)?);
    let report = simulation.report();
    let took = started.elapsed();
    print(&report);
    println!(
        "It took {took:.1?}: {:.1} million blocks delivered a second, {} of {} blocks replayed.",
        f64::from(nodes) * report.mined as f64 / took.as_secs_f64() / 1e6,
        report.replayed,
        report.mined
    );
    Ok(())
}

/// Nodes that mine, joined by links of 50 to 150 ms, each of which always takes the same time.
fn network(nodes: u32, interval: Duration, seed: u64) -> Result<Simulation, Box<dyn Error>> {
    let all = f64::from(nodes) * 1000.0 * ATTEMPTS as f64;
    let rules = Rules::bitcoin();
    let retarget = Retarget::new(rules.difficulty.first_target(), 2016, interval)?;
    let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..rules }.paced_for(all);
    let simulation = Simulation::new(rules, seed);
    for _ in 0..nodes {
        let node = simulation.spawn()?;
        simulation.start_mining(node, HashRate::per_second(1e3 * ATTEMPTS as f64).unwrap())?;
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

fn print(report: &Report) {
    let mined = report.mined as f64;
    // Forks are rare and, but for that they follow from each other, independent: their number is about Poisson's.
    let margin = 1.96 * (report.stale as f64).sqrt() / mined;
    // A rival is found by those who have not heard of a block yet: in its first moments by all, and at last by none.
    let unheard = report.propagation.to_each.mean.as_secs_f64();
    let expected = unheard / report.block_intervals.mean.as_secs_f64();
    println!("{} blocks were mined, of which {} are stale.", report.mined, report.stale);
    println!(
        "{:.4} % ± {:.4} % are stale (95 %); to first order, a block that comes to a node after {unheard:.3} s is \
         rivalled by {:.4} %.",
        100.0 * report.stale_rate,
        100.0 * margin,
        100.0 * expected
    );
}
