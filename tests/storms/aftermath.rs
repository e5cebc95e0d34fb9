//! What must come of a storm once it is over.

use std::collections::{BTreeMap, BTreeSet};

use chainlab::{Blockchain, Driver, LossReason, NodeId, Transaction, network::HashRate, wire::Link};

use crate::{
    rules::{SENDERS, address},
    storm::{PATIENCE, State, Storm},
};

impl<D: Driver> Storm<'_, D> {
    /// Ends every fault, and all mining.
    pub(crate) fn calm(&mut self) {
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
    pub(crate) fn agree(&mut self) {
        let mut waited = 0;
        loop {
            let unsettled = match self.network.settle(200 * self.scale.tick) {
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
    pub(crate) fn mine_what_is_pending(&mut self) {
        if self.random.percent(30) {
            let loss = [0.1, 0.3][self.random.below(2)];
            self.log.note(format_args!("every link loses {loss}"));
            self.network.set_default_link(Link::default().with_loss(loss).unwrap());
        }
        let miner = self.nodes[self.random.below(self.nodes.len())];
        self.log.note(format_args!("{miner} mines what is pending"));
        self.network
            .start_mining(miner, HashRate::per_second(1e3 * self.scale.rates.start as f64).unwrap())
            .unwrap();
        self.read_events();
        let before = self.mined;
        loop {
            let left = self.payable();
            if left.is_empty() {
                break;
            }
            let blocks = self.mined - before;
            assert!(
                blocks < 3000,
                "after {blocks} blocks these are pending and not mined: {}",
                self.holders(&left)
            );
            while self.mined - before == blocks {
                let event = self
                    .network
                    .next_event(&self.events, PATIENCE)
                    .expect("nothing happens, though a node mines");
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

    /// Where each of some transactions is pending.
    fn holders(&self, transactions: &[Transaction]) -> String {
        let pending = |node: &NodeId| self.network.pending(*node).unwrap();
        let holders = |transaction: &Transaction| {
            let nodes: Vec<_> =
                self.nodes.iter().filter(|node| pending(node).contains(transaction)).collect();
            format!("{transaction:?} at {nodes:?}; ")
        };
        transactions.iter().map(holders).collect()
    }

    fn all_stay_on(&mut self, chain: &Blockchain) -> bool {
        self.look();
        self.nodes.iter().all(|node| self.network.chain(*node).unwrap() == *chain)
    }

    /// By the notebook's rules one node gets strictly ahead, and all resolve: as often as the chain has nodes to pass.
    pub(crate) fn resolve_all(&mut self) {
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
    pub(crate) fn account_for_everything(&mut self) {
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
    }
}
