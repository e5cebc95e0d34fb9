//! A race between a secret branch and the others'.

/// How a race stands, counted in blocks after the last one that both branches have in common.
///
/// Source: the states of Sapirshtein, Sompolinsky and Zohar, *Optimal Selfish Mining Strategies in Bitcoin* (2016),
/// section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Race {
    /// The blocks of the secret branch, those that were shown already among them.
    pub secret: u64,
    /// The blocks of the best branch of the others.
    pub others: u64,
    /// What showing as many blocks as the others have would do.
    pub fork: Fork,
}

/// What showing as many blocks as the others have would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fork {
    /// Nothing much: the miner found the last block itself, and all have had the others' for long.
    Stale,
    /// Split the others: their last block has just come.
    Fresh,
    /// They are split: so many were shown, and the others mine on either.
    Split,
}

/// What a miner does in a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Gives its branch up for the others'.
    Adopt,
    /// Shows one block more than the others have, which is better; all that it has, if it has no more.
    Override,
    /// Shows as many blocks as the others have, so that some of them mine on the secret branch.
    Match,
    /// Shows nothing, and mines on.
    Wait,
}

impl Race {
    /// Tells whether an act is possible: overriding needs more blocks than the others have, matching as many, and a fork
    /// that is fresh.
    pub const fn allows(self, act: Act) -> bool {
        match act {
            Act::Adopt | Act::Wait => true,
            Act::Override => self.secret > self.others,
            Act::Match => self.secret >= self.others && matches!(self.fork, Fork::Fresh),
        }
    }
}
