//! Payments: telling peers of transactions.

use super::machine::{Effect, Node, ignore};
use crate::{
    event::{Happening, IgnoreReason},
    mempool::SubmitError,
    message::{Message, NodeId},
    transaction::Transaction,
};

impl Node {
    /// Takes a transaction in and tells the peers, but the one that it came from. Without accounts equal transactions
    /// cannot be told from repeated ones, and nobody is told.
    pub(super) fn take_in(
        &mut self,
        transaction: Transaction,
        from: Option<NodeId>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), SubmitError> {
        let lost = self.mempool.submit(transaction.clone(), &self.rules, self.chain.accounts())?;
        for (transaction, reason) in lost {
            effects.push(Effect::Event(Happening::Lost { transaction, reason }));
        }
        self.renew_search(effects);
        if self.rules.gossip && self.rules.accounts {
            effects.push(Effect::Relay { except: from, message: Message::Transaction(transaction) });
        }
        Ok(())
    }

    pub(super) fn told_of_transaction(
        &mut self,
        from: NodeId,
        transaction: Transaction,
        effects: &mut Vec<Effect>,
    ) {
        if !self.rules.accounts {
            ignore(from, IgnoreReason::NoGossip, effects);
        } else if transaction.nonce().is_none() || self.take_in(transaction, Some(from), effects).is_err() {
            // Without a nonce it could never be mined.
            ignore(from, IgnoreReason::Unwanted, effects);
        }
    }
}
