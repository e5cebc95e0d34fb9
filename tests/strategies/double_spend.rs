//! Double spends: how many are won, and what they cost.

use std::collections::BTreeMap;

use chainlab::{
    Event, Genesis, Happening, NodeId, Rules,
    strategy::{DoubleSpend, Strategy},
};

use super::lab::{ATTACKER, assert_mean, attacked, rules};

/// The miner's coins from the start.
const COINS: u64 = 1_000_000;

fn with_coins() -> Rules {
    let allocations = BTreeMap::from([("mallory".into(), COINS)]);
    Rules { genesis: Genesis::Shared { time: None, allocations }, ..rules() }
}

/// The chance that a miner with a share of the hash rate wins: block by block it is ahead of the others once they have
/// the confirmations, or `give_up` behind.
fn chance(power: f64, confirmations: u64, give_up: u64) -> f64 {
    let mut races = BTreeMap::from([((0, 0), 1.0)]);
    let mut won = 0.0;
    for _ in 0..2000 {
        let mut next = BTreeMap::new();
        for ((secret, others), chance) in races {
            for (after, chance) in
                [((secret + 1, others), chance * power), ((secret, others + 1), chance * (1.0 - power))]
            {
                let (secret, others) = after;
                if secret > others && others >= confirmations {
                    won += chance;
                } else if others < secret + give_up && chance > 1e-14 {
                    *next.entry(after).or_insert(0.0) += chance;
                }
            }
        }
        races = next;
    }
    won
}

/// The chance of gambler's ruin: to be one ahead before being `give_up` behind, from level.
#[test]
fn with_one_confirmation_the_chance_is_that_of_a_gambler() {
    for (power, give_up) in [(0.2_f64, 5), (0.4, 10), (0.45, 3)] {
        let odds = (1.0 - power) / power;
        // The first block decides whether the gambler starts with one less, or waits one ahead for the others' first.
        let reach = |behind: i32| (odds.powi(give_up - behind) - 1.0) / (odds.powi(give_up + 1) - 1.0);
        // With no block of the others' it cannot win: it goes on until they have one.
        let mut expected = 0.0;
        let mut ahead_chance = 1.0 - power;
        for ahead in 0..400 {
            expected += ahead_chance * if ahead > 1 { 1.0 } else { reach(1 - ahead) };
            ahead_chance *= power;
        }
        let found = chance(power, 1, give_up as u64);
        assert!((found - expected).abs() < 1e-9, "{power}, {give_up}: {found}, not {expected}");
    }
}

/// Nakamoto's and Rosenfeld's model has no giving up, and counts catching up as won. Far behind nobody catches up.
#[test]
fn without_giving_up_it_is_rosenfeld_s_chance_of_overtaking() {
    for (power, confirmations) in [(0.1_f64, 2), (0.3, 6), (0.25, 1)] {
        let (own, theirs) = (power, 1.0 - power);
        // The others have their confirmations: the miner has so many blocks with a negative binomial's chance.
        let mut expected = 0.0;
        let mut blocks_chance = theirs.powi(confirmations);
        for blocks in 0..2000 {
            let behind = confirmations - blocks;
            expected += blocks_chance * if behind < 0 { 1.0 } else { (own / theirs).powi(behind + 1) };
            blocks_chance *= own * f64::from(confirmations + blocks) / f64::from(blocks + 1);
        }
        let found = chance(power, confirmations as u64, 200);
        assert!((found - expected).abs() < 1e-6, "{power}, {confirmations}: {found}, not {expected}");
    }
}

#[test]
fn as_many_are_won_as_the_model_says() {
    for (power, confirmations, give_up) in [(0.2, 1, 4), (0.35, 2, 6), (0.4, 6, 10)] {
        let strategy =
            Strategy::DoubleSpend(DoubleSpend::new("merchant", 1, confirmations, give_up).unwrap());
        let shares: Vec<_> = (1..=8)
            .map(|seed| {
                let simulation = attacked(with_coins(), strategy.clone(), power, 0.0, seed);
                simulation.run_blocks(6000);
                let spends = simulation.report().double_spends;
                assert!(spends.tried > 100, "{spends:?}");
                spends.won as f64 / spends.tried as f64
            })
            .collect();
        let expected = chance(power, confirmations, give_up);
        assert_mean(&shares, expected, &format!("{power}, {confirmations} confirmations, {give_up}"));
    }
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
    assert!(won > 10 && tried - won > 10, "{won} of {tried}");

    let chain = simulation.chain(NodeId::new(1)).unwrap();
    let paid = chain.balance("merchant");
    let stand = 7 * (tried - won);
    // One more may be under way.
    assert!((stand..=stand + 7).contains(&paid), "{paid} of {stand}");
}
