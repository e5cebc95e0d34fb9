//! Hearing of transactions: asking for those that are wanted, and judging them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    super::effects::{Effect, Effects},
    super::machine::{Node, ignore},
    INVENTORY_MAX, Payments,
};
use crate::{
    event::IgnoreReason,
    hash::TransactionHash,
    mempool::SubmitError,
    message::{Message, NodeId, RequestId},
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
    request: Option<RequestId>,
    /// Whether that is yet to be acknowledged.
    is_open: bool,
    /// How many questions about it are not answered.
    questions: u32,
    /// What of it is not judged, in order.
    left: VecDeque<TransactionHash>,
    /// Whether it left a question unanswered. Nobody waits for its answers then.
    is_silent: bool,
    /// Whether it told of something that was not taken in, or was lost since, and whether it was asked since then to tell
    /// anew.
    has_missed: bool,
    is_asked_anew: bool,
    /// On which tip it may be asked to tell anew, and how often that brought nothing.
    ask_on: u64,
    waited: u32,
}

/// Who was asked for a transaction, and when.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) peer: NodeId,
    at: Time,
}

impl Payments {
    /// Tells whether a transaction need not be asked for. One that may be taken in on another tip is noted with its
    /// teller.
    fn is_judged(&mut self, teller: NodeId, hash: TransactionHash) -> bool {
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

    /// Whether the answer to a question about a transaction is awaited, so that a teller need not be asked as well. One
    /// who leaves a question unanswered is not waited for again until it answers one.
    fn is_awaited(&mut self, hash: TransactionHash, teller: NodeId, now: Time, patience: Duration) -> bool {
        let Some(asked) = self.asked.get(&hash) else { return false };
        let is_overdue = now - asked.at >= patience;
        match self.tellers.get_mut(&asked.peer) {
            Some(other) => {
                other.is_silent |= is_overdue;
                !is_overdue && (asked.peer == teller || !other.is_silent)
            }
            None => false,
        }
    }

    /// Forgets what was asked of a teller for its inventory.
    fn forget_asked(&mut self, peer: NodeId) {
        for hash in self.tellers.get(&peer).into_iter().flat_map(|teller| &teller.left) {
            if self.asked.get(hash).is_some_and(|asked| asked.peer == peer) {
                self.asked.remove(hash);
            }
        }
    }
}

impl Node {
    /// Somebody tells of transactions.
    pub(in super::super) fn told_of_inventory(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        is_anew: bool,
        hashes: &[TransactionHash],
        effects: &mut Effects,
    ) {
        let last = self.payments.teller(from).request;
        self.payments.forget_asked(from);
        let teller = self.payments.tellers.get_mut(&from).expect("it was put there above");
        // An inventory that comes again or late, or was not asked for, may have been made before something was missed.
        teller.has_missed &= !(is_anew && teller.is_asked_anew && Some(request) > last);
        (teller.request, teller.is_open) = (Some(request), !hashes.is_empty());
        teller.left = hashes.iter().take(INVENTORY_MAX).copied().collect();
        // Whoever tells again has waited long enough, even by a clock that stands still.
        let is_repeated = last == Some(request);
        if !is_repeated {
            teller.questions = 0;
        }
        self.go_through(now, from, is_repeated, effects);
    }

    /// Goes through what is left of a teller's inventory: asks for what is neither judged nor awaited, and acknowledges
    /// the inventory when nothing is left.
    fn go_through(&mut self, now: Time, from: NodeId, is_repeated: bool, effects: &mut Effects) {
        let patience = self.limits.announce_after(0);
        let payments = &mut self.payments;
        let Some(teller) = payments.tellers.get_mut(&from).filter(|teller| teller.is_open) else { return };
        let Some(request) = teller.request else { return };
        let mut left = std::mem::take(&mut teller.left);
        left.retain(|hash| !payments.is_judged(from, *hash));
        let wanted = left
            .iter()
            .copied()
            .filter(|hash| is_repeated | !payments.is_awaited(*hash, from, now, patience));
        let wanted: Arc<[_]> = wanted.collect();
        payments.asked.extend(wanted.iter().map(|hash| (*hash, Asked { peer: from, at: now })));
        let asks = !wanted.is_empty();
        let message = if asks {
            Some(Message::TransactionsRequest { request, wanted })
        } else {
            left.is_empty().then_some(Message::AcknowledgeInventory { request })
        };
        effects.to_do.extend(message.map(|message| Effect::Send(from, message)));
        let teller = payments.tellers.get_mut(&from).expect("it was found above");
        teller.questions = teller.questions.saturating_add(asks.into());
        teller.is_open = !left.is_empty();
        teller.left = left;
    }

    /// A teller sends what it was asked for.
    pub(in super::super) fn transactions_answered(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        transactions: &[Transaction],
        effects: &mut Effects,
    ) {
        let teller = self.payments.tellers.get_mut(&from);
        let teller = teller.filter(|teller| teller.is_open && teller.request == Some(request));
        let Some(teller) = teller.filter(|teller| teller.questions > 0) else {
            return ignore(from, IgnoreReason::Unasked, effects);
        };
        teller.questions -= 1;
        // If not, nobody knows which of the questions was answered. Its next inventory leaves out what it has no more.
        let is_last = teller.questions == 0;
        let mut is_answer = false;
        for transaction in transactions.iter().take(INVENTORY_MAX) {
            let hash = transaction.hash();
            if self.payments.asked.get(&hash).is_some_and(|asked| asked.peer == from) {
                is_answer = true;
                self.payments.asked.remove(&hash);
                self.judge(from, hash, transaction.clone(), effects);
            }
        }
        if !is_answer && (!is_last || self.has_none_of_what_was_asked(from) == 0) {
            return ignore(from, IgnoreReason::Unasked, effects);
        }
        // What did not fit into the answer is asked for again.
        self.payments.forget_asked(from);
        self.payments.tellers.get_mut(&from).expect("it was found above").is_silent = false;
        let open = self.payments.tellers.iter().filter(|(_, teller)| teller.is_open);
        let open: Vec<_> = open.map(|(peer, _)| *peer).collect();
        for teller in open {
            self.go_on(now, teller, effects);
        }
    }

    /// Judges a transaction that was asked for.
    fn judge(
        &mut self,
        from: NodeId,
        hash: TransactionHash,
        transaction: Transaction,
        effects: &mut Effects,
    ) {
        // Without a nonce it could never be mined.
        let may_be_taken_in =
            match transaction.nonce().map(|_| self.take_in(transaction, Some(from), effects)) {
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
        self.payments.refused.insert(hash, may_be_taken_in);
        if may_be_taken_in {
            self.payments.missed_of(from);
        }
    }

    /// Takes what a teller was asked for off its inventory, as it has none of it any more; returns how many transactions
    /// that were.
    fn has_none_of_what_was_asked(&mut self, from: NodeId) -> usize {
        let Payments { tellers, asked, .. } = &mut self.payments;
        let Some(teller) = tellers.get_mut(&from) else { return 0 };
        let before = teller.left.len();
        teller.left.retain(|hash| {
            asked.get(hash).is_none_or(|asked| asked.peer != from) || {
                asked.remove(hash);
                false
            }
        });
        before - teller.left.len()
    }

    /// Goes on with a teller's inventory, unless the first transaction that is left of it is still awaited. So each is
    /// looked at a few times, however many answers come.
    fn go_on(&mut self, now: Time, from: NodeId, effects: &mut Effects) {
        let payments = &mut self.payments;
        let first = loop {
            let first = payments.tellers.get(&from).and_then(|teller| teller.left.front().copied());
            match first.filter(|hash| payments.is_judged(from, *hash)) {
                Some(_) => payments.tellers.get_mut(&from).and_then(|teller| teller.left.pop_front()),
                None => break first,
            };
        };
        if first.is_none_or(|hash| !payments.asked.contains_key(&hash)) {
            self.go_through(now, from, false, effects);
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
