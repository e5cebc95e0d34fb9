//! What a change of the chain does to the mempool.

use std::collections::{BTreeMap, BTreeSet};

use super::{LossReason, Mempool, pool::FIRST_SUBMITTED};
use crate::{accounts::Accounts, rules::Rules, transaction::Transaction};

/// What a change of the chain did to the mempool.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What abandoned blocks gave back.
    pub(crate) returned: Vec<Transaction>,
    /// What left without having been mined.
    pub(crate) lost: Vec<(Transaction, LossReason)>,
}

impl Mempool {
    /// Follows a change of the chain: what abandoned blocks held comes back, before all others and in its order, unless
    /// the adopted ones hold it; what those hold leaves, and so does what cannot be paid any more. Rewards never come
    /// back. `is_own` tells whether the adopted block is the node's work.
    ///
    /// It costs in proportion to the blocks, and to what is pending from and to the addresses that they name; without
    /// accounts to all that is pending.
    pub(crate) fn change_chain<'a>(
        &mut self,
        abandoned: impl DoubleEndedIterator<Item = &'a Transaction> + Clone,
        adopted: impl Iterator<Item = &'a Transaction>,
        is_own: bool,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Changes {
        // Backwards, as a chain's blocks are walked fastest.
        if self.is_empty() && abandoned.clone().rev().all(Transaction::is_reward) {
            return Changes::default();
        }
        let abandoned: Vec<_> = abandoned.collect();
        let mut mined = BTreeMap::new();
        for transaction in adopted.filter(|transaction| !transaction.is_reward()) {
            *mined.entry(transaction).or_insert(0_usize) += 1;
        }
        let mut returned = abandoned.clone();
        returned.retain(|transaction| !transaction.is_reward() && !take_one(&mut mined, transaction));
        let returned: Vec<_> =
            returned.into_iter().rev().map(|transaction| self.push_front(transaction.clone())).collect();

        let mut changes = Changes::default();
        if rules.accounts {
            for transaction in mined.keys() {
                self.remove_equal(transaction);
            }
            let senders = mined.keys().chain(&abandoned).map(|transaction| transaction.sender_address());
            let recipients = abandoned.iter().map(|transaction| transaction.recipient_address());
            let touched = senders.chain(recipients);
            let concerned: BTreeSet<_> = touched.filter(|address| self.is_sender(address)).cloned().collect();
            self.judge(concerned.iter().cloned(), i64::MIN, accounts, &mut changes.lost);
            for sender in &concerned {
                self.move_up(sender, accounts, &mut changes.lost);
            }
        } else {
            self.remove_mined(&mut mined, is_own);
        }
        self.shrink(accounts, &mut changes.lost);
        let still_there = returned.iter().rev().filter_map(|arrival| self.arrivals.get(arrival));
        changes.returned = still_there.cloned().collect();
        changes
    }

    /// Judges all that is pending by accounts that have changed in unknown ways, and returns what leaves. Where there are
    /// no accounts, nothing does.
    pub(crate) fn judge_all(&mut self, accounts: &Accounts) -> Vec<(Transaction, LossReason)> {
        let pending = self.iter().filter(|transaction| transaction.nonce().is_some());
        let senders: BTreeSet<_> = pending.map(|transaction| transaction.sender_address().clone()).collect();
        let mut lost = Vec::new();
        self.judge(senders.iter().cloned(), i64::MIN, accounts, &mut lost);
        for sender in &senders {
            self.move_up(sender, accounts, &mut lost);
        }
        lost
    }

    fn is_sender(&self, address: &str) -> bool {
        self.flows.count(address) + self.gaps.count(address) > 0
    }

    /// Removes what is mined, where nonces tell one transaction from another.
    fn remove_equal(&mut self, transaction: &Transaction) {
        let (sender, Some(nonce)) = (transaction.sender_address(), transaction.nonce()) else { return };
        match self.flows.arrival(sender, nonce) {
            Some(arrival) if self.arrivals[&arrival] == *transaction => {
                self.remove(arrival);
            }
            None if self.gaps.get(sender, nonce) == Some(transaction) => {
                self.gaps.remove(sender, nonce);
            }
            _ => {}
        }
    }

    /// Removes as many of equal transactions as were mined, the oldest first. Without accounts nobody is told of a
    /// transaction but by a block: one in another's block is one that came back from a block, or is not ours.
    fn remove_mined(&mut self, mined: &mut BTreeMap<&Transaction, usize>, is_own: bool) {
        let end = if is_own { i64::MAX } else { FIRST_SUBMITTED };
        let gone = self.arrivals.range(..end).filter(|(_, transaction)| take_one(mined, transaction));
        let gone: Vec<_> = gone.map(|(arrival, _)| *arrival).collect();
        for arrival in gone {
            self.remove(arrival);
        }
    }
}

/// Takes one of a transaction out of the counts, if there is one.
fn take_one(counts: &mut BTreeMap<&Transaction, usize>, transaction: &Transaction) -> bool {
    match counts.get_mut(transaction) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}
