//! An eclipse: the victim is told nothing that others mine, and nobody hears of what it mines.

use std::time::Duration;

use chainlab::{
    NodeId, Relay, Rules, Simulation,
    network::{HashRate, Identity, RestartFrom},
    strategy::{Behaviour, Eclipse, Strategy},
    wire::{Latency, Link},
};

const VICTIM: NodeId = NodeId::new(0);

/// A victim between two attackers, who have an honest node for a peer each; the victim mines if it `mines`, and all others
/// do.
fn eclipsed(feeds: bool, mines: bool) -> Simulation {
    eclipsed_by(Relay::Push, 0.0, feeds, mines)
}

fn eclipsed_by(relay: Relay, loss: f64, feeds: bool, mines: bool) -> Simulation {
    let simulation = Simulation::new(Rules { relay, ..Rules::bitcoin().paced_for(1e6) }, 5);
    simulation.set_default_link(Link::default().with_loss(loss).unwrap());
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

/// Whatever is told of blocks and lost on the way: all three mine on one branch, but for its rare forks.
#[test]
fn a_victim_is_fed_blocks_that_nobody_else_has() {
    let compact = Relay::Compact { fallback_percent: 50 };
    for (relay, loss) in [
        (Relay::Push, 0.0),
        (Relay::Push, 0.2),
        (Relay::Announce, 0.0),
        (Relay::Announce, 0.2),
        (compact, 0.1),
    ] {
        let simulation = eclipsed_by(relay, loss, true, true);
        let (victim, others) = (simulation.chain(VICTIM).unwrap(), simulation.chain(NodeId::new(3)).unwrap());
        assert_eq!(victim.common_ancestor(&others).unwrap().len(), 1);
        let report = simulation.report();
        let mined: u64 = report.nodes[..3].iter().map(|node| node.mined).sum();
        let slack = if loss > 0.0 { mined / 4 } else { 3 };
        assert!(victim.len() + slack > mined, "{relay}, loss {loss}: {} of {mined}", victim.len());
        let by_attacker = victim.iter().filter(|block| {
            let reward = block.transactions().last().map(|reward| reward.recipient().to_string());
            reward.as_deref() == Some(&*simulation.address(NodeId::new(1)).unwrap())
        });
        assert!(by_attacker.count() > 5);
        // With everybody else an attacker is honest.
        let shown = simulation.chain(NodeId::new(1)).unwrap();
        assert!(shown.common_ancestor(&others).unwrap().len() + 3 > others.len());
    }
}

/// What it lacks it asks for, and its payments go no further.
#[test]
fn a_victim_that_does_not_mine_is_fed_as_well() {
    let simulation = eclipsed(true, false);
    let mined: u64 = simulation.report().nodes[1..3].iter().map(|node| node.mined).sum();
    assert!(mined > 20);
    assert!(len(&simulation, 0) + 3 > mined, "{} of {mined}", len(&simulation, 0));
    let ignored = simulation.report().ignored;
    assert!(ignored.is_empty(), "{ignored:?}");
}

/// The victim has no peer to tell of anything, so that it says nothing by itself.
#[test]
fn an_attacker_that_was_restarted_goes_on_where_its_victim_stands() {
    let latencies = [Duration::ZERO, Duration::from_secs(3600)];
    for (from, latency) in [RestartFrom::Chain, RestartFrom::Genesis].into_iter().zip(latencies) {
        let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 5);
        // A block is found several times until an answer comes.
        simulation.set_default_link(Link::default().with_latency(Latency::fixed(latency)));
        let victim = simulation.spawn().unwrap();
        let strategy = Strategy::Eclipse(Eclipse { victim, feeds: true });
        let behaviour = Behaviour { strategy, ..Behaviour::default() };
        let attacker = simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
        simulation.register(attacker, [victim]).unwrap();
        simulation.start_mining(attacker, HashRate::default()).unwrap();
        simulation.run_blocks(10);
        simulation.run_for(2 * latency);
        let before = simulation.chain(victim).unwrap();
        assert!(before.len() > 9);

        simulation.crash(attacker).unwrap();
        simulation.restart(attacker, from).unwrap();
        simulation.start_mining(attacker, HashRate::default()).unwrap();
        simulation.run_for(2 * latency);
        simulation.run_blocks(5);
        simulation.run_for(2 * latency);
        let after = simulation.chain(victim).unwrap();
        assert!(before.is_start_of(&after), "{from:?}");
        assert!(after.len() > before.len() + 3, "{from:?}: {} after {}", after.len(), before.len());
    }
}

/// A victim that is not there, or not yet, is told nothing.
#[test]
fn a_victim_that_is_not_there_is_told_nothing() {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 5);
    let strategy = Strategy::Eclipse(Eclipse { victim: NodeId::new(u32::MAX), feeds: true });
    let behaviour = Behaviour { strategy, ..Behaviour::default() };
    let attacker = simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
    simulation.start_mining(attacker, HashRate::default()).unwrap();
    simulation.run_blocks(10);
    assert_eq!(simulation.report().messages.sent, 0);

    // A restart does not bring it there.
    simulation.crash(attacker).unwrap();
    simulation.restart(attacker, RestartFrom::Chain).unwrap();
    simulation.start_mining(attacker, HashRate::default()).unwrap();
    simulation.run_blocks(10);
    assert_eq!(simulation.report().messages.sent, 0);
}
