//! Saves while nodes work, while others save, and of networks that gossip.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use chainlab::{BlockHash, Network, Relay, Rules, Transaction, network::Config};

use crate::state::{PATIENCE, State, forked, is_tidy, load, node, quick_notebook, quick_sealed};

#[test]
fn saves_and_loads_at_once_do_not_disturb_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let networks = [forked(quick_notebook()), forked(quick_sealed())];
    let states = networks.each_ref().map(State::of);
    networks[0].save(dir.path()).unwrap();
    thread::scope(|scope| {
        for network in [&networks[0], &networks[0], &networks[1]] {
            scope.spawn(|| (0..8).for_each(|_| network.save(dir.path()).unwrap()));
        }
        for _ in 0..2 {
            scope.spawn(|| (0..16).for_each(|_| assert!(states.contains(&load(dir.path())))));
        }
    });
    assert!(states.contains(&load(dir.path())));
    assert!(is_tidy(dir.path()));
}

/// Every transaction is mined once or pending in each node's snapshot: none is caught between the two.
#[test]
fn what_is_saved_of_a_node_is_of_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let network = Network::new(quick_notebook());
    let miner = network.spawn().unwrap();
    let (submitted, done) = (0..200_u64, AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for amount in submitted {
                network.submit(miner, Transaction::new("rich", "poor", amount)).unwrap();
                if amount % 3 == 0 {
                    network.mine(miner).unwrap();
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            network.save(dir.path()).unwrap();
            let (_, _, found) = load(dir.path()).nodes.remove(0);
            let mined = found.chain.iter().flat_map(|block| block.transactions());
            let transactions = mined.filter(|transaction| !transaction.is_reward()).chain(&found.pending);
            let amounts: Vec<_> = transactions.map(Transaction::amount).collect();
            assert_eq!(amounts, (0..amounts.len() as u64).collect::<Vec<_>>());
        }
    });
}

/// A block that was on its way to a peer when the network was saved reaches it after the load.
#[test]
fn nodes_that_gossip_tell_their_tips_again() {
    let dir = tempfile::tempdir().unwrap();
    let network = forked(quick_sealed());
    network.save(dir.path()).unwrap();
    // As if it had been told just now: the third node is a block ahead of the first, its peer.
    let generation = dir.path().join("generation-1");
    let sums = fs::read_to_string(generation.join("SHA256SUMS")).unwrap();
    let quiet = fs::read_to_string(generation.join("network.json")).unwrap();
    let gossiping = quiet.replace("\"relay\": \"none\"", "\"relay\": \"push\"");
    let [old, new] = [&quiet, &gossiping].map(|text| BlockHash::of(text.as_bytes()).to_string());
    let (lines, _) = sums.rsplit_once("# ").unwrap();
    let lines = lines.replace(&old, &new);
    fs::write(generation.join("network.json"), gossiping).unwrap();
    fs::write(generation.join("SHA256SUMS"), format!("{lines}# {}\n", BlockHash::of(lines.as_bytes())))
        .unwrap();

    let loaded = Network::load(dir.path(), Config::default()).unwrap();
    assert_eq!(loaded.rules(), &Rules { relay: Relay::Push, ..network.rules().clone() });
    let ahead = network.chain(node(2)).unwrap();
    let told = loaded.wait_until(node(0), PATIENCE, |chain| *chain == ahead);
    assert!(told.is_ok(), "the first node was not told of the third one's block");
}
