//! Bitcoin's retarget at its own pace: power comes and goes, and the spacing of blocks comes back.

use std::time::Duration;

use chainlab::{
    Blockchain, Rules, Simulation,
    network::HashRate,
    wire::{Latency, Link, Topology},
};

/// The blocks from retarget to retarget.
const WINDOW: u64 = 2016;
const NODES: u32 = 10;
const SPACING: f64 = 600.0;

fn mine(simulation: &Simulation, attempts: f64) {
    for node in simulation.nodes() {
        simulation.start_mining(node, HashRate::per_second(attempts).unwrap()).unwrap();
    }
}

/// The mean spacing, in seconds, of the last blocks of a chain, of so many windows.
fn spacing(chain: &Blockchain, windows: u64) -> f64 {
    let blocks = windows * WINDOW;
    let seconds = |position| chain.block(position).unwrap().timestamp().rounded_micros() as f64 / 1e6;
    (seconds(chain.len()) - seconds(chain.len() - blocks)) / blocks as f64
}

#[test]
fn the_spacing_comes_back_when_power_doubles_and_halves() {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(1e8 * f64::from(NODES)), 11);
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(500))));
    for _ in 0..NODES {
        simulation.spawn().unwrap();
    }
    simulation.join(&Topology::Complete).unwrap();
    let chain = || simulation.chain(simulation.nodes()[0]).unwrap();
    let mut to = 0;
    let mut run_windows = |windows: u64| {
        to += windows * WINDOW;
        assert!(simulation.run_to_position(to));
        // Until all have heard of it.
        simulation.run_for(Duration::from_secs(1));
    };
    // Four windows have a mean whose relative standard deviation is 1 / √8064, and the target of each follows from the
    // one before, which adds as much of one window: 4 standard deviations are a ninth of all.
    let is_balanced = |windows| {
        let found = spacing(&chain(), windows);
        assert!((found / SPACING - 1.0).abs() < 0.11, "{found} s from block to block");
    };
    mine(&simulation, 1e8);
    run_windows(5);
    is_balanced(4);
    for (attempts, factor) in [(2e8, 0.5), (1e8, 2.0), (0.5e8, 2.0), (4e8, 0.125)] {
        mine(&simulation, attempts);
        run_windows(1);
        let found = spacing(&chain(), 1);
        assert!((found / SPACING / factor - 1.0).abs() < 0.12, "{found} s at {attempts} attempts a second");
        // A target follows by a factor of four at most, so that an eightfold power takes two windows.
        run_windows(2 + 4);
        is_balanced(4);
    }
}
