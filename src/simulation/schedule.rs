//! When something is due for each node, at most one thing at a time.

use std::{cmp::Reverse, collections::BinaryHeap, mem};

use crate::{message::NodeId, time::Time};

/// A moment for each node, or none.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// By the numbers of the nodes.
    of: Vec<Option<Time>>,
    /// The soonest first. There are others, which are none any more, but none of them is the first: to take each out from
    /// within took a tenth of a replayed block.
    all: BinaryHeap<Reverse<(Time, NodeId)>>,
}

impl Schedule {
    /// Makes room for the next node.
    pub(super) fn add_node(&mut self) {
        self.of.push(None);
    }

    /// Returns the first moment, and whose it is; of equal ones the node's with the least number.
    #[inline]
    pub(super) fn first(&self) -> Option<(Time, NodeId)> {
        self.all.peek().map(|Reverse(first)| *first)
    }

    /// Returns the moment after the first.
    pub(super) fn second(&mut self) -> Option<Time> {
        let first = self.all.pop()?;
        self.drop_past();
        // It may be there twice, if it was none meanwhile.
        while self.all.peek() == Some(&first) {
            self.all.pop();
            self.drop_past();
        }
        let second = self.first().map(|(at, _)| at);
        self.all.push(first);
        second
    }

    /// Sets a node's moment in place of the one before.
    #[inline]
    pub(super) fn set(&mut self, node: NodeId, at: Option<Time>) {
        if mem::replace(&mut self.of[node.index()], at) == at {
            return;
        }
        if self.all.len() > 2 * self.of.len() {
            self.all.clear();
            let nodes = (0..).map(NodeId::new);
            self.all.extend(nodes.zip(&self.of).filter_map(|(node, at)| Some(Reverse(((*at)?, node)))));
        } else if let Some(at) = at {
            self.all.push(Reverse((at, node)));
        }
        self.drop_past();
    }

    /// Has the first be one that still is.
    fn drop_past(&mut self) {
        while let Some(Reverse((at, node))) = self.all.peek()
            && self.of[node.index()] != Some(*at)
        {
            self.all.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        /// A list that is looked through is the model. However often moments change, they take room for the nodes alone.
        #[test]
        fn the_first_is_the_soonest(changes in vec((0..3_u32, prop::option::of(0..9_u64)), 0..100)) {
            let (mut schedule, mut model) = (Schedule::default(), [None; 3]);
            model.iter().for_each(|_| schedule.add_node());
            for (node, at) in changes {
                let at = at.map(Time::from_nanos);
                model[node as usize] = at;
                schedule.set(NodeId::new(node), at);
                let mut left: Vec<_> =
                    (0..).zip(model).filter_map(|(node, at)| Some((at?, NodeId::new(node)))).collect();
                left.sort();
                prop_assert_eq!(schedule.first(), left.first().copied());
                prop_assert_eq!(schedule.second(), left.get(1).map(|(at, _)| *at));
                prop_assert!(schedule.all.len() <= 7, "{:?}", schedule.all);
            }
        }
    }
}
