//! An attacker among honest miners who all hear of every block at once.

use std::sync::Arc;

use chainlab::{
    Difficulty, Limits, Node, NodeConfig, NodeId, ProofRule, Rules, Simulation, Time,
    network::{HashRate, Identity},
    pow::Target,
    strategy::{Behaviour, Strategy, TieBreak, Towards},
    wire::Topology,
};

pub(crate) const ATTACKER: NodeId = NodeId::new(0);
const HONEST: u32 = 3;

/// All miners together make so many attempts a second.
const RATE: f64 = 1e6;

/// Rules under which that is a block in ten minutes, and stays so.
pub(crate) fn rules() -> Rules {
    let difficulty = Difficulty::Fixed(Target::from_expected_hashes((RATE * 600.0) as u128));
    Rules { difficulty, ..Rules::bitcoin() }
}

/// A miner of a strategy with `power` of the hash rate, and honest ones of whom `gamma` mine on its block in a tie.
pub(crate) fn attacked(rules: Rules, strategy: Strategy, power: f64, gamma: f64, seed: u64) -> Simulation {
    let simulation = Simulation::new(rules, seed);
    let spawn = |address: &str, behaviour| {
        let address = Some(address.to_owned());
        simulation.spawn_as(Identity { address, behaviour, ..Identity::default() }).unwrap()
    };
    spawn("mallory", Behaviour { strategy, ..Behaviour::default() });
    let tie_break = TieBreak::Towards(Towards::new("mallory", gamma).unwrap());
    for honest in 0..HONEST {
        let behaviour = Behaviour { tie_break: tie_break.clone(), ..Behaviour::default() };
        spawn(&format!("honest-{honest}"), behaviour);
    }
    simulation.join(&Topology::Complete).unwrap();
    for node in simulation.nodes() {
        let share = if node == ATTACKER { power } else { (1.0 - power) / f64::from(HONEST) };
        simulation.start_mining(node, HashRate::per_second(RATE * share).unwrap()).unwrap();
    }
    simulation
}

pub(crate) const START: Time = Time::from_secs(1_000_000);

/// A node to be told things step by step, and its rules, which any proof meets.
pub(crate) fn node(behaviour: Behaviour) -> (Node, Arc<Rules>) {
    let difficulty = Difficulty::Fixed(Target::EASIEST);
    let rules = Rules { proof: ProofRule::Drawn, difficulty, ..Rules::sealed() };
    let rules = Arc::new(rules.started_at(START));
    let (limits, address) = (Limits::default(), "mallory".into());
    let config = NodeConfig { id: NodeId::new(0), rules: Arc::clone(&rules), address, limits, behaviour };
    (Node::with_config(config, START).unwrap(), rules)
}
