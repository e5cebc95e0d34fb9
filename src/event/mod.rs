//! What happened, for whoever watches; and as lines of JSON, out and in.

mod happening;
mod lines;
mod passage;
mod text;

use serde::{Deserialize, Serialize};

pub use happening::{Happening, IgnoreReason};
pub use lines::{EventReader, EventWriter, ReadEventError};
pub use passage::{LossCause, MessageName, Passage};

use crate::{message::NodeId, time::Time};

/// Something that happened at a node.
///
/// A node's events come in the order in which they happened, and before those that others have because of them: a block
/// is mined before it is accepted. What one message, command, proof or deadline brings about at a node has one time, and
/// this order:
///
/// - of a chain that it takes on, [`Mined`](Happening::Mined) or [`Accepted`](Happening::Accepted);
///   [`Reorganised`](Happening::Reorganised), if it gives up blocks for it; [`Lost`](Happening::Lost) for each transaction
///   that can no longer be pending; [`MiningEnded`](Happening::MiningEnded), if it mines and no block can follow; and
///   [`Resolved`](Happening::Resolved), if it had asked its peers for it. After that, each block that waited for this one,
///   in the same way.
/// - of what breaks a rule, [`Rejected`](Happening::Rejected) or [`RejectedDocument`](Happening::RejectedDocument);
///   [`Banned`](Happening::Banned), if that was one too many; and [`Resolved`](Happening::Resolved), if no other answer
///   is waited for.
/// - of its end, [`Crashed`](Happening::Crashed) or [`Panicked`](Happening::Panicked), and of its return
///   [`Restarted`](Happening::Restarted): then [`Lost`](Happening::Lost) for each transaction that is gone with it.
/// - of a cut through the network, [`Partitioned`](Happening::Partitioned) at all nodes and puppets, and of its end
///   [`Healed`](Happening::Healed), by their numbers: after it has begun, so that what it brings about may come before.
///
/// Where messages are [traced](crate::NetworkOf::set_tracing), a [`Message`](Happening::Message) comes before all that it
/// brings about.
///
/// ```
/// use chainlab::{Event, Happening, NodeId, Time};
///
/// let event = Event { time: Time::from_secs(5), node: NodeId::new(0), what: Happening::Crashed };
/// let text = serde_json::to_string(&event)?;
/// assert_eq!(text, r#"{"time_ns":5000000000,"node":0,"what":"crashed"}"#);
/// assert_eq!(serde_json::from_str::<Event>(&text)?, event);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it happened, by the node's clock.
    #[serde(rename = "time_ns")]
    pub time: Time,
    /// Where it happened.
    pub node: NodeId,
    /// What happened.
    pub what: Happening,
}
