//! What waits for a nonce before, by sender and nonce.

use std::{collections::BTreeMap, sync::Arc};

use super::crowd::Crowd;
use crate::transaction::Transaction;

/// Each sender's transactions that are ahead of its next nonce.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    senders: BTreeMap<Arc<str>, BTreeMap<u64, Transaction>>,
    crowd: Crowd,
    len: usize,
}

impl Gaps {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many a sender has.
    pub(super) fn count(&self, sender: &str) -> usize {
        self.senders.get(sender).map_or(0, BTreeMap::len)
    }

    pub(super) fn get(&self, sender: &str, nonce: u64) -> Option<&Transaction> {
        self.senders.get(sender)?.get(&nonce)
    }

    /// Returns a sender's lowest nonce and what waits with it.
    pub(super) fn first_of(&self, sender: &str) -> Option<(u64, &Transaction)> {
        let (nonce, transaction) = self.senders.get(sender)?.first_key_value()?;
        Some((*nonce, transaction))
    }

    /// Iterates over all by sender and nonce.
    pub(super) fn values(&self) -> impl Iterator<Item = &Transaction> {
        self.senders.values().flat_map(BTreeMap::values)
    }

    pub(super) fn insert(&mut self, nonce: u64, transaction: Transaction) {
        let sender = transaction.sender_address().clone();
        let queue = self.senders.entry(Arc::clone(&sender)).or_default();
        let before = queue.len();
        queue.insert(nonce, transaction);
        debug_assert!(queue.len() > before, "a nonce is pending once");
        self.crowd.change(&sender, before, before + 1);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, sender: &Arc<str>, nonce: u64) -> Option<Transaction> {
        let queue = self.senders.get_mut(sender)?;
        let before = queue.len();
        let transaction = queue.remove(&nonce)?;
        self.crowd.change(sender, before, before - 1);
        if before == 1 {
            self.senders.remove(sender);
        }
        self.len -= 1;
        Some(transaction)
    }

    /// Returns what is farthest from being mined: of the sender with the most, the highest nonce; of several the last by name.
    pub(super) fn farthest(&self) -> Option<(Arc<str>, u64)> {
        let sender = self.crowd.most().map(|(_, sender)| sender);
        let sender = sender.or_else(|| self.senders.last_key_value().map(|(sender, _)| sender))?;
        Some((Arc::clone(sender), self.last_of(sender)?))
    }

    /// Returns what gives way to one more of a sender, if anything does: the farthest, if its sender has more than this
    /// one will have, or else what is farther of its own.
    pub(super) fn gives_way(&self, sender: &Arc<str>, nonce: u64) -> Option<(Arc<str>, u64)> {
        let most = self.crowd.most().map_or(1, |(most, _)| most);
        if self.count(sender) + 1 < most {
            return self.farthest();
        }
        self.last_of(sender).filter(|last| *last > nonce).map(|last| (Arc::clone(sender), last))
    }

    fn last_of(&self, sender: &str) -> Option<u64> {
        self.senders.get(sender)?.last_key_value().map(|(nonce, _)| *nonce)
    }
}
