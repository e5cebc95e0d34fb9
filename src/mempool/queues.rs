//! Each sender's transactions by nonce, and who has the most.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is kept of each sender's transactions, by nonce.
#[derive(Debug, Clone)]
pub(super) struct Queues<T> {
    senders: BTreeMap<Arc<str>, BTreeMap<u64, T>>,
    /// The senders by how many transactions each has.
    crowd: BTreeSet<(usize, Arc<str>)>,
    len: usize,
}

impl<T> Default for Queues<T> {
    fn default() -> Self {
        Self { senders: BTreeMap::new(), crowd: BTreeSet::new(), len: 0 }
    }
}

impl<T> Queues<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many a sender has.
    pub(super) fn count(&self, sender: &str) -> usize {
        self.senders.get(sender).map_or(0, BTreeMap::len)
    }

    pub(super) fn get(&self, sender: &str, nonce: u64) -> Option<&T> {
        self.senders.get(sender)?.get(&nonce)
    }

    /// Returns a sender's lowest nonce and what is kept for it.
    pub(super) fn first_of(&self, sender: &str) -> Option<(u64, &T)> {
        self.senders.get(sender)?.first_key_value().map(|(nonce, value)| (*nonce, value))
    }

    /// Iterates over all by sender and nonce.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.senders.values().flat_map(BTreeMap::values)
    }

    pub(super) fn insert(&mut self, sender: &Arc<str>, nonce: u64, value: T) {
        let queue = self.senders.entry(Arc::clone(sender)).or_default();
        self.crowd.remove(&(queue.len(), Arc::clone(sender)));
        let before = queue.insert(nonce, value);
        debug_assert!(before.is_none(), "a nonce is pending once");
        self.crowd.insert((queue.len(), Arc::clone(sender)));
        self.len += 1;
    }

    pub(super) fn remove(&mut self, sender: &Arc<str>, nonce: u64) -> Option<T> {
        let queue = self.senders.get_mut(sender)?;
        let count = queue.len();
        let value = queue.remove(&nonce)?;
        self.crowd.remove(&(count, Arc::clone(sender)));
        if count > 1 {
            self.crowd.insert((count - 1, Arc::clone(sender)));
        } else {
            self.senders.remove(sender);
        }
        self.len -= 1;
        Some(value)
    }

    /// Returns what is farthest from being mined: of the sender with the most, the highest nonce.
    pub(super) fn farthest(&self) -> Option<(Arc<str>, u64)> {
        let (_, sender) = self.crowd.last()?;
        Some((Arc::clone(sender), self.last_of(sender)?))
    }

    /// Returns what gives way to one more of a sender, if anything does: the farthest, if its sender has more than this
    /// one will have, or else what is farther of its own.
    pub(super) fn gives_way(&self, sender: &Arc<str>, nonce: u64) -> Option<(Arc<str>, u64)> {
        let (most, _) = self.crowd.last()?;
        if self.count(sender) + 1 < *most {
            return self.farthest();
        }
        self.last_of(sender).filter(|last| *last > nonce).map(|last| (Arc::clone(sender), last))
    }

    fn last_of(&self, sender: &str) -> Option<u64> {
        self.senders.get(sender)?.last_key_value().map(|(nonce, _)| *nonce)
    }
}
