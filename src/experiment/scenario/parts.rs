//! The parts of a scenario that are plain values.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NodeRef;
use crate::{
    strategy::{Strategy, TieBreak},
    wire::Regions,
};

/// How hard it is to find a block at the start.
///
/// Where the first target is easier than the rules' easiest, there is no easiest any more: it could not be kept, and the
/// target is to follow when hash rates fall.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Pace {
    /// Where the target follows the hash rate, so hard that all nodes together find a block in the time that the rules
    /// want; where it is fixed, as the rules have it.
    #[default]
    Balanced,
    /// So hard that all nodes together find a block in this time on average. Where the target follows the hash rate, it
    /// is then kept there.
    BlockSeconds(f64),
    /// As the rules have it.
    AsStated,
}

/// A table of regions, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RegionTable {
    /// [`Regions::of_2019`].
    #[serde(rename = "2019")]
    Of2019,
    /// [`Regions::of_2019_drawn`].
    #[serde(rename = "2019_drawn")]
    Of2019Drawn,
}

impl RegionTable {
    /// Returns the regions.
    pub fn regions(self) -> Regions {
        match self {
            Self::Of2019 => Regions::of_2019(),
            Self::Of2019Drawn => Regions::of_2019_drawn(),
        }
    }
}

/// Which nodes mine by a strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyOf {
    /// The nodes; left out, all that have no other, and those that join.
    #[serde(default)]
    pub nodes: Option<Vec<NodeRef>>,
    /// What they show and when. The victim of an eclipse is one of the nodes that there are at the start.
    pub strategy: Strategy<NodeRef>,
}

/// Which nodes break ties in a way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TieBreakOf {
    /// The nodes; left out, all that have no other, and those that join.
    #[serde(default)]
    pub nodes: Option<Vec<NodeRef>>,
    /// Which of two equally good branches they take.
    pub tie_break: TieBreak,
}

/// A payment that is made again and again. One that its node refuses, as it is not covered, say, or while the node is
/// down, is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Whose money it is, and at which node it is submitted.
    pub from: NodeRef,
    /// Who gets it.
    pub to: NodeRef,
    /// How much it is each time; by default 1.
    #[serde(default = "one")]
    pub amount: u64,
    /// The time from one to the next, at least a millisecond.
    #[serde(rename = "every_seconds", with = "crate::time::seconds")]
    pub every: Duration,
    /// When the first is made; by default at the start.
    #[serde(default, rename = "start_seconds", with = "crate::time::seconds")]
    pub start: Duration,
}

const fn one() -> u64 {
    1
}

/// When a run ends: at whichever comes first. The default states nothing, so that in a document what is stated is all that
/// counts; a scenario with it is refused, as it would never end.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stop {
    /// So many seconds after the start.
    pub seconds: Option<f64>,
    /// When so many blocks are mined after the warm-up.
    pub blocks: Option<u64>,
    /// When some node's chain has come to a position, whatever becomes of it. The warm-up passes in any case.
    pub position: Option<u64>,
}

impl Stop {
    /// Stops when so many blocks are mined after the warm-up.
    pub const fn after_blocks(blocks: u64) -> Self {
        Self { seconds: None, blocks: Some(blocks), position: None }
    }
}
