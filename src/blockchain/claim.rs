//! What blocks claim to be, before anything of them is verified: whether they are known, and what they would be worth.
//!
//! Nothing here is hashed, and nothing is worked out twice: a message of known or worthless blocks costs its sender as
//! much as its receiver.

use super::chain::Blockchain;
use crate::{
    block::Block,
    pow::Work,
    rules::{ForkChoice, Rules},
};

impl Blockchain {
    /// Counts the blocks that a list begins with and that are the chain's after a position. It costs in proportion to
    /// them.
    pub(crate) fn count_known(&self, after: u64, blocks: &[Block]) -> usize {
        // What comes after a gap is not what comes after the position.
        if self.at(after.saturating_add(1)).is_none() {
            return 0;
        }
        self.iter_after(after).zip(blocks).take_while(|(own, other)| own == other).count()
    }

    /// Tells whether the fork choice would prefer the chain with blocks appended to another, if only they were valid.
    /// It costs in proportion to their number.
    pub(crate) fn would_be_better(&self, blocks: &[Block], other: &Self, rules: &Rules) -> bool {
        match rules.fork_choice {
            ForkChoice::LongestChain => self.len() + blocks.len() as u64 > other.len(),
            ForkChoice::MostWork => self.claimed_work(blocks, rules) > other.work(),
        }
    }

    /// The work of the chain with blocks appended, each at the target that those before it lead to.
    fn claimed_work(&self, blocks: &[Block], rules: &Rules) -> Work {
        let block = |position: u64| match position.checked_sub(self.len() + 1) {
            Some(at) => blocks.get(at as usize),
            None => self.block(position),
        };
        let (mut target, mut work) = (self.target(), self.work());
        let mut each = target.work();
        for position in (self.len() + 1..).take(blocks.len()) {
            let next = rules.target_at(position, target, block);
            if next != target {
                (target, each) = (next, next.work());
            }
            work += each;
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        block::PreviousHash,
        pow::Target,
        rules::{Difficulty, Retarget},
        time::{Time, Timestamp},
        transaction::Transaction,
    };
    use proptest::prelude::*;

    fn rules() -> Rules {
        let retarget = Retarget::new(Target::leading_zero_bits(3), 4, Duration::from_secs(1)).unwrap();
        let retarget = retarget.with_easiest_target(Target::EASIEST).unwrap();
        Rules { difficulty: Difficulty::Retargeted(retarget), ..Rules::sealed() }
    }

    fn grown(chain: &Blockchain, rules: &Rules, micros: u64) -> Blockchain {
        let timestamp = chain.last_block().timestamp().rounded_micros() + micros;
        let block = Block::new(
            chain.len() + 1,
            Timestamp::from_micros(timestamp),
            [Transaction::reward("miner", rules.reward)],
            0,
            PreviousHash::Hash(chain.tip_hash()),
        );
        let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
        let proof = (0..).find(|proof| challenge.is_met(*proof, chain.next_target(rules)));
        chain.append(block.with_proof(proof.expect("it is met soon")), rules).expect("it keeps the rules")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever a chain's blocks claim after any of them is what they are worth once they are verified.
        #[test]
        fn a_valid_chain_is_worth_what_it_claims(
            own in prop::collection::vec(1..4_000_000_u64, 0..16),
            other in prop::collection::vec(1..4_000_000_u64, 1..16),
        ) {
            let rules = rules();
            let start = Blockchain::start(&rules, Time::from_secs(1_000)).unwrap();
            let own = own.iter().fold(start.clone(), |chain, micros| grown(&chain, &rules, *micros));
            let other = other.iter().fold(start, |chain, micros| grown(&chain, &rules, *micros));
            let common = own.common_ancestor(&other).expect("they share the first block").len();
            for after in 1..=other.len() {
                let base = other.at(after).expect("it is that long");
                let blocks: Vec<_> = other.iter_after(after).cloned().collect();
                prop_assert_eq!(base.claimed_work(&blocks, &rules), other.work());
                let claims = base.would_be_better(&blocks, &own, &rules);
                prop_assert_eq!(claims, other.is_better_than(&own, &rules));
                let longest = Rules { fork_choice: ForkChoice::LongestChain, ..rules.clone() };
                let claims = base.would_be_better(&blocks, &own, &longest);
                prop_assert_eq!(claims, other.len() > own.len());
                let known = common.saturating_sub(after) as usize;
                prop_assert_eq!(own.count_known(after, &blocks), known);
                prop_assert_eq!(other.count_known(after, &blocks), blocks.len());
            }
        }
    }
}
