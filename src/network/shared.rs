//! What all threads of a network share: the nodes, the links, and who watches.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    clock::Clock,
    counters::MessageCounters,
    delivery::{self, Locked},
    mailbox::{Control, Member, Reception},
    nodes::Nodes,
    question::{Question, Reply, ReplyChannels},
    watch::Watch,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command},
    event::{Event, Happening, LossCause},
    message::{Message, NodeId},
    node::{Limits, NodeConfig},
    rules::Rules,
    time::Time,
    verbs::{
        NodeError, closure,
        state::{Check, State},
        trace::Trace,
        traffic::{Offer, UnderWay},
    },
    wire::Room,
};

/// Locks are taken in this order: a member's thread, `starting`, the links, the recorder, the nodes. The thread of a member
/// that nobody knows of yet is locked under `starting`.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Arc<Rules>,
    pub(super) genesis: OnceLock<Blockchain>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    /// What an inbox has for each sender.
    pub(super) inbox_room: Room,
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
        NodeConfig { id: member.id, rules, address, limits: self.limits, behaviour: member.behaviour.clone() }
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

    /// Sends a command to a node's thread.
    pub(super) fn command(&self, node: NodeId, command: Command) -> Result<Question<'_>, NodeError> {
        let check = State::check_of(&command);
        self.ask(node, check, |reply| Control::Command(command, reply))
    }

    /// Sends a command to a node's thread, and waits for the answer; has it given at the deadline if it is not there.
    pub(super) fn answer_by(
        &self,
        node: NodeId,
        command: Command,
        deadline: Instant,
    ) -> Result<Answer, NodeError> {
        let (question, reply) = Question::new(&self.reply_channels);
        let same = reply.clone();
        self.tell(node, State::check_of(&command), Control::Command(command, reply))?;
        if !question.has_answer_by(deadline) {
            // One that is down by now has answered.
            let _ = self.tell(node, State::check_up, Control::GiveUp(same));
        }
        question.answer()
    }

    /// Sends a message from one node to another, as their link lets it.
    pub(super) fn send(&self, from: NodeId, to: NodeId, message: Message) {
        if !self.delivery.has_conditions() {
            let size = message.size();
            self.counters.sent(from, message.kind(), size);
            return self.deliver((from, to), message, size, Trace::default());
        }
        // To add up bare blocks takes its time, in which nobody else must wait.
        let size = message.measured();
        let mut links = self.delivery.traffic();
        let (kind, load) = (message.kind(), links.load(size));
        // Its time on the link begins no earlier than it is told to have been sent.
        let trace = links.trace(&message, from, || self.time_of(from));
        let (now, may_arrive) = (self.delivery.now(), links.has_nothing_queued());
        let offer = links.send(now, (from, to), message, load, may_arrive, trace);
        // What a judge panics at was not sent.
        self.counters.sent(from, kind, load.bytes);
        self.carry_out(&mut links, (from, to), load.own_bytes, offer);
    }

    /// Lets a message arrive that was under way and is due.
    pub(super) fn arrive(&self, message: UnderWay) {
        let (ends, bytes) = ((message.from, message.to), message.bytes);
        let mut links = self.delivery.traffic();
        let offer = links.arrive(message);
        self.carry_out(&mut links, ends, bytes, offer);
        links.brought();
    }

    fn carry_out(&self, links: &mut Locked<'_>, (from, to): (NodeId, NodeId), bytes: u64, offer: Offer) {
        match offer {
            Offer::Arrived(message, trace) => self.deliver((from, to), message, bytes, trace),
            Offer::Later(message) => links.queue(message),
            Offer::Held => {}
            Offer::TooMuch(trace) => {
                self.counters.dropped(from);
                self.tell_of_passage(to, trace.lost(LossCause::Full));
                self.happened(to, Happening::Dropped { from });
            }
            Offer::Lost(loss, trace) => {
                self.counters.lost(from, loss);
                self.tell_of_passage(to, trace.lost(loss));
            }
        }
    }

    /// Puts a message into its receiver's inbox. One that is down reads no messages: they are gone, as with a real one.
    ///
    /// It is counted as delivered before it lies there, which is taken back if it does not: its receiver acts on it at once,
    /// and whoever sees what comes of it, or is told of it, must find it counted.
    fn deliver(&self, (from, to): (NodeId, NodeId), message: Message, bytes: u64, trace: Trace) {
        let inbox = self.nodes.look(|table| table.inbox(to).cloned());
        let deliver = || {
            self.counters.delivered(from);
            let reception = inbox.map_or(Reception::Missed, |inbox| inbox.deliver(from, message, bytes));
            if reception != Reception::Delivered {
                self.counters.not_delivered(from);
            }
            match reception {
                Reception::Delivered => {}
                Reception::Dropped => self.counters.dropped(from),
                Reception::Missed => self.counters.missed(from),
            }
            reception
        };
        let reception = if trace.is_some() {
            let time = self.time_of(to);
            self.watch.trace(|| {
                let reception = deliver();
                let passage = match reception {
                    Reception::Delivered => trace.arrived(),
                    Reception::Dropped => trace.lost(LossCause::Full),
                    Reception::Missed => trace.lost(LossCause::Down),
                };
                (passage.map(|what| Event { time, node: to, what }), reception)
            })
        } else {
            deliver()
        };
        if reception == Reception::Dropped {
            self.happened(to, Happening::Dropped { from });
        }
    }

    fn tell_of_passage(&self, to: NodeId, passage: Option<Happening>) {
        passage.into_iter().for_each(|what| self.happened(to, what));
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
}
