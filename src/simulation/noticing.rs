//! Nodes that would notice if a repeat did not come: while there are any, every message goes its own way.

use super::carry::Surroundings;
use crate::{message::NodeId, node::Node};

impl Surroundings {
    /// Tells whether a node that keeps a chain more may forget a block of which messages are under way: what it forgets mostly
    /// ends long before.
    #[inline]
    pub(super) fn may_forget(&self, node: &Node) -> bool {
        node.longest_to_forget()
            .is_some_and(|longest| self.floods.shortest().is_some_and(|shortest| shortest <= longest))
    }

    /// Notes whether a node that may have forgotten a block for another would notice if a repeat of that did not come.
    #[inline]
    pub(super) fn look_at_what_it_forgot(&mut self, node: &Node) {
        self.note_noticing(node.id(), self.notices_repeats(node));
    }

    /// Tells whether a node would notice if a repeat did not come.
    #[inline]
    pub(super) fn notices_repeats(&self, node: &Node) -> bool {
        node.notices_repeats(|node| {
            self.floods.miss(self.now, node.id(), &self.queue, |chain| node.remembers(chain))
        })
    }

    /// Notes whether a node would notice if a repeat did not come.
    #[inline]
    pub(super) fn note_noticing(&mut self, node: NodeId, notices: bool) {
        let has_changed = match notices {
            false if self.noticing.is_empty() => false,
            false => self.noticing.remove(&node),
            true => self.noticing.insert(node),
        };
        if has_changed {
            self.spell_out();
        }
    }
}
