//! Who has the longest chain.

use crate::{blockchain::Blockchain, node::Node};

/// The first of the longest chains that nodes had, and how many have it now, in this very copy. While all have it, a block
/// that is found on it is new to each.
#[derive(Debug, Default)]
pub(super) struct Longest {
    pub(super) chain: Option<Blockchain>,
    pub(super) holders: usize,
}

impl Longest {
    /// Counts in a node that has another chain than it had.
    #[inline]
    pub(super) fn count_in(&mut self, node: &Node) {
        if self.chain.as_ref().is_none_or(|longest| node.chain().len() > longest.len()) {
            self.chain = Some(node.chain().clone());
            self.holders = 0;
        }
        self.holders += usize::from(self.is_of(node));
    }

    pub(super) fn count_out(&mut self, node: &Node) {
        self.holders -= usize::from(self.is_of(node));
    }

    /// Tells whether it is a node's, in this very copy.
    #[inline]
    pub(super) fn is_of(&self, node: &Node) -> bool {
        self.chain.as_ref().is_some_and(|chain| chain.is_same_copy(node.chain()))
    }
}
