//! What the transactions that can be mined bring and take, by address.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    sync::Arc,
};

use super::crowd::Crowd;
use crate::{lookup::Lookup, transaction::Transaction};

/// What the transactions that can be mined do to each address.
#[derive(Debug, Clone, Default)]
pub(super) struct Flows {
    addresses: Lookup<Arc<str>, Flow>,
    crowd: Crowd,
}

/// What an address sends and receives.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    sent: Queue,
    pub(super) spending: u128,
    /// Many addresses receive nothing.
    received: Option<Box<Received>>,
}

#[derive(Debug, Clone, Default)]
struct Received {
    arrivals: BTreeSet<i64>,
    income: u128,
}

/// The arrivals of what one address sends, by nonce. Most send one, for which a map would take more memory than all else.
#[derive(Debug, Clone)]
enum Queue {
    One(u64, i64),
    Many(BTreeMap<u64, i64>),
}

impl Flows {
    pub(super) fn get(&self, address: &str) -> Option<&Flow> {
        self.addresses.get(address)
    }

    /// Returns how many transactions an address sends.
    pub(super) fn count(&self, sender: &str) -> usize {
        self.get(sender).map_or(0, |flow| flow.sent.len())
    }

    /// Returns the arrival of what a sender sends with a nonce.
    pub(super) fn arrival(&self, sender: &str, nonce: u64) -> Option<i64> {
        self.get(sender)?.sent.get(nonce)
    }

    /// Tells whether a sender sends more than another will with one more.
    pub(super) fn gives_way(&self, sender: &str) -> bool {
        self.crowd.most().is_some_and(|(most, _)| self.count(sender) + 1 < most)
    }

    /// Returns the arrival of what is farthest from being mined: the last of the sender that sends the most, if any sends
    /// more than one.
    pub(super) fn farthest(&self) -> Option<i64> {
        let (_, sender) = self.crowd.most()?;
        self.get(sender)?.sent().last()
    }

    pub(super) fn add(&mut self, arrival: i64, nonce: u64, transaction: &Transaction) {
        let (sender, amount) = (transaction.sender_address(), u128::from(transaction.amount()));
        let flow = self.addresses.entry(Arc::clone(sender)).or_default();
        let before = flow.sent.len();
        flow.sent.insert(nonce, arrival);
        flow.spending += amount;
        self.crowd.change(sender, before, before + 1);
        let recipient = self.addresses.entry(Arc::clone(transaction.recipient_address())).or_default();
        let received = recipient.received.get_or_insert_default();
        received.arrivals.insert(arrival);
        received.income += amount;
    }

    pub(super) fn remove(&mut self, arrival: i64, nonce: u64, transaction: &Transaction) {
        let amount = u128::from(transaction.amount());
        let (sender, recipient) = (transaction.sender_address(), transaction.recipient_address());
        let left = self.change(sender, |flow| {
            flow.sent.remove(nonce);
            flow.spending -= amount;
            flow.sent.len()
        });
        self.crowd.change(sender, left + 1, left);
        self.change(recipient, |flow| {
            if let Some(received) = &mut flow.received {
                received.arrivals.remove(&arrival);
                received.income -= amount;
            }
            flow.received.take_if(|received| received.arrivals.is_empty());
        });
    }

    fn change<T>(&mut self, address: &Arc<str>, change: impl FnOnce(&mut Flow) -> T) -> T {
        let flow = self.addresses.get_mut(address);
        let flow = flow.expect("who sends or receives a pending transaction has a flow");
        let answer = change(flow);
        if flow.sent.len() == 0 && flow.received.is_none() {
            self.addresses.remove(address);
        }
        answer
    }
}

impl Flow {
    /// What comes in, in coins.
    pub(super) fn income(&self) -> u128 {
        self.received.as_ref().map_or(0, |received| received.income)
    }

    /// Iterates over the arrivals of what is sent, by nonce, which is in their order.
    pub(super) fn sent(&self) -> impl DoubleEndedIterator<Item = i64> + Clone {
        self.sent.arrivals()
    }

    /// Iterates over the arrivals of what is received, in a range of them.
    pub(super) fn received(&self, range: impl RangeBounds<i64>) -> impl Iterator<Item = i64> {
        self.received.as_ref().map(|received| received.arrivals.range(range)).into_iter().flatten().copied()
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self::Many(BTreeMap::new())
    }
}

impl Queue {
    fn len(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Many(map) => map.len(),
        }
    }

    fn get(&self, nonce: u64) -> Option<i64> {
        match self {
            Self::One(only, arrival) => (*only == nonce).then_some(*arrival),
            Self::Many(map) => map.get(&nonce).copied(),
        }
    }

    fn arrivals(&self) -> impl DoubleEndedIterator<Item = i64> + Clone {
        let (one, many) = match self {
            Self::One(_, arrival) => (Some(*arrival), None),
            Self::Many(map) => (None, Some(map.values().copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn insert(&mut self, nonce: u64, arrival: i64) {
        debug_assert!(self.get(nonce).is_none(), "a nonce is pending once");
        match self {
            Self::Many(map) if map.is_empty() => *self = Self::One(nonce, arrival),
            Self::One(other, before) => {
                *self = Self::Many([(*other, *before), (nonce, arrival)].into());
            }
            Self::Many(map) => {
                map.insert(nonce, arrival);
            }
        }
    }

    fn remove(&mut self, nonce: u64) {
        match self {
            Self::One(only, _) if *only == nonce => *self = Self::default(),
            Self::One(..) => {}
            Self::Many(map) => {
                map.remove(&nonce);
            }
        }
    }
}
