//! A question to a node's thread, and the channel that brings the answer.

use std::time::Instant;

use crossbeam_channel::{Receiver, Select, Sender, bounded};
use parking_lot::Mutex;

use super::spin::spin_until;
use crate::{command::Answer, verbs::NodeError};

/// The channel of one question at a time.
type Channel = (Sender<Replied>, Receiver<Replied>);

/// An answer, or why there is none; and the sender that it came by, so that only one thread at a time counts
/// the channel's senders.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) answer: Result<Answer, NodeError>,
    sender: Sender<Self>,
}

/// The channels of questions that have been answered, for the next ones: to make a channel on one thread and free it
/// on another takes longer than all the rest of a question.
#[derive(Debug, Default)]
pub(super) struct ReplyChannels(Mutex<Vec<Channel>>);

impl ReplyChannels {
    /// How many are kept: more threads seldom ask at once.
    const KEPT: usize = 64;

    fn take(&self) -> Channel {
        let kept = self.0.lock().pop();
        kept.unwrap_or_else(|| bounded(1))
    }

    fn put_back(&self, channel: Channel) {
        let mut kept = self.0.lock();
        if kept.len() < Self::KEPT {
            kept.push(channel);
        }
    }
}

/// A command that a node was told, and will answer.
#[derive(Debug)]
pub(super) struct Question<'a> {
    channels: &'a ReplyChannels,
    receiver: Receiver<Replied>,
}

impl<'a> Question<'a> {
    /// Makes a question, and what is to go to a node's thread for the answer.
    pub(super) fn new(channels: &'a ReplyChannels) -> (Self, Reply) {
        let (sender, receiver) = channels.take();
        (Self { channels, receiver }, Reply(sender))
    }

    /// Tells whether the answer is there.
    pub(super) fn has_answer(&self) -> bool {
        !self.receiver.is_empty()
    }

    /// Waits until the answer is there, but not beyond a deadline.
    pub(super) fn has_answer_by(&self, deadline: Instant) -> bool {
        let mut select = Select::new();
        select.recv(&self.receiver);
        select.ready_deadline(deadline).is_ok()
    }

    /// Waits for the answer.
    pub(super) fn answer(self) -> Result<Answer, NodeError> {
        spin_until(|| self.has_answer());
        let Replied { answer, sender } = self
            .receiver
            .recv()
            .expect("a node's thread answers all that it was told, when it ends at the latest");
        self.channels.put_back((sender, self.receiver));
        answer
    }
}

/// The other end of a [`Question`]. A clone tells which question it is.
#[derive(Debug, Clone)]
pub(super) struct Reply(Sender<Replied>);

impl Reply {
    /// Tells whether both are of one question.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Gives the answer, or tells why there will be none.
    pub(super) fn give(self, answer: Result<Answer, NodeError>) {
        let sender = self.0.clone();
        // Whoever asked may have given up.
        let _ = self.0.send(Replied { answer, sender });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message::NodeId, verbs::DownCause};

    #[test]
    fn a_channel_is_used_again_once_its_question_is_answered() {
        let channels = ReplyChannels::default();
        for _ in 0..3 {
            let (question, reply) = Question::new(&channels);
            assert_eq!(channels.0.lock().len(), 0);
            reply.give(Ok(Answer::StopMining));
            assert!(matches!(question.answer(), Ok(Answer::StopMining)));
            assert_eq!(channels.0.lock().len(), 1);
        }
    }

    #[test]
    fn whoever_asks_hears_why_there_is_no_answer() {
        let channels = ReplyChannels::default();
        let (question, reply) = Question::new(&channels);
        let down = NodeError::Down { node: NodeId::new(0), cause: DownCause::Crashed };
        reply.give(Err(down.clone()));
        assert_eq!(question.answer().expect_err("there is none"), down);
        // The next question does not get the last one's answer.
        let (question, reply) = Question::new(&channels);
        reply.give(Ok(Answer::StartMining));
        assert!(matches!(question.answer(), Ok(Answer::StartMining)));
    }

    #[test]
    fn a_late_answer_is_not_taken_for_that_of_another_question() {
        let channels = ReplyChannels::default();
        let (question, late) = Question::new(&channels);
        drop(question);
        let (question, reply) = Question::new(&channels);
        late.give(Ok(Answer::StopMining));
        reply.give(Ok(Answer::StartMining));
        assert!(matches!(question.answer(), Ok(Answer::StartMining)));
    }

    #[test]
    fn no_more_channels_are_kept_than_a_bound() {
        let channels = ReplyChannels::default();
        let asked: Vec<_> = (0..=ReplyChannels::KEPT).map(|_| Question::new(&channels)).collect();
        for (question, reply) in asked {
            reply.give(Ok(Answer::StopMining));
            assert!(question.answer().is_ok());
        }
        assert_eq!(channels.0.lock().len(), ReplyChannels::KEPT);
    }
}
