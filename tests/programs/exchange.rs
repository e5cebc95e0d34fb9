//! The test of an exchange that credits a deposit once six blocks confirm it, and takes no notice of one that is undone.

use std::{error::Error, time::Duration};

use chainlab::{Genesis, Network, Rules, Transaction, network::HashRate, pow::Target, wire::Topology};

const CONFIRMATIONS: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn exchange() -> Result<(), Box<dyn Error>> {
    let genesis = Genesis::Shared { time: None, allocations: [("customer".into(), 100)].into() };
    let rules = Rules { genesis, ..Rules::sealed().with_first_target(Target::leading_zero_bits(12)) };
    let network = Network::new(rules);
    let exchange = network.spawn_named("exchange")?;
    let shop = network.spawn_named("shop")?;
    let miner = network.spawn_named("miner")?;
    network.join(&Topology::Complete)?;

    // Cut off from the others, the exchange sees the deposit confirmed by a block that is not to last.
    network.partition([vec![exchange], vec![shop, miner]])?;
    let deposit = network.submit(exchange, Transaction::new("customer", "hot wallet", 70))?.transaction;
    network.mine(exchange)?;
    assert_eq!(network.chain(exchange)?.confirmations(&deposit), 1);
    let early =
        network.wait_until(exchange, Duration::ZERO, |chain| chain.confirmations(&deposit) >= CONFIRMATIONS);
    assert!(early.is_err(), "one block is not enough");

    // Meanwhile the others mine two blocks without it. When they meet, the deposit is undone, and pending again.
    network.mine(miner)?;
    network.mine(miner)?;
    network.heal();
    network.settle(PATIENCE)?;
    assert_eq!(network.chain(exchange)?.confirmations(&deposit), 0);
    assert!(network.pending(exchange)?.contains(&deposit));

    // The deposit reaches the miner, who mines on. Once six blocks confirm it, the exchange has the coins.
    network.start_mining(miner, HashRate::UNLIMITED)?;
    let chain =
        network.wait_until(exchange, PATIENCE, |chain| chain.confirmations(&deposit) >= CONFIRMATIONS)?;
    network.stop_mining(miner)?;
    assert_eq!((chain.balance("hot wallet"), chain.balance("customer")), (70, 30));

    // The customer has not enough left to pay the shop.
    network.settle(PATIENCE)?;
    let error = network.submit(shop, Transaction::new("customer", "shop", 70)).unwrap_err();
    println!("{error}");
    Ok(())
}
