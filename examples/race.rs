//! Miners of different power race for a few seconds. Blocks take a while to travel, so that forks appear; the branch with
//! more work wins, and whoever mined on the other reorganises. In the end every miner's share of the attempts stands
//! beside its share of the blocks.
//!
//! `cargo run --release --example race`; with `-- --help` it tells what can be changed. Ctrl-C ends the race early.

#[path = "shared/end.rs"]
mod end;
#[path = "shared/interrupt.rs"]
mod interrupt;
#[path = "shared/values.rs"]
mod values;

use std::{
    collections::VecDeque,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use chainlab::{
    Difficulty, Event, Happening, Network, Report, Retarget, Rules,
    network::{Events, HashRate},
    picture::ForkTree,
    pow::Target,
    wire::{Latency, Link, Topology},
};
use clap::{Parser, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use interrupt::Interrupt;

/// The names of the first miners; the others have that of their nodes.
const NAMES: [&str; 4] = ["ant", "bee", "cat", "dog"];

/// How long the miners have to agree once the race is over.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many blocks there are in the picture of the end: so many have room in a window.
const SHOWN: u64 = 12;

/// Has miners of different power race, and tells who won how much.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many miners there are, in a ring: the second is twice as strong as the first, the third three times, and on.
    #[arg(long, default_value_t = 4, value_parser = value_parser!(u32).range(1..=10_000))]
    nodes: u32,
    /// How many seconds they race.
    #[arg(long, default_value = "5", value_parser = values::seconds)]
    seconds: Duration,
    /// The seconds from block to block, which the difficulty keeps to.
    #[arg(long, default_value = "0.05", value_parser = values::seconds)]
    interval: Duration,
    /// The seconds that a message takes from a miner to the next.
    #[arg(long, default_value = "0.005", value_parser = values::seconds)]
    latency: Duration,
    /// How many thousand attempts the weakest miner makes a second. The default is far below what a thread can do, so
    /// that the shares hold on a busy machine too.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    attempts: u64,
}

impl Arguments {
    /// The thousands of attempts a second of each miner.
    fn powers(&self) -> impl Iterator<Item = u64> {
        (1..=u64::from(self.nodes)).map(|times| times * self.attempts)
    }
}

fn main() -> ExitCode {
    end::with(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (network, events) = network(arguments)?;
    let network = Arc::new(network);
    let interrupt = {
        let network = Arc::clone(&network);
        // Whoever waits for a node then waits no longer, and the report remains.
        Interrupt::listen(move || drop(network.shutdown()))?
    };
    let mut tape = Tape::default();
    let raced = race(&network, &events, arguments, &interrupt, &mut tape);
    if !interrupt.came() {
        raced?;
    }
    print(&network.report(), &mut io::stdout())?;
    network.shutdown()?;
    events.into_iter().for_each(|event| tape.keep(event));
    writeln!(io::stdout(), "\nThe last blocks, and what was mined on what:\n\n{}", tape.tree())?;
    Ok(())
}

fn network(arguments: &Arguments) -> Result<(Network, Events), Box<dyn Error>> {
    let spacing = arguments.interval;
    // As many hashes as all miners together make in that time.
    let hashes =
        (arguments.powers().map(u128::from).sum::<u128>()).saturating_mul(spacing.as_micros()) / 1000;
    let easiest = Target::leading_zero_bits(8);
    let retarget = Retarget::new(Target::from_expected_hashes(hashes).min(easiest), 32, spacing)?;
    let retarget = retarget.with_easiest_target(easiest)?.with_back_max(spacing);
    let network = Network::new(Rules { difficulty: Difficulty::Retargeted(retarget), ..Rules::sealed() });
    let events = network.events();
    for miner in 0..arguments.nodes as usize {
        match NAMES.get(miner) {
            Some(name) => network.spawn_named(*name)?,
            None => network.spawn()?,
        };
    }
    network.join(&Topology::Ring)?;
    network.set_default_link(Link::default().with_latency(Latency::fixed(arguments.latency)));
    Ok((network, events))
}

fn race(
    network: &Network,
    events: &Events,
    arguments: &Arguments,
    interrupt: &Interrupt,
    tape: &mut Tape,
) -> Result<(), Box<dyn Error>> {
    let Arguments { seconds, interval, latency, .. } = arguments;
    let mut out = io::stdout();
    writeln!(
        out,
        "A block every {interval:?}, {latency:?} from miner to miner in a ring, for {seconds:?}.\n"
    )?;
    for (node, attempts) in network.nodes().into_iter().zip(arguments.powers()) {
        network.start_mining(node, HashRate::per_second(1e3 * attempts as f64)?)?;
    }
    // The bar shows itself in a terminal only.
    let style = ProgressStyle::with_template("{bar:30} {elapsed} {msg}")?;
    let progress = ProgressBar::new(u64::try_from(seconds.as_millis()).unwrap_or(u64::MAX)).with_style(style);
    while progress.elapsed() < *seconds && !interrupt.came() {
        if let Some(event) = events.next_timeout(Duration::from_millis(50)) {
            if let Happening::Mined { position, .. } = event.what {
                progress.set_message(format!("block {position}"));
            }
            if let Some(line) = told(network, &event)? {
                progress.suspend(|| writeln!(out, "{line}"))?;
            }
            tape.keep(event);
        }
        progress.set_position(progress.elapsed().as_millis() as u64);
    }
    progress.finish_and_clear();
    for node in network.nodes() {
        network.stop_mining(node)?;
    }
    // Two tips may be equally good. Whoever mines a block more breaks the tie.
    let miner = network.nodes()[0];
    while network.settle(PATIENCE.saturating_add(latency.saturating_mul(arguments.nodes))).is_err() {
        network.mine(miner)?;
    }
    Ok(())
}

/// Who takes part, and what happened lately.
#[derive(Default)]
struct Tape {
    joined: Vec<Event>,
    recent: VecDeque<Event>,
}

impl Tape {
    /// Keeps an event. However long the race, only so many are kept as the last blocks may bring about.
    fn keep(&mut self, event: Event) {
        if matches!(event.what, Happening::Joined { .. }) {
            return self.joined.push(event);
        }
        self.recent.push_back(event);
        if self.recent.len() > 100_000 {
            self.recent.pop_front();
        }
    }

    /// The tree of the last blocks.
    fn tree(&self) -> ForkTree {
        let position = |event: &Event| match event.what {
            Happening::Mined { position, .. } | Happening::Accepted { position, .. } => Some(position),
            _ => None,
        };
        let last = self.recent.iter().filter_map(position).max().unwrap_or(0);
        let is_shown = |event: &&Event| position(event).is_none_or(|position| position + SHOWN > last);
        ForkTree::from_events(self.joined.iter().chain(self.recent.iter().filter(is_shown)))
    }
}

/// A line for what is worth telling: a fork that ends.
fn told(network: &Network, event: &Event) -> Result<Option<String>, Box<dyn Error>> {
    let name = network.name(event.node)?;
    Ok(match event.what {
        Happening::Reorganised { abandoned, adopted, old_tip } => Some(format!(
            "{name} gives up {abandoned} block(s) with tip {old_tip:.8} and takes {adopted} instead",
        )),
        _ => None,
    })
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nminer  attempts  share  mined  in the chain  share of the chain")?;
    for node in &report.nodes {
        writeln!(
            out,
            "{:<5} {:>9} {:>5.1}% {:>6} {:>13} {:>18.1}%",
            node.name,
            node.attempts,
            100.0 * node.attempts_share,
            node.mined,
            node.in_chain,
            100.0 * node.chain_share,
        )?;
    }
    let (mined, stale, rate) = (report.mined, report.stale, 100.0 * report.stale_rate);
    writeln!(out, "\n{mined} blocks were mined, and {stale} of them went stale ({rate:.1}%).")?;
    for (depth, count) in &report.reorganisations {
        writeln!(out, "Reorganisations by which a miner gave up {depth} block(s): {count}.")?;
    }
    let slowest = &report.propagation.to_all;
    if slowest.count > 0 {
        let (median, max) = (slowest.median, slowest.max);
        writeln!(out, "Until all had a block it took {median:.1?} in the median, {max:.1?} at most.")?;
    }
    Ok(())
}
