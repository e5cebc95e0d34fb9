//! What a node still knows after a restart.

use std::time::Duration;

use chainlab::{Message, Network, Rules, Told, network::RestartFrom, pow::Target};

use crate::hands::finishes;

/// Far beyond what any of it takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_restarted_node_tells_and_asks_the_peers_that_it_had() {
    finishes(|| {
        let target = Target::leading_zero_bits(6);
        let network = Network::new(Rules::sealed().with_first_target(target));
        let node = network.spawn().unwrap();
        let puppets = [network.puppet().unwrap(), network.puppet().unwrap()];
        let peers: Vec<_> = puppets.iter().map(|puppet| puppet.id()).collect();
        network.register(node, peers.clone()).unwrap();
        network.mine(node).unwrap();
        let tip = network.chain(node).unwrap();
        for from in [RestartFrom::Chain, RestartFrom::Genesis] {
            network.crash(node).unwrap();
            // Nothing of before the crash is left to be heard.
            puppets.iter().for_each(|puppet| while puppet.try_receive().is_some() {});
            network.restart(node, from).unwrap();
            let tells = |message| matches!(message, Message::NewBlock(Told::Chain(chain)) if chain == tip);
            for puppet in puppets.iter().filter(|_| from == RestartFrom::Chain) {
                let (_, message) = puppet.receive(PATIENCE).expect("it tells of its tip");
                assert!(tells(message));
            }
            assert_eq!(network.resolve(node).unwrap().silent, peers);
            for puppet in &puppets {
                let mut heard = std::iter::from_fn(|| puppet.try_receive());
                assert!(heard.any(|(_, message)| matches!(message, Message::ChainRequest { .. })));
            }
        }
    });
}
