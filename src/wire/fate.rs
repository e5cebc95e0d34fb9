//! What becomes of a message: what its link decides, and what others do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Time;

/// What a caller decides on one message, before its link is asked.
///
/// A driver asks its user's closure, which may look at the message, and hands the answer to
/// [`Links::send_with`](super::Links::send_with).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// The link decides.
    #[default]
    Pass,
    /// The message arrives so much later, whatever the link's latency, bandwidth, loss and order; it neither waits for
    /// other messages nor do others wait for it. A partition cuts it and a hold holds it all the same.
    Delay(Duration),
    /// The message is lost.
    Drop,
}

/// What becomes of a message that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives at that time, if [`Links::arrival`](super::Links::arrival) then lets it.
    Deliver(Time),
    /// It is lost.
    Lost(MessageLoss),
}

/// Whether a message that is due, or was released, has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is delivered now.
    Arrived,
    /// It waits until its link is released, behind those that wait already.
    Held,
    /// It was lost on the way.
    Lost(MessageLoss),
}

/// Why a message was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageLoss {
    /// By chance, as its link loses messages.
    Loss,
    /// A partition separated its ends while it was sent or under way.
    Partition,
    /// A [`Verdict`] dropped it.
    Verdict,
    /// Its sender or its receiver crashed while it was under way.
    Crash,
}
