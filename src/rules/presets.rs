//! The rules that have names.

use std::{collections::BTreeMap, time::Duration};

use super::{Checks, Difficulty, ForkChoice, Genesis, ProofRule, Relay, Retarget, Rules};
use crate::{block::PreviousHash, pow::Target};

impl Rules {
    /// Returns the rules of the notebook, exactly.
    ///
    /// The SHA-256 of the decimal of the last proof followed by the decimal of this one starts with four hexadecimal
    /// zeros. The longest chain wins, a tie keeps ours, and a chain is valid if its links and proofs are. Each node
    /// makes its own genesis, and learns of others' blocks by resolving. The reward is 1, from "0", last in its block.
    ///
    /// Where Python takes any value, amounts, proofs and indices are whole numbers from 0 to 2^64 - 1, and blocks and
    /// transactions have the notebook's fields and no others.
    pub fn notebook() -> Self {
        Self {
            proof: ProofRule::LastProof,
            difficulty: Difficulty::Fixed(Target::leading_hex_zeros(4)),
            fork_choice: ForkChoice::LongestChain,
            reward: 1,
            genesis: Genesis::OwnOfEachNode { previous_hash: PreviousHash::NumberOne },
            checks: Checks::LinksAndProofs,
            accounts: false,
            payments_max: usize::MAX,
            block_bytes_max: usize::MAX,
            address_chars_max: usize::MAX,
            ahead_max: Duration::MAX,
            relay: Relay::None,
        }
    }

    /// Returns the rules of the tutorial's later code, which differ from the notebook's in two points: the proof also
    /// covers the last block's hash, and the first block's `previous_hash` is the string "1".
    pub fn tutorial() -> Self {
        Self {
            proof: ProofRule::LastProofAndHash,
            genesis: Genesis::OwnOfEachNode { previous_hash: PreviousHash::TextOne },
            ..Self::notebook()
        }
    }

    /// Returns rules with what the notebook lacks: the proof covers the block, most work wins, the target follows the
    /// hash rate, and accounts are kept.
    ///
    /// A block is wanted every second, and the target starts at the notebook's four zeros, follows every 32 blocks and
    /// never becomes easier than it was at the start. A window starts at most a second before the end of the one before,
    /// which prevents the time warp. The reward is 50. A block holds at most 1000 transactions besides its reward, takes
    /// at most 1 MB and may be 10 s ahead of its receiver's clock; an address has at most 80 characters.
    pub fn sealed() -> Self {
        let retarget = Retarget::new(Target::leading_hex_zeros(4), 32, Duration::from_secs(1));
        let retarget = retarget.expect("a window of 32 blocks has intervals of a second");
        Self {
            proof: ProofRule::Sealed,
            difficulty: Difficulty::Retargeted(retarget.with_back_max(Duration::from_secs(1))),
            fork_choice: ForkChoice::MostWork,
            reward: 50,
            genesis: Genesis::Shared { time: None, allocations: BTreeMap::new() },
            checks: Checks::WholeBlocks,
            accounts: true,
            payments_max: 1000,
            block_bytes_max: 1_000_000,
            address_chars_max: 80,
            ahead_max: Duration::from_secs(10),
            relay: Relay::Push,
        }
    }

    /// Returns the sealed rules at Bitcoin's pace: 600 s a block, a retarget every 2016 blocks, the target of
    /// difficulty 1 as the first and easiest, and timestamps at most two hours ahead. As on the main network nothing
    /// prevents the time warp; see [`Retarget`].
    pub fn bitcoin() -> Self {
        // The compact form 0x1d00ffff of Bitcoin's proof-of-work limit, of which these are the first 16 bytes.
        let difficulty_one = Target::new(0xffff << 80).expect("it is not zero");
        let retarget = Retarget::new(difficulty_one, 2016, Duration::from_secs(600));
        let retarget = retarget.expect("a window of 2016 blocks has intervals of 600 s");
        Self {
            difficulty: Difficulty::Retargeted(retarget),
            ahead_max: Duration::from_secs(2 * 60 * 60),
            ..Self::sealed()
        }
    }
}
