//! An eclipse: the victim is told nothing that others mine, and nobody hears of what it mines.

use std::time::Duration;

use chainlab::{
    NodeId, Rules, Simulation,
    network::{HashRate, Identity},
    strategy::{Behaviour, Eclipse, Strategy},
};

const VICTIM: NodeId = NodeId::new(0);

/// A victim between two attackers, who have an honest node for a peer each; the victim mines if it `mines`, the attackers
/// if they feed it, and the honest nodes always.
fn eclipsed(feeds: bool, mines: bool) -> Simulation {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 5);
    let rate = HashRate::per_second(2e5).unwrap();
    simulation.spawn().unwrap();
    let strategy = Strategy::Eclipse(Eclipse { victim: VICTIM, feeds });
    let behaviour = Behaviour { strategy, ..Behaviour::default() };
    let attackers = [(); 2].map(|()| {
        let identity = Identity { behaviour: behaviour.clone(), ..Identity::default() };
        simulation.spawn_as(identity).unwrap()
    });
    let honest = [(); 2].map(|()| simulation.spawn().unwrap());
    simulation.connect(honest[0], honest[1]).unwrap();
    for (attacker, honest) in attackers.into_iter().zip(honest) {
        simulation.connect(attacker, VICTIM).unwrap();
        simulation.connect(attacker, honest).unwrap();
        simulation.start_mining(honest, rate).unwrap();
        simulation.start_mining(attacker, rate).unwrap();
    }
    if mines {
        simulation.start_mining(VICTIM, rate).unwrap();
    }
    simulation.run_for(Duration::from_secs(100 * 600));
    simulation
}

fn len(simulation: &Simulation, node: u32) -> u64 {
    simulation.chain(NodeId::new(node)).unwrap().len()
}

#[test]
fn a_victim_that_does_not_mine_stays_at_its_genesis() {
    let simulation = eclipsed(false, false);
    assert_eq!(len(&simulation, 0), 1);
    assert!(len(&simulation, 3) > 50);
    assert_eq!(simulation.chain(NodeId::new(1)).unwrap(), simulation.chain(NodeId::new(3)).unwrap());
}

#[test]
fn a_victim_that_mines_is_alone_with_its_blocks() {
    let simulation = eclipsed(false, true);
    let (victim, others) = (simulation.chain(VICTIM).unwrap(), simulation.chain(NodeId::new(4)).unwrap());
    assert!(victim.len() > 5 && others.len() > victim.len());
    assert_eq!(victim.common_ancestor(&others).unwrap().len(), 1);
    let mined = simulation.report().nodes[VICTIM.index()].mined;
    assert_eq!(victim.len(), 1 + mined, "it has its own blocks and no others");
}

#[test]
fn a_victim_is_fed_blocks_that_nobody_else_has() {
    let simulation = eclipsed(true, true);
    let (victim, others) = (simulation.chain(VICTIM).unwrap(), simulation.chain(NodeId::new(3)).unwrap());
    assert_eq!(victim.common_ancestor(&others).unwrap().len(), 1);
    let report = simulation.report();
    let mined: u64 = report.nodes[..3].iter().map(|node| node.mined).sum();
    // All three mine on one branch, but for its rare forks.
    assert!(victim.len() + 3 > mined, "{} of {mined}", victim.len());
    assert!(victim.iter().any(|block| {
        let reward = block.transactions().last().map(|reward| reward.recipient().to_string());
        reward.as_deref() == Some(&*simulation.address(NodeId::new(1)).unwrap())
    }));
    // With everybody else an attacker is honest.
    assert_eq!(simulation.chain(NodeId::new(1)).unwrap(), others);
}

/// Nothing depends on messages that may be lost but how soon the victim hears: what it lacks it asks for.
#[test]
fn a_victim_asks_its_attackers_for_what_it_lacks() {
    let simulation = eclipsed(true, false);
    let mined: u64 = simulation.report().nodes[1..3].iter().map(|node| node.mined).sum();
    assert!(mined > 20);
    assert!(len(&simulation, 0) + 3 > mined, "{} of {mined}", len(&simulation, 0));
}
