//! A rival of the tip: another block in its place. It is kept beside the tip, until a block on top of either decides.
//!
//! As in the [common cases](super::extend) nothing is looked at that cannot matter then.

use super::{extend::Extended, machine::Node, memory::Gossip};
use crate::{blockchain::Blockchain, message::NodeId, time::Time, transaction::Transaction};

impl Node {
    /// Returns how many blocks the longest chain may have that it forgets for another: of those beside its own, if it keeps as
    /// many of them as it may.
    pub(crate) fn longest_to_forget(&self) -> Option<u64> {
        (self.gossip.side_branches.len() >= self.limits.side_branches).then_some(self.longest_branch)
    }

    /// Tells whether nothing comes of a chain that a peer has but that it is kept beside the node's own: it ends with another
    /// block in the place of the tip, and the node has nothing on its mind but that, and stays with its own.
    #[inline]
    pub(super) fn is_rivalled(&self, now: Time, from: NodeId, by: &Blockchain) -> bool {
        self.keeps_rival(now, from, by, &self.chain)
    }

    /// Tells that of another tip, which the node may have yet to hear of.
    #[inline]
    pub(crate) fn keeps_rival(&self, now: Time, from: NodeId, rival: &Blockchain, tip: &Blockchain) -> bool {
        self.is_quiet && rival.is_sibling_of(tip) && self.only_keeps(now, from, rival, tip)
    }

    fn only_keeps(&self, now: Time, from: NodeId, rival: &Blockchain, tip: &Blockchain) -> bool {
        self.gossip.questions.are_forgotten()
            && self.listens_to(from)
            && self.loses_nothing(from)
            && rival.is_verified_under(self.fingerprint)
            && !self.knows(rival)
            && self.is_in_time(now, rival)
            && !self.prefers_to(tip, rival)
            && self.has_room_for_rival(rival)
    }

    /// Tells whether a rival of the tip more stays beside it, and has no other leave for its bytes.
    pub(super) fn has_room_for_rival(&self, rival: &Blockchain) -> bool {
        self.gossip.has_room_beside(rival.size_after(rival.len() - 1), &self.limits)
    }

    /// Keeps a chain beside the node's own that [rivals](Self::is_rivalled) it.
    pub(crate) fn keep_rival(&mut self, from: NodeId, rival: Blockchain) {
        let common = rival.len() - 1;
        let bytes = rival.size_after(common);
        self.keep_beside_rival(from, rival, (common, bytes));
    }

    /// Keeps one of two rivals, of which nothing else comes.
    fn keep_beside_rival(&mut self, from: NodeId, chain: Blockchain, (common, bytes): (u64, u64)) {
        let (len, longest) = (chain.len(), self.longest_branch);
        self.keep_side_branch(from, chain, (common, bytes));
        // No orphan waits for it, and nobody is asked for it.
        self.gossip.has_news = false;
        if longest > len {
            // It may have had a longer one leave.
            self.longest_branch = self.gossip.longest_branch();
        }
    }

    /// Tells whether a chain is a rival of the tip that the node keeps, and one block more, in time, and all that there is to
    /// think about: the node takes it on, and keeps its own beside it.
    ///
    /// What is one block more than a chain that it keeps, in that copy, was verified under the same rules. As rivals are held
    /// to the same target, it is better than the tip, so that the node cannot know it.
    #[inline]
    pub(crate) fn reorganises(&self, now: Time, chain: &Blockchain) -> bool {
        self.is_quiet
            && chain.len() == self.chain.len() + 1
            // Whoever holds blocks back may stay with its own.
            && self.scheme.is_none()
            && self.only_reorganises(now, chain)
    }

    pub(super) fn only_reorganises(&self, now: Time, chain: &Blockchain) -> bool {
        self.is_in_time(now, chain)
            && self.gossip.rival_below(chain).is_some_and(|place| {
                self.gossip.side_branches[place].chain.is_sibling_of(&self.chain)
            })
            // Payments of the block that is given up would be pending anew.
            && self.chain.last_block().transactions().iter().all(Transaction::is_reward)
    }

    /// Takes on a chain that [reorganises](Self::reorganises) the node's, and acknowledges it if it is to.
    pub(crate) fn reorganise(
        &mut self,
        from: NodeId,
        chain: Blockchain,
        acknowledges: bool,
        effects: &mut impl Extended,
    ) {
        debug_assert!(chain.is_verified_under(self.fingerprint));
        debug_assert!(chain.is_better_than(&self.chain, &self.rules) && !self.knows(&chain));
        effects.accepted(chain.tip_hash(), chain.len(), from);
        effects.reorganised(self.chain.tip_hash());
        let own = self.chain.clone();
        let common = own.len() - 1;
        self.keep_beside_rival(self.id, own, (common, 0));
        // If there are many, the rival may have left.
        if let Some(place) = self.gossip.rival_below(&chain) {
            self.gossip.side_branches.remove(place);
        }
        self.go_on_from(from, chain, acknowledges, effects);
    }
}

impl Gossip {
    /// Where the side branch stands that a chain is one block more than, if it is there.
    fn rival_below(&self, chain: &Blockchain) -> Option<usize> {
        self.side_branches
            .iter()
            .rposition(|branch| branch.len + 1 == chain.len() && chain.is_child_of(&branch.chain))
    }
}
