//! What holding blocks back brings.

use serde_json::json;

use super::{Effort, Model, Published, race, scenario, truth::Truth};
use crate::{
    report::Report,
    strategy::{Optimal, Strategy, Stubborn},
};

const BRIDGE: &str = "all hear of blocks at once, and gamma is the tie-break of three honest miners";

pub(super) fn models(truth: &Truth, effort: Effort) -> Vec<Model> {
    let mut models = Vec::new();
    for row in &truth.eyal_sirer.rows {
        let figures = vec![
            Published::new("share of the chain", row.revenue),
            Published::new("in the chain of all mined", row.main_chain_per_block),
        ];
        let name = format!("selfish miner of {}, gamma {}", row.alpha, row.gamma);
        let source = truth.eyal_sirer.source();
        models.push(model(name, source, Strategy::Selfish, (row.alpha, row.gamma), figures, effort));
    }
    let ways = [(false, false), (true, false), (false, true), (true, true)];
    let all = (0..2).flat_map(|trail| ways.map(|(lead, equal_fork)| Stubborn { lead, equal_fork, trail }));
    // Without any of the ways it is selfish mining.
    for stubborn in all.skip(1) {
        let Stubborn { lead, equal_fork, trail } = stubborn;
        for (power, gamma) in [(0.3, 0.5), (0.4, 0.2)] {
            let closed = closed_form(stubborn, power, gamma);
            let expected = closed.unwrap_or_else(|| race::revenue(|race| stubborn.act(race), power, gamma));
            let ways = [("lead", lead), ("equal fork", equal_fork), ("trail", trail > 0)];
            let ways: Vec<_> = ways.iter().filter(|(_, is_on)| *is_on).map(|(way, _)| *way).collect();
            let name = format!("{} stubborn miner of {power}, gamma {gamma}", ways.join(" and "));
            let source = match closed {
                Some(_) => "Grunspan & Pérez-Marco, arXiv 1808.01041: the revenue ratio in closed form",
                None => "expected: the chain of states of the strategy of Nayak et al. 2016, computed here",
            };
            let figures = vec![Published::new("share of the chain", expected)];
            models.push(model(
                name,
                source.into(),
                Strategy::Stubborn(stubborn),
                (power, gamma),
                figures,
                effort,
            ));
        }
    }
    for (power, gamma) in [(0.35, 0.0), (0.4, 0.5)] {
        let optimal = Optimal::new(power, gamma, 20).expect("the numbers are in their ranges");
        let name = format!("optimal selfish miner of {power}, gamma {gamma}");
        let source = "expected: the revenue of the policy of Sapirshtein et al. 2016, computed here for branches of 20";
        let figures = vec![Published::new("share of the chain", optimal.revenue())];
        models.push(model(name, source.into(), Strategy::Optimal(optimal), (power, gamma), figures, effort));
    }
    models
}

/// The share of the chain of two ways to be stubborn, where it is known in closed form: Grunspan and Pérez-Marco, *On
/// Profitability of Stubborn Mining* (arXiv 1808.01041), with C the generating function of the Catalan numbers.
///
/// What is called equal fork stubborn there is `lead` and `equal_fork` together.
fn closed_form(stubborn: Stubborn, power: f64, gamma: f64) -> Option<f64> {
    let (q, p) = (power, 1.0 - power);
    let catalan = |x: f64| (1.0 - (1.0 - 4.0 * x).sqrt()) / (2.0 * x);
    let c = catalan((1.0 - gamma) * p * q);
    match stubborn {
        Stubborn { lead: true, equal_fork: true, trail: 0 } => {
            Some(q / p - (1.0 - gamma) * (p - q) / (gamma * p) * (1.0 - p * c))
        }
        Stubborn { lead: true, equal_fork: false, trail: 0 } => {
            let whole = p + p * q - q;
            let lost = p * q * (p - q) * (1.0 - gamma) / gamma;
            Some((q * (p + p * q - q * q) - lost * (1.0 - p * (1.0 - gamma) * c)) / whole)
        }
        _ => None,
    }
}

fn model(
    name: String,
    source: String,
    strategy: Strategy,
    (power, gamma): (f64, f64),
    figures: Vec<Published>,
    effort: Effort,
) -> Model {
    let blocks = 2000 * effort.scale();
    let count = figures.len();
    let run = move |seed| {
        let mut figures = attacked(&strategy, power, gamma, blocks, seed);
        figures.truncate(count);
        figures
    };
    Model { name, source, bridge: BRIDGE, figures, replicates: 10, run: Box::new(run) }
}

/// The attacker's share of the chain, and the part of all blocks that is in it.
fn attacked(strategy: &Strategy, power: f64, gamma: f64, blocks: u64, seed: u64) -> Vec<f64> {
    let honest = (1.0 - power) / 3.0;
    let more = json!({
        "names": ["attacker"],
        "strategies": [{"nodes": [0], "strategy": strategy}],
        "tie_breaks": [{"tie_break": {"towards": {"miner": "attacker", "probability": gamma}}}],
        "stop": {"blocks": blocks},
    });
    let scenario = scenario(&[power, honest, honest, honest], seed, more);
    let report: Report = scenario.run().expect("it was checked when it was read");
    vec![report.nodes[0].chain_share, report.in_chain as f64 / report.mined as f64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_are_those_of_the_chain_of_states() {
        for (equal_fork, expected) in [(true, [0.311_281, 0.413_200]), (false, [0.320_294, 0.464_547])] {
            let stubborn = Stubborn { lead: true, equal_fork, trail: 0 };
            for ((power, gamma), expected) in [(0.3, 0.5), (0.4, 0.2)].into_iter().zip(expected) {
                let closed = closed_form(stubborn, power, gamma).unwrap();
                let stepped = race::revenue(|race| stubborn.act(race), power, gamma);
                assert!((closed - expected).abs() < 1e-6, "{stubborn:?}, {power}: {closed}");
                assert!((closed - stepped).abs() < 1e-5, "{stubborn:?}, {power}: {closed}, {stepped}");
            }
        }
    }
}
