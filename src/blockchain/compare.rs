//! How two chains stand to each other: what they share, and which is better.

use std::sync::Arc;

use super::{
    chain::Blockchain,
    link::{ancestor, common_ancestor},
};
use crate::{
    hash::BlockHash,
    rules::{ForkChoice, Rules},
};

impl Blockchain {
    /// Returns the longest chain that both chains start with, in O(log n); none if their first blocks differ.
    pub fn common_ancestor(&self, other: &Self) -> Option<Self> {
        common_ancestor(&self.tip, &other.tip).map(|link| Self { tip: Arc::clone(link) })
    }

    /// Tells whether `other` is this chain or starts with it, in O(log n).
    pub fn is_start_of(&self, other: &Self) -> bool {
        ancestor(&other.tip, self.len()).is_some_and(|link| link.hash == self.tip.hash)
    }

    /// Tells whether the rules' fork choice prefers this chain. Of two equally good chains it prefers neither: a tie
    /// keeps ours.
    pub fn is_better_than(&self, other: &Self, rules: &Rules) -> bool {
        match rules.fork_choice {
            ForkChoice::LongestChain => self.len() > other.len(),
            ForkChoice::MostWork => self.work() > other.work(),
        }
    }

    /// Tells whether the chain holds the block of a hash at a position, in O(log n).
    pub fn holds(&self, hash: BlockHash, position: u64) -> bool {
        ancestor(&self.tip, position).is_some_and(|link| link.hash == hash)
    }

    /// Tells whether the chain is the other, in this very copy, and one block more.
    #[inline]
    pub(crate) fn is_child_of(&self, other: &Self) -> bool {
        self.tip.previous().is_some_and(|previous| Arc::ptr_eq(previous, &other.tip))
    }

    /// Tells whether both are one block more than the same chain, in one copy.
    #[inline]
    pub(crate) fn is_sibling_of(&self, other: &Self) -> bool {
        let [one, another] = [self, other].map(|chain| chain.tip.previous());
        one.zip(another).is_some_and(|(one, another)| Arc::ptr_eq(one, another))
    }

    /// Tells whether both are one copy of the same links.
    pub(crate) fn is_same_copy(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tip, &other.tip)
    }

    /// Tells whether this is another copy of the same links, and the one of the two to keep. Of copies that came as
    /// documents all who hear of each other's so keep one: that whose tip was made first. Where it lies in memory would tell
    /// them apart as well, but not in the same way twice.
    pub(crate) fn is_copy_to_keep(&self, other: &Self) -> bool {
        self == other && self.tip.fingerprint == other.tip.fingerprint && self.tip.number < other.tip.number
    }
}

impl PartialEq for Blockchain {
    fn eq(&self, other: &Self) -> bool {
        self.tip.hash == other.tip.hash && self.tip.position == other.tip.position
    }
}

impl Eq for Blockchain {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rules, Time};

    /// Wherever they lie: who has the same seed keeps the same copies.
    #[test]
    fn of_two_copies_the_one_that_was_made_first_is_to_be_kept() {
        let copy =
            || Blockchain::start(&Rules::sealed(), Time::UNIX_EPOCH).expect("the rules have a genesis");
        let mut copies: Vec<_> = (0..40).map(|_| copy()).collect();
        // What is made next takes the place of what is gone, and so comes before others in memory.
        let mut is_kept = [true, false].into_iter().cycle();
        copies.retain(|_| is_kept.next().unwrap_or_default());
        copies.extend((0..20).map(|_| copy()));
        for (place, first) in copies.iter().enumerate() {
            assert!(!first.is_copy_to_keep(first));
            for later in &copies[place + 1..] {
                assert!(first.is_copy_to_keep(later) && !later.is_copy_to_keep(first));
            }
        }
    }
}
