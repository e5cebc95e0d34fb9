//! Asking for transactions that others tell of: one of them at a time, and another if that one does not answer.

use std::time::Duration;

use super::{
    super::effects::{Effect, Effects},
    super::machine::{Node, ignore},
    INVENTORY_MAX, Payments,
    hear::Teller,
};
use crate::{
    event::IgnoreReason,
    hash::TransactionHash,
    message::{Message, NodeId, RequestId},
    time::Time,
    transaction::Transaction,
};

/// Who was asked for a transaction, about which inventory, and when.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) peer: NodeId,
    request: RequestId,
    at: Time,
}

impl Asked {
    fn is_of(&self, peer: NodeId, about: Option<RequestId>) -> bool {
        self.peer == peer && about.is_none_or(|about| about == self.request)
    }
}

/// A question about an inventory, and until when its answer is awaited.
#[derive(Debug, Clone)]
pub(super) struct Question {
    about: RequestId,
    until: Option<Time>,
}

impl Payments {
    /// Whether the answer to a question about a transaction is awaited, so that a teller need not be asked as well. One
    /// who leaves a question unanswered is not waited for again until it answers one.
    pub(super) fn is_awaited(
        &self,
        hash: TransactionHash,
        teller: NodeId,
        now: Time,
        patience: Duration,
    ) -> bool {
        self.asked.get(&hash).is_some_and(|asked| {
            let is_heard = |other: &Teller| asked.peer == teller || !other.is_silent;
            now - asked.at < patience && self.tellers.get(&asked.peer).is_some_and(is_heard)
        })
    }

    /// Notes until when an answer of a teller's is awaited, after its questions have changed.
    fn await_answers(&mut self, teller: NodeId) {
        let Some(asked) = self.tellers.get_mut(&teller) else { return };
        let until = asked.questions.iter().find_map(|question| question.until);
        if until != asked.awaited {
            if let Some(before) = asked.awaited {
                self.awaited.remove(&(before, teller));
            }
            self.awaited.extend(until.map(|until| (until, teller)));
            asked.awaited = until;
        }
    }

    /// Forgets the questions to a teller: their answers are no longer heard.
    pub(super) fn forget_questions(&mut self, teller: NodeId) {
        self.tellers.entry(teller).and_modify(|teller| teller.questions.clear());
        self.await_answers(teller);
    }

    /// Forgets what was asked of a teller for its inventories, or for one of them.
    pub(super) fn forget_asked(&mut self, peer: NodeId, about: Option<RequestId>) {
        for hash in self.tellers.get(&peer).into_iter().flat_map(|teller| &teller.left) {
            if self.asked.get(hash).is_some_and(|asked| asked.is_of(peer, about)) {
                self.asked.remove(hash);
                self.has_let_go = true;
            }
        }
    }
}

impl Node {
    /// Goes through what is left of a teller's inventories but the first so many: asks for what is neither judged nor awaited,
    /// and from another place on for what is awaited, too; and acknowledges what is to be, when nothing is left.
    pub(super) fn go_through(
        &mut self,
        now: Time,
        from: NodeId,
        (first, anyway): (usize, usize),
        effects: &mut Effects,
    ) {
        let patience = self.limits.announce_after(0);
        let payments = &mut self.payments;
        let Some(teller) = payments.tellers.get_mut(&from).filter(|teller| teller.is_open()) else { return };
        let (Some(request), to_acknowledge) = (teller.request, teller.to_acknowledge) else { return };
        let (mut left, mut wanted) = (std::mem::take(&mut teller.left), Vec::new());
        let mut place = 0;
        left.retain(|&hash| {
            place += 1;
            if place <= first {
                return true;
            }
            if payments.is_judged(from, hash) {
                return false;
            }
            let is_wanted = place > anyway || !payments.is_awaited(hash, from, now, patience);
            wanted.extend(Some(hash).filter(|_| is_wanted && wanted.len() < INVENTORY_MAX));
            true
        });
        let asks = !wanted.is_empty();
        let message = if asks {
            let asked = |hash: &TransactionHash| (*hash, Asked { peer: from, request, at: now });
            payments.asked.extend(wanted.iter().map(asked));
            Some(Message::TransactionsRequest { request, wanted: wanted.into() })
        } else {
            to_acknowledge
                .filter(|_| left.is_empty())
                .map(|request| Message::AcknowledgeInventory { request })
        };
        effects.to_do.extend(message.map(|message| Effect::Send(from, message)));
        let teller = payments.tellers.get_mut(&from).expect("it was found above");
        teller.to_acknowledge = to_acknowledge.filter(|_| !left.is_empty());
        teller.left = left;
        if asks {
            // Only of one that leaves questions unanswered are there so many.
            teller.questions.drain(..(teller.questions.len() + 1).saturating_sub(INVENTORY_MAX));
            // At the end of time its answer is awaited for ever.
            teller.questions.push(Question { about: request, until: now.checked_add(patience) });
        }
        payments.await_answers(from);
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
        let questions = self.payments.tellers.get_mut(&from).map(|teller| &mut teller.questions);
        let question =
            |questions: &Vec<Question>| questions.iter().position(|question| question.about == request);
        let Some((questions, place)) = questions.and_then(|all| question(all).map(|place| (all, place)))
        else {
            return ignore(from, IgnoreReason::Unasked, effects);
        };
        questions.remove(place);
        // If not, nobody knows which of the questions was answered. Its next inventory leaves out what it has no more.
        let is_last = question(questions).is_none();
        self.payments.await_answers(from);
        let (mut is_answer, mut brings_some) = (false, false);
        for transaction in transactions.iter().take(INVENTORY_MAX) {
            let hash = transaction.hash();
            if self.payments.asked.remove(&hash).is_some() {
                brings_some = true;
                self.judge(from, transaction, effects);
            }
            // Another may have sent it meanwhile.
            is_answer |= self.payments.log.holds(hash) || self.payments.refused.contains_key(&hash);
        }
        let may_have_none = !brings_some && !is_answer && is_last;
        let has_none = may_have_none && self.has_none_of_what_was_asked(from, request) > 0;
        let is_of_use = brings_some || has_none;
        if !is_of_use && !is_answer {
            return ignore(from, IgnoreReason::Unasked, effects);
        }
        // What did not fit into the answer is asked for again.
        self.payments.forget_asked(from, Some(request));
        if is_of_use {
            self.payments.tellers.get_mut(&from).expect("it was found above").is_silent = false;
        }
        // Who has brought nothing new is asked again after all others.
        self.go_on_with_all(now, Some(from).filter(|_| !is_of_use), effects);
    }

    /// Goes on with the inventories of all tellers, of one after the others.
    fn go_on_with_all(&mut self, now: Time, last: Option<NodeId>, effects: &mut Effects) {
        let Payments { log, tellers, .. } = &mut self.payments;
        let mut open = Vec::new();
        for (&peer, teller) in tellers.iter_mut().filter(|(_, teller)| teller.is_open()) {
            while teller.left.front().is_some_and(|hash| log.holds(*hash)) {
                teller.left.pop_front();
            }
            if teller.is_open() {
                open.push(peer);
            }
        }
        open.sort_by_key(|teller| Some(*teller) == last);
        for teller in open {
            self.go_on(now, teller, effects);
        }
    }

    /// Looks whether questions are not answered in time: what was asked of one is asked of another who has told of it.
    pub(super) fn look_after_questions(&mut self, now: Time, effects: &mut Effects) {
        let mut goes_on = std::mem::take(&mut self.payments.has_let_go);
        while let Some(&(_, teller)) = self.payments.awaited.first().filter(|(until, _)| *until <= now) {
            let asked = self.payments.tellers.get_mut(&teller).expect("who is no teller is not awaited");
            let overdue =
                asked.questions.iter_mut().filter(|question| question.until.is_some_and(|at| at <= now));
            overdue.for_each(|question| question.until = None);
            (asked.is_silent, goes_on) = (true, true);
            self.payments.await_answers(teller);
        }
        if goes_on {
            self.go_on_with_all(now, None, effects);
        }
    }

    /// Takes what a teller was asked for about an inventory off what is left, as it has none of it any more; returns how many
    /// transactions that were.
    fn has_none_of_what_was_asked(&mut self, from: NodeId, request: RequestId) -> usize {
        let Payments { tellers, asked, .. } = &mut self.payments;
        let Some(teller) = tellers.get_mut(&from) else { return 0 };
        let before = teller.left.len();
        teller.left.retain(|hash| {
            asked.get(hash).is_none_or(|asked| !asked.is_of(from, Some(request))) || {
                asked.remove(hash);
                false
            }
        });
        before - teller.left.len()
    }

    /// Goes on with a teller's inventory, unless the first transaction that is left of it was asked for a short while ago, or at
    /// any time if the teller left a question unanswered. So each is looked at a few times, however many answers come.
    fn go_on(&mut self, now: Time, from: NodeId, effects: &mut Effects) {
        let patience = self.limits.announce_after(0);
        let payments = &mut self.payments;
        let first = loop {
            let first = payments.tellers.get(&from).and_then(|teller| teller.left.front().copied());
            match first.filter(|hash| payments.is_judged(from, *hash)) {
                Some(_) => payments.tellers.get_mut(&from).and_then(|teller| teller.left.pop_front()),
                None => break first,
            };
        };
        let is_silent = payments.tellers.get(&from).is_some_and(|teller| teller.is_silent);
        let is_asked = |asked: &Asked| is_silent || now - asked.at < patience;
        if !first.and_then(|hash| payments.asked.get(&hash)).is_some_and(is_asked) {
            self.go_through(now, from, (0, usize::MAX), effects);
        }
    }
}
