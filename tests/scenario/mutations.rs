//! Whatever a document says, it is read or refused with a path, and never takes the reader down.

use std::sync::LazyLock;

use chainlab::experiment::Scenario;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

/// A scenario that states every field.
static FULL: LazyLock<Value> = LazyLock::new(|| {
    let mut value = crate::scenario(json!({
        "rules": {"preset": "bitcoin", "genesis": {"shared": {"time_ns": 5, "allocations": {"alice": 100}}}},
        "pace": {"block_seconds": 15},
        "nodes": 12, "names": ["alice", "bob"],
        "hash_rates": {"zipf": {"exponent": 1.0, "total": 1e6}},
        "topology": {"small_world": {"neighbours": 4, "rewiring": 0.1}},
        "link": {"latency": {"uniform": {"min_seconds": 0.1, "max_seconds": 0.2}}, "bandwidth": 1000000, "loss": 0.01},
        "regions": "2019",
        "block_cost": {"bytes": 1000, "validation_seconds_per_megabyte": 0.1},
        "strategies": [
            {"nodes": ["alice"], "strategy": "selfish"},
            {"nodes": [3], "strategy": {"optimal": {"power": 0.3, "gamma": 0.5, "truncation": 3}}},
            {"strategy": {"stubborn": {"lead": true, "equal_fork": false, "trail": 1}}}
        ],
        "tie_breaks": [{"tie_break": {"towards": {"miner": "alice", "probability": 0.5}}}],
        "transactions": [{"from": 0, "to": "bob", "amount": 2, "every_seconds": 30, "start_seconds": 1}],
        "faults": [
            {"at_seconds": 1, "kind": "crash", "nodes": [4]},
            {"at_seconds": 2, "kind": "restart", "nodes": [4], "lost_disk": true},
            {"at_seconds": 3, "kind": "partition", "groups": [[0, 1], [2, "node-3"]]},
            {"at_seconds": 4, "kind": "heal"},
            {"at_seconds": 5, "kind": "join", "peers": [0], "name": "dave", "hash_rate": 10},
            {"at_seconds": 6, "kind": "set_link", "from": "dave", "to": 0, "link": {"loss": 0.5}},
            {"at_seconds": 7, "kind": "set_hash_rate", "nodes": [12], "hash_rate": 0}
        ],
        "stop": {"seconds": 1000, "blocks": 100, "position": 100},
        "warm_up_seconds": 10,
        "seed": 7
    }))
    .to_value();
    value["topology"] = json!({"random": {"links": 3}});
    value["finality"] = json!(100);
    value
});

/// What fields of the full one may say instead.
static OTHERS: LazyLock<Vec<(&str, Value)>> = LazyLock::new(|| {
    let spend = json!({"merchant": "shop", "amount": 5, "confirmations": 2, "give_up": 9});
    vec![
        ("/rules/relay", json!("none")),
        ("/rules/relay", json!("announce")),
        ("/rules/relay", json!({"compact": {"fallback_percent": 5}})),
        ("/rules/difficulty", json!({"fixed": "0000ffff000000000000000000000000"})),
        ("/hash_rates", json!({"list": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5]})),
        ("/hash_rates", json!({"exponential": {"total": 1e6}})),
        ("/hash_rates", json!({"by_region": {"europe": 1e6}})),
        ("/hash_rates", json!({"equal": {"total": 1e6}})),
        ("/regions", json!("2019_drawn")),
        ("/topology", json!("complete")),
        ("/topology", json!("ring")),
        ("/topology", json!("line")),
        ("/topology", json!("star")),
        ("/topology", json!({"bounded": {"links": 2, "accepted_max": 3}})),
        ("/topology", json!({"small_world": {"neighbours": 4, "rewiring": 0.1}})),
        ("/topology", json!({"scale_free": {"links": 2}})),
        ("/topology", json!({"edges": [[0, 1], [1, 2]]})),
        ("/topology", json!({"one_way": [[0, 1], [1, 2]]})),
        ("/link/latency", json!({"fixed": {"seconds": 0.1}})),
        ("/link/latency", json!({"normal": {"mean_seconds": 0.1, "standard_deviation_seconds": 0.01}})),
        ("/link/latency", json!({"log_normal": {"median_seconds": 0.1, "sigma": 0.5}})),
        ("/link/latency", json!({"exponential": {"mean_seconds": 0.1}})),
        ("/link/latency", json!({"pareto": {"minimum_seconds": 0.1, "shape": 2}})),
        ("/strategies/0/strategy", json!({"double_spend": spend})),
        ("/strategies/0/strategy", json!({"eclipse": {"victim": "bob", "feeds": true}})),
        ("/strategies/0/strategy", json!("honest")),
        ("/tie_breaks/0/tie_break", json!("random")),
        ("/tie_breaks/0/tie_break", json!("lowest_hash")),
        ("/faults/5", json!({"at_seconds": 6, "kind": "set_link", "link": {"loss": 0.5}})),
    ]
});

/// The full one with some of the others.
fn scenario() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(OTHERS.clone(), 0..=4).prop_map(|others| with(&others))
}

fn with(others: &[(&str, Value)]) -> Value {
    let mut document = FULL.clone();
    for (place, other) in others {
        *document.pointer_mut(place).expect("the full one has every field") = other.clone();
    }
    document
}

/// Where a value of a document stands: what to go into at each step.
fn places(value: &Value, path: Vec<String>, places: &mut Vec<Vec<String>>) {
    let mut go_into = |key: String, inner: &Value| {
        let mut path = path.clone();
        path.push(key);
        self::places(inner, path, places);
    };
    match value {
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(place, inner)| go_into(place.to_string(), inner));
        }
        Value::Object(fields) => fields.iter().for_each(|(field, inner)| go_into(field.clone(), inner)),
        _ => {}
    }
    places.push(path);
}

#[derive(Debug, Clone)]
enum Mutation {
    Replace(Value),
    Remove,
    Rename(String),
    Repeat,
    Scale(f64),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let value = prop_oneof![
        Just(json!(null)),
        Just(json!({})),
        Just(json!([])),
        Just(json!([[]])),
        Just(json!({"nodes": [0]})),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        (-20..20_i32).prop_map(|value| json!(value)),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |value| value.is_finite())
            .prop_map(|value| json!(value)),
        ".{0,90}".prop_map(|value| json!(value)),
        Just(json!("long".repeat(10_000))),
        prop::sample::select(vec![
            "honest",
            "complete",
            "star",
            "balanced",
            "as_stated",
            "2019",
            "alice",
            "node-3",
            "0",
            "\0",
            "random",
        ])
        .prop_map(|value| json!(value)),
    ];
    prop_oneof![
        4 => value.prop_map(Mutation::Replace),
        2 => Just(Mutation::Remove),
        1 => prop_oneof![9 => "[a-z_]{1,12}".boxed(), 1 => Just("long".repeat(10_000)).boxed()].prop_map(Mutation::Rename),
        1 => Just(Mutation::Repeat),
        3 => prop_oneof![Just(-1.0), Just(0.0), Just(0.5), Just(1e3), Just(1e12), Just(1e300)].prop_map(Mutation::Scale),
    ]
}

fn mutate(document: &mut Value, at: Index, mutation: Mutation) {
    let mut all = Vec::new();
    places(document, Vec::new(), &mut all);
    let path = at.get(&all).clone();
    let pointer = |path: &[String]| path.iter().map(|part| format!("/{part}")).collect::<String>();
    let place = document.pointer_mut(&pointer(&path)).expect("no field has a slash in its name");
    match mutation {
        Mutation::Replace(value) => *place = value,
        Mutation::Scale(factor) => {
            if let Some(scaled) =
                place.as_f64().and_then(|value| serde_json::Number::from_f64(value * factor))
            {
                *place = Value::Number(scaled);
            }
        }
        Mutation::Remove | Mutation::Rename(_) | Mutation::Repeat => {
            let Some((last, parent)) = path.split_last() else { return };
            let value = place.clone();
            match document.pointer_mut(&pointer(parent)).expect("it holds the place") {
                Value::Object(fields) => {
                    if !matches!(mutation, Mutation::Repeat) {
                        fields.remove(last);
                    }
                    if let Mutation::Rename(name) = mutation {
                        fields.insert(name, value);
                    }
                }
                Value::Array(values) if matches!(mutation, Mutation::Repeat) => values.push(value),
                Value::Array(values) => {
                    drop(values.remove(last.parse::<usize>().expect("a place in a list")))
                }
                _ => {}
            }
        }
    }
}

#[track_caller]
fn assert_read_or_refused(json: &str) {
    match Scenario::from_json(json) {
        Ok(scenario) => {
            let written = scenario.to_json();
            let again = Scenario::from_json(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again, scenario);
            assert_eq!(again.to_json(), written);
        }
        Err(error) => {
            assert!(!error.path.is_empty() && !error.problem.to_string().is_empty(), "{error:?}");
            assert_eq!(error.to_string(), format!("{}: {}", error.path, error.problem));
            assert!(error.to_string().chars().count() <= 1_000, "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_mutated_scenario_is_read_or_refused_with_a_path(
        mut document in scenario(),
        mutations in prop::collection::vec((any::<Index>(), mutation()), 1..4),
    ) {
        for (at, mutation) in mutations {
            mutate(&mut document, at, mutation);
        }
        assert_read_or_refused(&document.to_string());
    }

    #[test]
    fn a_damaged_text_is_read_or_refused_with_a_path(
        document in scenario(),
        at: Index,
        length in 0..9_usize,
        by in ".{0,4}",
    ) {
        let text = document.to_string();
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        assert_read_or_refused(&format!("{}{by}{}", &text[..start], &text[end..]));
    }
}

/// A mutation that nothing refuses would show nothing of the errors: the whole is accepted, and this much less is not.
#[test]
fn the_unmutated_one_is_accepted() {
    let others = OTHERS.iter().map(std::slice::from_ref);
    for others in others.chain([&[][..]]) {
        let document = with(others);
        assert_read_or_refused(&document.to_string());
        Scenario::from_value(document).unwrap_or_else(|error| panic!("{others:?}: {error}"));
    }
    let mut document = FULL.clone();
    document["faults"][6]["nodes"] = json!([13]);
    let error = Scenario::from_value(document).unwrap_err();
    assert_eq!(error.to_string(), "faults[6].nodes[0]: node 13 is not there: there are 13");
}
