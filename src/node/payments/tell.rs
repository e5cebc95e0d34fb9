//! Telling peers of transactions until they are known to have judged them.

use std::sync::Arc;

use super::{
    super::effects::{Effect, Effects},
    super::machine::{Node, ignore},
    INVENTORY_MAX,
};
use crate::{
    event::{Happening, IgnoreReason},
    hash::TransactionHash,
    mempool::{LossReason, SubmitError},
    message::{Message, NodeId, RequestId, transaction_size},
    time::Time,
    transaction::Transaction,
};

/// The most bytes of transactions in an answer, unless it is a single one.
const ANSWER_BYTES_MAX: u64 = 100_000;

/// What a peer was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Telling {
    /// The number up to which it was told.
    told: u64,
    /// The number up to which it is told even of what it sent itself, as it may have lost it.
    of_its_own: u64,
    /// The inventory that it has not acknowledged.
    open: Option<Open>,
    /// The tip on which it asked to be told anew, counted by the changes.
    anew_on: Option<u64>,
}

#[derive(Debug, Clone)]
struct Open {
    request: RequestId,
    /// It tells of the numbers after this one, up to `told`.
    after: u64,
    /// When it is repeated, and how often it was. At the end of time it is not.
    at: Option<Time>,
    repeated: u32,
}

impl Node {
    /// Takes a transaction in, for the peers to be told of it. Without accounts equal transactions cannot be told from
    /// repeated ones, and nobody is told.
    pub(in super::super) fn take_in(
        &mut self,
        transaction: Transaction,
        from: Option<NodeId>,
        effects: &mut Effects,
    ) -> Result<(), SubmitError> {
        let lost = self.mempool.submit(transaction.clone(), &self.rules, self.chain.accounts())?;
        self.has_news(transaction, from);
        for (transaction, reason) in lost {
            self.lose(transaction, reason, effects);
        }
        self.renew_search(effects);
        Ok(())
    }

    /// Has the peers told of a pending transaction, even if they were told of it before.
    pub(in super::super) fn has_news(&mut self, transaction: Transaction, from: Option<NodeId>) {
        if self.rules.relay.is_on() && self.rules.accounts {
            self.payments.log.push(transaction, from);
            self.payments.has_news = true;
        }
    }

    /// Records that a pending transaction was lost. Whoever told of it may tell of it again on another tip.
    pub(in super::super) fn lose(
        &mut self,
        transaction: Transaction,
        reason: LossReason,
        effects: &mut Effects,
    ) {
        self.payments.log.remove(transaction.hash());
        if reason != LossReason::Replaced {
            self.payments.missed_of_all();
        }
        effects.happened(Happening::lost(transaction, reason));
    }

    /// Tells the peers what they have not been told, and again what they have not acknowledged in time.
    pub(in super::super) fn tell_of_payments(&mut self, now: Time, effects: &mut Effects) {
        if std::mem::take(&mut self.payments.has_news) {
            for at in 0..self.peers.len() {
                self.tell_peer(now, self.peers[at], effects);
            }
        }
        while let Some(&(at, peer)) = self.payments.due.first().filter(|(at, _)| *at <= now) {
            self.payments.due.remove(&(at, peer));
            self.tell_again(now, peer, effects);
        }
    }

    /// Tells a peer of everything, as it may have missed or lost some.
    pub(in super::super) fn tell_anew(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        if self.payments.log.is_empty() || !self.peers.contains(&peer) {
            return;
        }
        let telling = self.payments.telling.entry(peer).or_default();
        (telling.told, telling.of_its_own) = (0, self.payments.log.last());
        if let Some(at) = telling.open.take().and_then(|open| open.at) {
            self.payments.due.remove(&(at, peer));
        }
        self.tell_peer(now, peer, effects);
    }

    /// Tells a peer what it has not been told, unless it is yet to acknowledge what it was.
    fn tell_peer(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        if self.gossip.is_banned(peer) {
            return;
        }
        let telling = self.payments.telling.entry(peer).or_default();
        if telling.open.is_some() {
            return;
        }
        let after = telling.told;
        let (hashes, told) = self.untold(peer, after, u64::MAX);
        self.payments.telling.entry(peer).or_default().told = told;
        if !hashes.is_empty() {
            let at = now.checked_add(self.limits.announce_after(0));
            let open = Open { request: self.new_request(), after, at, repeated: 0 };
            self.send_inventory(peer, open, hashes, effects);
        }
    }

    /// Repeats the inventory that a peer has not acknowledged, ever less often: what of it is still pending.
    fn tell_again(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        let Some(telling) = self.payments.telling.get_mut(&peer) else { return };
        let Some(open) = telling.open.take() else { return };
        let told = telling.told;
        let (hashes, _) = self.untold(peer, open.after, told);
        if hashes.is_empty() {
            return self.tell_peer(now, peer, effects);
        }
        let repeated = open.repeated.saturating_add(1);
        let at = now.checked_add(self.limits.announce_after(repeated));
        let open = Open { at, repeated, ..open };
        self.send_inventory(peer, open, hashes, effects);
    }

    /// What a peer is to be told of the numbers above one, up to another: at most an inventory of what is pending, and
    /// did not come from the peer itself. Returns the last number that was looked at, too.
    fn untold(&self, peer: NodeId, above: u64, most: u64) -> (Arc<[TransactionHash]>, u64) {
        let of_its_own = self.payments.telling.get(&peer).map_or(0, |telling| telling.of_its_own);
        let mut last = above;
        let entries = self.payments.log.range(above, most).inspect(|(number, _)| last = *number);
        let untold = entries.filter(|(number, entry)| {
            let is_its_own = entry.from == Some(peer) && *number > of_its_own;
            !is_its_own && self.mempool.holds(&entry.transaction)
        });
        let hashes = untold.map(|(_, entry)| entry.hash).take(INVENTORY_MAX).collect();
        (hashes, last)
    }

    fn send_inventory(
        &mut self,
        peer: NodeId,
        open: Open,
        hashes: Arc<[TransactionHash]>,
        effects: &mut Effects,
    ) {
        let (request, is_anew) = (open.request, open.after == 0);
        self.payments.due.extend(open.at.map(|at| (at, peer)));
        self.payments.telling.entry(peer).or_default().open = Some(open);
        effects.push(Effect::Send(peer, Message::Inventory { request, is_anew, hashes }));
    }

    /// A peer has judged an inventory: it is told what came meanwhile.
    pub(in super::super) fn inventory_acknowledged(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        effects: &mut Effects,
    ) {
        let telling = self.payments.telling.get_mut(&from);
        let open = telling.and_then(|telling| telling.open.take_if(|open| open.request == request));
        if let Some(open) = open {
            if let Some(at) = open.at {
                self.payments.due.remove(&(at, from));
            }
            self.tell_peer(now, from, effects);
        }
    }

    /// A peer that did not take in what it was told of, or has lost it, asks to be told anew: on each tip once.
    pub(in super::super) fn asked_for_inventory(&mut self, now: Time, from: NodeId, effects: &mut Effects) {
        let tips = self.tips;
        if !self.peers.contains(&from)
            || self.payments.telling.entry(from).or_default().anew_on.replace(tips) == Some(tips)
        {
            return ignore(from, IgnoreReason::Unwanted, effects);
        }
        self.tell_anew(now, from, effects);
        if self.payments.telling.get(&from).is_none_or(|telling| telling.open.is_none()) {
            let (request, hashes) = (self.new_request(), Arc::default());
            effects.push(Effect::Send(from, Message::Inventory { request, is_anew: true, hashes }));
        }
    }

    /// Anyone is answered, with as much as fits.
    pub(in super::super) fn asked_for_transactions(
        &self,
        from: NodeId,
        request: RequestId,
        wanted: &[TransactionHash],
        effects: &mut Effects,
    ) {
        let mut bytes = 0;
        let known = wanted.iter().take(INVENTORY_MAX).filter_map(|hash| self.payments.log.get(*hash));
        let transactions = known.take_while(|transaction| {
            let is_first = bytes == 0;
            bytes += transaction_size(transaction);
            is_first || bytes <= ANSWER_BYTES_MAX
        });
        let transactions = transactions.cloned().collect();
        effects.push(Effect::Send(from, Message::Transactions { request, transactions }));
    }

    /// Follows a change of the tip: what abandoned blocks gave back is news, and what was lost is no longer told of.
    pub(in super::super) fn payments_on_new_tip(
        &mut self,
        returned: Vec<Transaction>,
        lost: Vec<(Transaction, LossReason)>,
        effects: &mut Effects,
    ) {
        self.ask_to_be_told_anew(effects);
        for transaction in returned {
            self.has_news(transaction, None);
        }
        for (transaction, reason) in lost {
            self.lose(transaction, reason, effects);
        }
        let mempool = &self.mempool;
        self.payments.log.prune(mempool.len(), |transaction| mempool.holds(transaction));
        if self.payments.log.is_empty() {
            self.payments.telling.retain(|_, telling| telling.open.is_some());
        }
    }
}
