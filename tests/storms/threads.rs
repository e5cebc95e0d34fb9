//! Storms over threads, on the wall clock.

use std::{ops::Range, sync::Arc, time::Duration};

use chainlab::{
    Network, Rules,
    network::{Clock, Config},
};

use crate::{
    random::Random,
    rules::{limits, notebook_rules, sealed_rules},
    storm::{self, Scale},
    watchdog::Log,
};

const TICK: Duration = Duration::from_millis(1);

/// Five to forty nodes by the sealed rules.
pub(crate) fn sealed(seed: u64, log: &Log) {
    let mut random = Random::new(seed);
    let network = network(&mut random, sealed_rules(TICK, seed), log);
    storm::sealed(&network, random, scale(5..41), log);
    assert_eq!(network.shutdown(), Ok(()));
}

/// Three to twelve nodes by the notebook's rules.
pub(crate) fn notebook(seed: u64, log: &Log) {
    let mut random = Random::new(seed);
    let network = network(&mut random, notebook_rules(), log);
    storm::notebook(&network, random, scale(3..13), log);
    assert_eq!(network.shutdown(), Ok(()));
}

fn scale(nodes: Range<usize>) -> Scale {
    Scale { nodes, steps: 80..240, tick: TICK, rates: 20..100 }
}

/// A network whose nodes wait and keep little, some of them by clocks that are wrong.
fn network(random: &mut Random, rules: Rules, log: &Log) -> Arc<Network> {
    let limits = limits(random, TICK);
    let unread_max = if random.percent(20) { 8 } else { 1024 };
    // Some clocks are ahead of others by more than a block may be.
    let skew = if random.percent(30) { 20 * random.below(1000) as u64 } else { 0 };
    let wall = Clock::wall();
    let clock = Clock::given(move |node| {
        wall.now(node) + Duration::from_micros(skew * (node.index() % 4) as u64 / 3)
    });
    let seed = random.next();
    let config = Config { limits, unread_max, seed, clock, ..Config::default() };
    log.note(format_args!("{limits:?}, unread_max {unread_max}, skew {skew} µs"));
    let network = Arc::new(Network::with_config(rules, config));
    log.watch(&network);
    network
}
