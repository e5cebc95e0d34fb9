//! What a miner shows and when, and which of two equally good branches a node takes.

use serde::{Deserialize, Serialize};

use crate::message::NodeId;

/// How a node behaves; by default as the rules have it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What it shows and when.
    pub strategy: Strategy,
    /// Which of two equally good branches it takes.
    pub tie_break: TieBreak,
}

/// What a miner shows and when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Strategy {
    /// Every block at once.
    #[default]
    Honest,
    /// Selfish mining.
    Selfish {},
    /// Stubborn mining.
    Stubborn {
        /// Whether it is stubborn in its lead.
        lead: bool,
        /// Whether it is stubborn in an equal fork.
        equal_fork: bool,
        /// How far behind it goes on.
        trail: u32,
    },
    /// The optimal strategy.
    Optimal {
        /// Its share of the hash rate.
        power: f64,
        /// The part of the others that mines on its branch in a tie.
        gamma: f64,
        /// The longest branch that is looked at.
        truncation: u32,
    },
    /// Spends the same coins twice.
    DoubleSpend {
        /// After how many confirmations the merchant delivers.
        confirmations: u32,
        /// How many blocks behind it gives up.
        give_up: u32,
        /// The merchant's address.
        merchant: String,
        /// What is paid.
        amount: u64,
    },
    /// Cuts a node off from all others.
    Eclipse {
        /// The node.
        victim: NodeId,
    },
}

/// Which of two equally good branches a node takes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TieBreak {
    /// The one it saw first.
    #[default]
    FirstSeen,
    /// Either, with the same probability.
    Random,
    /// The one whose tip has the lowest hash.
    LowestHash,
    /// That of a miner, with a probability.
    Towards {
        /// The miner's address.
        miner: String,
        /// The probability.
        probability: f64,
    },
}
