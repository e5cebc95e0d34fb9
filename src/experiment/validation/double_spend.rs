//! How many double spends are won.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Effort, Model, Published, rules, scenario};

/// Share of the hash rate, confirmations, and how far behind it gives up.
const ATTACKS: [(f64, u64, u64); 5] = [(0.3, 1, 40), (0.3, 2, 40), (0.4, 3, 40), (0.2, 1, 4), (0.4, 6, 10)];

pub(super) fn models(effort: Effort) -> Vec<Model> {
    ATTACKS.map(|(power, confirmations, give_up)| model(power, confirmations, give_up, effort)).into()
}

fn model(power: f64, confirmations: u64, give_up: u64, effort: Effort) -> Model {
    let gives_up = give_up < 40;
    let source = match gives_up {
        true => "Rosenfeld 2014, with gambler's ruin at the deficit, computed",
        false => "Rosenfeld 2014: negative binomial start, then gambler's ruin",
    };
    let published = match gives_up {
        true => chance_with_deficit(power, confirmations, give_up),
        false => chance(power, confirmations),
    };
    let blocks = 3000 * effort.scale();
    Model {
        name: format!("double spend by {power} after {confirmations}, given up {give_up} behind"),
        source: source.into(),
        bridge: "the attacker starts level and has to overtake; Rosenfeld's has a block in advance, and to catch up",
        figures: vec![Published::new("won of all tried", published)],
        replicates: 12,
        run: Box::new(move |seed| {
            let double_spend = json!({
                "merchant": "merchant", "amount": 1, "confirmations": confirmations, "give_up": give_up,
            });
            let genesis = json!({"shared": {"time_ns": null, "allocations": {"attacker": 1_000_000}}});
            let mut rules = rules();
            rules["genesis"] = genesis;
            let more = json!({
                "rules": rules,
                "names": ["attacker", "merchant"],
                "strategies": [{"nodes": [0], "strategy": {"double_spend": double_spend}}],
                "stop": {"blocks": blocks},
            });
            let honest = (1.0 - power) / 3.0;
            let report = scenario(&[power, honest, honest, honest], seed, more).run();
            let spends = report.expect("it was checked when it was read").double_spends;
            vec![spends.won as f64 / spends.tried as f64]
        }),
    }
}

/// The chance to overtake at last, if nobody gives up: when the others have their confirmations the miner has so many
/// blocks with a negative binomial's chance, and from so far behind a gambler's.
fn chance(power: f64, confirmations: u64) -> f64 {
    let odds = power / (1.0 - power);
    let (mut won, mut missing) = (0.0, 1.0);
    // (1 - power)^confirmations, and on from there.
    let mut of_blocks = (0..confirmations).fold(1.0, |product, _| product * (1.0 - power));
    for blocks in 0..=confirmations {
        let to_overtake = confirmations + 1 - blocks;
        won += of_blocks * (0..to_overtake).fold(1.0, |product, _| product * odds);
        missing -= of_blocks;
        of_blocks *= power * (confirmations + blocks) as f64 / (blocks + 1) as f64;
    }
    // With more blocks than the others it has won already.
    won + missing
}

/// The chance to be ahead once the others have the confirmations, before being so far behind: block by block.
fn chance_with_deficit(power: f64, confirmations: u64, give_up: u64) -> f64 {
    let mut races = BTreeMap::from([((0, 0), 1.0)]);
    let mut won = 0.0;
    while !races.is_empty() {
        let mut next = BTreeMap::new();
        for ((secret, others), chance) in races {
            let found = [((secret + 1, others), power), ((secret, others + 1), 1.0 - power)];
            for ((secret, others), part) in found {
                if secret > others && others >= confirmations {
                    won += chance * part;
                } else if others < secret + give_up && chance * part > 1e-14 {
                    *next.entry((secret, others)).or_insert(0.0) += chance * part;
                }
            }
        }
        races = next;
    }
    won
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far behind nobody catches up.
    #[test]
    fn both_are_one_where_nobody_gives_up_in_time() {
        for (power, confirmations) in [(0.1, 2), (0.3, 6), (0.25, 1)] {
            let [closed, stepped] =
                [chance(power, confirmations), chance_with_deficit(power, confirmations, 90)];
            assert!((closed - stepped).abs() < 1e-6, "{power}, {confirmations}: {closed}, {stepped}");
        }
    }

    /// With one confirmation it is gambler's ruin, from wherever the others' first block finds it.
    #[test]
    fn with_one_confirmation_the_chance_is_that_of_a_gambler() {
        for (power, give_up) in [(0.2_f64, 5), (0.4, 10), (0.45, 3)] {
            let odds = (1.0 - power) / power;
            let reach = |behind: i32| (odds.powi(give_up - behind) - 1.0) / (odds.powi(give_up + 1) - 1.0);
            let ahead = |blocks: i32| (1.0 - power) * power.powi(blocks);
            let expected = ahead(0) * reach(1) + ahead(1) * reach(0) + power * power;
            let found = chance_with_deficit(power, 1, give_up as u64);
            assert!((found - expected).abs() < 1e-9, "{power}, {give_up}: {found}, not {expected}");
        }
    }
}
