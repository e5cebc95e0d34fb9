//! Miners of different power race for a few seconds. Blocks take a while to travel, so that forks appear; the branch with
//! more work wins, and whoever mined on the other reorganises. In the end every miner's share of the attempts stands
//! beside its share of the blocks.
//!
//! `cargo run --release --example race` or, for another number of seconds, `... --example race -- 20`

use std::{error::Error, time::Duration};

use chainlab::{
    Difficulty, Event, Happening, Network, Report, Retarget, Rules,
    network::{HashRate, Identity},
    pow::Target,
    wire::{Latency, Link, Topology},
};
use indicatif::{ProgressBar, ProgressStyle};

/// The miners, and how many thousand attempts each makes a second. They are far below what a thread can do, so that the
/// shares hold on a busy machine too.
const MINERS: [(&str, u64); 4] = [("ant", 100), ("bee", 200), ("cat", 300), ("dog", 400)];

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(5), |seconds| seconds.parse())?;
    let power: u64 = MINERS.iter().map(|(_, attempts)| attempts).sum();
    let spacing = Duration::from_millis(50);
    // As many hashes as all miners together make in that time.
    let target = Target::from_expected_hashes(u128::from(power) * spacing.as_millis());
    let retarget = Retarget::new(target, 32, spacing)?.with_easiest_target(Target::leading_zero_bits(8))?;
    let network = Network::new(Rules {
        difficulty: Difficulty::Retargeted(retarget.with_back_max(spacing)),
        ..Rules::sealed()
    });
    let events = network.events();
    for (name, _) in MINERS {
        network.spawn_as(Identity { name: Some(name.into()), ..Identity::default() })?;
    }
    network.join(&Topology::Ring)?;
    network.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(5))));
    println!("A block every {spacing:?}, 5 ms from miner to miner in a ring, for {seconds} s.\n");

    for (node, (_, attempts)) in network.nodes().into_iter().zip(MINERS) {
        network.start_mining(node, HashRate::PerMillisecond(attempts))?;
    }
    // The bar shows itself in a terminal only.
    let style = ProgressStyle::with_template("{bar:30} {elapsed} {msg}")?;
    let progress = ProgressBar::new(1000 * seconds).with_style(style);
    while progress.elapsed() < Duration::from_secs(seconds) {
        if let Some(event) = events.next_timeout(Duration::from_millis(50)) {
            if let Happening::Mined { position, .. } = event.what {
                progress.set_message(format!("block {position}"));
            }
            if let Some(line) = told(&network, &event)? {
                progress.suspend(|| println!("{line}"));
            }
        }
        progress.set_position(progress.elapsed().as_millis() as u64);
    }
    progress.finish_and_clear();

    for node in network.nodes() {
        network.stop_mining(node)?;
    }
    // Two tips may be equally good. Whoever mines a block more breaks the tie.
    let miner = network.nodes()[0];
    while network.settle(Duration::from_secs(1)).is_err() {
        network.mine(miner)?;
    }
    summarise(&network.report());
    network.shutdown()?;
    Ok(())
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

fn summarise(report: &Report) {
    println!("\nminer  attempts  share  mined  in the chain  share of the chain");
    for node in &report.nodes {
        println!(
            "{:<5} {:>9} {:>5.1}% {:>6} {:>13} {:>18.1}%",
            node.name,
            node.attempts,
            100.0 * node.attempts_share,
            node.mined,
            node.in_chain,
            100.0 * node.chain_share,
        );
    }
    println!(
        "\n{} blocks were mined, and {} of them went stale ({:.1}%).",
        report.mined,
        report.stale,
        100.0 * report.stale_rate
    );
    for (depth, count) in &report.reorganisations {
        println!("Reorganisations by which a miner gave up {depth} block(s): {count}.");
    }
    let slowest = &report.propagation.to_all;
    if slowest.count > 0 {
        println!(
            "Until all had a block it took {:.1?} in the median, {:.1?} at most.",
            slowest.median, slowest.max
        );
    }
}
