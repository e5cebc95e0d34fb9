//! The same seed gives the same run, to the bit, in every build and on every machine.

use std::time::Duration;

use chainlab::{
    Behaviour, Blockchain, Difficulty, Genesis, Happening, NodeId, Relay, Report, Retarget, Rules,
    Simulation, Strategy, Time, Transaction,
    network::{HashRate, Identity, RestartFrom},
    pow::Target,
    report::{Messages, Recorder},
    strategy::TieBreak,
    wire::{Bandwidth, BlockCost, Latency, Link, Regions, Topology},
};
use sha2::{Digest, Sha256};

/// Attempts a millisecond.
const RATE: u64 = 100;

/// The sealed rules with a block in so many milliseconds of so many nodes, and a few coins.
fn rules(nodes: u64, millis: u64) -> Rules {
    let allocations = (0..5).map(|sender| (format!("sender-{sender}").into(), 100)).collect();
    Rules {
        difficulty: Difficulty::Fixed(Target::from_expected_hashes((nodes * millis * RATE).into())),
        genesis: Genesis::Shared { time: Some(Time::from_secs(1_600_000_000)), allocations },
        ..Rules::bitcoin()
    }
}

fn spawn(simulation: &Simulation, count: usize) {
    for _ in 0..count {
        simulation.spawn().unwrap();
    }
}

fn mine_all(simulation: &Simulation) {
    for node in simulation.nodes() {
        simulation.start_mining(node, HashRate::per_second(1e3 * RATE as f64).unwrap()).unwrap();
    }
}

/// Two dozen nodes whose links take a time of their own, and forks now and then.
fn forks(seed: u64) -> Simulation {
    let simulation = Simulation::new(rules(24, 1000), seed);
    spawn(&simulation, 24);
    let topology = Topology::Random { links: 4 };
    simulation.join(&topology).unwrap();
    let latency = Latency::log_normal(Duration::from_millis(60), 0.5).unwrap();
    for (one, other) in topology.edges(24, seed).unwrap() {
        let link = Link::default().with_latency(latency.drawn_once(seed, one, other));
        simulation.set_link(one, other, link).unwrap();
        simulation.set_link(other, one, link).unwrap();
    }
    mine_all(&simulation);
    simulation
}

/// A dozen nodes with payments, on links that lose, draw a time for each message and mind its size, some of which crash.
fn faults(seed: u64) -> Simulation {
    let simulation = Simulation::new(rules(12, 500), seed);
    spawn(&simulation, 12);
    simulation.join(&Topology::Ring).unwrap();
    let link = Link::default().with_latency(Latency::exponential(Duration::from_millis(30)));
    simulation.set_default_link(link.with_loss(0.05).unwrap().with_bandwidth(100_000).unwrap());
    mine_all(&simulation);
    let node = NodeId::new;
    for number in 0..20 {
        simulation.at(simulation.now() + Duration::from_secs(number), move |simulation| {
            let payment = Transaction::new(format!("sender-{}", number % 5), "carol", 1 + number);
            simulation.submit(node(number as u32 % 6), payment).unwrap();
        });
    }
    simulation.at(simulation.now() + Duration::from_secs(10), move |simulation| {
        simulation.crash(node(9)).unwrap();
        simulation.pause(node(8)).unwrap();
        simulation.partition([[node(6), node(7)]]).unwrap();
    });
    simulation.at(simulation.now() + Duration::from_secs(20), move |simulation| {
        simulation.restart(node(9), RestartFrom::Genesis).unwrap();
        simulation.resume(node(8)).unwrap();
        simulation.heal();
    });
    simulation
}

/// Five nodes that really search for their proofs.
fn hashes(seed: u64) -> Simulation {
    let simulation = Simulation::hashed(rules(5, 1), seed);
    spawn(&simulation, 5);
    simulation.join(&Topology::Complete).unwrap();
    let latency = Latency::normal(Duration::from_micros(100), Duration::from_micros(30));
    simulation.set_default_link(Link::default().with_latency(latency));
    mine_all(&simulation);
    simulation
}

/// A dozen nodes in the six regions, which ask for blocks of a tenth of a megabyte, at a difficulty that follows.
fn regions(seed: u64) -> Simulation {
    let rules = rules(12, 2000);
    let spacing = Duration::from_secs(2);
    let difficulty = Retarget::new(rules.difficulty.first_target(), 16, spacing).unwrap();
    let difficulty = Difficulty::Retargeted(difficulty);
    let simulation = Simulation::new(Rules { difficulty, relay: Relay::Announce, ..rules }, seed);
    simulation.set_regions(Some(Regions::of_2019()));
    simulation.set_block_cost(BlockCost { bytes: Some(100_000), ..BlockCost::default() });
    spawn(&simulation, 12);
    simulation.join(&Topology::Random { links: 3 }).unwrap();
    mine_all(&simulation);
    simulation
}

/// Ten nodes that tell of blocks compactly, send and look at one after the other, of whom one is selfish.
fn compact(seed: u64) -> Simulation {
    let relay = Relay::Compact { fallback_percent: 30 };
    let simulation = Simulation::new(Rules { relay, ..rules(10, 2000) }, seed);
    simulation.set_block_cost(BlockCost { bytes: Some(200_000), validation: Duration::from_millis(50) });
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(80))));
    for number in 0..10 {
        let strategy = if number == 0 { Strategy::Selfish } else { Strategy::Honest };
        let behaviour = Behaviour { strategy, tie_break: TieBreak::Random };
        let node = simulation.spawn_as(Identity { behaviour, ..Identity::default() }).unwrap();
        simulation.set_bandwidth(node, Bandwidth::new(1_000_000, 2_000_000).unwrap()).unwrap();
    }
    simulation.join(&Topology::Random { links: 2 }).unwrap();
    mine_all(&simulation);
    simulation
}

fn tips(simulation: &Simulation) -> Vec<Blockchain> {
    simulation.nodes().into_iter().map(|node| simulation.chain(node).unwrap()).collect()
}

/// The SHA-256 of a run's report and tips. How much of it was replayed depends on who looks, and nothing else does.
fn digest(simulation: &Simulation) -> String {
    let report = serde_json::to_string(&Report { replayed: 0, ..simulation.report() }).unwrap();
    let tips: String = tips(simulation).iter().map(|chain| chain.tip_hash().to_string()).collect();
    Sha256::digest(report + &tips).iter().map(|byte| format!("{byte:02x}")).collect()
}

type Scenario = (&'static str, fn(u64) -> Simulation, &'static str);

/// Each scenario, and what a run of 200 blocks with the seed 7 comes to.
const SCENARIOS: [Scenario; 5] = [
    ("forks", forks, "dc2f6badb602252019559aa07bdc31e97724d6eab9bce243fcfd6b05741000a7"),
    ("faults", faults, "ab59e3e10eb79eb8048cab1949f54c1ac248b50b41fd2075adf3acded519ccbc"),
    ("hashes", hashes, "40b0f0d935cc28d71cb5b39e485eaf6fab3c843c31c1aaf8e8c1d99b66619c86"),
    ("regions", regions, "f4e9d006f0593c9907680d069745cf796714d0ae3466857397ba67a10efe363a"),
    ("compact", compact, "e5f46b6ef826e9e338fb6c4e3de15737a955c669282a2953de22a49f211d599a"),
];

fn run(scenario: fn(u64) -> Simulation, seed: u64) -> Simulation {
    let simulation = scenario(seed);
    assert!(simulation.run_blocks(200));
    simulation
}

/// The digests hold in debug and release builds and on every CPU: with `-C target-cpu=native`, and with
/// `GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2_Usable`, too. Whoever changes what a node says, what is drawn or what a
/// report holds changes them, and says so in the changelog.
#[test]
fn the_digests_are_golden() {
    let found = SCENARIOS.map(|(name, scenario, _)| (name, digest(&run(scenario, 7))));
    let golden = SCENARIOS.map(|(name, _, golden)| (name, golden.to_owned()));
    assert_eq!(found, golden);
}

#[test]
fn another_seed_gives_another_run() {
    for (name, scenario, _) in SCENARIOS {
        let runs = [7, 8].map(|seed| tips(&run(scenario, seed)));
        assert_ne!(runs[0], runs[1], "{name}");
    }
}

/// Time that passes in steps of whatever size is the same time, and who watches changes nothing: subscriptions, with
/// and without room, reports and looks.
#[test]
fn who_watches_changes_nothing() {
    for (name, scenario, _) in SCENARIOS {
        let alone = run(scenario, 7);
        let watched = scenario(7);
        let (all, none) = (watched.events(), watched.events_with_capacity(0));
        for step in 0.. {
            // At a moment proofs come last.
            if watched.now() >= alone.now() {
                break;
            }
            assert!(watched.step());
            watched.nodes().into_iter().for_each(|node| drop(watched.peers(node)));
            // To make a report takes longer than many steps.
            if step % 16 == 0 {
                drop(watched.report());
            }
        }
        assert_eq!((watched.now(), digest(&watched)), (alone.now(), digest(&alone)), "{name}");
        assert!(all.count() as u64 == none.lost() && none.lost() > 200, "{name}");
    }
}

/// A trace changes nothing either, from the start or from the middle on; and a recorder of the events sees no more for it.
#[test]
fn who_traces_messages_changes_nothing() {
    for (name, scenario, _) in SCENARIOS {
        let alone = run(scenario, 7);
        let [traced, half] = [scenario(7), scenario(7)];
        traced.set_tracing(true);
        let events = traced.events_with_capacity(usize::MAX);
        assert!(traced.run_blocks(200));
        assert!(half.run_blocks(100));
        half.set_tracing(true);
        assert!(half.run_blocks(50));
        half.set_tracing(false);
        assert!(half.run_blocks(50));
        for traced in [&traced, &half] {
            assert_eq!((traced.now(), digest(traced)), (alone.now(), digest(&alone)), "{name}");
        }
        let [mut all, mut untraced] = [0; 2].map(|_| Recorder::new(Time::UNIX_EPOCH));
        let mut count = 0;
        for event in events {
            all.observe(&event);
            if let Happening::Message(_) = event.what {
                count += 1;
            } else {
                untraced.observe(&event);
            }
        }
        assert!(count > 200, "{name}");
        let best = alone.chain(NodeId::new(0)).unwrap();
        let [all, untraced] = [all, untraced]
            .map(|recorder| recorder.report(recorder.last_time(), &best, |_| 0, Messages::default()));
        assert_eq!(serde_json::to_string(&all).unwrap(), serde_json::to_string(&untraced).unwrap(), "{name}");
    }
}

/// A run in one go, and in thirds of a second.
#[test]
fn a_run_can_be_interrupted() {
    for (name, scenario, _) in SCENARIOS {
        let [whole, parts] = [scenario(7), scenario(7)];
        let (third, count) = (Duration::from_nanos(333_333_333), if name == "hashes" { 2 } else { 100 });
        whole.run_for(third * count);
        (0..count).for_each(|_| parts.run_for(third));
        assert_eq!((whole.now(), digest(&whole)), (parts.now(), digest(&parts)), "{name}");
        assert!(whole.report().mined > 10, "{name}");
    }
}

/// A node without peers that does not mine leaves all that the others draw as it was, and so all that they do.
#[test]
fn an_idle_node_changes_nothing() {
    for (name, scenario, _) in SCENARIOS {
        let (alone, joined) = (run(scenario, 7), scenario(7));
        joined.spawn().unwrap();
        joined.run_blocks(100);
        joined.spawn().unwrap();
        joined.run_blocks(100);
        let count = alone.nodes().len();
        assert_eq!((joined.now(), &tips(&joined)[..count]), (alone.now(), &tips(&alone)[..]), "{name}");
        let [alone, mut joined] = [alone.report(), joined.report()];
        let idle = joined.nodes.split_off(count);
        assert!(idle.iter().all(|node| node.mined == 0 && node.attempts == 0), "{name}");
        assert_eq!(joined.nodes, alone.nodes, "{name}");
        assert_eq!(
            (&joined.stale_blocks, &joined.messages),
            (&alone.stale_blocks, &alone.messages),
            "{name}"
        );
        assert_eq!(joined.propagation.to_each.count, alone.propagation.to_each.count, "{name}");
    }
}
