//! What went wrong with threads.

use crate::message::NodeId;

/// Threads that ended in a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} panicked: {}", .nodes.len(), list(.nodes))]
pub struct Panicked {
    /// The nodes, and what each panicked with.
    pub nodes: Vec<(NodeId, String)>,
}

fn list(nodes: &[(NodeId, String)]) -> String {
    let parts: Vec<_> = nodes.iter().map(|(node, message)| format!("{node} ({message})")).collect();
    parts.join(", ")
}
