//! How messages come from node to node: each by itself, or blocks in floods.

use std::sync::Arc;

use super::{
    carry::Surroundings,
    flood::Spelled,
    floods::{Floods, OneByOne},
    flow::Flow,
    queue::{Arrival, turn},
    under_way::ends_of,
};
use crate::{
    blockchain::Blockchain,
    event::{Happening, LossCause},
    message::{Message, MessageKind, NodeId, Told},
    report::{Messages, Volume},
    time::Time,
    verbs::{
        state::State,
        trace::Trace,
        traffic::{Offer, UnderWay},
    },
    wire::{Load, is_packet},
};

impl Surroundings {
    pub(super) fn relay(&mut self, node: NodeId, except: Option<NodeId>, message: &Message) {
        let load = self.traffic.load(message.measured());
        let others = self.peers[node.index()].iter().filter(|peer| Some(**peer) != except).count();
        // Whoever judges one by one may panic in between.
        let is_judged = self.traffic.is_judged();
        if !is_judged {
            self.count_sent(message.kind(), load, others as u64);
        }
        let is_kept_once = others > 1 && !is_judged && !self.traffic.is_traced() && load.is_light();
        let slot = is_kept_once.then(|| {
            let sent = self.traffic.links().epoch();
            self.traffic.fetch_lanes(node, &self.peers[node.index()]);
            self.under_way.begin_relay(message.clone(), sent, load.own_bytes, others)
        });
        for place in 0..self.peers[node.index()].len() {
            let to = self.peers[node.index()][place];
            if Some(to) != except {
                match slot {
                    Some(slot) => self.relay_to(node, to, slot, load),
                    None if is_judged => self.send_with_load(node, to, message.clone(), load),
                    None => self.put_on_link(node, to, message.clone(), load),
                }
            }
        }
        slot.into_iter().for_each(|slot| self.under_way.end_relay(slot));
    }

    /// Has a message that is kept in a slot go its way to one of its receivers.
    #[inline]
    fn relay_to(&mut self, from: NodeId, to: NodeId, slot: u32, load: Load) {
        self.note_download(from, to);
        match self.traffic.relay(self.now, (from, to), load) {
            Ok((at, lane)) => {
                let count = self.next_count(from);
                self.under_way.add_receiver(slot, count, lane);
                let [from, to] = [from, to].map(|node| node.index() as u32);
                self.queue.push(Arrival { at, to, from, count, slot });
                self.look_at_room(lane);
            }
            Err(refusal) => self.accept(from, to, refusal.with(Trace::default())),
        }
    }

    #[inline]
    pub(super) fn relay_block(&mut self, node: NodeId, except: Option<NodeId>, chain: &Blockchain) {
        if self.flows() {
            let count = &mut self.sent[node.index()];
            let ways = (self.hint, [].as_slice());
            let relayed = self.floods.relay(self.now, (node, except), chain, ways, &mut self.queue, count);
            match relayed {
                Ok(Volume { messages, bytes }) => {
                    self.unqueued.messages += messages;
                    self.unqueued.bytes += bytes;
                    return;
                }
                Err(OneByOne::NoRoom) => self.spell_out(),
                Err(OneByOne::ToldBefore) => {}
            }
        }
        self.relay(node, except, &Message::NewBlock(Told::Chain(chain.clone())));
    }

    /// Before anything changes that blocks flow by: from now on each that is under way is a message by itself.
    pub(super) fn spell_out(&mut self) {
        self.flow = Flow::Unknown;
        self.end_downloads();
        for (message, chain) in self.floods.spell_out(self.turn, &mut self.queue) {
            let Spelled { from, to, sent, due, count } = message;
            self.bring_back((from, to), (sent, due), count, Message::news(&chain, self.rules.relay));
        }
    }

    /// When the last message comes that is under way and not in the queue.
    pub(super) fn last_unqueued(&self) -> Option<Time> {
        self.floods.last(self.now)
    }

    /// Puts a message into the queue that was sent at a time and is under way, though it was not in the queue so far; `read`
    /// is when its receiver has looked at it.
    fn bring_back(
        &mut self,
        (from, to): (NodeId, NodeId),
        (sent, read): (Time, Time),
        count: u32,
        message: Message,
    ) {
        self.brought_back += 1;
        let [sender, receiver] = [from, to].map(|node| node.index() as u32);
        // What was sent just now, and takes no time, has not had its turn either.
        let is_to_come =
            |at| turn(at, receiver, sender, count) > self.turn || (at, sent) == (self.now, self.now);
        let message = self.traffic.put_under_way((from, to), read, message, is_to_come);
        let at = message.due;
        let slot = self.under_way.put(message);
        self.queue.push(Arrival { at, to: receiver, from: sender, count, slot });
    }

    /// A block has come to a node in vain: the next message that brings it matters, too.
    #[cold]
    pub(super) fn came_in_vain(&mut self, number: u32, node: NodeId, chain: &Blockchain) {
        self.floods.was_in_vain(self.now, (number, chain), node, &mut self.queue);
    }

    /// Returns what became of the messages until now; those that come at this very moment have come.
    pub(super) fn counted(&self) -> Messages {
        self.counted_by(self.now)
    }

    /// Returns what will have become of the messages at a moment, if nothing else comes until then.
    pub(super) fn counted_by(&self, moment: Time) -> Messages {
        let by_themselves = self.queue.due(moment).filter(|arrival| !Floods::is_of_flood(arrival));
        let has_come = |arrival: &&Arrival| self.under_way.has_come(arrival, moment);
        let due = by_themselves.filter(has_come).count() as u64;
        let Volume { messages: unqueued, bytes } = self.unqueued;
        let mut counted = self.messages.clone();
        let not_in_queue = self.floods.under_way(moment) + self.downloads.under_way(moment);
        counted.delivered += due + unqueued - self.brought_back - not_in_queue;
        if unqueued > 0 {
            counted.sent += unqueued;
            let volume = counted.kinds.entry(MessageKind::Blocks).or_default();
            volume.messages += unqueued;
            volume.bytes += bytes;
        }
        counted
    }

    /// Sends a message.
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let load = self.traffic.load(message.measured());
        self.send_with_load(from, to, message, load);
    }

    /// Sends a message that takes so much on the wire.
    pub(super) fn send_with_load(&mut self, from: NodeId, to: NodeId, message: Message, load: Load) {
        if let Some(recording) = &mut self.replays.recording
            && matches!(message, Message::BlocksRequest { .. })
        {
            recording.note_request();
        }
        let kind = message.kind();
        self.put_on_link(from, to, message, load);
        // What a judge panics at was not sent.
        self.count_sent(kind, load, 1);
    }

    /// Counts a message that is sent so many times.
    fn count_sent(&mut self, kind: MessageKind, load: Load, times: u64) {
        if times == 0 {
            return;
        }
        self.messages.sent += times;
        let volume = self.messages.kinds.entry(kind).or_default();
        volume.messages += times;
        volume.bytes += times * load.bytes;
    }

    /// Has a message that is sent go its way.
    #[inline]
    fn put_on_link(&mut self, from: NodeId, to: NodeId, message: Message, load: Load) {
        self.note_download(from, to);
        let trace = self.traffic.trace(&message, from, || self.now);
        let offer = self.traffic.send(self.now, (from, to), message, load, false, trace);
        let mut lane = None;
        if let Offer::Later(message) = &offer {
            lane = Some(message.lane);
            if !is_packet(load.bytes) {
                self.downloads.keep_busy(from, message.due);
            }
        }
        self.accept(from, to, offer);
        lane.into_iter().for_each(|lane| self.look_at_room(lane));
    }

    /// Before a message is sent: it does not overtake what a download stands for on its link.
    #[inline]
    fn note_download(&mut self, from: NodeId, to: NodeId) {
        if self.downloads.count > 0
            && let Some(at) = self.downloads.on_link(from, to)
        {
            self.traffic.note_arrival((from, to), at);
        }
    }

    /// Has blocks flow no more when a message was put on a lane of which half is taken up.
    #[inline]
    fn look_at_room(&mut self, lane: u32) {
        if self.traffic.is_half_full(Some(lane)) && (matches!(self.flow, Flow::Free) || self.downloads.are_on)
        {
            self.spell_out();
        }
    }

    /// Brings a relayed message to its receiver, if nothing has come in its way; returns it.
    #[inline]
    pub(super) fn arrive_relayed(&mut self, arrival: &Arrival) -> Option<Arc<Message>> {
        let message = self.under_way.relayed(arrival)?;
        let has_arrived = self.states[arrival.to as usize].is_live()
            && self.traffic.arrive_relayed(ends_of(arrival), message);
        has_arrived.then(|| {
            self.messages.delivered += 1;
            self.under_way.take_relayed(arrival)
        })
    }

    /// Brings a message to its receiver; returns it if the receiver reads it now. One that is still to be looked at keeps its
    /// number among its sender's.
    pub(super) fn arrive(&mut self, arrival: Arrival) -> Option<(NodeId, NodeId, Message)> {
        let message = self.under_way.take(&arrival);
        let (from, to, bytes) = (message.from, message.to, message.bytes);
        match self.traffic.arrive(message) {
            Offer::Arrived(message, trace) => return self.deliver((from, to), message, bytes, trace),
            Offer::Later(message) => self.bring(message, arrival.count),
            offer => self.accept(from, to, offer),
        }
        None
    }

    fn accept(&mut self, from: NodeId, to: NodeId, offer: Offer) {
        match offer {
            Offer::Later(message) => self.bring_later(message),
            Offer::TooMuch(trace) => self.drop_message(from, to, trace),
            Offer::Lost(loss, trace) => {
                *self.messages.lost.entry(loss).or_insert(0) += 1;
                self.record_passage(to, trace.lost(loss));
            }
            Offer::Held => {}
            Offer::Arrived(..) => unreachable!("what is due at once waits for its turn as well"),
        }
    }

    /// The number of the next message that a node sends, among its own.
    pub(super) fn next_count(&mut self, node: NodeId) -> u32 {
        let count = &mut self.sent[node.index()];
        *count = count.wrapping_add(1);
        *count
    }

    /// Has a message that was sent just now come when it is due.
    pub(super) fn bring_later(&mut self, message: UnderWay) {
        let count = self.next_count(message.from);
        self.bring(message, count);
    }

    /// Has the message of a number among its sender's come when it is due.
    pub(super) fn bring(&mut self, message: UnderWay, count: u32) {
        let (at, to, from) = (message.due, message.to.index() as u32, message.from.index() as u32);
        let slot = self.under_way.put(message);
        self.queue.push(Arrival { at, to, from, count, slot });
    }

    fn deliver(
        &mut self,
        (from, to): (NodeId, NodeId),
        message: Message,
        bytes: u64,
        trace: Trace,
    ) -> Option<(NodeId, NodeId, Message)> {
        match self.states.get(to.index()) {
            Some(State::Live) => {
                self.messages.delivered += 1;
                self.record_passage(to, trace.arrived());
                return Some((from, to, message));
            }
            Some(State::Paused | State::Puppet) => {
                if self.unread[to.index()].put(from, message, bytes, self.inbox_room) {
                    self.messages.delivered += 1;
                    self.record_passage(to, trace.arrived());
                } else {
                    self.drop_message(from, to, trace);
                }
            }
            Some(State::Down { .. }) | None => {
                self.messages.missed += 1;
                self.record_passage(to, trace.lost(LossCause::Down));
            }
        }
        None
    }

    fn drop_message(&mut self, from: NodeId, to: NodeId, trace: Trace) {
        self.messages.dropped += 1;
        self.record_passage(to, trace.lost(LossCause::Full));
        self.record(to, Happening::Dropped { from });
    }

    /// Records what became of a message to a node, if it is traced.
    fn record_passage(&mut self, to: NodeId, passage: Option<Happening>) {
        passage.into_iter().for_each(|what| self.record(to, what));
    }

    /// Takes out the first message that has come to a node while it did not read.
    pub(super) fn read(&mut self, node: NodeId) -> Option<(NodeId, Message)> {
        self.unread[node.index()].take()
    }
}
