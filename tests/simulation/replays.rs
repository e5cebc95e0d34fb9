//! What is replayed does not matter: the same runs, with replays and without, look by look.

use std::{cell::Cell, env, time::Duration};

use chainlab::{
    Blockchain, Difficulty, Genesis, NodeId, Report, Retarget, Rules, Simulation, Time, Transaction,
    network::{HashRate, Identity, RestartFrom},
    pow::Target,
    simulation::SimulationEvents,
    wire::{Latency, Link, Topology, Verdict},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// Attempts a millisecond.
const RATE: u64 = 1000;

/// A network, and what is done to it.
#[derive(Debug, Clone)]
struct Run {
    seed: u64,
    nodes: u32,
    topology: Topology,
    /// Whether each link has a latency of its own; else all have the same, and much comes at one moment.
    has_own_latencies: bool,
    millis: u64,
    /// The seconds from block to block.
    interval: f64,
    /// After how many blocks the difficulty changes.
    window: Option<u32>,
    acts: Vec<(Act, bool)>,
}

/// Something that is done; nodes are counted around.
#[derive(Debug, Clone)]
enum Act {
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

fn run() -> impl Strategy<Value = Run> {
    let topology = prop_oneof![
        Just(Topology::Complete),
        Just(Topology::Ring),
        (1..4_usize).prop_map(|links| Topology::Random { links }),
    ];
    let interval = prop_oneof![3 => Just(600.0), 1 => 5.0..60.0, 1 => 0.1..5.0_f64];
    (
        (any::<u64>(), 4..9_u32, topology, any::<bool>(), 0..200_u64, interval),
        prop_oneof![Just(None), (2..40_u32).prop_map(Some)],
        vec((act(), any::<bool>()), 1..14),
    )
        .prop_map(|((seed, nodes, topology, has_own_latencies, millis, interval), window, acts)| Run {
            seed,
            nodes,
            topology,
            has_own_latencies,
            millis,
            interval,
            window,
            acts,
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

fn rules(nodes: u32, interval: f64, window: Option<u32>) -> Rules {
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
fn network(run: &Run) -> Simulation {
    let simulation = Simulation::new(rules(run.nodes, run.interval, run.window), run.seed);
    simulation.set_default_link(fixed(run.millis));
    for _ in 0..run.nodes {
        simulation.spawn().unwrap();
    }
    simulation.join(&run.topology).unwrap();
    if run.has_own_latencies {
        let latency = Latency::uniform(Duration::ZERO, Duration::from_millis(run.millis)).unwrap();
        for (one, other) in run.topology.edges(run.nodes as usize, run.seed).unwrap() {
            let link = Link::default().with_latency(latency.drawn_once(run.seed, one, other));
            simulation.set_link(one, other, link).unwrap();
            simulation.set_link(other, one, link).unwrap();
        }
    }
    for node in simulation.nodes() {
        simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
    }
    simulation
}

fn fixed(millis: u64) -> Link {
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
fn seen(simulation: &Simulation, events: Option<&SimulationEvents>) -> String {
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

/// Carries out a run, and tells all that was seen, and how much was replayed.
fn carry_out(run: &Run, replays: bool) -> (Vec<String>, u64) {
    let simulation = network(run);
    simulation.set_replays(replays);
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
    (looks, simulation.report().replayed)
}

/// `CHAINLAB_LONG=1` runs 20,000 cases.
#[test]
fn what_is_replayed_does_not_matter() {
    let cases = if env::var_os("CHAINLAB_LONG").is_some() { 20_000 } else { 300 };
    let mut runner = TestRunner::new(Config { cases, source_file: Some(file!()), ..Config::default() });
    let replayed = Cell::new(0);
    let tested = runner.run(&run(), |run| {
        let [(replaying, count), (carrying, none)] = [true, false].map(|replays| carry_out(&run, replays));
        prop_assert_eq!(none, 0);
        replayed.set(replayed.get() + count);
        for (one, other) in replaying.iter().zip(&carrying) {
            // They are too long to be shown as a whole.
            let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            prop_assert!(one == other, "{:?}", differ);
        }
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
    assert!(replayed.get() > u64::from(cases), "{} blocks are not enough", replayed.get());
}

/// Five nodes that all know each other, 100 ms apart, and find a block in 600 s.
fn quiet_run() -> Run {
    Run {
        seed: 3,
        nodes: 5,
        topology: Topology::Complete,
        has_own_latencies: false,
        millis: 100,
        interval: 600.0,
        window: None,
        acts: Vec::new(),
    }
}

/// The same, when each of them has found some.
fn quiet() -> Simulation {
    let simulation = network(&quiet_run());
    assert!(simulation.run_blocks(100));
    simulation
}

/// How many of so many blocks more were replayed.
fn replayed(simulation: &Simulation, blocks: u64) -> u64 {
    let before = simulation.report();
    simulation.run_blocks(blocks);
    let after = simulation.report();
    assert_eq!(after.mined - before.mined, blocks);
    after.replayed - before.replayed
}

#[test]
fn a_quiet_network_replays_all_but_the_first_block() {
    let simulation = quiet();
    let before = simulation.report();
    // The first nodes have each a genesis of their own, and the last block is looked at before time goes on.
    assert_eq!((before.mined, before.stale, before.replayed), (100, 0, 98));
    assert_eq!(replayed(&simulation, 50), 49);
    // Whoever takes it block by block, and looks at nothing, has them replayed all the same.
    let before = simulation.report();
    (0..50).for_each(|_| assert!(simulation.run_blocks(1)));
    assert_eq!(simulation.report().replayed - before.replayed, 49);
    let line = format!("blocks replayed, not carried message by message: {}\n", before.replayed);
    assert!(before.to_string().contains(&line));
}

/// Each thing that a block's spreading might show, or be changed by, by itself: while it lasts none is replayed.
#[test]
fn where_anything_else_goes_on_nothing_is_replayed() {
    let [zero, one] = [0, 1].map(NodeId::new);
    let [slow, fast] = [1_000_000_000, 100].map(|millis| fixed(millis).with_order(false));
    type GoingOn<'a> = (&'a str, &'a dyn Fn(&Simulation));
    let going_on: [GoingOn; 11] = [
        ("a node has another chain", &|simulation| {
            let new = simulation.spawn().unwrap();
            // With its first input it has looked round, and found nothing to think about.
            simulation.pending(new).unwrap();
        }),
        ("a node is down", &|simulation| simulation.crash(one).unwrap()),
        ("a node stands still", &|simulation| simulation.pause(one).unwrap()),
        ("a link draws", &|simulation| {
            let latency = Latency::exponential(Duration::from_millis(1));
            simulation.set_link(zero, one, Link::default().with_latency(latency)).unwrap();
        }),
        ("a link loses", &|simulation| {
            simulation.set_link(zero, one, Link::default().with_loss(0.1).unwrap()).unwrap();
        }),
        ("a link is held", &|simulation| simulation.hold(zero, one).unwrap()),
        ("a partition", &|simulation| simulation.partition([[zero, one]]).unwrap()),
        ("a judge", &|simulation| simulation.set_judge(|_, _, _| Verdict::Pass)),
        ("a transaction is pending that cannot be mined", &|simulation| {
            let late = Transaction::new("sender-1", "carol", 1).with_nonce(7);
            simulation.submit(zero, late).unwrap();
        }),
        ("a message is under way", &|simulation| {
            simulation.disconnect(zero, one).unwrap();
            simulation.set_link(zero, one, slow).unwrap();
            simulation.connect(zero, one).unwrap();
            simulation.set_link(zero, one, fast).unwrap();
        }),
        ("it is turned off", &|simulation| simulation.set_replays(false)),
    ];
    for (name, begin) in going_on {
        let simulation = quiet();
        begin(&simulation);
        assert_eq!(replayed(&simulation, 50), 0, "{name}");
    }
    let simulation = quiet();
    let events = simulation.events();
    assert_eq!(replayed(&simulation, 50), 0);
    assert_eq!(events.count(), 50 * 5, "one was still to come to the others, and one is");
    // A subscription that has ended is noticed with the next event.
    assert!(replayed(&simulation, 50) >= 48);
}

/// A new difficulty comes to each search when the block comes to its node.
#[test]
fn the_last_block_of_a_window_is_not_replayed() {
    let run = Run { window: Some(10), ..quiet_run() };
    let simulation = network(&run);
    simulation.run_blocks(100);
    let before = simulation.chain(NodeId::new(0)).unwrap().len();
    let replayed = replayed(&simulation, 100);
    simulation.run_for(Duration::from_secs(1));
    let chain = simulation.chain(NodeId::new(0)).unwrap();
    let target = |position| chain.at(position).unwrap().target();
    let changes =
        (before + 1..chain.len()).filter(|position| target(position + 1) != target(*position)).count();
    assert!(changes > 3, "{changes}");
    assert_eq!(replayed, 99 - changes as u64, "the last one is looked at before time goes on");
}

/// Until its time has come the others keep it, and nobody is on it.
#[test]
fn a_block_of_the_future_is_not_replayed() {
    let run = quiet_run();
    let start = |replays| {
        let simulation = Simulation::new(rules(run.nodes, run.interval, run.window), run.seed);
        simulation.set_replays(replays);
        let later = simulation.now() + Duration::from_secs(3 * 3600);
        let genesis = Blockchain::start(simulation.rules(), simulation.now()).unwrap();
        let chain = (0..11).try_fold(genesis, |chain, _| chain.mine_next(simulation.rules(), [], "x", later));
        let chain = chain.unwrap();
        for number in 0..run.nodes {
            let address = Some(format!("miner-{number}"));
            let node = simulation
                .spawn_with_chain(Identity { name: None, address, ..Identity::default() }, chain.clone())
                .unwrap();
            simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
        }
        simulation.join(&Topology::Complete).unwrap();
        simulation.run_for(Duration::from_secs(3000));
        simulation
    };
    let [replaying, carrying] = [true, false].map(start);
    let report = replaying.report();
    assert!(report.mined > 2 && report.replayed == 0, "{report}");
    for simulation in [&replaying, &carrying] {
        simulation.run_for(Duration::from_secs(86_400));
    }
    assert_eq!(seen(&replaying, None), seen(&carrying, None));
    assert!(replaying.report().replayed > 50);
}

/// Nobody can see what would come after the end of time.
#[test]
fn what_takes_for_ever_is_not_replayed() {
    let simulation = network(&Run { millis: u64::MAX, topology: Topology::Ring, ..quiet_run() });
    assert_eq!(replayed(&simulation, 20), 0);
}

/// Each node searches anew when a block comes to it.
#[test]
fn real_searches_are_not_replayed() {
    let simulation = Simulation::hashed(rules(5, 0.002, None), 3);
    for _ in 0..5 {
        let node = simulation.spawn().unwrap();
        simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
    }
    simulation.join(&Topology::Complete).unwrap();
    assert_eq!(replayed(&simulation, 20), 0);
}
