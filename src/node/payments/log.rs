//! The transactions that a node took in, numbered in the order in which they came.

use std::{collections::BTreeMap, ops::Bound};

use crate::{hash::TransactionHash, message::NodeId, transaction::Transaction};

/// How many transactions that are no longer pending are kept at least, so that they are known when they are told of.
const MINED_KEPT: usize = 32;

/// The transactions that were taken in, by numbers from 1 on: those pending, and some that were mined since.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    entries: BTreeMap<u64, Entry>,
    numbers: BTreeMap<TransactionHash, u64>,
    last: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) hash: TransactionHash,
    pub(super) transaction: Transaction,
    /// Who sent it, if it did not begin here.
    pub(super) from: Option<NodeId>,
}

impl Log {
    /// Gives a transaction of a hash the next number, instead of the one that it may have.
    pub(super) fn push(&mut self, hash: TransactionHash, transaction: Transaction, from: Option<NodeId>) {
        self.last += 1;
        if let Some(number) = self.numbers.insert(hash, self.last) {
            self.entries.remove(&number);
        }
        self.entries.insert(self.last, Entry { hash, transaction, from });
    }

    pub(super) fn remove(&mut self, hash: TransactionHash) {
        if let Some(number) = self.numbers.remove(&hash) {
            self.entries.remove(&number);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn holds(&self, hash: TransactionHash) -> bool {
        self.numbers.contains_key(&hash)
    }

    pub(super) fn get(&self, hash: TransactionHash) -> Option<&Transaction> {
        Some(&self.entries[self.numbers.get(&hash)?].transaction)
    }

    /// The highest number that was given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The transactions whose numbers are above one and at most another, which must not be lower.
    pub(super) fn range(&self, above: u64, most: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let range = (Bound::Excluded(above), Bound::Included(most));
        self.entries.range(range).map(|(number, entry)| (*number, entry))
    }

    /// Forgets those that are no longer pending, once they are more than those that are. `pending` says how many there
    /// are, and `is_pending` which.
    pub(super) fn prune(&mut self, pending: usize, is_pending: impl Fn(&Transaction) -> bool) {
        if self.entries.len() > 2 * pending + MINED_KEPT {
            self.entries.retain(|_, entry| is_pending(&entry.transaction));
            self.numbers.retain(|_, number| self.entries.contains_key(number));
        }
    }
}
