//! A network of nodes in one thread: messages are lost, doubled and overtake each other, by a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use chainlab::{
    Answer, Command, Effect, Effects, Input, Limits, Message, Node, NodeConfig, NodeId, Rules, SearchId,
    Submitted, Ticket, Time, Transaction,
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::bench::{START, peer, proof_for, seconds};

pub(crate) struct Lab {
    pub(crate) nodes: Vec<Node>,
    rules: Arc<Rules>,
    /// Those of the first node; the others have the usual ones.
    limits: Limits,
    pub(crate) now: Time,
    /// What happens next: when, in which order, and to whom.
    queue: BTreeMap<(Time, u64), (usize, Input)>,
    count: u64,
    random: Xoshiro256PlusPlus,
    /// How many of 100 messages are lost, and how many come twice.
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    /// How many microseconds a message is under way.
    pub(crate) delay: Range<u64>,
    /// Whether the nodes take it that nothing is lost but for want of room.
    pub(crate) is_lossless: bool,
    cut: BTreeSet<(usize, usize)>,
    wakes: Vec<Option<Time>>,
    searches: Vec<Option<SearchId>>,
    answer: Option<Answer>,
    /// The messages sent, their bytes, and the transactions in them.
    pub(crate) sent: u64,
    pub(crate) bytes: u64,
    pub(crate) bodies: u64,
}

impl Lab {
    pub(crate) fn new(rules: Rules, limits: Limits, count: u32, seed: u64) -> Self {
        let rules = Arc::new(rules);
        let mut lab = Self {
            nodes: Vec::new(),
            rules,
            limits,
            now: START,
            queue: BTreeMap::new(),
            count: 0,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            lost: 0,
            doubled: 0,
            delay: 1000..1001,
            is_lossless: false,
            cut: BTreeSet::new(),
            wakes: vec![None; count as usize],
            searches: vec![None; count as usize],
            answer: None,
            sent: 0,
            bytes: 0,
            bodies: 0,
        };
        lab.nodes = (0..count).map(|number| lab.fresh(number)).collect();
        lab
    }

    fn fresh(&self, number: u32) -> Node {
        let limits = if number == 0 { self.limits } else { Limits::default() };
        let (rules, address) = (Arc::clone(&self.rules), format!("miner-{number}").into());
        Node::with_config(
            NodeConfig { id: peer(number), rules, address, limits, behaviour: Default::default() },
            START,
        )
        .unwrap()
    }

    pub(crate) fn connect(&mut self, one: usize, other: usize) {
        for (one, other) in [(one, other), (other, one)] {
            self.command(one, Command::Register(vec![NodeId::new(other as u32)]));
            self.tell(one, Input::LinkLoses(NodeId::new(other as u32), !self.is_lossless));
        }
    }

    /// Cuts a link, both ways, or mends it.
    pub(crate) fn cut(&mut self, one: usize, other: usize) {
        self.cut.extend([(one, other), (other, one)]);
    }

    pub(crate) fn mend(&mut self, one: usize, other: usize) {
        for (one, other) in [(one, other), (other, one)] {
            self.cut.remove(&(one, other));
            if self.nodes[one].peers().contains(&peer(other as u32)) {
                self.tell(one, Input::LinkUp(peer(other as u32)));
            }
        }
    }

    /// Restarts a node with nothing but its peers: what was under way to it and from it is lost.
    pub(crate) fn restart(&mut self, node: usize) {
        let peers = self.nodes[node].peers().to_vec();
        self.queue.retain(|_, (to, input)| {
            *to != node && !matches!(input, Input::Message(from, _) if from.index() == node)
        });
        self.nodes[node] = self.fresh(node as u32);
        (self.wakes[node], self.searches[node]) = (None, None);
        self.command(node, Command::Register(peers.clone()));
        for peer in &peers {
            self.tell(node, Input::LinkLoses(*peer, !self.is_lossless));
        }
        for peer in peers {
            self.mend(node, peer.index());
        }
    }

    pub(crate) fn submit(&mut self, node: usize, transaction: &Transaction) -> Option<Submitted> {
        match self.command(node, Command::Submit(transaction.clone())) {
            Some(Answer::Submit(submitted)) => submitted.ok(),
            other => panic!("{other:?} answers a submission"),
        }
    }

    pub(crate) fn mine(&mut self, node: usize) {
        self.command(node, Command::Mine);
        let search = self.searches[node].take().expect("mining is a search");
        let template = self.nodes[node].template(self.now, search).expect("the search goes on");
        let proof = proof_for(template.challenge, template.target);
        self.tell(node, Input::Found(search, proof));
    }

    fn command(&mut self, node: usize, command: Command) -> Option<Answer> {
        self.tell(node, Input::Command(Ticket(0), command));
        self.answer.take()
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: f64) {
        let until = self.now + seconds(duration);
        while let Some(next) = self.queue.first_entry().filter(|next| next.key().0 <= until) {
            let (at, _) = *next.key();
            let (node, input) = next.remove();
            // A wake-up that the node no longer asks for does not come.
            if matches!(input, Input::Wake) && self.wakes[node].take_if(|wake| *wake == at).is_none() {
                continue;
            }
            self.now = at;
            self.tell(node, input);
        }
        self.now = until;
    }

    fn push(&mut self, at: Time, node: usize, input: Input) {
        self.count += 1;
        self.queue.insert((at, self.count), (node, input));
    }

    fn tell(&mut self, node: usize, input: Input) {
        let mut effects = Effects::default();
        self.nodes[node].handle(self.now, input, &mut effects);
        for effect in effects.to_do {
            match effect {
                Effect::Send(to, message) => self.send(node, to, &message),
                Effect::Relay { except, message } => {
                    for to in self.nodes[node].peers().to_vec() {
                        if Some(to) != except {
                            self.send(node, to, &message);
                        }
                    }
                }
                Effect::Search(search, _) => self.searches[node] = Some(search),
                Effect::StopSearch => self.searches[node] = None,
                Effect::WakeAt(at) => {
                    self.wakes[node] = at;
                    if let Some(at) = at {
                        self.push(at, node, Input::Wake);
                    }
                }
                Effect::Answer(_, answer) => self.answer = Some(answer),
            }
        }
    }

    fn send(&mut self, from: usize, to: NodeId, message: &Message) {
        self.sent += 1;
        self.bytes += message.size();
        if let Message::Transactions { transactions, .. } = message {
            self.bodies += transactions.len() as u64;
        }
        let copies = 1 + u32::from(self.random.random_range(0..100) < self.doubled);
        for _ in 0..copies {
            let is_lost = self.random.random_range(0..100) < self.lost;
            if !is_lost && !self.cut.contains(&(from, to.index())) {
                let at =
                    self.now + std::time::Duration::from_micros(self.random.random_range(self.delay.clone()));
                self.push(at, to.index(), Input::Message(peer(from as u32), message.clone()));
            }
        }
    }

    /// The transactions of a node's chain but rewards.
    pub(crate) fn mined(&self, node: usize) -> BTreeSet<Transaction> {
        let transactions = self.nodes[node].chain().iter().flat_map(|block| block.transactions());
        transactions.filter(|transaction| !transaction.is_reward()).cloned().collect()
    }
}
