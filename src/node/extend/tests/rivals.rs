//! Rivals of the tip, and blocks on top of them, beside the general case.

use super::{super::super::lab, *};
use crate::strategy::{Strategy, Stubborn};

/// Whichever of several rivals it is.
#[test]
fn a_block_on_top_of_a_rival_is_a_common_case() {
    let mut node = node(&Arc::new(rules()));
    let [own, one, other] = [1, 2, 3].map(|miner| grown(node.chain(), miner, 0));
    let tells = |chain: &Blockchain| Message::NewBlock(Told::Chain(chain.clone()));
    for (chain, decide) in [(&own, [false, false]), (&one, [true, false]), (&other, [true, true])] {
        node.handle(START, Input::Message(NodeId::new(1), tells(chain)), &mut Effects::default());
        assert_eq!([&one, &other].map(|rival| node.reorganises(START, &grown(rival, 1, 0))), decide);
    }
    for (rival, next) in [(&one, &other), (&other, &one)] {
        let deciding = grown(rival, 1, 0);
        let late = [&own, next, &deciding].map(|chain| grown(chain, 2, 0));
        let said = [&own, &one, &other, &deciding].into_iter().chain(&late);
        hears(3, said.map(|chain| (0, 1, tells(chain))));
    }
}

#[test]
fn who_keeps_no_rivals_forgets_each() {
    let mut node = node(&Arc::new(rules()));
    node.limits.side_branches = 0;
    let [own, rival] = [1, 2].map(|miner| grown(node.chain(), miner, 0));
    let said = [&own, &rival, &grown(&rival, 1, 0)];
    hears_as(node, said.map(|chain| (0, 1, Message::NewBlock(Told::Chain(chain.clone())))));
}

/// It goes on where the block is given up that it was in.
#[test]
fn a_payment_of_a_block_that_is_given_up_is_pending_again() {
    let rules = Arc::new(rules());
    let start = grown(node(&rules).chain(), 1, 0);
    let payment = Transaction::new("miner-1", "x", 1).with_nonce(0);
    let own = start.mine_next(&rules, [payment], "miner-1", START).expect("it has coins");
    let rival = grown(&start, 2, 0);
    let said = [&start, &own, &rival, &grown(&rival, 1, 0)];
    hears(3, said.map(|chain| (0, 1, Message::NewBlock(Told::Chain(chain.clone())))));
}

/// A stubborn one does.
#[test]
fn whoever_holds_blocks_back_may_stay_with_its_own() {
    let stubborn = Strategy::Stubborn(Stubborn { trail: 1, ..Stubborn::default() });
    for strategy in [Strategy::Honest, Strategy::Selfish, stubborn] {
        let mut node = lab::node(strategy);
        node.handle(START, Input::LinkLoses(NodeId::new(1), false), &mut Effects::default());
        let [own, rival] = [1, 2].map(|miner| grown(node.chain(), miner, 0));
        let said = [&own, &rival, &grown(&rival, 1, 0)]
            .map(|chain| (0, 1, Message::NewBlock(Told::Chain(chain.clone()))));
        hears_as(node, said);
    }
}

/// A selfish one holds back what it finds, and an honest one shows it.
#[test]
fn whoever_holds_blocks_back_finds_one_as_in_the_general_case() {
    for (strategy, shows) in [(Strategy::Honest, true), (Strategy::Selfish, false)] {
        let mut node = lab::node(strategy);
        node.handle(START, Input::LinkLoses(NodeId::new(1), false), &mut Effects::default());
        node.handle(START, Input::Command(Ticket(1), Command::StartMining), &mut Effects::default());
        for _ in 0..3 {
            let search = node.current_search().expect("it mines");
            let effects = handles_as_at_length(&mut node, START, Input::Found(search, 0)).unwrap();
            let is_news = |effect: &Effect| matches!(effect, Effect::Relay { .. });
            assert_eq!(effects.to_do.iter().any(is_news), shows);
        }
    }
}
