//! The transactions that a node took in, numbered in the order in which they came.

use crate::{hash::TransactionHash, lookup::Lookup, message::NodeId, transaction::Transaction};

/// How many transactions that are no longer pending are kept at least, so that they are known when they are told of.
const MINED_KEPT: usize = 32;

/// The transactions that were taken in, by numbers from 1 on: those pending, and some that were mined since.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// In order. Of one that was removed the number stays, until there are many of those.
    entries: Vec<(u64, Option<Entry>)>,
    numbers: Lookup<TransactionHash, u64>,
    last: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) transaction: Transaction,
    /// Who sent it, if it did not begin here.
    pub(super) from: Option<NodeId>,
}

impl Log {
    /// Gives a transaction the next number, instead of the one that it may have.
    pub(super) fn push(&mut self, transaction: Transaction, from: Option<NodeId>) {
        self.last += 1;
        if let Some(number) = self.numbers.insert(transaction.hash(), self.last) {
            self.clear(number);
        }
        if self.entries.len() > 2 * self.numbers.len() + MINED_KEPT {
            self.entries.retain(|(_, entry)| entry.is_some());
            self.give_back();
        }
        self.entries.push((self.last, Some(Entry { transaction, from })));
    }

    pub(super) fn remove(&mut self, hash: TransactionHash) {
        if let Some(number) = self.numbers.remove(&hash) {
            self.clear(number);
        }
    }

    fn clear(&mut self, number: u64) {
        let place = self.after(number - 1);
        self.entries[place].1 = None;
    }

    /// The place of the first number that is above one.
    fn after(&self, number: u64) -> usize {
        let number = number.min(self.last);
        // Of the last ones usually none is missing: each of those lies as far from the end as it was given before the last.
        let is_place =
            |place: &usize| place.checked_sub(1).is_some_and(|before| self.entries[before].0 == number);
        let since = usize::try_from(self.last - number).ok();
        let place = since.and_then(|since| self.entries.len().checked_sub(since)).filter(is_place);
        place.unwrap_or_else(|| self.entries.partition_point(|(other, _)| *other <= number))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn holds(&self, hash: TransactionHash) -> bool {
        self.numbers.holds(&hash)
    }

    pub(super) fn get(&self, hash: TransactionHash) -> Option<&Transaction> {
        let (_, entry) = &self.entries[self.after(self.numbers.get(&hash)? - 1)];
        entry.as_ref().map(|entry| &entry.transaction)
    }

    /// The highest number that was given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The transactions whose numbers are above one and at most another, which must not be lower.
    pub(super) fn range(&self, above: u64, most: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let entries = &self.entries[self.after(above)..self.after(most)];
        entries.iter().filter_map(|(number, entry)| Some((*number, entry.as_ref()?)))
    }

    /// Forgets those that are no longer pending, once they are more than those that are. `pending` says how many there
    /// are, and `is_pending` which.
    pub(super) fn prune(&mut self, pending: usize, is_pending: impl Fn(&Transaction) -> bool) {
        if self.numbers.len() > 2 * pending + MINED_KEPT {
            let numbers = &mut self.numbers;
            self.entries.retain(|(_, entry)| {
                let Some(Entry { transaction, .. }) = entry else { return false };
                let is_kept = is_pending(transaction);
                if !is_kept {
                    numbers.remove(&transaction.hash());
                }
                is_kept
            });
            self.give_back();
        }
    }

    /// Gives memory back, once there are few entries where there were many.
    fn give_back(&mut self) {
        if self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(u64),
        Remove(u64),
        /// Only multiples of a number are still pending, of which there are said to be so many.
        Prune(u64, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            12 => (0..200_u64).prop_map(Step::Push),
            6 => (0..200_u64).prop_map(Step::Remove),
            1 => (1..9_u64, 0..40_usize).prop_map(|(of, pending)| Step::Prune(of, pending)),
        ]
    }

    fn transaction(amount: u64) -> Transaction {
        Transaction::new("alice", "bob", amount)
    }

    proptest! {
        /// Whatever was removed and forgotten, it is a map of what is left by its numbers.
        #[test]
        fn a_log_is_a_plain_map(steps in vec(step(), 0..400)) {
            let (mut log, mut plain) = (Log::default(), BTreeMap::new());
            let mut last = 0;
            for step in steps {
                match step {
                    Step::Push(amount) => {
                        log.push(transaction(amount), None);
                        last += 1;
                        plain.retain(|_, other| *other != amount);
                        plain.insert(last, amount);
                        prop_assert!(log.entries.len() <= 2 * plain.len() + MINED_KEPT + 1);
                    }
                    Step::Remove(amount) => {
                        log.remove(transaction(amount).hash());
                        plain.retain(|_, other| *other != amount);
                    }
                    Step::Prune(of, pending) => {
                        log.prune(pending, |transaction| transaction.amount() % of == 0);
                        if plain.len() > 2 * pending + MINED_KEPT {
                            plain.retain(|_, amount| *amount % of == 0);
                        }
                    }
                }
                prop_assert_eq!((log.last(), log.is_empty()), (last, plain.is_empty()));
                for above in [0, last / 2, last.saturating_sub(3), last] {
                    for most in [above, (above + last).div_ceil(2), last, u64::MAX] {
                        let found = log.range(above, most);
                        let found = found.map(|(number, entry)| (number, entry.transaction.amount()));
                        let expected = plain.iter().filter(|(number, _)| (above + 1..=most).contains(*number));
                        prop_assert!(found.eq(expected.map(|(number, amount)| (*number, *amount))));
                    }
                }
                for amount in [0, 7, 100] {
                    let there = plain.values().any(|other| *other == amount).then(|| transaction(amount));
                    prop_assert_eq!(log.get(transaction(amount).hash()), there.as_ref());
                }
            }
        }
    }
}
