//! Telling peers of transactions until they are known to have judged them.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::effects::{Effect, Effects},
    super::machine::{Node, ignore},
    INVENTORY_MAX, UNACKNOWLEDGED_MAX,
};
use crate::{
    event::{Happening, IgnoreReason},
    hash::TransactionHash,
    mempool::{LossReason, SubmitError},
    message::{Inventory, Message, NodeId, RequestId, transaction_size},
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
    /// Whether what it is told is counted; if not, from the next inventory on, which it is to acknowledge.
    is_counted: bool,
    /// Of how many it was told, as counted, and how many of these are known to have come.
    count: u64,
    came: u64,
    /// The number up to which it is told even of what it sent itself, as it may have lost it.
    of_its_own: u64,
    /// The inventory that it has not acknowledged.
    open: Option<Box<Open>>,
    /// The tip on which it asked to be told anew, counted by the changes.
    anew_on: Option<u64>,
}

impl Telling {
    /// Tells whether something that the peer was told may not have come.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.came < self.count
    }
}

#[derive(Debug, Clone)]
struct Open {
    request: RequestId,
    /// It tells of the numbers after this one, up to `told`.
    after: u64,
    /// Of how many the peer was told before it, as counted.
    before: u64,
    /// When it is repeated, and how often it was. At the end of time it is not.
    at: Option<Time>,
    repeated: u32,
}

impl Node {
    /// Takes a transaction in, from a peer or its owner, for the peers to be told of it. Without accounts equal transactions
    /// cannot be told from repeated ones, and nobody is told.
    pub(in super::super) fn take_in(
        &mut self,
        transaction: Transaction,
        from: Option<NodeId>,
        effects: &mut Effects,
    ) -> Result<(), SubmitError> {
        // A peer's has its hash, as a rule, and so no node computes it but the first.
        let transaction = transaction.hashed();
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
            let transaction = transaction.hashed();
            self.payments.asked.remove(&transaction.hash());
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
        self.look_after_questions(now, effects);
        if std::mem::take(&mut self.payments.has_news) {
            self.tell_peers(now, effects);
            self.payments.is_in_doubt = false;
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
        (telling.told, telling.is_counted, telling.of_its_own) = (0, false, self.payments.log.last());
        if let Some(at) = telling.open.take().and_then(|open| open.at) {
            self.payments.due.remove(&(at, peer));
        }
        self.tell_peer(now, peer, effects);
    }

    /// Tells all peers what they have not been told. Many were told of as much as the first, and nothing is lost on the way to
    /// them: one message is for all of these.
    fn tell_peers(&mut self, now: Time, effects: &mut Effects) {
        let first_told = self.peers.iter().find_map(|peer| self.goes_on_after(*peer));
        let came = self.payments.log.range(first_told.unwrap_or(u64::MAX), u64::MAX);
        let senders: BTreeSet<_> = came.filter_map(|(_, entry)| entry.from).collect();
        let is_alike = |peer: &NodeId| first_told.is_some() && self.goes_on_after(*peer) == first_told;
        let (alike, others): (Vec<_>, Vec<_>) =
            self.peers.iter().partition(|peer| !senders.contains(peer) && is_alike(peer));
        for &peer in &others {
            self.tell_peer(now, peer, effects);
        }
        let Some((&one, after)) = alike.first().zip(first_told) else { return };
        let (hashes, told) = self.untold(one, after, u64::MAX);
        for &peer in &alike {
            let telling = self.payments.telling.entry(peer).or_default();
            telling.told = told;
            telling.count += hashes.len() as u64;
        }
        if hashes.is_empty() {
            return;
        }
        let request = self.new_request();
        let inventory = Inventory { request, is_anew: false, acknowledge: None, hashes };
        let message = Message::Inventory(inventory);
        match others[..] {
            [] => effects.push(Effect::Relay { except: None, message }),
            [other] => effects.push(Effect::Relay { except: Some(other), message }),
            _ => effects.to_do.extend(alike.iter().map(|peer| Effect::Send(*peer, message.clone()))),
        }
    }

    /// The number up to which a peer was told, if what comes after that need not be acknowledged.
    fn goes_on_after(&self, peer: NodeId) -> Option<u64> {
        let &Telling { told, is_counted, count, came, ref open, .. } = self.payments.telling.get(&peer)?;
        let goes_on = is_counted
            && open.is_none()
            && count - came + self.payments.log.last() - told <= UNACKNOWLEDGED_MAX
            && self.loses_nothing(peer)
            && !self.gossip.is_banned(peer)
            && !self.payments.is_in_doubt;
        goes_on.then_some(told)
    }

    /// Tells a peer what it has not been told, unless it is yet to acknowledge what it was.
    fn tell_peer(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        if self.gossip.is_banned(peer) {
            return;
        }
        let goes_on = self.goes_on_after(peer).is_some();
        let telling = self.payments.telling.entry(peer).or_default();
        if telling.open.is_some() {
            return;
        }
        let after = telling.told;
        let is_in_doubt = telling.is_in_doubt() && !self.mempool.is_empty();
        let (hashes, told) = self.untold(peer, after, u64::MAX);
        let telling = self.payments.telling.entry(peer).or_default();
        telling.told = told;
        if goes_on && !hashes.is_empty() {
            telling.count += hashes.len() as u64;
            let inventory =
                Inventory { request: self.new_request(), is_anew: false, acknowledge: None, hashes };
            effects.push(Effect::Send(peer, Message::Inventory(inventory)));
        } else if !goes_on && (is_in_doubt || !hashes.is_empty()) {
            self.begin(now, peer, after, hashes, effects);
        }
    }

    /// Tells a peer of what comes after a number by an inventory that is to be acknowledged.
    fn begin(
        &mut self,
        now: Time,
        peer: NodeId,
        after: u64,
        hashes: Arc<[TransactionHash]>,
        effects: &mut Effects,
    ) {
        let request = self.new_request();
        let at = now.checked_add(self.limits.announce_after(0));
        let telling = self.payments.telling.entry(peer).or_default();
        if !std::mem::replace(&mut telling.is_counted, true) {
            (telling.count, telling.came) = (0, 0);
        }
        let before = telling.count;
        telling.count += hashes.len() as u64;
        let open = Open { request, after, before, at, repeated: 0 };
        self.open(peer, open, hashes, effects);
    }

    /// Repeats the inventory that a peer has not acknowledged, ever less often: what of it is still pending. If that is nothing,
    /// and nothing else is in doubt, nobody knows whether it came: what comes next is counted anew.
    fn tell_again(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        let Some(telling) = self.payments.telling.get_mut(&peer) else { return };
        let Some(open) = telling.open.take() else { return };
        let (told, came) = (telling.told, telling.came);
        let (hashes, _) = self.untold(peer, open.after, told);
        if hashes.is_empty() && (open.before == came || self.mempool.is_empty()) {
            self.payments.telling.entry(peer).or_default().is_counted = false;
            return self.tell_peer(now, peer, effects);
        }
        let repeated = open.repeated.saturating_add(1);
        let at = now.checked_add(self.limits.announce_after(repeated));
        self.open(peer, Open { at, repeated, ..*open }, hashes, effects);
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
        let hashes = untold.map(|(_, entry)| entry.transaction.hash()).take(INVENTORY_MAX).collect();
        (hashes, last)
    }

    /// Sends an inventory that a peer is to acknowledge.
    fn open(&mut self, peer: NodeId, open: Open, hashes: Arc<[TransactionHash]>, effects: &mut Effects) {
        let Open { request, after, before, at, .. } = open;
        self.payments.due.extend(at.map(|at| (at, peer)));
        self.payments.telling.entry(peer).or_default().open = Some(Box::new(open));
        let inventory = Inventory { request, is_anew: after == 0, acknowledge: Some(before), hashes };
        effects.push(Effect::Send(peer, Message::Inventory(inventory)));
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
        let open = telling.and_then(|telling| {
            let open = telling.open.take_if(|open| open.request == request)?;
            // Nothing was told since.
            telling.came = telling.count;
            Some(open)
        });
        if let Some(open) = open {
            if let Some(at) = open.at {
                self.payments.due.remove(&(at, from));
            }
            self.tell_peer(now, from, effects);
        }
    }

    /// Has peers asked, if something is pending, whether all has come that they did not acknowledge.
    fn ask_whether_all_came(&mut self) {
        if !self.mempool.is_empty() && self.payments.telling.values().any(Telling::is_in_doubt) {
            (self.payments.has_news, self.payments.is_in_doubt) = (true, true);
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
            self.payments.telling.entry(from).or_default().is_counted = false;
            self.begin(now, from, 0, Arc::default(), effects);
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
        self.ask_whether_all_came();
        let mempool = &self.mempool;
        self.payments.log.prune(mempool.len(), |transaction| mempool.holds(transaction));
        if self.payments.log.is_empty() {
            self.payments.telling.retain(|_, telling| telling.open.is_some());
        }
    }
}
