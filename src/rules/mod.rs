//! What makes a block valid: the rules as plain data, and each rule as one named function with one named violation.
//!
//! A rule knows nothing of chains or networks. What it needs of the chain before a block comes as a value, the
//! [`Context`], so that it can be tested by itself.

mod allocations;
mod check;
mod conflict;
mod difficulty;
mod document;
mod presets;
mod relay;
mod retarget;
mod violation;

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    block::{Block, PreviousHash},
    hash::BlockHash,
    pow::{Challenge, Target},
    time::{Time, Timestamp},
    transaction::Transaction,
};

pub use check::Context;
pub use conflict::RulesError;
pub use difficulty::{Difficulty, RetargetError};
pub use relay::Relay;
pub use retarget::Retarget;
pub use violation::Violation;

/// How many timestamps a median is of that a block's is to be later than.
pub(crate) const MEDIAN_OF: usize = 11;

/// The rules of a network, as plain data: start from a preset and change what you want to ask about.
///
/// ```
/// use chainlab::{Rules, pow::Target};
///
/// let quick = Rules { reward: 25, ..Rules::notebook().with_first_target(Target::leading_zero_bits(8)) };
/// assert_eq!(quick.difficulty.first_target().expected_hashes(), 256);
/// ```
///
/// They read and write documents with serde. What is written states every rule. What is read may name a preset, and
/// leave out each field that is as there; a field within `difficulty` or `genesis` is never left out. One that is
/// misspelt is an error, not a rule that does not apply.
///
/// ```
/// use chainlab::Rules;
///
/// let rules: Rules = serde_json::from_str(r#"{"preset": "sealed", "reward": 25}"#)?;
/// assert_eq!(rules, Rules { reward: 25, ..Rules::sealed() });
///
/// let error = serde_json::from_str::<Rules>(r#"{"reward": 25}"#).unwrap_err();
/// let presets = "`preset` as one of `notebook`, `tutorial`, `sealed`, `bitcoin`";
/// assert_eq!(error.to_string(), format!("missing field `proof`: all are to be stated, or {presets}"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Values of two fields that rule each other out are found by [`Rules::check_together`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "document::Document")]
#[must_use]
pub struct Rules {
    /// What a proof is made over.
    pub proof: ProofRule,
    /// How hard it is to find a proof.
    pub difficulty: Difficulty,
    /// Which of two valid chains is the better one; a tie keeps ours.
    pub fork_choice: ForkChoice,
    /// The coins that a block brings its miner.
    pub reward: u64,
    /// Where chains start.
    pub genesis: Genesis,
    /// How much of a block is checked.
    pub checks: Checks,
    /// Whether balances and nonces are kept; transactions carry a nonce then, and only then.
    pub accounts: bool,
    /// The most transactions that a block may hold besides its reward, for which there is always room. Where links and
    /// proofs alone are checked, this bounds the blocks that a node mines and not those that it is sent; and so do the
    /// reward, the bytes, the characters of addresses and how far ahead a timestamp is.
    pub payments_max: usize,
    /// The most bytes of canonical JSON that a block may take.
    pub block_bytes_max: usize,
    /// The most characters that an address in a block may have.
    pub address_chars_max: usize,
    /// How far a block's timestamp may lie ahead of a receiver's clock before the block has to wait.
    #[serde(rename = "ahead_max_seconds", with = "crate::time::seconds")]
    pub ahead_max: Duration,
    /// How nodes tell their peers of new blocks without being asked, and whether they do.
    pub relay: Relay,
}

/// What a proof is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofRule {
    /// The last proof and this one, in decimal: the notebook's rule. It protects nothing: proofs can be computed ahead.
    LastProof,
    /// The last proof, this one and the last block's hash: the rule of the tutorial's later code.
    LastProofAndHash,
    /// The block's whole content, so that changing it means searching again.
    Sealed,
    /// Nothing: a simulation draws when a proof would have been found. Every rule holds but that of the proof, which
    /// nobody checks, and a chain of such blocks says so when it is written out. A driver that really searches tries
    /// what it would try for a sealed block.
    Drawn,
}

/// Which of two valid chains is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForkChoice {
    /// The chain of more blocks.
    LongestChain,
    /// The chain of more expected hashes: the sum of its blocks' [`Work`](crate::pow::Work).
    MostWork,
}

/// Where chains start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Genesis {
    /// Each node makes its own first block, when it starts.
    OwnOfEachNode {
        /// What the first block has in the place of a hash.
        previous_hash: PreviousHash,
    },
    /// All nodes have the same first block.
    Shared {
        /// The first block's time; if there is none, any will do until a network fills in its own start.
        #[serde(rename = "time_ns", deserialize_with = "Option::deserialize")]
        time: Option<Time>,
        /// The coins that addresses have from the start.
        #[serde(deserialize_with = "allocations::read")]
        allocations: BTreeMap<Arc<str>, u64>,
    },
}

/// How much of a block is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checks {
    /// Its link and its proof, as the notebook's `valid_chain` does.
    LinksAndProofs,
    /// Everything that it says.
    WholeBlocks,
}

/// Names the rules under which a link of a chain was verified. It means nothing outside the process that made it.
/// The lowest bit tells whether proofs are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Tells whether nobody has checked the proofs.
    pub(crate) fn is_drawn(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Rules {
    /// Computes the fingerprint; it costs in proportion to the genesis's allocations.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        Fingerprint(hasher.finish() & !1 | u64::from(self.proof == ProofRule::Drawn))
    }

    /// Makes the first block of a chain; `now` is its time where the rules do not set one.
    pub fn genesis_block(&self, now: Time) -> Block {
        match &self.genesis {
            &Genesis::OwnOfEachNode { previous_hash } => {
                Block::new(1, self.timestamp(now), [], 100, previous_hash)
            }
            Genesis::Shared { time, allocations } => {
                let transactions: Arc<[_]> = allocations
                    .iter()
                    .map(|(address, &amount)| Transaction::reward(Arc::clone(address), amount))
                    .collect();
                let timestamp = self.timestamp(time.unwrap_or(now));
                Block::new(1, timestamp, transactions, 100, PreviousHash::NumberOne)
            }
        }
    }

    /// Returns the rules with the shared genesis's time filled in, if it has none yet.
    pub fn started_at(mut self, now: Time) -> Self {
        if let Genesis::Shared { time, .. } = &mut self.genesis {
            time.get_or_insert(now);
        }
        self
    }

    /// Returns the rules with another first target, which is the easiest, too: for blocks in a moment, say.
    pub fn with_first_target(self, target: Target) -> Self {
        Self { difficulty: self.difficulty.starting_at(target), ..self }
    }

    /// Returns the rules with a first target at which so many hashes a second find a block in the wanted time; it takes
    /// the place of the easiest target, too, if it is easier. Where the target does not follow the hash rate, no time is
    /// wanted, and the rules stay as they are.
    ///
    /// ```
    /// use chainlab::Rules;
    ///
    /// let rules = Rules::bitcoin().paced_for(1e12);
    /// assert_eq!(rules.difficulty.first_target().expected_hashes(), 600_000_000_000_000);
    /// ```
    pub fn paced_for(self, hashes_per_second: f64) -> Self {
        let Difficulty::Retargeted(retarget) = self.difficulty else { return self };
        let first =
            Target::from_expected_hashes((hashes_per_second * retarget.spacing().as_secs_f64()) as u128);
        let easiest = first.max(retarget.easiest_target());
        let retarget =
            retarget.starting_at(first).with_easiest_target(easiest).expect("it is the easier of the two");
        Self { difficulty: Difficulty::Retargeted(retarget), ..self }
    }

    /// Tells whether there is one first block alone that the rules allow.
    pub(crate) fn names_one_genesis(&self) -> bool {
        self.checks == Checks::WholeBlocks && matches!(self.genesis, Genesis::Shared { time: Some(_), .. })
    }

    /// Writes a moment as a block's timestamp: in whole microseconds where timestamps are checked.
    pub fn timestamp(&self, now: Time) -> Timestamp {
        match self.checks {
            Checks::LinksAndProofs => Timestamp::from(now),
            Checks::WholeBlocks => Timestamp::from_micros(now.as_micros()),
        }
    }

    /// Returns what a proof for `block`, on top of `parent`, is sought for.
    pub fn challenge(&self, block: &Block, parent: &Block, parent_hash: BlockHash) -> Challenge {
        let last_proof = parent.proof();
        match self.proof {
            ProofRule::LastProof => Challenge::LastProof { last_proof },
            ProofRule::LastProofAndHash => Challenge::LastProofAndHash { last_proof, last_hash: parent_hash },
            ProofRule::Sealed | ProofRule::Drawn => Challenge::Sealed { digest: block.digest() },
        }
    }

    /// Returns the target of the block at a position, after one that was held to `last`; `block` finds those before it. It
    /// is `last`, too, where a window has been let go.
    #[inline]
    pub(crate) fn target_at<'a>(
        &self,
        position: u64,
        last: Target,
        block: impl Fn(u64) -> Option<&'a Block>,
    ) -> Target {
        match self.difficulty.retarget().filter(|retarget| retarget.is_due_at(position)) {
            // Its blocks may have been let go: nobody goes on from there but in vain.
            Some(retarget) => retarget.target_at(position, last, block).unwrap_or(last),
            None => last,
        }
    }

    /// Returns how many blocks before it a block is judged by, at most: a window, and the timestamps of a median.
    pub(crate) fn looks_back(&self) -> u64 {
        MEDIAN_OF as u64 + self.difficulty.retarget().map_or(0, |retarget| u64::from(retarget.window()))
    }

    /// Returns the moment from which a receiver takes a block on: not before its timestamp is near enough.
    pub fn acceptable_from(&self, block: &Block) -> Time {
        match (self.checks, block.timestamp().micros()) {
            (Checks::WholeBlocks, Some(micros)) => {
                let ahead = u64::try_from(self.ahead_max.as_micros()).unwrap_or(u64::MAX);
                Time::from_nanos(micros.saturating_sub(ahead).saturating_mul(1000))
            }
            _ => Time::UNIX_EPOCH,
        }
    }
}
