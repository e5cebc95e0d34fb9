//! A network driven in the plainest way: every message in one sorted list, and nothing left out.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    START,
    setup::{SEED, Setup},
};
use crate::{
    Blockchain, Rules,
    command::{Answer, Command, Ticket},
    event::{Event, Happening, LossCause},
    message::{Message, NodeId},
    node::{Effect, Effects, Input, Node, NodeConfig},
    report::{Messages, Recorder},
    simulation::{
        acts::address,
        drive::UNLIMITED,
        searches::{Effort, Searches},
    },
    time::Time,
    transaction::Transaction,
    verbs::{
        Names,
        links_up::{CameUp, told},
        state::State,
        trace::Trace,
        traffic::{Offer, Traffic, UnderWay},
        view::View,
    },
    wire::{Room, Waiting},
};

pub(super) struct Plain {
    pub(super) setup: Setup,
    pub(super) now: Time,
    pub(super) rules: Arc<Rules>,
    /// A puppet's does nothing.
    pub(super) nodes: Vec<Node>,
    pub(super) states: Vec<State>,
    names: Names,
    pub(super) traffic: Traffic,
    pub(super) searches: Searches,
    /// The attempts a second of each node when it searches.
    pub(super) rates: Vec<f64>,
    /// What is under way: when it is due, to whom, from whom, and the number among what its sender sent.
    under_way: BTreeMap<(Time, NodeId, NodeId, u64), UnderWay>,
    sent: u64,
    pub(super) wakes: Vec<Option<Time>>,
    /// What is to be submitted: when, and the number of what was planned.
    pub(super) plans: BTreeMap<(Time, u64), (NodeId, Transaction)>,
    pub(super) planned: u64,
    /// What has come to nodes that are paused, and to puppets.
    pub(super) unread: Vec<VecDeque<(NodeId, Message)>>,
    pub(super) recorder: Recorder,
    messages: Messages,
    tickets: u64,
    answers: BTreeMap<Ticket, Answer>,
    pub(super) mined: u64,
    pub(super) events: Vec<Event>,
}

impl View for Plain {
    fn count(&self) -> usize {
        self.nodes.len()
    }

    fn state(&self, node: NodeId) -> &State {
        &self.states[node.index()]
    }

    fn chain(&self, node: NodeId) -> &Blockchain {
        self.nodes[node.index()].chain()
    }

    fn peers(&self, node: NodeId) -> &[NodeId] {
        self.nodes[node.index()].peers()
    }

    fn address(&self, node: NodeId) -> &Arc<str> {
        self.nodes[node.index()].address()
    }

    fn names(&self) -> &Names {
        &self.names
    }
}

impl Plain {
    pub(super) fn new(setup: Setup) -> Self {
        let mut traffic = Traffic::new(SEED, Room::LINK);
        traffic.set_regions(setup.regions.clone());
        traffic.set_tracing(setup.is_traced);
        Self {
            now: START,
            rules: Arc::new(setup.rules()),
            setup,
            nodes: Vec::new(),
            states: Vec::new(),
            names: Names::default(),
            traffic,
            searches: Searches::new(SEED),
            rates: Vec::new(),
            under_way: BTreeMap::new(),
            sent: 0,
            wakes: Vec::new(),
            plans: BTreeMap::new(),
            planned: 0,
            unread: Vec::new(),
            recorder: Recorder::new(START),
            messages: Messages::default(),
            tickets: 0,
            answers: BTreeMap::new(),
            mined: 0,
            events: Vec::new(),
        }
    }

    pub(super) fn config(&self, id: NodeId) -> NodeConfig {
        let (rules, address) = (Arc::clone(&self.rules), address(SEED, id).into());
        NodeConfig { id, rules, address, limits: self.setup.limits, behaviour: self.setup.behaviour(id) }
    }

    /// Adds a node or a puppet.
    pub(super) fn add(&mut self, state: State) -> NodeId {
        let id = NodeId::new(self.nodes.len() as u32);
        let node = Node::with_config(self.config(id), self.now).unwrap();
        self.nodes.push(node);
        self.states.push(state);
        self.wakes.push(None);
        self.unread.push(VecDeque::new());
        self.rates.push(UNLIMITED);
        self.searches.add_node(UNLIMITED);
        if self.is_live(id) {
            self.record(id, Happening::Joined { name: self.names.of(id) });
        }
        id
    }

    pub(super) fn record(&mut self, node: NodeId, what: Happening) {
        self.mined += u64::from(matches!(what, Happening::Mined { .. }));
        let event = Event { time: self.now, node, what };
        self.recorder.observe(&event);
        self.events.push(event);
    }

    /// Tells nodes whether anything may be lost between them and their peers, where that has changed.
    pub(super) fn tell_of_losses(&mut self) {
        for one in self.nodes().collect::<Vec<_>>() {
            for other in self.peers(one).to_vec() {
                let loses = self.traffic.may_lose(one, other);
                for (node, other) in [(one, other), (other, one)] {
                    if self.is_live(node) && self.nodes[node.index()].loses_nothing(other) == loses {
                        self.handle(node, Input::LinkLoses(other, loses));
                    }
                }
            }
        }
    }

    pub(super) fn command(&mut self, node: NodeId, command: Command) -> Ticket {
        self.tell_of_losses();
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.handle(node, Input::Command(ticket, command));
        ticket
    }

    /// Gives a live node a command and waits for the answer until a moment; then it is to be given at once.
    pub(super) fn ask(&mut self, node: NodeId, command: Command, until: Time) -> Answer {
        let ticket = self.command(node, command);
        let answer = self.wait(until, |plain| plain.answers.remove(&ticket));
        answer.unwrap_or_else(|| {
            self.handle(node, Input::GiveUp(ticket));
            self.answers.remove(&ticket).expect("whoever is told to give up answers")
        })
    }

    /// Lets one thing happen after the other until there is an answer, or a moment has come.
    pub(super) fn wait<T>(&mut self, until: Time, mut look: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        loop {
            if let Some(answer) = look(self) {
                return Some(answer);
            }
            if !self.step_until(until) {
                self.now = until;
                return None;
            }
        }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Traffic) -> Option<CameUp>) {
        let came_up = change(&mut self.traffic);
        self.links_came_up(came_up);
    }

    pub(super) fn links_came_up(&mut self, came_up: Option<CameUp>) {
        let Some(came_up) = came_up else { return };
        for (node, peers) in told(&came_up, self, self.traffic.links()) {
            self.tell_of_losses();
            for peer in peers {
                self.handle(node, Input::LinkUp(peer));
            }
        }
    }

    pub(super) fn handle(&mut self, id: NodeId, input: Input) {
        let mut effects = Effects::default();
        self.nodes[id.index()].handle(self.now, input, &mut effects);
        effects.happened.into_iter().for_each(|what| self.record(id, what));
        for effect in effects.to_do {
            match effect {
                Effect::Send(to, message) => self.send(id, to, message),
                Effect::Relay { except, message } => {
                    for peer in self.peers(id).to_vec() {
                        if Some(peer) != except {
                            self.send(id, peer, message.clone());
                        }
                    }
                }
                Effect::Search(_, target) => {
                    let effort = Effort::Drawn { work: target.work().as_f64() };
                    self.searches.begin(self.now, id, effort);
                }
                Effect::StopSearch => self.searches.stop(self.now, id),
                Effect::WakeAt(at) => self.wakes[id.index()] = at,
                Effect::Answer(ticket, answer) => drop(self.answers.insert(ticket, answer)),
            }
        }
    }

    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let load = self.traffic.load(message.measured());
        self.messages.sent += 1;
        let volume = self.messages.kinds.entry(message.kind()).or_default();
        volume.messages += 1;
        volume.bytes += load.bytes;
        let trace = self.traffic.trace(&message, from, || self.now);
        let offer = self.traffic.send(self.now, (from, to), message, load, false, trace);
        self.accept((from, to), offer);
    }

    fn accept(&mut self, (from, to): (NodeId, NodeId), offer: Offer) {
        match offer {
            Offer::Later(message) => self.bring(message),
            Offer::Lost(loss, trace) => {
                *self.messages.lost.entry(loss).or_default() += 1;
                self.record_passage(to, trace.lost(loss));
            }
            Offer::Held => {}
            Offer::Arrived(message, trace) => match self.states[to.index()] {
                State::Live => {
                    self.delivered(to, trace);
                    self.handle(to, Input::Message(from, message));
                }
                State::Paused | State::Puppet if self.has_room((from, to), &message) => {
                    self.delivered(to, trace);
                    self.unread[to.index()].push_back((from, message));
                }
                State::Paused | State::Puppet => self.drop_message((from, to), trace),
                State::Down { .. } => {
                    self.messages.missed += 1;
                    self.record_passage(to, trace.lost(LossCause::Down));
                }
            },
            Offer::TooMuch(trace) => self.drop_message((from, to), trace),
        }
    }

    fn delivered(&mut self, to: NodeId, trace: Trace) {
        self.messages.delivered += 1;
        self.record_passage(to, trace.arrived());
    }

    fn drop_message(&mut self, (from, to): (NodeId, NodeId), trace: Trace) {
        self.messages.dropped += 1;
        self.record_passage(to, trace.lost(LossCause::Full));
        self.record(to, Happening::Dropped { from });
    }

    /// Records what became of a message to a node, if it is traced.
    fn record_passage(&mut self, to: NodeId, passage: Option<Happening>) {
        passage.into_iter().for_each(|what| self.record(to, what));
    }

    /// Tells whether a message may wait beside what has come from the same sender and is unread.
    fn has_room(&self, (from, to): (NodeId, NodeId), message: &Message) -> bool {
        let bytes = |message: &Message| message.measured().own_bytes();
        let mut waiting = Waiting::default();
        let of_sender = self.unread[to.index()].iter().filter(|(other, _)| *other == from);
        of_sender.for_each(|(_, message)| waiting.add(bytes(message)));
        waiting.leaves_room(bytes(message), Room::INBOX)
    }

    pub(super) fn bring(&mut self, message: UnderWay) {
        self.sent += 1;
        self.put_under_way(message, self.sent);
    }

    fn put_under_way(&mut self, message: UnderWay, count: u64) {
        self.under_way.insert((message.due, message.to, message.from, count), message);
    }

    /// Lets everything happen up to a moment, one thing after the other.
    pub(super) fn run_until(&mut self, limit: Time) {
        while self.step_until(limit) {}
        self.now = limit;
    }

    /// Lets the next thing happen that comes until a moment; tells whether there was one.
    pub(super) fn step_until(&mut self, limit: Time) -> bool {
        self.tell_of_losses();
        let arrival = self.under_way.first_key_value().map(|((due, ..), _)| *due);
        let wakes = self.nodes().filter(|node| self.is_live(*node));
        let wake = wakes.filter_map(|node| Some((self.wakes[node.index()]?, node))).min();
        let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
        let proof = self.searches.next().map(|(at, _)| at);
        let first = [arrival, wake.map(|(at, _)| at), plan, proof].into_iter().flatten().min();
        let Some(now) = first.filter(|first| *first <= limit) else { return false };
        self.now = now;
        if arrival == first {
            let ((_, to, from, count), message) = self.under_way.pop_first().unwrap();
            match self.traffic.arrive(message) {
                // Its receiver has still to look at it.
                Offer::Later(message) => self.put_under_way(message, count),
                offer => self.accept((from, to), offer),
            }
        } else if let Some((_, node)) = wake.filter(|(at, _)| Some(*at) == first) {
            self.wakes[node.index()] = None;
            self.handle(node, Input::Wake);
        } else if plan == first {
            let (_, (node, payment)) = self.plans.pop_first().unwrap();
            if self.is_live(node) {
                self.command(node, Command::Submit(payment));
            }
        } else {
            let (node, proof) = self.searches.pop().unwrap();
            let search = self.nodes[node.index()].current_search().unwrap();
            self.handle(node, Input::Found(search, proof));
        }
        true
    }

    /// What has become of the messages until now. What is due at this very moment counts as delivered.
    fn counted(&self) -> Messages {
        let due = self.under_way.values().filter(|message| message.has_come(self.now)).count() as u64;
        Messages { delivered: self.messages.delivered + due, ..self.messages.clone() }
    }

    pub(super) fn count_from_now(&mut self) {
        let attempts = self.nodes().map(|node| self.searches.attempts(self.now, node)).collect();
        let messages = self.counted();
        self.recorder.count_from(self.now, attempts, messages);
    }

    /// What a report says at this moment.
    pub(super) fn report(&self) -> String {
        let best = self
            .chains()
            .cloned()
            .reduce(|best, chain| if chain.is_better_than(&best, &self.rules) { chain } else { best });
        let attempts = |node: NodeId| self.searches.attempts(self.now, node);
        let report = self.recorder.report(self.now, &best.unwrap(), attempts, self.counted());
        serde_json::to_string(&report).unwrap()
    }
}
