//! How hard it is to find a proof.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Retarget;
use crate::pow::Target;

/// How hard it is to find a proof: as hard for every block, or so that blocks keep their pace.
///
/// ```
/// use std::time::Duration;
///
/// use chainlab::{Difficulty, Retarget, Rules, pow::Target};
///
/// let easy = Target::leading_zero_bits(8);
/// let fixed = Rules { difficulty: Difficulty::Fixed(easy), ..Rules::sealed() };
/// let paced = Retarget::new(easy, 144, Duration::from_secs(60))?.with_easiest_target(Target::EASIEST)?;
/// let paced = Rules { difficulty: Difficulty::Retargeted(paced), ..Rules::sealed() };
/// assert_eq!((fixed.difficulty.easiest_target(), paced.difficulty.easiest_target()), (easy, Target::EASIEST));
/// # Ok::<(), chainlab::RetargetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Difficulty {
    /// Every block is held to the same target.
    Fixed(Target),
    /// The target follows the hash rate.
    Retargeted(Retarget),
}

impl Difficulty {
    /// Returns the target of the first blocks: of all, or of those in the first window.
    pub fn first_target(&self) -> Target {
        match self {
            Self::Fixed(target) => *target,
            Self::Retargeted(retarget) => retarget.first_target(),
        }
    }

    /// Returns the easiest target that a block can be held to.
    pub fn easiest_target(&self) -> Target {
        match self {
            Self::Fixed(target) => *target,
            Self::Retargeted(retarget) => retarget.easiest_target(),
        }
    }

    /// Returns how the target follows the hash rate, if it does.
    pub fn retarget(&self) -> Option<&Retarget> {
        match self {
            Self::Fixed(_) => None,
            Self::Retargeted(retarget) => Some(retarget),
        }
    }

    /// Returns the difficulty with another first target, which is the easiest, too.
    pub fn starting_at(self, target: Target) -> Self {
        match self {
            Self::Fixed(_) => Self::Fixed(target),
            Self::Retargeted(retarget) => Self::Retargeted(retarget.starting_at(target)),
        }
    }
}

/// Why a target cannot follow the hash rate so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetargetError {
    /// The first target is easier than any may be.
    #[error("first_target {first} is easier than easiest_target {easiest}")]
    FirstTarget {
        /// The first target.
        first: Target,
        /// The easiest target.
        easiest: Target,
    },
    /// A window has no interval whose time could be measured.
    #[error("window is {window} blocks, which have no interval: it takes 2 at least")]
    Window {
        /// The blocks in a window.
        window: u32,
    },
    /// Blocks cannot follow each other so fast or so slowly.
    #[error("spacing is {spacing:?}: it takes a microsecond at least, and a window at most 73,000 years")]
    Spacing {
        /// The wanted time from block to block.
        spacing: Duration,
    },
    /// The target would have to change by nothing and less.
    #[error("factor_max is 0: it takes 1 at least, with which the target never changes")]
    FactorMax,
}
