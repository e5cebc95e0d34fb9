//! How a node ends, and how it begins again: what is left, what is lost, and what is recorded of it.

use super::{
    error::DownCause,
    state::{Row, State, chains},
};
use crate::{
    block::Block, event::Happening, mempool::LossReason, message::NodeId, node::Node,
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
pub(super) fn end(node: &Node, cause: DownCause) -> (State, Vec<Happening>) {
    let pending: Vec<_> = node.mempool().iter().cloned().collect();
    let ended = match &cause {
        DownCause::ShutDown => return (State::Down { cause, pending }, Vec::new()),
        DownCause::Crashed => Happening::Crashed,
        DownCause::Panicked(message) => Happening::Panicked { message: message.clone() },
    };
    let lost = pending.into_iter().map(lost);
    (State::Down { cause, pending: Vec::new() }, [ended].into_iter().chain(lost).collect())
}

/// What is recorded of a restart: with a disk is lost what was on its chain and on no other's.
pub(super) fn restart(node: NodeId, from: RestartFrom, rows: &[Row]) -> Vec<Happening> {
    let mut recorded = vec![Happening::Restarted];
    if from == RestartFrom::Genesis {
        let chain = &rows[node.index()].chain;
        let others = chains(&rows[..node.index()]).chain(chains(&rows[node.index() + 1..]));
        let common = others.filter_map(|other| chain.common_ancestor(other));
        let kept = common.map(|common| common.len()).max().unwrap_or(0);
        let transactions = chain.iter_after(kept).flat_map(Block::transactions);
        let payments = transactions.filter(|transaction| !transaction.is_reward());
        recorded.extend(payments.cloned().map(lost));
    }
    recorded
}

fn lost(transaction: Transaction) -> Happening {
    Happening::Lost { transaction, reason: LossReason::Crashed }
}
