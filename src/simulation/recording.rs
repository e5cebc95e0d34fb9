//! Noting how a block comes to all nodes, while it is carried message by message.
//!
//! Where neither [ways](super::ways) nor a [rehearsal](super::rehearsal) tell how a block spreads, the first of its
//! finder and its size is carried, and what that comes to is noted, unless anything else happens before all have come to
//! rest. So it is with compact blocks, with pushed ones whose time depends on their sizes, and with announced ones where
//! links have bandwidths of their own, lead one way or take no time, or a node might ask twice.

use std::time::Duration;

use super::{
    carry::Surroundings,
    nodes::Nodes,
    records::{Kind, Spread},
    replays::Found,
};
use crate::{event::Happening, message::MessageKind, report::Messages, time::Time};

/// A block on its way, and what has been noted of it.
#[derive(Debug)]
pub(super) struct Recording {
    kind: Kind,
    request_bytes: u64,
    start: Time,
    /// What had become of messages when it was found.
    before: Messages,
    /// After what time each node took it on.
    accepted: Vec<Duration>,
    /// How many messages have asked for it.
    requests: u64,
}

impl Recording {
    pub(super) fn begin(found: &Found, start: Time, before: Messages) -> Self {
        let Found { kind, request_bytes, .. } = *found;
        let (accepted, requests) = (Vec::new(), 0);
        Self { kind, request_bytes, start, before, accepted, requests }
    }

    /// Notes what happens to a node; tells whether it is of the block.
    pub(super) fn note(&mut self, now: Time, what: &Happening) -> bool {
        let is_of_block = matches!(what, Happening::Accepted { .. });
        if is_of_block {
            self.accepted.push(now - self.start);
        }
        is_of_block
    }

    /// Notes that a block is asked for.
    pub(super) fn note_request(&mut self) {
        self.requests += 1;
    }

    /// What was noted, if every message has come by a moment, the last then.
    fn spread(self, last: Time, after: &Messages) -> Option<Spread> {
        let Self { request_bytes, start, before, accepted, requests, .. } = self;
        let of_blocks =
            |messages: &Messages| messages.kinds.get(&MessageKind::Blocks).copied().unwrap_or_default();
        let messages = of_blocks(after).messages - of_blocks(&before).messages;
        let bytes = of_blocks(after).bytes - of_blocks(&before).bytes - requests * request_bytes;
        let are_all_told =
            after.sent - before.sent == messages && after.delivered - before.delivered == messages;
        are_all_told.then(|| Spread { accepted, last: last - start, messages, requests, bytes: Some(bytes) })
    }
}

impl Surroundings {
    /// Ends the recording of a block before something else happens at a time, and keeps it if all nodes have come to rest
    /// on the block. It is the moment of the last thing in the queue that was of it.
    #[inline]
    pub(super) fn end_recording(&mut self, nodes: &Nodes, before: Time) {
        if let Some(recording) = self.replays.recording.take() {
            self.keep_recording(nodes, recording, before);
        }
    }

    #[cold]
    fn keep_recording(&mut self, nodes: &Nodes, recording: Recording, before: Time) {
        let are_at_rest = recording.accepted.len() + 1 == nodes.count()
            && nodes.are_together()
            && nodes.rest()
            && self.queue.is_empty();
        let (kind, last) = (recording.kind, self.last_unqueued().unwrap_or(self.now).max(self.now));
        if are_at_rest && let Some(spread) = recording.spread(last, &self.counted_by(before)) {
            self.replays.records.keep(kind, spread, &mut self.recorder);
        }
    }
}
