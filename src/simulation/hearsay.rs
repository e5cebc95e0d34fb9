//! Announcements that come to nothing.
//!
//! Of all peers that tell a node of a block by its hash, most tell it when it has the block, or has asked another for it.
//! Such a message changes nothing, or has its sender wait to be asked. So it is not put into the queue: it is noted beside
//! its receiver, which hears of it before it is next to do anything else. It is counted all the same, and is put into the
//! queue as soon as more might come of it.

use std::{hint, sync::Arc};

use super::{
    carry::Surroundings,
    lanes::Lanes,
    queue::{Arrival, Turn},
};
use crate::{
    hash::BlockHash,
    message::{Message, NodeId},
    node::{Input, Node, Regard},
    time::Time,
};

/// A block as announcements name it: its hash and its position.
pub(super) type Name = (BlockHash, u64);

/// The announcements that are not in the queue.
#[derive(Debug, Default)]
pub(super) struct Hearsay {
    /// The links, over which each of them takes the same time; none while all have to be in the queue.
    lanes: Option<Arc<Lanes>>,
    /// Until when something is under way that each node has sent, and that what it sends next may have to wait for.
    busy_until: Vec<Time>,
    /// By their numbers.
    listeners: Vec<Listener>,
}

/// The two blocks that a node was told of last: the next may be found while one is still told of.
#[derive(Debug, Default)]
struct Listener([Heard; 2]);

/// A block that a node was told of.
#[derive(Debug, Default)]
struct Heard {
    name: Option<Name>,
    /// What the node makes of being told again, since its last input.
    regard: Regard,
    /// When it is told again, and by whom.
    noted: Vec<Arrival>,
}

impl Hearsay {
    /// From now on announcements over these links need not be in the queue.
    pub(super) fn begin(&mut self, lanes: Arc<Lanes>, busy_until: Vec<Time>) {
        self.listeners.resize_with(lanes.nodes(), Listener::default);
        (self.lanes, self.busy_until) = (Some(lanes), busy_until);
    }

    /// From now on all announcements are in the queue; returns those that are not and have yet to come after a turn, each
    /// with its block.
    fn end(&mut self, turn: Turn) -> Vec<(Name, Arrival)> {
        let mut others = Vec::new();
        if self.lanes.take().is_some() {
            let all = self.listeners.iter_mut().flat_map(|listener| &mut listener.0);
            all.for_each(|heard| heard.take_out(|noted| noted.turn() > turn, &mut others));
        }
        others
    }

    /// Has what a node's next message reads fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, node: u32) {
        if let Some(lanes) = &self.lanes {
            lanes.fetch(node);
            self.listeners[node as usize].fetch();
        }
    }

    /// Notes that what a node sends may have to wait for something else until a moment.
    #[inline]
    pub(super) fn keep_busy(&mut self, node: NodeId, until: Time) {
        if let Some(busy) = self.busy_until.get_mut(node.index()) {
            *busy = until.max(*busy);
        }
    }

    /// Forgets what a node was told that has ended.
    pub(super) fn forget(&mut self, node: NodeId) {
        if let Some(listener) = self.listeners.get_mut(node.index()) {
            *listener = Listener::default();
        }
    }

    /// Returns how many have yet to come after a moment.
    pub(super) fn under_way(&self, moment: Time) -> u64 {
        self.noted().filter(|noted| noted.at > moment).count() as u64
    }

    /// When the last of them comes, if any is noted.
    pub(super) fn last(&self) -> Option<Time> {
        self.noted().map(|noted| noted.at).max()
    }

    fn noted(&self) -> impl Iterator<Item = &Arrival> {
        self.listeners.iter().flat_map(|listener| &listener.0).flat_map(|heard| &heard.noted)
    }

    /// Has a node hear of what has come by a turn, since its last input, unless nothing comes of it with the next.
    #[inline]
    pub(super) fn bring_up(&mut self, turn: Turn, node: &mut Node, input: &Input) {
        let Some(Listener(both)) = self.listeners.get_mut(node.id().index()) else { return };
        let is_unheard = |heard: &&Heard| heard.regard != Regard::Nothing && !heard.noted.is_empty();
        if both.iter().any(|heard| is_unheard(&heard)) {
            let settled = node.settles(turn.0, input);
            if both.iter().filter(is_unheard).any(|heard| settled.is_none() || heard.name != settled) {
                hear(node, both, turn);
            }
        }
    }

    /// Has a node hear of all that has come by a turn, since its last input.
    pub(super) fn hear_all(&mut self, turn: Turn, node: &mut Node) {
        if let Some(Listener(both)) = self.listeners.get_mut(node.id().index()) {
            hear(node, both, turn);
        }
    }

    /// Looks what a node makes of announcements after an input, which may have told it of a block; returns those that must be
    /// in the queue now, each with its block.
    fn look_at(&mut self, turn: Turn, node: &Node, told: Option<Name>) -> Vec<(Name, Arrival)> {
        let mut others = Vec::new();
        let Some(Listener(both)) = self.listeners.get_mut(node.id().index()) else { return others };
        if self.lanes.is_none() {
            *both = Default::default();
            return others;
        }
        // The node has heard of what has come.
        both.iter_mut().for_each(|heard| heard.noted.retain(|noted| noted.turn() > turn));
        if told.is_some() && both.iter().all(|heard| heard.name != told) {
            both.swap(0, 1);
            both[0].take_out(|_| true, &mut others);
            both[0].name = told;
        }
        let mut tellings = 0;
        for heard in both {
            let Some((block, position)) = heard.name else { continue };
            heard.regard = node.regard(block, position);
            let regard = heard.regard;
            if regard != Regard::Nothing {
                heard.take_out(|noted| !regard.allows(noted.at, &mut tellings), &mut others);
            }
        }
        others
    }

    /// Notes an announcement, if nothing comes of it but that its receiver has heard of it; tells whether it does.
    #[inline]
    fn note(&mut self, name: Name, arrival: Arrival) -> bool {
        let Listener(both) = &mut self.listeners[arrival.to as usize];
        let Some(place) = both.iter().position(|heard| heard.name == Some(name)) else { return false };
        // Of most nothing comes.
        if both[place].regard != Regard::Nothing {
            let is_hearsay = |heard: &&Heard| matches!(heard.regard, Regard::Hearsay { .. });
            let mut tellings = both.iter().filter(is_hearsay).map(|heard| heard.noted.len() as u32).sum();
            if !both[place].regard.allows(arrival.at, &mut tellings) {
                return false;
            }
        }
        both[place].noted.push(arrival);
        true
    }
}

impl Listener {
    #[inline]
    fn fetch(&self) {
        for heard in &self.0 {
            hint::black_box((heard.regard == Regard::Nothing, heard.noted.len()));
        }
    }
}

impl Heard {
    /// Takes out some of those that tell of it.
    fn take_out(&mut self, which: impl FnMut(&mut Arrival) -> bool, others: &mut Vec<(Name, Arrival)>) {
        let Self { name, noted, .. } = self;
        others.extend(name.iter().flat_map(|name| std::iter::repeat(*name)).zip(noted.extract_if(.., which)));
    }
}

/// Has a node hear of what has come, in the order in which it came.
#[cold]
fn hear(node: &mut Node, both: &mut [Heard; 2], turn: Turn) {
    let mut come = Vec::new();
    for heard in both.iter_mut().filter(|heard| heard.regard != Regard::Nothing) {
        heard.take_out(|noted| noted.turn() <= turn, &mut come);
    }
    come.sort_unstable_by_key(|(_, arrival)| arrival.turn());
    for ((block, position), Arrival { at, from, .. }) in come {
        node.hear(at, NodeId::new(from), block, position);
    }
}

impl Surroundings {
    /// Has a node announce a block to all peers but one, if each announcement takes the same time; tells whether it does.
    pub(super) fn announce(&mut self, node: NodeId, except: Option<NodeId>, message: &Message) -> bool {
        let Message::Announce { block, position } = *message else { return false };
        if !self.is_steady() {
            return false;
        }
        let Some(lanes) = self.hearsay.lanes.clone() else { return false };
        let from = node.index() as u32;
        let (start, lanes) = lanes.of(from);
        let soonest = self.now.after_nanos(start.nanos);
        if self.hearsay.busy_until[node.index()] > soonest {
            return false;
        }
        // Of ten thousand listeners few lie in the cache.
        lanes.iter().for_each(|lane| self.hearsay.listeners[lane.to as usize].fetch());
        let load = self.traffic.load(message.measured());
        let mut noted = 0;
        for lane in lanes.iter().filter(|lane| Some(lane.to) != except.map(|except| except.index() as u32)) {
            let at = soonest.after_nanos(u64::from(lane.more_nanos));
            let count = self.sent[node.index()].wrapping_add(1);
            if self.hearsay.note((block, position), Arrival { at, to: lane.to, from, count, slot: 0 }) {
                self.sent[node.index()] = count;
                noted += 1;
                if let Some(recording) = &mut self.replays.recording {
                    recording.note_hearsay(at);
                }
            } else {
                self.send_with_load(node, NodeId::new(lane.to), message.clone(), load);
            }
        }
        self.unqueued.messages += noted;
        self.unqueued.bytes += noted * load.bytes;
        true
    }

    /// Looks what a node makes of announcements after an input, which may have told it of a block.
    #[inline]
    pub(super) fn look_at_hearsay(&mut self, node: &Node, told: Option<Name>) {
        let others = self.hearsay.look_at(self.turn, node, told);
        self.put_into_queue(others);
    }

    /// From now on all announcements are in the queue.
    pub(super) fn end_hearsay(&mut self) {
        let all = self.hearsay.end(self.turn);
        self.put_into_queue(all);
    }

    fn put_into_queue(&mut self, announcements: Vec<(Name, Arrival)>) {
        for ((block, position), arrival) in announcements {
            let [from, to] = [arrival.from, arrival.to].map(NodeId::new);
            let message = Message::Announce { block, position };
            // Each takes some time, so it is as good as any that was sent before now.
            self.bring_back((from, to), (self.now, arrival.at), arrival.count, message);
        }
    }
}
