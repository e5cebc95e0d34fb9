//! A network driven in the plainest way: every message in one sorted list, and nothing left out.

use std::{collections::BTreeMap, sync::Arc};

use super::steps::Step;
use crate::{
    Blockchain, Rules,
    command::{Command, Ticket},
    event::{Event, Happening, LossCause},
    message::{Message, NodeId},
    node::{Effect, Effects, Input, Limits, Node, NodeConfig},
    report::{Messages, Recorder},
    simulation::{
        acts::address,
        searches::{Effort, Searches},
    },
    strategy::Behaviour,
    time::Time,
    transaction::Transaction,
    verbs::{
        DownCause, Names, ending,
        links_up::{CameUp, told},
        state::State,
        traffic::{Offer, Traffic, UnderWay},
        view::View,
    },
    wire::{Partition, Room},
};

pub(super) const SEED: u64 = 3;
pub(super) const START: Time = Time::from_secs(1_000_000);
/// The attempts a second of each node.
const RATE: f64 = 1000.0;

pub(super) struct Plain {
    pub(super) now: Time,
    rules: Arc<Rules>,
    nodes: Vec<Node>,
    states: Vec<State>,
    names: Names,
    pub(super) traffic: Traffic,
    searches: Searches,
    /// What is under way: when it is due, to whom, from whom, and the number among what its sender sent.
    under_way: BTreeMap<(Time, NodeId, NodeId, u64), UnderWay>,
    sent: u64,
    wakes: Vec<Option<Time>>,
    /// What has come to nodes that are paused.
    unread: Vec<Vec<(NodeId, Message)>>,
    recorder: Recorder,
    messages: Messages,
    tickets: u64,
    mined: u64,
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
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            now: START,
            rules: Arc::new(rules),
            nodes: Vec::new(),
            states: Vec::new(),
            names: Names::default(),
            traffic: Traffic::new(SEED, Room::LINK),
            searches: Searches::new(SEED),
            under_way: BTreeMap::new(),
            sent: 0,
            wakes: Vec::new(),
            unread: Vec::new(),
            recorder: Recorder::new(START),
            messages: Messages::default(),
            tickets: 0,
            mined: 0,
            events: Vec::new(),
        }
    }

    fn config(&self, id: NodeId) -> NodeConfig {
        let (rules, address) = (Arc::clone(&self.rules), address(SEED, id).into());
        NodeConfig { id, rules, address, limits: Limits::default(), behaviour: Behaviour::default() }
    }

    pub(super) fn spawn(&mut self) {
        let id = NodeId::new(self.nodes.len() as u32);
        let node = Node::with_config(self.config(id), self.now).unwrap();
        self.nodes.push(node);
        self.states.push(State::Live);
        self.wakes.push(None);
        self.unread.push(Vec::new());
        self.searches.add_node(RATE);
        self.record(id, Happening::Joined { name: self.names.of(id) });
    }

    fn record(&mut self, node: NodeId, what: Happening) {
        self.mined += u64::from(matches!(what, Happening::Mined { .. }));
        let event = Event { time: self.now, node, what };
        self.recorder.observe(&event);
        self.events.push(event);
    }

    /// Tells nodes whether anything may be lost between them and their peers, where that has changed.
    fn tell_of_losses(&mut self) {
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

    fn command(&mut self, node: NodeId, command: Command) {
        self.tell_of_losses();
        self.tickets += 1;
        self.handle(node, Input::Command(Ticket(self.tickets), command));
    }

    fn change(&mut self, change: impl FnOnce(&mut Traffic) -> Option<CameUp>) {
        let came_up = change(&mut self.traffic);
        self.links_came_up(came_up);
    }

    fn links_came_up(&mut self, came_up: Option<CameUp>) {
        let Some(came_up) = came_up else { return };
        for (node, peers) in told(&came_up, self, self.traffic.links()) {
            self.tell_of_losses();
            for peer in peers {
                self.handle(node, Input::LinkUp(peer));
            }
        }
    }

    fn handle(&mut self, id: NodeId, input: Input) {
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
                Effect::Search(search, target) => {
                    let effort = Effort::Drawn { work: target.work().as_f64() };
                    self.searches.begin(self.now, id, search, effort);
                }
                Effect::StopSearch => self.searches.stop(self.now, id),
                Effect::WakeAt(at) => self.wakes[id.index()] = at,
                Effect::Answer(..) => {}
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
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
                trace.lost(loss).into_iter().for_each(|what| self.record(to, what));
            }
            Offer::Held => {}
            Offer::Arrived(message, trace) => {
                let is_up = self.is_live(to) || matches!(self.states[to.index()], State::Paused);
                let passage = if is_up { trace.arrived() } else { trace.lost(LossCause::Down) };
                passage.into_iter().for_each(|what| self.record(to, what));
                match self.states[to.index()] {
                    State::Live => {
                        self.messages.delivered += 1;
                        self.handle(to, Input::Message(from, message));
                    }
                    State::Paused => {
                        self.messages.delivered += 1;
                        self.unread[to.index()].push((from, message));
                    }
                    _ => self.messages.missed += 1,
                }
            }
            Offer::TooMuch(_) => unreachable!("so few fit"),
        }
    }

    fn bring(&mut self, message: UnderWay) {
        self.sent += 1;
        self.under_way.insert((message.due, message.to, message.from, self.sent), message);
    }

    /// Lets everything happen up to a moment, one thing after the other.
    fn run_until(&mut self, limit: Time) {
        while self.step_until(limit) {}
        self.now = limit;
    }

    /// Lets the next thing happen that comes until a moment; tells whether there was one.
    fn step_until(&mut self, limit: Time) -> bool {
        self.tell_of_losses();
        let arrival = self.under_way.first_key_value().map(|((due, ..), _)| *due);
        let wakes = self.nodes().filter(|node| self.is_live(*node));
        let wake = wakes.filter_map(|node| Some((self.wakes[node.index()]?, node))).min();
        let first = [arrival, wake.map(|(at, _)| at), self.searches.next().map(|(at, _)| at)]
            .into_iter()
            .flatten()
            .min();
        let Some(now) = first.filter(|first| *first <= limit) else { return false };
        self.now = now;
        if arrival == first {
            let (_, message) = self.under_way.pop_first().unwrap();
            let ends = (message.from, message.to);
            let offer = self.traffic.arrive(message);
            self.accept(ends, offer);
        } else if let Some((_, node)) = wake.filter(|(at, _)| Some(*at) == first) {
            self.wakes[node.index()] = None;
            self.handle(node, Input::Wake);
        } else {
            let (node, search, proof) = self.searches.pop().unwrap();
            self.handle(node, Input::Found(search, proof));
        }
        true
    }

    pub(super) fn act(&mut self, step: &Step) {
        match *step {
            Step::Connect(one, other) => {
                for (node, peer) in [(one, other), (other, one)] {
                    self.command(node, Command::Register(vec![peer]));
                }
            }
            Step::Disconnect(one, other) => {
                for (node, peer) in [(one, other), (other, one)] {
                    self.command(node, Command::Unregister(vec![peer]));
                }
            }
            Step::Register(node, peer) => self.command(node, Command::Register(vec![peer])),
            Step::Mine(node) => self.command(node, Command::StartMining),
            Step::Submit(node, amount) => {
                self.command(node, Command::Submit(Transaction::new("alice", "bob", amount)));
            }
            Step::SetLink(from, to, link) => self.change(|traffic| traffic.set_link(from, to, link)),
            Step::SetCost(cost) => self.change(|traffic| traffic.set_block_cost(cost)),
            Step::SetBandwidth(node, bandwidth) => {
                self.change(|traffic| traffic.set_bandwidth(node, bandwidth))
            }
            Step::Partition(node) => {
                let partition = Partition::new([[node]]).unwrap();
                self.change(|traffic| traffic.partition(partition.clone()));
                for node in self.nodes().collect::<Vec<_>>() {
                    self.record(node, Happening::Partitioned { group: partition.group(node) });
                }
            }
            Step::Heal => {
                self.change(Traffic::heal);
                self.nodes()
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|node| self.record(node, Happening::Healed));
            }
            Step::Hold(from, to) => self.traffic.hold(from, to),
            Step::Release(from, to) => {
                let (came_up, due) = self.traffic.release(self.now, from, to);
                due.into_iter().for_each(|message| self.bring(message));
                self.links_came_up(came_up);
            }
            Step::Crash(node) => {
                let ended = ending::end(&self.nodes[node.index()], DownCause::Crashed);
                let (state, happenings) = ended;
                happenings.into_iter().for_each(|what| self.record(node, what));
                self.traffic.crash(node);
                self.searches.stop(self.now, node);
                self.searches.set_rate(self.now, node, RATE);
                self.wakes[node.index()] = None;
                self.unread[node.index()].clear();
                self.states[node.index()] = state;
            }
            Step::Restart(node, from) => {
                let restarted = ending::restarted(self, self.config(node), self.now, from);
                let happenings = ending::restart(self, node, from);
                happenings.into_iter().for_each(|what| self.record(node, what));
                self.states[node.index()] = State::Live;
                self.nodes[node.index()] = restarted;
                self.links_came_up(Some(CameUp::Of(node)));
            }
            Step::Pause(node) => {
                self.searches.set_rate(self.now, node, 0.0);
                self.states[node.index()] = State::Paused;
                self.record(node, Happening::Paused);
            }
            Step::Resume(node) => {
                self.states[node.index()] = State::Live;
                self.searches.set_rate(self.now, node, RATE);
                self.wakes[node.index()] = self.wakes[node.index()].map(|at| at.max(self.now));
                self.record(node, Happening::Resumed);
                self.tell_of_losses();
                for (from, message) in std::mem::take(&mut self.unread[node.index()]) {
                    self.handle(node, Input::Message(from, message));
                }
                self.links_came_up(Some(CameUp::Of(node)));
            }
            Step::Pass(duration) => self.run_until(self.now + duration),
            Step::Find => {
                let mined = self.mined;
                while self.mined == mined {
                    assert!(self.step_until(Time::MAX));
                }
            }
        }
    }

    /// What a report says at this moment.
    pub(super) fn report(&self) -> String {
        let best = self
            .chains()
            .cloned()
            .reduce(|best, chain| if chain.is_better_than(&best, &self.rules) { chain } else { best });
        let attempts = |node: NodeId| self.searches.attempts(self.now, node);
        // What is due at this very moment counts as delivered.
        let due = self.under_way.values().filter(|message| message.has_come(self.now)).count() as u64;
        let messages = Messages { delivered: self.messages.delivered + due, ..self.messages.clone() };
        let report = self.recorder.report(self.now, &best.unwrap(), attempts, messages);
        serde_json::to_string(&report).unwrap()
    }
}
