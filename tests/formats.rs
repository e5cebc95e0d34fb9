//! Documents of rules, links, topologies, reports and states, and a saved network: golden files of the first version of
//! each, and those back that are read.

mod golden;

use std::{ffi::OsString, fs, path::Path, time::Duration};

use chainlab::{
    Limits, NodeId, Rules, Time, Transaction,
    network::{Clock, Config, Identity, Network},
    pow::Target,
    wire::{Bandwidth, BlockCost, Latency, Link, Topology},
};
use golden::assert_golden;
use serde::{Serialize, de::DeserializeOwned};

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

#[track_caller]
fn assert_comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    assert_eq!(&serde_json::from_str::<T>(&pretty(value)).unwrap(), value);
}

#[test]
fn the_presets_have_their_documents() {
    let presets = [Rules::notebook(), Rules::tutorial(), Rules::sealed(), Rules::bitcoin()];
    let started = Rules::sealed().started_at(Time::from_nanos(1_507_824_951_769_517_700));
    presets.iter().chain([&started]).for_each(assert_comes_back);
    assert_golden("rules.json", &pretty(&(&presets, &started)));
}

#[test]
fn every_kind_of_link_has_its_document() {
    let ms = Duration::from_millis;
    let latencies = [
        Latency::fixed(ms(40)),
        Latency::uniform(ms(10), ms(30)).unwrap(),
        Latency::normal(ms(75), ms(5)),
        Latency::log_normal(ms(60), 0.8).unwrap(),
        Latency::exponential(ms(50)),
        Latency::pareto(ms(20), 2.5).unwrap(),
        Latency::fixed(Duration::MAX),
    ];
    let mut links: Vec<_> = latencies.map(|latency| Link::default().with_latency(latency)).into();
    links.push(Link::default().with_bandwidth(1_250_000).unwrap().with_loss(0.01).unwrap().with_order(false));
    links.iter().for_each(assert_comes_back);
    assert_golden("links.json", &pretty(&links));
}

#[test]
fn every_kind_of_topology_has_its_document() {
    let topologies = [
        Topology::Complete,
        Topology::Ring,
        Topology::Line,
        Topology::Star,
        Topology::Random { links: 8 },
        Topology::Bounded { links: 8, accepted_max: 117 },
        Topology::SmallWorld { neighbours: 4, rewiring: 0.1 },
        Topology::ScaleFree { links: 2 },
        Topology::Edges(vec![(0, 1), (1, 2)]),
        Topology::OneWay(vec![(2, 0), (0, 1)]),
    ];
    topologies.iter().for_each(assert_comes_back);
    assert_golden("topologies.json", &pretty(&topologies));
}

#[test]
fn what_blocks_take_has_its_document() {
    let bandwidth = Bandwidth::new(2_500_000, 12_500_000).unwrap();
    let cost = BlockCost { bytes: Some(1_000_000), validation: Duration::from_millis(50) };
    assert_comes_back(&bandwidth);
    [cost, BlockCost::default()].iter().for_each(assert_comes_back);
    assert_golden("costs.json", &pretty(&(bandwidth, cost, BlockCost::default())));
}

/// All files under a directory, in the order of their names, each under its path.
fn listed(dir: &Path, below: &str) -> String {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let file = |name: OsString| {
        let (path, name) = (dir.join(&name), format!("{below}{}", name.display()));
        match path.is_dir() {
            true => listed(&path, &format!("{name}/")),
            false => format!("==> {name}\n{}\n", fs::read_to_string(&path).unwrap().trim_end()),
        }
    };
    names.into_iter().map(file).collect()
}

/// A network whose clock stands still, with two nodes.
fn alice_and_bob() -> (Network, [NodeId; 2]) {
    let clock = Clock::given(|_| Time::from_secs(1_000));
    let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(4));
    let limits = Limits { resolve_timeout: Duration::from_secs(60), ..Limits::default() };
    let network = Network::with_config(rules, Config { clock, limits, ..Config::default() });
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let identity =
            Identity { name: Some(name.into()), address: Some(format!("{name}'s")), ..Identity::default() };
        network.spawn_as(identity).unwrap()
    });
    (network, [alice, bob])
}

#[test]
fn a_saved_network_has_its_files() {
    let (network, [alice, bob]) = alice_and_bob();
    network.register(alice, [bob]).unwrap();
    network.mine(alice).unwrap();
    network.submit(alice, Transaction::new("carol", "dave", 5)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // The second time, the generation before is noted as well.
    network.save(dir.path()).unwrap();
    network.save(dir.path()).unwrap();
    assert_golden("save.txt", &listed(dir.path(), ""));
}

#[test]
fn states_and_reports_have_their_documents() {
    let (network, [alice, bob]) = alice_and_bob();
    network.connect(alice, bob).unwrap();
    network.submit(alice, Transaction::new("carol", "dave", 5)).unwrap();
    network.mine(alice).unwrap();
    network.submit(alice, Transaction::new("dave", "carol", 3)).unwrap();
    let unsettled = network.settle(Duration::ZERO).unwrap_err();
    network.resolve(bob).unwrap();
    let settled = network.settle(Duration::ZERO).unwrap();
    let snapshot = network.snapshot(alice).unwrap();
    assert_golden("states.json", &pretty(&(&unsettled, &settled, &snapshot)));
    let text = format!("{unsettled}\n\n{settled}\n{snapshot}\n\n{}\n", snapshot.chain);
    assert_golden("states.txt", &text);

    network.mine(bob).unwrap();
    network.resolve(alice).unwrap();
    let mut report = network.report();
    // How many attempts real searches take is no part of a format.
    report.nodes.iter_mut().for_each(|node| (node.attempts, node.attempts_share) = (100, 0.5));
    assert_golden("report.json", &pretty(&report));
}
