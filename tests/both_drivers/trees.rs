//! Random scripts over random trees.

use std::{collections::BTreeMap, time::Duration};

use chainlab::{
    Driver, NodeId, Relay, Rules, Time, Transaction,
    network::RestartFrom,
    wire::{Bandwidth, BlockCost, Latency, Link, Region, Regions},
};

use crate::{
    lab::{Lab, assert_same},
    random::Random,
    scripts::{START, resolving, sealed, spawn, told},
};

/// What a random script does to a network whose nodes form a tree, so that there is one way from each to each.
struct Script {
    random: Random,
    nodes: Vec<NodeId>,
    /// To whom of those before it each node is connected, but the first.
    parents: Vec<usize>,
    now: Time,
    down: Option<NodeId>,
    is_cut: bool,
    next_nonces: BTreeMap<usize, u64>,
    answers: Vec<String>,
}

impl Script {
    fn run<D: Driver>(seed: u64, steps: usize, lab: &Lab<D>) -> Vec<String> {
        let mut random = Random::new(seed);
        let nodes = spawn(lab, 2 + random.below(5));
        let parents: Vec<_> = (1..nodes.len()).map(|at| random.below(at)).collect();
        for (node, &parent) in nodes[1..].iter().zip(&parents) {
            lab.network.connect(nodes[parent], *node).unwrap();
        }
        let now = START + Duration::from_secs(nodes.len() as u64);
        let mut script = Self {
            random,
            nodes,
            parents,
            now,
            down: None,
            is_cut: false,
            next_nonces: BTreeMap::new(),
            answers: Vec::new(),
        };
        for _ in 0..steps {
            script.step(lab);
        }
        script.answers.push(told(lab.happened()));
        script.answers
    }

    fn up(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.iter().copied().filter(|node| Some(*node) != self.down)
    }

    /// Cuts the tree in two at one of its links.
    fn cut<D: Driver>(&mut self, lab: &Lab<D>) {
        let root = 1 + self.random.below(self.parents.len());
        let mut is_below = vec![false; self.nodes.len()];
        is_below[root] = true;
        for at in root + 1..self.nodes.len() {
            is_below[at] = is_below[self.parents[at - 1]];
        }
        let below = self.nodes.iter().zip(is_below).filter_map(|(node, is_below)| is_below.then_some(*node));
        lab.network.partition([below.collect::<Vec<_>>()]).unwrap();
        self.is_cut = true;
    }

    /// Does one thing, and waits until all that follows from it has happened.
    fn step<D: Driver>(&mut self, lab: &Lab<D>) {
        self.now += Duration::from_secs(1 + self.random.below(200) as u64);
        let network = lab.at(self.now);
        let is_whole = self.down.is_none() && !self.is_cut;
        let up: Vec<_> = self.up().collect();
        let node = up[self.random.below(up.len())];
        match self.random.below(15) {
            0..4 => self.answers.push(told(network.mine(node))),
            4 | 5 if is_whole => self.submit(lab, node),
            6 if is_whole => self.answers.push(told(network.resolve(node))),
            // The last of the nodes has one peer, which alone tells it what it missed.
            7 if is_whole => {
                let last = self.nodes[self.nodes.len() - 1];
                network.crash(last).unwrap();
                self.down = Some(last);
            }
            8 if self.down.is_some() => {
                let from = if self.random.percent(50) { RestartFrom::Genesis } else { RestartFrom::Chain };
                network.restart(self.down.take().expect("it was looked at"), from).unwrap();
                self.get_ahead(lab);
            }
            9 if is_whole => self.cut(lab),
            10 if self.is_cut => {
                network.heal();
                self.is_cut = false;
                self.get_ahead(lab);
            }
            11 if is_whole => self.hold(lab),
            12 | 13 => self.change_links(lab),
            _ => {
                network.pause(node).unwrap();
                self.answers.push(told(network.snapshot(node)));
                network.resume(node).unwrap();
            }
        }
        self.rest(lab);
    }

    /// Has a block wait at the end of a link that is held. Of two the threads would tell in whichever order.
    fn hold<D: Driver>(&mut self, lab: &Lab<D>) {
        let child = 1 + self.random.below(self.parents.len());
        let [child, parent] = [self.nodes[child], self.nodes[self.parents[child - 1]]];
        lab.network.hold(child, parent).unwrap();
        self.answers.push(told(lab.network.mine(child)));
        self.rest(lab);
        lab.network.release(child, parent);
    }

    /// Has messages take other times. How long that is by the clock of the threads is no longer than a test may wait.
    fn change_links<D: Driver>(&mut self, lab: &Lab<D>) {
        let network = &lab.network;
        let millis = Duration::from_millis(self.random.below(4) as u64);
        let link = Link::default().with_latency(Latency::fixed(millis));
        let bytes = 20_000_000 * (1 + self.random.below(9) as u64);
        let child = 1 + self.random.below(self.parents.len());
        let [child, parent] = [self.nodes[child], self.nodes[self.parents[child - 1]]];
        match self.random.below(6) {
            0 => network.set_default_link(link),
            1 => network.set_link(child, parent, link).unwrap(),
            2 => network.set_link(parent, child, link.with_bandwidth(bytes).unwrap()).unwrap(),
            3 => network.set_bandwidth(child, Bandwidth::new(bytes, 2 * bytes).unwrap()).unwrap(),
            4 => network.set_block_cost(BlockCost { bytes: Some(bytes / 100_000), validation: millis }),
            _ => {
                let region = |name: &str| Region {
                    name: name.into(),
                    share: 1.0,
                    bandwidth: Bandwidth::new(bytes, bytes).unwrap(),
                };
                let there = Latency::fixed(millis);
                let latency = vec![vec![Latency::ZERO, there], vec![there, Latency::ZERO]];
                let regions = Regions::new(vec![region("here"), region("there")], latency).unwrap();
                network.set_regions(self.random.percent(70).then_some(regions));
                self.answers.push(told(network.region(child).unwrap().map(|region| region.name)));
            }
        }
    }

    fn submit<D: Driver>(&mut self, lab: &Lab<D>, node: NodeId) {
        let sender = self.random.below(4);
        let nonce = self.next_nonces.entry(sender).or_default();
        let transaction = Transaction::new(format!("sender-{sender}"), format!("recipient-{nonce}"), *nonce);
        *nonce += 1;
        self.answers.push(told(lab.network.submit(node, transaction)));
    }

    /// Has a node mine where equally good chains stand side by side, which would do so for ever.
    fn get_ahead<D: Driver>(&mut self, lab: &Lab<D>) {
        if lab.network.rules().relay == Relay::None {
            return;
        }
        let chains: Vec<_> = self.up().map(|node| (node, lab.network.chain(node).unwrap())).collect();
        let work = chains.iter().map(|(_, chain)| chain.work()).max().expect("one at least is up");
        let mut best = chains.iter().filter(|(_, chain)| chain.work() == work);
        let (first, chain) = best.next().expect("one has the most");
        if best.any(|(_, other)| other != chain) {
            self.answers.push(told(lab.network.mine(*first)));
        }
    }

    fn rest<D: Driver>(&mut self, lab: &Lab<D>) {
        if lab.network.rules().relay != Relay::None {
            self.answers.push(told(lab.rest()));
        }
        for &node in &self.nodes {
            self.answers.push(told(lab.network.chain(node)));
        }
    }
}

#[test]
fn random_scripts_of_sealed_networks_are_the_same() {
    for seed in 0..10 {
        println!("seed {seed}");
        assert_same!(|lab: &_| Script::run(seed, 40, lab), sealed());
    }
}

#[test]
fn random_scripts_are_the_same_however_blocks_are_told_of() {
    for seed in 0..10 {
        println!("seed {seed}");
        let relay = match seed % 3 {
            0 => Relay::Announce,
            1 => Relay::Compact { fallback_percent: 0 },
            _ => Relay::Compact { fallback_percent: 30 },
        };
        assert_same!(|lab: &_| Script::run(seed, 40, lab), Rules { relay, ..sealed() });
    }
}

#[test]
fn random_scripts_of_networks_that_resolve_are_the_same() {
    for seed in 0..10 {
        println!("seed {seed}");
        assert_same!(|lab: &_| Script::run(seed, 40, lab), resolving());
    }
}
