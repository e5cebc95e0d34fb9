//! The judgement of what can be mined, in order.
//!
//! The pending transactions of all senders, applied in their order to the accounts after the last block, are each
//! payable. Most of what happens breaks this for few addresses: those whose account has changed for the worse, or that
//! counted on coins which do not come. Only what hangs on these is judged again.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{LossReason, Mempool};
use crate::{accounts::Accounts, transaction::Transaction};

/// Rule: a sender spends no more than it has, and whoever has nothing spends nothing.
pub(super) fn is_payable(amount: u64, left: u128) -> bool {
    u128::from(amount.max(1)) <= left
}

/// What an address has left at a place in the order, and the nonce that its next transaction carries.
#[derive(Debug, Clone, Copy)]
struct Funds {
    left: u128,
    next: u64,
}

impl Funds {
    fn judge(&self, transaction: &Transaction) -> Result<(), LossReason> {
        match transaction.nonce().cmp(&Some(self.next)) {
            Ordering::Less => Err(LossReason::Replaced),
            Ordering::Equal if is_payable(transaction.amount(), self.left) => Ok(()),
            // What follows one that has gone can no more be mined than that one.
            Ordering::Equal | Ordering::Greater => Err(LossReason::Unpayable),
        }
    }

    fn pay(&mut self, transaction: &Transaction) {
        self.left -= u128::from(transaction.amount());
        self.next += 1;
    }

    fn receive(&mut self, transaction: &Transaction) {
        self.left += u128::from(transaction.amount());
    }
}

/// The addresses that are judged again, and the arrivals of what hangs on them that are still to be judged.
#[derive(Debug, Default)]
struct Judgement {
    funds: BTreeMap<Arc<str>, Funds>,
    open: BTreeSet<i64>,
}

impl Mempool {
    /// Judges again, from an arrival on, what hangs on some addresses; what cannot be paid leaves. It costs in proportion
    /// to what these, and those that count on their coins, send and receive.
    pub(super) fn judge(
        &mut self,
        addresses: impl IntoIterator<Item = Arc<str>>,
        from: i64,
        accounts: &Accounts,
        lost: &mut Vec<(Transaction, LossReason)>,
    ) {
        let mut judgement = Judgement::default();
        for address in addresses {
            self.reopen(&mut judgement, &address, from, accounts);
        }
        while let Some(arrival) = judgement.open.pop_first() {
            let transaction = &self.arrivals[&arrival];
            let Judgement { funds, .. } = &mut judgement;
            let sender = funds.get(transaction.sender_address());
            match sender.map_or(Ok(()), |sender| sender.judge(transaction)) {
                Ok(()) => {
                    if let Some(sender) = funds.get_mut(transaction.sender_address()) {
                        sender.pay(transaction);
                    }
                    if let Some(recipient) = funds.get_mut(transaction.recipient_address()) {
                        recipient.receive(transaction);
                    }
                }
                Err(reason) => {
                    let transaction = self.remove(arrival);
                    self.reopen(&mut judgement, transaction.recipient_address(), arrival, accounts);
                    lost.push((transaction, reason));
                }
            }
        }
    }

    /// Has an address judged again from an arrival on. One that spends nothing has nothing to be judged.
    fn reopen(&self, judgement: &mut Judgement, address: &Arc<str>, from: i64, accounts: &Accounts) {
        let Some(flow) = self.flows.get(address).filter(|flow| flow.sent().next().is_some()) else { return };
        if judgement.funds.contains_key(address) {
            return;
        }
        let account = accounts.get(address);
        let mut funds = Funds { left: account.balance.into(), next: account.nonce };
        // What it spends may have come in before.
        flow.received(..from).for_each(|at| funds.receive(&self.arrivals[&at]));
        flow.sent().take_while(|arrival| *arrival < from).for_each(|at| funds.pay(&self.arrivals[&at]));
        judgement.funds.insert(Arc::clone(address), funds);
        let sent = flow.sent().skip_while(|arrival| *arrival < from);
        judgement.open.extend(flow.received(from..).chain(sent));
    }

    /// Has a sender's transactions that waited for the nonce before move up behind all others; lets go of those that the
    /// account has passed by, or that it cannot pay for.
    pub(super) fn move_up(
        &mut self,
        sender: &Arc<str>,
        accounts: &Accounts,
        lost: &mut Vec<(Transaction, LossReason)>,
    ) {
        if self.gaps.count(sender) == 0 {
            return;
        }
        let balance = accounts.get(sender).balance;
        while let Some((nonce, gap)) = self.gaps.first_of(sender) {
            let next = self.next_nonce(sender, accounts);
            let verdict = match nonce.cmp(&next) {
                Ordering::Less => Err(LossReason::Replaced),
                Ordering::Equal if is_payable(gap.amount(), self.left(sender, balance)) => Ok(()),
                Ordering::Greater if balance > 0 => return,
                Ordering::Equal | Ordering::Greater => Err(LossReason::Unpayable),
            };
            let gap = self.gaps.remove(sender, nonce).expect("it was found there");
            match verdict {
                Ok(()) => self.push_back(gap),
                Err(reason) => lost.push((gap, reason)),
            }
        }
    }
}
