//! Who is not honest does the same under both drivers: random scripts of who finds the next block, for each strategy.

use std::time::Duration;

use chainlab::{
    Driver, NodeId,
    network::{Identity, RestartFrom},
    strategy::{Behaviour, DoubleSpend, Eclipse, Optimal, Strategy, Stubborn},
};

use crate::{
    lab::{Lab, assert_same},
    random::Random,
    scripts::{START, sealed, told},
};

const MALLORY: NodeId = NodeId::new(0);
const VICTIM: NodeId = NodeId::new(3);

/// What is answered where an attack comes to nothing.
const NOTHING_STALE: &str = "0 stale";

/// Mallory between two parts of a line of honest nodes: there is one way from each to each, as otherwise it would be the
/// threads' affair which of two blocks comes first. One part is a node alone, which may be kept apart.
fn attacked<D: Driver>(lab: &Lab<D>, strategy: &Strategy) -> Vec<NodeId> {
    let spawn = |number: u32| {
        let strategy = if number == 0 { strategy.clone() } else { Strategy::Honest };
        let behaviour = Behaviour { strategy, ..Behaviour::default() };
        // Who pays is a sender, who has coins from the start.
        let identity =
            Identity { address: Some(format!("sender-{number}")), behaviour, ..Identity::default() };
        lab.at(START + Duration::from_secs(number.into())).spawn_as(identity).unwrap()
    };
    let nodes: Vec<_> = (0..=3).map(spawn).collect();
    for (one, other) in [(VICTIM, MALLORY), (MALLORY, nodes[1]), (nodes[1], nodes[2])] {
        lab.network.connect(one, other).unwrap();
    }
    nodes
}

/// Who mines a block, and whether mallory fails, is drawn, and each time all messages come before the next. Returns what was
/// answered, where everybody stood after each, and what became of it all. What happened on the way is the threads' affair:
/// of a branch that is shown block by block the next may come before the answer to who asks for the first.
fn attack<D: Driver>(lab: &Lab<D>, strategy: &Strategy, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let nodes = attacked(lab, strategy);
    let mut answers = Vec::new();
    for step in 0..40 {
        let now = START + Duration::from_secs(10 + 100 * step);
        let network = lab.at(now);
        let honest = nodes[1 + random.below(3)];
        match random.below(16) {
            0..8 => answers.push(told(network.mine(MALLORY))),
            8..15 => answers.push(told(network.mine(honest))),
            _ => {
                network.crash(MALLORY).unwrap();
                network.restart(MALLORY, RestartFrom::Chain).unwrap();
            }
        }
        lab.come_to_quiet(now + Duration::from_secs(50));
        answers.extend(nodes.iter().map(|node| told(network.snapshot(*node))));
    }
    let report = lab.network.report();
    answers.push(told(report.double_spends));
    answers.push(format!("{} stale", report.stale));
    answers
}

#[test]
fn attackers_do_the_same() {
    let stubborn = [
        Stubborn { lead: true, ..Stubborn::default() },
        Stubborn { equal_fork: true, ..Stubborn::default() },
        Stubborn { lead: true, equal_fork: true, trail: 1 },
    ];
    let strategies = [
        Strategy::Selfish,
        Strategy::Optimal(Optimal::new(0.4, 0.5, 10).unwrap()),
        Strategy::DoubleSpend(DoubleSpend::new("shop", 7, 2, 4).unwrap()),
        Strategy::Eclipse(Eclipse { victim: VICTIM, feeds: false }),
        Strategy::Eclipse(Eclipse { victim: VICTIM, feeds: true }),
    ];
    for strategy in strategies.into_iter().chain(stubborn.map(Strategy::Stubborn)) {
        let mut stale = 0;
        for seed in 0..4 {
            println!("{strategy:?}, seed {seed}");
            let answers = assert_same!(|lab: &_| attack(lab, &strategy, seed), sealed());
            stale += usize::from(!answers.contains(&NOTHING_STALE.to_owned()));
        }
        assert!(stale > 0, "{strategy:?}: nothing came of it");
    }
}
