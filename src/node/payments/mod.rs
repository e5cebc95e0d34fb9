//! Payments: how a transaction comes to every node that it can reach, whatever gets lost on the way.
//!
//! A node numbers the transactions that it takes in, and tells each peer of those that the peer has not been told of: an
//! inventory of their hashes. The peer asks for those that it lacks, and acknowledges the inventory when it has judged
//! all of it. One inventory is under way to a peer at a time, and is repeated until it is acknowledged; what comes
//! meanwhile goes together with the next. So a transaction crosses each node about once, its hash each link, and nobody
//! waits for a batch to fill. A peer that may have lost what it had is told anew of everything.
//!
//! Where a link loses nothing, inventories follow each other without being acknowledged. A message may be dropped there all
//! the same, for want of room: so one inventory in a while, and one on each new tip if anything is pending, says of how many
//! transactions the peer was told, and is acknowledged. A peer that was told of fewer asks to be told anew.
//! Whoever has asked for a transaction, and gets no answer in time, asks another who has told of it.
//!
//! What a node judges unpayable or has no room for is not kept: it asks those who told of it to tell it anew once its
//! tip has changed.

mod ask;
mod hear;
mod log;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use self::{ask::Asked, hear::Teller, log::Log, tell::Telling};
use crate::{hash::TransactionHash, message::NodeId, time::Time};

/// The most hashes in an inventory: judging as many transactions takes a fraction of a millisecond.
const INVENTORY_MAX: usize = 256;
/// Of how many transactions a peer may be told, over a link that loses nothing, before it acknowledges anything: so few that
/// one who stands still has room for as many inventories.
const UNACKNOWLEDGED_MAX: u64 = 64;

/// What a node remembers of transactions, of whom it told of them, and of who told it. Without transactions all of it
/// is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Payments {
    /// Those taken in.
    log: Log,
    /// Whether peers may have to be told of some.
    has_news: bool,
    /// Whether they are asked, when they are told, whether all has come that they have not acknowledged.
    is_in_doubt: bool,
    /// What each peer was told.
    telling: BTreeMap<NodeId, Telling>,
    /// When which peer is told again, the soonest first.
    due: BTreeSet<(Time, NodeId)>,
    /// Who tells of transactions.
    tellers: BTreeMap<NodeId, Teller>,
    /// The transactions that were asked for, and of whom.
    asked: BTreeMap<TransactionHash, Asked>,
    /// Until when whose answers are awaited, the soonest of each.
    awaited: BTreeSet<(Time, NodeId)>,
    /// Whether what was asked for was forgotten, so that others who have told of it may have to be asked.
    has_let_go: bool,
    /// Those refused on this tip, and whether they may be taken in on another.
    refused: BTreeMap<TransactionHash, bool>,
    /// Whether some teller is to be asked to tell anew.
    has_missed: bool,
    /// Whether anything was ever lost that others may have.
    has_lost: bool,
}

impl Payments {
    pub(super) fn deadline(&self) -> Option<Time> {
        let told_again = self.due.first().map(|(at, _)| *at);
        let asked_for = self.awaited.first().map(|(until, _)| *until);
        told_again.into_iter().chain(asked_for).min()
    }

    /// Tells whether a new tip changes nothing but the number of tips: nothing is pending, told, refused or missed.
    pub(super) fn is_quiet(&self) -> bool {
        self.log.is_empty() && self.telling.is_empty() && self.refused.is_empty() && !self.has_missed
    }

    /// Notes that what a peer has not acknowledged may get lost from now on.
    pub(super) fn may_miss(&mut self, peer: NodeId) {
        self.has_news |= self.telling.get(&peer).is_some_and(Telling::is_in_doubt);
    }

    /// Forgets a peer that is no longer listened to.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.telling.remove(&peer);
        self.due.retain(|(_, other)| *other != peer);
        if let Some(until) = self.tellers.remove(&peer).and_then(|teller| teller.awaited) {
            self.awaited.remove(&(until, peer));
        }
        self.has_let_go = true;
        self.asked.retain(|_, asked| asked.peer != peer);
    }
}
