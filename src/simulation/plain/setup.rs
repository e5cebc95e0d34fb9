//! What a network is made of to which random things are done.

use std::time::Duration;

use proptest::prelude::*;

use super::START;
use crate::{
    Blockchain, Difficulty, Genesis, Limits, ProofRule, Relay, Retarget, Rules, Simulation,
    message::{Message, NodeId, RequestId, Told},
    pow::Target,
    strategy::{Behaviour, DoubleSpend, Eclipse, Strategy as Scheme, Stubborn, TieBreak, Towards},
    verbs::Identity,
    wire::{Regions, Verdict},
};

pub(super) const SEED: u64 = 3;
/// How many nodes there are at first.
pub(super) const NODES: u32 = 5;
/// The node that need not be honest.
const SCHEMER: NodeId = NodeId::new(1);

#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) relay: Relay,
    pub(super) is_traced: bool,
    pub(super) is_retargeted: bool,
    pub(super) regions: Option<Regions>,
    pub(super) limits: Limits,
    /// What the second node does.
    pub(super) scheme: Scheme,
    /// Which of two equally good chains the other nodes take.
    pub(super) tie_break: TieBreak,
}

/// Blocks are pushed, the difficulty is fixed, and all are honest.
impl Default for Setup {
    fn default() -> Self {
        Self {
            relay: Relay::Push,
            is_traced: false,
            is_retargeted: false,
            regions: None,
            limits: Limits::default(),
            scheme: Scheme::Honest,
            tie_break: TieBreak::FirstSeen,
        }
    }
}

impl Setup {
    pub(super) fn rules(&self) -> Rules {
        let target = Target::from_expected_hashes(20_000);
        let difficulty = match self.is_retargeted {
            true => Difficulty::Retargeted(Retarget::new(target, 4, Duration::from_secs(20)).unwrap()),
            false => Difficulty::Fixed(target),
        };
        Rules {
            relay: self.relay,
            difficulty,
            genesis: Genesis::Shared { time: Some(START), allocations: [("alice".into(), 1000)].into() },
            proof: ProofRule::Drawn,
            ..Rules::bitcoin()
        }
    }

    pub(super) fn behaviour(&self, node: NodeId) -> Behaviour {
        match node {
            SCHEMER => Behaviour { strategy: self.scheme.clone(), ..Behaviour::default() },
            _ => Behaviour { tie_break: self.tie_break.clone(), ..Behaviour::default() },
        }
    }

    /// A simulation without its nodes.
    pub(super) fn simulation(&self) -> Simulation {
        let simulation = Simulation::new(self.rules(), SEED);
        simulation.set_limits(self.limits);
        simulation.set_regions(self.regions.clone());
        simulation.set_tracing(self.is_traced);
        simulation
    }

    /// Adds a simulation's next node.
    pub(super) fn spawn(&self, simulation: &Simulation) -> NodeId {
        let node = NodeId::new(simulation.nodes().len() as u32);
        let identity = Identity { behaviour: self.behaviour(node), ..Identity::default() };
        simulation.spawn_as(identity).unwrap()
    }
}

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    let relay = prop_oneof![
        4 => Just(Relay::Push),
        1 => Just(Relay::Announce),
        1 => Just(Relay::Compact { fallback_percent: 20 }),
    ];
    let regions = prop_oneof![
        8 => Just(None),
        1 => Just(Some(Regions::of_2019())),
        1 => Just(Some(Regions::of_2019_drawn())),
    ];
    let stubborn = (any::<bool>(), any::<bool>(), 0..3_u64).prop_map(|(lead, equal_fork, trail)| Stubborn {
        lead,
        equal_fork,
        trail,
    });
    let scheme = prop_oneof![
        8 => Just(Scheme::Honest),
        1 => Just(Scheme::Selfish),
        1 => stubborn.prop_map(Scheme::Stubborn),
        1 => Just(Scheme::DoubleSpend(DoubleSpend::new("carol", 1, 2, 5).unwrap())),
        1 => (2..NODES, any::<bool>())
            .prop_map(|(victim, feeds)| Scheme::Eclipse(Eclipse { victim: NodeId::new(victim), feeds })),
    ];
    let tie_break = prop_oneof![
        4 => Just(TieBreak::FirstSeen),
        1 => Just(TieBreak::Random),
        1 => Just(TieBreak::LowestHash),
        1 => Just(TieBreak::Towards(Towards::new(super::address(SEED, SCHEMER), 0.5).unwrap())),
    ];
    let few = Limits { orphans: 1, side_branches: 1, bad_blocks: 2, mempool: 2, ..Limits::default() };
    let limits = prop_oneof![3 => Just(Limits::default()), 1 => Just(few)];
    let each = (relay, proptest::bool::weighted(0.2), any::<bool>(), regions, limits, scheme, tie_break);
    each.prop_map(|(relay, is_traced, is_retargeted, regions, limits, scheme, tie_break)| Setup {
        relay,
        is_traced,
        is_retargeted,
        regions,
        limits,
        scheme,
        tie_break,
    })
}

/// What somebody says to each message, by how many were sent before it.
pub(super) fn judge(kind: u8) -> impl FnMut(NodeId, NodeId, &Message) -> Verdict + Send + 'static {
    let mut judged = 0;
    move |_, to, message| {
        judged += 1;
        match kind {
            0 if judged % 5 == 0 => Verdict::Drop,
            1 if judged % 3 == 0 => Verdict::Delay(Duration::from_millis(judged * 37 % 900)),
            2 if to.index() % 2 == 0 && matches!(message, Message::NewBlock(_)) => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

/// What a puppet says: lies, chains of its own, and what means nothing to whoever hears it.
pub(super) fn lie(rules: &Rules, kind: u8) -> Message {
    let start = Blockchain::started(rules, START);
    let branch = |blocks: u64| {
        (1..=blocks).fold(start.clone(), |chain, number| {
            let time = START + Duration::from_secs(number);
            chain.mine_next(rules, [], "puppet", time).expect("a proof that is drawn is any")
        })
    };
    let request = RequestId(7);
    match kind {
        0 => Message::ChainRequest { request },
        1 => Message::InventoryRequest,
        2 => Message::NewBlock(Told::Document("[{}]".into())),
        3 => Message::NewBlock(branch(1).into()),
        4 => Message::NewBlock(branch(3).into()),
        5 => Message::Announce { block: branch(2).tip_hash(), position: 3 },
        6 => {
            let generous = Rules { reward: rules.reward + 1, ..rules.clone() };
            let chain = start.mine_next(&generous, [], "puppet", START + Duration::from_secs(1));
            Message::NewBlock(Told::Blocks(
                [chain.expect("its own rules allow it").last_block().clone()].into(),
            ))
        }
        7 => Message::Chain { request, chain: branch(2).into() },
        8 => Message::Acknowledge { block: branch(1).tip_hash() },
        _ => Message::BlocksRequest { request, wanted: start.tip_hash(), locator: [].into() },
    }
}
