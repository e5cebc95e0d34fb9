//! A question to a node's thread, and the channel that brings the answer.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::{error::NodeError, member::Member, spin::spin_until};
use crate::command::Answer;

/// The channel of one question at a time.
type Channel = (Sender<Replied>, Receiver<Replied>);

/// An answer, or that there will be none; and the sender that it came by, so that only one thread at a time counts
/// the channel's senders.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) answer: Option<Answer>,
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
    member: Arc<Member>,
}

impl<'a> Question<'a> {
    /// Makes a question to a node, and what is to go to its thread for the answer.
    pub(super) fn new(member: Arc<Member>, channels: &'a ReplyChannels) -> (Self, Reply) {
        let (sender, receiver) = channels.take();
        (Self { channels, receiver, member }, Reply::to(sender))
    }

    /// Waits for the answer.
    pub(super) fn answer(self) -> Result<Answer, NodeError> {
        spin_until(|| !self.receiver.is_empty());
        let Replied { answer, sender } =
            self.receiver.recv().expect("a reply is given, even if it is dropped");
        self.channels.put_back((sender, self.receiver));
        answer.ok_or_else(|| self.member.why_silent())
    }
}

/// The other end of a [`Question`]. Dropped without an answer, it says that there will be none.
#[derive(Debug)]
pub(super) struct Reply(Option<Sender<Replied>>);

impl Reply {
    pub(super) fn to(sender: Sender<Replied>) -> Self {
        Self(Some(sender))
    }

    pub(super) fn answer(mut self, answer: Answer) {
        self.give(Some(answer));
    }

    /// Gives an answer, or word that there is none, unless it has been given.
    fn give(&mut self, answer: Option<Answer>) {
        if let Some(sender) = self.0.take() {
            // Whoever asked may have given up.
            let _ = sender.send(Replied { answer, sender: sender.clone() });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.give(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message::NodeId, network::error::DownCause};

    fn ask(channels: &ReplyChannels) -> (Question<'_>, Reply) {
        let (member, _mailbox) = Member::new(NodeId::new(0), "one".into(), "address".into(), 1, false);
        Question::new(Arc::new(member), channels)
    }

    #[test]
    fn a_channel_is_used_again_once_its_question_is_answered() {
        let channels = ReplyChannels::default();
        for _ in 0..3 {
            let (question, reply) = ask(&channels);
            assert_eq!(channels.0.lock().len(), 0);
            reply.answer(Answer::StopMining);
            assert!(matches!(question.answer(), Ok(Answer::StopMining)));
            assert_eq!(channels.0.lock().len(), 1);
        }
    }

    #[test]
    fn whoever_asks_hears_that_there_will_be_no_answer() {
        let channels = ReplyChannels::default();
        let (question, reply) = ask(&channels);
        drop(reply);
        let down = NodeError::Down { node: NodeId::new(0), cause: DownCause::ShutDown };
        assert_eq!(question.answer().expect_err("there is none"), down);
        // The next question does not get the last one's answer.
        let (question, reply) = ask(&channels);
        reply.answer(Answer::StartMining);
        assert!(matches!(question.answer(), Ok(Answer::StartMining)));
    }

    #[test]
    fn a_late_answer_is_not_taken_for_that_of_another_question() {
        let channels = ReplyChannels::default();
        let (question, late) = ask(&channels);
        drop(question);
        let (question, reply) = ask(&channels);
        late.answer(Answer::StopMining);
        reply.answer(Answer::StartMining);
        assert!(matches!(question.answer(), Ok(Answer::StartMining)));
    }

    #[test]
    fn no_more_channels_are_kept_than_a_bound() {
        let channels = ReplyChannels::default();
        let asked: Vec<_> = (0..=ReplyChannels::KEPT).map(|_| ask(&channels)).collect();
        for (question, reply) in asked {
            reply.answer(Answer::StopMining);
            assert!(question.answer().is_ok());
        }
        assert_eq!(channels.0.lock().len(), ReplyChannels::KEPT);
    }
}
