//! Payments: how a transaction comes to every node that it can reach, whatever gets lost on the way.
//!
//! A node numbers the transactions that it takes in, and tells each peer of those that the peer has not been told of: an
//! inventory of their hashes. The peer asks for those that it lacks, and acknowledges the inventory when it has judged
//! all of it. One inventory is under way to a peer at a time, and is repeated until it is acknowledged; what comes
//! meanwhile goes together with the next. So a transaction crosses each node about once, its hash each link, and nobody
//! waits for a batch to fill. A peer that may have lost what it had is told anew of everything.
//!
//! What a node judges unpayable or has no room for is not kept: it asks those who told of it to tell it anew once its
//! tip has changed.

mod hear;
mod log;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    hear::{Asked, Teller},
    log::Log,
    tell::Telling,
};
use crate::{hash::TransactionHash, message::NodeId, time::Time};

/// The most hashes in an inventory: judging as many transactions takes a fraction of a millisecond.
const INVENTORY_MAX: usize = 256;

/// What a node remembers of transactions, of whom it told of them, and of who told it. Without transactions all of it
/// is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Payments {
    /// Those taken in.
    log: Log,
    /// Whether peers may have to be told of some.
    has_news: bool,
    /// What each peer was told.
    telling: BTreeMap<NodeId, Telling>,
    /// When which peer is told again, the soonest first.
    due: BTreeSet<(Time, NodeId)>,
    /// Who tells of transactions.
    tellers: BTreeMap<NodeId, Teller>,
    /// The transactions that were asked for, and of whom.
    asked: BTreeMap<TransactionHash, Asked>,
    /// Those refused on this tip, and whether they may be taken in on another.
    refused: BTreeMap<TransactionHash, bool>,
    /// Whether some teller is to be asked to tell anew.
    has_missed: bool,
    /// Whether anything was ever lost that others may have.
    has_lost: bool,
}

impl Payments {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Tells whether a new tip changes nothing but the number of tips: nothing is pending, told, asked for, refused or
    /// missed.
    pub(super) fn is_quiet(&self) -> bool {
        self.log.is_empty()
            && self.telling.is_empty()
            && self.asked.is_empty()
            && self.refused.is_empty()
            && !self.has_missed
    }

    /// Forgets a peer that is no longer listened to.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.telling.remove(&peer);
        self.due.retain(|(_, other)| *other != peer);
        self.tellers.remove(&peer);
        self.asked.retain(|_, asked| asked.peer != peer);
    }
}
