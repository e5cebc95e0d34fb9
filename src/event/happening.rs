//! What can happen at a node.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::passage::Passage;
use crate::{
    blockchain::{InvalidBlock, MineError},
    document::DocumentError,
    hash::BlockHash,
    mempool::LossReason,
    message::NodeId,
    time::Time,
    transaction::Transaction,
};

/// What can happen at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Happening {
    /// It joined the network.
    Joined {
        /// Its name.
        name: Arc<str>,
    },
    /// It mined a block.
    Mined {
        /// The block's hash.
        block: BlockHash,
        /// The block's position.
        position: u64,
        /// The hash of the block before it.
        parent: BlockHash,
    },
    /// It mines no more, though nobody told it to stop.
    MiningEnded {
        /// Why: no block is to be had.
        error: MineError,
    },
    /// It took on another's block as its tip.
    Accepted {
        /// The new tip's hash.
        block: BlockHash,
        /// The new tip's position.
        position: u64,
        /// Who sent it.
        from: NodeId,
    },
    /// It gave up blocks of its own chain for a better one.
    Reorganised {
        /// The number of blocks that were abandoned.
        abandoned: u64,
        /// The number of blocks that took their place.
        adopted: u64,
        /// The hash of the tip that was abandoned.
        old_tip: BlockHash,
    },
    /// A double spend of its own has ended.
    DoubleSpent {
        /// Whether the payment was taken back; else it stands.
        won: bool,
        /// How many blocks confirmed the payment.
        confirmations: u64,
        /// How many blocks it mined for it in vain.
        stale: u64,
        /// The coins that it lost: the rewards of those blocks, and the payment if it stands.
        cost: u64,
    },
    /// It finished asking its peers.
    Resolved {
        /// Whether its chain was replaced.
        replaced: bool,
        /// How many peers did not answer in time.
        silent: usize,
    },
    /// It dropped a block or a chain that breaks a rule.
    Rejected {
        /// Who sent it.
        from: NodeId,
        /// The block, and the rule.
        invalid: InvalidBlock,
    },
    /// It dropped a document that does not parse.
    RejectedDocument {
        /// Who sent it.
        from: NodeId,
        /// Why.
        error: DocumentError,
    },
    /// It dropped a message that it had no use for.
    Ignored {
        /// Who sent it.
        from: NodeId,
        /// Why.
        reason: IgnoreReason,
    },
    /// It keeps a block whose time has not come.
    Waits {
        /// Who sent it.
        from: NodeId,
        /// When its timestamp will be near enough.
        #[serde(rename = "until_ns")]
        until: Time,
    },
    /// It no longer listens to a peer that sent too many bad blocks.
    Banned {
        /// The peer.
        peer: NodeId,
    },
    /// A message to it was dropped: too many of its sender's, or too long ones, were under way to it or waited in its inbox.
    Dropped {
        /// Who sent it.
        from: NodeId,
    },
    /// It was crashed.
    Crashed,
    /// It panicked.
    Panicked {
        /// What it panicked with.
        message: String,
    },
    /// It was restarted.
    Restarted,
    /// It was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// A partition cut the network into groups: nothing passes between nodes of different ones.
    Partitioned {
        /// The number of its group, from 1 in the order in which they were given; 0 for those that are in none.
        group: u32,
    },
    /// The partition ended.
    Healed,
    /// A pending transaction left it without having been mined, or a mined one with the disk that alone held its block.
    Lost {
        /// The transaction, with the first 80 characters of each address: the notebook's rules let one be of any length. A
        /// cut one has another hash.
        transaction: Transaction,
        /// Why.
        reason: LossReason,
    },
    /// A message to it has arrived or was lost, one that was sent while messages were
    /// [traced](crate::NetworkOf::set_tracing).
    Message(Passage),
}

impl Happening {
    /// A transaction that was lost, as far as an event carries it.
    pub(crate) fn lost(transaction: Transaction, reason: LossReason) -> Self {
        Self::Lost { transaction: transaction.shortened(), reason }
    }

    /// A reorganisation to a rival of the tip, as a block on top of that has come.
    pub(crate) fn to_rival(old_tip: BlockHash) -> Self {
        Self::Reorganised { abandoned: 1, adopted: 2, old_tip }
    }
}

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IgnoreReason {
    /// An answer that came after its time was up.
    Late,
    /// An answer to a question that was not asked, or was answered already.
    Unasked,
    /// An answer from a node that is no peer.
    Stranger,
    /// The sender is no longer listened to.
    Banned,
    /// The rules know no gossip.
    NoGossip,
    /// Blocks that follow none that is known.
    Unconnected,
    /// A transaction that the mempool refuses, or a question about transactions that is not answered: a stranger's, or
    /// one asked twice.
    Unwanted,
}
