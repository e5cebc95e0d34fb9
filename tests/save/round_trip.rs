//! What was saved comes back, and takes no more room than it must.

use chainlab::{Network, Rules, Transaction, network::Config};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
};

use crate::state::{State, files, forked, is_tidy, load, node, quick_notebook, quick_sealed};

#[derive(Debug, Clone)]
enum Deed {
    Mine(usize),
    Resolve(usize),
    Register(usize, usize),
    Submit(usize, usize, u64),
    Save,
}

fn deed() -> impl Strategy<Value = Deed> {
    let node = || 0..4_usize;
    prop_oneof![
        3 => node().prop_map(Deed::Mine),
        3 => node().prop_map(Deed::Resolve),
        3 => (node(), node()).prop_map(|(one, other)| Deed::Register(one, other)),
        4 => (node(), 0..5_usize, 1..400_000_u64).prop_map(|(at, from, amount)| Deed::Submit(at, from, amount)),
        1 => Just(Deed::Save),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let tutorial = Rules::tutorial().with_first_target(quick_notebook().difficulty.first_target());
    prop_oneof![Just(quick_notebook()), Just(tutorial), Just(quick_sealed())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_saved_comes_back(rules in rules(), names in btree_set("[^\\x00]{0,9}", 1..=4), deeds in vec(deed(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let network = Network::new(rules);
        for name in names {
            let address = Some(format!("{name}'s"));
            network.spawn_as(chainlab::network::Identity { name: Some(name), address, ..Default::default() }).unwrap();
        }
        let nodes = network.nodes();
        let at = |index: usize| nodes[index % nodes.len()];
        for deed in deeds {
            match deed {
                Deed::Mine(one) => drop(network.mine(at(one)).unwrap()),
                Deed::Resolve(one) => drop(network.resolve(at(one)).unwrap()),
                Deed::Register(one, other) if at(one) == at(other) => {}
                Deed::Register(one, other) => drop(network.register(at(one), [at(other)]).unwrap()),
                // Whether it can be paid is the node's to say.
                Deed::Submit(one, from, amount) => {
                    let miner = network.address(at(from)).unwrap();
                    let sender = if from == 4 { "rich" } else { &*miner };
                    drop(network.submit(at(one), Transaction::new(sender, "é😀\"\\", amount)));
                }
                Deed::Save => network.save(dir.path()).unwrap(),
            }
        }
        network.save(dir.path()).unwrap();
        let saved = State::of(&network);
        let loaded = Network::load(dir.path(), Config::default()).unwrap();
        prop_assert_eq!(&State::of(&loaded), &saved);
        // `current`, the checksums, the network's document, and each chain once.
        prop_assert_eq!(files(dir.path()).len(), 3 + saved.tips().len());
        prop_assert!(is_tidy(dir.path()));

        for node in nodes {
            let before = network.chain(node).unwrap();
            prop_assert_eq!(loaded.mine(node).unwrap().position, before.len() + 1);
            prop_assert!(before.is_start_of(&loaded.chain(node).unwrap()));
        }
    }
}

#[test]
fn loaded_chains_share_what_they_have_in_common() {
    for rules in [quick_notebook(), quick_sealed()] {
        let dir = tempfile::tempdir().unwrap();
        forked(rules).save(dir.path()).unwrap();
        let loaded = Network::load(dir.path(), Config::default()).unwrap();
        let [a, b, c] = [0, 1, 2].map(|number| loaded.chain(node(number)).unwrap());
        assert_eq!((a.len(), b.len(), c.len()), (4, 4, 5));
        for position in 1..=4 {
            let [a, b, c] = [&a, &b, &c].map(|chain| chain.block(position).unwrap());
            assert!(std::ptr::eq(a, b) && std::ptr::eq(a, c), "block {position} is kept more than once");
        }
    }
}

#[test]
fn a_chain_is_saved_as_the_document_that_the_notebook_s_endpoint_returns() {
    let dir = tempfile::tempdir().unwrap();
    let network = forked(quick_notebook());
    network.save(dir.path()).unwrap();
    for number in 0..3 {
        let chain = network.chain(node(number)).unwrap();
        let path = dir.path().join(format!("generation-1/chain-{}-{}.json", chain.len(), chain.tip_hash()));
        assert_eq!(std::fs::read_to_string(path).unwrap(), chain.to_json());
    }
}

#[test]
fn nodes_that_are_down_come_back_running() {
    let dir = tempfile::tempdir().unwrap();
    let network = forked(quick_sealed());
    let before = State::of(&network);
    network.shutdown().unwrap();
    network.save(dir.path()).unwrap();
    assert_eq!(load(dir.path()), before);
}

/// What stays pending is judged like what enters.
#[test]
fn what_a_node_may_hold_a_save_may_hold() {
    let dir = tempfile::tempdir().unwrap();
    let network = Network::new(quick_sealed());
    let [one, other] = [(); 2].map(|()| network.spawn().unwrap());
    network.register(one, [other]).unwrap();
    let pay = |sender: &str, amount| network.submit(one, Transaction::new(sender, "poor", amount));
    pay("rich", 1_000_000).unwrap();
    pay("rich", 0).unwrap_err();
    network.mine(one).unwrap();
    // Whose coins are in a block that is abandoned can still pay, but after the payment that brings them.
    pay("poor", 7).unwrap();
    for _ in 0..2 {
        network.mine(other).unwrap();
    }
    network.resolve(one).unwrap();
    let pending: Vec<_> = network.pending(one).unwrap().iter().map(Transaction::amount).collect();
    assert_eq!(pending, [1_000_000, 7]);
    network.save(dir.path()).unwrap();
    assert_eq!(load(dir.path()), State::of(&network));
}

#[test]
fn every_preset_and_an_empty_network_come_back() {
    for rules in [Rules::notebook(), Rules::tutorial(), Rules::sealed(), Rules::bitcoin()] {
        let dir = tempfile::tempdir().unwrap();
        let network = Network::new(rules);
        network.save(dir.path().join("not/there/yet")).unwrap();
        let loaded = load(&dir.path().join("not/there/yet"));
        assert_eq!(&loaded.rules, network.rules());
        assert_eq!(loaded.nodes, []);
    }
}

/// The limits, like the clock, are the loader's.
#[test]
fn limits_are_those_of_the_loader() {
    let dir = tempfile::tempdir().unwrap();
    forked(quick_notebook()).save(dir.path()).unwrap();
    let limits = chainlab::Limits { mempool: 2, ..Default::default() };
    let loaded = Network::load(dir.path(), Config { limits, ..Config::default() }).unwrap();
    assert_eq!(loaded.pending(node(2)).unwrap().len(), 2);
    let more = Transaction::new("rich", "poor", 1);
    assert!(loaded.submit(node(2), more).is_err());
}
