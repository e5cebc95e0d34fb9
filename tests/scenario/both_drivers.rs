//! The same file under both drivers.

use chainlab::{NodeId, Report, experiment::Scenario};
use serde_json::json;

fn reports(scenario: &Scenario) -> [Report; 2] {
    [scenario.run().unwrap(), scenario.run_network().unwrap()]
}

#[test]
fn a_file_says_the_same_under_both() {
    let scenario = crate::scenario(json!({
        "rules": {"preset": "sealed"}, "pace": {"block_seconds": 0.02},
        "nodes": 3, "names": ["alice"],
        "hash_rates": {"list": [20000, 20000, 0]},
        "faults": [
            {"at_seconds": 0.2, "kind": "crash", "nodes": [1]},
            {"at_seconds": 0.3, "kind": "join", "peers": ["alice", 2], "name": "carol", "hash_rate": 20000},
            {"at_seconds": 0.4, "kind": "restart", "nodes": [1]},
            {"at_seconds": 0.5, "kind": "partition", "groups": [["carol"]]},
            {"at_seconds": 0.6, "kind": "heal"}
        ],
        "transactions": [{"from": 0, "to": 2, "every_seconds": 0.05, "start_seconds": 0.1}],
        "stop": {"seconds": 1}
    }));
    for report in reports(&scenario) {
        assert_eq!((report.crashes, report.restarts, report.nodes.len()), (1, 1, 4));
        let names: Vec<_> = report.nodes.iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["alice", "node-1", "node-2", "carol"]);
        assert!(report.mined > 0 && report.nodes[2].mined == 0, "{report}");
        assert!(report.duration.as_secs_f64() >= 1.0);
    }
}

#[test]
fn both_leave_out_the_warm_up_and_stop() {
    let scenario = crate::scenario(json!({
        "rules": {"preset": "sealed"}, "pace": {"block_seconds": 0.01},
        "nodes": 2, "hash_rates": {"equal": {"total": 20000}},
        "warm_up_seconds": 0.5, "stop": {"blocks": 10}
    }));
    let [simulated, real] = reports(&scenario);
    assert_eq!(simulated.mined, 10);
    assert!(real.mined >= 10, "{real}");
}

/// A reward that no balance holds twice ends all mining.
#[test]
fn both_end_where_nobody_can_mine_any_more() {
    let scenario = crate::scenario(json!({
        "rules": {"preset": "sealed", "reward": u64::MAX}, "pace": {"block_seconds": 0.01},
        "nodes": 2, "hash_rates": {"equal": {"total": 20000}},
        "transactions": [{"from": 0, "to": 1, "every_seconds": 0.01}],
        "stop": {"blocks": 1000}
    }));
    for report in reports(&scenario) {
        assert!(report.mined < 1000, "{report}");
    }
}

/// A hundred thousand payments a second are more than a thread of this network takes: the next is always due.
#[test]
fn a_network_stops_though_it_is_behind_with_its_payments() {
    let payment = json!({"from": 0, "to": 1, "every_seconds": 0.001});
    let mut value = json!({
        "rules": {"preset": "sealed"}, "pace": {"block_seconds": 0.01},
        "nodes": 2, "hash_rates": {"list": [0, 20000]},
        "transactions": vec![payment; 100],
        "stop": {"blocks": 5}
    });
    assert!(crate::scenario(value.clone()).run_network().unwrap().mined >= 5);
    value["stop"] = json!({"seconds": 0.3});
    let report = crate::scenario(value).run_network().unwrap();
    assert!(report.duration.as_secs_f64() >= 0.3);
}

#[test]
fn threads_keep_all_blocks() {
    let scenario = crate::scenario(json!({"rules": {"preset": "sealed"}, "finality": 10}));
    let errors = [scenario.network().map(drop).unwrap_err(), scenario.run_network().map(drop).unwrap_err()];
    for error in errors {
        assert_eq!(error.to_string(), "finality: a network of threads keeps all of its blocks: leave it out");
    }
}

#[test]
fn both_begin_with_the_same_network() {
    let scenario = crate::scenario(json!({
        "rules": {"preset": "sealed"}, "nodes": 12, "names": ["alice"], "seed": 3,
        "topology": {"random": {"links": 2}}, "regions": "2019", "hash_rates": {"equal": {"total": 1000}}
    }));
    let (simulation, network) = (scenario.simulation().unwrap(), scenario.network().unwrap());
    assert_eq!(simulation.rules().difficulty, network.rules().difficulty);
    for node in (0..12).map(NodeId::new) {
        assert_eq!(simulation.peers(node).unwrap(), network.peers(node).unwrap());
        assert_eq!(simulation.region(node).unwrap(), network.region(node).unwrap());
        assert_eq!(simulation.address(node).unwrap(), network.address(node).unwrap());
        assert_eq!(simulation.name(node).unwrap(), network.name(node).unwrap());
    }
}
