//! Whether a node takes part, as the others know it, and what it can be told.

use super::error::{DownCause, NodeError};
use crate::{command::Command, message::NodeId, transaction::Transaction};

/// Whether a node takes part.
#[derive(Debug, Clone)]
pub enum State {
    Live,
    Paused,
    Down {
        cause: DownCause,
        /// The transactions that were pending, of those that were not lost.
        pending: Vec<Transaction>,
        /// How many questions and inventories the node has numbered.
        requests: u64,
        /// Whether the node knows that the victim which it keeps apart is there, as it knows its peers.
        has_met_victim: bool,
    },
    /// Whoever holds it plays it.
    Puppet,
}

/// Checks whether a node can be told something.
pub(crate) type Check = fn(&State, NodeId) -> Result<(), NodeError>;

impl State {
    /// What a node's state must be for a command: one that is paused can only be looked at.
    pub(crate) fn check_of(command: &Command) -> Check {
        if matches!(command, Command::Snapshot) { Self::check_up } else { Self::check_live }
    }

    pub(crate) fn check_live(&self, node: NodeId) -> Result<(), NodeError> {
        match self {
            Self::Live => Ok(()),
            Self::Paused => Err(NodeError::Paused { node }),
            _ => self.check_up(node),
        }
    }

    /// Checks whether the node is live or paused.
    pub(crate) fn check_up(&self, node: NodeId) -> Result<(), NodeError> {
        match self {
            Self::Live | Self::Paused => Ok(()),
            Self::Down { cause, .. } => Err(NodeError::Down { node, cause: cause.clone() }),
            Self::Puppet => Err(NodeError::Puppet { node }),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    pub(crate) fn is_puppet(&self) -> bool {
        matches!(self, Self::Puppet)
    }

    /// What the node panicked with, if it did.
    pub(crate) fn panic(&self) -> Option<&str> {
        match self {
            Self::Down { cause: DownCause::Panicked(message), .. } => Some(message),
            _ => None,
        }
    }
}
