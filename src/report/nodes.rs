//! The nodes that a recorder knows of.

use std::{collections::BTreeMap, sync::Arc};

use crate::message::NodeId;

/// Up to which number nodes that joined in another order are found by an index, in four bytes a number. A network numbers its
/// nodes from 0; a greater number is one that somebody made up, and must not cost its size.
const INDEXED: usize = 1 << 20;
/// In the index: there is no such node.
const NOBODY: u32 = u32::MAX;

/// The nodes, in the order in which they joined; a node's place in it is the number of those before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    list: Vec<Observed>,
    /// How many have their numbers for their places, from the first on: mostly all. An index of many lies in no near cache.
    in_order: usize,
    /// Places of the others by number.
    index: Vec<u32>,
    others: BTreeMap<NodeId, usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Observed {
    pub(super) node: NodeId,
    pub(super) name: Arc<str>,
    /// The blocks that it mined.
    pub(super) mined: u64,
}

impl Nodes {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns a node's place, if it has joined.
    #[inline]
    pub(super) fn place(&self, node: NodeId) -> Option<usize> {
        if node.index() < self.in_order {
            return Some(node.index());
        }
        match self.index.get(node.index()) {
            Some(&place) => (place != NOBODY).then_some(place as usize),
            None => self.others.get(&node).copied(),
        }
    }

    /// Adds a node, or gives one that is there another name; returns its place.
    pub(super) fn add(&mut self, node: NodeId, name: Arc<str>) -> usize {
        if let Some(place) = self.place(node) {
            self.list[place].name = name;
            return place;
        }
        let place = self.list.len();
        self.list.push(Observed { node, name, mined: 0 });
        if [place, node.index()] == [self.in_order; 2] {
            self.in_order += 1;
        } else if node.index() < INDEXED {
            if self.index.len() <= node.index() {
                self.index.resize(node.index() + 1, NOBODY);
            }
            self.index[node.index()] = u32::try_from(place).expect("there are at most 2^32 nodes");
        } else {
            self.others.insert(node, place);
        }
        place
    }

    /// Counts none of the blocks that they mined so far.
    pub(super) fn forget_blocks(&mut self) {
        self.list.iter_mut().for_each(|observed| observed.mined = 0);
    }

    pub(super) fn get_mut(&mut self, place: usize) -> &mut Observed {
        &mut self.list[place]
    }

    /// Returns the nodes with their places, in the order of their numbers.
    pub(super) fn by_number(&self) -> Vec<(usize, &Observed)> {
        let mut nodes: Vec<_> = self.list.iter().enumerate().collect();
        nodes.sort_by_key(|(_, observed)| observed.node);
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_in_the_order_of_joining() {
        let numbers = [0, 1, 5, 3, 2, INDEXED as u32 + 7, 6];
        for joining in [numbers.as_slice(), &numbers[2..], &[1, 0]] {
            let mut nodes = Nodes::default();
            for (place, number) in joining.iter().enumerate() {
                assert_eq!(nodes.place(NodeId::new(*number)), None);
                for _ in 0..2 {
                    assert_eq!(nodes.add(NodeId::new(*number), "a node".into()), place);
                }
                let found = joining[..=place].iter().map(|number| nodes.place(NodeId::new(*number)));
                assert!(found.eq((0..=place).map(Some)));
            }
        }
    }
}
