//! The notebook from start to clean-up: three nodes register with each other, take a transaction, mine, and settle their
//! conflicts. Each node is a thread where the notebook has a web server; each call stands for one of its requests.
//!
//! `cargo run --release --example three_nodes`

use std::error::Error;

use chainlab::{Network, Rules, Transaction, network::Identity};
use serde::Serialize;

fn main() -> Result<(), Box<dyn Error>> {
    let network = Network::new(Rules::notebook());
    let spawn = |name: &str| network.spawn_as(Identity { name: Some(name.into()), ..Identity::default() });
    let a = spawn("localhost:5000")?;
    let b = spawn("localhost:5001")?;
    let c = spawn("localhost:5002")?;

    println!("# Register the other nodes\n");
    show("POST localhost:5000/nodes/register", network.register(a, [b, c])?)?;
    show("POST localhost:5001/nodes/register", network.register(b, [a, c])?)?;
    // Of equally long chains that of the peer registered first wins: c prefers b's, as it did when the notebook ran.
    show("POST localhost:5002/nodes/register", network.register(c, [b, a])?)?;

    println!("# Make a simple transaction: it is pending, and in no chain yet\n");
    let five = Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5);
    show("POST localhost:5000/transactions/new", network.submit(a, five.clone())?)?;
    show("GET localhost:5000/chain", network.chain(a)?)?;
    resolve_all(&network)?;

    println!("# Mine on the first node: its block takes the transaction up\n");
    let forged = network.mine(a)?;
    show("GET localhost:5000/mine", &forged)?;
    show("GET localhost:5000/chain", network.chain(a)?)?;

    println!("# Mine on the second: two chains of the same length stand side by side\n");
    show("GET localhost:5001/mine", network.mine(b)?)?;
    resolve_all(&network)?;
    show("GET localhost:5001/chain", network.chain(b)?)?;

    println!("# Mine on the third: its chain is the longest, and all take it\n");
    show("GET localhost:5002/mine", network.mine(c)?)?;
    resolve_all(&network)?;
    show("GET localhost:5002/chain", network.chain(c)?)?;

    let taken_up = if forged.transactions.contains(&five) { "held" } else { "did not hold" };
    println!("Block {} of localhost:5000 {taken_up} the transaction of 5.", forged.index);
    println!("{}", whereabouts(&network, &five)?);
    network.shutdown()?;
    Ok(())
}

fn resolve_all(network: &Network) -> Result<(), Box<dyn Error>> {
    for node in network.nodes() {
        show(&format!("GET {}/nodes/resolve", network.name(node)?), network.resolve(node)?)?;
    }
    Ok(())
}

/// Prints the request that the notebook sends, and the answer.
fn show(request: &str, answer: impl Serialize) -> serde_json::Result<()> {
    println!("{request}\n{}\n", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

fn whereabouts(network: &Network, transaction: &Transaction) -> Result<String, Box<dyn Error>> {
    let (mut mined, mut pending) = (Vec::new(), Vec::new());
    for node in network.nodes() {
        if network.chain(node)?.iter().any(|block| block.transactions().contains(transaction)) {
            mined.push(network.name(node)?);
        }
        if network.pending(node)?.contains(transaction) {
            pending.push(network.name(node)?);
        }
    }
    let list = |names: Vec<_>| if names.is_empty() { "no node".into() } else { names.join(", ") };
    Ok(format!("In the end it is in the chain of {}, and pending at {}.", list(mined), list(pending)))
}
