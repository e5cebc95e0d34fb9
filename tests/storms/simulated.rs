//! The same storms under the virtual clock.

use std::time::Duration;

use chainlab::Simulation;

use crate::{
    random::Random,
    rules::{limits, notebook_rules, sealed_rules},
    storm::{self, Scale},
    watchdog::Log,
};

/// To the limits of a simulation's nodes as that of the threads is to theirs.
const TICK: Duration = Duration::from_millis(50);

const SCALE: Scale = Scale { nodes: 3..13, steps: 30..150, tick: TICK, rates: 1..4 };

/// Three to twelve nodes by the sealed rules, whose proofs are drawn, but for one seed in four.
pub(crate) fn sealed(seed: u64, log: &Log) {
    let make = if seed.is_multiple_of(4) { Simulation::hashed } else { Simulation::new };
    finds_the_same(seed, || {
        let mut random = Random::new(seed);
        let simulation = make(sealed_rules(TICK, seed), random.next());
        simulation.set_limits(limits(&mut random, TICK));
        storm::sealed(&simulation, random, SCALE, log);
        simulation
    });
}

/// Three to twelve nodes by the notebook's rules, which really search for their proofs.
pub(crate) fn notebook(seed: u64, log: &Log) {
    finds_the_same(seed, || {
        let mut random = Random::new(seed);
        let simulation = Simulation::hashed(notebook_rules(), random.next());
        simulation.set_limits(limits(&mut random, TICK));
        storm::notebook(&simulation, random, SCALE, log);
        simulation
    });
}

/// Runs a storm, and for some seeds once more: the same seed gives the same run.
fn finds_the_same(seed: u64, storm: impl Fn() -> Simulation) {
    let outcome = || {
        let simulation = storm();
        let chain = |node| simulation.chain(node).unwrap().tip_hash();
        (serde_json::to_string(&simulation.report()).unwrap(), chain(simulation.nodes()[0]))
    };
    let first = outcome();
    if seed.is_multiple_of(20) {
        assert_eq!(outcome(), first, "a second run of the same seed");
    }
}
