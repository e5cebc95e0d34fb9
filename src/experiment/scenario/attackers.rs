//! Attackers that could not attack.

use super::{NodeRef, Problem, ScenarioError};
use crate::{
    message::NodeId,
    rules::Rules,
    strategy::{Eclipse, Strategy},
    transaction::REWARD_SENDER,
};

/// Checks what a strategy asks of the rules and of the other nodes, whoever follows it.
pub(super) fn check_strategy(
    path: &str,
    strategy: &Strategy,
    rules: &Rules,
    nodes: usize,
) -> Result<(), ScenarioError> {
    match strategy {
        Strategy::Eclipse(Eclipse { victim, .. }) if victim.index() >= nodes => {
            let node = NodeRef::Number(victim.index() as u64);
            let problem = Problem::UnknownNode { node, nodes };
            Err(ScenarioError::new(format!("{path}.eclipse.victim"), problem))
        }
        Strategy::DoubleSpend(_) if !rules.accounts => {
            Err(ScenarioError::new(format!("{path}.double_spend"), Problem::NoAccounts))
        }
        Strategy::DoubleSpend(spend) if **spend.merchant() == *REWARD_SENDER => {
            let problem = Problem::Name { name: spend.merchant().as_ref().to_owned() };
            Err(ScenarioError::new(format!("{path}.double_spend.merchant"), problem))
        }
        _ => Ok(()),
    }
}

/// Checks that a node does not attack itself.
pub(super) fn check_attacker(
    path: &str,
    strategy: &Strategy,
    node: NodeId,
    address: &str,
) -> Result<(), ScenarioError> {
    let field = match strategy {
        Strategy::Eclipse(Eclipse { victim, .. }) if *victim == node => "eclipse.victim",
        Strategy::DoubleSpend(spend) if **spend.merchant() == *address => "double_spend.merchant",
        _ => return Ok(()),
    };
    let node = NodeRef::Number(node.index() as u64);
    Err(ScenarioError::new(format!("{path}.{field}"), Problem::AttacksItself { node }))
}
