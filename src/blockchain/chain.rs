//! The chain and what can be asked of it.

use std::{fmt, iter, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    iter::Blocks,
    link::{Derived, Link, ancestor},
};
use crate::{
    accounts::{Account, Accounts},
    block::Block,
    hash::BlockHash,
    pow::{Target, Work},
    rules::{Checks, Context, Fingerprint, Rules, RulesError, Violation},
    time::{Time, Timestamp},
};

/// A chain of verified blocks, from its genesis to its tip; never empty.
///
/// It is a value: it never changes, a clone is one reference count, and chains share the blocks that they have in
/// common. Appending is O(1) besides verifying the block. Positions count from 1. Two chains are equal if they hold the
/// same blocks.
///
/// A chain of a [`Simulation`](crate::Simulation) for which a [finality](crate::Simulation::set_finality) is set has let
/// go of blocks after its genesis. It counts them still, but neither finds nor iterates over them, its document is
/// refused by whoever reads it, and so is the chain by other rules.
///
/// ```
/// use chainlab::{Blockchain, Rules, Time};
///
/// let chain = Blockchain::start(&Rules::notebook(), Time::from_nanos(1_507_824_951_769_517_700))?;
/// assert_eq!(chain.len(), 1);
/// assert_eq!(chain.last_block().proof(), 100);
/// # Ok::<(), chainlab::RulesError>(())
/// ```
#[derive(Clone)]
#[must_use = "a chain stays as it is: what is appended is in the one that is returned"]
pub struct Blockchain {
    pub(super) tip: Arc<Link>,
}

impl Blockchain {
    /// Starts a chain with the genesis that the rules make at a moment.
    ///
    /// # Errors
    ///
    /// What of the rules cannot be kept together with the rest.
    pub fn start(rules: &Rules, now: Time) -> Result<Self, RulesError> {
        rules.check_together()?;
        Ok(Self::started(rules, now))
    }

    /// Starts a chain by rules that can be kept together.
    pub(crate) fn started(rules: &Rules, now: Time) -> Self {
        Self::with_genesis(rules.genesis_block(now), rules).expect("rules allow the genesis that they make")
    }

    /// Starts a chain with a first block of the caller's.
    ///
    /// # Errors
    ///
    /// What the rules have against the block.
    pub fn with_genesis(block: Block, rules: &Rules) -> Result<Self, InvalidBlock> {
        Self::root(block, rules, rules.fingerprint())
    }

    fn root(block: Block, rules: &Rules, fingerprint: Fingerprint) -> Result<Self, InvalidBlock> {
        let accounts =
            rules.check_genesis(&block).map_err(|violation| InvalidBlock { position: 1, violation })?;
        // Nobody searched for the first block's proof.
        let derived =
            Derived { target: rules.difficulty.first_target(), work: Work::ZERO, accounts, fingerprint };
        Ok(Self { tip: Link::new(block, derived, None) })
    }

    /// Appends a block after verifying it; the chain itself stays as it is.
    ///
    /// A chain that was verified under other rules is first verified under these, which costs in proportion to it.
    ///
    /// # Errors
    ///
    /// The first block that breaks a rule, and the rule.
    pub fn append(&self, block: Block, rules: &Rules) -> Result<Self, InvalidBlock> {
        let fingerprint = rules.fingerprint();
        if self.tip.fingerprint == fingerprint {
            return self.append_under(block, rules, fingerprint);
        }
        self.verify(rules)?.append_under(block, rules, fingerprint)
    }

    /// Appends a block to a chain that is known to be verified under the same rules.
    pub(crate) fn append_under(
        &self,
        block: Block,
        rules: &Rules,
        fingerprint: Fingerprint,
    ) -> Result<Self, InvalidBlock> {
        debug_assert_eq!(self.tip.fingerprint, fingerprint);
        let context = self.context(rules);
        let accounts = rules
            .check(&block, &context)
            .map_err(|violation| InvalidBlock { position: self.len() + 1, violation })?;
        let target = context.target;
        let work = self.tip.work + self.next_work(target);
        let derived = Derived { target, work, accounts, fingerprint };
        Ok(Self { tip: Link::new(block, derived, Some(Arc::clone(&self.tip))) })
    }

    /// Verifies the chain under rules and returns it as verified under them: itself if it was, else a copy of its
    /// links, which costs in proportion to the chain.
    ///
    /// # Errors
    ///
    /// The first block that breaks a rule, and the rule.
    pub fn verify(&self, rules: &Rules) -> Result<Self, InvalidBlock> {
        let fingerprint = rules.fingerprint();
        if self.tip.fingerprint == fingerprint {
            return Ok(self.clone());
        }
        let mut blocks = self.iter().cloned();
        let first = blocks.next().expect("a chain has its genesis");
        let start = Self::root(first, rules, fingerprint)?;
        blocks.try_fold(start, |chain, block| chain.append_under(block, rules, fingerprint))
    }

    /// Returns the bytes of the last block's canonical JSON, in O(1) unless the block before was let go.
    pub(crate) fn tip_size(&self) -> u64 {
        match self.tip.previous() {
            Some(previous) => self.tip.size - previous.size,
            None => self.tip.block.size() as u64,
        }
    }

    /// Returns the work of the next block at a target: that of the last one, if that is the same, as a division of 128 bits
    /// takes longer than much else of a block.
    fn next_work(&self, target: Target) -> Work {
        match self.tip.previous() {
            Some(previous) if self.tip.target == target => self.tip.work - previous.work,
            _ => target.work(),
        }
    }

    /// Returns the last block's timestamp in microseconds, rounded, which the chain keeps.
    #[inline]
    pub(crate) fn tip_micros(&self) -> u64 {
        self.tip.micros
    }

    /// Tells whether the chain was verified under the rules of a fingerprint.
    pub(crate) fn is_verified_under(&self, fingerprint: Fingerprint) -> bool {
        self.tip.fingerprint == fingerprint
    }

    /// Returns what the next block is judged by, in O(log n).
    pub fn context(&self, rules: &Rules) -> Context<'_> {
        Context {
            parent: self.last_block(),
            parent_hash: self.tip_hash(),
            target: self.next_target(rules),
            median_micros: self.median_micros(),
            window_micros: self.window_micros(rules),
            accounts: &self.tip.accounts,
        }
    }

    /// Returns the number of blocks, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a chain has its genesis at least")]
    pub fn len(&self) -> u64 {
        self.tip.position
    }

    /// Returns the tip: the last block.
    pub fn last_block(&self) -> &Block {
        &self.tip.block
    }

    /// Returns the last block's hash, which the chain keeps.
    pub fn tip_hash(&self) -> BlockHash {
        self.tip.hash
    }

    /// Returns the bytes of the canonical JSON of the blocks after a position, in O(log n); of all blocks, if that position's
    /// was let go.
    pub fn size_after(&self, position: u64) -> u64 {
        let before = ancestor(&self.tip, position.min(self.len()));
        self.tip.size - before.map_or(0, |link| link.size)
    }

    /// Returns the block at a position, counted from 1, in O(log n).
    pub fn block(&self, position: u64) -> Option<&Block> {
        ancestor(&self.tip, position).map(|link| &link.block)
    }

    /// Returns the chain up to a position, in O(log n).
    pub fn at(&self, position: u64) -> Option<Self> {
        ancestor(&self.tip, position).map(|link| Self { tip: Arc::clone(link) })
    }

    /// Returns the chain without its last block, unless that is all it has, or the one before was let go.
    pub fn parent(&self) -> Option<Self> {
        self.tip.previous().map(|link| Self { tip: Arc::clone(link) })
    }

    /// Goes back from the tip to the genesis, by positions and hashes, without the blocks that were let go.
    pub(crate) fn back(&self) -> impl Iterator<Item = (u64, BlockHash)> {
        iter::successors(Some(&self.tip), |link| link.parent()).map(|link| (link.position, link.hash))
    }

    /// Iterates over the blocks from the genesis to the tip, or back with `rev()`. It holds no more than 256 blocks'
    /// pointers at a time.
    pub fn iter(&self) -> Blocks<'_> {
        self.iter_after(0)
    }

    /// Iterates over the blocks after a position.
    pub fn iter_after(&self, position: u64) -> Blocks<'_> {
        Blocks::new(&self.tip, position)
    }

    /// Returns the chain's work: the expected hashes of all its blocks after the first.
    pub fn work(&self) -> Work {
        self.tip.work
    }

    /// Returns the target that the last block was held to; the first block's is the rules' first.
    pub fn target(&self) -> Target {
        self.tip.target
    }

    /// Returns the target that the next block is held to, in O(log n).
    #[inline]
    pub fn next_target(&self, rules: &Rules) -> Target {
        rules.target_at(self.len() + 1, self.target(), |position| self.block(position))
    }

    /// Returns the median of the last 11 timestamps, or of all if there are fewer, in microseconds since the Unix
    /// epoch; of an even number the later middle one, as in Bitcoin's `GetMedianTimePast`. The chain keeps it.
    pub fn median_micros(&self) -> u64 {
        self.tip.median_micros
    }

    /// Returns the earliest time that the next block may have as the first of a window, in microseconds since the Unix
    /// epoch; none if it is not the first.
    fn window_micros(&self, rules: &Rules) -> Option<u64> {
        let retarget = rules.difficulty.retarget().filter(|retarget| retarget.is_due_at(self.len() + 1))?;
        Some(retarget.earliest_micros(self.last_block().timestamp().rounded_micros()))
    }

    /// Returns the timestamp of a block that is made at a moment: that moment, or where timestamps are checked the
    /// first that is allowed; none if the chain's blocks leave none.
    pub(crate) fn next_timestamp(&self, rules: &Rules, now: Time) -> Option<Timestamp> {
        match rules.checks {
            Checks::LinksAndProofs => Some(rules.timestamp(now)),
            Checks::WholeBlocks => {
                let before_window = self.window_micros(rules).unwrap_or(0).saturating_sub(1);
                Timestamp::from_micros_after(now.as_micros(), self.median_micros().max(before_window))
            }
        }
    }

    /// Returns an address's coins after the last block, in O(log n); zero where no accounts are kept.
    pub fn balance(&self, address: &str) -> u64 {
        self.account(address).balance
    }

    /// Returns an address's account after the last block, in O(log n).
    pub fn account(&self, address: &str) -> Account {
        self.tip.accounts.get(address)
    }

    /// Returns the accounts after the last block.
    pub fn accounts(&self) -> &Accounts {
        &self.tip.accounts
    }
}

impl fmt::Debug for Blockchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blockchain({} blocks, tip {})", self.len(), self.tip_hash())
    }
}

/// A block that breaks a rule: where it stands, and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("block {position}: {violation}")]
pub struct InvalidBlock {
    /// The block's position, counted from 1.
    pub position: u64,
    /// The rule that it breaks.
    #[source]
    pub violation: Violation,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Difficulty, PreviousHash, Retarget, Transaction};

    #[test]
    fn a_timestamp_of_another_s_block_moves_ours_only_where_it_is_checked() {
        let now = Time::from_secs(1_507_824_951);
        for (seconds, expected) in [
            (0.0, Some(Timestamp::from(now))),
            (2e9, Some(Timestamp::from_micros(2_000_000_000_000_001))),
            // After the year 2242, where floats are two microseconds apart, and far after the end of all moments.
            (9e9, Timestamp::float(9e9_f64.next_up())),
            (1e12, Timestamp::float(1e12_f64.next_up())),
            (f64::MAX, None),
        ] {
            let timestamp = Timestamp::float(seconds).expect("it is finite");
            let block = Block::new(1, timestamp, [], 100, PreviousHash::NumberOne);
            let chain = Blockchain::with_genesis(block, &Rules::notebook()).expect("any first block will do");
            assert_eq!(chain.next_timestamp(&Rules::notebook(), now), Some(Timestamp::from(now)));
            assert_eq!(chain.next_timestamp(&Rules::sealed(), now), expected);
        }
    }

    #[test]
    fn a_timestamp_of_ours_starts_a_window_late_enough() {
        let start = Time::from_secs(1_507_824_951);
        let second = Duration::from_secs(1);
        let free =
            Retarget::new(Target::EASIEST, 3, second).expect("three blocks have intervals of a second");
        let bound = free.with_back_max(second);
        let next_timestamp = |retarget, len: u32, now| {
            let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..Rules::sealed() };
            // Each block is 100 s after the last.
            let chain = (1..len).fold(Blockchain::start(&rules, start).unwrap(), |chain, count| {
                let timestamp = rules.timestamp(start + 100 * second * count);
                let parent = PreviousHash::Hash(chain.tip_hash());
                let reward = Transaction::reward("miner", rules.reward);
                let block = Block::new(chain.len() + 1, timestamp, [reward], 0, parent);
                chain.append(block, &rules).expect("any proof will do")
            });
            chain.next_timestamp(&rules, now).expect("there is time left")
        };
        let after_median = Timestamp::from_micros(1_507_825_051_000_001);
        let [window, later] = [1_507_825_150_000_000, 1_507_825_200_000_000].map(Timestamp::from_micros);
        assert_eq!(next_timestamp(bound, 2, start), after_median, "no window starts");
        assert_eq!(next_timestamp(bound, 3, start), window);
        assert_eq!(next_timestamp(free, 3, start), after_median);
        assert_eq!(next_timestamp(bound, 3, Time::from_secs(1_507_825_200)), later);
    }
}
