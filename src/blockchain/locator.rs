//! What tells another how much of a chain it shares.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use super::{
    chain::Blockchain,
    link::{Link, ancestor, gap},
};
use crate::hash::BlockHash;

/// Positions and hashes of a chain's blocks, from the tip back.
pub(crate) type Locator = Arc<[(u64, BlockHash)]>;

/// For how many chains a locator is remembered. Where blocks meet nodes ask from as many.
const LOCATORS_MAX: usize = 4;

/// The locators made last: many nodes ask from one chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locators {
    /// Each with the tip of its chain, which is not kept for it.
    last: VecDeque<(Weak<Link>, Locator)>,
}

impl Locators {
    /// Returns a chain's [locator](Blockchain::locator).
    pub(crate) fn of(&mut self, chain: &Blockchain) -> &Locator {
        let is_its = |(tip, _): &(Weak<Link>, _)| Weak::as_ptr(tip) == Arc::as_ptr(&chain.tip);
        let place = self.last.iter().position(is_its);
        let place = place.unwrap_or_else(|| {
            self.last.truncate(LOCATORS_MAX - 1);
            self.last.push_front((Arc::downgrade(&chain.tip), chain.locator()));
            0
        });
        &self.last[place].1
    }
}

impl Blockchain {
    /// Returns positions and hashes of the chain's blocks, from the tip back, ever farther apart, to the genesis: enough
    /// for another to find, within a factor of two, how much of the chain it shares, if that was not let go. O(log² n).
    pub(crate) fn locator(&self) -> Locator {
        // Each is looked for from the one before: it lies near.
        let (mut link, mut step) = (&self.tip, 1);
        let mut locator = Vec::with_capacity(10 + self.len().ilog2() as usize);
        loop {
            locator.push((link.position, link.hash));
            if link.position == 1 {
                return locator.into();
            }
            if locator.len() > 8 {
                step *= 2;
            }
            let next = link.position.saturating_sub(step).max(1);
            link = ancestor(link, next).unwrap_or_else(|| after_gap(link));
        }
    }
}

/// What comes before a link where steps lead into a gap: what follows the gap, and before that the first.
fn after_gap(link: &Arc<Link>) -> &Arc<Link> {
    let end = gap(link, 1).end;
    let position = if link.position > end { end } else { 1 };
    ancestor(link, position).expect("there is a link before a gap and one after it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, PreviousHash, Rules, Time, Timestamp, blockchain::Cut, pow::Target};

    /// A chain of so many blocks, by rules that any proof meets.
    fn chain_of(blocks: u64) -> Blockchain {
        let rules = Rules::notebook().with_first_target(Target::EASIEST);
        (1..blocks).fold(Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), |chain, index| {
            let previous_hash = PreviousHash::Hash(chain.tip_hash());
            let block = Block::new(index + 1, Timestamp::integer(0), [], index, previous_hash);
            chain.append(block, &rules).expect("any proof will do")
        })
    }

    /// However many there are; and chains are let go of that nobody else keeps.
    #[test]
    fn what_is_remembered_is_what_would_be_made_anew() {
        let chain = chain_of(50);
        let mut locators = Locators::default();
        for len in [50, 49, 50, 48, 47, 46, 45, 50, 50, 44, 49] {
            let part = chain.at(len).expect("it is as long as that");
            assert_eq!(*locators.of(&part), part.locator());
            assert!(Arc::ptr_eq(&locators.of(&part).clone(), locators.of(&part)), "it is made once");
        }
        let tip = Arc::downgrade(&chain.tip);
        locators.of(&chain);
        drop(chain);
        assert!(tip.upgrade().is_none());
    }

    #[test]
    fn a_locator_s_steps_double_after_the_first_nine() {
        let chain = chain_of(1000);
        for (len, expected) in [
            (1, &[1][..]),
            (2, &[2, 1]),
            (9, &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
            (10, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
            (11, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 1]),
            (40, &[40, 39, 38, 37, 36, 35, 34, 33, 32, 30, 26, 18, 2, 1]),
            (
                1000,
                &[1000, 999, 998, 997, 996, 995, 994, 993, 992, 990, 986, 978, 962, 930, 866, 738, 482, 1],
            ),
        ] {
            let locator = chain.at(len).expect("it is as long as that").locator();
            let positions: Vec<_> = locator.iter().map(|(position, _)| *position).collect();
            assert_eq!(positions, expected);
            assert!(locator.iter().all(|(position, hash)| chain.holds(*hash, *position)));
        }
    }

    /// Whoever lags a little behind what was let go of is not sent the whole chain.
    #[test]
    fn after_a_gap_comes_what_follows_it_and_then_the_genesis() {
        let chain = chain_of(1000);
        let mut cut = Cut::before_tip_of(&chain.at(900).expect("it is as long as that"));
        let locator = cut.shortened(&chain).expect("it is the same chain").locator();
        let positions: Vec<_> = locator.iter().map(|(position, _)| *position).collect();
        assert_eq!(
            positions,
            [1000, 999, 998, 997, 996, 995, 994, 993, 992, 990, 986, 978, 962, 930, 900, 1]
        );
    }

    #[test]
    fn a_lag_is_found_within_a_factor_of_two() {
        let chain = chain_of(1000);
        for len in [1, 2, 10, 100, 999, 1000] {
            let locator = chain.at(len).expect("it is as long as that").locator();
            for lag in 0..len {
                let found = locator.iter().map(|(position, _)| len - position).find(|back| *back >= lag);
                let found = found.expect("a locator ends with the genesis");
                assert!(found <= 2 * lag || found + 1 == len, "{lag} of {len} blocks: {found}");
            }
        }
    }
}
