//! What is done to a network: random steps, and how a simulation takes each.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::setup::{NODES, Setup, judge, lie};
use crate::{
    Simulation,
    blockchain::MineError,
    command::{Forged, Resolution},
    message::{Message, NodeId},
    transaction::Transaction,
    verbs::{CallError, HashRate, RestartFrom, Settled, Unsettled},
    wire::{Bandwidth, BlockCost, Latency, Link},
};

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect(NodeId, NodeId),
    /// The one has the other for a peer.
    Register(NodeId, NodeId),
    Disconnect(NodeId, NodeId),
    /// A node comes late, and gets a peer.
    Join(NodeId),
    /// A puppet comes, and somebody takes it for a peer.
    Puppet(NodeId),
    Say(NodeId, NodeId, u8),
    Hear(NodeId, Duration),
    /// It mines block after block, with so many attempts a second.
    Mine(NodeId, u32),
    Stop(NodeId),
    /// It mines a block within so long.
    MineOne(NodeId, Duration),
    Resolve(NodeId, Duration),
    Submit(NodeId, u64),
    /// It is submitted so much later.
    Plan(Duration, NodeId, u64),
    SetLink(NodeId, NodeId, Link),
    SetDefault(Link),
    SetCost(BlockCost),
    SetBandwidth(NodeId, Bandwidth),
    Judge(u8),
    ClearJudge,
    Partition(NodeId),
    Heal,
    Hold(NodeId, NodeId),
    Release(NodeId, NodeId),
    Crash(NodeId),
    Restart(NodeId, RestartFrom),
    Pause(NodeId),
    Resume(NodeId),
    Settle(Duration),
    CountFromNow,
    Pass(Duration),
    /// Time passes until a block is found, and stops before it has come to anybody.
    Find,
}

/// What is seen of a message that is heard.
pub(super) fn heard(message: Option<(NodeId, Message)>) -> String {
    format!("{:?}", message.map(|(from, message)| (from, message.kind(), message.size())))
}

/// What is seen of a block that was mined.
pub(super) fn forged(forged: Result<Forged, MineError>) -> String {
    format!("{forged:?}")
}

/// What is seen of a node's question to its peers.
pub(super) fn resolved(Resolution { outcome, chain, silent }: Resolution) -> String {
    format!("{outcome:?} {} {silent:?}", chain.tip_hash())
}

/// What is seen of who agrees with whom.
pub(super) fn settled(settled: Result<Settled, Unsettled>) -> String {
    settled.map_or_else(|unsettled| unsettled.to_string(), |settled| settled.to_string())
}

pub(super) fn payment(amount: u64) -> Transaction {
    Transaction::new("alice", "bob", amount)
}

impl Step {
    /// Does it to a simulation, and tells what is seen of it.
    pub(super) fn act(&self, setup: &Setup, simulation: &Simulation) -> String {
        match *self {
            Self::Connect(one, other) => simulation.connect(one, other).unwrap(),
            Self::Register(one, other) => drop(simulation.register(one, [other]).unwrap()),
            Self::Disconnect(one, other) => simulation.disconnect(one, other).unwrap(),
            Self::Join(peer) => {
                let node = setup.spawn(simulation);
                simulation.connect(node, peer).unwrap();
            }
            Self::Puppet(peer) => {
                let puppet = simulation.puppet().unwrap();
                simulation.connect(peer, puppet).unwrap();
            }
            Self::Say(puppet, to, kind) => {
                simulation.say(puppet, to, lie(simulation.rules(), kind)).unwrap();
            }
            Self::Hear(puppet, timeout) => return heard(simulation.hear(puppet, timeout).unwrap()),
            Self::Mine(node, rate) => {
                simulation.start_mining(node, HashRate::per_second(f64::from(rate)).unwrap()).unwrap();
            }
            Self::Stop(node) => simulation.stop_mining(node).unwrap(),
            Self::MineOne(node, timeout) => {
                return forged(simulation.mine_within(node, timeout).map_err(|error| match error {
                    CallError::Refused(error) => error,
                    CallError::Node(error) => panic!("{error}"),
                }));
            }
            Self::Resolve(node, timeout) => {
                return resolved(simulation.resolve_within(node, timeout).unwrap());
            }
            Self::Submit(node, amount) => {
                let _ = simulation.submit(node, payment(amount));
            }
            Self::Plan(later, node, amount) => simulation.at(simulation.now() + later, move |simulation| {
                let _ = simulation.submit(node, payment(amount));
            }),
            Self::SetLink(from, to, link) => simulation.set_link(from, to, link).unwrap(),
            Self::SetDefault(link) => simulation.set_default_link(link),
            Self::SetCost(cost) => simulation.set_block_cost(cost),
            Self::SetBandwidth(node, bandwidth) => simulation.set_bandwidth(node, bandwidth).unwrap(),
            Self::Judge(kind) => simulation.set_judge(judge(kind)),
            Self::ClearJudge => simulation.clear_judge(),
            Self::Partition(node) => simulation.partition([[node]]).unwrap(),
            Self::Heal => simulation.heal(),
            Self::Hold(from, to) => simulation.hold(from, to).unwrap(),
            Self::Release(from, to) => simulation.release(from, to),
            Self::Crash(node) => simulation.crash(node).unwrap(),
            Self::Restart(node, from) => simulation.restart(node, from).unwrap(),
            Self::Pause(node) => simulation.pause(node).unwrap(),
            Self::Resume(node) => simulation.resume(node).unwrap(),
            Self::Settle(timeout) => return settled(simulation.settle(timeout)),
            Self::CountFromNow => simulation.count_from_now(),
            Self::Pass(duration) => simulation.run_for(duration),
            Self::Find => assert!(simulation.run_blocks(1)),
        }
        String::new()
    }
}

fn link() -> impl Strategy<Value = Link> {
    let millis = Duration::from_millis;
    let latency = prop_oneof![
        4 => (0..2000_u64).prop_map(move |length| Latency::fixed(millis(length))),
        1 => Just(Latency::fixed(millis(500))),
        2 => (1..500_u64).prop_map(move |mean| Latency::exponential(millis(mean))),
    ];
    let loss = prop_oneof![4 => Just(0.0), 1 => 0.0..0.9];
    (latency, loss, any::<bool>(), proptest::option::weighted(0.2, 300..20_000_u64)).prop_map(
        |(latency, loss, ordered, bandwidth)| {
            let link = Link::default().with_latency(latency).with_loss(loss).unwrap().with_order(ordered);
            bandwidth.map_or(link, |bandwidth| link.with_bandwidth(bandwidth).unwrap())
        },
    )
}

/// The most nodes and puppets that there may come to be.
pub(super) const MOST: u32 = NODES + 3;

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || prop_oneof![5 => 0..NODES, 2 => NODES..MOST].prop_map(NodeId::new);
    let pair =
        || (node(), 1..MOST).prop_map(|(one, more)| (one, NodeId::new((one.index() as u32 + more) % MOST)));
    let millis = |range: std::ops::Range<u64>| range.prop_map(Duration::from_millis);
    let pass = prop_oneof![6 => millis(0..30_000), 1 => Just(Duration::from_secs(300))];
    let cost = (proptest::option::of(0..5000_u64), 0..100_u64)
        .prop_map(|(bytes, seconds)| BlockCost { bytes, validation: Duration::from_secs(seconds) });
    let bandwidth = prop_oneof![
        Just(Bandwidth::default()),
        (500..9000_u64, 500..9000_u64).prop_map(|(up, down)| Bandwidth::new(up, down).unwrap()),
    ];
    let rate = prop_oneof![3 => Just(1000), 1 => 1..5000_u32];
    let of_time = prop_oneof![
        12 => pass.prop_map(Step::Pass),
        4 => Just(Step::Find),
        1 => millis(0..60_000).prop_map(Step::Settle),
        1 => Just(Step::CountFromNow),
    ];
    let of_nodes = prop_oneof![
        8 => pair().prop_map(|(one, other)| Step::Connect(one, other)),
        1 => pair().prop_map(|(one, other)| Step::Register(one, other)),
        1 => pair().prop_map(|(one, other)| Step::Disconnect(one, other)),
        1 => node().prop_map(Step::Join),
        1 => node().prop_map(Step::Crash),
        1 => node().prop_map(Step::Pause),
        1 => node().prop_map(Step::Resume),
        1 => (node(), any::<bool>()).prop_map(|(node, keeps)| {
            Step::Restart(node, if keeps { RestartFrom::Chain } else { RestartFrom::Genesis })
        }),
    ];
    let of_calls = prop_oneof![
        4 => (node(), rate).prop_map(|(node, rate)| Step::Mine(node, rate)),
        1 => node().prop_map(Step::Stop),
        1 => (node(), millis(0..90)).prop_map(|(node, limit)| Step::MineOne(node, limit)),
        1 => (node(), millis(0..2000)).prop_map(|(node, limit)| Step::Resolve(node, limit)),
        2 => (node(), 1..9_u64).prop_map(|(node, amount)| Step::Submit(node, amount)),
        1 => (millis(0..9000), node(), 1..9_u64)
            .prop_map(|(later, node, amount)| Step::Plan(later, node, amount)),
    ];
    let of_puppets = prop_oneof![
        2 => node().prop_map(Step::Puppet),
        3 => (pair(), 0..10_u8).prop_map(|((puppet, to), kind)| Step::Say(puppet, to, kind)),
        1 => (node(), millis(0..900)).prop_map(|(puppet, limit)| Step::Hear(puppet, limit)),
    ];
    let of_links = prop_oneof![
        3 => (pair(), link()).prop_map(|((from, to), link)| Step::SetLink(from, to, link)),
        1 => link().prop_map(Step::SetDefault),
        1 => cost.prop_map(Step::SetCost),
        1 => (node(), bandwidth).prop_map(|(node, bandwidth)| Step::SetBandwidth(node, bandwidth)),
        1 => (0..4_u8).prop_map(Step::Judge),
        1 => Just(Step::ClearJudge),
        1 => node().prop_map(Step::Partition),
        1 => Just(Step::Heal),
        1 => pair().prop_map(|(from, to)| Step::Hold(from, to)),
        1 => pair().prop_map(|(from, to)| Step::Release(from, to)),
    ];
    let steps =
        vec(prop_oneof![9 => of_time, 8 => of_nodes, 5 => of_calls, 2 => of_puppets, 6 => of_links], 1..80);
    // Blocks are replayed where nothing else happens for long.
    let is_calm = |step: &Step| matches!(step, Step::Pass(_) | Step::Find | Step::CountFromNow);
    let calmed = move |steps: Vec<Step>| {
        let kept = steps.into_iter().enumerate().filter(move |(place, step)| place % 6 == 0 || is_calm(step));
        kept.map(|(_, step)| step).collect()
    };
    (0..3, steps).prop_map(move |(kind, steps)| match kind {
        0 => steps,
        1 => [running(), steps].concat(),
        _ => [running(), calmed(steps)].concat(),
    })
}

/// All nodes are joined in a ring, over links that take some time, and mine.
fn running() -> Vec<Step> {
    let nodes = || (0..NODES).map(NodeId::new);
    let link = Link::default().with_latency(Latency::fixed(Duration::from_millis(90)));
    let connect = nodes().zip(nodes().cycle().skip(1)).map(|(one, other)| Step::Connect(one, other));
    let begin = [Step::SetDefault(link)].into_iter().chain(connect);
    begin.chain(nodes().map(|node| Step::Mine(node, 200))).collect()
}
