//! Double spends: how many are won, and what they cost.

use std::collections::BTreeMap;

use chainlab::{
    Event, Genesis, Happening, NodeId, Rules, Transaction,
    strategy::{DoubleSpend, Strategy},
};

use super::lab::{ATTACKER, attacked, rules};

/// The miner's coins from the start.
const COINS: u64 = 1_000_000;

fn with_coins() -> Rules {
    let allocations = BTreeMap::from([("mallory".into(), COINS)]);
    Rules { genesis: Genesis::Shared { time: None, allocations }, ..rules() }
}

/// What is reported adds up, and agrees with the chain: the merchant has the payments that were not taken back.
#[test]
fn payments_stand_or_are_taken_back() {
    let strategy = Strategy::DoubleSpend(DoubleSpend::new("merchant", 7, 2, 5).unwrap());
    let simulation = attacked(with_coins(), strategy, 0.35, 0.0, 11);
    let events = simulation.events();
    simulation.run_blocks(3000);
    let report = simulation.report();
    let spends = report.double_spends;
    let (mut won, mut stale, mut cost) = (0, 0, 0);
    let ended = std::iter::from_fn(|| events.try_next()).filter_map(|event| match event {
        Event {
            node: ATTACKER, what: Happening::DoubleSpent { won, confirmations, stale, cost }, ..
        } => Some((won, confirmations, stale, cost)),
        _ => None,
    });
    let mut tried = 0;
    for (is_won, confirmations, in_vain, lost) in ended {
        assert!(confirmations >= if is_won { 2 } else { 5 }, "{confirmations}");
        assert_eq!(lost, 50 * in_vain + if is_won { 0 } else { 7 });
        (tried, won) = (tried + 1, won + u64::from(is_won));
        (stale, cost) = (stale + in_vain, cost + lost);
    }
    assert_eq!((spends.tried, spends.won, spends.stale, spends.cost), (tried, won, stale, cost));
    assert!(won > 10 && tried - won > 10 && stale > 10, "{won} of {tried}, {stale} in vain");

    let chain = simulation.chain(NodeId::new(1)).unwrap();
    let paid = chain.balance("merchant");
    let stand = 7 * (tried - won);
    // One more may be under way.
    assert!((stand..=stand + 7).contains(&paid), "{paid} of {stand}");
}

#[test]
fn coins_that_just_suffice_are_spent() {
    let allocations = BTreeMap::from([("mallory".into(), 7)]);
    let rules = Rules { genesis: Genesis::Shared { time: None, allocations }, reward: 0, ..rules() };
    for (amount, tries) in [(7, true), (8, false)] {
        let strategy = Strategy::DoubleSpend(DoubleSpend::new("merchant", amount, 1, 1).unwrap());
        let simulation = attacked(rules.clone(), strategy, 0.3, 0.0, 5);
        simulation.run_blocks(100);
        let report = simulation.report();
        assert_eq!(report.double_spends.tried > 0, tries, "{amount}");
        // Without them it is honest.
        assert!(tries || report.nodes[ATTACKER.index()].in_chain > 0);
    }
}

/// A branch that is held back from before what would be final keeps it from being let go of.
#[test]
fn finality_changes_nothing_of_what_is_held_back() {
    let reports = [false, true].map(|is_final| {
        let strategy = Strategy::DoubleSpend(DoubleSpend::new("merchant", 1, 2, 12).unwrap());
        let simulation = attacked(with_coins(), strategy, 0.45, 0.0, 3);
        if is_final {
            simulation.set_finality(20);
        }
        simulation.run_blocks(5000);
        let chain = simulation.chain(NodeId::new(1)).unwrap();
        assert_eq!(chain.block(2).is_none(), is_final, "old blocks were let go of");
        (chain.tip_hash(), simulation.report().double_spends)
    });
    assert_eq!(reports[0], reports[1]);
}

/// Of its own payments it takes back the next one alone, and mines on whatever it pays besides.
#[test]
fn a_miner_that_pays_otherwise_mines_on() {
    let strategy = Strategy::DoubleSpend(DoubleSpend::new("merchant", 1, 2, 6).unwrap());
    let simulation = attacked(with_coins(), strategy, 0.25, 0.0, 4);
    let events = simulation.events();
    for _ in 0..300 {
        simulation.run_blocks(5);
        let _ = simulation.submit(ATTACKER, Transaction::new("mallory", "somebody", 1));
    }
    assert!(!events.into_iter().any(|event| matches!(event.what, Happening::MiningEnded { .. })));
    let report = simulation.report();
    assert!(report.double_spends.tried > 20, "{:?}", report.double_spends);
    assert!(report.nodes[ATTACKER.index()].mined > 250);
}

/// Whoever never gives up goes on until it is ahead, however far behind.
#[test]
fn a_miner_may_never_give_up() {
    let strategy = Strategy::DoubleSpend(DoubleSpend::new("merchant", 1, 1, u64::MAX).unwrap());
    let simulation = attacked(with_coins(), strategy, 0.3, 0.0, 6);
    simulation.run_blocks(500);
    let spends = simulation.report().double_spends;
    assert_eq!(spends.tried, spends.won);
    assert_eq!(simulation.report().mined, 500);
}
