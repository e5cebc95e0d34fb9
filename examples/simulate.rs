//! A thousand nodes for a day, in a second: the same nodes as in a network of threads, under a virtual clock.
//!
//! `cargo run --release --example simulate -- --help` tells what can be changed. With `--scenario g` or `r` it is one of
//! the networks that simulators are compared by. Ctrl-C ends it early, with the report of what was simulated by then.

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
    Difficulty, Limits, Relay, Report, Retarget, Rules, Simulation,
    network::HashRate,
    wire::{BlockCost, Latency, Link, Regions, Topology},
};
use clap::{Parser, ValueEnum, value_parser};
use interrupt::Interrupt;

/// How many attempts each node makes a second.
const ATTEMPTS: f64 = 1e6;

/// Simulates a network of miners and reports on it.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many nodes there are, all with the same hash rate; each opens eight links to others.
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    nodes: u32,
    /// How many blocks are mined: as many as in a day, if it is not said.
    #[arg(long)]
    blocks: Option<u64>,
    /// The seconds from block to block.
    #[arg(long, default_value = "15", value_parser = values::seconds)]
    interval: Duration,
    /// What all randomness follows from: the same seed, the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Takes the interval and the links of a known scenario.
    #[arg(long)]
    scenario: Option<Scenario>,
    /// Carries every block from node to node, instead of replaying those that spread as one before: what other simulators
    /// are held against.
    #[arg(long)]
    carry: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scenario {
    /// A block in 600 s, latencies fixed for each link, evenly from 50 to 150 ms, every block pushed to every peer.
    G,
    /// A block of a megabyte in 600 s, nodes in six regions with their latencies and bandwidths, blocks told of by their
    /// hashes and sent to whoever asks.
    R,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.scenario.is_some() {
        arguments.interval = Duration::from_secs(600);
    }
    end::with(simulate(&arguments))
}

fn simulate(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let &Arguments { nodes, interval, seed, scenario, carry, .. } = arguments;
    let interrupt = Interrupt::listen(|| {})?;
    let mut out = io::stdout();
    let simulation = match scenario {
        Some(Scenario::R) => in_regions(nodes, interval, seed)?,
        Some(Scenario::G) | None => pushing(nodes, interval, seed)?,
    };
    simulation.set_replays(!carry);
    let blocks = arguments.blocks.unwrap_or((86_400.0 / interval.as_secs_f64()).ceil() as u64);
    writeln!(out, "{nodes} nodes mine {blocks} blocks, one in {interval:?}; the seed is {seed}.")?;
    let started = Instant::now();
    for _ in 0..blocks {
        // At the end of time no block is found any more.
        if interrupt.came() || !simulation.run_blocks(1) {
            break;
        }
    }
    let took = started.elapsed();
    let report = simulation.report();
    print(&report, &mut out)?;
    let delivered = f64::from(nodes) * report.mined as f64;
    writeln!(
        out,
        "It took {took:.1?}: {:.2} million blocks delivered a second, {} of the mined ones replayed.",
        delivered / took.as_secs_f64() / 1e6,
        report.replayed
    )?;
    Ok(())
}

/// Nodes that mine, joined by links of 50 to 150 ms.
fn pushing(nodes: u32, interval: Duration, seed: u64) -> Result<Simulation, Box<dyn Error>> {
    let simulation = network(nodes, interval, Relay::Push, seed)?;
    let latency = Latency::uniform(Duration::from_millis(50), Duration::from_millis(150))?;
    for (one, other) in EIGHT_LINKS.edges(nodes as usize, seed)? {
        let link = Link::default().with_latency(latency.drawn_once(seed, one, other));
        simulation.set_link(one, other, link)?;
        simulation.set_link(other, one, link)?;
    }
    Ok(simulation)
}

/// Nodes that mine in the six regions of 2019.
fn in_regions(nodes: u32, interval: Duration, seed: u64) -> Result<Simulation, Box<dyn Error>> {
    let simulation = network(nodes, interval, Relay::Announce, seed)?;
    simulation.set_regions(Some(Regions::of_2019()));
    simulation.set_block_cost(BlockCost { bytes: Some(1_000_000), ..BlockCost::default() });
    Ok(simulation)
}

const EIGHT_LINKS: Topology = Topology::Random { links: 8 };

fn network(nodes: u32, interval: Duration, relay: Relay, seed: u64) -> Result<Simulation, Box<dyn Error>> {
    let rules = Rules { relay, ..Rules::bitcoin() };
    let retarget = Retarget::new(rules.difficulty.first_target(), 2016, interval)?;
    let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..rules };
    let simulation = Simulation::new(rules.paced_for(f64::from(nodes) * ATTEMPTS), seed);
    // Whoever has asked for a block waits for it, however many others it is sent to before.
    simulation.set_limits(Limits { resolve_timeout: Duration::from_secs(600), ..Limits::default() });
    for _ in 0..nodes {
        let node = simulation.spawn()?;
        simulation.start_mining(node, HashRate::per_second(ATTEMPTS)?)?;
    }
    simulation.join(&EIGHT_LINKS)?;
    Ok(simulation)
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} blocks were mined in {:.0?}.", report.mined, report.duration)?;
    if report.mined == 0 {
        return Ok(());
    }
    let stale = 100.0 * report.stale_rate;
    writeln!(out, "{} of them are in the chain; {stale:.2} % are stale.", report.in_chain)?;
    let spread = &report.propagation;
    if spread.to_all.count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "A block has half of the nodes after {:.0?}, nine in ten after {:.0?}, all after {:.0?} (medians).",
        spread.to_half.median, spread.to_90_percent.median, spread.to_all.median
    )
}
