//! The mempool: what enters and what is chosen for a block.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    sync::Arc,
};

use super::{
    LossReason, SubmitError,
    flows::{Flow, Flows},
    gaps::Gaps,
    judgement::is_payable,
};
use crate::{accounts::Accounts, rules::Rules, text::shortened, transaction::Transaction};

/// Of the capacity, the share that may wait for a nonce before: one in so many.
const GAPS_SHARE: usize = 8;
/// How many of one sender may wait so; go-ethereum keeps as many.
const GAPS_OF_SENDER: usize = 64;
/// The first arrival of what is submitted. What comes back from an abandoned block or a save lies below: others may
/// have it too.
pub(super) const FIRST_SUBMITTED: i64 = 0;

/// Pending transactions: first what can be mined, in the order in which it can, then what waits for a nonce before, by
/// sender and nonce.
#[derive(Debug, Clone)]
pub struct Mempool {
    capacity: usize,
    /// What can be mined, by arrival; what an abandoned block gives back goes before all others.
    pub(super) arrivals: BTreeMap<i64, Transaction>,
    /// The bytes that all of it takes in blocks.
    bytes: usize,
    /// The lowest arrival that was given, and the next one.
    lowest: i64,
    next: i64,
    /// Where accounts are kept, the same by address. A sender's nonces count on from its account's.
    pub(super) flows: Flows,
    /// What is ahead of its sender's next nonce.
    pub(super) gaps: Gaps,
}

impl Mempool {
    /// Makes an empty mempool that holds at most `capacity` transactions.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            arrivals: BTreeMap::new(),
            bytes: 0,
            lowest: FIRST_SUBMITTED,
            next: FIRST_SUBMITTED,
            flows: Flows::default(),
            gaps: Gaps::default(),
        }
    }

    /// Returns the number of pending transactions.
    pub fn len(&self) -> usize {
        self.arrivals.len() + self.gaps.len()
    }

    /// Tells whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over what can be mined, in its order, and then over what waits for a nonce before.
    pub fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.arrivals.values().chain(self.gaps.values())
    }

    /// Tells whether a transaction is pending, in O(log n). Where no accounts are kept, it never is.
    pub(crate) fn holds(&self, transaction: &Transaction) -> bool {
        transaction.nonce().and_then(|nonce| self.pending(transaction.sender(), nonce)) == Some(transaction)
    }

    /// What is pending of a sender with a nonce.
    fn pending(&self, sender: &str, nonce: u64) -> Option<&Transaction> {
        let arrival = self.flows.arrival(sender, nonce);
        arrival.map(|arrival| &self.arrivals[&arrival]).or_else(|| self.gaps.get(sender, nonce))
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

    /// Takes a transaction in, in O(log n); returns what had to leave for it. What counted on the coins of what leaves,
    /// leaves too: that costs in proportion to what its senders have pending, and what is pending to them.
    ///
    /// # Errors
    ///
    /// Why it is refused; the mempool stays as it was.
    pub(crate) fn submit(
        &mut self,
        transaction: Transaction,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Result<Vec<(Transaction, LossReason)>, SubmitError> {
        if transaction.is_reward() {
            return Err(SubmitError::Reward);
        }
        let transaction = self.numbered(transaction, rules, accounts);
        rules.check_fits(&transaction).map_err(SubmitError::Unminable)?;
        match transaction.nonce() {
            Some(nonce) if rules.accounts => {
                let account = accounts.get(transaction.sender());
                let next = account.nonce + self.flows.count(transaction.sender()) as u64;
                self.nonce_is_free(&transaction, nonce, (account.nonce, next))?;
                match nonce == next {
                    true => self.enter(transaction, account.balance, accounts),
                    false => self.wait(transaction, nonce, account.balance, next),
                }
            }
            Some(found) => Err(SubmitError::UnexpectedNonce { found }),
            None if self.len() < self.capacity => {
                self.push_back(transaction);
                Ok(Vec::new())
            }
            None => Err(self.full()),
        }
    }

    /// Takes in what was pending before, in its order; returns what is lost of it. The mempool is to be empty.
    pub(crate) fn restore(
        &mut self,
        pending: Vec<Transaction>,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Vec<(Transaction, LossReason)> {
        self.lowest = FIRST_SUBMITTED - pending.len() as i64;
        self.next = self.lowest;
        let mut lost = Vec::new();
        for transaction in pending {
            match self.submit(transaction.clone(), rules, accounts) {
                Ok(left) => lost.extend(left),
                Err(error) => lost.push((transaction, error.as_loss())),
            }
        }
        self.next = FIRST_SUBMITTED;
        lost
    }

    fn nonce_is_free(
        &self,
        transaction: &Transaction,
        nonce: u64,
        (mined, next): (u64, u64),
    ) -> Result<(), SubmitError> {
        let sender = transaction.sender();
        // What can be mined follows what is mined without a gap.
        let pending = if nonce == next { self.gaps.get(sender, nonce) } else { self.pending(sender, nonce) };
        if pending == Some(transaction) {
            return Err(SubmitError::AlreadyPending { sender: shortened(sender), nonce });
        }
        if pending.is_some() || nonce < mined {
            return Err(SubmitError::NonceTaken { sender: shortened(sender), nonce, next });
        }
        Ok(())
    }

    /// Takes in what can be mined next of its sender, and what has waited for it.
    fn enter(
        &mut self,
        transaction: Transaction,
        balance: u64,
        accounts: &Accounts,
    ) -> Result<Vec<(Transaction, LossReason)>, SubmitError> {
        let sender = transaction.sender_address().clone();
        if !is_payable(transaction.amount(), self.left(&sender, balance)) {
            return Err(self.overdraft(&transaction, balance));
        }
        let is_full = self.len() >= self.capacity;
        if is_full && self.gaps.len() == 0 && !self.flows.gives_way(&sender) {
            return Err(self.full());
        }
        let mut lost = Vec::new();
        self.push_back(transaction);
        self.shrink(accounts, &mut lost);
        self.move_up(&sender, accounts, &mut lost);
        Ok(lost)
    }

    /// Keeps what is ahead of its sender's next nonce. It costs the sender a coin, whatever its amount: what there will be
    /// to pay from by then is not known.
    fn wait(
        &mut self,
        transaction: Transaction,
        nonce: u64,
        balance: u64,
        next: u64,
    ) -> Result<Vec<(Transaction, LossReason)>, SubmitError> {
        let sender = transaction.sender_address().clone();
        if balance == 0 {
            return Err(self.overdraft(&transaction, balance));
        }
        let is_full = self.gaps.len() >= self.capacity.div_ceil(GAPS_SHARE) || self.len() >= self.capacity;
        let mut lost = Vec::new();
        if is_full || self.gaps.count(&sender) >= GAPS_OF_SENDER {
            let Some((other, last)) = self.gaps.gives_way(&sender, nonce) else {
                return Err(SubmitError::TooFarAhead { sender: shortened(&sender), nonce, next });
            };
            lost.push((self.remove_gap(&other, last), LossReason::Evicted));
        }
        self.gaps.insert(nonce, transaction);
        Ok(lost)
    }

    /// Has the farthest from being mined leave until there is no more than the capacity, and then what counted on them.
    pub(super) fn shrink(&mut self, accounts: &Accounts, lost: &mut Vec<(Transaction, LossReason)>) {
        let (mut recipients, mut from) = (BTreeSet::new(), i64::MAX);
        while self.len() > self.capacity {
            if let Some((sender, nonce)) = self.gaps.farthest() {
                lost.push((self.remove_gap(&sender, nonce), LossReason::Evicted));
                continue;
            }
            let last = || *self.arrivals.last_key_value().expect("there is more than the capacity").0;
            let arrival = self.flows.farthest().unwrap_or_else(last);
            let evicted = self.remove(arrival);
            from = from.min(arrival);
            recipients.insert(Arc::clone(evicted.recipient_address()));
            lost.push((evicted, LossReason::Evicted));
        }
        self.judge(recipients, from, accounts, lost);
    }

    /// Returns the first nonce that is neither mined nor can be, now.
    pub(super) fn next_nonce(&self, sender: &str, accounts: &Accounts) -> u64 {
        accounts.get(sender).nonce + self.flows.count(sender) as u64
    }

    /// Returns what an address has left of a balance after all that can be mined.
    pub(super) fn left(&self, address: &str, balance: u64) -> u128 {
        let flow = self.flows.get(address);
        u128::from(balance) + flow.map_or(0, Flow::income) - flow.map_or(0, |flow| flow.spending)
    }

    fn overdraft(&self, transaction: &Transaction, balance: u64) -> SubmitError {
        let sender = transaction.sender();
        let flow = self.flows.get(sender);
        SubmitError::Overdraft {
            sender: shortened(sender),
            balance,
            income: flow.map_or(0, Flow::income),
            pending: flow.map_or(0, |flow| flow.spending),
            amount: transaction.amount(),
        }
    }

    fn full(&self) -> SubmitError {
        SubmitError::Full { capacity: self.capacity }
    }

    /// Chooses what goes into the next block before its reward, in order: at most `most` that take at most so many bytes.
    /// What there is no room for is passed over, and where accounts are kept what would make somebody so rich that it
    /// could not be counted, the miner with its reward.
    pub(crate) fn select(
        &self,
        most: usize,
        mut bytes_left: usize,
        reward: &Transaction,
        rules: &Rules,
        accounts: &Accounts,
    ) -> Vec<Transaction> {
        let mut accounts = accounts.clone();
        let mut fits = |transaction: &&Transaction| {
            let Some(left) = bytes_left.checked_sub(transaction.size_in_block()) else { return false };
            if rules.accounts {
                let after = rules.accounts_after(slice::from_ref(*transaction), &accounts);
                let Ok(after) = after else { return false };
                let is_to_miner = transaction.recipient() == reward.recipient();
                if is_to_miner && rules.accounts_after(slice::from_ref(reward), &after).is_err() {
                    return false;
                }
                accounts = after;
            }
            bytes_left = left;
            true
        };
        self.arrivals.values().filter(|transaction| fits(transaction)).take(most).cloned().collect()
    }

    /// Returns how many blocks at most are mined before one holds a transaction, if each takes what is pending in its
    /// order, `most` transactions of at most so many bytes: those for which there is no room in a block begin the next.
    /// Nothing that comes behind a transaction delays it. None if it is not to be mined yet: it waits for a nonce before.
    ///
    /// Of equal ones without a nonce it is the last. It costs in proportion to what came after the transaction; only where
    /// more bytes are pending than a block holds, to what came before it.
    pub(crate) fn blocks_before(
        &self,
        transaction: &Transaction,
        most: usize,
        block_bytes: usize,
    ) -> Option<u64> {
        let arrival = match transaction.nonce() {
            Some(nonce) => self.flows.arrival(transaction.sender(), nonce)?,
            None => *self.arrivals.iter().rev().find(|(_, other)| *other == transaction)?.0,
        };
        if self.bytes <= block_bytes {
            let before = self.arrivals.len() - self.arrivals.range(arrival..).count();
            return Some((before / most) as u64);
        }
        let (mut blocks, mut count, mut bytes) = (0, 0, 0_usize);
        for transaction in self.arrivals.range(..=arrival).map(|(_, transaction)| transaction) {
            let size = transaction.size_in_block();
            if count == most || (count > 0 && bytes.saturating_add(size) > block_bytes) {
                (blocks, count, bytes) = (blocks + 1, 0, 0);
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        Some(blocks)
    }

    /// Returns the nonce that a transaction waits for, if it is pending and its sender has none pending before it.
    pub(crate) fn missing_nonce(&self, transaction: &Transaction, accounts: &Accounts) -> Option<u64> {
        let sender = transaction.sender();
        let gap = self.gaps.get(sender, transaction.nonce()?)?;
        (gap == transaction).then(|| self.next_nonce(sender, accounts))
    }

    pub(super) fn push_back(&mut self, transaction: Transaction) {
        let arrival = self.next;
        self.next += 1;
        self.insert(arrival, transaction);
    }

    /// Puts a transaction before all others; returns its arrival.
    pub(super) fn push_front(&mut self, transaction: Transaction) -> i64 {
        self.lowest -= 1;
        self.insert(self.lowest, transaction);
        self.lowest
    }

    fn insert(&mut self, arrival: i64, transaction: Transaction) {
        if let Some(nonce) = transaction.nonce() {
            self.flows.add(arrival, nonce, &transaction);
        }
        self.bytes += transaction.size_in_block();
        self.arrivals.insert(arrival, transaction);
    }

    pub(super) fn remove(&mut self, arrival: i64) -> Transaction {
        let transaction = self.arrivals.remove(&arrival).expect("arrivals are taken from the mempool itself");
        if let Some(nonce) = transaction.nonce() {
            self.flows.remove(arrival, nonce, &transaction);
        }
        self.bytes -= transaction.size_in_block();
        transaction
    }

    fn remove_gap(&mut self, sender: &Arc<str>, nonce: u64) -> Transaction {
        self.gaps.remove(sender, nonce).expect("what leaves is taken from the gaps themselves")
    }
}
