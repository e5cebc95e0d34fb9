//! The pending transactions of a node: what waits to be mined, what leaves, and what comes back.
//!
//! Without accounts two equal transactions are two transactions, as in the notebook. With accounts a transaction is
//! known by its sender and nonce, and a sender cannot have more pending than it can pay for; one without a coin has
//! nothing pending, so that made-up senders cannot fill the mempool for nothing.
//!
//! The mempool is bounded. Without accounts it takes no more when it is full. With accounts the transaction that
//! leaves first is the one farthest from being mined: of the sender with the most pending, the one of the highest
//! nonce. So a flood from one sender pushes out only itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    accounts::Accounts,
    document::shortened,
    rules::{Rules, Violation},
    transaction::{REWARD_SENDER, Transaction},
};

/// Pending transactions, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Mempool {
    capacity: usize,
    /// By arrival; what an abandoned block gives back goes before all others.
    arrivals: BTreeMap<i64, Transaction>,
    /// Where accounts are kept.
    senders: BTreeMap<Arc<str>, Sender>,
    /// The senders by how many transactions each has pending.
    crowd: BTreeSet<(usize, Arc<str>)>,
}

#[derive(Debug, Clone, Default)]
struct Sender {
    /// The arrivals of its transactions, by nonce.
    nonces: BTreeMap<u64, i64>,
    /// What they spend together.
    spending: u128,
}

/// Why a submitted transaction is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Transactions from "0" are rewards, and rewards are for miners.
    #[error("transactions from \"{REWARD_SENDER}\" are rewards and cannot be submitted")]
    Reward,
    /// No block can hold it, however few others that block holds.
    #[error("no block can hold the transaction: {0}")]
    Unminable(Violation),
    /// A nonce where no accounts are kept.
    #[error("no accounts are kept, so a transaction carries no nonce; found {found}")]
    UnexpectedNonce {
        /// The transaction's nonce.
        found: u64,
    },
    /// Another transaction of the sender has the nonce, mined or pending.
    #[error("nonce {nonce} of {sender} is taken; the next is {next}")]
    NonceTaken {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The transaction's nonce.
        nonce: u64,
        /// The first nonce that is free.
        next: u64,
    },
    /// The sender does not have what it spends, its pending transactions counted.
    #[error(
        "{sender} has {balance}, spends {pending} in pending transactions, and cannot spend {amount} more"
    )]
    Overdraft {
        /// The sender's address, its first 80 characters.
        sender: String,
        /// The sender's balance after the last block.
        balance: u64,
        /// What its pending transactions spend.
        pending: u128,
        /// What this one spends.
        amount: u64,
    },
    /// The mempool is full, and this transaction would be the first to leave.
    #[error("the mempool is full: it holds {capacity} transactions")]
    Full {
        /// The most that it holds.
        capacity: usize,
    },
}

impl SubmitError {
    /// What becomes of a transaction that was pending before.
    fn as_loss(&self) -> LossReason {
        match self {
            Self::NonceTaken { .. } => LossReason::Replaced,
            Self::Full { .. } => LossReason::Evicted,
            Self::Reward | Self::Unminable(_) | Self::UnexpectedNonce { .. } | Self::Overdraft { .. } => {
                LossReason::Unpayable
            }
        }
    }
}

/// Why a pending transaction left a node without having been mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// Its node crashed, or lost its disk.
    Crashed,
    /// The mempool was full.
    Evicted,
    /// Another transaction with its nonce went in.
    Replaced,
    /// Its sender can no longer pay for it.
    Unpayable,
}

/// What a change of the chain did to the mempool.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What abandoned blocks gave back.
    pub(crate) returned: Vec<Transaction>,
    /// What left without having been mined.
    pub(crate) lost: Vec<(Transaction, LossReason)>,
}

impl Mempool {
    /// Makes an empty mempool that holds at most `capacity` transactions.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, arrivals: BTreeMap::new(), senders: BTreeMap::new(), crowd: BTreeSet::new() }
    }

    /// Returns the number of pending transactions.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Tells whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Iterates over the transactions in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.arrivals.values()
    }

    /// Gives a transaction without a nonce its sender's next one, where accounts are kept.
    pub(crate) fn numbered(
        &self,
        transaction: Transaction,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Transaction {
        match transaction.nonce() {
            None if rules.accounts && !transaction.is_reward() => {
                let next = self.next_nonce(transaction.sender(), accounts);
                transaction.with_nonce(next)
            }
            _ => transaction,
        }
    }

    /// Takes a transaction in, in O(log n); returns the one that had to leave for it, if any.
    ///
    /// # Errors
    ///
    /// Why it is refused; the mempool stays as it was.
    pub(crate) fn submit(
        &mut self,
        transaction: Transaction,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Result<Option<Transaction>, SubmitError> {
        if transaction.is_reward() {
            return Err(SubmitError::Reward);
        }
        rules.check_fits(&transaction).map_err(SubmitError::Unminable)?;
        if rules.accounts {
            self.can_be_paid(&transaction, accounts)?;
        } else if let Some(found) = transaction.nonce() {
            return Err(SubmitError::UnexpectedNonce { found });
        }
        if self.len() < self.capacity {
            self.push_back(transaction);
            return Ok(None);
        }
        let full = SubmitError::Full { capacity: self.capacity };
        let (count, crowded) = self.crowd.last().cloned().ok_or(full.clone())?;
        let own = self.senders.get(transaction.sender_address()).map_or(0, |sender| sender.nonces.len());
        // Its own sender would have the most pending, or as many as the most: it would be the first to leave.
        if own + 1 >= count && *crowded != *transaction.sender() || *crowded == *transaction.sender() {
            return Err(full);
        }
        let evicted = self.remove_last_of(&crowded);
        self.push_back(transaction);
        Ok(Some(evicted))
    }

    /// Takes in what was pending before, in its order; returns what is lost of it.
    pub(crate) fn restore(
        &mut self,
        pending: Vec<Transaction>,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Vec<(Transaction, LossReason)> {
        let mut lost = Vec::new();
        for transaction in pending {
            match self.submit(transaction.clone(), rules, accounts) {
                Ok(evicted) => lost.extend(evicted.map(|evicted| (evicted, LossReason::Evicted))),
                Err(error) => lost.push((transaction, error.as_loss())),
            }
        }
        lost
    }

    fn can_be_paid(&self, transaction: &Transaction, accounts: &Accounts) -> Result<(), SubmitError> {
        let account = accounts.get(transaction.sender());
        let sender = self.senders.get(transaction.sender_address());
        let nonce = transaction.nonce().unwrap_or(account.nonce);
        if nonce < account.nonce || sender.is_some_and(|sender| sender.nonces.contains_key(&nonce)) {
            let next = self.next_nonce(transaction.sender(), accounts);
            return Err(SubmitError::NonceTaken { sender: shortened(transaction.sender()), nonce, next });
        }
        let (amount, pending) = (transaction.amount(), sender.map_or(0, |sender| sender.spending));
        // Whoever has nothing sends nothing, not even an amount of 0: made-up senders would cost nothing.
        if account.balance == 0 || pending + u128::from(amount) > u128::from(account.balance) {
            let (sender, balance) = (shortened(transaction.sender()), account.balance);
            return Err(SubmitError::Overdraft { sender, balance, pending, amount });
        }
        Ok(())
    }

    /// The first nonce that is neither mined nor pending.
    fn next_nonce(&self, address: &str, accounts: &Accounts) -> u64 {
        let first = accounts.get(address).nonce;
        let Some(sender) = self.senders.get(address) else { return first };
        let taken = sender.nonces.range(first..).zip(first..).take_while(|((nonce, _), next)| *nonce == next);
        first + taken.count() as u64
    }

    /// Chooses what goes into the next block before its reward, at most `most` that take at most so many bytes: all in
    /// the order in which they came, but where accounts are kept only what can be paid, a sender's in the order of their
    /// nonces. What would make the miner so rich that the reward could not be counted is passed over, and what there is
    /// no room for.
    pub(crate) fn select(
        &self,
        most: usize,
        mut bytes_left: usize,
        reward: &Transaction,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Vec<Transaction> {
        let mut takes_room = |transaction: &Transaction| {
            let left = bytes_left.checked_sub(transaction.size_in_block());
            bytes_left = left.unwrap_or(bytes_left);
            left.is_some()
        };
        if !rules.accounts {
            return self.iter().filter(|transaction| takes_room(transaction)).take(most).cloned().collect();
        }
        let mut selected = Vec::new();
        let mut accounts = accounts.clone();
        for transaction in self.iter() {
            // One that came before its predecessor was passed over; it follows right after it.
            let mut next = Some(transaction);
            while let Some(transaction) = next.filter(|_| selected.len() < most) {
                let Ok(after) = rules.accounts_after(slice::from_ref(transaction), &accounts) else { break };
                let is_to_miner = transaction.recipient() == reward.recipient();
                if is_to_miner && rules.accounts_after(slice::from_ref(reward), &after).is_err() {
                    break;
                }
                if !takes_room(transaction) {
                    break;
                }
                accounts = after;
                selected.push(transaction.clone());
                let nonces = self.senders.get(transaction.sender_address()).map(|sender| &sender.nonces);
                let following = transaction.nonce().and_then(|nonce| nonces?.get(&nonce.checked_add(1)?));
                next = following.map(|arrival| &self.arrivals[arrival]);
            }
        }
        selected
    }

    /// Follows a change of the chain: what abandoned blocks held comes back unless the adopted ones hold it, and what
    /// those hold leaves. Rewards never come back.
    pub(crate) fn change_chain<'a>(
        &mut self,
        abandoned: impl Iterator<Item = &'a Transaction>,
        adopted: impl Iterator<Item = &'a Transaction>,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Changes {
        let abandoned: Vec<_> = abandoned.collect();
        if abandoned.is_empty() && self.is_empty() {
            return Changes::default();
        }
        let mut adopted_counts = BTreeMap::new();
        for transaction in adopted.filter(|transaction| !transaction.is_reward()) {
            *adopted_counts.entry(transaction).or_insert(0_usize) += 1;
        }
        let mut changes = Changes::default();
        for &transaction in abandoned.iter().filter(|transaction| !transaction.is_reward()) {
            if !take_one(&mut adopted_counts, transaction) {
                changes.returned.push(transaction.clone());
            }
        }
        self.remove_mined(&mut adopted_counts);
        for transaction in changes.returned.iter().rev() {
            self.push_front(transaction.clone());
        }
        if rules.accounts {
            let touched = adopted_counts.keys().map(|transaction| transaction.sender_address());
            let touched = touched.chain(abandoned.iter().map(|transaction| transaction.sender_address()));
            let touched = touched.chain(abandoned.iter().map(|transaction| transaction.recipient_address()));
            let touched: BTreeSet<_> = touched.cloned().collect();
            for address in touched {
                self.drop_unpayable(&address, accounts, &mut changes.lost);
            }
        }
        while self.len() > self.capacity {
            let evicted = match self.crowd.last().cloned() {
                Some((_, crowded)) => self.remove_last_of(&crowded),
                None => self.arrivals.pop_last().expect("there is more than the capacity").1,
            };
            changes.lost.push((evicted, LossReason::Evicted));
        }
        let lost: BTreeSet<_> = changes.lost.iter().map(|(transaction, _)| transaction).collect();
        changes.returned.retain(|transaction| !lost.contains(transaction));
        changes
    }

    /// Removes as many of each pending transaction as were adopted, the oldest first.
    fn remove_mined(&mut self, adopted_counts: &mut BTreeMap<&Transaction, usize>) {
        if adopted_counts.values().all(|count| *count == 0) {
            return;
        }
        let mined: Vec<_> = self
            .arrivals
            .iter()
            .filter(|(_, transaction)| take_one(adopted_counts, transaction))
            .map(|(arrival, _)| *arrival)
            .collect();
        for arrival in mined {
            self.remove(arrival);
        }
    }

    /// Drops the pending transactions of a sender whose nonce has gone to another, or that it cannot pay for.
    fn drop_unpayable(
        &mut self,
        address: &Arc<str>,
        accounts: &Accounts,
        lost: &mut Vec<(Transaction, LossReason)>,
    ) {
        let Some(sender) = self.senders.get(address) else { return };
        let account = accounts.get(address);
        let mut left = account.balance;
        let mut dropped = Vec::new();
        for (&nonce, &arrival) in &sender.nonces {
            let amount = self.arrivals[&arrival].amount();
            if nonce < account.nonce {
                dropped.push((arrival, LossReason::Replaced));
            } else if amount > left {
                dropped.push((arrival, LossReason::Unpayable));
            } else {
                left -= amount;
            }
        }
        lost.extend(dropped.into_iter().map(|(arrival, reason)| (self.remove(arrival), reason)));
    }

    fn push_back(&mut self, transaction: Transaction) {
        let arrival = self.arrivals.last_key_value().map_or(0, |(last, _)| last + 1);
        self.insert(arrival, transaction);
    }

    fn push_front(&mut self, transaction: Transaction) {
        let arrival = self.arrivals.first_key_value().map_or(0, |(first, _)| first - 1);
        self.insert(arrival, transaction);
    }

    fn insert(&mut self, arrival: i64, transaction: Transaction) {
        if let Some(nonce) = transaction.nonce() {
            let address = transaction.sender_address();
            let sender = self.senders.entry(Arc::clone(address)).or_default();
            self.crowd.remove(&(sender.nonces.len(), Arc::clone(address)));
            let before = sender.nonces.insert(nonce, arrival);
            debug_assert_eq!(before, None, "a nonce is pending once");
            sender.spending += u128::from(transaction.amount());
            self.crowd.insert((sender.nonces.len(), Arc::clone(address)));
        }
        self.arrivals.insert(arrival, transaction);
    }

    fn remove(&mut self, arrival: i64) -> Transaction {
        let transaction = self.arrivals.remove(&arrival).expect("arrivals are taken from the mempool itself");
        if let Some(nonce) = transaction.nonce() {
            let address = transaction.sender_address();
            let sender = self.senders.get_mut(address).expect("a pending transaction's sender is kept");
            self.crowd.remove(&(sender.nonces.len(), Arc::clone(address)));
            sender.nonces.remove(&nonce);
            sender.spending -= u128::from(transaction.amount());
            if sender.nonces.is_empty() {
                self.senders.remove(address);
            } else {
                self.crowd.insert((sender.nonces.len(), Arc::clone(address)));
            }
        }
        transaction
    }

    /// Removes a sender's transaction of the highest nonce.
    fn remove_last_of(&mut self, address: &Arc<str>) -> Transaction {
        let last = self.senders.get(address).and_then(|sender| sender.nonces.last_key_value());
        let (_, &arrival) = last.expect("a sender in the crowd has a pending transaction");
        self.remove(arrival)
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
