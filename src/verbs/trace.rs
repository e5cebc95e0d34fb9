//! What is told of a message that is traced, whatever drives the nodes.

use crate::{
    event::{Happening, LossCause, Passage},
    message::{Message, NodeId},
    time::Time,
    wire::MessageLoss,
};

/// What is to be told of a message once it has arrived or was lost: nothing, unless it is traced.
#[derive(Debug, Default)]
#[must_use = "a message that is traced is told of, whatever becomes of it"]
pub(crate) struct Trace(Option<Box<Passage>>);

impl Trace {
    pub(crate) fn of(message: &Message, from: NodeId, sent: Time) -> Self {
        Self(Some(Box::new(Passage::of(message, from, sent))))
    }

    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// What happened to its receiver now that it has arrived.
    pub(crate) fn arrived(self) -> Option<Happening> {
        self.0.map(|passage| Happening::Message(*passage))
    }

    /// What happened to its receiver now that it is lost.
    pub(crate) fn lost(self, cause: impl Into<LossCause>) -> Option<Happening> {
        self.0.map(|passage| Happening::Message(Passage { lost: Some(cause.into()), ..*passage }))
    }
}

impl From<MessageLoss> for LossCause {
    fn from(loss: MessageLoss) -> Self {
        match loss {
            MessageLoss::Loss => Self::Link,
            MessageLoss::Partition => Self::Partition,
            MessageLoss::Verdict => Self::Judge,
            MessageLoss::Crash => Self::Crash,
        }
    }
}
