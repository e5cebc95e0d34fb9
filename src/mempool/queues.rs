//! Each sender's transactions by nonce, and who has the most.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is kept of each sender's transactions, by nonce.
#[derive(Debug, Clone)]
pub(super) struct Queues<T> {
    senders: BTreeMap<Arc<str>, Queue<T>>,
    /// The senders by how many transactions each has.
    crowd: BTreeSet<(usize, Arc<str>)>,
    len: usize,
}

/// What is kept of one sender's. Most have one pending, for which a map would take more memory than all else.
#[derive(Debug, Clone)]
enum Queue<T> {
    One(u64, T),
    Many(BTreeMap<u64, T>),
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::Many(BTreeMap::new())
    }
}

impl<T> Queue<T> {
    fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(map) => map.len(),
        }
    }

    fn get(&self, nonce: u64) -> Option<&T> {
        match self {
            Self::One(only, value) => (*only == nonce).then_some(value),
            Self::Many(map) => map.get(&nonce),
        }
    }

    /// In the order of the nonces.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &T)> + Clone {
        let (one, many) = match self {
            Self::One(nonce, value) => (Some((*nonce, value)), None),
            Self::Many(map) => (None, Some(map.iter().map(|(nonce, value)| (*nonce, value)))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn insert(&mut self, nonce: u64, value: T) {
        *self = match std::mem::take(self) {
            Self::Many(map) if map.is_empty() => Self::One(nonce, value),
            Self::One(other, before) => Self::Many([(other, before), (nonce, value)].into()),
            Self::Many(mut map) => {
                map.insert(nonce, value);
                Self::Many(map)
            }
        };
    }

    fn remove(&mut self, nonce: u64) -> Option<T> {
        match self {
            Self::One(only, _) if *only != nonce => None,
            Self::Many(map) => map.remove(&nonce),
            Self::One(..) => match std::mem::take(self) {
                Self::One(_, value) => Some(value),
                Self::Many(_) => None,
            },
        }
    }
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
        self.senders.get(sender).map_or(0, Queue::len)
    }

    pub(super) fn get(&self, sender: &str, nonce: u64) -> Option<&T> {
        self.senders.get(sender)?.get(nonce)
    }

    /// Returns a sender's lowest nonce and what is kept for it.
    pub(super) fn first_of(&self, sender: &str) -> Option<(u64, &T)> {
        self.senders.get(sender)?.iter().next()
    }

    /// Iterates over a sender's by nonce.
    pub(super) fn of(&self, sender: &str) -> impl Iterator<Item = &T> + Clone {
        self.senders.get(sender).into_iter().flat_map(Queue::iter).map(|(_, value)| value)
    }

    /// Iterates over all by sender and nonce.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.senders.values().flat_map(Queue::iter).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, sender: &Arc<str>, nonce: u64, value: T) {
        let queue = self.senders.entry(Arc::clone(sender)).or_default();
        self.crowd.remove(&(queue.len(), Arc::clone(sender)));
        debug_assert!(queue.get(nonce).is_none(), "a nonce is pending once");
        queue.insert(nonce, value);
        self.crowd.insert((queue.len(), Arc::clone(sender)));
        self.len += 1;
    }

    pub(super) fn remove(&mut self, sender: &Arc<str>, nonce: u64) -> Option<T> {
        let queue = self.senders.get_mut(sender)?;
        let count = queue.len();
        let value = queue.remove(nonce)?;
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
        self.senders.get(sender)?.iter().next_back().map(|(nonce, _)| nonce)
    }
}
