//! Attackers: whom they attack, and those that could not.

use super::{NodeRef, Problem, ScenarioError, prepared::find};
use crate::{
    message::NodeId,
    rules::Rules,
    strategy::{Eclipse, Strategy},
    text::shortened,
    transaction::REWARD_SENDER,
    verbs::Names,
};

/// Finds whom a strategy attacks, and checks what it asks of the rules, whoever follows it.
pub(super) fn find_strategy(
    path: &str,
    strategy: &Strategy<NodeRef>,
    rules: &Rules,
    names: &Names,
    nodes: usize,
) -> Result<Strategy, ScenarioError> {
    match strategy {
        Strategy::DoubleSpend(_) if !rules.accounts => {
            return Err(ScenarioError::new(format!("{path}.double_spend"), Problem::NoAccounts));
        }
        Strategy::DoubleSpend(spend) if **spend.merchant() == *REWARD_SENDER => {
            let problem = Problem::Name { name: shortened(spend.merchant().as_ref()) };
            return Err(ScenarioError::new(format!("{path}.double_spend.merchant"), problem));
        }
        _ => {}
    }
    strategy.with_victim_found(|victim| find(names, victim, nodes, || format!("{path}.eclipse.victim")))
}

/// Checks that a node does not attack itself by a strategy, as it is stated and found.
pub(super) fn check_attacker(
    path: &str,
    stated: &Strategy<NodeRef>,
    found: &Strategy,
    node: NodeId,
    address: &str,
) -> Result<(), ScenarioError> {
    let (field, node) = match (stated, found) {
        (Strategy::Eclipse(Eclipse { victim: named, .. }), Strategy::Eclipse(Eclipse { victim, .. }))
            if *victim == node =>
        {
            ("eclipse.victim", named.clone())
        }
        (Strategy::DoubleSpend(spend), _) if **spend.merchant() == *address => {
            ("double_spend.merchant", NodeRef::Number(node.index() as u64))
        }
        _ => return Ok(()),
    };
    Err(ScenarioError::new(format!("{path}.{field}"), Problem::AttacksItself { node }))
}
