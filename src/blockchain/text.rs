//! A chain as a person reads it.

use std::fmt;

use super::chain::Blockchain;

impl fmt::Display for Blockchain {
    /// Writes how long the chain is and a line for each block: its position and the first digits of its hash, its
    /// transactions, its proof and its timestamp. Of a chain of more than 20 blocks it leaves those out that stand
    /// between the first and the last 18.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.len();
        write!(f, "{}, tip {:.8}", count(len, "block"), self.tip_hash())?;
        let first = if len > 20 {
            self.write_line(f, 1)?;
            write!(f, "\n  ... {} more blocks ...", len - 19)?;
            len - 17
        } else {
            1
        };
        (first..=len).try_for_each(|position| self.write_line(f, position))
    }
}

impl Blockchain {
    fn write_line(&self, f: &mut fmt::Formatter<'_>, position: u64) -> fmt::Result {
        let Some(chain) = self.at(position) else { return write!(f, "\n  block {position} was let go") };
        let block = chain.last_block();
        let transactions = count(block.transactions().len() as u64, "transaction");
        write!(f, "\n  block {position} {:.8}: {transactions}", chain.tip_hash())?;
        write!(f, ", proof {}, at {}", block.proof(), block.timestamp())
    }
}

fn count(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
