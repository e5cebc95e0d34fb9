//! A node for tests that look inside.

use std::sync::Arc;

use super::{Limits, Node, NodeConfig};
use crate::{
    Difficulty, ProofRule, Rules,
    message::NodeId,
    pow::Target,
    strategy::{Behaviour, Strategy},
    time::Time,
};

pub(super) const START: Time = Time::from_secs(1_000_000);

/// Rules that any proof meets.
pub(super) fn rules() -> Rules {
    let rules = Rules { proof: ProofRule::Drawn, ..Rules::sealed() };
    Rules { difficulty: Difficulty::Fixed(Target::EASIEST), ..rules }.started_at(START)
}

/// The first node, which follows a strategy.
pub(super) fn node(strategy: Strategy) -> Node {
    let (limits, rules) = (Limits::default(), Arc::new(rules()));
    let behaviour = Behaviour { strategy, ..Behaviour::default() };
    let config = NodeConfig { id: NodeId::new(0), rules, address: "mallory".into(), limits, behaviour };
    Node::with_config(config, START).expect("nothing of the rules is missing")
}

impl Node {
    /// Shows the chain, and those that are kept beside it.
    pub(crate) fn remembered(&self) -> String {
        format!("{:?} {:?} {}", self.chain, self.gossip.side_branches, self.longest_branch)
    }
}
