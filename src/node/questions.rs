//! Who is asked for missing blocks, and when.
//!
//! Whoever tells of a block whose parent is not known may be asked for what leads to it, once for each telling. One is
//! asked at first. While the answers do not lead there, or do not come, ever more are asked, twice as many at each
//! quarter of the patience: whatever a few liars do or leave undone, an honest one's turn comes soon. Who did not
//! answer is remembered, comes after those who did, and keeps nobody waiting any more. Nobody is asked again while its
//! last answer is being read.
//!
//! Each peer stands here once, whatever it says. While nothing is missing nothing is kept but who did not answer.

mod teller;

use std::time::Duration;

pub(super) use self::teller::Question;
use self::teller::Teller;
use crate::{
    hash::BlockHash,
    message::{NodeId, RequestId},
    time::Time,
};

/// How many peers are remembered.
const TELLERS_MAX: usize = 64;
/// How many tellings count for as much as the time that is waited: a clock may stand still.
pub(crate) const TELLINGS_MAX: u32 = 32;
/// The most doublings, of the patience with one peer and of how many are asked at once.
const DOUBLINGS_MAX: u32 = 5;
/// For how many times the patience it is remembered that a peer did not answer: for longer than it is given at most.
const REMEMBERED: u32 = 64;

/// How long one may be asked alone, of a patience, before another is asked as well.
pub(crate) fn time_alone(patience: Duration) -> Duration {
    patience / 4
}

/// A block that a peer told of: its hash, and the position that it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) hash: BlockHash,
    pub(super) position: u64,
}

/// Where an answer led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Led {
    /// To the block that was asked for.
    There,
    /// To a better chain than the one that its asker had.
    Closer,
    /// To nothing of use.
    Nowhere,
}

/// Those who told of blocks that are missing, and what they were asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Questions {
    /// By their numbers. They lie flat, as all are looked through at once; while there are none they take no memory.
    tellers: Vec<(NodeId, Teller)>,
    /// How often the number of those who are asked at once was doubled, from one.
    doublings: u32,
    /// When it is doubled, if somebody waits for it, and the tellings since the last time.
    more_at: Time,
    tellings: u32,
    turns: u64,
    /// Whether there is news of what is missing.
    has_news: bool,
    /// Until when a new teller is not asked, as one of good repute owes an answer and one is enough; if that is not so, a
    /// time that is long past.
    enough_until: Time,
    /// When to look again, while somebody waits to be asked, or soon may.
    deadline: Option<Time>,
}

impl Questions {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Tells whether nothing is missing, and nobody is remembered for anything.
    pub(super) fn are_forgotten(&self) -> bool {
        self.tellers.is_empty() && !self.has_news && (self.doublings, self.tellings) == (0, 0)
    }

    /// Tells whether somebody may have to be asked.
    pub(super) fn are_due(&self, now: Time) -> bool {
        self.has_news || self.deadline.is_some_and(|at| at <= now)
    }

    /// Tells whether nothing would come of it now if another peer told of something, but that it would be one more to wait
    /// until others are asked.
    pub(super) fn are_enough_asked(&self, now: Time) -> bool {
        debug_assert!(!self.has_news, "all news is looked at before the next");
        self.deadline.is_some_and(|at| at == self.more_at && now < at.min(self.enough_until))
            && self.tellings < TELLINGS_MAX - 1
    }

    /// Notes that a peer tells of a block as well, while [enough are asked](Self::are_enough_asked).
    pub(super) fn note_hearsay(&mut self, from: NodeId, wanted: Wanted) {
        self.told(from, false, wanted);
        self.has_news = false;
    }

    /// Notes that somebody told of a block whose parent is not known.
    pub(super) fn told(&mut self, from: NodeId, is_stranger: bool, wanted: Wanted) {
        self.has_news = true;
        self.tellings = self.tellings.saturating_add(1);
        self.turns += 1;
        match self.place_of(from) {
            Ok(place) => {
                let teller = &mut self.tellers[place].1;
                let before = teller.told.replace(wanted).into_iter().chain(teller.higher.as_deref().copied());
                let higher = before.filter(|before| before.position > wanted.position);
                teller.higher = higher.max_by_key(|before| before.position).map(Box::new);
                teller.is_stranger = is_stranger;
                if let Some(question) = &mut teller.question {
                    question.tellings = question.tellings.saturating_add(1);
                }
            }
            Err(place) => {
                let teller = Teller {
                    is_stranger,
                    told: Some(wanted),
                    higher: None,
                    question: None,
                    failures: 0,
                    failed_at: Time::UNIX_EPOCH,
                    turn: self.turns,
                };
                self.tellers.insert(place, (from, teller));
            }
        }
        if self.tellers.len() > TELLERS_MAX {
            // Whoever would be asked last.
            let last = (0..self.tellers.len())
                .max_by_key(|place| (self.tellers[*place].1.rank(), self.tellers[*place].1.turn));
            self.tellers.remove(last.expect("there are too many"));
        }
    }

    /// Notes that blocks have become known, which may be among the missing.
    pub(super) fn blocks_came(&mut self) {
        self.has_news |= self.deadline.is_some();
    }

    /// Notes that a peer is one no more.
    pub(super) fn became_stranger(&mut self, peer: NodeId) {
        self.enough_until = Time::UNIX_EPOCH;
        if let Some(teller) = self.teller_mut(peer) {
            teller.is_stranger = true;
        }
    }

    /// Forgets a peer that is no longer listened to.
    pub(super) fn forget(&mut self, peer: NodeId) {
        self.enough_until = Time::UNIX_EPOCH;
        if let Ok(place) = self.place_of(peer) {
            self.tellers.remove(place);
        }
    }

    /// Until when nothing would change but that one more waits, if another told of something.
    fn enough_until(&self, patience: Duration) -> Time {
        let is_first = |teller: &Teller| teller.owes_answer() && teller.rank() == (false, 0);
        // Who was asked and has told of something higher waits from the next look on; who has failed may be forgiven.
        let changes =
            |teller: &Teller| teller.told.is_none() && teller.higher.is_some() || teller.failures > 0;
        if self.doublings > 0 || !self.tellers().any(is_first) || self.tellers().any(changes) {
            return Time::UNIX_EPOCH;
        }
        let owing = self.tellers().filter(|teller| teller.owes_answer());
        let overdue_at =
            owing.flat_map(|teller| Some(teller.overdue_at(teller.question.as_deref()?, patience)));
        overdue_at.min().unwrap_or(Time::UNIX_EPOCH)
    }

    fn place_of(&self, peer: NodeId) -> Result<usize, usize> {
        self.tellers.binary_search_by_key(&peer, |(peer, _)| *peer)
    }

    fn teller_mut(&mut self, peer: NodeId) -> Option<&mut Teller> {
        let place = self.place_of(peer).ok()?;
        Some(&mut self.tellers[place].1)
    }

    fn tellers(&self) -> impl Iterator<Item = &Teller> {
        self.tellers.iter().map(|(_, teller)| teller)
    }

    /// Drops what is missing no more, and counts the questions whose time is up.
    pub(super) fn look_through(&mut self, now: Time, patience: Duration, is_there: impl Fn(Wanted) -> bool) {
        self.has_news = false;
        // Most tell of the same.
        let mut last = None;
        let mut is_there = |wanted| match last {
            Some((same, is_there)) if same == wanted => is_there,
            _ => last.insert((wanted, is_there(wanted))).1,
        };
        self.tellers.retain_mut(|(_, teller)| {
            teller.told.take_if(|wanted| is_there(*wanted));
            teller.higher.take_if(|wanted| is_there(**wanted));
            if teller.told.is_none() {
                teller.told = teller.higher.take().map(|higher| *higher);
            }
            teller.look(now, patience);
            !teller.is_forgotten()
        });
    }

    /// Chooses who is asked next, for what it told of; nobody, while enough owe an answer. `is_read` tells whose last
    /// answer is still being read.
    pub(super) fn next_to_ask(
        &mut self,
        now: Time,
        patience: Duration,
        is_read: impl Fn(NodeId) -> bool,
    ) -> Option<(NodeId, Wanted)> {
        let waiting = self
            .tellers
            .iter()
            .filter(|(peer, teller)| teller.told.is_some() && !teller.owes_answer() && !is_read(*peer));
        let &(peer, ref next) = waiting.min_by_key(|(_, teller)| (teller.rank(), teller.turn))?;
        let wanted = next.told?;
        let before = |teller: &&Teller| teller.owes_answer() && teller.rank() <= next.rank();
        let owing = self.tellers().filter(before).count();
        let doubled_at = now + time_alone(patience);
        if owing == 0 {
            self.more_at = doubled_at;
        }
        while owing >= 1 << self.doublings {
            let is_time = self.more_at <= now || self.tellings >= TELLINGS_MAX << self.doublings;
            if !is_time || self.doublings > DOUBLINGS_MAX {
                return None;
            }
            self.more_at = doubled_at;
            self.double();
        }
        Some((peer, wanted))
    }

    fn double(&mut self) {
        self.doublings = (self.doublings + 1).min(DOUBLINGS_MAX + 1);
        self.tellings = 0;
    }

    /// Tells whether all tell of one block, one of them was asked for it, by this question, and nobody for anything else; so
    /// that nothing is missing once that is there.
    pub(super) fn end_with(&self, wanted: Wanted, (from, request): (NodeId, RequestId)) -> bool {
        let is_of_it = |(peer, teller): &(NodeId, Teller)| {
            let is_asked = |question: &Question| {
                *peer == from && (question.request, question.wanted) == (request, wanted)
            };
            teller.question.as_deref().map_or(teller.told == Some(wanted), is_asked)
                && teller.told.is_none_or(|told| told == wanted)
                && teller.higher.is_none()
                && teller.failures == 0
        };
        !self.has_news && self.open(from, request).is_some() && self.tellers.iter().all(is_of_it)
    }

    /// Begins anew, when [all is there](Self::end_with).
    pub(super) fn end(&mut self) {
        let Self { more_at, turns, .. } = *self;
        *self = Self { more_at, turns, ..Self::default() };
    }

    /// Notes that a peer is asked.
    pub(super) fn asked(&mut self, peer: NodeId, question: Question) {
        self.turns += 1;
        let turn = self.turns;
        let teller = self.teller_mut(peer).expect("only who told is asked");
        teller.turn = turn;
        teller.told = None;
        teller.question = Some(Box::new(question));
    }

    /// The question that a peer answers, late or not. It stays open until what it led to is known.
    pub(super) fn open(&self, from: NodeId, request: RequestId) -> Option<&Question> {
        let (_, teller) = &self.tellers[self.place_of(from).ok()?];
        teller.question.as_deref().filter(|question| question.request == request)
    }

    /// Notes where the answer to a question led.
    pub(super) fn answered(&mut self, from: NodeId, question: Question, led: Led) {
        self.has_news = true;
        // Whoever was banned for the answer is forgotten.
        let Some(teller) = self.teller_mut(from) else { return };
        // It may have become overdue while the answer was read, and another may have been asked.
        let open = teller.question.take_if(|open| open.request == question.request);
        let question = open.map_or(question, |open| *open);
        match led {
            Led::There => teller.failures = 0,
            // There is more to be had where that came from, but others come first.
            Led::Closer => teller.told = teller.told.or(Some(question.wanted)),
            Led::Nowhere if !question.is_overdue => teller.fail(question.at),
            Led::Nowhere => {}
        }
        if led != Led::There {
            self.double();
        }
    }

    /// Notes when to look again. Once nobody waits and nobody of good repute owes an answer, all begins anew.
    pub(super) fn rest(&mut self, now: Time, patience: Duration) {
        let waiting = self.tellers().filter(|teller| teller.told.is_some());
        let times = waiting.map(|teller| match &teller.question {
            Some(question) if !question.is_overdue => teller.overdue_at(question, patience),
            _ => self.more_at,
        });
        let due = times.min();
        let is_busy = self.tellers().any(|teller| teller.owes_answer() && teller.failures == 0);
        // Even if nobody waits yet: who tells next need not change when to look.
        let next = Some(self.more_at).filter(|at| is_busy && *at > now);
        self.deadline = due.into_iter().chain(next).min();
        if self.tellers.is_empty() {
            self.tellers = Vec::new();
        }
        self.enough_until = self.enough_until(patience);
        if due.is_none() && !is_busy {
            self.doublings = 0;
            self.tellings = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        blockchain::Blockchain,
        node::lab::{START, rules},
    };

    const PATIENCE: Duration = Duration::from_secs(1);

    /// One peer has told of a block, and was asked for what leads to it.
    fn asked() -> (Questions, NodeId) {
        let peer = NodeId::new(1);
        let chain = Blockchain::start(&rules(), START).expect("the rules can be kept");
        let wanted = Wanted { hash: chain.tip_hash(), position: 2 };
        let mut questions = Questions::default();
        questions.told(peer, false, wanted);
        questions.look_through(START, PATIENCE, |_| false);
        assert!(questions.next_to_ask(START, PATIENCE, |_| false).is_some_and(|(asked, _)| asked == peer));
        questions.asked(peer, Question::new(RequestId(1), wanted, chain, START));
        questions.rest(START, PATIENCE);
        (questions, peer)
    }

    #[test]
    fn what_was_told_is_forgotten_once_it_is_there() {
        let (mut questions, peer) = asked();
        assert!(!questions.are_forgotten());
        let question = questions.open(peer, RequestId(1)).expect("it is open").clone();
        questions.answered(peer, question, Led::There);
        questions.look_through(START, PATIENCE, |_| true);
        questions.rest(START, PATIENCE);
        assert!(questions.are_forgotten());
    }

    /// It comes after the others for a while, though nothing is missing any more.
    #[test]
    fn a_peer_that_did_not_answer_is_remembered() {
        let (mut questions, _) = asked();
        for (patiences, is_forgotten) in [(1, false), (REMEMBERED - 1, false), (REMEMBERED, true)] {
            questions.look_through(START + PATIENCE * patiences, PATIENCE, |_| true);
            questions.rest(START, PATIENCE);
            assert_eq!(questions.are_forgotten(), is_forgotten, "after {patiences} times the patience");
        }
    }

    #[test]
    fn how_many_are_asked_at_once_is_remembered_while_one_owes_an_answer() {
        let (mut questions, peer) = asked();
        questions.double();
        questions.rest(START, PATIENCE);
        questions.forget(peer);
        assert!(!questions.are_forgotten(), "until somebody looks");
        questions.rest(START, PATIENCE);
        assert!(questions.are_forgotten());
    }
}
