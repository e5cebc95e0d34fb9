//! What surrounds the nodes: it carries out what they wish, and carries their messages.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    drive::UNLIMITED,
    events::Subscribers,
    floods::{Floods, Lanes, Spelled},
    queue::{Arrival, Queue},
    searches::{Effort, Searches},
    slots::Slots,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Ticket},
    event::{Event, Happening},
    hash::BlockHash,
    message::{Message, MessageKind, NodeId, Told},
    node::{Effect, Extended, Limits, Node, SearchId},
    pow::{Search, Target},
    report::{Messages, Recorder, Volume},
    rules::Rules,
    time::Time,
    verbs::{
        Names,
        state::State,
        traffic::{Offer, Traffic, UnderWay},
    },
};

/// Whether blocks may flow without a message for each link: whether all nodes are live and all links whole, each taking
/// the same time for every message, and no node would notice that a repeat did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Something has changed.
    Unknown,
    Free,
    /// Not, before this moment at least.
    Blocked(Time),
}

/// How a simulation is set up.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) seed: u64,
    /// Whether proofs are really searched for.
    pub(super) is_hashed: bool,
    pub(super) limits: Limits,
    pub(super) unread_max: u32,
    pub(super) under_way_max: u32,
}

/// Everything but the nodes themselves.
pub(super) struct Surroundings {
    pub(super) rules: Arc<Rules>,
    pub(super) limits: Limits,
    /// Whether proofs are really searched for.
    pub(super) is_hashed: bool,
    /// The most messages of one sender that wait for a node that is paused, or for a puppet.
    pub(super) unread_max: u32,
    pub(super) now: Time,
    pub(super) seed: u64,
    pub(super) names: Names,
    pub(super) states: Vec<State>,
    pub(super) peers: Vec<Vec<NodeId>>,
    pub(super) addresses: Vec<Arc<str>>,
    /// The attempts a second that each node makes when it searches.
    rates: Vec<f64>,
    pub(super) queue: Queue,
    under_way: Slots<UnderWay>,
    /// How many messages each node has sent.
    sent: Vec<u32>,
    pub(super) traffic: Traffic,
    pub(super) floods: Floods,
    /// The flood of the block that the node has just heard of which handles its input.
    pub(super) hint: Option<u32>,
    /// Whether blocks may flow without a message for each link.
    flow: Flow,
    /// The nodes that would notice a repeat.
    noticing: BTreeSet<NodeId>,
    /// Whether messages that cannot matter are left out.
    pub(super) skips: bool,
    /// What has come to those that do not read: nodes that are paused, and puppets.
    unread: Vec<VecDeque<(NodeId, Message)>>,
    pub(super) searches: Searches,
    /// The target of the last search, and the attempts that it takes on average.
    work: (Target, f64),
    /// A search that the last input has begun, if it is to be hashed.
    pub(super) to_hash: Option<SearchId>,
    pub(super) wakes: BTreeSet<(Time, NodeId)>,
    wake_at: Vec<Option<Time>>,
    pub(super) answers: BTreeMap<Ticket, Answer>,
    pub(super) recorder: Recorder,
    pub(super) messages: Messages,
    /// The messages that floods stand for or stood for, and those of them that were spelled out while under way.
    flooded: Volume,
    flooded_under_way: u64,
    pub(super) subscribers: Subscribers,
    /// How many changes there were that somebody may wait for: of a tip, a state, a list of peers or a link.
    pub(super) changes: u64,
    /// Whether nodes are still to be told which links lose nothing.
    pub(super) facts_are_old: bool,
    /// The blocks of the longest chain.
    pub(super) height: u64,
    /// The blocks mined so far.
    pub(super) mined: u64,
    pub(super) effects: Vec<Effect>,
}

/// Carries out what comes of a block that extends a node's tip.
pub(super) struct Hands<'a> {
    pub(super) around: &'a mut Surroundings,
    pub(super) node: NodeId,
}

impl Extended for Hands<'_> {
    #[inline]
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId) {
        self.around.height = self.around.height.max(position);
        self.around.changes += 1;
        if self.around.subscribers.is_empty() {
            self.around.recorder.accepted(self.around.now, self.node, &block);
        } else {
            self.around.record(self.node, Happening::Accepted { block, position, from });
        }
    }

    #[inline]
    fn relay(&mut self, except: NodeId, tip: &Blockchain) {
        self.around.relay_block(self.node, Some(except), tip);
    }

    #[inline]
    fn search(&mut self, search: SearchId, target: Target) {
        self.around.search(self.node, search, target);
    }

    fn acknowledge(&mut self, to: NodeId, block: BlockHash) {
        self.around.send(self.node, to, Message::Acknowledge { block });
    }
}

impl Surroundings {
    pub(super) fn new(rules: Rules, start: Time, settings: Settings) -> Self {
        let Settings { seed, is_hashed, limits, unread_max, under_way_max } = settings;
        Self {
            rules: Arc::new(rules),
            limits,
            is_hashed,
            unread_max,
            now: start,
            seed,
            names: Names::default(),
            states: Vec::new(),
            peers: Vec::new(),
            addresses: Vec::new(),
            rates: Vec::new(),
            queue: Queue::new(start),
            under_way: Slots::default(),
            sent: Vec::new(),
            traffic: Traffic::new(seed, under_way_max),
            floods: Floods::default(),
            hint: None,
            flow: Flow::Unknown,
            noticing: BTreeSet::new(),
            skips: true,
            unread: Vec::new(),
            searches: Searches::new(seed),
            work: (Target::EASIEST, 1.0),
            to_hash: None,
            wakes: BTreeSet::new(),
            wake_at: Vec::new(),
            answers: BTreeMap::new(),
            recorder: Recorder::new(start),
            messages: Messages::default(),
            flooded: Volume::default(),
            flooded_under_way: 0,
            subscribers: Subscribers::default(),
            changes: 0,
            facts_are_old: false,
            height: 1,
            mined: 0,
            effects: Vec::new(),
        }
    }

    /// Makes room for the next node or puppet.
    pub(super) fn add_member(&mut self, state: State, address: Arc<str>) {
        self.spell_out();
        self.changes += 1;
        self.states.push(state);
        self.peers.push(Vec::new());
        self.addresses.push(address);
        self.rates.push(UNLIMITED);
        self.sent.push(0);
        self.unread.push(VecDeque::new());
        self.wake_at.push(None);
        self.searches.add_node(UNLIMITED);
    }

    pub(super) fn set_state(&mut self, node: NodeId, state: State) {
        self.states[node.index()] = state;
        self.changes += 1;
    }

    /// Forgets what a node waited for that has ended.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.searches.stop(self.now, node);
        self.searches.set_rate(self.now, node, self.rates[node.index()]);
        self.set_wake(node, None);
        self.unread[node.index()].clear();
    }

    /// Stops a node's search and deadlines.
    pub(super) fn stand_still(&mut self, node: NodeId) {
        self.searches.set_rate(self.now, node, 0.0);
        if let Some(at) = self.wake_at[node.index()] {
            self.wakes.remove(&(at, node));
        }
    }

    /// Lets a node's search and deadlines go on; one that has passed is due now.
    pub(super) fn go_on(&mut self, node: NodeId) {
        self.searches.set_rate(self.now, node, self.rates[node.index()]);
        if let Some(at) = &mut self.wake_at[node.index()] {
            *at = self.now.max(*at);
            self.wakes.insert((*at, node));
        }
    }

    /// Has a node make so many attempts a second from now on, or once it goes on.
    pub(super) fn set_rate(&mut self, node: NodeId, rate: f64) {
        self.rates[node.index()] = rate;
        if self.states[node.index()].is_live() {
            self.searches.set_rate(self.now, node, rate);
        }
    }

    /// Takes out the first message that has come to a node while it did not read.
    pub(super) fn read(&mut self, node: NodeId) -> Option<(NodeId, Message)> {
        self.unread[node.index()].pop_front()
    }

    /// Lets time pass in which nothing comes.
    pub(super) fn advance(&mut self, now: Time) {
        self.now = now;
        self.queue.advance(now);
    }

    pub(super) fn pop_wake(&mut self) -> NodeId {
        let (_, node) = self.wakes.pop_first().expect("whoever asks has seen it");
        self.wake_at[node.index()] = None;
        node
    }

    pub(super) fn carry_out(&mut self, node: NodeId, effect: Effect) {
        match effect {
            Effect::Event(what) => self.record(node, what),
            Effect::Send(to, message) => self.send(node, to, message),
            Effect::Relay { except, message: Message::NewBlock(Told::Chain(chain)) } => {
                self.relay_block(node, except, &chain);
            }
            Effect::Relay { except, message } => self.relay(node, except, &message),
            Effect::Search(search, target) => self.search(node, search, target),
            Effect::StopSearch => {
                self.to_hash = None;
                self.searches.stop(self.now, node);
            }
            Effect::WakeAt(at) => self.set_wake(node, at),
            Effect::Answer(ticket, answer) => {
                self.answers.insert(ticket, answer);
            }
        }
    }

    /// Searches for a proof at once, and so finds out when it will be found.
    pub(super) fn hash(&mut self, id: NodeId, node: &mut Node, search: SearchId) {
        let template = node.template(self.now, search).expect("the search has just begun");
        let mut attempts = Search::new(template.challenge, template.target);
        let proof = attempts.run(u64::MAX).ok().flatten().expect("nobody waits for 2^64 attempts");
        let effort = Effort::Hashed { attempts: attempts.attempts(), proof };
        self.searches.begin(self.now, id, search, effort);
    }

    fn set_wake(&mut self, node: NodeId, at: Option<Time>) {
        let before = std::mem::replace(&mut self.wake_at[node.index()], at);
        if let Some(before) = before {
            self.wakes.remove(&(before, node));
        }
        self.wakes.extend(at.map(|at| (at, node)));
    }

    #[inline]
    fn search(&mut self, node: NodeId, search: SearchId, target: Target) {
        if self.is_hashed {
            self.to_hash = Some(search);
        } else {
            if self.work.0 != target {
                // Dividing 128 bits takes longer than most of a delivery.
                self.work = (target, target.work().as_f64());
            }
            self.searches.begin(self.now, node, search, Effort::Drawn { work: self.work.1 });
        }
    }

    fn relay(&mut self, node: NodeId, except: Option<NodeId>, message: &Message) {
        for place in 0..self.peers[node.index()].len() {
            let to = self.peers[node.index()][place];
            if Some(to) != except {
                self.send(node, to, message.clone());
            }
        }
    }

    #[inline]
    fn relay_block(&mut self, node: NodeId, except: Option<NodeId>, chain: &Blockchain) {
        if self.flows() {
            let count = &mut self.sent[node.index()];
            let hint = self.hint;
            let relayed = self.floods.relay(self.now, (node, except), chain, hint, &mut self.queue, count);
            if let Some(Volume { messages, bytes }) = relayed {
                self.flooded.messages += messages;
                self.flooded.bytes += bytes;
                return;
            }
        }
        self.relay(node, except, &Message::NewBlock(Told::Chain(chain.clone())));
    }

    /// Tells whether blocks may flow without a message for each link.
    #[inline]
    fn flows(&mut self) -> bool {
        match self.flow {
            Flow::Free => true,
            Flow::Blocked(until) if self.now < until => false,
            _ => self.look_whether_it_flows(),
        }
    }

    #[cold]
    fn look_whether_it_flows(&mut self) -> bool {
        let (links, now) = (self.traffic.links(), self.now);
        let is_whole = self.skips
            && self.noticing.is_empty()
            && !self.traffic.is_judged()
            && links.are_whole()
            && self.states.iter().all(State::is_live);
        self.flow = Flow::Blocked(Time::MAX);
        if !is_whole {
            return false;
        }
        let mut lanes = Lanes::default();
        for (from, peers) in (0..).map(NodeId::new).zip(&self.peers) {
            let mut of_node = Vec::with_capacity(peers.len());
            for &to in peers {
                match links.steady_nanos(now, from, to) {
                    Ok(nanos) => of_node.push((to, nanos)),
                    Err(until) => {
                        self.flow = Flow::Blocked(until);
                        return false;
                    }
                }
            }
            if !lanes.add_node(&of_node) {
                return false;
            }
        }
        self.floods.set_lanes(lanes);
        self.flow = Flow::Free;
        true
    }

    /// Before anything changes that blocks flow by: from now on each that is under way is a message by itself.
    pub(super) fn spell_out(&mut self) {
        self.flow = Flow::Unknown;
        for Spelled { from, to, due, chain } in self.floods.spell_out(self.now, &mut self.queue) {
            self.flooded_under_way += 1;
            let message = Message::NewBlock(Told::Chain(chain));
            let message = self.traffic.put_under_way((from, to), due, message);
            let slot = self.under_way.put(message);
            // Its sender had said nothing else before at the same time.
            let (from, to) = (from.index() as u32, to.index() as u32);
            self.queue.push(Arrival { at: due, to, from, count: 0, slot });
        }
    }

    /// A block has come to a node in vain: the next message that brings it matters, too.
    #[cold]
    pub(super) fn came_in_vain(&mut self, number: u32, node: NodeId, chain: &Blockchain) {
        self.floods.was_in_vain(self.now, (number, chain), node, &mut self.queue, &mut self.sent);
    }

    /// Notes whether a node would notice if a repeat did not come.
    #[inline]
    pub(super) fn note_noticing(&mut self, node: NodeId, notices: bool) {
        let has_changed = match notices {
            false if self.noticing.is_empty() => false,
            false => self.noticing.remove(&node),
            true => self.noticing.insert(node),
        };
        if has_changed {
            self.spell_out();
        }
    }

    /// Returns what became of the messages until now; those that come at this very moment have come.
    pub(super) fn counted(&self) -> Messages {
        let due = self.queue.due(self.now).filter(|arrival| !Floods::is_of_flood(arrival)).count() as u64;
        let Volume { messages: flooded, bytes } = self.flooded;
        let mut counted = self.messages.clone();
        counted.delivered += due + flooded - self.flooded_under_way - self.floods.under_way(self.now);
        if flooded > 0 {
            counted.sent += flooded;
            let volume = counted.kinds.entry(MessageKind::Blocks).or_default();
            volume.messages += flooded;
            volume.bytes += bytes;
        }
        counted
    }

    /// Sends a message.
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let (kind, bytes) = (message.kind(), message.size());
        self.messages.sent += 1;
        let volume = self.messages.kinds.entry(kind).or_default();
        volume.messages += 1;
        volume.bytes += bytes;
        let offer = self.traffic.send(self.now, (from, to), message, bytes, false);
        self.accept(from, to, offer);
    }

    /// Brings a message to its receiver; returns it if the receiver reads it now.
    pub(super) fn arrive(&mut self, slot: u32) -> Option<(NodeId, NodeId, Message)> {
        let message = self.under_way.take(slot);
        let (from, to) = (message.from, message.to);
        match self.traffic.arrive(message) {
            Offer::Arrived(message) => self.deliver(from, to, message),
            offer => {
                self.accept(from, to, offer);
                None
            }
        }
    }

    fn accept(&mut self, from: NodeId, to: NodeId, offer: Offer) {
        match offer {
            Offer::Later(message) => self.bring_later(message),
            Offer::TooMany => self.drop_message(from, to),
            Offer::Lost(loss) => *self.messages.lost.entry(loss).or_insert(0) += 1,
            Offer::Held => {}
            Offer::Arrived(_) => unreachable!("what is due at once waits for its turn as well"),
        }
    }

    pub(super) fn bring_later(&mut self, message: UnderWay) {
        let count = &mut self.sent[message.from.index()];
        *count = count.wrapping_add(1);
        let (at, to, from) = (message.due, message.to.index() as u32, message.from.index() as u32);
        let (count, slot) = (*count, self.under_way.put(message));
        self.queue.push(Arrival { at, to, from, count, slot });
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, message: Message) -> Option<(NodeId, NodeId, Message)> {
        match self.states.get(to.index()) {
            Some(State::Live) => {
                self.messages.delivered += 1;
                return Some((from, to, message));
            }
            Some(State::Paused | State::Puppet) => {
                let unread = &mut self.unread[to.index()];
                let of_sender = unread.iter().filter(|(sender, _)| *sender == from).count();
                if of_sender < self.unread_max as usize {
                    self.messages.delivered += 1;
                    unread.push_back((from, message));
                } else {
                    self.drop_message(from, to);
                }
            }
            Some(State::Down { .. }) | None => self.messages.missed += 1,
        }
        None
    }

    fn drop_message(&mut self, from: NodeId, to: NodeId) {
        self.messages.dropped += 1;
        self.record(to, Happening::Dropped { from });
    }

    /// Records what happened to a node.
    pub(super) fn record(&mut self, node: NodeId, what: Happening) {
        self.mined += u64::from(matches!(what, Happening::Mined { .. }));
        let event = Event { time: self.now, node, what };
        self.recorder.observe(&event);
        self.subscribers.tell(&event);
    }
}
