//! What comes of an input.

use super::SearchId;
use crate::{
    blockchain::Locators,
    command::{Answer, Ticket},
    event::Happening,
    message::{Message, NodeId},
    pow::Target,
    time::Time,
};

/// What comes of the inputs of a node: what has happened to it, and what its driver is to do.
///
/// A driver records what has happened before it does anything: whoever is answered or told then finds it recorded.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// What has happened, in order.
    pub happened: Vec<Happening>,
    /// What is to be done, in order.
    pub to_do: Vec<Effect>,
    /// What the last questions have named.
    pub(crate) locators: Locators,
}

impl Effects {
    /// Forgets what has happened, and what is to be done.
    pub fn clear(&mut self) {
        self.happened.clear();
        self.to_do.clear();
    }

    pub(super) fn happened(&mut self, what: Happening) {
        self.happened.push(what);
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.to_do.push(effect);
    }
}

/// What a node has its driver do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Say something to another node.
    Send(NodeId, Message),
    /// Say something to all peers except one.
    Relay {
        /// Who need not hear it.
        except: Option<NodeId>,
        /// What to say.
        message: Message,
    },
    /// Search for a proof that meets a target, instead of what was searched for before. What the proof is sought for,
    /// [`Node::template`](super::Node::template) tells.
    Search(SearchId, Target),
    /// Search no more.
    StopSearch,
    /// Wake the node at a time, instead of the time asked for before; or not at all.
    WakeAt(Option<Time>),
    /// Answer a command.
    Answer(Ticket, Answer),
}
