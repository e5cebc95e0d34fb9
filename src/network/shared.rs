//! What all threads of a network share: the nodes, the links, and who watches.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    clock::Clock,
    closure,
    counters::MessageCounters,
    delivery::{self, Locked},
    error::NodeError,
    links_up::{CameUp, told},
    mailbox::{Control, Member, Reception},
    nodes::Nodes,
    question::{Question, Reply, ReplyChannels},
    state::{Check, State},
    traffic::{Offer, UnderWay},
    watch::Watch,
};
use crate::{
    event::{Event, Happening},
    message::{Message, NodeId},
    node::{Limits, NodeConfig},
    rules::Rules,
    time::Time,
};

/// Locks are taken in this order: `starting`, a member's thread, the links, the recorder, the nodes.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Arc<Rules>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) unread_max: u32,
    pub(super) seed: u64,
    /// Held while a node or a puppet is added or restarted, so that no shutdown misses its thread.
    pub(super) starting: Mutex<()>,
    pub(super) nodes: Nodes,
    pub(super) delivery: delivery::Delivery,
    pub(super) watch: Watch,
    pub(super) counters: MessageCounters,
    pub(super) reply_channels: ReplyChannels,
}

impl Shared {
    /// Locks the starting of threads.
    pub(super) fn starting(&self) -> MutexGuard<'_, ()> {
        closure::assert_outside();
        self.starting.lock()
    }

    pub(super) fn member(&self, node: NodeId) -> Result<Arc<Member>, NodeError> {
        self.nodes.look(|table| table.member(node).cloned())
    }

    /// What a member's node is made of.
    pub(super) fn node_config(&self, member: &Member) -> NodeConfig {
        let (rules, address) = (Arc::clone(&self.rules), Arc::clone(&member.address));
        NodeConfig { id: member.id, rules, address, limits: self.limits }
    }

    pub(super) fn is_puppet(&self, node: NodeId) -> Result<bool, NodeError> {
        self.nodes.look(|table| Ok(table.row(node)?.state.is_puppet()))
    }

    /// Says something to a node's thread, if its state lets it. A thread answers all that is said to it, as nothing is
    /// said to a node that is known to be down.
    pub(super) fn tell(&self, node: NodeId, check: Check, control: Control) -> Result<(), NodeError> {
        closure::assert_outside();
        self.nodes.look(|table| {
            check(&table.row(node)?.state, node)?;
            let line = table.lines[node.index()].as_ref().expect("a node that is up has a line");
            line.control.send(control).expect("the thread of a node that is up reads");
            Ok(())
        })
    }

    /// Asks a node's thread. Many nodes are asked at once by waiting for the answers only afterwards.
    pub(super) fn ask(
        &self,
        node: NodeId,
        check: Check,
        control: impl FnOnce(Reply) -> Control,
    ) -> Result<Question<'_>, NodeError> {
        let (question, reply) = Question::new(&self.reply_channels);
        self.tell(node, check, control(reply))?;
        Ok(question)
    }

    /// Sends a message from one node to another, as their link lets it.
    pub(super) fn send(&self, from: NodeId, to: NodeId, message: Message) {
        // Bare blocks take their time, in which nobody else must wait.
        let size = message.size();
        self.counters.sent(from, message.kind(), size);
        if !self.delivery.has_conditions() {
            return self.deliver(from, to, message);
        }
        let mut links = self.delivery.traffic();
        let (now, may_arrive) = (self.delivery.now(), links.has_nothing_queued());
        let offer = links.send(now, (from, to), message, size, may_arrive);
        self.carry_out(&mut links, (from, to), offer);
    }

    /// Lets a message arrive that was under way and is due.
    pub(super) fn arrive(&self, message: UnderWay) {
        let ends = (message.from, message.to);
        let mut links = self.delivery.traffic();
        let offer = links.arrive(message);
        self.carry_out(&mut links, ends, offer);
        links.brought();
    }

    fn carry_out(&self, links: &mut Locked<'_>, (from, to): (NodeId, NodeId), offer: Offer) {
        match offer {
            Offer::Arrived(message) => self.deliver(from, to, message),
            Offer::Later(message) => links.queue(message),
            Offer::Held => {}
            Offer::TooMany => self.came(from, to, Reception::Dropped),
            Offer::Lost(loss) => self.counters.lost(from, loss),
        }
    }

    /// Puts a message into its receiver's inbox. One that is down reads no messages: they are gone, as with a real one.
    fn deliver(&self, from: NodeId, to: NodeId, message: Message) {
        let inbox = self.nodes.look(|table| table.inbox(to).cloned());
        let reception = inbox.map_or(Reception::Missed, |inbox| inbox.deliver(from, message));
        self.came(from, to, reception);
    }

    fn came(&self, from: NodeId, to: NodeId, reception: Reception) {
        self.counters.came(from, reception);
        if reception == Reception::Dropped {
            self.happened(to, Happening::Dropped { from });
        }
    }

    /// Records what the driver did to a node.
    pub(super) fn happened(&self, node: NodeId, what: Happening) {
        self.watch.record(&Event { time: self.time_of(node), node, what });
    }

    /// A node's time, for what others do to it; of one whose clock panics, that of its last input. The panic is its
    /// own, and not that of whoever sends to it.
    fn time_of(&self, node: NodeId) -> Time {
        let last = || self.member(node).map_or(Time::UNIX_EPOCH, |member| member.last_time());
        catch_unwind(AssertUnwindSafe(|| self.clock.now(node))).unwrap_or_else(|_| last())
    }

    /// Tells nodes that links have come up, and whoever waits that who reaches whom may have changed.
    pub(super) fn links_changed(&self, came_up: Option<CameUp>) {
        if let Some(came_up) = came_up {
            let links = self.delivery.traffic();
            let told = self.nodes.look(|table| told(&came_up, &table.rows, links.links()));
            drop(links);
            for (node, peers) in told {
                // One that is no longer live learns of its links when it goes on.
                let _ = self.tell(node, State::check_live, Control::LinksUp(peers));
            }
        }
        self.nodes.has_changed();
    }
}
