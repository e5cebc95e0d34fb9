//! Calls that wait: what becomes of them when time is up.

use std::time::Duration;

use chainlab::{
    Difficulty, NodeId, Rules, Simulation,
    network::{CallError, HashRate, NodeError, RestartFrom},
    pow::Target,
    wire::Link,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A node that finds a block in some two weeks, and is paused after a minute.
fn paused() -> (Simulation, NodeId) {
    let difficulty = Difficulty::Fixed(Target::leading_zero_bits(40));
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
    // When it goes on nobody waits for the block any more: it is not found, however long it takes.
    simulation.resume(node).unwrap();
    simulation.run_for(100_000 * 60 * MINUTE);
    assert_eq!(simulation.report().mined, 0);
}

/// To look at a node that stands still has it do nothing: what it was to tell again waits until it goes on.
#[test]
fn a_paused_node_that_is_looked_at_stands_still() {
    let simulation = Simulation::new(Rules::sealed(), 1);
    let [alice, bob] = [(); 2].map(|()| simulation.spawn().unwrap());
    simulation.connect(alice, bob).unwrap();
    simulation.set_link(alice, bob, Link::default().with_loss(1.0).unwrap()).unwrap();
    simulation.mine(alice).unwrap();
    simulation.pause(alice).unwrap();
    simulation.set_link(alice, bob, Link::default()).unwrap();
    simulation.run_for(MINUTE);
    assert_eq!(simulation.snapshot(alice).unwrap().chain.len(), 2);
    simulation.run_for(MINUTE);
    assert_eq!(simulation.chain(bob).unwrap().len(), 1);
    simulation.resume(alice).unwrap();
    simulation.run_for(MINUTE);
    assert_eq!(simulation.chain(bob).unwrap().len(), 2);
}

/// As a node of a thread does, and one that was told to stop.
#[test]
fn a_restarted_node_mines_as_fast_as_it_can() {
    let difficulty = Difficulty::Fixed(Target::leading_zero_bits(12));
    let simulation = Simulation::new(Rules { difficulty, ..Rules::sealed() }, 1);
    let node = simulation.spawn().unwrap();
    simulation.start_mining(node, HashRate::per_second(1.0).unwrap()).unwrap();
    simulation.crash(node).unwrap();
    simulation.restart(node, RestartFrom::Chain).unwrap();
    let start = simulation.now();
    simulation.mine(node).unwrap();
    assert!(simulation.now() < start + Duration::from_secs(1), "4,096 attempts, a million in a second");
}
