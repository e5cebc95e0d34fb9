//! How nodes tell their peers of new blocks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How nodes tell their peers of new blocks, and whether they do.
///
/// Where they do and accounts are kept, they tell of transactions as well: by inventories of hashes, whatever this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Relay {
    /// They do not: a node learns of blocks when it asks for chains.
    None,
    /// They send the block itself to every peer that may lack it.
    Push,
    /// They send the block's hash; who lacks the block asks one of those who told of it.
    Announce,
    /// They send what a peer lacks of the block that has all its transactions pending, a 64th of its bytes (six for a
    /// transaction of 384), from which the peer makes it.
    ///
    /// Source: BIP 152, high-bandwidth mode.
    Compact {
        /// Of how many blocks in a hundred a peer cannot make the block, besides those whose transactions it lacks, and
        /// asks for it. Which these are follows from the block and the peer.
        fallback_percent: u8,
    },
}

impl Relay {
    /// Tells whether nodes tell their peers of blocks at all.
    pub(crate) fn is_on(self) -> bool {
        self != Self::None
    }

    /// Tells whether which nodes have to ask for a block is drawn anew with each.
    pub(crate) fn draws(self) -> bool {
        matches!(self, Self::Compact { fallback_percent: 1..100 })
    }
}

impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Push => f.write_str("push"),
            Self::Announce => f.write_str("announce"),
            Self::Compact { fallback_percent } => write!(f, "compact with {fallback_percent} % fallback"),
        }
    }
}
