//! The eclipse attack.

use serde::{Deserialize, Serialize};

use crate::message::NodeId;

/// Keeps a victim apart that has no peers but such nodes: it hears of no block that others mine, and none of its own
/// reaches them.
///
/// A node of this strategy does not have the victim for a peer. It answers the victim's questions from a branch that it
/// keeps for it: at first the genesis, then whatever better branch the victim tells of. With everybody else it is honest. The
/// victim's payments go no further. In a crash it loses that branch; one that feeds its victim asks it for its chain when it
/// mines again.
///
/// Source: Heilman, Kendler, Zohar and Goldberg, *Eclipse Attacks on Bitcoin's Peer-to-Peer Network* (2015).
///
/// `N` is how the victim is named: by its id, or in a scenario by its number or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eclipse<N = NodeId> {
    /// Who is kept apart.
    pub victim: N,
    /// Whether it mines on the victim's branch, and shows what it finds to the victim alone: confirmations that are worth
    /// nothing. Otherwise it mines on the chain of all.
    #[serde(default)]
    pub feeds: bool,
}
