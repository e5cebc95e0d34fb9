//! A double spend: mallory pays a shop, waits for the goods, and shows a longer branch in which she never did.

use std::{error::Error, time::Duration};

use chainlab::{Genesis, Message, Network, Rules, Time, Transaction, pow::Target};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn double_spend() -> Result<(), Box<dyn Error>> {
    let genesis = Genesis::Shared { time: None, allocations: [("mallory".into(), 100)].into() };
    let rules = Rules { genesis, ..Rules::sealed().with_first_target(Target::leading_zero_bits(12)) };
    let network = Network::new(rules);
    let (shop, miner) = (network.spawn_named("shop")?, network.spawn_named("miner")?);
    let mallory = network.puppet()?;
    network.connect(shop, miner)?;
    network.connect(shop, mallory)?;

    // The shop hands out the goods at two confirmations.
    let fork = network.chain(shop)?;
    let payment = network.submit(shop, Transaction::new("mallory", "shop", 100))?.transaction;
    network.mine(shop)?;
    network.mine(shop)?;
    let chain = network.wait_until(miner, PATIENCE, |chain| chain.confirmations(&payment) >= 2)?;
    assert_eq!(chain.balance("shop"), 100);

    // In secret mallory has mined three blocks on the block before, in which her coins go to a friend. A block
    // cannot be older than those before it, so that each has the first timestamp that is allowed.
    let double = Transaction::new("mallory", "friend", 100).with_nonce(0);
    let mut secret = fork.mine_next(network.rules(), [double.clone()], "mallory", Time::UNIX_EPOCH)?;
    for _ in 0..2 {
        secret = secret.mine_next(network.rules(), [], "mallory", Time::UNIX_EPOCH)?;
    }
    assert!(secret.is_better_than(&chain, network.rules()));

    // She tells the shop of the last one, and answers when it asks for those before.
    network.say(mallory, shop, Message::NewBlock(secret.clone().into()))?;
    while let Some((from, message)) = network.hear(mallory, PATIENCE)? {
        if let Message::BlocksRequest { request, .. } = message {
            let blocks = secret.clone().into();
            network.say(mallory, from, Message::Blocks { request, after: fork.len(), blocks })?;
            break;
        }
    }

    // All take the branch of more work. The shop has neither the goods nor the coins, and the payment never comes back.
    assert_eq!(network.wait_until(miner, PATIENCE, |chain| *chain == secret)?, secret);
    let chain = network.settle(PATIENCE)?.chain().cloned().expect("the shop and the miner are live");
    assert_eq!((chain.balance("shop"), chain.balance("friend")), (0, 100));
    assert_eq!((chain.confirmations(&payment), chain.confirmations(&double)), (0, 3));
    assert_eq!(network.pending(shop)?, []);
    assert_eq!(network.report().reorganisations.get(&2), Some(&2), "both gave up two blocks");
    Ok(())
}
