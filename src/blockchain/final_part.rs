//! Letting go of the blocks of a chain that nobody looks at any more.
//!
//! A link never changes, so that a chain lets go of blocks by being copied without them: the first link stays, which tells
//! whose chain it is, and what is kept is copied onto it, after a gap. All that holds the old links has to take the copies.
//! Whoever does not holds the old blocks in memory a while longer, and nothing worse: a copy is known by its hashes.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    chain::Blockchain,
    link::{Link, ancestor},
};
use crate::hash::BlockHash;

/// Copies of chains without the blocks between their genesis and a position.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The first block after the gap, in its copy.
    base: Arc<Link>,
    copies: BTreeMap<BlockHash, Arc<Link>>,
    /// The chain that was shortened last, and its copy: most are the same.
    last: Option<[Blockchain; 2]>,
}

impl Blockchain {
    /// Tells whether the chain has let go of its block at a position, in O(log n).
    pub(crate) fn has_let_go(&self, position: u64) -> bool {
        (1..=self.len()).contains(&position) && ancestor(&self.tip, position).is_none()
    }
}

impl Cut {
    /// Lets go of what lies between a chain's first block and its last.
    pub(crate) fn before_tip_of(chain: &Blockchain) -> Self {
        let first = ancestor(&chain.tip, 1).unwrap_or(&chain.tip);
        let base = chain.tip.copied_on(first);
        Self { copies: [(base.hash, Arc::clone(&base))].into(), base, last: None }
    }

    /// Lets a chain go of it; tells whether it holds the first block that is kept: else it stays as it is.
    pub(crate) fn shorten(&mut self, chain: &mut Blockchain) -> bool {
        let shortened = self.shortened(chain);
        shortened.map(|shortened| *chain = shortened).is_some()
    }

    /// Returns a chain without what is let go of; none if it does not hold the first block that is kept.
    pub(crate) fn shortened(&mut self, chain: &Blockchain) -> Option<Blockchain> {
        if let Some([_, copy]) = self.last.as_ref().filter(|[last, _]| last.is_same_copy(chain)) {
            return Some(copy.clone());
        }
        if chain.tip.fingerprint != self.base.fingerprint || chain.len() < self.base.position {
            return None;
        }
        let mut missing = Vec::new();
        let mut link = &chain.tip;
        let mut copy = loop {
            if let Some(copy) = self.copies.get(&link.hash).filter(|copy| copy.position == link.position) {
                break Arc::clone(copy);
            }
            missing.push(link);
            link = link.previous().filter(|previous| previous.position >= self.base.position)?;
        };
        for link in missing.into_iter().rev() {
            copy = link.copied_on(&copy);
            self.copies.insert(copy.hash, Arc::clone(&copy));
        }
        let copy = Blockchain { tip: copy };
        self.last = Some([chain.clone(), copy.clone()]);
        Some(copy)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{Block, PreviousHash, Rules, Time, Timestamp, pow::Target};

    fn rules() -> Rules {
        Rules::notebook().with_first_target(Target::EASIEST)
    }

    fn grown(chain: &Blockchain, blocks: u64, proof: u64) -> Blockchain {
        (0..blocks).fold(chain.clone(), |chain, _| {
            let previous_hash = PreviousHash::Hash(chain.tip_hash());
            let block = Block::new(chain.len() + 1, Timestamp::integer(0), [], proof, previous_hash);
            chain.append(block, &rules()).expect("any proof will do")
        })
    }

    /// A chain, and its blocks' positions and hashes as they are looked for one by one.
    fn there(chain: &Blockchain) -> Vec<(u64, BlockHash)> {
        let hash = |position| Some((position, chain.at(position)?.tip_hash()));
        (0..=chain.len() + 1).filter_map(hash).collect()
    }

    proptest! {
        /// Of each pair of a chain and of a fork of it, cut anywhere and grown on: what is there is what a list holds.
        #[test]
        fn what_is_kept_is_as_it_was(
            cuts in vec((2..60_u64, 0..20_u64), 0..4),
            fork in 0..60_u64,
            growth in (0..40_u64, 0..40_u64),
            from in 0..100_u64,
            steps in vec(any::<(bool, u8)>(), 0..30),
        ) {
            let trunk = grown(&Blockchain::start(&rules(), Time::UNIX_EPOCH).unwrap(), 59, 1);
            let fork = grown(&trunk.at(1 + fork % 60).unwrap(), growth.1, 2);
            let whole = grown(&trunk, growth.0, 1);
            let (mut chain, mut other, mut first) = (trunk, fork.clone(), 2);
            for (base, blocks) in cuts {
                chain = grown(&chain, blocks.min(whole.len().saturating_sub(chain.len())), 1);
                let mut cut = Cut::before_tip_of(&chain.at(base.max(first)).unwrap());
                first = base.max(first);
                chain = cut.shortened(&chain).unwrap();
                other = cut.shortened(&other).unwrap_or(other);
            }
            let chain = grown(&chain, whole.len() - chain.len(), 1);

            // Each as a list of what it is to hold.
            let kept: Vec<_> = there(&whole).into_iter().filter(|(at, _)| *at == 1 || *at >= first).collect();
            prop_assert_eq!(there(&chain), kept.clone());
            let is_there = |position| kept.iter().any(|(at, _)| *at == position);
            prop_assert!((1..=chain.len()).all(|position| chain.has_let_go(position) != is_there(position)));
            prop_assert_eq!((&chain, chain.size_after(1)), (&whole, whole.size_after(1)));
            for (one, another) in [(&chain, &other), (&other, &chain), (&chain, &whole), (&fork, &chain)] {
                let (ones, others) = (there(one), there(another));
                let common = ones.iter().rev().find(|block| others.contains(block)).map(|(at, _)| *at);
                let found = one.common_ancestor(another).map(|common| common.len());
                prop_assert_eq!(found, common, "of {:?} and {:?}", ones, others);
            }
            let locator = chain.locator();
            prop_assert!(locator.is_sorted_by(|one, next| one > next));
            prop_assert!(locator.iter().all(|block| kept.contains(block)));
            prop_assert!(locator.last().is_some_and(|(at, _)| *at == 1));

            // Iterating from either end and skipping, as the list does.
            let blocks: Vec<_> = kept.iter().filter(|(at, _)| *at > from).collect();
            let (mut blocks, mut iterated) = (blocks.into_iter(), chain.iter_after(from));
            for (is_front, skipped) in steps {
                prop_assert_eq!(iterated.len(), blocks.len());
                let skipped = usize::from(skipped % 8);
                let (one, other) = match is_front {
                    true => (iterated.nth(skipped), blocks.nth(skipped)),
                    false => (iterated.nth_back(skipped), blocks.nth_back(skipped)),
                };
                prop_assert_eq!(one.map(Block::hash), other.map(|(_, hash)| *hash));
            }
        }
    }

    /// Blocks are walked a few hundred at a time: none of them may lie before the end of the gap.
    #[test]
    fn a_long_gap_is_walked_over() {
        let chain = grown(&Blockchain::start(&rules(), Time::UNIX_EPOCH).unwrap(), 999, 1);
        let shortened = Cut::before_tip_of(&chain.at(900).unwrap()).shortened(&chain).unwrap();
        let positions: Vec<_> = shortened.iter().map(Block::index).collect();
        assert_eq!(positions, [1].into_iter().chain(900..=1000).collect::<Vec<_>>());
    }

    /// Nobody can make another chain's blocks out of it, or of its document.
    #[test]
    fn a_shortened_chain_is_refused_where_all_of_it_is_needed() {
        let chain = grown(&Blockchain::start(&rules(), Time::UNIX_EPOCH).unwrap(), 9, 1);
        let shortened = Cut::before_tip_of(&chain.at(5).unwrap()).shortened(&chain).unwrap();
        let error = Blockchain::from_json(&shortened.to_json(), &rules()).unwrap_err();
        assert_eq!(error.to_string(), "the document says length 10, but its chain has 7 blocks");
        let other = Rules { reward: 2, ..rules() };
        assert_eq!(shortened.verify(&other).unwrap_err().position, 2);
        assert!(chain.verify(&other).is_ok());
        let text = shortened.to_string();
        assert!(text.contains("block 2 was let go") && text.contains("block 5 "), "{text}");
        let blocks: Vec<_> = shortened.iter_after(1).cloned().collect();
        assert_eq!((shortened.count_known(1, &blocks), shortened.count_known(5, &blocks[1..])), (0, 5));
        let foreign = grown(&Blockchain::start(&rules(), Time::from_secs(1)).unwrap(), 9, 1);
        assert!(Cut::before_tip_of(&chain.at(5).unwrap()).shortened(&foreign).is_none());
    }
}
