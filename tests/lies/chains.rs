//! Lies in whole chains: another network's, longer ones of less work, links that somebody else verified, documents.

use std::sync::Arc;

use chainlab::{
    Block, Blockchain, Checks, Difficulty, DocumentError, Genesis, Happening, IgnoreReason, InvalidBlock,
    Limits, Message, PreviousHash, Relay, Rules, Time, Timestamp, Told, Violation, pow::Target,
};

use crate::lab::{FRIEND, LIAR, Lab, START, bare, document, grown, grown_by, honest, rules};

/// The same rules, in a network that was started at another moment.
fn foreign_rules() -> Rules {
    let Rules { genesis: Genesis::Shared { allocations, .. }, .. } = rules() else { unreachable!() };
    Rules { genesis: Genesis::Shared { time: Some(Time::from_secs(1_000_001)), allocations }, ..rules() }
}

/// A chain in every form in which it can be told.
fn forms(chain: &Blockchain) -> [Told; 3] {
    [chain.clone().into(), bare(chain, 0), document(chain)]
}

#[test]
fn another_genesis_is_refused_by_name() {
    let rules = rules();
    let start = Blockchain::start(&foreign_rules(), START).unwrap();
    let foreign = grown_by(&start, &foreign_rules(), 1.0, 12);
    let expected = Blockchain::start(&rules, START).unwrap().tip_hash();
    let violation = Violation::ForeignGenesis { expected, found: start.tip_hash() };
    let rejected = vec![Happening::Rejected { from: LIAR, invalid: InvalidBlock { position: 1, violation } }];

    let lab = Lab::on(&honest(&rules), &rules);
    let genesis = start.last_block();
    for told in
        [start.clone().into(), genesis.clone().into(), Told::Document(genesis.canonical_json().into())]
    {
        assert_eq!(lab.clone().announce(LIAR, told.clone()), rejected, "announced as {told:?}");
    }
    for told in forms(&foreign) {
        let happenings = lab.clone().insist(foreign.clone(), 0, told.clone());
        assert_eq!(happenings, rejected, "answered with {told:?}");
        let mut lab = lab.clone();
        let request = lab.resolve();
        let happenings = lab.hear(LIAR, Message::Chain { request, chain: told.clone() });
        assert_eq!(happenings, rejected, "resolved with {told:?}");
        assert_eq!(lab.chain(), honest(&rules));
    }
    // Our own genesis is no lie, and no news.
    let happenings = lab.clone().announce(LIAR, Blockchain::start(&rules, START).unwrap());
    assert_eq!(happenings, []);
}

#[test]
fn where_links_and_proofs_alone_are_checked_another_genesis_is_no_lie() {
    let rules = |start| Rules {
        checks: Checks::LinksAndProofs,
        genesis: Genesis::Shared { time: Some(start), allocations: Default::default() },
        ..rules()
    };
    let mut lab = Lab::new(&rules(START), Limits::default());
    let foreign = Blockchain::start(&rules(Time::from_secs(1_000_001)), START).unwrap();
    let ignored = vec![Happening::Ignored { from: LIAR, reason: IgnoreReason::Unconnected }];
    for told in [foreign.clone().into(), foreign.last_block().clone().into()] {
        assert_eq!(lab.announce(LIAR, Told::clone(&told)), ignored);
    }
}

#[test]
fn a_longer_chain_of_less_work_is_valid_and_is_not_adopted() {
    let rules = rules();
    let chain = honest(&rules);
    // So slow that the target stays at the easiest.
    let longer = grown_by(&Blockchain::start(&rules, START).unwrap(), &rules, 2.0, 17);
    assert!(longer.len() > 2 * chain.len() && longer.work() < chain.work());

    let mut lab = Lab::on(&chain, &rules);
    for block in longer.iter().skip(1) {
        assert_eq!(lab.announce(LIAR, block.clone()), [], "block {}", block.index());
        assert_eq!(lab.chain(), chain);
    }
    for told in [longer.clone().into(), bare(&longer, 1), document(&longer)] {
        let mut lab = Lab::on(&chain, &rules);
        assert_eq!(lab.insist(longer.clone(), 1, told.clone()), [], "answered with {told:?}");
        assert_eq!(lab.chain(), chain);
    }
    for told in forms(&longer) {
        let mut lab = Lab::on(&chain, &rules);
        let request = lab.resolve();
        lab.hear(LIAR, Message::Chain { request, chain: told });
        let happenings = lab.hear(FRIEND, Message::Chain { request, chain: chain.clone().into() });
        assert_eq!(happenings, [Happening::Resolved { replaced: false, silent: 0 }]);
        assert_eq!(lab.chain(), chain);
    }
    // With one block more than the work of ours it is adopted, length or not.
    let mut lab = Lab::on(&chain, &rules);
    let better = grown_by(&longer, &rules, 2.0, 3);
    let happenings = lab.insist(better.clone(), 1, better.clone().into());
    assert!(matches!(
        happenings[..],
        [Happening::Accepted { from: LIAR, .. }, Happening::Reorganised { .. }]
    ));
    assert_eq!(lab.chain(), better);
}

/// Links that were verified by rules of the liar's.
#[test]
fn links_that_others_verified_are_verified_from_the_common_ancestor_on() {
    let rules = rules();
    let chain = honest(&rules);
    let lenient = Rules { difficulty: Difficulty::Fixed(rules.difficulty.first_target()), ..rules.clone() };
    let unproven = grown_by(&chain.verify(&lenient).unwrap(), &lenient, 0.1, 40);
    let violates = |happenings: Vec<Happening>, position| match &happenings[..] {
        [Happening::Rejected { from: LIAR, invalid }] => {
            assert_eq!(invalid.position, position);
            assert!(matches!(invalid.violation, Violation::Proof { .. }), "{invalid}");
        }
        other => panic!("{other:?}"),
    };
    let lab = Lab::on(&chain, &rules);
    // Wherever the liar says that the news begins.
    for after in 1..=8 {
        let mut lab = lab.clone();
        violates(lab.insist(unproven.clone(), after, unproven.clone().into()), 9);
        assert_eq!(lab.chain(), chain);
    }
    let mut resolving = lab.clone();
    let request = resolving.resolve();
    violates(resolving.hear(LIAR, Message::Chain { request, chain: unproven.clone().into() }), 9);
    // Each block is announced by itself, with its parent known.
    violates(lab.clone().announce(LIAR, unproven.at(9).unwrap()), 9);

    // A chain that keeps our rules too is taken, whoever verified it.
    let harder = Rules { payments_max: 2, ..rules.clone() };
    let better = grown_by(&chain.verify(&harder).unwrap(), &harder, 2.0, 3);
    let mut lab = Lab::on(&chain, &rules);
    lab.insist(better.clone(), 3, better.clone().into());
    assert_eq!(lab.chain(), better);
    let mut lab = Lab::on(&chain, &rules);
    for position in 9..=11 {
        lab.announce(LIAR, better.at(position).unwrap());
    }
    assert_eq!(lab.chain(), better);
    // It was made ours: it can be grown under our rules.
    let grown = grown(&lab.chain(), &rules, 1.0, &[]);
    lab.announce(FRIEND, grown.clone());
    assert_eq!(lab.chain(), grown);
}

/// The notebook's rules let a chain begin with any block, so that its positions are not its indices.
#[test]
fn a_chain_that_begins_in_the_middle_of_ours_is_not_taken_for_ours() {
    let rules = rules();
    let chain = honest(&rules);
    let notebook = Rules { relay: Relay::Push, ..Rules::notebook().with_first_target(Target::EASIEST) };
    let stray = Blockchain::with_genesis(chain.block(7).unwrap().clone(), &notebook).unwrap();
    let stray = stray.append(chain.block(8).unwrap().clone(), &notebook).unwrap();
    assert_eq!(stray.tip_hash(), chain.tip_hash());

    let lab = Lab::on(&chain, &rules);
    let ignored = vec![Happening::Ignored { from: LIAR, reason: IgnoreReason::Unconnected }];
    for after in [0, 1, 2, 7, 8, u64::MAX] {
        let mut lab = lab.clone();
        assert_eq!(lab.insist(stray.clone(), after, stray.clone().into()), ignored, "{after}");
        assert_eq!(lab.chain(), chain);
    }
    let mut lab = lab.clone();
    let request = lab.resolve();
    let happenings = lab.hear(LIAR, Message::Chain { request, chain: stray.into() });
    assert!(matches!(
        &happenings[..],
        [Happening::Rejected {
            invalid: InvalidBlock { position: 1, violation: Violation::ForeignGenesis { .. } },
            ..
        }]
    ));
}

/// Texts that are no chain's document, and none of a block either.
fn malformed() -> Vec<String> {
    let good = honest(&rules()).to_json();
    let deep = |open: &str, close: &str| open.repeat(200_000) + &close.repeat(200_000);
    vec![
        String::new(),
        "null".into(),
        "\u{0}".into(),
        good[..good.len() / 2].into(),
        good.replace("\"length\": 8", "\"length\": 9"),
        good.replace("\"length\": 8", "\"length\": -8"),
        good.replace("\"index\": 3", "\"index\": 3.5"),
        good.replace("\"index\": 3", "\"index\": 18446744073709551616"),
        good.replace("\"proof\"", "\"prove\""),
        good.replace("\"amount\": 60", "\"amount\": \"60\""),
        good.replace("{\"chain\": [", "{\"chain\": {"),
        format!("{good}{good}"),
        "[".repeat(1_000_000),
        deep("[", "]"),
        deep("{\"chain\": ", "}"),
        format!("{{\"chain\": [{}], \"length\": 1}}", deep("[", "]")),
        format!("{{\"chain\": [{{\"index\": {}}}], \"length\": 1}}", deep("[", "]")),
        format!("{{\"chain\": [], \"length\": {}}}", "9".repeat(1_000_000)),
        "{\"chain\": [], \"length\": 0}".into(),
    ]
}

#[test]
fn malformed_documents_are_refused_as_documents() {
    let rules = rules();
    let chain = honest(&rules);
    // A thread of the smallest stack: a recursion over brackets would not get far.
    let run = move || {
        let lab = Lab::on(&chain, &rules);
        for text in malformed() {
            let start: String = text.chars().take(60).collect();
            let told = Told::Document(text.into());
            let mut resolving = lab.clone();
            let request = resolving.resolve();
            let unknown = grown_by(&chain, &rules, 1.0, 2);
            for happenings in [
                lab.clone().announce(LIAR, told.clone()),
                lab.clone().insist(unknown, 8, told.clone()),
                resolving.hear(LIAR, Message::Chain { request, chain: told }),
            ] {
                let [Happening::RejectedDocument { from: LIAR, error }] = &happenings[..] else {
                    panic!("{start}: {happenings:?}");
                };
                assert!(error.to_string().len() < 300, "an error holds no megabytes: {error}");
            }
            assert_eq!(resolving.chain(), chain);
        }
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_chain_without_a_block_is_no_chain() {
    let rules = rules();
    let mut lab = Lab::on(&honest(&rules), &rules);
    let request = lab.resolve();
    let none: Arc<[Block]> = [].into();
    let happenings = lab.hear(LIAR, Message::Chain { request, chain: Told::Blocks(none) });
    assert_eq!(happenings, [Happening::RejectedDocument { from: LIAR, error: DocumentError::EmptyChain }]);
}

/// Whatever a first block says, it is judged and nothing worse.
#[test]
fn first_blocks_at_the_extremes_are_foreign() {
    let rules = rules();
    let mut lab = Lab::on(&honest(&rules), &rules);
    for (index, timestamp, previous_hash) in [
        (1, Timestamp::integer(i64::MAX), PreviousHash::NumberOne),
        (0, Timestamp::integer(i64::MIN), PreviousHash::TextOne),
        (u64::MAX, Timestamp::float(f64::MAX).unwrap(), PreviousHash::NumberOne),
    ] {
        let block = Block::new(index, timestamp, [], u64::MAX, previous_hash);
        let happenings = lab.announce(LIAR, block);
        assert!(matches!(
            &happenings[..],
            [Happening::Rejected {
                invalid: InvalidBlock { violation: Violation::ForeignGenesis { .. }, .. },
                ..
            }]
        ));
    }
}
