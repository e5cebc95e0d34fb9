//! What a node is made of besides its state: its number, its rules, its limits, and its behaviour.

use std::{sync::Arc, time::Duration};

use crate::{message::NodeId, rules::Rules, strategy::Behaviour};

/// What a node is made of, besides what it has learnt.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Its number.
    pub id: NodeId,
    /// What it holds blocks to.
    pub rules: Arc<Rules>,
    /// Where its rewards go.
    pub address: Arc<str>,
    /// How long it waits and how much it keeps.
    pub limits: Limits,
    /// What it does where the rules leave it free.
    pub behaviour: Behaviour,
}

/// How long a node waits and how much it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a resolving node waits for its peers' answers, and a node for the blocks that it asked a peer for before
    /// that counts as unanswered. After a quarter of it others are asked, too. By default a second.
    pub resolve_timeout: Duration,
    /// The most pending transactions; by default 10,000.
    pub mempool: usize,
    /// The most blocks kept whose parent is not known, or whose time has not come; by default 64.
    pub orphans: usize,
    /// The most bytes of one sender's blocks kept whose parent is not known, as many whose time has not come, and as many
    /// on tips beside the node's own chain; as canonical JSON. By default 4 MB.
    pub kept_bytes: u64,
    /// The most tips kept beside the node's own chain; by default 16.
    pub side_branches: usize,
    /// After how many bad blocks a sender is no longer listened to; by default 100.
    pub bad_blocks: u32,
    /// How long a node waits for a peer to acknowledge its tip before it announces it again; doubled every time,
    /// and at least a millisecond. By default half a second.
    pub announce_again: Duration,
    /// The longest that doubling goes; by default a minute.
    pub announce_again_max: Duration,
}

/// The least time between two announcements: limits of zero must not keep a thread busy.
const ANNOUNCE_AGAIN_MIN: Duration = Duration::from_millis(1);

impl Limits {
    /// How long to wait for an acknowledgement of what was announced again so many times.
    pub(super) fn announce_after(&self, times: u32) -> Duration {
        let doubled = self.announce_again.saturating_mul(1 << times.min(30));
        doubled.min(self.announce_again_max.max(self.announce_again)).max(ANNOUNCE_AGAIN_MIN)
    }
}

impl Default for Limits {
    /// What each field says.
    fn default() -> Self {
        Self {
            resolve_timeout: Duration::from_secs(1),
            mempool: 10_000,
            orphans: 64,
            kept_bytes: 4_000_000,
            side_branches: 16,
            bad_blocks: 100,
            announce_again: Duration::from_millis(500),
            announce_again_max: Duration::from_secs(60),
        }
    }
}
