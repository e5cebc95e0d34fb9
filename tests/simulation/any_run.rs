//! Random runs: networks, and what is done to them, look by look.

use std::time::Duration;

use chainlab::{
    Difficulty, Genesis, Limits, NodeId, Relay, Report, Retarget, Rules, Simulation, Time, Transaction,
    network::{HashRate, Identity, RestartFrom},
    pow::Target,
    simulation::SimulationEvents,
    strategy::{Behaviour, DoubleSpend, Eclipse, Optimal, Stubborn},
    wire::{Bandwidth, BlockCost, Latency, Link, Regions, Topology, Verdict},
};
use proptest::{collection::vec, prelude::*};

/// Attempts a millisecond.
pub(super) const RATE: u64 = 1000;

/// A network, and what is done to it.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) nodes: u32,
    pub(super) topology: Topology,
    /// Whether each link has a latency of its own; else all have the same, and much comes at one moment.
    pub(super) has_own_latencies: bool,
    pub(super) millis: u64,
    /// The seconds from block to block.
    pub(super) interval: f64,
    /// After how many blocks the difficulty changes.
    pub(super) window: Option<u32>,
    pub(super) relay: Relay,
    pub(super) wire: Wire,
    /// A node that is not honest, and what it does.
    pub(super) schemer: Option<(u32, chainlab::Strategy)>,
    pub(super) acts: Vec<(Act, bool)>,
}

/// What makes some messages take longer than others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wire {
    /// What each node sends in a second, the first so many bytes, each other one a tenth more.
    pub(super) upload: Option<u64>,
    /// What each link takes in a second.
    pub(super) bandwidth: Option<u64>,
    pub(super) are_in_regions: bool,
    pub(super) block_cost: BlockCost,
    /// For how many milliseconds whoever asks for a block waits for it, if not as long as usual.
    pub(super) patience: Option<u64>,
}

/// Something that is done; nodes are counted around.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// So many intervals pass.
    RunFor(f64),
    /// So many milliseconds pass: less than a flood, more or less.
    Pause(u64),
    RunBlocks(u64),
    RunToHeight(u64),
    Steps(u64),
    Mine(u32),
    Resolve(u32),
    Rate(u32, u64),
    Stop(u32),
    Pay(u32, u64),
    Crash(u32),
    Restart(u32, bool),
    StandStill(u32),
    GoOn(u32),
    Partition(u32),
    Heal,
    Hold(u32, u32),
    Release(u32, u32),
    Link(u32, u32, u8, u64),
    Join(u32),
    Leave(u32, u32),
    Watch,
    Unwatch,
    Judge(bool),
    /// In so many milliseconds a node pays.
    Plan(u64, u32),
}

pub(super) fn run() -> impl Strategy<Value = Run> {
    let topology = |nodes| {
        // Each has the next ones for peers.
        let one_way = move |reach| {
            let links =
                (0..nodes).flat_map(|node| (1..=reach).map(move |step| (node, (node + step) % nodes)));
            Topology::OneWay(links.collect())
        };
        prop_oneof![
            2 => Just(Topology::Complete),
            2 => Just(Topology::Ring),
            2 => (1..4_usize).prop_map(|links| Topology::Random { links }),
            1 => (1..3_u32).prop_map(one_way),
        ]
    };
    let nodes_and_topology = (4..9_u32).prop_flat_map(move |nodes| (Just(nodes), topology(nodes)));
    let interval = prop_oneof![3 => Just(600.0), 1 => 5.0..60.0, 1 => 0.1..5.0_f64];
    (
        (any::<u64>(), nodes_and_topology, any::<bool>(), 0..200_u64, interval),
        prop_oneof![Just(None), (2..40_u32).prop_map(Some)],
        prop_oneof![3 => Just((Relay::Push, Wire::default())), 2 => (relay(), wire())],
        vec((act(), any::<bool>()), 1..14),
    )
        .prop_map(
            |(
                (seed, (nodes, topology), has_own_latencies, millis, interval),
                window,
                (relay, wire),
                acts,
            )| {
                let schemer = None;
                Run {
                    seed,
                    nodes,
                    topology,
                    has_own_latencies,
                    millis,
                    interval,
                    window,
                    relay,
                    wire,
                    schemer,
                    acts,
                }
            },
        )
}

fn relay() -> impl Strategy<Value = Relay> {
    let percent = prop_oneof![Just(0), Just(30), Just(100)];
    prop_oneof![
        1 => Just(Relay::Push),
        2 => Just(Relay::Announce),
        1 => percent.prop_map(|fallback_percent| Relay::Compact { fallback_percent }),
    ]
}

fn wire() -> impl Strategy<Value = Wire> {
    let rate = || prop_oneof![2 => Just(None), 1 => (1..20_u64).prop_map(|rate| Some(rate * 100_000))];
    let bytes = prop_oneof![Just(None), (1..3000_u64).prop_map(Some), (1..1_000_000_u64).prop_map(Some)];
    let validation = prop_oneof![Just(0), 0..100_000_u64];
    let patience = prop_oneof![Just(None), (1..100_000_u64).prop_map(Some), Just(Some(600_000))];
    (rate(), rate(), any::<bool>(), bytes, validation, patience).prop_map(
        |(upload, bandwidth, are_in_regions, bytes, micros, patience)| {
            let block_cost = BlockCost { bytes, validation: Duration::from_micros(micros) };
            Wire { upload, bandwidth, are_in_regions, block_cost, patience }
        },
    )
}

/// A run with a node that is not honest; the first is.
pub(super) fn run_with_schemer() -> impl Strategy<Value = Run> {
    let stubborn = (any::<bool>(), any::<bool>(), 0..3_u64).prop_map(|(lead, equal_fork, trail)| Stubborn {
        lead,
        equal_fork,
        trail,
    });
    let scheme = prop_oneof![
        4 => Just(chainlab::Strategy::Selfish),
        2 => stubborn.prop_map(chainlab::Strategy::Stubborn),
        1 => Just(chainlab::Strategy::Optimal(Optimal::new(0.4, 0.5, 20).unwrap())),
        1 => Just(chainlab::Strategy::DoubleSpend(DoubleSpend::new("carol", 1, 2, 5).unwrap())),
        1 => (0..9_u32, any::<bool>()).prop_map(|(victim, feeds)| {
            chainlab::Strategy::Eclipse(Eclipse { victim: NodeId::new(victim), feeds })
        }),
    ];
    (run(), 0..9_u32, scheme).prop_map(|(run, number, scheme)| Run {
        schemer: Some((1 + number % (run.nodes - 1), scheme)),
        ..run
    })
}

fn act() -> impl Strategy<Value = Act> {
    let node = || 1..9_u32;
    prop_oneof![
        8 => (0.0..20.0_f64).prop_map(Act::RunFor),
        4 => (0..400_u64).prop_map(Act::Pause),
        8 => (1..40_u64).prop_map(Act::RunBlocks),
        3 => (1..20_u64).prop_map(Act::RunToHeight),
        1 => (1..30_u64).prop_map(Act::Steps),
        1 => node().prop_map(Act::Mine),
        1 => node().prop_map(Act::Resolve),
        2 => (node(), 0..3 * RATE).prop_map(|(node, rate)| Act::Rate(node, rate)),
        1 => node().prop_map(Act::Stop),
        3 => (node(), 1..5_u64).prop_map(|(node, coins)| Act::Pay(node, coins)),
        1 => node().prop_map(Act::Crash),
        2 => (node(), any::<bool>()).prop_map(|(node, from_genesis)| Act::Restart(node, from_genesis)),
        1 => node().prop_map(Act::StandStill),
        2 => node().prop_map(Act::GoOn),
        1 => node().prop_map(Act::Partition),
        2 => Just(Act::Heal),
        1 => (node(), node()).prop_map(|(from, to)| Act::Hold(from, to)),
        2 => (node(), node()).prop_map(|(from, to)| Act::Release(from, to)),
        2 => (node(), node(), 0..4_u8, 0..5000_u64)
            .prop_map(|(from, to, kind, millis)| Act::Link(from, to, kind, millis)),
        1 => node().prop_map(Act::Join),
        1 => (node(), node()).prop_map(|(one, other)| Act::Leave(one, other)),
        1 => Just(Act::Watch),
        2 => Just(Act::Unwatch),
        1 => any::<bool>().prop_map(Act::Judge),
        2 => (0..2000_u64, node()).prop_map(|(millis, node)| Act::Plan(millis, node)),
    ]
}

pub(super) fn rules(nodes: u32, interval: f64, window: Option<u32>) -> Rules {
    let target = Target::from_expected_hashes((interval * 1000.0 * (RATE * u64::from(nodes)) as f64) as u128);
    let spacing = Duration::from_secs_f64(interval);
    let difficulty = match window {
        Some(window) => Difficulty::Retargeted(Retarget::new(target, window, spacing).unwrap()),
        None => Difficulty::Fixed(target),
    };
    let allocations = (0..9).map(|sender| (format!("sender-{sender}").into(), 100)).collect();
    let genesis = Genesis::Shared { time: Some(Time::from_secs(1_600_000_000)), allocations };
    Rules { difficulty, genesis, ..Rules::bitcoin() }
}

/// The network of a run, all of whose nodes mine. The first is left alone, so that blocks never cease.
pub(super) fn network(run: &Run) -> Simulation {
    let rules = Rules { relay: run.relay, ..rules(run.nodes, run.interval, run.window) };
    let simulation = Simulation::new(rules, run.seed);
    let Wire { upload, bandwidth, are_in_regions, block_cost, patience } = run.wire;
    if let Some(millis) = patience {
        simulation.set_limits(Limits { resolve_timeout: Duration::from_millis(millis), ..Limits::default() });
    }
    let link = |link: Link| bandwidth.map_or(link, |bytes| link.with_bandwidth(bytes).unwrap());
    simulation.set_default_link(link(fixed(run.millis)));
    simulation.set_regions(are_in_regions.then(Regions::of_2019));
    simulation.set_block_cost(block_cost);
    for number in 0..run.nodes {
        let scheme = run.schemer.clone().filter(|(place, _)| *place == number);
        let strategy = scheme.map_or(chainlab::Strategy::Honest, |(_, strategy)| strategy);
        let behaviour = Behaviour { strategy, ..Behaviour::default() };
        let node = simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
        if let Some(upload) = upload {
            let upload = upload * (10 + u64::from(number)) / 10;
            simulation.set_bandwidth(node, Bandwidth::new(upload, 4 * upload).unwrap()).unwrap();
        }
    }
    simulation.join(&run.topology).unwrap();
    if run.has_own_latencies {
        let latency = Latency::uniform(Duration::ZERO, Duration::from_millis(run.millis)).unwrap();
        for (one, other) in run.topology.edges(run.nodes as usize, run.seed).unwrap() {
            let link = link(Link::default().with_latency(latency.drawn_once(run.seed, one, other)));
            simulation.set_link(one, other, link).unwrap();
            simulation.set_link(other, one, link).unwrap();
        }
    }
    for node in simulation.nodes() {
        simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
    }
    simulation
}

pub(super) fn fixed(millis: u64) -> Link {
    Link::default().with_latency(Latency::fixed(Duration::from_millis(millis)))
}

fn pay(simulation: &Simulation, node: NodeId, coins: u64) -> String {
    let payment = Transaction::new(format!("sender-{}", node.index()), "carol", coins);
    format!("{:?}", simulation.submit(node, payment))
}

/// Does something, and tells what came of it.
fn act_on(simulation: &Simulation, run: &Run, act: &Act, events: &mut Option<SimulationEvents>) -> String {
    let count = simulation.nodes().len() as u32;
    // Never the first node.
    let node = |number: u32| NodeId::new(1 + number % (count - 1));
    let intervals = |number: f64| Duration::from_secs_f64(number * run.interval);
    let one_step = || simulation.step();
    match *act {
        Act::RunFor(number) => simulation.run_for(intervals(number)),
        Act::Pause(millis) => simulation.run_for(Duration::from_millis(millis)),
        Act::RunBlocks(blocks) => return format!("{}", simulation.run_blocks(blocks)),
        Act::RunToHeight(blocks) => {
            let height = simulation.chain(NodeId::new(0)).unwrap().len() + blocks;
            return format!("{}", simulation.run_to_position(height));
        }
        Act::Steps(steps) => return format!("{}", (0..steps).all(|_| one_step())),
        Act::Mine(number) => return format!("{:?}", simulation.mine_within(node(number), intervals(20.0))),
        Act::Resolve(number) => return format!("{:?}", simulation.resolve(node(number))),
        Act::Rate(number, rate) => {
            return format!(
                "{:?}",
                simulation.start_mining(node(number), HashRate::per_second(1e3 * rate as f64).unwrap())
            );
        }
        Act::Stop(number) => return format!("{:?}", simulation.stop_mining(node(number))),
        Act::Pay(number, coins) => return pay(simulation, node(number), coins),
        Act::Crash(number) => return format!("{:?}", simulation.crash(node(number))),
        Act::Restart(number, from_genesis) => {
            let from = if from_genesis { RestartFrom::Genesis } else { RestartFrom::Chain };
            let restarted = simulation.restart(node(number), from);
            let mines =
                simulation.start_mining(node(number), HashRate::per_second(1e3 * RATE as f64).unwrap());
            return format!("{restarted:?} {mines:?}");
        }
        Act::StandStill(number) => return format!("{:?}", simulation.pause(node(number))),
        Act::GoOn(number) => return format!("{:?}", simulation.resume(node(number))),
        Act::Partition(number) => return format!("{:?}", simulation.partition([[node(number)]])),
        Act::Heal => simulation.heal(),
        Act::Hold(from, to) => return format!("{:?}", simulation.hold(node(from), node(to))),
        Act::Release(from, to) => simulation.release(node(from), node(to)),
        Act::Link(from, to, kind, millis) => {
            let link = match kind {
                0 => Link::default().with_latency(Latency::exponential(Duration::from_millis(millis))),
                1 => fixed(millis).with_loss(0.3).unwrap(),
                _ => fixed(millis),
            };
            return format!("{:?}", simulation.set_link(node(from), node(to), link));
        }
        Act::Join(number) => {
            let new = simulation.spawn().unwrap();
            let mines = simulation.start_mining(new, HashRate::per_second(1e3 * RATE as f64).unwrap());
            return format!("{:?} {mines:?}", simulation.connect(new, node(number)));
        }
        Act::Leave(one, other) => return format!("{:?}", simulation.disconnect(node(one), node(other))),
        Act::Watch => *events = Some(simulation.events()),
        Act::Unwatch => *events = None,
        Act::Judge(is_on) if is_on => simulation.set_judge(|_, _, _| Verdict::Pass),
        Act::Judge(_) => simulation.clear_judge(),
        Act::Plan(millis, number) => {
            let node = node(number);
            let at = simulation.now() + Duration::from_millis(millis);
            simulation.at(at, move |simulation| drop(pay(simulation, node, 1)));
        }
    }
    String::new()
}

/// All that can be seen, but for how much was replayed.
pub(super) fn seen(simulation: &Simulation, events: Option<&SimulationEvents>) -> String {
    let report = serde_json::to_string(&Report { replayed: 0, ..simulation.report() }).unwrap();
    let nodes = simulation.nodes();
    let snapshots = nodes.into_iter().map(|node| match simulation.snapshot(node) {
        Ok(left) => format!("{:?} {:?} {:?}\n", left.chain, left.pending, left.peers),
        Err(error) => format!("{error}\n"),
    });
    let snapshots: String = snapshots.collect();
    let events: Vec<_> =
        events.into_iter().flat_map(|events| std::iter::from_fn(|| events.try_next())).collect();
    format!("{:?}\n{report}\n{snapshots}{events:?}", simulation.now())
}

/// Carries out a run, and tells all that was seen, and what it came to.
pub(super) fn carry_out(run: &Run, set_up: impl Fn(&Simulation)) -> (Vec<String>, Simulation) {
    let simulation = network(run);
    set_up(&simulation);
    let (mut events, mut looks) = (None, Vec::new());
    for (act, is_looked_at) in &run.acts {
        let came_of_it = act_on(&simulation, run, act, &mut events);
        looks.push(format!("{act:?}: {came_of_it} {:?}", simulation.now()));
        if *is_looked_at {
            looks.push(seen(&simulation, events.as_ref()));
        }
    }
    simulation.run_for(Duration::from_secs_f64(3.0 * run.interval));
    looks.push(seen(&simulation, events.as_ref()));
    (looks, simulation)
}

/// Compares what was seen of two runs.
pub(super) fn compare(ones: &[String], others: &[String]) -> Result<(), TestCaseError> {
    for (one, other) in ones.iter().zip(others) {
        // They are too long to be shown as a whole.
        let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        let differ = [one, other].map(|text| {
            let from = same.saturating_sub(60);
            text.chars().skip(from).take(200).collect::<String>()
        });
        prop_assert!(one == other, "{:?}", differ);
    }
    Ok(())
}
