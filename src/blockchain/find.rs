//! Finding a transaction in a chain.

use super::{chain::Blockchain, link::first_that};
use crate::transaction::Transaction;

/// Where a transaction stands in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// The position of its block, counted from 1.
    pub position: u64,
    /// Its place among the block's [transactions](crate::Block::transactions), counted from 0 as in any slice.
    pub place: usize,
}

impl Blockchain {
    /// Finds a transaction. Of equal ones, which there are only among rewards and where no accounts are kept, it finds
    /// the oldest.
    ///
    /// Where accounts are kept, it takes a transaction as a node took it in, nonce included. The accounts that each block
    /// keeps tell which one brought the sender past that nonce, so that it costs O(log² n) and a look through one block.
    /// Whatever carries no nonce is looked for from the first block on, in proportion to the chain.
    ///
    /// ```
    /// use chainlab::{Blockchain, Rules, Time, Transaction, pow::Target};
    ///
    /// let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(4));
    /// let chain = Blockchain::start(&rules, Time::UNIX_EPOCH)?;
    /// let payment = Transaction::new("alice", "bob", 5);
    /// assert_eq!((chain.find(&payment), chain.confirmations(&payment)), (None, 0));
    ///
    /// let chain = chain.mine_next(&rules, [payment.clone()], "carol", Time::from_secs(1))?;
    /// assert_eq!(chain.find(&payment).map(|found| found.position), Some(2));
    /// assert_eq!(chain.confirmations(&payment), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(&self, transaction: &Transaction) -> Option<Found> {
        match transaction.nonce() {
            Some(nonce) => {
                let sender = transaction.sender();
                let link = first_that(&self.tip, |link| link.accounts.get(sender).nonce > nonce)?;
                place_in(link.block.transactions(), transaction, link.position)
            }
            None => (1..)
                .zip(self)
                .find_map(|(position, block)| place_in(block.transactions(), transaction, position)),
        }
    }

    /// Returns how many blocks confirm a transaction: 1 if it stands in the last block, one more for each block after
    /// its own, and 0 while it is in none. It costs what [`find`](Self::find) does.
    pub fn confirmations(&self, transaction: &Transaction) -> u64 {
        self.find(transaction).map_or(0, |found| self.len() - found.position + 1)
    }
}

fn place_in(transactions: &[Transaction], transaction: &Transaction, position: u64) -> Option<Found> {
    let place = transactions.iter().position(|other| other == transaction)?;
    Some(Found { position, place })
}
