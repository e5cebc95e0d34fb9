//! Where every node stands, as the others know it: plain values, whatever drives the nodes.

use super::error::{DownCause, NodeError};
use crate::{
    blockchain::Blockchain,
    command::{Command, Snapshot},
    message::NodeId,
    transaction::Transaction,
};

/// What is known of a node.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) state: State,
    /// Of one that is down, the chain that it had.
    pub(super) chain: Blockchain,
    /// In the order in which they were registered.
    pub(super) peers: Vec<NodeId>,
}

/// Whether a node takes part.
#[derive(Debug, Clone)]
pub(super) enum State {
    Live,
    Paused,
    Down {
        cause: DownCause,
        /// The transactions that were pending, of those that were not lost.
        pending: Vec<Transaction>,
    },
    /// Whoever holds it plays it.
    Puppet,
}

/// Checks whether a node can be told something.
pub(super) type Check = fn(&State, NodeId) -> Result<(), NodeError>;

impl State {
    /// What a node's state must be for a command: one that is paused can only be looked at.
    pub(super) fn check_of(command: &Command) -> Check {
        if matches!(command, Command::Snapshot) { Self::check_up } else { Self::check_live }
    }

    pub(super) fn check_live(&self, node: NodeId) -> Result<(), NodeError> {
        match self {
            Self::Live => Ok(()),
            Self::Paused => Err(NodeError::Paused { node }),
            _ => self.check_up(node),
        }
    }

    /// Checks whether the node is live or paused.
    pub(super) fn check_up(&self, node: NodeId) -> Result<(), NodeError> {
        match self {
            Self::Live | Self::Paused => Ok(()),
            Self::Down { cause, .. } => Err(NodeError::Down { node, cause: cause.clone() }),
            Self::Puppet => Err(NodeError::Puppet { node }),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    pub(super) fn is_puppet(&self) -> bool {
        matches!(self, Self::Puppet)
    }
}

impl Row {
    /// What the node panicked with, if it did.
    pub(super) fn panic(&self) -> Option<String> {
        match &self.state {
            State::Down { cause: DownCause::Panicked(message), .. } => Some(message.clone()),
            _ => None,
        }
    }

    /// What a node left that is down.
    pub(super) fn left(&self) -> Option<Snapshot> {
        let State::Down { pending, .. } = &self.state else { return None };
        Some(Snapshot { chain: self.chain.clone(), pending: pending.clone(), peers: self.peers.clone() })
    }
}

/// The nodes that the rows are of.
pub(super) fn nodes(rows: &[Row]) -> impl Iterator<Item = (NodeId, &Row)> {
    (0..).map(NodeId::new).zip(rows)
}

/// Every node's chain; puppets have none of their own.
pub(super) fn chains(rows: &[Row]) -> impl Iterator<Item = &Blockchain> {
    rows.iter().filter(|row| !row.state.is_puppet()).map(|row| &row.chain)
}
