//! What is known of the nodes, however a driver keeps it.

use std::sync::Arc;

use super::{error::NodeError, names::Names, state::State};
use crate::{blockchain::Blockchain, message::NodeId};

/// What is known of the nodes at a moment. What it tells of one node it tells of those that are known alone.
pub trait View {
    /// How many nodes there are, puppets among them: their numbers are those below it.
    fn count(&self) -> usize;

    fn state(&self, node: NodeId) -> &State;

    /// A node's chain; of one that is down, what it had. A puppet has none.
    fn chain(&self, node: NodeId) -> &Blockchain;

    /// A node's peers in the order in which they were registered; of one that is down, those it had. A puppet has none.
    fn peers(&self, node: NodeId) -> &[NodeId];

    fn address(&self, node: NodeId) -> &Arc<str>;

    fn names(&self) -> &Names;

    fn check_known(&self, node: NodeId) -> Result<(), NodeError> {
        let nodes = self.count();
        if node.index() < nodes { Ok(()) } else { Err(NodeError::Unknown { node, nodes }) }
    }

    /// The state of a node that may be unknown.
    fn known(&self, node: NodeId) -> Result<&State, NodeError> {
        self.check_known(node)?;
        Ok(self.state(node))
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..).map(NodeId::new).take(self.count())
    }

    fn is_live(&self, node: NodeId) -> bool {
        self.known(node).is_ok_and(State::is_live)
    }

    fn live(&self) -> impl Iterator<Item = NodeId> {
        self.nodes().filter(|node| self.state(*node).is_live())
    }

    /// Every node's chain; puppets have none.
    fn chains(&self) -> impl Iterator<Item = &Blockchain> {
        self.nodes().filter(|node| !self.state(*node).is_puppet()).map(|node| self.chain(node))
    }
}
