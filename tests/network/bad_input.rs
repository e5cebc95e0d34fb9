//! Bad input gets a typed error that names the value, and nothing is lost.

use std::sync::Arc;

use chainlab::{
    Happening, Network, NodeId, Rules, SubmitError, Transaction,
    network::{CallError, Identity, NodeError, RegisterError, SpawnError},
};

use crate::common::*;

#[test]
fn unknown_nodes_are_named() {
    let network = Network::new(quick());
    let node = network.spawn().unwrap();
    let stranger = NodeId::new(7);
    let unknown = NodeError::Unknown { node: stranger, nodes: 1 };
    assert_eq!(unknown.to_string(), "node 7 is unknown; the network has 1 node");
    assert_eq!(network.chain(stranger).unwrap_err(), unknown);
    assert_eq!(network.pending(stranger).unwrap_err(), unknown);
    assert_eq!(network.resolve(stranger).unwrap_err(), unknown);
    assert_eq!(network.name(stranger).unwrap_err(), unknown);
    assert_eq!(network.address(stranger).unwrap_err(), unknown);
    assert_eq!(network.mine(stranger).unwrap_err(), CallError::Node(unknown.clone()));
    assert_eq!(network.register(stranger, [node]).unwrap_err(), RegisterError::Node(unknown.clone()));
    assert_eq!(network.register(node, [stranger]).unwrap_err(), RegisterError::Node(unknown));
}

#[test]
fn a_registration_with_a_mistake_registers_nobody() {
    let network = Network::new(quick());
    let [one, other] = [network.spawn().unwrap(), network.spawn().unwrap()];
    let error = network.register(one, [other, one]).unwrap_err();
    assert_eq!(error, RegisterError::Itself { node: one });
    assert_eq!(error.to_string(), "node 0 cannot be registered with itself");
    assert!(network.register(one, [other, NodeId::new(2)]).is_err());
    assert!(network.connect(one, one).is_err());
    assert!(network.register(one, [one; 0]).unwrap().total_nodes.is_empty());
    assert_eq!(network.resolve(one).unwrap().silent, [], "there is nobody to ask");
    network.connect(one, other).unwrap();
    let names = network.register(other, [one; 0]).unwrap().total_nodes;
    assert_eq!(names, [Arc::<str>::from("node-0")]);
}

#[test]
fn rewards_cannot_be_submitted() {
    let network = Network::new(quick());
    let node = network.spawn().unwrap();
    let error = network.submit(node, Transaction::new("0", "me", 1_000_000)).unwrap_err();
    assert_eq!(error, CallError::Refused(SubmitError::Reward));
    assert_eq!(error.to_string(), "transactions from \"0\" are rewards and cannot be submitted");
    assert_eq!(network.pending(node).unwrap(), []);
}

/// An event is kept for as long as nobody reads it, and the notebook's rules let an address be of any length.
#[test]
fn a_lost_transaction_is_cut_to_what_an_event_carries() {
    let network = Network::new(Rules { difficulty: quick().difficulty, ..Rules::notebook() });
    let node = network.spawn().unwrap();
    let events = network.events();
    let long = |letter: &str| letter.repeat(100_000);
    network.submit(node, Transaction::new(long("x"), long("é"), 5)).unwrap();
    network.crash(node).unwrap();
    let lost = std::iter::from_fn(|| events.try_next()).find_map(|event| match event.what {
        Happening::Lost { transaction, .. } => Some(transaction),
        _ => None,
    });
    assert_eq!(lost, Some(Transaction::new("x".repeat(80), "é".repeat(80), 5)));
}

#[test]
fn a_name_that_no_node_can_have_adds_none() {
    let network = Network::new(quick());
    let identity = Identity { name: Some("a\0b".into()), ..Identity::default() };
    let error = network.spawn_as(identity).unwrap_err();
    assert_eq!(error.to_string(), "\"a\\0b\" cannot be a name: it contains a zero byte");
    assert_eq!(network.nodes(), []);
    // A name is given once, and that of a number is for the node of that number.
    let alice = network.spawn_named("alice").unwrap();
    for (name, owner) in [("alice", alice), ("node-7", NodeId::new(7))] {
        for error in [
            network.spawn_named(name),
            network.puppet_as(Identity { name: Some(name.into()), ..Identity::default() }),
        ] {
            let error = error.unwrap_err();
            assert!(
                matches!(&error, SpawnError::NameTaken { name: taken, node } if taken == name && *node == owner)
            );
            assert_eq!(error.to_string(), format!("the name {name:?} is that of {owner}"));
        }
    }
    assert_eq!((network.nodes(), network.find_node("alice")), (vec![alice], Some(alice)));
    // Addresses are the notebook's.
    for number in 1..3 {
        let node = network.spawn().unwrap();
        let address = network.address(node).unwrap();
        let (uuid, last) = address.split_at(32);
        assert!(uuid.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{address}");
        assert_eq!(last, format!("{number:04}"));
    }
}
