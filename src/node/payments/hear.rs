//! Hearing of transactions: asking for those that are wanted, and judging them.

use std::collections::{BTreeSet, VecDeque};

use super::{
    super::effects::{Effect, Effects},
    super::machine::{Node, ignore},
    INVENTORY_MAX, Payments, UNACKNOWLEDGED_MAX,
    ask::Question,
};
use crate::{
    event::IgnoreReason,
    hash::TransactionHash,
    mempool::SubmitError,
    message::{Inventory, Message, NodeId, RequestId},
    time::Time,
    transaction::Transaction,
};

/// How many refused transactions are remembered, so that they are not asked for again.
const REFUSED_MAX: usize = 1024;
/// How often the number of tips is doubled after which a teller is asked to tell anew.
const WAITED_MAX: u32 = 4;

/// One who tells of transactions.
#[derive(Debug, Clone, Default)]
pub(super) struct Teller {
    /// Its last inventory.
    pub(super) request: Option<RequestId>,
    /// The one that is to be acknowledged once nothing is left.
    pub(super) to_acknowledge: Option<RequestId>,
    /// The questions that are not answered, in order, and the soonest moment until which an answer is awaited.
    pub(super) questions: Vec<Question>,
    pub(super) awaited: Option<Time>,
    /// What of its inventories is not judged, in order.
    pub(super) left: VecDeque<TransactionHash>,
    /// The inventory from which on it is counted of how many transactions it tells, and how many these are.
    counted_from: Option<RequestId>,
    count: u64,
    /// Whether it left a question unanswered. Nobody waits for its answers then.
    pub(super) is_silent: bool,
    /// Whether it told of something that was not taken in, or was lost since, and whether it was asked since then to tell
    /// anew.
    has_missed: bool,
    is_asked_anew: bool,
    /// On which tip it may be asked to tell anew, and how often that brought nothing.
    ask_on: u64,
    waited: u32,
}

impl Teller {
    /// Tells whether something of its inventories is not judged, or the last is yet to be acknowledged.
    pub(super) fn is_open(&self) -> bool {
        self.to_acknowledge.is_some() || !self.left.is_empty()
    }

    /// Leaves transactions of an inventory to be judged, as many as one may tell of before it is acknowledged.
    fn leave<'a>(&mut self, hashes: impl Iterator<Item = &'a TransactionHash>) {
        let room = INVENTORY_MAX + UNACKNOWLEDGED_MAX as usize - self.left.len();
        self.left.extend(hashes.take(INVENTORY_MAX.min(room)));
    }
}

impl Payments {
    /// Tells whether a transaction need not be asked for. One that may be taken in on another tip is noted with its
    /// teller.
    pub(super) fn is_judged(&mut self, teller: NodeId, hash: TransactionHash) -> bool {
        if self.log.holds(hash) {
            return true;
        }
        let Some(&may_be_taken_in) = self.refused.get(&hash) else { return false };
        if may_be_taken_in {
            self.missed_of(teller);
        }
        true
    }

    fn missed_of(&mut self, teller: NodeId) {
        if let Some(teller) = self.tellers.get_mut(&teller) {
            (teller.has_missed, teller.is_asked_anew) = (true, false);
            self.has_missed = true;
        }
    }

    /// A teller, who may tell for the first time: then it has left out what came from here, though it was lost since.
    fn teller(&mut self, peer: NodeId) -> &mut Teller {
        self.tellers.entry(peer).or_insert_with(|| {
            self.has_missed |= self.has_lost;
            Teller { has_missed: self.has_lost, ..Teller::default() }
        })
    }

    /// Notes that whoever told of transactions may have told of one that was lost.
    pub(super) fn missed_of_all(&mut self) {
        self.has_lost = true;
        for teller in self.tellers.values_mut() {
            (teller.has_missed, teller.is_asked_anew) = (true, false);
            self.has_missed = true;
        }
    }
}

impl Node {
    /// Takes note of an inventory of which nothing comes but that its sender may be asked if another does not answer in time,
    /// and tells whether it is one: nothing is lost on its way, it answers nothing, is not to be acknowledged, and all that it
    /// tells of was taken in, or another was asked for it.
    pub(in super::super) fn takes_note_of(&mut self, now: Time, from: NodeId, inventory: &Inventory) -> bool {
        let Inventory { request, is_anew, acknowledge: None, ref hashes } = *inventory else { return false };
        if is_anew || !self.loses_nothing(from) {
            return false;
        }
        let patience = self.limits.announce_after(0);
        let payments = &mut self.payments;
        let mut is_left = false;
        let is_cared_for = |hash| {
            payments.log.holds(hash) || {
                is_left = true;
                payments.is_awaited(hash, from, now, patience)
            }
        };
        if !hashes.iter().copied().all(is_cared_for) {
            return false;
        }
        let teller = payments.tellers.get_mut(&from);
        let Some(teller) = teller.filter(|teller| teller.request < Some(request)) else { return false };
        teller.request = Some(request);
        teller.count += hashes.len() as u64;
        if is_left {
            teller.leave(hashes.iter().filter(|hash| !payments.log.holds(**hash)));
        }
        true
    }

    /// Somebody tells of transactions.
    pub(in super::super) fn told_of_inventory(
        &mut self,
        now: Time,
        from: NodeId,
        inventory: &Inventory,
        effects: &mut Effects,
    ) {
        if self.takes_note_of(now, from, inventory) {
            return;
        }
        let Inventory { request, is_anew, acknowledge, ref hashes } = *inventory;
        let last = self.payments.teller(from).request;
        // Whoever tells again has waited long enough, even by a clock that stands still.
        let is_repeated = last == Some(request);
        // What it told before is no longer pending there, or told again.
        let begins = is_anew || acknowledge == Some(0) && !is_repeated;
        if begins {
            self.payments.forget_asked(from, None);
        }
        let teller = self.payments.tellers.get_mut(&from).expect("it was put there above");
        // An inventory that comes again or late, or was not asked for, may have been made before something was missed.
        teller.has_missed &= !(is_anew && teller.is_asked_anew && Some(request) > last);
        teller.request = last.max(Some(request));
        if acknowledge.is_some() {
            teller.to_acknowledge = Some(request);
        }
        if begins {
            teller.left.clear();
        } else if is_repeated && !teller.left.is_empty() {
            let told: BTreeSet<_> = hashes.iter().collect();
            teller.left.retain(|hash| !told.contains(hash));
        }
        let left = teller.left.len();
        teller.leave(hashes.iter());
        // For want of room some of what it told before was dropped.
        let has_missed = !is_repeated && acknowledge.is_some_and(|before| teller.count < before);
        if acknowledge == Some(0) && !is_repeated {
            (teller.counted_from, teller.count) = (Some(request), 0);
        }
        if !is_repeated && Some(request) >= teller.counted_from {
            teller.count += hashes.len() as u64;
        }
        if has_missed && !(teller.has_missed && teller.is_asked_anew) {
            self.payments.missed_of(from);
            self.payments.teller(from).is_asked_anew = true;
            effects.push(Effect::Send(from, Message::InventoryRequest));
        }
        if begins && !is_repeated {
            self.payments.forget_questions(from);
        }
        // What was left before has its own turn, unless its teller tells again: then it may have been asked for in vain.
        self.go_through(now, from, if is_repeated { (0, left) } else { (left, usize::MAX) }, effects);
    }

    /// Judges a transaction that was asked for.
    pub(super) fn judge(&mut self, from: NodeId, transaction: &Transaction, effects: &mut Effects) {
        // Without a nonce it could never be mined.
        let may_be_taken_in =
            match transaction.nonce().map(|_| self.take_in(transaction.clone(), Some(from), effects)) {
                Some(Ok(())) => {
                    let teller = self.payments.tellers.get_mut(&from).expect("only a teller is asked");
                    (teller.is_silent, teller.waited) = (false, 0);
                    return;
                }
                Some(Err(error)) => may_be_taken_in(&error),
                None => false,
            };
        ignore(from, IgnoreReason::Unwanted, effects);
        if self.payments.refused.len() >= REFUSED_MAX {
            self.payments.refused.clear();
        }
        self.payments.refused.insert(transaction.hash(), may_be_taken_in);
        if may_be_taken_in {
            self.payments.missed_of(from);
        }
    }

    /// On a new tip, asks those to tell anew who told of what was not taken in or was lost: ever less often if that brings
    /// nothing, and on the next tip if the question gets lost.
    pub(super) fn ask_to_be_told_anew(&mut self, effects: &mut Effects) {
        self.tips += 1;
        let (payments, tips) = (&mut self.payments, self.tips);
        payments.refused.clear();
        if !std::mem::take(&mut payments.has_missed) {
            return;
        }
        for (&peer, teller) in payments.tellers.iter_mut().filter(|(_, teller)| teller.has_missed) {
            payments.has_missed = true;
            if teller.ask_on <= tips {
                teller.ask_on = tips + (1 << teller.waited.min(WAITED_MAX));
                teller.waited += 1;
                teller.is_asked_anew = true;
                effects.push(Effect::Send(peer, Message::InventoryRequest));
            }
        }
    }
}

/// Tells whether a transaction that was refused may be taken in on another tip.
fn may_be_taken_in(error: &SubmitError) -> bool {
    match error {
        SubmitError::Overdraft { .. } | SubmitError::Full { .. } | SubmitError::TooFarAhead { .. } => true,
        SubmitError::Reward
        | SubmitError::Unminable(_)
        | SubmitError::UnexpectedNonce { .. }
        | SubmitError::AlreadyPending { .. }
        | SubmitError::NonceTaken { .. } => false,
    }
}
