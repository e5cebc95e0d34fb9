//! What all threads of a network share.

use std::sync::Arc;

use parking_lot::RwLock;

use super::{
    clock::Clock,
    error::NodeError,
    member::{Delivery, Member},
    watch::Watch,
};
use crate::{
    event::Event,
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
    pub(super) members: RwLock<Members>,
    pub(super) watch: Watch,
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

    /// Carries a message from one node to another.
    pub(super) fn send(&self, from: NodeId, to: NodeId, message: Message) {
        let messages = self.watch.messages();
        messages.sent(from);
        let delivery = self.members.read().list.get(to.index()).map(|member| member.deliver(from, message));
        match delivery {
            Some(Delivery::Delivered) => messages.delivered(from),
            Some(Delivery::Dropped) => messages.dropped(from),
            Some(Delivery::Missed) | None => messages.missed(from),
        }
    }

    pub(super) fn record(&self, event: Event) {
        self.watch.record(event);
    }
}
