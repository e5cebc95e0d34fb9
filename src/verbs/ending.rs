//! How a node ends, and how it begins again: what is left, what is lost, and what is recorded of it.

use super::{
    error::{DownCause, NodeError, RestartError},
    state::State,
    view::View,
};
use crate::{
    block::Block,
    blockchain::Blockchain,
    command::Snapshot,
    event::Happening,
    mempool::LossReason,
    message::NodeId,
    node::{Node, NodeConfig},
    time::Time,
    transaction::Transaction,
};

/// What a restarted node begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartFrom {
    /// The chain that it had, as on its disk.
    Chain,
    /// The genesis alone: its disk is lost.
    Genesis,
}

/// What a node's end leaves, and what is recorded of it. What is on the disk survives a crash, and pending transactions
/// are not. A shutdown is the end of all, loses nothing and needs no record.
pub(crate) fn end(node: &Node, cause: DownCause) -> (State, Vec<Happening>) {
    let pending: Vec<_> = node.mempool().iter().cloned().collect();
    let (requests, has_met_victim) = (node.requests(), node.has_met_victim());
    let ended = match &cause {
        DownCause::ShutDown => return (State::Down { cause, pending, requests, has_met_victim }, Vec::new()),
        DownCause::Crashed => Happening::Crashed,
        DownCause::Panicked(message) => Happening::Panicked { message: message.clone() },
    };
    let lost = pending.into_iter().map(lost);
    let state = State::Down { cause, pending: Vec::new(), requests, has_met_victim };
    (state, [ended].into_iter().chain(lost).collect())
}

/// Checks whether a node can be restarted.
pub(crate) fn check_restart(state: &State, node: NodeId) -> Result<(), RestartError> {
    match state {
        State::Down { cause: cause @ DownCause::ShutDown, .. } => {
            Err(NodeError::Down { node, cause: cause.clone() }.into())
        }
        State::Down { .. } => Ok(()),
        State::Live | State::Paused => Err(RestartError::NotDown { node }),
        State::Puppet => Err(NodeError::Puppet { node }.into()),
    }
}

/// Makes what a node is after a restart at a moment: it has the peers that it had, and the victim that it keeps apart, and
/// nothing pending.
pub(crate) fn restarted(view: &impl View, config: NodeConfig, now: Time, from: RestartFrom) -> Node {
    let chain = match from {
        RestartFrom::Chain => view.chain(config.id).clone(),
        RestartFrom::Genesis => Blockchain::started(&config.rules, now),
    };
    let left = Snapshot { chain, pending: Vec::new(), peers: view.peers(config.id).to_vec() };
    let (requests, has_met_victim) = match view.state(config.id) {
        State::Down { requests, has_met_victim, .. } => (*requests, *has_met_victim),
        State::Live | State::Paused | State::Puppet => (0, false),
    };
    let (node, _) = Node::restored(config, left);
    node.numbering_from(requests).having_met_victim(has_met_victim)
}

/// What is recorded of a restart: with a disk is lost what was on its chain and on no other's.
pub(crate) fn restart(view: &impl View, node: NodeId, from: RestartFrom) -> Vec<Happening> {
    let mut recorded = vec![Happening::Restarted];
    if from == RestartFrom::Genesis {
        let chain = view.chain(node);
        let others = view.nodes().filter(|other| *other != node && !view.state(*other).is_puppet());
        let common = others.filter_map(|other| chain.common_ancestor(view.chain(other)));
        let kept = common.map(|common| common.len()).max().unwrap_or(0);
        let transactions = chain.iter_after(kept).flat_map(Block::transactions);
        let payments = transactions.filter(|transaction| !transaction.is_reward());
        recorded.extend(payments.cloned().map(lost));
    }
    recorded
}

fn lost(transaction: Transaction) -> Happening {
    Happening::lost(transaction, LossReason::Crashed)
}
