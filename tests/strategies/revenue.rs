//! An attacker's share of the chain, against published figures and against the chain of states that it follows.

use std::collections::BTreeMap;

use chainlab::strategy::{Act, Fork, Optimal, Race, Strategy, Stubborn, selfish};
use serde_json::Value;

use super::lab::{ATTACKER, assert_mean, attacked, rules};

const RUNS: u64 = 8;
const BLOCKS: u64 = 4000;

/// The attacker's share of the chain, and the chain's blocks for each mined one, by run.
fn shares(strategy: &Strategy, power: f64, gamma: f64) -> [Vec<f64>; 2] {
    let run = |seed| {
        let simulation = attacked(rules(), strategy.clone(), power, gamma, seed);
        simulation.run_blocks(BLOCKS);
        let report = simulation.report();
        (report.nodes[ATTACKER.index()].chain_share, report.in_chain as f64 / report.mined as f64)
    };
    let (shares, growths) = (1..=RUNS).map(run).unzip();
    [shares, growths]
}

#[test]
fn selfish_mining_has_the_published_revenue() {
    let published: Value = serde_json::from_str(include_str!("../truth/published.json")).unwrap();
    for row in published["eyal_sirer"]["rows"].as_array().unwrap() {
        let [power, gamma, revenue, growth] =
            ["alpha", "gamma", "R_pool", "main_chain_per_block"].map(|key| row[key].as_f64().unwrap());
        let [shares, growths] = shares(&Strategy::Selfish, power, gamma);
        assert_mean(&shares, revenue, &format!("revenue at {power}, {gamma}"));
        assert_mean(&growths, growth, &format!("growth at {power}, {gamma}"));
    }
}

/// What a policy brings in the long run: the chance of each race, round after round, and the blocks that each step
/// decides. Where all hear of blocks at once nothing else matters.
fn revenue(act: impl Fn(Race) -> Act, power: f64, gamma: f64) -> f64 {
    const LONGEST: u64 = 100;
    const ROUNDS: u32 = 1000;
    let start = Race { secret: 0, others: 0, fork: Fork::Stale };
    let mut chances = BTreeMap::from([(key(start), 1.0)]);
    let (mut own, mut theirs) = (0.0, 0.0);
    for round in 0..ROUNDS {
        let mut next = BTreeMap::new();
        let mut add = |secret, others, fork, chance: f64| {
            *next.entry(key(Race { secret, others, fork })).or_insert(0.0) += chance;
        };
        // By then the chances have settled.
        let counts = if round + 1 < ROUNDS { 0.0 } else { 1.0 };
        for (&(secret, others, fork), &chance) in &chances {
            let fork = [Fork::Stale, Fork::Fresh, Fork::Split][fork];
            let race = Race { secret, others, fork };
            let chosen = if (secret, others) == (0, 0) { Act::Wait } else { act(race) };
            let (by_own, by_theirs) = (chance * power, chance * (1.0 - power));
            match chosen {
                Act::Adopt => {
                    theirs += counts * chance * others as f64;
                    add(1, 0, Fork::Stale, by_own);
                    add(0, 1, Fork::Fresh, by_theirs);
                }
                Act::Override => {
                    own += counts * chance * (others + 1) as f64;
                    add(secret - others, 0, Fork::Stale, by_own);
                    add(secret - others - 1, 1, Fork::Fresh, by_theirs);
                }
                Act::Wait if fork != Fork::Split => {
                    add((secret + 1).min(LONGEST), others, Fork::Stale, by_own);
                    add(secret, others + 1, Fork::Fresh, by_theirs);
                }
                Act::Match | Act::Wait => {
                    own += counts * by_theirs * gamma * others as f64;
                    add((secret + 1).min(LONGEST), others, Fork::Split, by_own);
                    add(secret - others, 1, Fork::Fresh, by_theirs * gamma);
                    add(secret, others + 1, Fork::Fresh, by_theirs * (1.0 - gamma));
                }
            }
        }
        next.retain(|_, chance| *chance > 1e-10);
        chances = next;
    }
    own / (own + theirs)
}

fn key(Race { secret, others, fork }: Race) -> (u64, u64, usize) {
    let fork = match fork {
        Fork::Stale => 0,
        Fork::Fresh => 1,
        Fork::Split => 2,
    };
    (secret, others, fork)
}

#[test]
fn the_chain_of_states_gives_the_published_revenue() {
    let published: Value = serde_json::from_str(include_str!("../truth/published.json")).unwrap();
    for row in published["eyal_sirer"]["rows"].as_array().unwrap() {
        let [power, gamma, expected] = ["alpha", "gamma", "R_pool"].map(|key| row[key].as_f64().unwrap());
        if power > 0.4 {
            // Branches grow longer than what is computed with here.
            continue;
        }
        let found = revenue(selfish, power, gamma);
        assert!((found - expected).abs() < 1e-3, "{power}, {gamma}: {found}, not {expected}");
    }
}

#[test]
fn stubborn_mining_follows_its_chain_of_states() {
    let ways = [(true, false, 0), (false, true, 0), (true, true, 0), (false, false, 1), (true, true, 1)];
    for (lead, equal_fork, trail) in ways {
        let stubborn = Stubborn { lead, equal_fork, trail };
        for (power, gamma) in [(0.3, 0.5), (0.4, 0.2)] {
            let [shares, _] = shares(&Strategy::Stubborn(stubborn), power, gamma);
            let expected = revenue(|race| stubborn.act(race), power, gamma);
            assert_mean(&shares, expected, &format!("{stubborn:?} at {power}, {gamma}"));
        }
    }
}

#[test]
fn optimal_mining_has_the_revenue_of_its_policy() {
    for (power, gamma) in [(0.35, 0.0), (0.4, 0.5)] {
        let optimal = Optimal::new(power, gamma, 20).unwrap();
        let exact = revenue(|race| optimal.act(race), power, gamma);
        assert!((exact - optimal.revenue()).abs() < 1e-3, "{exact} is not {}", optimal.revenue());
        assert!(optimal.revenue() > revenue(selfish, power, gamma));
        let [shares, _] = shares(&Strategy::Optimal(optimal.clone()), power, gamma);
        assert_mean(&shares, optimal.revenue(), &format!("optimal at {power}, {gamma}"));
    }
}
