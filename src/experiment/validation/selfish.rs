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
    for (lead, equal_fork, trail) in [(true, false, 0), (false, true, 0), (true, true, 0), (false, false, 1)]
    {
        let stubborn = Stubborn { lead, equal_fork, trail };
        for (power, gamma) in [(0.3, 0.5), (0.4, 0.2)] {
            let published = race::revenue(|race| stubborn.act(race), power, gamma);
            let ways = [("lead", lead), ("equal fork", equal_fork), ("trail", trail > 0)];
            let ways: Vec<_> = ways.iter().filter(|(_, is_on)| *is_on).map(|(way, _)| *way).collect();
            let name = format!("{} stubborn miner of {power}, gamma {gamma}", ways.join(" and "));
            let source = "Nayak et al. 2016: the chain of states of its section 3, computed".into();
            let figures = vec![Published::new("share of the chain", published)];
            models.push(model(name, source, Strategy::Stubborn(stubborn), (power, gamma), figures, effort));
        }
    }
    for (power, gamma) in [(0.35, 0.0), (0.4, 0.5)] {
        let optimal = Optimal::new(power, gamma, 20).expect("the numbers are in their ranges");
        let name = format!("optimal selfish miner of {power}, gamma {gamma}");
        let source = "Sapirshtein et al. 2016: the revenue of the policy, computed for branches of 20".into();
        let figures = vec![Published::new("share of the chain", optimal.revenue())];
        models.push(model(name, source, Strategy::Optimal(optimal), (power, gamma), figures, effort));
    }
    models
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
