//! A partition: which nodes are cut off from which.

use std::mem;

use crate::NodeId;

/// A network split into groups, between which no message passes.
///
/// Nodes that are in no group stay together as one further group, and so do nodes that are made later. The default
/// has no groups, and separates nothing.
///
/// ```
/// use chainlab::{NodeId, wire::Partition};
///
/// let [alice, bob, carol, dave] = [0, 1, 2, 3].map(NodeId::new);
/// let partition = Partition::new([vec![alice, bob], vec![carol]])?;
/// assert!(!partition.separates(alice, bob));
/// assert!(partition.separates(alice, carol));
/// assert!(partition.separates(alice, dave) && partition.separates(carol, dave));
/// # Ok::<(), chainlab::wire::PartitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partition {
    /// By a node's index: the number of its group from 1 on, or 0 for the rest, as for all nodes beyond the end.
    groups: Vec<u32>,
}

impl Partition {
    /// Makes a partition from its groups; an empty group counts for nothing.
    ///
    /// Takes memory for every node up to the last that is named, as nodes are dense.
    ///
    /// # Errors
    ///
    /// If a node is in two groups.
    pub fn new<G>(groups: impl IntoIterator<Item = G>) -> Result<Self, PartitionError>
    where
        G: IntoIterator<Item = NodeId>,
    {
        let mut partition = Self::default();
        for (number, group) in (1..).zip(groups) {
            for node in group {
                if partition.groups.len() <= node.index() {
                    partition.groups.resize(node.index() + 1, 0);
                }
                let other = mem::replace(&mut partition.groups[node.index()], number);
                if other != 0 && other != number {
                    return Err(PartitionError {
                        node,
                        first: other as usize - 1,
                        second: number as usize - 1,
                    });
                }
            }
        }
        Ok(partition)
    }

    /// Tells whether the two nodes are in different groups.
    pub fn separates(&self, a: NodeId, b: NodeId) -> bool {
        self.group(a) != self.group(b)
    }

    /// Tells whether any node could be separated from another.
    pub(crate) const fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The number of a node's group, from 1; 0 for the rest.
    pub(crate) fn group(&self, node: NodeId) -> u32 {
        self.groups.get(node.index()).copied().unwrap_or(0)
    }
}

/// A node that is in two groups of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{node} is in two groups of the partition, at positions {first} and {second}")]
pub struct PartitionError {
    /// The node.
    pub node: NodeId,
    /// The position of the first group that names it, from 0.
    pub first: usize,
    /// The position of the other, from 0.
    pub second: usize,
}

/// How many partitions and crashes there had been when a message was sent; what
/// [`Links::arrival`](super::Links::arrival) must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch after this one.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nodes(indices: &[u32]) -> Vec<NodeId> {
        indices.iter().copied().map(NodeId::new).collect()
    }

    #[test]
    fn a_node_in_two_groups_is_named() {
        let error = Partition::new([nodes(&[0, 1]), nodes(&[]), nodes(&[2, 1])]).unwrap_err();
        assert_eq!(error, PartitionError { node: NodeId::new(1), first: 0, second: 2 });
        assert_eq!(error.to_string(), "node 1 is in two groups of the partition, at positions 0 and 2");
        assert!(Partition::new([nodes(&[3, 3])]).is_ok());
    }

    proptest! {
        #[test]
        fn separates_what_its_groups_do(assigned in proptest::collection::vec(0..4_u32, 0..12)) {
            let in_group = |number: u32| -> Vec<NodeId> {
                (0..).zip(&assigned).filter(|&(_, &group)| group == number).map(|(i, _)| NodeId::new(i)).collect()
            };
            let partition = Partition::new((1..4).map(in_group)).unwrap();
            let group = |node: u32| assigned.get(node as usize).copied().unwrap_or(0);
            for a in 0..14 {
                for b in 0..14 {
                    let separates = partition.separates(NodeId::new(a), NodeId::new(b));
                    prop_assert_eq!(separates, group(a) != group(b));
                }
            }
        }
    }
}
