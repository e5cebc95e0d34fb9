//! Letting go of old blocks, where a driver says that they are final.

use super::{
    machine::Node,
    memory::{Branch, Gossip},
};
use crate::{blockchain::Cut, hash::BlockHash, message::Told};

impl Node {
    /// Lets go of the blocks that a cut leaves out: the node's chain and what it keeps beside it are replaced by their
    /// shortened copies. A side branch that leaves the chain among those blocks is forgotten.
    pub(crate) fn shorten(&mut self, cut: &mut Cut) {
        cut.shorten(&mut self.chain);
        if let Some(scheme) = &mut self.scheme {
            scheme.shorten(cut);
        }
        self.gossip.shorten(cut);
        self.longest_branch = self.gossip.longest_branch();
    }

    /// Tells whether the block of a hash at a position is known, or whatever stands there is final.
    pub(super) fn is_known(&self, hash: BlockHash, position: u64) -> bool {
        let is_on_branch = |branch: &Branch| branch.len >= position && branch.chain.holds(hash, position);
        self.chain.holds(hash, position)
            || position <= self.longest_branch && self.gossip.side_branches.iter().rev().any(is_on_branch)
            || self.chain.has_let_go(position)
    }
}

impl Gossip {
    fn shorten(&mut self, cut: &mut Cut) {
        self.side_branches.retain(|branch| cut.shorten(&mut branch.chain));
        for early in self.early.iter_mut() {
            cut.shorten(&mut early.chain);
        }
        for orphan in self.orphans.iter_mut() {
            if let Told::Chain(chain) = &orphan.told {
                orphan.told = match cut.shortened(chain) {
                    Some(chain) => Told::Chain(chain),
                    // Its block alone leads nowhere back.
                    None => Told::from(chain.last_block().clone()),
                };
            }
        }
    }
}
