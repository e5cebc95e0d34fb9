//! The same lies, told by puppets to five live nodes: their chains are unmoved, and they go on mining and agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chainlab::{
    Block, Blockchain, Difficulty, Event, Happening, Limits, Message, Network, NodeId, RequestId, Rules,
    Time, Told,
    network::{Clock, Config, Events},
    wire::Topology,
};

use crate::{
    blocks::{Lie, lies},
    lab::{NOW, START, bare, document, grown_by, rules, spend},
};

/// Far beyond what any of it takes; nothing waits for it unless something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Five nodes that all know each other, on a clock that the test moves.
struct Live {
    network: Network,
    nodes: Vec<NodeId>,
    nanos: Arc<AtomicU64>,
    events: Events,
}

impl Live {
    fn new(limits: Limits) -> Self {
        let nanos = Arc::new(AtomicU64::new(START.as_nanos()));
        let clock = Arc::clone(&nanos);
        let clock = Clock::given(move |_| Time::from_nanos(clock.load(Ordering::SeqCst)));
        let network = Network::with_config(rules(), Config { clock, limits, ..Config::default() });
        let nodes: Vec<_> = (0..5).map(|_| network.spawn().unwrap()).collect();
        network.join(&Topology::Complete).unwrap();
        let events = network.events_with_capacity(1_000_000);
        Self { network, nodes, nanos, events }
    }

    fn pass(&self, duration: Duration) {
        self.nanos.fetch_add(duration.as_nanos() as u64, Ordering::SeqCst);
    }

    /// Has one node mine the chain that the lies are about: so fast that the next block is to meet a harder target.
    fn mine_the_honest_chain(&self) -> Blockchain {
        let miner = self.nodes[0];
        self.network.submit(miner, spend("bob", 0, 60)).unwrap();
        for _ in 0..7 {
            self.pass(Duration::from_millis(100));
            self.network.mine(miner).unwrap();
        }
        self.nanos.store(NOW.as_nanos(), Ordering::SeqCst);
        let settled = self.network.settle(PATIENCE).unwrap();
        settled.chain().unwrap().clone()
    }

    /// A puppet that all nodes have for a peer.
    fn puppet(&self) -> NodeId {
        let puppet = self.network.puppet().unwrap();
        for &node in &self.nodes {
            self.network.connect(node, puppet).unwrap();
        }
        puppet
    }

    fn next_event(&self) -> Event {
        self.events.next_timeout(PATIENCE).expect("something happens")
    }

    /// Waits until a node has handled all that a puppet said before, and answers its questions meanwhile.
    fn wait_until_read(&self, puppet: NodeId, answer: impl Fn(NodeId, RequestId) -> Message) {
        let request = RequestId(u64::MAX);
        for &node in &self.nodes {
            self.network.say(puppet, node, Message::ChainRequest { request }).unwrap();
        }
        let mut waiting: BTreeSet<_> = self.nodes.iter().copied().collect();
        while !waiting.is_empty() {
            match self.network.hear(puppet, PATIENCE).unwrap().expect("everybody is answered") {
                (from, Message::Chain { request: RequestId(u64::MAX), .. }) => {
                    waiting.remove(&from);
                }
                (from, Message::BlocksRequest { request, .. }) => {
                    self.network.say(puppet, from, answer(from, request)).unwrap()
                }
                _ => {}
            }
        }
    }

    fn assert_all_stand_on(&self, chain: &Blockchain) {
        for &node in &self.nodes {
            assert_eq!(self.network.chain(node).unwrap(), *chain, "{node}");
        }
    }
}

#[test]
fn five_live_nodes_refuse_every_lie_and_go_on() {
    let live = Live::new(Limits { bad_blocks: u32::MAX, ..Limits::default() });
    let chain = live.mine_the_honest_chain();
    let rules = live.network.rules().clone();
    let (liar, other) = (live.puppet(), live.puppet());

    every_lie_is_refused(&live, liar, &chain, &rules);
    live.assert_all_stand_on(&chain);
    chains_and_answers_change_nothing(&live, other, &chain, &rules);
    live.assert_all_stand_on(&chain);

    // A puppet that says nothing is waited for, and named.
    let resolution = live.network.resolve(live.nodes[1]).unwrap();
    assert!(resolution.silent.contains(&liar) && resolution.silent.contains(&other));
    assert_eq!(resolution.chain, chain);

    let told = they_go_on_mining(&live, liar, &rules);
    let settled = (0..20).find_map(|_| {
        live.pass(Duration::from_secs(2));
        live.network.mine(live.nodes[0]).unwrap();
        live.network.settle(Duration::from_secs(5)).ok()
    });
    let settled = settled.expect("all agree on a chain that is strictly ahead");
    let agreed = settled.chain().unwrap();
    assert_eq!(settled.groups[0].nodes, live.nodes);
    assert!(agreed.len() >= 30 && chain.is_start_of(agreed));
    assert_eq!(Blockchain::from_json(&agreed.to_json(), &rules).as_ref(), Ok(agreed));
    assert!(agreed.iter().all(|block| !told.contains(block)), "no lie is in the chain");
    live.network.shutdown().unwrap();
}

fn every_lie_is_refused(live: &Live, liar: NodeId, chain: &Blockchain, rules: &Rules) {
    let lies = lies(chain, rules);
    for &node in &live.nodes {
        for Lie { block, .. } in &lies {
            live.network.say(liar, node, Message::NewBlock(block.clone().into())).unwrap();
        }
    }
    let stray = &lies.iter().find(|lie| lie.name == "wrong previous hash").unwrap().block;
    let answer = |_, request| Message::Blocks { request, after: chain.len(), blocks: stray.clone().into() };
    live.wait_until_read(liar, answer);
    let mut found: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
    while found.values().map(Vec::len).sum::<usize>() < lies.len() * live.nodes.len() {
        if let Event { node, what: Happening::Rejected { from, invalid }, .. } = live.next_event() {
            assert_eq!(from, liar);
            found.entry(node).or_default().push(invalid.violation.to_string());
        }
    }
    let mut expected: Vec<_> = lies.iter().map(|lie| lie.violation.to_string()).collect();
    expected.sort();
    for (node, mut found) in found {
        found.sort();
        assert_eq!(found, expected, "{node}");
    }
}

fn chains_and_answers_change_nothing(live: &Live, liar: NodeId, chain: &Blockchain, rules: &Rules) {
    let longer = grown_by(&chain.at(1).unwrap(), rules, 2.0, 17);
    let lenient = Rules { difficulty: Difficulty::Fixed(rules.difficulty.first_target()), ..rules.clone() };
    let foreign = grown_by(&chain.verify(&lenient).unwrap(), &lenient, 0.1, 9);
    for &node in &live.nodes {
        for told in
            [Told::from(longer.clone()), foreign.clone().into(), Told::Document("[".repeat(100_000).into())]
        {
            live.network.say(liar, node, Message::NewBlock(told)).unwrap();
        }
        for request in (0..50).map(RequestId) {
            let unasked = Message::Chain { request, chain: longer.clone().into() };
            live.network.say(liar, node, unasked.clone()).unwrap();
            live.network.say(liar, node, unasked).unwrap();
            live.network
                .say(liar, node, Message::Blocks { request, after: 1, blocks: bare(&longer, 1) })
                .unwrap();
        }
    }
    // To every question each node gets all of it, and the same again.
    let answer = |node: NodeId, request| {
        for blocks in [foreign.clone().into(), longer.clone().into(), document(&foreign)] {
            live.network.say(liar, node, Message::Blocks { request, after: 1, blocks }).unwrap();
        }
        Message::Blocks { request, after: 1, blocks: longer.clone().into() }
    };
    live.wait_until_read(liar, answer);
    live.wait_until_read(liar, answer);
}

/// All mine in turn, while lies are told about the latest block. Returns the lies.
///
/// Each block is waited for: miners that ran freely would be ahead of the clock on a busy machine, and find the target ever
/// harder.
fn they_go_on_mining(live: &Live, liar: NodeId, rules: &Rules) -> Vec<Block> {
    let mut told = Vec::new();
    for (&miner, block) in live.nodes.iter().cycle().zip(9..=30) {
        // About the wanted time, so that the target stays about what it is.
        live.pass(Duration::from_millis(1400));
        live.network.mine(miner).unwrap();
        // What the lies say of time is one where the next block starts a window.
        if block % 4 == 0 {
            let lies = lies(&live.network.chain(miner).unwrap(), rules);
            for (&node, lie) in live.nodes.iter().flat_map(|node| lies.iter().map(move |lie| (node, lie))) {
                live.network.say(liar, node, Message::NewBlock(lie.block.clone().into())).unwrap();
            }
            told.extend(lies.into_iter().map(|lie| lie.block));
        }
        live.network.settle(PATIENCE).unwrap();
    }
    told
}

#[test]
fn a_liar_is_banned_once_by_each_node_and_the_others_are_heard() {
    let live = Live::new(Limits { bad_blocks: 5, ..Limits::default() });
    let chain = live.mine_the_honest_chain();
    let rules = live.network.rules().clone();
    let (liar, friend) = (live.puppet(), live.puppet());
    let lies = lies(&chain, &rules);
    let better = grown_by(&chain, &rules, 2.0, 1);
    for &node in &live.nodes {
        for lie in lies.iter().filter(|lie| lie.name != "wrong previous hash").take(9) {
            live.network.say(liar, node, Message::NewBlock(lie.block.clone().into())).unwrap();
        }
        live.network.say(liar, node, Message::NewBlock(better.last_block().clone().into())).unwrap();
    }
    // The friend's answers come from the same inboxes, but nothing says that the liar's messages came before.
    let mut banned = BTreeMap::new();
    let mut deaf = BTreeMap::new();
    while deaf.values().sum::<u32>() < 25 {
        let Event { node, what, .. } = live.next_event();
        match what {
            Happening::Banned { peer } => {
                assert_eq!(peer, liar);
                *banned.entry(node).or_insert(0) += 1;
            }
            Happening::Ignored { from, .. } if from == liar => *deaf.entry(node).or_insert(0) += 1,
            Happening::Accepted { from, .. } => assert_ne!(from, liar),
            _ => {}
        }
    }
    assert!(banned.len() == 5 && banned.values().all(|&times| times == 1), "{banned:?}");
    assert!(deaf.values().all(|&times| times == 5), "four bad blocks and a good one: {deaf:?}");
    live.assert_all_stand_on(&chain);
    live.network.say(friend, live.nodes[2], Message::NewBlock(better.last_block().clone().into())).unwrap();
    while live.next_event().what
        != (Happening::Accepted { block: better.tip_hash(), position: 9, from: friend })
    {}
    assert_eq!(live.network.settle(PATIENCE).unwrap().chain(), Some(&better));
    live.network.shutdown().unwrap();
}
