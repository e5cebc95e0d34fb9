//! What all threads of a network share.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::{
    carrier::Carrier,
    clock::Clock,
    error::NodeError,
    member::{Delivery, Member},
    question::ReplyChannels,
    settle::Standings,
    watch::Watch,
};
use crate::{
    event::{Event, Happening},
    message::{Message, NodeId},
    node::Limits,
    rules::Rules,
};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Arc<Rules>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) unread_max: u32,
    pub(super) under_way_max: u32,
    pub(super) seed: u64,
    /// Held while a node or a puppet is added or restarted, so that no shutdown misses its thread. It is taken before
    /// all other locks.
    pub(super) starting: Mutex<()>,
    pub(super) members: RwLock<Members>,
    pub(super) standings: Standings,
    pub(super) carrier: Carrier,
    pub(super) watch: Watch,
    pub(super) reply_channels: ReplyChannels,
}

#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) list: Vec<Arc<Member>>,
    pub(super) is_shut_down: bool,
}

impl Shared {
    pub(super) fn member(&self, node: NodeId) -> Result<Arc<Member>, NodeError> {
        let members = self.members.read();
        let nodes = members.list.len();
        members.list.get(node.index()).cloned().ok_or(NodeError::Unknown { node, nodes })
    }

    /// Puts a message into its receiver's inbox.
    pub(super) fn deliver(&self, from: NodeId, to: NodeId, message: Message) {
        let delivery = self.members.read().list.get(to.index()).map(|member| member.deliver(from, message));
        match delivery {
            Some(Delivery::Delivered) => self.watch.messages().delivered(from),
            Some(Delivery::Dropped) => self.drop_message(from, to),
            Some(Delivery::Missed) | None => self.watch.messages().missed(from),
        }
    }

    /// Counts a message that is one too many, under way or unread.
    pub(super) fn drop_message(&self, from: NodeId, to: NodeId) {
        self.watch.messages().dropped(from);
        self.happened(to, Happening::Dropped { from });
    }

    /// Records what the driver did to a node.
    pub(super) fn happened(&self, node: NodeId, what: Happening) {
        self.record(Event { time: self.clock.now(node), node, what });
    }

    pub(super) fn record(&self, event: Event) {
        self.watch.record(event);
    }
}
