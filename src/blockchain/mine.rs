//! Making the next block by hand.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::chain::{Blockchain, InvalidBlock};
use crate::{
    block::{Block, PreviousHash},
    pow::{Exhausted, Search},
    rules::{ProofRule, Rules},
    time::{Time, Timestamp},
    transaction::Transaction,
};

impl Blockchain {
    /// Mines the next block out of some transactions, with the miner's reward after them, and appends it: for whoever
    /// prepares a branch by hand, like an attacker or a test. The block's time is `now`, or where timestamps are checked
    /// the first allowed one after it.
    ///
    /// The proof is a real one, searched for on this thread: it takes
    /// [`expected_hashes`](crate::pow::Target::expected_hashes) of the [next target](Self::next_target) on average. Under
    /// [`ProofRule::Drawn`], where nobody checks it, it is 0 and takes no search. A chain that was verified under other
    /// rules is first verified under these.
    ///
    /// # Errors
    ///
    /// Why there is no such block; if the rules refuse it, the rule that it breaks.
    ///
    /// ```
    /// use chainlab::{Blockchain, Rules, Time, Transaction, pow::Target};
    ///
    /// // Two branches: in one alice is rewarded and pays the shop, in the other the shop never hears of her.
    /// let rules = Rules::sealed().with_first_target(Target::leading_zero_bits(4));
    /// let start = Blockchain::start(&rules, Time::UNIX_EPOCH)?;
    /// let rewarded = start.mine_next(&rules, [], "alice", Time::from_secs(1))?;
    /// let payment = Transaction::new("alice", "shop", 50).with_nonce(0);
    /// let paid = rewarded.mine_next(&rules, [payment], "carol", Time::from_secs(2))?;
    /// assert_eq!((paid.balance("alice"), paid.balance("shop")), (0, 50));
    ///
    /// let attack = (1..=3).try_fold(start, |chain, second| {
    ///     chain.mine_next(&rules, [], "mallory", Time::from_secs(second))
    /// })?;
    /// assert!(attack.is_better_than(&paid, &rules));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mine_next(
        &self,
        rules: &Rules,
        transactions: impl IntoIterator<Item = Transaction>,
        miner: impl Into<Arc<str>>,
        now: Time,
    ) -> Result<Self, MineError> {
        let reward = Transaction::reward(miner, rules.reward);
        let transactions: Arc<[_]> = transactions.into_iter().chain([reward]).collect();
        let chain = self.verify(rules)?;
        let timestamp = chain.next_timestamp(rules, now).ok_or(MineError::NoTimestampLeft)?;
        let block = chain.next_block(transactions, timestamp);
        if rules.proof == ProofRule::Drawn {
            return Ok(chain.append(block, rules)?);
        }
        let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
        let mut search = Search::new(challenge, chain.next_target(rules));
        let proof = loop {
            if let Some(proof) = search.run(u64::MAX)? {
                break proof;
            }
        };
        Ok(chain.append(block.with_proof(proof), rules)?)
    }

    /// Makes a block that goes on top of this chain, as far as its index and its link go, without its proof.
    pub(crate) fn next_block(
        &self,
        transactions: impl Into<Arc<[Transaction]>>,
        timestamp: Timestamp,
    ) -> Block {
        let previous_hash = PreviousHash::Hash(self.tip_hash());
        Block::new(self.len() + 1, timestamp, transactions, 0, previous_hash)
    }
}

/// Why no block was mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MineError {
    /// No proof meets the target.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// The node was told to stop mining.
    #[error("the node was told to stop mining")]
    Stopped,
    /// No timestamp is later than those of the chain: they stand at the end of what can be counted.
    #[error("no timestamp is left that is later than the median of the chain's last")]
    NoTimestampLeft,
    /// No proof was found in the time that there was.
    #[error("no proof was found in time")]
    TimedOut,
    /// The node was to mine at a hash rate of 0, at which it would find nothing.
    #[error("a node that mines at a hash rate of 0 finds nothing")]
    NoHashRate,
    /// The rules refuse the block. One that a node makes they refuse only where its reward cannot be counted.
    #[error("the rules refuse the mined block: {0}")]
    Refused(#[from] InvalidBlock),
}
