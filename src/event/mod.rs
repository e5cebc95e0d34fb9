//! What happened, for whoever watches; and as lines of JSON, out and in.

mod happening;
mod lines;
mod text;

use serde::{Deserialize, Serialize};

pub use happening::{Happening, IgnoreReason};
pub use lines::{EventReader, EventWriter, ReadEventError};

use crate::{message::NodeId, time::Time};

/// Something that happened at a node.
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
