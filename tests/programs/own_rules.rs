//! Rules of one's own: coins that are scarce, blocks that are small, and a difficulty that follows every four blocks.

use std::{error::Error, time::Duration};

use chainlab::{Difficulty, Genesis, Network, Retarget, Rules, Transaction, pow::Target};

#[test]
fn own_rules() -> Result<(), Box<dyn Error>> {
    let retarget = Retarget::new(Target::leading_zero_bits(8), 4, Duration::from_secs(600))?;
    let rules = Rules {
        difficulty: Difficulty::Retargeted(retarget),
        reward: 2,
        genesis: Genesis::Shared { time: None, allocations: [("treasury".into(), 10)].into() },
        payments_max: 1,
        ..Rules::sealed()
    };
    // What others are to try can be sent to them.
    let text = serde_json::to_string_pretty(&rules)?;
    assert_eq!(serde_json::from_str::<Rules>(&text)?, rules);

    let network = Network::new(rules);
    let (alice, bob) = (network.spawn()?, network.spawn()?);
    network.connect(alice, bob)?;

    // Three payments take three blocks, as each has room for one.
    for recipient in ["school", "museum", "library"] {
        network.submit(alice, Transaction::new("treasury", recipient, 3))?;
    }
    network.mine(alice)?;
    assert_eq!(network.pending(alice)?.len(), 2);
    network.mine(alice)?;
    network.mine(alice)?;
    let chain = network.settle(Duration::from_secs(60))?.chain().cloned().expect("both are live");
    assert_eq!(["treasury", "museum"].map(|address| chain.balance(address)), [1, 3]);
    assert_eq!(chain.balance(&network.address(alice)?), 3 * 2, "three rewards");

    // Four blocks in no time where 30 minutes were wanted: the fifth is four times as hard.
    let (before, after) = (chain.target(), chain.next_target(network.rules()));
    assert_eq!((before.expected_hashes(), after.expected_hashes()), (256, 4 * 256));

    // Nobody can pay what they do not have, and nobody can choose a field that is not there.
    let error = network.submit(bob, Transaction::new("treasury", "bob", 5)).unwrap_err();
    println!("{error}");
    let error = serde_json::from_str::<Rules>(r#"{"preset": "sealed", "rewards": 2}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `rewards`"), "{error}");
    Ok(())
}
