//! Everything at once from many threads, and what is promised about agreement and loss.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use chainlab::{Blockchain, Network, Outcome, Placement, Transaction, network::RegisterError};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::common::*;

#[test]
fn fifty_nodes_agree_and_lose_nothing_after_a_storm() {
    for seed in 0..16 {
        println!("seed {seed}");
        finishes(move || storm(seed));
    }
}

fn storm(seed: u64) {
    const NODES: usize = 50;
    const THREADS: u64 = 8;
    const STEPS: u64 = 80;
    let prefix = format!("seed-{seed}");
    let network = Network::with_config(quick(), patient());
    let nodes = spawn(&network, &prefix, NODES);

    let submitted: BTreeSet<Transaction> = thread::scope(|scope| {
        let (network, nodes) = (&network, &nodes);
        let work = move |number: u64| {
            let mut random = Random(seed << 32 | number);
            let mut submitted = Vec::new();
            for step in 0..STEPS {
                let node = nodes[random.below(NODES)];
                match random.below(4) {
                    0 => {
                        let transaction = Transaction::new(format!("sender-{number}"), "recipient", step);
                        let taken = network.submit(node, transaction.clone()).unwrap();
                        assert_eq!(taken.transaction, transaction);
                        assert!(matches!(taken.placement, Placement::InBlock { position } if position >= 2));
                        submitted.push(transaction);
                    }
                    1 => {
                        let forged = network.mine(node).unwrap();
                        assert!(forged.transactions.last().unwrap().is_reward());
                    }
                    2 => {
                        let before = network.chain(node).unwrap();
                        let resolution = network.resolve(node).unwrap();
                        assert_eq!(resolution.silent, []);
                        assert!(resolution.chain.len() >= before.len(), "a chain never gets shorter");
                    }
                    _ => {
                        let peer = nodes[random.below(NODES)];
                        match network.register(node, [peer]) {
                            Ok(registration) => assert!(!registration.total_nodes.is_empty()),
                            Err(error) => assert_eq!(error, RegisterError::Itself { node: peer }),
                        }
                    }
                }
            }
            submitted
        };
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(!submitted.is_empty());

    let longest = nodes.iter().map(|node| network.chain(*node).unwrap().len()).max().unwrap();
    // Every node has answered by now, and each is a thread of its name.
    #[cfg(target_os = "linux")]
    assert_eq!(threads(&prefix).len(), NODES);
    let ahead = nodes[seed as usize % NODES];
    while network.chain(ahead).unwrap().len() <= longest {
        network.mine(ahead).unwrap();
    }
    let agreed = network.chain(ahead).unwrap();
    for &node in nodes.iter().filter(|node| **node != ahead) {
        network.register(node, [ahead]).unwrap();
        assert_eq!(network.resolve(node).unwrap().outcome, Outcome::Replaced);
    }
    assert!(is_valid(&agreed));
    let mined = held(&agreed);
    assert!(mined.values().all(|count| *count == 1), "a transaction is in the chain twice");
    let mut kept: BTreeSet<_> = mined.keys().cloned().collect();
    for &node in &nodes {
        assert_eq!(network.chain(node).unwrap(), agreed);
        let pending = network.pending(node).unwrap();
        let distinct: BTreeSet<_> = pending.iter().cloned().collect();
        assert_eq!(distinct.len(), pending.len(), "a transaction is pending twice");
        assert!(distinct.iter().all(|transaction| !mined.contains_key(transaction)));
        kept.extend(distinct);
    }
    assert_eq!(kept, submitted, "none is lost, and none came from nowhere");
    network.shutdown().unwrap();
    assert_no_thread_is_left(&prefix);
}

/// A small generator, so that a seed tells what each thread did: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// The notebook's `valid_chain`, on a chain's document; two hexadecimal zeros.
fn is_valid(chain: &Blockchain) -> bool {
    let sha256 = |text: String| hex::encode(Sha256::digest(text));
    let document: Value = serde_json::from_str(&chain.to_json()).unwrap();
    let blocks = document["chain"].as_array().unwrap();
    assert_eq!(document["length"], blocks.len());
    blocks.windows(2).all(|pair| {
        let (last, block) = (&pair[0], &pair[1]);
        // The keys are in order, and no string holds a comma or a colon.
        let text = last.to_string().replace(',', ", ").replace(':', ": ");
        let guess = format!("{}{}", last["proof"], block["proof"]);
        block["previous_hash"] == sha256(text) && sha256(guess).starts_with("00")
    })
}

/// How often a chain holds each transaction that is no reward.
fn held(chain: &Blockchain) -> BTreeMap<Transaction, usize> {
    let mut counts = BTreeMap::new();
    for transaction in chain.iter().flat_map(|block| block.transactions()) {
        if !transaction.is_reward() {
            *counts.entry(transaction.clone()).or_insert(0) += 1;
        }
    }
    counts
}
