//! What has come to one that does not read.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    message::{Message, NodeId},
    wire::{Room, Waiting},
};

/// The messages that have come to a node or a puppet and were not read, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unread {
    messages: VecDeque<(NodeId, Message, u64)>,
    /// What there is of each sender of whom there is any.
    waiting: BTreeMap<NodeId, Waiting>,
}

impl Unread {
    /// Keeps a message of so many bytes if there is room for it; tells whether there was.
    pub(super) fn put(&mut self, from: NodeId, message: Message, bytes: u64, room: Room) -> bool {
        let mut waiting = self.waiting.get(&from).copied().unwrap_or_default();
        let fits = waiting.leaves_room(bytes, room);
        if fits {
            waiting.add(bytes);
            self.waiting.insert(from, waiting);
            self.messages.push_back((from, message, bytes));
        }
        fits
    }

    /// Takes out the oldest message.
    pub(super) fn take(&mut self) -> Option<(NodeId, Message)> {
        let (from, message, bytes) = self.messages.pop_front()?;
        let waiting = self.waiting.get_mut(&from).expect("what is kept was counted");
        waiting.remove(bytes);
        if waiting.messages == 0 {
            self.waiting.remove(&from);
        }
        Some((from, message))
    }
}
