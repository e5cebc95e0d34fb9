//! The checks of a block, each rule one function with one violation.

use std::{slice, sync::Arc};

use super::{Checks, Genesis, ProofRule, Rules, Violation};
use crate::{
    accounts::{Account, Accounts},
    block::{Block, PreviousHash},
    hash::BlockHash,
    pow::{Challenge, Target},
    text::shortened,
    time::{Time, Timestamp},
    transaction::Transaction,
};

/// What a block is judged by, besides itself: what the chain before it comes down to.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The block before.
    pub parent: &'a Block,
    /// Its hash.
    pub parent_hash: BlockHash,
    /// The target that the chain derives for the block.
    pub target: Target,
    /// The median of the last 11 timestamps, in microseconds since the Unix epoch.
    pub median_micros: u64,
    /// The earliest time that the block may have as the first of a window, in microseconds since the Unix epoch; none
    /// if it is not the first.
    pub window_micros: Option<u64>,
    /// The accounts before the block.
    pub accounts: &'a Accounts,
}

impl Rules {
    /// Checks a block in its context and returns the accounts after it. It costs in proportion to the block.
    ///
    /// # Errors
    ///
    /// The first rule that the block breaks. The notebook's two, link and proof, come in the notebook's order.
    pub fn check(&self, block: &Block, context: &Context<'_>) -> Result<Accounts, Violation> {
        names_its_parent(block, context.parent_hash)?;
        let is_whole = self.checks == Checks::WholeBlocks;
        if is_whole {
            index_counts_on(block, context.parent)?;
        }
        let sealed = self.check_content(block)?;
        if is_whole {
            timestamp_is_after_median(block, context.median_micros)?;
            window_starts_late_enough(block, context.window_micros)?;
        }
        if self.proof != ProofRule::Drawn {
            let challenge = || self.challenge(block, context.parent, context.parent_hash);
            let hash = sealed.unwrap_or_else(|| challenge().hash(block.proof()));
            proof_is_met(block, hash, context.target)?;
        }
        self.accounts_after(block.transactions(), context.accounts)
    }

    /// Checks all that needs no other block: what the block says by itself and, if the proof covers the block, that it
    /// took as much work as the easiest target asks for. Where links and proofs alone are checked and the proof covers
    /// less, that is nothing. It costs in proportion to the block.
    ///
    /// # Errors
    ///
    /// The first rule that the block breaks, wherever in a chain it may stand.
    pub fn check_alone(&self, block: &Block) -> Result<(), Violation> {
        match self.check_content(block)? {
            Some(hash) => proof_is_met(block, hash, self.difficulty.easiest_target()),
            None => Ok(()),
        }
    }

    /// Checks that there can be a block which holds a transaction, whatever the accounts are.
    ///
    /// # Errors
    ///
    /// The rule that the smallest such block breaks.
    pub(crate) fn check_fits(&self, transaction: &Transaction) -> Result<(), Violation> {
        // A node's own blocks keep to the bounds of payments and bytes even where they are not checked.
        if self.payments_max == 0 {
            return Err(Violation::TooManyPayments { most: 0, found: 1 });
        }
        if self.checks == Checks::WholeBlocks {
            addresses_are_short(slice::from_ref(transaction), self.address_chars_max)?;
        }
        // Written out, a byte of an address takes at most six, and all else much less than the rest of this.
        let longest = 6 * (transaction.sender().len() + transaction.recipient().len()) + 1000;
        if longest <= self.block_bytes_max {
            return Ok(());
        }
        let transactions = [transaction.clone(), Transaction::reward("", self.reward)];
        let timestamp = Timestamp::from_micros(0);
        let block = Block::new(2, timestamp, transactions, 0, PreviousHash::Hash(BlockHash::of(b"")));
        bytes_are_few(block.size(), self.block_bytes_max)
    }

    /// Checks that there can be blocks of a miner's, however long their numbers are.
    ///
    /// # Errors
    ///
    /// The rule that the longest such block breaks with its reward alone.
    pub(crate) fn check_miner(&self, address: &str) -> Result<(), Violation> {
        if self.checks == Checks::LinksAndProofs {
            return Ok(());
        }
        let transactions = [Transaction::reward(address, self.reward)];
        addresses_are_short(&transactions, self.address_chars_max)?;
        let timestamp = Timestamp::from_micros(Time::MAX.as_micros());
        let block =
            Block::new(u64::MAX, timestamp, transactions, u64::MAX, PreviousHash::Hash(BlockHash::of(b"")));
        bytes_are_few(block.size(), self.block_bytes_max)
    }

    /// Checks what a block says by itself, what costs least first. Returns the proof's hash if it covers the block.
    fn check_content(&self, block: &Block) -> Result<Option<BlockHash>, Violation> {
        let is_whole = self.checks == Checks::WholeBlocks;
        if is_whole {
            timestamp_is_whole(block)?;
            payments_are_few(block, self.payments_max)?;
            addresses_are_short(block.transactions(), self.address_chars_max)?;
            reward_is_there_once(block)?;
            reward_is_last(block)?;
            reward_is_right(block, self.reward)?;
        }
        let (sealed, bytes) = match self.proof {
            ProofRule::Sealed => {
                let (digest, bytes) = block.digest_and_size();
                (Some(Challenge::Sealed { digest }.hash(block.proof())), bytes)
            }
            // Most blocks are small, and need not be written out for that to be seen.
            _ if is_whole && block.size_bound() > self.block_bytes_max => (None, block.size()),
            _ => return Ok(None),
        };
        if is_whole {
            bytes_are_few(bytes, self.block_bytes_max)?;
        }
        Ok(sealed)
    }

    /// Checks the first block of a chain and returns the accounts after it.
    ///
    /// # Errors
    ///
    /// Another block than the rules' own where all nodes share one. The notebook judges its first block by nothing.
    pub fn check_genesis(&self, block: &Block) -> Result<Accounts, Violation> {
        if let (Checks::WholeBlocks, Genesis::Shared { .. }) = (self.checks, &self.genesis) {
            // Where the rules set no time yet, any will do.
            let stated = Time::from_nanos(block.timestamp().rounded_micros().saturating_mul(1000));
            genesis_is_ours(block, &self.genesis_block(stated))?;
        }
        if self.checks == Checks::WholeBlocks {
            timestamp_is_whole(block)?;
        }
        self.accounts_after(block.transactions(), &Accounts::default())
    }

    /// Rule: every transaction in turn can be paid for. Returns what is left.
    pub(crate) fn accounts_after(
        &self,
        transactions: &[Transaction],
        before: &Accounts,
    ) -> Result<Accounts, Violation> {
        let mut accounts = before.clone();
        for transaction in transactions {
            if self.accounts {
                transfer(transaction, &mut accounts)?;
            } else {
                has_no_nonce(transaction)?;
            }
        }
        Ok(accounts)
    }
}

/// Rule: all share one first block.
fn genesis_is_ours(block: &Block, ours: &Block) -> Result<(), Violation> {
    if block == ours {
        return Ok(());
    }
    Err(Violation::ForeignGenesis { expected: ours.hash(), found: block.hash() })
}

/// Rule: a block names the hash of the one before.
fn names_its_parent(block: &Block, expected: BlockHash) -> Result<(), Violation> {
    let found = block.previous_hash();
    if found == PreviousHash::Hash(expected) {
        Ok(())
    } else {
        Err(Violation::PreviousHash { expected, found })
    }
}

/// Rule: the proof's hash is below the target.
fn proof_is_met(block: &Block, hash: BlockHash, target: Target) -> Result<(), Violation> {
    let proof = block.proof();
    if target.is_met_by(&hash) { Ok(()) } else { Err(Violation::Proof { proof, hash, target }) }
}

/// Rule: indices count on, one by one.
fn index_counts_on(block: &Block, parent: &Block) -> Result<(), Violation> {
    let (expected, found) = (parent.index().saturating_add(1), block.index());
    if found == expected { Ok(()) } else { Err(Violation::Index { expected, found }) }
}

/// Rule: timestamps are whole microseconds.
fn timestamp_is_whole(block: &Block) -> Result<(), Violation> {
    let found = block.timestamp();
    if found.micros().is_some() { Ok(()) } else { Err(Violation::TimestampNotWhole { found }) }
}

/// Rule: a timestamp is strictly later than the median of the last 11.
fn timestamp_is_after_median(block: &Block, median_micros: u64) -> Result<(), Violation> {
    let found = block.timestamp();
    if found.micros() > Some(median_micros) {
        return Ok(());
    }
    Err(Violation::TimestampNotAfterMedian { median: Timestamp::from_micros(median_micros), found })
}

/// Rule: the first block of a window is not too far before the last one of the window before.
fn window_starts_late_enough(block: &Block, earliest_micros: Option<u64>) -> Result<(), Violation> {
    let found = block.timestamp();
    match earliest_micros {
        Some(earliest) if found.micros() < Some(earliest) => {
            Err(Violation::WindowStartsTooEarly { earliest: Timestamp::from_micros(earliest), found })
        }
        _ => Ok(()),
    }
}

/// Rule: a block holds a bounded number of transactions besides its reward.
fn payments_are_few(block: &Block, most: usize) -> Result<(), Violation> {
    let found = block.transactions().len().saturating_sub(1);
    if found <= most { Ok(()) } else { Err(Violation::TooManyPayments { most, found }) }
}

/// Rule: addresses are of bounded length.
fn addresses_are_short(transactions: &[Transaction], most: usize) -> Result<(), Violation> {
    let addresses = transactions.iter().flat_map(|each| [each.sender(), each.recipient()]);
    // So many bytes hold at most so many characters: most addresses are not counted.
    match addresses.filter(|address| address.len() > most).find(|address| address.chars().count() > most) {
        None => Ok(()),
        Some(address) => {
            let found = address.chars().count();
            Err(Violation::AddressTooLong { address: shortened(address), most, found })
        }
    }
}

/// Rule: a block takes a bounded number of bytes.
fn bytes_are_few(found: usize, most: usize) -> Result<(), Violation> {
    if found <= most { Ok(()) } else { Err(Violation::TooManyBytes { most, found }) }
}

/// Rule: a block has exactly one reward.
fn reward_is_there_once(block: &Block) -> Result<(), Violation> {
    match block.transactions().iter().filter(|transaction| transaction.is_reward()).count() {
        0 => Err(Violation::RewardMissing),
        1 => Ok(()),
        found => Err(Violation::RewardRepeated { found }),
    }
}

/// Rule: the reward is the last transaction of its block.
fn reward_is_last(block: &Block) -> Result<(), Violation> {
    let transactions = block.transactions();
    match transactions.iter().position(Transaction::is_reward) {
        Some(at) if at + 1 != transactions.len() => {
            Err(Violation::RewardNotLast { position: at + 1, count: transactions.len() })
        }
        _ => Ok(()),
    }
}

/// Rule: the reward has the right amount.
fn reward_is_right(block: &Block, expected: u64) -> Result<(), Violation> {
    match block.transactions().iter().find(|transaction| transaction.is_reward()) {
        Some(reward) if reward.amount() != expected => {
            Err(Violation::RewardAmount { expected, found: reward.amount() })
        }
        _ => Ok(()),
    }
}

/// Rule: a reward carries no nonce, and where no accounts are kept no transaction does.
fn has_no_nonce(transaction: &Transaction) -> Result<(), Violation> {
    match transaction.nonce() {
        None => Ok(()),
        Some(found) => Err(Violation::UnexpectedNonce { sender: shortened(transaction.sender()), found }),
    }
}

/// Moves a transaction's coins; a reward's are new.
fn transfer(transaction: &Transaction, accounts: &mut Accounts) -> Result<(), Violation> {
    if transaction.is_reward() {
        has_no_nonce(transaction)?;
    } else {
        let sender = accounts.get(transaction.sender());
        nonce_is_next(transaction, sender)?;
        balance_covers(transaction, sender)?;
        let left =
            Account { balance: sender.balance - transaction.amount(), nonce: sender.nonce.saturating_add(1) };
        accounts.set(Arc::clone(transaction.sender_address()), left);
    }
    accounts.credit(transaction).map_err(|balance| balance_too_large(transaction, balance))
}

/// Rule: a transaction carries its sender's next nonce.
fn nonce_is_next(transaction: &Transaction, sender: Account) -> Result<(), Violation> {
    let (expected, found) = (sender.nonce, transaction.nonce());
    if found == Some(expected) {
        return Ok(());
    }
    Err(Violation::Nonce { sender: shortened(transaction.sender()), expected, found })
}

/// Rule: a sender spends no more than it has.
fn balance_covers(transaction: &Transaction, sender: Account) -> Result<(), Violation> {
    let (balance, amount) = (sender.balance, transaction.amount());
    if amount <= balance {
        return Ok(());
    }
    Err(Violation::Overdraft { sender: shortened(transaction.sender()), balance, amount })
}

/// Rule: no balance is more than a `u64`.
fn balance_too_large(transaction: &Transaction, balance: u64) -> Violation {
    let (recipient, amount) = (shortened(transaction.recipient()), transaction.amount());
    Violation::BalanceTooLarge { recipient, balance, amount }
}
