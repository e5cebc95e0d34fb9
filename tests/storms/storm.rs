//! A storm: a network, and a seeded list of things that are done to it by one thread, without a pause but for what the
//! network itself gives to wait for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chainlab::{
    Blockchain, Difficulty, Event, Genesis, Happening, Limits, LossReason, Network, NodeId, Relay, Retarget,
    Rules, Transaction,
    network::{Clock, Config, Events, HashRate, Identity, RestartFrom},
    pow::{Target, Work},
    wire::{Latency, Link, Topology},
};

use crate::{
    liar::{self, Liar},
    model::Model,
    random::Random,
    validator::{NotebookValidator, Validator},
    watchdog::Log,
};

/// What one event may keep the storm waiting for, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a sender has from the start; it never spends half of it.
const COINS: u64 = 1_000_000;

struct Storm<'a> {
    /// What the network draws from.
    seed: u64,
    /// What the storm draws from.
    random: Random,
    network: Arc<Network>,
    rules: Rules,
    log: &'a Log,
    events: Events,
    validator: Judge,
    nodes: Vec<NodeId>,
    liars: Vec<Liar>,
    states: BTreeMap<NodeId, State>,
    mining: BTreeSet<NodeId>,
    /// Who was connected with whom.
    edges: Vec<(NodeId, NodeId)>,
    held: BTreeSet<(NodeId, NodeId)>,
    set: BTreeSet<(NodeId, NodeId)>,
    /// The work of each node's chain when it was looked at last.
    work: BTreeMap<NodeId, Work>,
    best: Blockchain,
    next_nonces: BTreeMap<usize, u64>,
    submitted: Vec<Transaction>,
    /// The submitted transactions that a node took in.
    accepted: BTreeSet<Transaction>,
    lost: BTreeMap<Transaction, BTreeSet<LossReason>>,
    mined: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Paused,
    Down,
}

enum Judge {
    Sealed(Box<Validator>),
    Notebook(NotebookValidator),
}

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
    (12, Look),
];

/// Any network of the sealed rules: a block every two milliseconds or so, the target following every 8 blocks.
fn sealed_rules() -> Rules {
    let allocations = (0..SENDERS).map(|sender| (address(sender).into(), COINS));
    let mut allocations: BTreeMap<Arc<str>, u64> = allocations.collect();
    allocations.insert(liar::ADDRESS.into(), 1000);
    let spacing = Duration::from_millis(2);
    let retarget = Retarget::new(Target::from_expected_hashes(300), 8, spacing).unwrap();
    Rules {
        difficulty: Difficulty::Retargeted(retarget.with_back_max(spacing)),
        genesis: Genesis::Shared { time: None, allocations },
        payments_max: 19,
        block_bytes_max: 1000,
        ahead_max: Duration::from_millis(5),
        ..Rules::sealed()
    }
}

fn notebook_rules() -> Rules {
    let target = Target::leading_hex_zeros(2);
    Rules::notebook().with_first_target(target)
}

const SENDERS: usize = 12;

fn address(sender: usize) -> String {
    format!("sender-{sender}")
}

/// Five to forty nodes by the sealed rules.
pub(crate) fn sealed(seed: u64, log: &Log) {
    let mut random = Random::new(seed);
    let count = 5 + random.below(36);
    let mut storm = Storm::start(random, count, sealed_rules(), log);
    storm.rage(SEALED);
    storm.calm();
    storm.agree();
    storm.mine_what_is_pending();
    storm.agree();
    storm.account_for_everything();
}

/// Three to twelve nodes by the notebook's rules.
pub(crate) fn notebook(seed: u64, log: &Log) {
    let mut random = Random::new(seed);
    let count = 3 + random.below(10);
    let mut storm = Storm::start(random, count, notebook_rules(), log);
    storm.rage(NOTEBOOK);
    storm.calm();
    storm.resolve_all();
    storm.account_for_everything();
}

impl<'a> Storm<'a> {
    fn start(mut random: Random, count: usize, rules: Rules, log: &'a Log) -> Self {
        let limits = Limits {
            resolve_timeout: Duration::from_millis(20),
            mempool: if random.percent(20) { 30 } else { 10_000 },
            orphans: if random.percent(20) { 3 } else { 64 },
            kept_bytes: if random.percent(20) { 1000 } else { 4_000_000 },
            side_branches: if random.percent(20) { 1 } else { 16 },
            bad_blocks: 20,
            announce_again: Duration::from_millis(20),
            announce_again_max: Duration::from_millis(500),
        };
        let unread_max = if random.percent(20) { 8 } else { 1024 };
        // Some clocks are ahead of others by more than a block may be.
        let skew = if random.percent(30) { 20 * random.below(1000) as u64 } else { 0 };
        let wall = Clock::wall();
        let clock = Clock::given(move |node| {
            wall.now(node) + Duration::from_micros(skew * (node.index() % 4) as u64 / 3)
        });
        let seed = random.next();
        let config = Config { limits, unread_max, seed, clock, ..Config::default() };
        log.note(format_args!("{count} nodes, {limits:?}, unread_max {unread_max}, skew {skew} µs"));
        let network = Arc::new(Network::with_config(rules, config));
        log.watch(&network);
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
            seed,
            random,
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
        self.network.join(&topology).unwrap();
        self.edges = topology.edges(count, self.seed).unwrap();
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
            let liar = Liar { network: Arc::clone(&self.network), puppet: self.network.puppet().unwrap() };
            for _ in 0..1 + self.random.below(3) {
                let node = self.nodes[self.random.below(count)];
                self.network.connect(node, liar.puppet).unwrap();
            }
            self.liars.push(liar);
        }
    }

    /// A new node joins, and knows one of the others.
    fn join_late(&mut self) {
        let Some(other) = self.pick(State::Live) else { return };
        let address = Some(format!("miner-{}", self.nodes.len()));
        let node = self.network.spawn_as(Identity { address, ..Identity::default() }).unwrap();
        self.log.note(format_args!("{node} joins by {other}"));
        self.nodes.push(node);
        self.states.insert(node, State::Live);
        self.network.connect(node, other).unwrap();
        self.edges.push((node, other));
    }

    fn rage(&mut self, actions: &[(usize, Action)]) {
        for _ in 0..80 + self.random.below(160) {
            let action = self.random.weighted(actions);
            self.act(action);
        }
        self.look();
    }

    fn in_state(&self, state: State) -> Vec<NodeId> {
        self.nodes.iter().copied().filter(|node| self.states[node] == state).collect()
    }

    fn pick(&mut self, state: State) -> Option<NodeId> {
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
            Answer => self.liars.iter().for_each(|liar| liar.answer(&self.best)),
            Settle => {
                // They need not; it must only come back.
                let settled = self.network.settle(Duration::from_millis(5));
                self.log.note(if settled.is_ok() { "settled" } else { "unsettled" });
            }
            Look => self.look(),
        }
    }

    fn submit(&mut self) {
        let Some(node) = self.pick(State::Live) else { return };
        let sender = self.random.below(SENDERS);
        let nonce = self.next_nonces.entry(sender).or_default();
        let (number, amount) = (*nonce, 1 + self.random.next() % 50);
        *nonce += 1;
        let recipient = self.random.below(SENDERS);
        // Where no accounts are kept the recipient tells one from another.
        let transaction = match self.rules.accounts {
            true => Transaction::new(address(sender), address(recipient), amount).with_nonce(number),
            false => Transaction::new(address(sender), format!("recipient-{number}"), amount),
        };
        self.submit_to(node, transaction.clone());
        self.submitted.push(transaction);
    }

    /// Gives a transaction that one node knows to another, or to the same.
    fn submit_again(&mut self) {
        let Some(node) = self.pick(State::Live) else { return };
        let Some(transaction) = self.random.pick(&self.submitted) else { return };
        self.submit_to(node, transaction);
    }

    fn submit_to(&mut self, node: NodeId, transaction: Transaction) {
        let answer = self.network.submit(node, transaction.clone());
        self.log.note(format_args!("submit {transaction:?} to {node}: {answer:?}"));
        if answer.is_ok() {
            self.accepted.insert(transaction);
        }
    }

    fn mine(&mut self) {
        // One that mines at a low rate would take its time.
        let idle: Vec<_> =
            self.in_state(State::Live).into_iter().filter(|node| !self.mining.contains(node)).collect();
        let Some(node) = self.random.pick(&idle) else { return };
        self.mine_at(node);
    }

    fn mine_at(&mut self, node: NodeId) {
        self.log.note(format_args!("{node} mines a block"));
        let forged = self.network.mine(node).unwrap();
        assert!(forged.transactions.last().unwrap().is_reward());
    }

    fn start_mining(&mut self) {
        let attempts = 1e3 * (10 + self.random.below(90)) as f64;
        let Some(node) = self.pick(State::Live) else { return };
        self.log.note(format_args!("{node} mines at {attempts} a second"));
        self.network.start_mining(node, HashRate::per_second(attempts).unwrap()).unwrap();
        self.mining.insert(node);
    }

    /// The live nodes that mine.
    fn miners(&self) -> Vec<NodeId> {
        self.mining.iter().copied().filter(|node| self.states[node] == State::Live).collect()
    }

    /// Waits until somebody has mined some blocks.
    fn grow(&mut self) {
        let blocks = 1 + self.random.below(6) as u64;
        if self.miners().is_empty() {
            return self.mine();
        }
        self.read_events();
        self.log.note(format_args!("wait for {blocks} blocks"));
        let wanted = self.mined + blocks;
        while self.mined < wanted {
            let event = self.events.next_timeout(PATIENCE).expect("nothing happens, though nodes mine");
            self.note_event(event);
        }
    }

    fn partition(&mut self) {
        let mut nodes = self.nodes.clone();
        self.random.shuffle(&mut nodes);
        let groups = 1 + self.random.below(3);
        let size = 1 + self.random.below(nodes.len());
        let groups: Vec<Vec<_>> = nodes.chunks(size).take(groups).map(<[_]>::to_vec).collect();
        self.log.note(format_args!("partition {groups:?}"));
        self.network.partition(groups).unwrap();
    }

    fn directed_edge(&mut self) -> Option<(NodeId, NodeId)> {
        let (one, other) = self.random.pick(&self.edges)?;
        Some(if self.random.percent(50) { (one, other) } else { (other, one) })
    }

    fn release(&mut self, from: NodeId, to: NodeId) {
        self.log.note(format_args!("release {from} to {to}"));
        self.network.release(from, to);
        self.held.remove(&(from, to));
    }

    fn draw_link(&mut self) -> Link {
        let random = &mut self.random;
        let micros = |micros: f64| Duration::from_nanos((micros * 1e3) as u64);
        let mean = micros(10.0 + 4000.0 * random.uniform());
        let latency = match random.below(8) {
            0 => Latency::fixed(mean),
            1 => Latency::uniform(Duration::ZERO, 2 * mean).unwrap(),
            2 => Latency::normal(mean, mean / 3),
            3 => Latency::log_normal(mean, 0.8).unwrap(),
            4 => Latency::exponential(mean),
            5 => Latency::pareto(mean / 4, 3.0).unwrap(),
            _ => Latency::ZERO,
        };
        let loss = [0.0, 0.0, 0.02, 0.1, 0.3, 0.7, 1.0][random.below(7)];
        let link = Link::default().with_latency(latency).with_loss(loss).unwrap();
        let link = link.with_order(random.percent(70));
        match random.percent(25) {
            true => link.with_bandwidth(500_000 + random.next() % 10_000_000).unwrap(),
            false => link,
        }
    }

    fn crash(&mut self) {
        let from = if self.random.percent(15) { State::Paused } else { State::Live };
        // Some are always there to be asked.
        if self.in_state(State::Down).len() >= self.nodes.len() / 2 {
            return;
        }
        let Some(node) = self.pick(from) else { return };
        self.log.note(format_args!("crash {node}"));
        self.network.crash(node).unwrap();
        self.states.insert(node, State::Down);
        self.mining.remove(&node);
        if self.random.percent(40) {
            self.restart(node);
        }
    }

    fn restart(&mut self, node: NodeId) {
        let from = if self.random.percent(40) { RestartFrom::Genesis } else { RestartFrom::Chain };
        self.log.note(format_args!("restart {node} from {from:?}"));
        self.network.restart(node, from).unwrap();
        self.states.insert(node, State::Live);
        if from == RestartFrom::Genesis {
            self.work.remove(&node);
        }
    }

    fn resume(&mut self, node: NodeId) {
        self.log.note(format_args!("resume {node}"));
        self.network.resume(node).unwrap();
        self.states.insert(node, State::Live);
    }

    fn lie(&mut self) {
        let liars = self.liars.len();
        if liars == 0 {
            return;
        }
        let at = self.random.below(liars);
        for _ in 0..1 + self.random.below(4) {
            let to = self.nodes[self.random.below(self.nodes.len())];
            let what = self.liars[at].tell(&mut self.random, to, &self.best, &self.rules);
            self.log.note(format_args!("{} tells {to} {what}", self.liars[at].puppet));
        }
    }

    /// Looks at every live node's chain.
    fn look(&mut self) {
        self.read_events();
        for node in self.in_state(State::Live) {
            let chain = self.network.chain(node).unwrap();
            self.look_at(node, &chain);
        }
    }

    /// Each chain is valid, and its work never falls but by a restart from the genesis.
    fn look_at(&mut self, node: NodeId, chain: &Blockchain) {
        let verdict = match &mut self.validator {
            Judge::Sealed(validator) => validator.judge(chain),
            Judge::Notebook(validator) => validator.judge(chain),
        };
        if let Err(wrong) = verdict {
            panic!("{node} has a chain that is not valid: {wrong}");
        }
        let before = self.work.insert(node, chain.work());
        assert!(before.is_none_or(|before| chain.work() >= before), "{node}: the work fell from {before:?}");
        if chain.is_better_than(&self.best, &self.rules) {
            self.best = chain.clone();
        }
    }

    fn read_events(&mut self) {
        while let Some(event) = self.events.try_next() {
            self.note_event(event);
        }
    }

    /// Nobody honest is ever found to lie.
    fn note_event(&mut self, event: Event) {
        let is_liar = |from: NodeId| self.liars.iter().any(|liar| liar.puppet == from);
        match event.what {
            Happening::Mined { .. } => self.mined += 1,
            Happening::Lost { transaction, reason } => {
                self.lost.entry(transaction).or_default().insert(reason);
            }
            Happening::Rejected { from, .. }
            | Happening::RejectedDocument { from, .. }
            | Happening::Banned { peer: from } => assert!(is_liar(from), "{event:?}"),
            Happening::Panicked { .. } => panic!("{event:?}"),
            _ => {}
        }
    }

    /// Ends every fault, and all mining.
    fn calm(&mut self) {
        self.log.note("the storm is over");
        for node in self.in_state(State::Paused) {
            self.resume(node);
        }
        for node in self.miners() {
            self.network.stop_mining(node).unwrap();
        }
        self.mining.clear();
        for node in self.in_state(State::Down) {
            self.restart(node);
        }
        for (from, to) in std::mem::take(&mut self.held) {
            self.release(from, to);
        }
        for &(from, to) in &self.set {
            self.network.set_link(from, to, Link::default()).unwrap();
        }
        self.network.set_default_link(Link::default());
        self.network.heal();
        for &(one, other) in &self.edges {
            self.network.connect(one, other).unwrap();
        }
    }

    /// Lets the network settle, and one node mine whenever equally good chains stand side by side.
    fn agree(&mut self) {
        let mut waited = 0;
        loop {
            let unsettled = match self.network.settle(Duration::from_millis(200)) {
                Ok(settled) if self.all_stay_on(settled.chain().unwrap()) => return,
                // Something was still under way.
                Ok(_) => continue,
                Err(unsettled) => unsettled,
            };
            let work = unsettled.standings.iter().map(|(_, chain)| chain.work()).max().unwrap();
            let ahead: Vec<_> =
                unsettled.standings.iter().filter(|(_, chain)| chain.work() == work).cloned().collect();
            if ahead.iter().any(|(_, chain)| *chain != ahead[0].1) {
                self.mine_at(ahead[0].0);
                waited = 0;
            } else {
                // One is strictly ahead: all others must follow.
                waited += 1;
                assert!(waited < 300, "they do not settle: {unsettled}");
            }
        }
    }

    /// Under any loss below 1 every payable transaction of a live node is mined once all links are up and mining goes on.
    fn mine_what_is_pending(&mut self) {
        if self.random.percent(30) {
            let loss = [0.1, 0.3][self.random.below(2)];
            self.log.note(format_args!("every link loses {loss}"));
            self.network.set_default_link(Link::default().with_loss(loss).unwrap());
        }
        let miner = self.nodes[self.random.below(self.nodes.len())];
        self.log.note(format_args!("{miner} mines what is pending"));
        self.network.start_mining(miner, HashRate::per_second(30e3).unwrap()).unwrap();
        self.read_events();
        let before = self.mined;
        loop {
            let left = self.payable();
            if left.is_empty() {
                break;
            }
            let blocks = self.mined - before;
            assert!(blocks < 3000, "after {blocks} blocks these are pending and not mined: {left:?}");
            while self.mined - before == blocks {
                let event = self.events.next_timeout(PATIENCE).expect("nothing happens, though a node mines");
                self.note_event(event);
            }
        }
        self.network.stop_mining(miner).unwrap();
        self.network.set_default_link(Link::default());
    }

    /// What is pending at any node of the senders, each of whom has enough, and not of a nonce that follows a lost one.
    fn payable(&self) -> Vec<Transaction> {
        let pending: BTreeSet<_> =
            self.nodes.iter().flat_map(|node| self.network.pending(*node).unwrap()).collect();
        // The nodes' tips may differ by what was mined just now.
        let chains = self.nodes.iter().map(|node| self.network.chain(*node).unwrap());
        let best = chains.max_by_key(Blockchain::work).expect("there are nodes");
        let mut payable = Vec::new();
        for sender in (0..SENDERS).map(address) {
            let next = best.account(&sender).nonce;
            let mut own: Vec<_> = pending.iter().filter(|pending| pending.sender() == sender).collect();
            own.sort_by_key(|pending| pending.nonce());
            let own = own.into_iter().skip_while(|pending| pending.nonce() < Some(next)).zip(next..);
            let own = own.take_while(|(pending, next)| pending.nonce() == Some(*next));
            payable.extend(own.map(|(pending, _)| pending.clone()));
        }
        payable
    }

    fn all_stay_on(&mut self, chain: &Blockchain) -> bool {
        self.look();
        self.nodes.iter().all(|node| self.network.chain(*node).unwrap() == *chain)
    }

    /// By the notebook's rules one node gets strictly ahead, and all resolve: as often as the chain has nodes to pass.
    fn resolve_all(&mut self) {
        let ahead = self.nodes[self.random.below(self.nodes.len())];
        let rounds = self.nodes.len() + 100;
        for round in 0..rounds {
            let mut silent = 0;
            for node in self.nodes.clone() {
                let resolution = self.network.resolve(node).unwrap();
                self.look_at(node, &resolution.chain);
                silent += resolution.silent.iter().filter(|peer| self.states.contains_key(peer)).count();
            }
            let chains: Vec<_> = self.nodes.iter().map(|node| self.network.chain(*node).unwrap()).collect();
            self.log.note(format_args!("round {round}: {silent} silent; {chains:?}"));
            let longest = chains.iter().map(Blockchain::len).max().unwrap();
            if chains.iter().all(|chain| *chain == chains[0]) {
                return;
            }
            if chains.iter().all(|chain| chain.len() == longest) {
                self.mine_at(ahead);
            }
        }
        panic!("they do not agree after {rounds} rounds");
    }

    /// Of the distinct transactions that were taken in each is at most once in the agreed chain, and in it, pending
    /// somewhere, or reported as lost.
    fn account_for_everything(&mut self) {
        let chain = self.network.chain(self.nodes[0]).unwrap();
        let mut counts: BTreeMap<Transaction, usize> = BTreeMap::new();
        for transaction in chain.iter().flat_map(|block| block.transactions()) {
            *counts.entry(transaction.clone()).or_default() += 1;
        }
        let pending: BTreeSet<_> =
            self.nodes.iter().flat_map(|node| self.network.pending(*node).unwrap()).collect();
        self.look();
        for &node in &self.nodes {
            assert_eq!(self.network.chain(node).unwrap(), chain, "{node} changed its mind");
        }
        for transaction in &self.submitted {
            let count = counts.get(transaction).copied().unwrap_or(0);
            assert!(count <= 1, "{transaction:?} is {count} times in the chain");
            assert!(count == 0 || self.accepted.contains(transaction), "{transaction:?} was refused");
        }
        for transaction in &self.accepted {
            let found = counts.contains_key(transaction) || pending.contains(transaction);
            let reasons = self.lost.get(transaction);
            assert!(found || reasons.is_some(), "{transaction:?} is gone, and nobody says why");
            // Nobody else uses its nonce, and its sender has enough: nothing else can befall it.
            for reason in reasons.into_iter().flatten() {
                assert!(
                    matches!(reason, LossReason::Crashed | LossReason::Evicted),
                    "{transaction:?}: {reason:?}"
                );
            }
        }
        assert_eq!(self.events.lost(), 0);
        let report = self.network.report();
        assert_eq!(report.mined, self.mined);
        println!(
            "  {} nodes, {} blocks mined, {} in the chain, {} reorganisations, {} transactions taken in, {} lost somewhere",
            self.nodes.len(),
            report.mined,
            chain.len(),
            report.reorganisations.values().sum::<u64>(),
            self.accepted.len(),
            self.lost.len(),
        );
        assert_eq!(self.network.shutdown(), Ok(()));
    }
}
