//! A network is cut in two, and both halves go on: they mine, and they take transactions. Then the cut heals. One branch
//! dies, its nodes reorganise, and the transactions that only it held are mined once more.
//!
//! `cargo run --release --example partition`

use std::{error::Error, time::Duration};

use chainlab::{
    Blockchain, Difficulty, Genesis, Happening, Network, NodeId, Rules, Transaction, network::Settled,
    pow::Target, wire::Topology,
};

fn main() -> Result<(), Box<dyn Error>> {
    let allocations = [("alice".into(), 100), ("bob".into(), 100)].into();
    let network = Network::new(Rules {
        difficulty: Difficulty::Fixed(Target::leading_hex_zeros(4)),
        genesis: Genesis::Shared { time: None, allocations },
        ..Rules::sealed()
    });
    let events = network.events();
    for _ in 0..6 {
        network.spawn()?;
    }
    network.join(&Topology::Ring)?;
    let (left, right) = (network.nodes()[..3].to_vec(), network.nodes()[3..].to_vec());

    println!("Six nodes in a ring mine two blocks together.");
    mine(&network, left[0], 2)?;
    show(&network)?;

    println!(
        "\nThe cable between nodes 0-2 and nodes 3-5 is cut. Each half takes a transaction and mines on:"
    );
    println!("the left one 2 blocks with alice's, the right one 3 blocks with bob's.");
    network.partition([left.clone(), right.clone()])?;
    let from_alice = Transaction::new("alice", "carol", 30).with_nonce(0);
    let from_bob = Transaction::new("bob", "dave", 20).with_nonce(0);
    network.submit(left[0], from_alice.clone())?;
    network.submit(right[0], from_bob.clone())?;
    mine(&network, left[0], 2)?;
    mine(&network, right[0], 3)?;
    show(&network)?;
    whereabouts(&network, &[&from_alice, &from_bob])?;
    let left_chain = network.chain(left[0])?;
    let right_chain = network.chain(right[0])?;

    println!("\nThe cut heals. The right branch has more work, so that the left one dies.");
    network.heal();
    let settled = settle(&network)?;
    show(&network)?;
    tell_what_died(&settled, &left_chain, &right_chain);
    for event in std::iter::from_fn(|| events.try_next()) {
        if let Happening::Reorganised { abandoned, adopted, .. } = event.what {
            println!("  {} gave up {abandoned} blocks and took {adopted}.", event.node);
        }
    }
    whereabouts(&network, &[&from_alice, &from_bob])?;

    println!("\nAlice's transaction is pending again, so the next block takes it up.");
    mine(&network, left[0], 1)?;
    show(&network)?;
    whereabouts(&network, &[&from_alice, &from_bob])?;
    let chain = network.chain(right[2])?;
    println!("Carol has {}, and dave has {}.", chain.balance("carol"), chain.balance("dave"));
    network.shutdown()?;
    Ok(())
}

/// Mines blocks at a node, each once all who can be reached have the one before.
fn mine(network: &Network, node: NodeId, blocks: usize) -> Result<(), Box<dyn Error>> {
    for _ in 0..blocks {
        network.mine(node)?;
        settle(network)?;
    }
    Ok(())
}

fn settle(network: &Network) -> Result<Settled, Box<dyn Error>> {
    Ok(network.settle(Duration::from_secs(60))?)
}

/// Prints who stands where.
fn show(network: &Network) -> Result<(), Box<dyn Error>> {
    for group in settle(network)?.groups {
        let nodes: Vec<_> = group.nodes.iter().map(|node| node.index().to_string()).collect();
        let (tip, length) = (group.chain.tip_hash(), group.chain.len());
        println!("  nodes {} stand on block {length}, {tip:.8}", nodes.join(" "));
    }
    Ok(())
}

fn tell_what_died(settled: &Settled, left: &Blockchain, right: &Blockchain) {
    for (name, branch) in [("left", left), ("right", right)] {
        let survives = settled.chain().is_some_and(|chain| branch.is_start_of(chain));
        let fate = if survives { "lives on" } else { "is dead" };
        println!("  The {name} branch, {:.8}, {fate}.", branch.tip_hash());
    }
}

/// Prints how many nodes have each transaction in their chain, and how many have it pending.
fn whereabouts(network: &Network, transactions: &[&Transaction]) -> Result<(), Box<dyn Error>> {
    for &transaction in transactions {
        let (mut mined, mut pending) = (0, 0);
        for node in network.nodes() {
            let chain = network.chain(node)?;
            mined += usize::from(chain.iter().any(|block| block.transactions().contains(transaction)));
            pending += usize::from(network.pending(node)?.contains(transaction));
        }
        let sender = transaction.sender();
        println!("  {sender}'s transaction is in the chain of {mined} nodes and pending at {pending}.");
    }
    Ok(())
}
