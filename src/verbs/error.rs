//! What can go wrong when something is done to a network.

use std::any::Any;

use crate::{
    blockchain::{Blockchain, InvalidBlock},
    message::NodeId,
    rules::{RulesError, Violation},
    text::shortened_sentence,
    wire::{PartitionError, TopologyError},
};

/// Why a node cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The network has no such node.
    #[error("{node} is unknown; the network has {nodes} node{}", if *.nodes == 1 { "" } else { "s" })]
    Unknown {
        /// The node.
        node: NodeId,
        /// How many nodes there are.
        nodes: usize,
    },
    /// The node is down.
    #[error("{node} is down: {cause}")]
    Down {
        /// The node.
        node: NodeId,
        /// Why it is down.
        cause: DownCause,
    },
    /// The node is paused.
    #[error("{node} is paused")]
    Paused {
        /// The node.
        node: NodeId,
    },
    /// The node is a puppet: whoever plays it answers for it.
    #[error("{node} is a puppet and takes no commands")]
    Puppet {
        /// The node.
        node: NodeId,
    },
    /// The node is no puppet: it speaks for itself.
    #[error("{node} is no puppet and speaks for itself")]
    NoPuppet {
        /// The node.
        node: NodeId,
    },
}

/// Why a node is down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownCause {
    /// It was crashed.
    #[error("it was crashed")]
    Crashed,
    /// It panicked.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// The network was shut down.
    #[error("the network was shut down")]
    ShutDown,
}

impl DownCause {
    /// What a node panicked with, as it was caught.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panicked(text.map_or_else(|| "no message".to_owned(), shortened_sentence))
    }
}

/// Why a node did not do what it was told: it cannot be asked, or it refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// The node cannot be asked.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node was asked, and refused.
    #[error("{0}")]
    Refused(E),
}

/// Why nodes could not be registered or connected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A node cannot be asked, or a peer is unknown.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node is no peer of its own.
    #[error("{node} cannot be registered with itself")]
    Itself {
        /// The node.
        node: NodeId,
    },
}

/// Why no node could be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The network was shut down.
    #[error("the network was shut down")]
    ShutDown,
    /// A name that no thread can have.
    #[error("{name:?} cannot be a name: it contains a zero byte")]
    Name {
        /// The name, its first 80 characters.
        name: String,
    },
    /// A name that another node has, or would have if it were there: each is given once.
    #[error("the name {name:?} is that of {node}")]
    NameTaken {
        /// The name, its first 80 characters.
        name: String,
        /// Whose name it is.
        node: NodeId,
    },
    /// The network's rules cannot be kept together.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The chain that it was to have breaks a rule of the network's.
    #[error(transparent)]
    Chain(#[from] InvalidBlock),
    /// An address that no block can pay a reward to.
    #[error("no block can pay a reward to {address}: {violation}")]
    Address {
        /// The address, its first 80 characters.
        address: String,
        /// What such a block would do wrong.
        violation: Violation,
    },
    /// The operating system starts no further thread.
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Why a network could not be partitioned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionFault {
    /// A node is unknown.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node is in two groups.
    #[error(transparent)]
    Groups(#[from] PartitionError),
}

/// Why a node could not be restarted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// The node is unknown, a puppet, or the network was shut down.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node is not down.
    #[error("{node} is not down")]
    NotDown {
        /// The node.
        node: NodeId,
    },
    /// The operating system starts no further thread.
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Why what was waited for did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The node is unknown, a puppet, or down.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The time is up.
    #[error("{node} has only come to block {} {:.8}", .chain.len(), .chain.tip_hash())]
    Late {
        /// The node.
        node: NodeId,
        /// The chain that it has.
        chain: Blockchain,
    },
}

/// Why nodes could not be joined in a topology.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A node cannot be asked.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The topology cannot have so many nodes.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}
