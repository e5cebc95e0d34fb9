//! What documents say, and what is wrong with them.

use chainlab::{Difficulty, Rules, RulesError, experiment::Scenario, pow::Target, wire::Topology};
use serde_json::{Value, json};

#[track_caller]
fn error(json: &str) -> String {
    Scenario::from_json(json).unwrap_err().to_string()
}

#[test]
fn nothing_stated_is_the_default() {
    let empty = Scenario::from_json("{}").unwrap();
    assert_eq!(empty.to_json(), Scenario::default().to_json());
    assert_eq!((empty.nodes, empty.rules, empty.stop.blocks), (10, Rules::bitcoin(), Some(1000)));
    assert_eq!(empty.topology, Some(Topology::Complete));
    let many = crate::scenario(json!({"nodes": 51}));
    assert_eq!(many.topology, Some(Topology::Random { links: 8 }));
}

#[test]
fn what_no_field_may_hold_is_an_error_with_its_path() {
    for (json, expected) in [
        (r#"{"nodes": 0}"#, "nodes: 0 is not from 1 to 1000000"),
        (r#"{"nodes": 2000000}"#, "nodes: 2000000 is not from 1 to 1000000"),
        (r#"{"node": 3}"#, "unknown field `node`"),
        (r#"{"nodes": -3}"#, "nodes: invalid value: integer `-3`, expected usize"),
        (r#"{"seed": "x"}"#, "seed: invalid type: string \"x\", expected u64"),
        (r#"{"rules": {"preset": "bitcoins"}}"#, "rules.preset: unknown variant `bitcoins`"),
        (r#"{"rules": {"preset": "notebook", "relay": "push"}}"#, "rules.relay: relay is push, but genesis"),
        (r#"{"link": {"loss": 1.5}}"#, "link.loss: the loss is 1.5, not a probability from 0 to 1"),
        (
            r#"{"link": {"latency": {"fixed": {"seconds": -1}}}}"#,
            "link.latency.fixed.seconds: expected seconds from 0",
        ),
        (r#"{"regions": "2020"}"#, "regions: unknown variant `2020`, expected `2019` or `2019_drawn`"),
        (r#"{"warm_up_seconds": -1}"#, "warm_up_seconds: expected seconds from 0 to 2^64, found -1"),
        (r#"{"warm_up_seconds": 1e11}"#, "warm_up_seconds: 100000000000 is not from 0 to 10000000000"),
        (
            r#"{"warm_up_seconds": 9, "stop": {"seconds": 8}}"#,
            "stop.seconds: 8 s is not after the warm-up of 9 s",
        ),
        (
            r#"{"stop": {}}"#,
            "stop: states none of `seconds`, `blocks` and `position`: the run would never end",
        ),
        (r#"{"stop": {"seconds": -1}}"#, "stop.seconds: -1 is not from 0 to 10000000000"),
        (r#"{"stop": {"bloks": 1}}"#, "unknown field `bloks`"),
        (r#"{"names": ["a", "b", "a"]}"#, "names[2]: the name \"a\" is that of node 0"),
        (r#"{"names": ["node-1"]}"#, "names[0]: the name \"node-1\" is that of node 1"),
        (r#"{"names": ["0"]}"#, "names[0]: \"0\" cannot be a node's name and address"),
        (r#"{"nodes": 1, "names": ["a", "b"]}"#, "names: 2 values for 1 nodes"),
        (
            r#"{"rules": {"preset": "bitcoin", "address_chars_max": 3}, "names": ["alice"]}"#,
            "names[0]: \"alice\" cannot be a node's address",
        ),
        (
            r#"{"rules": {"preset": "bitcoin", "address_chars_max": 3}}"#,
            "rules.address_chars_max: \"node-9\" cannot be a node's address",
        ),
        (
            r#"{"hash_rates": {"equal": {"total": -1}}}"#,
            "hash_rates.equal.total: -1 is not from 0 to 1000000000000000",
        ),
        (r#"{"hash_rates": {"list": [1, 2]}}"#, "hash_rates.list: 2 values for 10 nodes"),
        (r#"{"nodes": 2, "hash_rates": {"list": [1, -2]}}"#, "hash_rates.list[1]: -2 is not from 0"),
        (
            r#"{"hash_rates": {"zipf": {"exponent": -1, "total": 1}}}"#,
            "hash_rates.zipf.exponent: -1 is not from 0 to 20",
        ),
        (r#"{"hash_rates": {"zipf": {"total": 1}}}"#, "hash_rates.zipf: missing field `exponent`"),
        (r#"{"hash_rates": {"by_region": {"europe": 1}}}"#, "hash_rates.by_region: nodes lie in no regions"),
        (
            r#"{"regions": "2019", "hash_rates": {"by_region": {"mars": 1}}}"#,
            "hash_rates.by_region.mars: there is no region \"mars\": there are north america, europe",
        ),
        (
            r#"{"nodes": 1, "regions": "2019", "hash_rates": {"by_region": {"japan": 1e6}}}"#,
            "hash_rates.by_region.japan: 1000000 hashes a second are nobody's",
        ),
        (
            r#"{"nodes": 1, "hash_rates": {"equal": {"total": 0.001}}}"#,
            "hash_rates.equal.total: 0.001 hashes a second make 0.6 in the 600 s of a block",
        ),
        (r#"{"pace": {"block_seconds": 0}}"#, "pace.block_seconds: 0 is not from 0.000001"),
        (
            r#"{"topology": {"random": {"links": 10}}}"#,
            "topology.random.links: 10 links a node: there are only 10 nodes",
        ),
        (r#"{"topology": {"random": {"link": 10}}}"#, "unknown field `link`"),
        (
            r#"{"topology": {"edges": [[0, 10]]}}"#,
            "topology.edges[0][1]: an edge names node 10, but there are only 10 nodes",
        ),
        (
            r#"{"nodes": 100000, "topology": "complete"}"#,
            "topology: 100000 nodes would have 4999950000 links: at most 50000000",
        ),
        (
            r#"{"nodes": 100, "topology": {"small_world": {"neighbours": 2, "rewiring": 1}}}"#,
            "topology.small_world.neighbours: a ring of 100 nodes falls apart",
        ),
        (
            r#"{"strategies": [{"nodes": [10], "strategy": "honest"}]}"#,
            "strategies[0].nodes[0]: node 10 is not there: there are 10",
        ),
        (
            r#"{"strategies": [{"nodes": [1, "node-1"], "strategy": "honest"}]}"#,
            "strategies[0].nodes[1]: node \"node-1\" is named twice",
        ),
        (
            r#"{"strategies": [{"strategy": "honest"}, {"strategy": "honest"}]}"#,
            "strategies[1]: `nodes` is left out a second time",
        ),
        (
            r#"{"strategies": [{"strategy": {"optimal": {"power": 1.1, "gamma": 0, "truncation": 9}}}]}"#,
            "strategies[0].strategy.optimal.power: the power is 1.1, not more than 0 and less than 0.5",
        ),
        (
            r#"{"strategies": [{"strategy": {"eclipse": {"victim": 10}}}]}"#,
            "strategies[0].strategy.eclipse.victim: node 10 is not there",
        ),
        (
            r#"{"strategies": [{"strategy": {"eclipse": {"victim": 3}}}]}"#,
            "strategies[0].strategy.eclipse.victim: node 3 would attack itself",
        ),
        (
            r#"{"names": ["alice"], "strategies": [{"strategy": {"eclipse": {"victim": "bob"}}}]}"#,
            "strategies[0].strategy.eclipse.victim: node \"bob\" is not there: there are 10",
        ),
        (
            r#"{"names": ["alice"], "strategies": [{"nodes": [0], "strategy": {"eclipse": {"victim": "alice"}}}]}"#,
            "strategies[0].strategy.eclipse.victim: node \"alice\" would attack itself",
        ),
        (
            r#"{"strategies": [{"strategy": {"eclipse": {"victim": -1}}}]}"#,
            "strategies[0].strategy.eclipse.victim: invalid type: integer `-1`, expected a node's number or its name",
        ),
        (
            r#"{"rules": {"preset": "notebook"}, "strategies": [{"nodes": [0], "strategy": {"double_spend":
                {"merchant": "node-1", "amount": 1, "confirmations": 1, "give_up": 9}}}]}"#,
            "strategies[0].strategy.double_spend: the rules keep no accounts",
        ),
        (
            r#"{"names": ["thief"], "strategies": [{"nodes": [0], "strategy": {"double_spend":
                {"merchant": "thief", "amount": 1, "confirmations": 1, "give_up": 9}}}]}"#,
            "strategies[0].strategy.double_spend.merchant: node 0 would attack itself",
        ),
        (
            r#"{"strategies": [{"nodes": [0], "strategy": {"double_spend":
                {"merchant": "0", "amount": 1, "confirmations": 1, "give_up": 9}}}]}"#,
            "strategies[0].strategy.double_spend.merchant: \"0\" cannot be a node's name and address",
        ),
        (r#"{"finality": 0}"#, "finality: 0 is not from 1 to "),
        (r#"{"finality": -1}"#, "finality: invalid value: integer `-1`, expected u64"),
        // A second before the end of time.
        (
            r#"{"rules": {"preset": "bitcoin", "genesis": {"shared": {"time_ns": 18446744072709551615, "allocations": {}}}},
                "stop": {"seconds": 2}}"#,
            "stop.seconds: 2 is not from 0 to 1",
        ),
        (
            r#"{"tie_breaks": [{"tie_break": {"towards": {"miner": "node-0", "probability": 2}}}]}"#,
            "tie_breaks[0].tie_break.towards.probability: the probability is 2, not from 0 to 1",
        ),
        (
            r#"{"tie_breaks": [{"tie_break": {"towards": {"miner": "eve", "probability": 1}}}]}"#,
            "tie_breaks[0].tie_break.towards.miner: \"eve\" is no node's address",
        ),
        (
            r#"{"transactions": [{"from": 0, "to": 99, "every_seconds": 1}]}"#,
            "transactions[0].to: node 99 is not there: there are 10",
        ),
        (
            r#"{"transactions": [{"from": 0, "to": "node-0", "every_seconds": 1}]}"#,
            "transactions[0].to: node \"node-0\" is both ends",
        ),
        (
            r#"{"transactions": [{"from": 0, "to": 1, "every_seconds": 0}]}"#,
            "transactions[0].every_seconds: 0 is not from 0.001",
        ),
        (
            r#"{"transactions": [{"from": true, "to": 1, "every_seconds": 1}]}"#,
            "transactions[0].from: invalid type: boolean `true`, expected a node's number or its name",
        ),
    ] {
        let found = error(json);
        assert!(found.contains(expected), "{json}\n{found}");
        assert!(found.split(": ").next().is_some_and(|path| !path.is_empty()), "{found}");
    }
}

/// Where several numbers stand together, it is said which of them is wrong.
#[test]
fn an_error_has_the_path_of_the_very_field() {
    let optimal =
        |fields: &str| format!(r#"{{"strategies": [{{"strategy": {{"optimal": {{{fields}}}}}}}]}}"#);
    let spend = |amount: u64, confirmations: u64, give_up: u64| {
        let fields = json!({"merchant": "node-1", "amount": amount, "confirmations": confirmations, "give_up": give_up});
        json!({"strategies": [{"nodes": [0], "strategy": {"double_spend": fields}}]}).to_string()
    };
    let rules = |fields: Value| {
        let mut rules = json!({"preset": "bitcoin"});
        rules.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"rules": rules}).to_string()
    };
    let retarget = |field: &str, value: u64| {
        let mut difficulty = serde_json::to_value(Rules::bitcoin().difficulty).unwrap();
        difficulty["retargeted"][field] = json!(value);
        rules(json!({"difficulty": difficulty}))
    };
    let too_small = Rules { block_bytes_max: 10, ..Rules::bitcoin() }.check_together();
    let Err(RulesError::BlockBytes { needed, .. }) = too_small else { panic!("{too_small:?}") };
    let topology = |topology: Value| json!({"topology": topology}).to_string();
    let small_world = |neighbours: usize, rewiring: f64| {
        topology(json!({"small_world": {"neighbours": neighbours, "rewiring": rewiring}}))
    };
    for (json, expected) in [
        (
            optimal(r#""power": 0.3, "gamma": 2"#),
            "strategies[0].strategy.optimal.gamma: gamma is 2, not from 0 to 1",
        ),
        (
            optimal(r#""power": 0.3, "truncation": 1"#),
            "strategies[0].strategy.optimal.truncation: the truncation is 1, not from 2 to 40",
        ),
        (spend(0, 1, 1), "strategies[0].strategy.double_spend.amount: invalid value: integer `0`"),
        (spend(1, 0, 1), "strategies[0].strategy.double_spend.confirmations: invalid value: integer `0`"),
        (spend(1, 1, 0), "strategies[0].strategy.double_spend.give_up: invalid value: integer `0`"),
        (
            rules(json!({"relay": {"compact": {"fallback_percent": 101}}})),
            "rules.relay.compact.fallback_percent: fallback_percent is 101, more than 100",
        ),
        (rules(json!({"block_bytes_max": 10})), "rules.block_bytes_max: block_bytes_max is 10, but a block"),
        (
            rules(json!({"block_bytes_max": needed + 5})),
            "rules.block_bytes_max: \"node-9\" cannot be a node's address",
        ),
        (
            rules(json!({"accounts": false, "genesis": {"shared": {"time_ns": 5, "allocations": {"eve": 7}}}})),
            "rules.genesis.shared.allocations.eve: allocations give eve 7 coins, but accounts is false",
        ),
        (
            rules(
                json!({"address_chars_max": 6, "genesis": {"shared": {"time_ns": 5, "allocations": {"eve's mother": 7}}}}),
            ),
            "rules.genesis.shared.allocations.eve's mother: allocations give coins to eve's mother, whose 12",
        ),
        (
            r#"{"rules": {"preset": "bitcoin", "genesis": {"shared": {"time_ns": 5, "allocations": {"eve": 7, "eve": 8}}}}}"#
                .into(),
            "rules.genesis.shared.allocations.eve: eve has 7 coins, and again 8",
        ),
        (retarget("window", 1), "rules.difficulty.retargeted.window: window is 1 blocks, which have no"),
        (retarget("spacing_seconds", 0), "rules.difficulty.retargeted.spacing_seconds: spacing is 0ns"),
        (retarget("factor_max", 0), "rules.difficulty.retargeted.factor_max: factor_max is 0: it takes 1"),
        (
            r#"{"link": {"latency": {"log_normal": {"median_seconds": 1, "sigma": -1}}}}"#.into(),
            "link.latency.log_normal.sigma: the sigma of a log-normal latency is -1, not a finite",
        ),
        (
            r#"{"link": {"latency": {"pareto": {"minimum_seconds": 1, "shape": 0}}}}"#.into(),
            "link.latency.pareto.shape: the shape of a Pareto latency is 0, not a finite number above",
        ),
        (
            r#"{"link": {"latency": {"uniform": {"min_seconds": 2, "max_seconds": 1}}}}"#.into(),
            "link.latency.uniform: a uniform latency from 2s to 1s is from more to less",
        ),
        (r#"{"link": {"bandwidth": 0}}"#.into(), "link.bandwidth: invalid value: integer `0`"),
        (topology(json!({"random": {"links": 0}})), "topology.random.links: 0 links a node"),
        (topology(json!({"scale_free": {"links": 0}})), "topology.scale_free.links: 0 links a node"),
        (
            topology(json!({"bounded": {"links": 3, "accepted_max": 2}})),
            "topology.bounded.accepted_max: 3 links a node, but only 2 accepted",
        ),
        (small_world(3, 0.1), "topology.small_world.neighbours: 3 neighbours a node, not an even number"),
        (small_world(10, 0.1), "topology.small_world.neighbours: 10 neighbours a node, but only 10 nodes"),
        (small_world(4, 1.5), "topology.small_world.rewiring: the rewiring is 1.5, not a probability"),
        (topology(json!({"edges": [[0, 1], [12, 0], [3, 3]]})), "topology.edges[1][0]: an edge names node 12"),
        (topology(json!({"edges": [[0, 1], [3, 4], [3, 3]]})), "topology.edges[2][1]: an edge joins node 3"),
        (topology(json!({"one_way": [[0, 10]]})), "topology.one_way[0][1]: an edge names node 10"),
        (
            r#"{"nodes": 2, "hash_rates": {"list": [1e15, 1]}}"#.into(),
            "hash_rates.list: the hash rates are 1000000000000001 together",
        ),
    ] {
        let found = error(&json);
        assert!(found.starts_with(expected), "{json}\n{found}");
    }
}

#[test]
fn what_changes_must_be_possible_at_its_time() {
    for (faults, expected) in [
        (
            r#"{"at_seconds": 1, "kind": "crash", "nodes": [12]}"#,
            "faults[0].nodes[0]: node 12 is not there: there are 10",
        ),
        (r#"{"at_seconds": -1, "kind": "heal"}"#, "faults[0].at_seconds: expected seconds from 0"),
        (r#"{"at_seconds": 1, "kind": "explode"}"#, "faults[0].kind: unknown variant `explode`"),
        (r#"{"at_seconds": 1, "kind": "crash"}"#, "faults[0]: `crash` lacks the field `nodes`"),
        (
            r#"{"at_seconds": 1, "kind": "crash", "nodes": [1], "groups": []}"#,
            "faults[0].groups: `crash` has no field `groups`",
        ),
        (
            r#"{"at_seconds": 1, "kind": "crash", "nodes": [1], "groups": [], "kind": "crash"}"#,
            "faults[0]: duplicate field `kind`",
        ),
        (r#"{"at_seconds": 1, "kind": "heal"}"#, "faults[0].kind: there is no partition at 1 s"),
        (
            r#"{"at_seconds": 1, "kind": "partition", "groups": [[0], [1, 0]]}"#,
            "faults[0].groups[1][1]: node 0 is named twice",
        ),
        (
            r#"{"at_seconds": 1, "kind": "restart", "nodes": [4]}"#,
            "faults[0].nodes[0]: node 4 is not down at 1 s",
        ),
        // The second in the list comes first.
        (
            r#"{"at_seconds": 9, "kind": "crash", "nodes": [4]}, {"at_seconds": 3, "kind": "crash", "nodes": [3, 4]}"#,
            "faults[0].nodes[0]: node 4 is down at 9 s",
        ),
        (
            r#"{"at_seconds": 2, "kind": "crash", "nodes": [10]}, {"at_seconds": 3, "kind": "join", "peers": [0]}"#,
            "faults[0].nodes[0]: node 10 is not there: there are 10",
        ),
        (
            r#"{"at_seconds": 2, "kind": "join", "peers": [0], "name": "node-3"}"#,
            "faults[0].name: the name \"node-3\" is that of node 3",
        ),
        (
            r#"{"at_seconds": 2, "kind": "join", "peers": [0], "hash_rate": -1}"#,
            "faults[0].hash_rate: -1 is not from 0",
        ),
        (
            r#"{"at_seconds": 2, "kind": "set_link", "from": 1, "link": {}}"#,
            "faults[0]: `from` is node 1, but a link has two ends: state `to` as well",
        ),
        (
            r#"{"at_seconds": 2, "kind": "set_link", "to": "bob", "link": {}}"#,
            "faults[0]: `to` is node \"bob\", but a link has two ends: state `from` as well",
        ),
        (
            r#"{"at_seconds": 2, "kind": "set_link", "from": 1, "to": 1, "link": {}}"#,
            "faults[0].to: node 1 is both ends",
        ),
        (
            r#"{"at_seconds": 2, "kind": "set_link", "link": {"loss": 2}}"#,
            "faults[0].link.loss: the loss is 2",
        ),
        (
            r#"{"at_seconds": 60, "kind": "set_hash_rate", "nodes": [0,1,2,3,4,5,6,7,8,9], "hash_rate": 0}"#,
            "stop: nobody mines after 60 s",
        ),
    ] {
        let found = error(&format!(r#"{{"faults": [{faults}]}}"#));
        assert!(found.starts_with(expected), "{faults}\n{found}");
    }
    // Who joins is checked as who is there from the start.
    let joins = |name: &str, others: &str| {
        error(&format!(
            r#"{{{others}, "faults": [{{"at_seconds": 1, "kind": "join", "peers": [0]{name}}}]}}"#
        ))
    };
    let rules = r#""rules": {"preset": "bitcoin", "address_chars_max": 6}"#;
    let found = joins("", rules);
    assert!(found.starts_with("rules.address_chars_max: \"node-10\" cannot be"), "{found}");
    let merchant = r#""strategies": [{"strategy": {"double_spend": {
        "merchant": "late", "amount": 1, "confirmations": 1, "give_up": 5}}}]"#;
    let found = joins(r#", "name": "late""#, merchant);
    assert!(found.starts_with("strategies[0].strategy.double_spend.merchant: "), "{found}");
    // In the order of time all of this can be.
    crate::scenario(json!({"names": ["alice"], "faults": [
        {"at_seconds": 9, "kind": "restart", "nodes": ["alice"], "lost_disk": true},
        {"at_seconds": 3, "kind": "crash", "nodes": [0, "carol"]},
        {"at_seconds": 2, "kind": "join", "peers": [0, 1], "name": "carol", "hash_rate": 5},
        {"at_seconds": 4, "kind": "partition", "groups": [[1, 2], [10]]},
        {"at_seconds": 5, "kind": "heal"}
    ]}));
}

#[test]
fn a_document_that_is_none_has_a_path_too() {
    for json in ["", "{", "[]", " [{}]", "null", "{} {}", "{\"nodes\": }", "{\"nodes\": 1e999}"] {
        let found = error(json);
        let (path, message) = found.split_once(": ").unwrap();
        assert!(!path.is_empty() && !message.is_empty(), "{json}: {found}");
    }
}

#[test]
fn the_pace_follows_the_hash_rates() {
    let first = |value| {
        let simulation = crate::scenario(value).simulation().unwrap();
        simulation.rules().difficulty
    };
    let hashes = |value| first(value).first_target().expected_hashes();
    assert_eq!(hashes(json!({})), 600_000_000);
    assert_eq!(hashes(json!({"pace": {"block_seconds": 15}})), 15_000_000);
    assert_eq!(
        hashes(json!({"pace": "as_stated"})),
        Rules::bitcoin().difficulty.first_target().expected_hashes()
    );
    let fixed = json!({"preset": "notebook"});
    assert_eq!(first(json!({"rules": fixed})), Rules::notebook().difficulty);
    assert_eq!(
        first(json!({"rules": fixed, "pace": {"block_seconds": 0.5}})),
        Difficulty::Fixed(Target::from_expected_hashes(500_000))
    );
    let paced = first(json!({"pace": {"block_seconds": 15}}));
    assert_eq!(paced.retarget().unwrap().spacing().as_secs(), 15);
}
