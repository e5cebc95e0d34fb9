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
    /// The arrivals of what the address sends and of what it receives.
    pub(super) arrivals: BTreeSet<i64>,
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
        sender.arrivals.insert(arrival);
        sender.spending += amount;
        let recipient = self.0.entry(Arc::clone(transaction.recipient_address())).or_default();
        recipient.arrivals.insert(arrival);
        recipient.income += amount;
    }

    pub(super) fn remove(&mut self, arrival: i64, transaction: &Transaction) {
        let amount = u128::from(transaction.amount());
        let (sender, recipient) = (transaction.sender_address(), transaction.recipient_address());
        self.flow(sender).spending -= amount;
        self.flow(recipient).income -= amount;
        // Who pays itself has one flow, which is gone the second time.
        for address in [sender, recipient] {
            if let Some(flow) = self.0.get_mut(address) {
                flow.arrivals.remove(&arrival);
                if flow.arrivals.is_empty() {
                    self.0.remove(address);
                }
            }
        }
    }

    fn flow(&mut self, address: &str) -> &mut Flow {
        self.0.get_mut(address).expect("who sends or receives a pending transaction has a flow")
    }
}
