//! Which of two equally good chains a node takes.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{blockchain::Blockchain, document::checked, hash::BlockHash, message::NodeId};

/// Which of two equally good chains a node takes.
///
/// By `Random`, by `LowestHash`, and by `Towards` where one of the two is the miner's, the same node decides the same way
/// between the same chains, whichever it saw first: nothing is drawn but what follows from their hashes and the node's
/// number. Otherwise what it had first stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TieBreak {
    /// The one that it had first, as in Bitcoin and in the notebook.
    #[default]
    FirstSeen,
    /// Either, as likely as the other, each node for itself.
    ///
    /// Source: Eyal and Sirer (2014), section 6, as a defence that sets gamma to a half.
    Random,
    /// The one whose last block has the lowest hash.
    LowestHash,
    /// The one whose last block a given miner has mined, with a given probability.
    Towards(Towards),
}

/// A tie-break for a miner's blocks: of all honest nodes' it is the gamma of the literature, the share of their hash rate
/// that mines on the attacker's block in a tie.
///
/// Each node decides for itself about each of the miner's blocks, so that gamma is met on average, whatever the latencies.
///
/// ```
/// use chainlab::strategy::{TieBreak, Towards};
///
/// let tie_break = TieBreak::Towards(Towards::new("mallory", 0.5)?);
/// let text = r#"{"towards":{"miner":"mallory","probability":0.5}}"#;
/// assert_eq!(serde_json::to_string(&tie_break)?, text);
/// assert_eq!(serde_json::from_str::<TieBreak>(text)?, tie_break);
/// assert_eq!(Towards::new("mallory", 1.5).unwrap_err().to_string(), "the probability is 1.5, not from 0 to 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Towards {
    miner: Arc<str>,
    #[serde(deserialize_with = "read_probability")]
    probability: f64,
}

/// A tie-break that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the probability is {probability}, not from 0 to 1")]
pub struct TowardsError {
    /// The probability that was given.
    pub probability: f64,
}

impl Towards {
    /// Makes a tie-break that takes the chain whose last block pays its reward to `miner`, with a probability from 0 to 1,
    /// and otherwise the other.
    ///
    /// # Errors
    ///
    /// If the probability is below 0, above 1, or not a number.
    pub fn new(miner: impl Into<Arc<str>>, probability: f64) -> Result<Self, TowardsError> {
        Ok(Self { miner: miner.into(), probability: check_probability(probability)? })
    }

    /// Returns the address that the miner's rewards go to.
    pub fn miner(&self) -> &str {
        &self.miner
    }

    /// Returns the probability, from 0 to 1.
    pub fn probability(&self) -> f64 {
        self.probability
    }

    fn has_mined(&self, chain: &Blockchain) -> bool {
        let reward = chain.last_block().transactions().last();
        reward.is_some_and(|reward| reward.is_reward() && *reward.recipient() == *self.miner)
    }
}

fn check_probability(probability: f64) -> Result<f64, TowardsError> {
    if (0.0..=1.0).contains(&probability) { Ok(probability) } else { Err(TowardsError { probability }) }
}

fn read_probability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, check_probability)
}

impl TieBreak {
    /// Tells whether a node takes another chain that is as good as its own.
    pub(crate) fn prefers(&self, node: NodeId, other: &Blockchain, own: &Blockchain) -> bool {
        let drawn = |chain: &Blockchain| drawn(node, chain.tip_hash());
        match self {
            Self::FirstSeen => false,
            Self::Random => drawn(other) < drawn(own),
            Self::LowestHash => other.tip_hash() < own.tip_hash(),
            Self::Towards(towards) => {
                let takes = |chain: &Blockchain| {
                    // Of 2^53 numbers, as many as are exact.
                    ((drawn(chain) >> 11) as f64) < towards.probability * (1_u64 << 53) as f64
                };
                match (towards.has_mined(other), towards.has_mined(own)) {
                    (true, false) => takes(other),
                    (false, true) => !takes(own),
                    _ => false,
                }
            }
        }
    }
}

/// A number that follows from a node and a block, evenly among all.
fn drawn(node: NodeId, block: BlockHash) -> u64 {
    let hash = BlockHash::of(format!("{block} tie {node}").as_bytes());
    let (bits, _) = hash.as_bytes().split_first_chunk().expect("a hash is longer");
    u64::from_be_bytes(*bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rules, Time, pow::Target};

    /// Two chains of one block more, by different miners.
    fn tied(second: u64) -> [Blockchain; 2] {
        let rules = Rules::sealed().with_first_target(Target::EASIEST);
        let start = Blockchain::start(&rules, Time::from_secs(1)).unwrap();
        ["mallory", "alice"]
            .map(|miner| start.mine_next(&rules, [], miner, Time::from_secs(1 + second)).unwrap())
    }

    #[test]
    fn each_decides_the_same_way_whichever_came_first() {
        let towards = TieBreak::Towards(Towards::new("mallory", 0.4).unwrap());
        for tie_break in [TieBreak::Random, TieBreak::LowestHash, towards] {
            for second in 1..50 {
                let [one, other] = tied(second);
                let node = NodeId::new(second as u32);
                assert_ne!(tie_break.prefers(node, &one, &other), tie_break.prefers(node, &other, &one));
            }
        }
        for second in 1..50 {
            let [one, other] = tied(second);
            let lowest = one.tip_hash() < other.tip_hash();
            assert_eq!(TieBreak::LowestHash.prefers(NodeId::new(1), &one, &other), lowest);
        }
        let [one, other] = tied(1);
        let first_seen = TieBreak::FirstSeen;
        assert!(!first_seen.prefers(NodeId::new(1), &one, &other));
        assert!(!first_seen.prefers(NodeId::new(1), &other, &one));
    }

    /// Of 10,000 decisions the standard deviation is 50 or less; four are allowed.
    #[test]
    fn probabilities_are_met() {
        let probabilities =
            [(TieBreak::Random, 0.5)].into_iter().chain([0.0, 0.2, 0.5, 1.0].map(|probability| {
                (TieBreak::Towards(Towards::new("mallory", probability).unwrap()), probability)
            }));
        for (tie_break, expected) in probabilities {
            let taken: u32 = (1..=100)
                .map(|second| {
                    let [mallory_s, alice_s] = tied(second);
                    (0..100)
                        .map(|node| u32::from(tie_break.prefers(NodeId::new(node), &mallory_s, &alice_s)))
                        .sum::<u32>()
                })
                .sum();
            assert!((f64::from(taken) - 10_000.0 * expected).abs() <= 200.0, "{tie_break:?}: {taken}");
        }
    }
}
