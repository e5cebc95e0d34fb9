//! What happened in a simulation, as lines.

use std::time::Duration;

use chainlab::{NodeId, Rules, Simulation, network::HashRate, report::Recorder, wire::Topology};

/// Whether a subscription is as old as the simulation or younger than some nodes, its lines tell of everything.
#[test]
fn written_events_give_the_simulations_report() {
    let simulation = Simulation::new(Rules::sealed().paced_for(3e3), 7);
    let mine = || {
        let node = simulation.spawn().unwrap();
        simulation.start_mining(node, HashRate::per_second(1e3).unwrap()).unwrap();
        node
    };
    let from_the_start = simulation.events();
    let first = simulation.spawn_named("first").unwrap();
    mine();
    let later = simulation.events();
    mine();
    simulation.join(&Topology::Complete).unwrap();
    simulation.run_for(Duration::from_secs(300));
    simulation.crash(first).unwrap();
    simulation.run_for(Duration::from_secs(300));
    for node in simulation.nodes().into_iter().filter(|node| *node != first) {
        simulation.stop_mining(node).unwrap();
    }
    let best = simulation.settle(Duration::from_secs(60)).unwrap().chain().unwrap().clone();

    let own = simulation.report();
    assert!(own.in_chain > 100 && own.crashes == 1, "{own}");
    let attempts = |node: NodeId| own.nodes[node.index()].attempts;
    for events in [from_the_start, later] {
        let mut lines = Vec::new();
        events.write_to(&mut lines).unwrap();
        let recorder = Recorder::read(&*lines).unwrap();
        let report = recorder.report(simulation.now(), &best, attempts, own.messages.clone());
        assert_eq!(report, own);
    }
}
