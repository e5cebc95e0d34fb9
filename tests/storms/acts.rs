//! What a storm does to a network.

use std::{ops::Range, time::Duration};

use chainlab::{
    Driver, NodeId, Transaction,
    network::{HashRate, Identity, RestartFrom},
    wire::{Latency, Link},
};

use crate::{
    rules::{SENDERS, address},
    storm::{PATIENCE, State, Storm},
};

impl<D: Driver> Storm<'_, D> {
    /// A new node joins, and knows one of the others.
    pub(crate) fn join_late(&mut self) {
        let Some(other) = self.pick(State::Live) else { return };
        let address = Some(format!("miner-{}", self.nodes.len()));
        let node = self.network.spawn_as(Identity { address, ..Identity::default() }).unwrap();
        self.log.note(format_args!("{node} joins by {other}"));
        self.nodes.push(node);
        self.states.insert(node, State::Live);
        self.network.connect(node, other).unwrap();
        self.edges.push((node, other));
    }

    pub(crate) fn submit(&mut self) {
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
    pub(crate) fn submit_again(&mut self) {
        let Some(node) = self.pick(State::Live) else { return };
        let Some(transaction) = self.random.pick(&self.submitted) else { return };
        self.submit_to(node, transaction);
    }

    pub(crate) fn submit_to(&mut self, node: NodeId, transaction: Transaction) {
        let answer = self.network.submit(node, transaction.clone());
        self.log.note(format_args!("submit {transaction:?} to {node}: {answer:?}"));
        if answer.is_ok() {
            self.accepted.insert(transaction);
        }
    }

    pub(crate) fn mine(&mut self) {
        // One that mines at a low rate would take its time.
        let idle: Vec<_> =
            self.in_state(State::Live).into_iter().filter(|node| !self.mining.contains(node)).collect();
        let Some(node) = self.random.pick(&idle) else { return };
        self.mine_at(node);
    }

    pub(crate) fn mine_at(&mut self, node: NodeId) {
        self.log.note(format_args!("{node} mines a block"));
        let forged = self.network.mine(node).unwrap();
        assert!(forged.transactions.last().unwrap().is_reward());
    }

    pub(crate) fn start_mining(&mut self) {
        let Range { start, end } = self.scale.rates;
        let attempts = start + self.random.next() % (end - start);
        let Some(node) = self.pick(State::Live) else { return };
        self.log.note(format_args!("{node} mines at {attempts}"));
        self.network.start_mining(node, HashRate::per_second(1e3 * attempts as f64).unwrap()).unwrap();
        self.mining.insert(node);
    }

    /// The live nodes that mine.
    pub(crate) fn miners(&self) -> Vec<NodeId> {
        self.mining.iter().copied().filter(|node| self.states[node] == State::Live).collect()
    }

    /// Waits until somebody has mined some blocks.
    pub(crate) fn grow(&mut self) {
        let blocks = 1 + self.random.below(6) as u64;
        if self.miners().is_empty() {
            return self.mine();
        }
        self.read_events();
        self.log.note(format_args!("wait for {blocks} blocks"));
        let wanted = self.mined + blocks;
        while self.mined < wanted {
            let event =
                self.network.next_event(&self.events, PATIENCE).expect("nothing happens, though nodes mine");
            self.note_event(event);
        }
    }

    /// Waits for what happens next, if it is soon.
    pub(crate) fn wait(&mut self) {
        let ticks = 1 + self.random.below(4) as u32;
        self.log.note(format_args!("wait for {ticks} ticks"));
        self.read_events();
        if let Some(event) = self.network.next_event(&self.events, ticks * self.scale.tick) {
            self.note_event(event);
        }
    }

    pub(crate) fn partition(&mut self) {
        let mut nodes = self.nodes.clone();
        self.random.shuffle(&mut nodes);
        let groups = 1 + self.random.below(3);
        let size = 1 + self.random.below(nodes.len());
        let groups: Vec<Vec<_>> = nodes.chunks(size).take(groups).map(<[_]>::to_vec).collect();
        self.log.note(format_args!("partition {groups:?}"));
        self.network.partition(groups).unwrap();
    }

    pub(crate) fn directed_edge(&mut self) -> Option<(NodeId, NodeId)> {
        let (one, other) = self.random.pick(&self.edges)?;
        Some(if self.random.percent(50) { (one, other) } else { (other, one) })
    }

    pub(crate) fn release(&mut self, from: NodeId, to: NodeId) {
        self.log.note(format_args!("release {from} to {to}"));
        self.network.release(from, to);
        self.held.remove(&(from, to));
    }

    pub(crate) fn draw_link(&mut self) -> Link {
        let random = &mut self.random;
        let mean = self.scale.tick.mul_f64(0.01 + 4.0 * random.uniform());
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
            // Half a block in a tick at the least.
            true => {
                let bytes = 500 + random.next() % 10_000;
                link.with_bandwidth((bytes as f64 / self.scale.tick.as_secs_f64()) as u64).unwrap()
            }
            false => link,
        }
    }

    pub(crate) fn crash(&mut self) {
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

    pub(crate) fn restart(&mut self, node: NodeId) {
        let from = if self.random.percent(40) { RestartFrom::Genesis } else { RestartFrom::Chain };
        self.log.note(format_args!("restart {node} from {from:?}"));
        self.network.restart(node, from).unwrap();
        self.states.insert(node, State::Live);
        if from == RestartFrom::Genesis {
            self.work.remove(&node);
        }
    }

    pub(crate) fn resume(&mut self, node: NodeId) {
        self.log.note(format_args!("resume {node}"));
        self.network.resume(node).unwrap();
        self.states.insert(node, State::Live);
    }

    pub(crate) fn lie(&mut self) {
        let liars = self.liars.len();
        if liars == 0 {
            return;
        }
        let at = self.random.below(liars);
        if self.random.percent(10) {
            // They may hear of it from the liar first, and ask it for what leads there.
            self.log.note(format_args!("{} tells all of a tip", self.liars[at].puppet));
            for &node in &self.nodes {
                self.liars[at].tell_of_tip(self.network, node, &self.best);
            }
            return;
        }
        for _ in 0..1 + self.random.below(4) {
            let to = self.nodes[self.random.below(self.nodes.len())];
            let what = self.liars[at].tell(self.network, &mut self.random, to, &self.best, &self.rules);
            self.log.note(format_args!("{} tells {to} {what}", self.liars[at].puppet));
        }
    }
}
