//! Rules as data: what they may say together, and their documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chainlab::{
    BlockHash, Blockchain, Checks, Difficulty, ForkChoice, Genesis, Network, Node, NodeId, PreviousHash,
    ProofRule, Relay, Retarget, Rules, RulesError, Time,
    network::{Identity, SpawnError},
    pow::Target,
};
use proptest::{collection::btree_map, option, prelude::*, sample::select};
use serde_json::Value;

fn sealed() -> Rules {
    Rules::sealed().with_first_target(Target::EASIEST)
}

fn shared(allocations: impl IntoIterator<Item = (&'static str, u64)>) -> Genesis {
    let allocations = allocations.into_iter().map(|(address, coins)| (address.into(), coins)).collect();
    Genesis::Shared { time: None, allocations }
}

fn spawn_to(network: &Network, address: &str) -> Result<chainlab::NodeId, SpawnError> {
    network.spawn_as(Identity { address: Some(address.into()), ..Identity::default() })
}

#[test]
fn rules_that_rule_each_other_out_start_no_node() {
    let own = Genesis::OwnOfEachNode { previous_hash: PreviousHash::NumberOne };
    let relay = |name| {
        format!(
            "relay is {name}, but genesis is own_of_each_node: a block would connect to nobody else's chain"
        )
    };
    let compact = Relay::Compact { fallback_percent: 7 };
    let bad = [
        (Rules { relay: Relay::Push, ..Rules::notebook() }, relay("push")),
        (Rules { relay: Relay::Announce, ..Rules::tutorial() }, relay("announce")),
        (Rules { relay: compact, ..Rules::notebook() }, relay("compact with 7 % fallback")),
        (Rules { genesis: own, ..sealed() }, relay("push")),
        (
            Rules { relay: Relay::Compact { fallback_percent: 101 }, ..sealed() },
            "fallback_percent is 101, more than 100".into(),
        ),
        (
            Rules { block_bytes_max: 100, ..sealed() },
            "block_bytes_max is 100, but a block takes up to 246 bytes with its reward alone".into(),
        ),
        (
            Rules { block_bytes_max: 0, accounts: false, ..sealed() },
            "block_bytes_max is 0, but a block takes up to 246 bytes with its reward alone".into(),
        ),
        (
            Rules { accounts: false, genesis: shared([("alice", 5)]), ..sealed() },
            "allocations give alice 5 coins, but accounts is false: nobody would count them".into(),
        ),
        (
            Rules { genesis: shared([("bob", 1), ("alice", 1)]), address_chars_max: 4, ..sealed() },
            "allocations give coins to alice, whose 5 characters address_chars_max, 4, keeps out of blocks"
                .into(),
        ),
    ];
    for (rules, message) in bad {
        let error = rules.check_together().unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(Blockchain::start(&rules, Time::UNIX_EPOCH), Err(error.clone()));
        let node = Node::new(NodeId::new(0), Arc::new(rules.clone()), "a", Time::UNIX_EPOCH);
        assert_eq!(node.map(|node| node.id()), Err(error.clone()));
        let network = Network::new(rules);
        let refused = spawn_to(&network, "a").unwrap_err();
        assert!(matches!(&refused, SpawnError::Rules(found) if *found == error), "{refused}");
        assert_eq!(refused.to_string(), message);
        assert_eq!(network.puppet().unwrap_err().to_string(), message);
        assert_eq!(network.nodes(), []);
    }
}

#[test]
fn rules_at_the_edge_of_what_goes_together_mine() {
    let coins = shared([("a", u64::MAX - 50)]);
    for rules in [
        Rules { payments_max: 0, ..sealed() },
        Rules { block_bytes_max: 247, ..sealed() },
        Rules { genesis: coins, ..sealed() },
        Rules { genesis: coins_of_a_name(4), address_chars_max: 4, ..sealed() },
        // Where nobody looks at addresses they are as long as they like.
        Rules {
            genesis: coins_of_a_name(4),
            address_chars_max: 3,
            checks: Checks::LinksAndProofs,
            ..sealed()
        },
        Rules { ahead_max: Duration::ZERO, ..sealed() },
        Rules { relay: Relay::None, genesis: Rules::notebook().genesis, ..sealed() },
        Rules {
            relay: Relay::Push,
            genesis: shared([]),
            ..Rules::notebook().with_first_target(Target::EASIEST)
        },
        Rules { block_bytes_max: 0, ..Rules::notebook().with_first_target(Target::EASIEST) },
    ] {
        assert_eq!(rules.check_together(), Ok(()));
        let network = Network::new(rules.clone());
        let node = spawn_to(&network, "m").unwrap();
        network.mine(node).unwrap();
        assert_eq!(network.chain(node).unwrap().len(), 2, "{rules:?}");
    }
}

fn coins_of_a_name(characters: usize) -> Genesis {
    let allocations = BTreeMap::from([("\u{1f600}".repeat(characters).into(), 1)]);
    Genesis::Shared { time: None, allocations }
}

/// What the error says that a block takes is what the longest takes, to the byte.
#[test]
fn a_block_has_room_for_its_reward_to_the_byte() {
    let Err(RulesError::BlockBytes { needed, .. }) =
        Rules { block_bytes_max: 0, ..sealed() }.check_together()
    else {
        panic!("a block takes more than nothing")
    };
    for reward in [0, 9, 10, u64::MAX] {
        let with = |bytes| Rules { reward, block_bytes_max: bytes, ..sealed() };
        let needed = needed + reward.to_string().len() - "50".len();
        assert_eq!(with(needed).check_together(), Ok(()));
        let refused = RulesError::BlockBytes { block_bytes_max: needed - 1, needed };
        assert_eq!(with(needed - 1).check_together(), Err(refused));
    }
}

#[test]
fn a_miner_whose_address_no_block_can_hold_is_not_started() {
    let network = Network::new(Rules { address_chars_max: 5, block_bytes_max: 280, ..sealed() });
    let error = spawn_to(&network, "miners").unwrap_err().to_string();
    let expected =
        "no block can pay a reward to miners: address miners is too long: at most 5 characters, found 6";
    assert_eq!(error, expected);
    let error = spawn_to(&network, "\u{1f600}\u{1f600}\u{1f600}").unwrap_err().to_string();
    assert!(error.contains("too many bytes: at most 280, found "), "{error}");
    assert!(network.spawn().is_err(), "a random address has 36 characters");
    assert_eq!(network.nodes(), []);
    let node = spawn_to(&network, "miner").unwrap();
    network.mine(node).unwrap();
    // The notebook looks at no address.
    spawn_to(&Network::new(Rules { address_chars_max: 5, ..Rules::notebook() }), "miners").unwrap();
}

fn read(text: &str) -> Result<Rules, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn what_a_document_leaves_out_is_the_preset_s() {
    for (name, rules) in [
        ("notebook", Rules::notebook()),
        ("tutorial", Rules::tutorial()),
        ("sealed", Rules::sealed()),
        ("bitcoin", Rules::bitcoin()),
    ] {
        assert_eq!(read(&format!(r#"{{"preset": "{name}"}}"#)), Ok(rules.clone()));
        // Of another preset's document, with any one of its fields left out, that one is this preset's.
        for other in [Rules::notebook(), Rules::bitcoin()] {
            let whole = serde_json::to_value(&other).unwrap();
            let own = serde_json::to_value(&rules).unwrap();
            for field in whole.as_object().unwrap().keys() {
                let mut document = whole.clone();
                document.as_object_mut().unwrap().remove(field);
                document["preset"] = name.into();
                let read: Rules = serde_json::from_value(document).unwrap();
                let mut expected = whole.clone();
                expected[field] = own[field].clone();
                assert_eq!(serde_json::to_value(&read).unwrap(), expected, "{name}, {field}");
            }
        }
    }
    let fixed = r#""difficulty": {"fixed": "00ff0000000000000000000000000000"}"#;
    let rules = Rules {
        difficulty: Difficulty::Fixed(Target::new(0xff << 112).unwrap()),
        ahead_max: Duration::from_millis(1500),
        ..Rules::sealed()
    };
    assert_eq!(read(&format!(r#"{{{fixed}, "ahead_max_seconds": 1.5, "preset": "sealed"}}"#)), Ok(rules));
}

#[test]
fn a_document_that_says_what_rules_cannot_is_refused() {
    let presets = "`notebook`, `tutorial`, `sealed`, `bitcoin`";
    let unstated =
        |field| format!("missing field `{field}`: all are to be stated, or `preset` as one of {presets}");
    for (text, expected) in [
        ("{}", unstated("proof")),
        (r#"{"proof": "sealed", "reward": 25}"#, unstated("difficulty")),
        (r#"{"preset": "mainnet"}"#, format!("unknown variant `mainnet`, expected one of {presets}")),
        (r#"{"preset": "Sealed"}"#, format!("unknown variant `Sealed`, expected one of {presets}")),
        (r#"{"preset": null}"#, "expected value".into()),
        (r#"{"preset": "sealed", "preset": "sealed"}"#, "duplicate field `preset`".into()),
        (r#"{"preset": "sealed", "reward": 1, "reward": 1}"#, "duplicate field `reward`".into()),
        (r#"{"preset": "sealed", "rewards": 1}"#, "unknown field `rewards`, expected one of `preset`".into()),
        (r#"{"preset": "sealed", "ahead_max": 1}"#, "unknown field `ahead_max`, expected one of".into()),
        (r#"{"preset": "sealed", "reward": null}"#, "invalid type: null, expected u64".into()),
        (r#"{"preset": "sealed", "reward": -1}"#, "invalid value: integer `-1`, expected u64".into()),
        (r#"{"preset": "sealed", "accounts": 1}"#, "invalid type: integer `1`, expected a boolean".into()),
        (
            r#"{"preset": "sealed", "ahead_max_seconds": -1}"#,
            "expected seconds from 0 to 2^64, found -1".into(),
        ),
        (
            r#"{"preset": "sealed", "checks": "WholeBlocks"}"#,
            "unknown variant `WholeBlocks`, expected".into(),
        ),
        (
            r#"{"preset": "sealed", "difficulty": {"retargeted": {"window": 64}}}"#,
            "missing field `first_target`".into(),
        ),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.starts_with(&expected), "{text}: {error}");
    }
}

/// Each way to leave out a field of a document or to misspell it, with the field's name. Addresses are no fields.
fn spoilt(document: &Value) -> Vec<(String, Value, Value)> {
    let Some(fields) = document.as_object() else { return Vec::new() };
    let mut all = Vec::new();
    for (name, value) in fields {
        let mut missing = fields.clone();
        missing.remove(name);
        let mut misspelt = missing.clone();
        misspelt.insert(format!("{name}s"), value.clone());
        all.push((name.clone(), Value::Object(missing), Value::Object(misspelt)));
        let deeper = if name == "allocations" { Vec::new() } else { spoilt(value) };
        all.extend(deeper.into_iter().map(|(inner, missing, misspelt)| {
            let [missing, misspelt] = [missing, misspelt].map(|value| {
                let mut fields = fields.clone();
                fields.insert(name.clone(), value);
                Value::Object(fields)
            });
            (format!("{name}.{inner}"), missing, misspelt)
        }));
    }
    all
}

#[test]
fn a_rule_that_is_left_out_or_misspelt_is_an_error() {
    let allocations = BTreeMap::from([("alice".into(), 100)]);
    let genesis = Genesis::Shared { time: Some(Time::from_secs(5)), allocations };
    let mut seen = BTreeSet::new();
    for rules in [Rules::notebook(), Rules { genesis, ..Rules::sealed() }] {
        let document = serde_json::to_value(&rules).unwrap();
        assert_eq!(serde_json::from_value::<Rules>(document.clone()).unwrap(), rules);
        for (name, missing, misspelt) in spoilt(&document) {
            for document in [missing, misspelt] {
                let read = serde_json::from_value::<Rules>(document.clone());
                assert!(read.is_err(), "{name} is not missed in {document}");
            }
            seen.insert(name);
        }
    }
    for name in [
        "difficulty",
        "difficulty.retargeted.window",
        "genesis.shared.time_ns",
        "genesis.own_of_each_node.previous_hash",
    ] {
        assert!(seen.contains(name), "{name} was not left out");
    }
}

#[test]
fn an_address_has_its_coins_once() {
    let text = serde_json::to_string(&Rules::sealed()).unwrap();
    let with = |allocations: &str| {
        let text = text.replace(r#""allocations":{}"#, &format!(r#""allocations":{{{allocations}}}"#));
        serde_json::from_str::<Rules>(&text).map_err(|error| error.to_string())
    };
    let genesis =
        Genesis::Shared { time: None, allocations: BTreeMap::from([("a".into(), 1), ("b".into(), 1)]) };
    assert_eq!(with(r#""a":1,"b":1"#), Ok(Rules { genesis, ..Rules::sealed() }));
    assert!(with(r#""a":1,"b":1,"a":2"#).unwrap_err().starts_with("a has 1 coins, and again 2"));
    assert!(with(r#""a":-1"#).is_err());
    assert!(with(r#""a":null"#).is_err());
    let list = serde_json::from_str::<Rules>(&text.replace(r#""allocations":{}"#, r#""allocations":[]"#));
    assert!(list.unwrap_err().to_string().contains("expected the coins of each address"));
}

fn target() -> impl Strategy<Value = Target> {
    (1..u128::MAX).prop_map(|target| Target::new(target).expect("at least 1"))
}

/// Seconds are floats: to the nanosecond they tell durations of up to some three months.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(Duration::ZERO), Just(Duration::MAX), (0..1_u64 << 52).prop_map(Duration::from_nanos),]
}

prop_compose! {
    fn retarget()(
        targets in (target(), target()),
        window in 2_u32..5000,
        spacing in (1_000..1_u64 << 52).prop_map(Duration::from_nanos),
        factor_max in 1_u32..,
        back_max in duration(),
    ) -> Retarget {
        let (first, easiest) = (targets.0.min(targets.1), targets.0.max(targets.1));
        let retarget = Retarget::new(first, window, spacing).unwrap().with_easiest_target(easiest).unwrap();
        retarget.with_factor_max(factor_max).unwrap().with_back_max(back_max)
    }
}

fn genesis() -> impl Strategy<Value = Genesis> {
    let previous_hash = prop_oneof![
        Just(PreviousHash::NumberOne),
        Just(PreviousHash::TextOne),
        any::<u64>().prop_map(|seed| PreviousHash::Hash(BlockHash::of(&seed.to_be_bytes()))),
    ];
    let own = previous_hash.prop_map(|previous_hash| Genesis::OwnOfEachNode { previous_hash });
    let address = any::<String>().prop_map(Arc::from);
    let shared = (option::of(any::<u64>()), btree_map(address, any::<u64>(), 0..4));
    let shared = shared
        .prop_map(|(time, allocations)| Genesis::Shared { time: time.map(Time::from_nanos), allocations });
    prop_oneof![own, shared]
}

fn relay() -> impl Strategy<Value = Relay> {
    prop_oneof![
        select(&[Relay::None, Relay::Push, Relay::Announce][..]),
        any::<u8>().prop_map(|fallback_percent| Relay::Compact { fallback_percent }),
    ]
}

prop_compose! {
    fn rules()(
        proof in select(&[ProofRule::LastProof, ProofRule::LastProofAndHash, ProofRule::Sealed][..]),
        difficulty in prop_oneof![
            target().prop_map(Difficulty::Fixed),
            retarget().prop_map(Difficulty::Retargeted),
        ],
        fork_choice in select(&[ForkChoice::LongestChain, ForkChoice::MostWork][..]),
        reward: u64,
        genesis in genesis(),
        checks in select(&[Checks::LinksAndProofs, Checks::WholeBlocks][..]),
        accounts: bool,
        relay in relay(),
        (payments_max, block_bytes_max, address_chars_max) in any::<(usize, usize, usize)>(),
        ahead_max in duration(),
    ) -> Rules {
        Rules {
            proof, difficulty, fork_choice, reward, genesis, checks, accounts, payments_max, block_bytes_max,
            address_chars_max, ahead_max, relay,
        }
    }
}

proptest! {
    #[test]
    fn rules_come_back_from_their_documents(rules in rules()) {
        let text = serde_json::to_string(&rules).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
    }

    /// Whatever rules say, a chain starts, and a network tells what is wrong with them.
    #[test]
    fn no_rules_panic(rules in rules()) {
        let is_sound = rules.check_together().is_ok();
        let network = Network::new(rules);
        match network.spawn() {
            Ok(_) => prop_assert!(is_sound),
            Err(SpawnError::Address { .. }) => prop_assert!(is_sound),
            Err(SpawnError::Rules(_)) => prop_assert!(!is_sound),
            Err(other) => panic!("{other}"),
        }
    }
}
