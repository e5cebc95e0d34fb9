//! What is done to both: random steps, and the rules of the network.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::START;
use crate::{
    Difficulty, Genesis, ProofRule, Relay, Rules, Simulation,
    message::NodeId,
    pow::Target,
    transaction::Transaction,
    verbs::{HashRate, RestartFrom},
    wire::{Bandwidth, BlockCost, Latency, Link},
};

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect(NodeId, NodeId),
    /// The one has the other for a peer.
    Register(NodeId, NodeId),
    Disconnect(NodeId, NodeId),
    Mine(NodeId),
    Submit(NodeId, u64),
    SetLink(NodeId, NodeId, Link),
    SetCost(BlockCost),
    SetBandwidth(NodeId, Bandwidth),
    Partition(NodeId),
    Heal,
    Hold(NodeId, NodeId),
    Release(NodeId, NodeId),
    Crash(NodeId),
    Restart(NodeId, RestartFrom),
    Pause(NodeId),
    Resume(NodeId),
    Pass(Duration),
    /// Time passes until a block is found, and stops before it has come to anybody.
    Find,
}

impl Step {
    /// The same done to a simulation.
    pub(super) fn act(&self, simulation: &Simulation) {
        match *self {
            Self::Connect(one, other) => simulation.connect(one, other).unwrap(),
            Self::Register(one, other) => drop(simulation.register(one, [other]).unwrap()),
            Self::Disconnect(one, other) => simulation.disconnect(one, other).unwrap(),
            Self::Mine(node) => simulation.start_mining(node, HashRate::per_second(1000.0).unwrap()).unwrap(),
            Self::Submit(node, amount) => {
                let _ = simulation.submit(node, Transaction::new("alice", "bob", amount));
            }
            Self::SetLink(from, to, link) => simulation.set_link(from, to, link).unwrap(),
            Self::SetCost(cost) => simulation.set_block_cost(cost),
            Self::SetBandwidth(node, bandwidth) => simulation.set_bandwidth(node, bandwidth).unwrap(),
            Self::Partition(node) => simulation.partition([[node]]).unwrap(),
            Self::Heal => simulation.heal(),
            Self::Hold(from, to) => simulation.hold(from, to).unwrap(),
            Self::Release(from, to) => {
                simulation.release(from, to);
            }
            Self::Crash(node) => simulation.crash(node).unwrap(),
            Self::Restart(node, from) => simulation.restart(node, from).unwrap(),
            Self::Pause(node) => simulation.pause(node).unwrap(),
            Self::Resume(node) => simulation.resume(node).unwrap(),
            Self::Pass(duration) => simulation.run_for(duration),
            Self::Find => assert!(simulation.run_blocks(1)),
        }
    }
}

pub(super) const NODES: u32 = 5;

pub(super) fn rules(relay: Relay) -> Rules {
    Rules {
        relay,
        difficulty: Difficulty::Fixed(Target::from_expected_hashes(20_000)),
        genesis: Genesis::Shared { time: Some(START), allocations: [("alice".into(), 1000)].into() },
        proof: ProofRule::Drawn,
        ..Rules::bitcoin()
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

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || (0..NODES).prop_map(NodeId::new);
    let pair =
        || (0..NODES, 1..NODES).prop_map(|(one, more)| (NodeId::new(one), NodeId::new((one + more) % NODES)));
    let pass = prop_oneof![
        6 => (0..30_000_u64).prop_map(Duration::from_millis),
        1 => Just(Duration::from_secs(300)),
    ];
    let cost = (proptest::option::of(0..5000_u64), 0..100_u64)
        .prop_map(|(bytes, seconds)| BlockCost { bytes, validation: Duration::from_secs(seconds) });
    let bandwidth = prop_oneof![
        Just(Bandwidth::default()),
        (500..9000_u64, 500..9000_u64).prop_map(|(up, down)| Bandwidth::new(up, down).unwrap()),
    ];
    let step = prop_oneof![
        12 => pass.prop_map(Step::Pass),
        4 => Just(Step::Find),
        8 => pair().prop_map(|(one, other)| Step::Connect(one, other)),
        1 => pair().prop_map(|(one, other)| Step::Register(one, other)),
        1 => pair().prop_map(|(one, other)| Step::Disconnect(one, other)),
        4 => node().prop_map(Step::Mine),
        2 => (node(), 1..9_u64).prop_map(|(node, amount)| Step::Submit(node, amount)),
        3 => (pair(), link()).prop_map(|((from, to), link)| Step::SetLink(from, to, link)),
        1 => cost.prop_map(Step::SetCost),
        1 => (node(), bandwidth).prop_map(|(node, bandwidth)| Step::SetBandwidth(node, bandwidth)),
        1 => node().prop_map(Step::Partition),
        1 => Just(Step::Heal),
        1 => pair().prop_map(|(from, to)| Step::Hold(from, to)),
        1 => pair().prop_map(|(from, to)| Step::Release(from, to)),
        1 => node().prop_map(Step::Crash),
        1 => node().prop_map(Step::Pause),
        1 => node().prop_map(Step::Resume),
        1 => (node(), any::<bool>()).prop_map(|(node, keeps)| {
            Step::Restart(node, if keeps { RestartFrom::Chain } else { RestartFrom::Genesis })
        }),
    ];
    vec(step, 1..80)
}

/// Leaves out what cannot be done, as of commands to nodes that are paused or down.
pub(super) fn sensible(steps: Vec<Step>) -> Vec<Step> {
    #[derive(Clone, Copy, PartialEq)]
    enum Is {
        Live,
        Paused,
        Down,
    }
    let mut nodes = [Is::Live; NODES as usize];
    let mut mine = [false; NODES as usize];
    steps
        .into_iter()
        .filter(|step| {
            let mut becomes = |node: NodeId, from: &[Is], to| {
                let can = from.contains(&nodes[node.index()]);
                if can {
                    nodes[node.index()] = to;
                }
                can
            };
            match *step {
                Step::Connect(one, other) | Step::Disconnect(one, other) => {
                    becomes(one, &[Is::Live], Is::Live) && becomes(other, &[Is::Live], Is::Live)
                }
                Step::Mine(node) => {
                    let can = becomes(node, &[Is::Live], Is::Live);
                    mine[node.index()] |= can;
                    can
                }
                Step::Register(node, _) | Step::Submit(node, _) => becomes(node, &[Is::Live], Is::Live),
                Step::Crash(node) => {
                    let can = becomes(node, &[Is::Live, Is::Paused], Is::Down);
                    mine[node.index()] &= !can;
                    can
                }
                Step::Restart(node, _) => becomes(node, &[Is::Down], Is::Live),
                Step::Pause(node) => becomes(node, &[Is::Live], Is::Paused),
                Step::Resume(node) => becomes(node, &[Is::Paused], Is::Live),
                Step::Find => nodes.iter().zip(&mine).any(|(is, mines)| *is == Is::Live && *mines),
                _ => true,
            }
        })
        .collect()
}
