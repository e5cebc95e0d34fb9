//! What pending transactions bring and take, by address.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::transaction::Transaction;

/// What the transactions that can be mined do to each address.
#[derive(Debug, Clone, Default)]
pub(super) struct Flows(BTreeMap<Arc<str>, Flow>);

#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// How many the address sends, and the arrivals of those that it receives.
    sent: usize,
    pub(super) received: BTreeSet<i64>,
    pub(super) income: u128,
    pub(super) spending: u128,
}

impl Flows {
    pub(super) fn get(&self, address: &str) -> Option<&Flow> {
        self.0.get(address)
    }

    pub(super) fn add(&mut self, arrival: i64, transaction: &Transaction) {
        let amount = u128::from(transaction.amount());
        let sender = self.0.entry(Arc::clone(transaction.sender_address())).or_default();
        sender.sent += 1;
        sender.spending += amount;
        let recipient = self.0.entry(Arc::clone(transaction.recipient_address())).or_default();
        recipient.received.insert(arrival);
        recipient.income += amount;
    }

    pub(super) fn remove(&mut self, arrival: i64, transaction: &Transaction) {
        let amount = u128::from(transaction.amount());
        let (sender, recipient) = (transaction.sender_address(), transaction.recipient_address());
        self.change(sender, |flow| {
            flow.sent -= 1;
            flow.spending -= amount;
        });
        self.change(recipient, |flow| {
            flow.received.remove(&arrival);
            flow.income -= amount;
        });
    }

    fn change(&mut self, address: &str, change: impl FnOnce(&mut Flow)) {
        let flow = self.0.get_mut(address).expect("who sends or receives a pending transaction has a flow");
        change(flow);
        if flow.sent == 0 && flow.received.is_empty() {
            self.0.remove(address);
        }
    }
}
