//! A strategy under both drivers: it is a part of the node.

use std::time::Duration;

use chainlab::{
    Driver, Network, NetworkOf, NodeId, Rules, Simulation,
    network::{Config, Identity, RestartFrom},
    pow::Target,
    strategy::{Behaviour, Strategy},
};

const MALLORY: NodeId = NodeId::new(0);
const ALICE: NodeId = NodeId::new(1);

fn rules() -> Rules {
    Rules::sealed().with_first_target(Target::leading_zero_bits(4))
}

/// A selfish miner and an honest one.
fn attacked<D: Driver>(network: &NetworkOf<D>) {
    let address = Some("mallory".to_owned());
    let behaviour = Behaviour { strategy: Strategy::Selfish, ..Behaviour::default() };
    network.spawn_as(Identity { address, behaviour, ..Identity::default() }).unwrap();
    network.spawn().unwrap();
    network.connect(MALLORY, ALICE).unwrap();
}

fn lengths<D: Driver>(network: &NetworkOf<D>) -> [u64; 2] {
    [MALLORY, ALICE].map(|node| network.chain(node).unwrap().len())
}

fn a_lead_is_kept_until_others_find_a_block<D: Driver>(network: &NetworkOf<D>) {
    attacked(network);
    for position in 2..4 {
        assert_eq!(network.mine(MALLORY).unwrap().position, position);
    }
    assert_eq!(lengths(network), [1, 1]);
    network.mine(ALICE).unwrap();
    let settled = network.settle(Duration::from_secs(60)).expect("the longer branch is shown");
    let chain = settled.chain().expect("there are nodes");
    assert_eq!((chain.len(), chain.balance("mallory")), (3, 100));
    assert_eq!(network.report().stale, 1);
}

fn a_restart_loses_what_was_held_back_and_keeps_the_strategy<D: Driver>(network: &NetworkOf<D>) {
    attacked(network);
    network.mine(MALLORY).unwrap();
    network.crash(MALLORY).unwrap();
    network.restart(MALLORY, RestartFrom::Chain).unwrap();
    assert_eq!(network.mine(MALLORY).unwrap().position, 2, "the first was lost");
    assert_eq!(lengths(network), [1, 1]);
}

#[test]
fn among_threads() {
    a_lead_is_kept_until_others_find_a_block(&Network::new(rules()));
    a_restart_loses_what_was_held_back_and_keeps_the_strategy(&Network::new(rules()));
}

#[test]
fn under_a_virtual_clock() {
    for simulation in [Simulation::hashed(rules(), 5), Simulation::new(rules(), 5)] {
        a_lead_is_kept_until_others_find_a_block(&simulation);
    }
    a_restart_loses_what_was_held_back_and_keeps_the_strategy(&Simulation::new(rules(), 5));
}

/// A save holds who behaves how, and nothing of what is held back.
#[test]
fn a_save_keeps_the_strategy() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::new(rules());
    attacked(&network);
    network.mine(MALLORY).unwrap();
    network.save(folder.path()).unwrap();
    let network = Network::load(folder.path(), Config::default()).unwrap();
    assert_eq!(lengths(&network), [1, 1]);
    a_lead_is_shown_after(&network);
}

fn a_lead_is_shown_after(network: &Network) {
    for _ in 0..2 {
        network.mine(MALLORY).unwrap();
    }
    assert_eq!(lengths(network), [1, 1]);
    network.mine(ALICE).unwrap();
    network.settle(Duration::from_secs(60)).expect("the longer branch is shown");
    assert_eq!(lengths(network), [3, 3]);
}
