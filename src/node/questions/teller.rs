//! One who told of blocks that are missing, and what it was asked.

use std::time::Duration;

use super::{DOUBLINGS_MAX, REMEMBERED, TELLINGS_MAX, Wanted};
use crate::{blockchain::Blockchain, message::RequestId, time::Time};

/// What one peer was asked.
#[derive(Debug, Clone)]
pub(in crate::node) struct Question {
    pub(super) request: RequestId,
    pub(in crate::node) wanted: Wanted,
    /// The asker's chain.
    pub(in crate::node) chain: Blockchain,
    pub(super) at: Time,
    /// How often the peer told of blocks since.
    pub(super) tellings: u32,
    pub(super) is_overdue: bool,
}

impl Question {
    pub(in crate::node) fn new(request: RequestId, wanted: Wanted, chain: Blockchain, at: Time) -> Self {
        Self { request, wanted, chain, at, tellings: 0, is_overdue: false }
    }

    pub(in crate::node) fn request(&self) -> RequestId {
        self.request
    }
}

/// One who told of blocks whose parents are not known.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    /// Nobody chose it for a peer.
    pub(super) is_stranger: bool,
    /// The last that it told of since it was asked.
    pub(super) told: Option<Wanted>,
    /// A higher one that it told of before, if there is: on a link without order what was said first may come last, and
    /// nobody who loses nothing says it again.
    pub(super) higher: Option<Box<Wanted>>,
    /// What it was asked last, unless it answered.
    pub(super) question: Option<Box<Question>>,
    /// How many questions in a row led nowhere, and when it was asked the last of them.
    pub(super) failures: u32,
    pub(super) failed_at: Time,
    /// Grows with each question to anyone: whoever was asked longest ago comes first.
    pub(super) turn: u64,
}

impl Teller {
    /// Those who come first keep others waiting that come after them, and are not kept waiting by them.
    pub(super) fn rank(&self) -> (bool, u32) {
        (self.is_stranger, self.failures)
    }

    pub(super) fn owes_answer(&self) -> bool {
        self.question.as_ref().is_some_and(|question| !question.is_overdue)
    }

    /// How long it may take to answer: twice as long for each question that it did not answer, so that an answer which
    /// is long under way comes in time in the end.
    pub(super) fn overdue_at(&self, question: &Question, patience: Duration) -> Time {
        question.at + patience.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX))
    }

    pub(super) fn fail(&mut self, at: Time) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = at;
    }

    /// Counts a question whose time is up as failed, and forgives failures of long ago.
    pub(super) fn look(&mut self, now: Time, patience: Duration) {
        if self.question.is_none() && self.failures == 0 {
            return;
        }
        if let Some(question) = self.question.as_ref().filter(|question| !question.is_overdue) {
            let is_overdue = self.overdue_at(question, patience) <= now
                || question.tellings >= TELLINGS_MAX << self.failures.min(DOUBLINGS_MAX);
            if is_overdue {
                let at = question.at;
                self.fail(at);
                self.question.as_mut().expect("it is there").is_overdue = true;
            }
        }
        if !self.owes_answer() && now - self.failed_at >= patience.saturating_mul(REMEMBERED) {
            self.failures = 0;
            self.question = None;
        }
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.told.is_none() && self.question.is_none() && self.failures == 0
    }
}
