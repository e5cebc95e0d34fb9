//! What nodes say to each other, and the names by which they call each other.

use std::fmt;

/// The name of a node: dense from 0, in the order in which the nodes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Makes the name of the node that was made after `index` others.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Returns how many nodes were made before this one.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0)
    }
}
