//! What a node still knows after a restart.

use std::time::Duration;

use chainlab::{Message, Network, Rules, Simulation, Told, network::RestartFrom, pow::Target};

use crate::common::finishes;

/// Far beyond what any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer that is late from before the crash must not be taken for that to a later question.
#[test]
fn a_restarted_node_numbers_its_questions_on() {
    let simulation = Simulation::new(Rules::sealed(), 1);
    let node = simulation.spawn().unwrap();
    let puppet = simulation.puppet().unwrap();
    simulation.register(node, [puppet]).unwrap();
    let ask = || {
        simulation.resolve(node).unwrap();
        let mut heard = std::iter::from_fn(|| simulation.hear(puppet, Duration::ZERO).unwrap());
        let asked = heard.find_map(|(_, message)| match message {
            Message::ChainRequest { request } => Some(request),
            _ => None,
        });
        asked.expect("it asks all its peers")
    };
    let mut asked = vec![ask()];
    for from in [RestartFrom::Chain, RestartFrom::Genesis] {
        simulation.crash(node).unwrap();
        simulation.restart(node, from).unwrap();
        asked.push(ask());
    }
    assert!(asked.is_sorted_by(|earlier, later| earlier < later), "{asked:?}");
}

#[test]
fn a_restarted_node_tells_and_asks_the_peers_that_it_had() {
    finishes(|| {
        let target = Target::leading_zero_bits(6);
        let network = Network::new(Rules::sealed().with_first_target(target));
        let node = network.spawn().unwrap();
        let peers = [network.puppet().unwrap(), network.puppet().unwrap()];
        network.register(node, peers).unwrap();
        network.mine(node).unwrap();
        let tip = network.chain(node).unwrap();
        for from in [RestartFrom::Chain, RestartFrom::Genesis] {
            network.crash(node).unwrap();
            // Nothing of before the crash is left to be heard.
            peers
                .into_iter()
                .for_each(|puppet| while network.hear(puppet, Duration::ZERO).unwrap().is_some() {});
            network.restart(node, from).unwrap();
            let tells = |message| matches!(message, Message::NewBlock(Told::Chain(chain)) if chain == tip);
            for puppet in peers.into_iter().filter(|_| from == RestartFrom::Chain) {
                let (_, message) = network.hear(puppet, PATIENCE).unwrap().expect("it tells of its tip");
                assert!(tells(message));
            }
            assert_eq!(network.resolve(node).unwrap().silent, peers);
            for puppet in peers {
                let mut heard = std::iter::from_fn(|| network.hear(puppet, Duration::ZERO).unwrap());
                assert!(heard.any(|(_, message)| matches!(message, Message::ChainRequest { .. })));
            }
        }
    });
}
