//! A demonstration for a class: two pupils mine at the same time, the longer chain wins, and a cheat is found out.

use std::error::Error;

use chainlab::{Blockchain, Network, Outcome, Rules, Transaction};

#[test]
fn classroom() -> Result<(), Box<dyn Error>> {
    let network = Network::new(Rules::notebook());
    let alice = network.spawn_named("alice")?;
    let bob = network.spawn_named("bob")?;
    network.connect(alice, bob)?;

    // Alice's block holds a payment. Bob mines a block of his own at the same position: a fork.
    let payment = Transaction::new("alice", "carol", 5);
    println!("{}", serde_json::to_string(&network.submit(alice, payment.clone())?)?);
    let forged = network.mine(alice)?;
    println!("alice found the proof {} for block {}", forged.proof, forged.position);
    network.mine(bob)?;

    // Both chains are as long, so each keeps its own.
    assert_eq!(network.resolve(alice)?.outcome, Outcome::Authoritative);
    assert_eq!(network.resolve(bob)?.outcome, Outcome::Authoritative);
    assert_ne!(network.chain(alice)?, network.chain(bob)?);

    // Bob mines one block more. His chain wins, and alice's payment is to be mined again.
    network.mine(bob)?;
    assert_eq!(network.resolve(alice)?.outcome, Outcome::Replaced);
    assert_eq!(network.chain(alice)?, network.chain(bob)?);
    assert!(network.pending(alice)?.contains(&payment));
    network.mine(alice)?;
    let chain = network.chain(alice)?;
    assert_eq!(chain.confirmations(&payment), 1);
    print!("{}", network.report());

    // Whoever changes an old block breaks the link of the block after it.
    let text = chain.to_json();
    assert_eq!(Blockchain::from_json(&text, network.rules())?, chain);
    let bobs_reward = format!("\"recipient\": \"{}\"", network.address(bob)?);
    let tampered = text.replacen(&bobs_reward, "\"recipient\": \"mallory\"", 1);
    let error = Blockchain::from_json(&tampered, network.rules()).unwrap_err();
    println!("{error}");
    assert!(error.to_string().starts_with("block 3: "), "{error}");
    Ok(())
}
