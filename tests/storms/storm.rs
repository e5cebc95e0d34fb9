//! A storm: a network, and a seeded list of things that are done to it by one thread, without a pause but for what the
//! network itself gives to wait for. It is the same whatever drives the network.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use chainlab::{
    Blockchain, Driver, LossReason, NetworkOf, NodeId, Relay, Rules, Transaction, network::Identity,
    pow::Work, wire::Topology,
};

use crate::{
    liar::Liar,
    model::Model,
    random::Random,
    validator::{NotebookValidator, Validator},
    watchdog::Log,
};

/// What one event may keep the storm waiting for, on whatever machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How large a storm is, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// How many nodes there are from the start.
    pub(crate) nodes: Range<usize>,
    /// How many things are done to them.
    pub(crate) steps: Range<usize>,
    /// What all times are counted in: half of what a block is to take.
    pub(crate) tick: Duration,
    /// The attempts a millisecond of a node that mines.
    pub(crate) rates: Range<u64>,
}

pub(crate) struct Storm<'a, D: Driver> {
    /// What the storm draws from.
    pub(crate) random: Random,
    pub(crate) scale: Scale,
    pub(crate) network: &'a NetworkOf<D>,
    pub(crate) rules: Rules,
    pub(crate) log: &'a Log,
    pub(crate) events: D::Events,
    pub(crate) validator: Judge,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) liars: Vec<Liar>,
    pub(crate) states: BTreeMap<NodeId, State>,
    pub(crate) mining: BTreeSet<NodeId>,
    /// Who was connected with whom.
    pub(crate) edges: Vec<(NodeId, NodeId)>,
    pub(crate) held: BTreeSet<(NodeId, NodeId)>,
    pub(crate) set: BTreeSet<(NodeId, NodeId)>,
    /// The work of each node's chain when it was looked at last.
    pub(crate) work: BTreeMap<NodeId, Work>,
    pub(crate) best: Blockchain,
    pub(crate) next_nonces: BTreeMap<usize, u64>,
    pub(crate) submitted: Vec<Transaction>,
    /// The submitted transactions that a node took in.
    pub(crate) accepted: BTreeSet<Transaction>,
    pub(crate) lost: BTreeMap<Transaction, BTreeSet<LossReason>>,
    pub(crate) mined: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Live,
    Paused,
    Down,
}

pub(crate) enum Judge {
    Sealed(Box<Validator>),
    Notebook(NotebookValidator),
}

/// What is done to a network.
#[derive(Debug, Clone, Copy)]
enum Action {
    Submit,
    SubmitAgain,
    Mine,
    StartMining,
    StopMining,
    Grow,
    Partition,
    Heal,
    Hold,
    Release,
    SetLink,
    SetDefaultLink,
    Crash,
    Restart,
    Pause,
    Resume,
    Connect,
    Join,
    Register,
    Resolve,
    Lie,
    Answer,
    Settle,
    Wait,
    Look,
}

use Action::*;

/// How often what is done to a network by the sealed rules.
const SEALED: &[(usize, Action)] = &[
    (30, Submit),
    (6, SubmitAgain),
    (6, Mine),
    (10, StartMining),
    (4, StopMining),
    (16, Grow),
    (4, Partition),
    (3, Heal),
    (4, Hold),
    (3, Release),
    (8, SetLink),
    (2, SetDefaultLink),
    (6, Crash),
    (6, Restart),
    (5, Pause),
    (5, Resume),
    (4, Connect),
    (3, Join),
    (2, Register),
    (2, Resolve),
    (14, Lie),
    (6, Answer),
    (3, Settle),
    (12, Wait),
    (12, Look),
];

/// By the notebook's rules nodes learn by resolving alone.
const NOTEBOOK: &[(usize, Action)] = &[
    (30, Submit),
    (16, Mine),
    (5, StartMining),
    (3, StopMining),
    (8, Grow),
    (4, Partition),
    (4, Heal),
    (2, Hold),
    (3, Release),
    (6, SetLink),
    (2, SetDefaultLink),
    (5, Crash),
    (5, Restart),
    (4, Pause),
    (4, Resume),
    (4, Connect),
    (6, Register),
    (24, Resolve),
    (6, Lie),
    (6, Answer),
    (6, Wait),
    (12, Look),
];

/// A storm over a network of rules under which nodes gossip.
pub(crate) fn sealed<D: Driver>(network: &NetworkOf<D>, random: Random, scale: Scale, log: &Log) {
    let mut storm = Storm::start(network, random, scale, log);
    storm.rage(SEALED);
    storm.calm();
    storm.agree();
    storm.mine_what_is_pending();
    storm.agree();
    storm.account_for_everything();
}

/// A storm over a network of the notebook's rules.
pub(crate) fn notebook<D: Driver>(network: &NetworkOf<D>, random: Random, scale: Scale, log: &Log) {
    let mut storm = Storm::start(network, random, scale, log);
    storm.rage(NOTEBOOK);
    storm.calm();
    storm.resolve_all();
    storm.account_for_everything();
}

impl<'a, D: Driver> Storm<'a, D> {
    fn start(network: &'a NetworkOf<D>, mut random: Random, scale: Scale, log: &'a Log) -> Self {
        let count = random.within(&scale.nodes);
        log.note(format_args!("{count} nodes"));
        let rules = network.rules().clone();
        let events = network.events_with_capacity(usize::MAX);
        let identity = |number| Identity { address: Some(format!("miner-{number}")), ..Identity::default() };
        let nodes: Vec<_> = (0..count).map(|number| network.spawn_as(identity(number)).unwrap()).collect();
        let best = network.chain(nodes[0]).unwrap();
        let validator = match rules.relay != Relay::None {
            true => Judge::Sealed(Box::new(Validator::new(&rules))),
            false => Judge::Notebook(NotebookValidator::new(Model { zeros: 2, covers_hash: false })),
        };
        let states = nodes.iter().map(|node| (*node, State::Live)).collect();
        let mut storm = Self {
            random,
            scale,
            network,
            rules,
            log,
            events,
            validator,
            nodes,
            liars: Vec::new(),
            states,
            mining: BTreeSet::new(),
            edges: Vec::new(),
            held: BTreeSet::new(),
            set: BTreeSet::new(),
            work: BTreeMap::new(),
            best,
            next_nonces: BTreeMap::new(),
            submitted: Vec::new(),
            accepted: BTreeSet::new(),
            lost: BTreeMap::new(),
            mined: 0,
        };
        storm.join();
        storm
    }

    /// Joins the nodes in some topology, and those that it leaves apart.
    fn join(&mut self) {
        let (count, random) = (self.nodes.len(), &mut self.random);
        let topology = match random.below(7) {
            0 if count <= 16 => Topology::Complete,
            1 => Topology::Line,
            2 => Topology::Star,
            3 => Topology::Random { links: 2 },
            4 if count > 4 => Topology::SmallWorld { neighbours: 4, rewiring: 0.2 },
            5 => Topology::ScaleFree { links: 2 },
            _ => Topology::Ring,
        };
        self.log.note(format_args!("{topology:?}"));
        // Not by the network's own seed, which whoever made it may have drawn elsewhere.
        self.edges = topology.edges(count, random.next()).unwrap();
        for &(one, other) in &self.edges {
            self.network.connect(one, other).unwrap();
        }
        // Each node's group, of those that reach each other.
        let mut group: Vec<usize> = (0..count).collect();
        for &(one, other) in &self.edges {
            let (one, other) = (group[one.index()], group[other.index()]);
            group.iter_mut().filter(|group| **group == other).for_each(|group| *group = one);
        }
        for at in 1..count {
            if group[at] != group[0] {
                let joined = group[at];
                self.network.connect(self.nodes[0], self.nodes[at]).unwrap();
                self.edges.push((self.nodes[0], self.nodes[at]));
                let first = group[0];
                group.iter_mut().filter(|group| **group == joined).for_each(|group| *group = first);
            }
        }
        for _ in 0..self.random.below(3) {
            let liar = Liar { puppet: self.network.puppet().unwrap() };
            for _ in 0..1 + self.random.below(3) {
                let node = self.nodes[self.random.below(count)];
                self.network.connect(node, liar.puppet).unwrap();
            }
            self.liars.push(liar);
        }
    }

    fn rage(&mut self, actions: &[(usize, Action)]) {
        for _ in 0..self.random.within(&self.scale.steps) {
            let action = self.random.weighted(actions);
            self.act(action);
        }
        self.look();
    }

    pub(crate) fn in_state(&self, state: State) -> Vec<NodeId> {
        self.nodes.iter().copied().filter(|node| self.states[node] == state).collect()
    }

    pub(crate) fn pick(&mut self, state: State) -> Option<NodeId> {
        let nodes = self.in_state(state);
        self.random.pick(&nodes)
    }

    /// Does one thing, if there is anything to do it to. What is drawn depends on the seed alone, never on what the
    /// threads were up to.
    fn act(&mut self, action: Action) {
        match action {
            Submit => self.submit(),
            SubmitAgain => self.submit_again(),
            Mine => self.mine(),
            StartMining => self.start_mining(),
            StopMining => {
                if let Some(node) = self.random.pick(&self.miners()) {
                    self.log.note(format_args!("{node} mines no more"));
                    self.network.stop_mining(node).unwrap();
                    self.mining.remove(&node);
                }
            }
            Grow => self.grow(),
            Partition => self.partition(),
            Heal => {
                self.log.note("heal");
                self.network.heal();
            }
            Hold => {
                if let Some((from, to)) = self.directed_edge() {
                    self.log.note(format_args!("hold {from} to {to}"));
                    self.network.hold(from, to).unwrap();
                    self.held.insert((from, to));
                }
            }
            Release => {
                let held: Vec<_> = self.held.iter().copied().collect();
                if let Some((from, to)) = self.random.pick(&held) {
                    self.release(from, to);
                }
            }
            SetLink => {
                let link = self.draw_link();
                if let Some((from, to)) = self.directed_edge() {
                    self.log.note(format_args!("{from} to {to} is {link:?}"));
                    self.network.set_link(from, to, link).unwrap();
                    self.set.insert((from, to));
                }
            }
            SetDefaultLink => {
                let link = self.draw_link();
                self.log.note(format_args!("every link is {link:?}"));
                self.network.set_default_link(link);
            }
            Crash => self.crash(),
            Restart => {
                if let Some(node) = self.pick(State::Down) {
                    self.restart(node);
                }
            }
            Pause => {
                if let Some(node) = self.pick(State::Live) {
                    self.log.note(format_args!("pause {node}"));
                    self.network.pause(node).unwrap();
                    self.states.insert(node, State::Paused);
                }
            }
            Resume => {
                if let Some(node) = self.pick(State::Paused) {
                    self.resume(node);
                }
            }
            Connect => {
                if let (Some(one), Some(other)) = (self.pick(State::Live), self.pick(State::Live))
                    && one != other
                {
                    self.log.note(format_args!("connect {one} and {other}"));
                    self.network.connect(one, other).unwrap();
                    self.edges.push((one, other));
                }
            }
            Join => self.join_late(),
            Register => {
                if let (Some(one), Some(other)) = (self.pick(State::Live), self.pick(State::Live))
                    && one != other
                {
                    self.log.note(format_args!("register {other} with {one}"));
                    self.network.register(one, [other]).unwrap();
                    self.edges.push((one, other));
                }
            }
            Resolve => {
                if let Some(node) = self.pick(State::Live) {
                    self.log.note(format_args!("{node} resolves"));
                    let resolution = self.network.resolve(node).unwrap();
                    self.look_at(node, &resolution.chain);
                }
            }
            Lie => self.lie(),
            Answer => self.liars.iter().for_each(|liar| liar.answer(self.network, &self.best)),
            Settle => {
                // They need not; it must only come back.
                let settled = self.network.settle(5 * self.scale.tick);
                self.log.note(if settled.is_ok() { "settled" } else { "unsettled" });
            }
            Wait => self.wait(),
            Look => self.look(),
        }
    }
}
