//! Calls that wait: what becomes of them when time is up.

use std::time::Duration;

use chainlab::{
    Difficulty, MineError, NodeId, Rules, Simulation,
    network::{CallError, HashRate, NodeError},
    pow::Target,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A node that finds nothing in an hour, and is paused after a minute.
fn paused() -> (Simulation, NodeId) {
    let difficulty = Difficulty::Fixed(Target::leading_zero_bits(100));
    let simulation = Simulation::new(Rules { difficulty, ..Rules::sealed() }, 1);
    let node = simulation.spawn().unwrap();
    simulation.at(simulation.now() + MINUTE, move |simulation| simulation.pause(node).unwrap());
    (simulation, node)
}

/// As a node of a thread does: it stands still, and cannot give anything up.
#[test]
fn a_node_that_is_paused_when_the_time_for_a_block_is_up_says_so() {
    let (simulation, node) = paused();
    let start = simulation.now();
    let stands_still = CallError::Node(NodeError::Paused { node });
    assert_eq!(simulation.mine_within(node, 60 * MINUTE), Err(stands_still));
    assert_eq!(simulation.now(), start + 60 * MINUTE);
    // When it goes on nobody waits for the block any more, and it is no longer searched for.
    simulation.resume(node).unwrap();
    assert_eq!(simulation.mine_within(node, MINUTE), Err(CallError::Refused(MineError::TimedOut)));
    simulation.start_mining(node, HashRate::per_second(1e30).unwrap()).unwrap();
    assert!(simulation.run_blocks(1));
    assert_eq!(simulation.report().mined, 1);
}

#[test]
fn what_was_given_up_is_forgotten_in_a_crash() {
    let (simulation, node) = paused();
    assert!(simulation.mine_within(node, 60 * MINUTE).is_err());
    simulation.crash(node).unwrap();
    simulation.restart(node, chainlab::network::RestartFrom::Chain).unwrap();
    simulation.pause(node).unwrap();
    simulation.resume(node).unwrap();
    assert_eq!(simulation.mine_within(node, MINUTE), Err(CallError::Refused(MineError::TimedOut)));
}
