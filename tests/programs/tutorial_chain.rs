//! A chain from the Python tutorial: what its server answered to `GET /chain` is verified, taken over and mined on.

use std::error::Error;

use chainlab::{Blockchain, Network, Rules, network::Identity};

/// The answer, as Python wrote it.
const ANSWER: &str = r#"{"chain": [
    {"index": 1, "previous_hash": 1, "proof": 100, "timestamp": 1507824951.7689593, "transactions": []},
    {"index": 2, "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
        "proof": 35293, "timestamp": 1507824957.4151168, "transactions": [
            {"amount": 1, "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001", "sender": "0"}]},
    {"index": 3, "previous_hash": "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c066555",
        "proof": 35089, "timestamp": 1507824959.2312186, "transactions": [
            {"amount": 1, "recipient": "6066e6f7d27c49129330b4af118a73725002", "sender": "0"}]}
], "length": 3}"#;

#[test]
fn tutorial_chain() -> Result<(), Box<dyn Error>> {
    let chain = Blockchain::from_json(ANSWER, &Rules::notebook())?;
    println!("{} blocks, the last is {}", chain.len(), chain.tip_hash());

    // What Python does not accept is refused here too, with the block and the rule.
    let error = Blockchain::from_json(&ANSWER.replace("35089", "35090"), &Rules::notebook()).unwrap_err();
    println!("{error}");
    assert!(error.to_string().starts_with("block 3: proof 35090 is not met"), "{error}");

    let network = Network::new(Rules::notebook());
    let alice = network.spawn_with_chain(Identity::default(), chain.clone())?;

    // The next block goes on top, and the whole still reads in Python.
    let forged = network.mine(alice)?;
    assert_eq!((forged.position, forged.previous_hash.to_string()), (4, chain.tip_hash().to_string()));
    let text = network.chain(alice)?.to_json();
    assert_eq!(Blockchain::from_json(&text, &Rules::notebook())?.len(), 4);
    println!("{text}");
    Ok(())
}
