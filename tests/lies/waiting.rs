//! Lies about what is to come: blocks that are announced and never delivered, junk that fills the places of others, and
//! blocks whose time has not come.

use std::time::Duration;

use chainlab::{
    Block, BlockHash, Blockchain, Checks, Difficulty, Effect, Happening, IgnoreReason, InvalidBlock, Limits,
    Message, NodeId, PreviousHash, Rules, Time, Timestamp, Told, Transaction, Violation, pow::Target,
};

use crate::lab::{Draft, FRIEND, HONEST, LIAR, Lab, NOW, bare, grown, grown_by, honest, rules, spend};

fn behind() -> (Lab, Blockchain) {
    let rules = rules();
    let chain = honest(&rules);
    (Lab::on(&chain, &rules), grown_by(&chain, &rules, 2.0, 3))
}

/// A draft of a block that follows none.
fn stray(chain: &Blockchain, number: u64) -> Draft {
    let parent = BlockHash::of(&number.to_be_bytes());
    Draft::next(chain).spoilt(|draft| draft.previous_hash = PreviousHash::Hash(parent))
}

/// A block that follows none, and took as little work as a block can.
fn junk(lab: &Lab, number: u64) -> Block {
    stray(&lab.chain(), number).sealed(lab.rules.difficulty.easiest_target())
}

/// Answers the node's question as the friend would, if it was asked.
fn deliver(lab: &mut Lab, chain: &Blockchain) -> bool {
    match lab.asked() {
        Some((FRIEND, request)) => {
            let blocks = chain.clone().into();
            lab.hear(FRIEND, Message::Blocks { request, after: 8, blocks });
            true
        }
        _ => false,
    }
}

#[test]
fn a_block_that_is_never_delivered_comes_from_another() {
    let (mut lab, better) = behind();
    lab.announce(LIAR, better.clone());
    assert_eq!(lab.asked().map(|(peer, _)| peer), Some(LIAR));
    lab.announce(FRIEND, better.clone());
    assert_eq!(lab.asked(), None, "one is asked at a time");
    // The friend need not say it again.
    lab.pass(Duration::from_millis(249));
    assert_eq!(lab.asked(), None);
    lab.pass(Duration::from_millis(1));
    assert!(deliver(&mut lab, &better));
    assert_eq!(lab.chain(), better);
}

/// The liar announces the block again whenever it may be asked again, and always before the friend does.
#[test]
fn a_liar_that_is_always_first_is_not_always_asked() {
    let (mut lab, better) = behind();
    let rounds = (0..10).find(|_| {
        lab.announce(LIAR, better.clone());
        let mut delivered = deliver(&mut lab, &better);
        lab.announce(FRIEND, better.clone());
        delivered |= deliver(&mut lab, &better);
        lab.now += Duration::from_secs(1);
        delivered
    });
    assert_eq!(rounds, Some(1));
    assert_eq!(lab.chain(), better);
}

/// It answers at once, with something else, so as to be asked again at once.
#[test]
fn a_liar_that_answers_with_something_else_is_not_always_asked() {
    let (mut lab, better) = behind();
    let old = lab.chain();
    let rounds = (0..10).find(|_| {
        lab.announce(LIAR, better.clone());
        if let Some((LIAR, request)) = lab.asked() {
            lab.hear(LIAR, Message::Blocks { request, after: 8, blocks: old.clone().into() });
            lab.announce(LIAR, better.clone());
        }
        let mut delivered = deliver(&mut lab, &better);
        lab.announce(FRIEND, better.clone());
        delivered |= deliver(&mut lab, &better);
        lab.now += Duration::from_secs(1);
        delivered
    });
    assert_eq!(rounds, Some(0));
    assert_eq!(lab.chain(), better);
}

#[test]
fn junk_pushes_out_no_question_and_no_orphan_of_others() {
    let (mut lab, better) = behind();
    lab.announce(FRIEND, better.clone());
    let (_, request) = lab.asked().unwrap();
    for number in 0..1000 {
        let junk = junk(&lab, number);
        assert_eq!(lab.announce(LIAR, junk), []);
    }
    assert!(!deliver(&mut lab, &better), "the liar was asked last");
    let mut answered = lab.clone();
    answered.hear(FRIEND, Message::Blocks { request, after: 8, blocks: better.clone().into() });
    assert_eq!(answered.chain(), better, "the question is still open");
    // The orphan is still there when its parents come.
    lab.announce(FRIEND, better.at(9).unwrap());
    lab.announce(FRIEND, better.at(10).unwrap());
    assert_eq!(lab.chain(), better);
}

/// What could stand nowhere in a chain is a bad block whether or not its parent is known: it is neither kept nor asked
/// for, so that junk costs work.
#[test]
fn a_block_that_could_stand_nowhere_is_a_bad_block_though_its_parent_is_unknown() {
    let (lab, _) = behind();
    let chain = lab.chain();
    let easiest = lab.rules.difficulty.easiest_target();
    let long = "x".repeat(81);
    let spoilt = |spoil: &dyn Fn(&mut Draft)| stray(&chain, 1).spoilt(spoil).sealed(easiest);
    let unproven = stray(&chain, 1).sealed_if(|hash| !easiest.is_met_by(hash));
    let hash = stray(&chain, 1).challenge().hash(unproven.proof());
    let not_whole = Timestamp::integer(-1);
    let many: Vec<_> = (0..4).map(|nonce| spend("alice", nonce, 1)).collect();
    let fat = spoilt(&|draft| *draft = draft.clone().with(many[..3].iter().cloned()));
    let found = fat.canonical_json().len();
    for (block, violation) in [
        (unproven.clone(), Violation::Proof { proof: unproven.proof(), hash, target: easiest }),
        (spoilt(&|draft| draft.transactions.clear()), Violation::RewardMissing),
        (spoilt(&|draft| draft.timestamp = not_whole), Violation::TimestampNotWhole { found: not_whole }),
        (
            spoilt(&|draft| *draft = draft.clone().with(many.clone())),
            Violation::TooManyPayments { most: 3, found: 4 },
        ),
        (
            spoilt(&|draft| draft.transactions = vec![Transaction::reward(long.as_str(), 50)]),
            Violation::AddressTooLong { address: long[1..].into(), most: 80, found: 81 },
        ),
        (fat, Violation::TooManyBytes { most: found - 1, found }),
    ] {
        let most = if matches!(violation, Violation::TooManyBytes { .. }) { found - 1 } else { 1_000_000 };
        let rules = Rules { block_bytes_max: most, ..Rules::clone(&lab.rules) };
        let lenient = Rules {
            checks: Checks::LinksAndProofs,
            difficulty: Difficulty::Fixed(Target::EASIEST),
            ..rules.clone()
        };
        let parent = Blockchain::with_genesis(stray(&chain, 2).with_proof(0), &lenient).unwrap();
        let linked = parent.append(
            Block::new(
                block.index(),
                block.timestamp(),
                block.transactions(),
                block.proof(),
                PreviousHash::Hash(parent.tip_hash()),
            ),
            &lenient,
        );
        let position = block.index();
        let document = Told::Document(block.canonical_json().into());
        // A pointer in a compact block pays for a part of the block alone.
        let compact = [Told::from(block.clone()), document.clone()].map(Message::CompactBlock);
        let linked = linked.ok().map(Told::Chain);
        let whole = [Told::from(block), document].into_iter().chain(linked).map(Message::NewBlock);
        for message in compact.into_iter().chain(whole) {
            let mut lab = Lab::on(&chain, &Rules { block_bytes_max: most, ..Rules::clone(&lab.rules) });
            let is_linked = matches!(message, Message::NewBlock(Told::Chain(_)));
            let happenings = lab.hear(LIAR, message);
            let [Happening::Rejected { from: LIAR, invalid }] = &happenings[..] else {
                panic!("{violation}: {happenings:?}")
            };
            // Another parent, another proof.
            if !is_linked {
                assert_eq!(*invalid, InvalidBlock { position, violation: violation.clone() });
            }
            assert_eq!(invalid.violation.name(), violation.name());
            assert_eq!(lab.asked(), None, "{violation}");
        }
    }
}

/// A chain whose blocks take some 30 kB each.
fn fat_chain(lab: &Lab, blocks: u64) -> Blockchain {
    (0..blocks).fold(lab.chain(), |chain, nonce| {
        let recipient = format!("{nonce:030000}");
        let payment = Transaction::new("alice", recipient, 1).with_nonce(nonce);
        grown(&chain, &lab.rules, 1.5, &[payment])
    })
}

/// A node that takes fat blocks, and keeps so many bytes of each sender's.
fn keeping(kept_bytes: u64) -> Lab {
    let rules = Rules { address_chars_max: usize::MAX, ..rules() };
    let limits = Limits { kept_bytes, ..Limits::default() };
    Lab::with_limits(&honest(&rules), &rules, limits)
}

#[test]
fn orphans_are_bounded_in_bytes_a_sender() {
    let mut lab = keeping(100_000);
    let fat = fat_chain(&lab, 9);
    let tell = |lab: &mut Lab, from, position| {
        let told = bare(&fat.at(position).unwrap(), position - 1);
        lab.announce(from, told);
        while lab
            .effects
            .to_do
            .iter()
            .any(|effect| matches!(effect, Effect::WakeAt(Some(at)) if *at <= lab.now))
        {
            lab.pass(Duration::ZERO);
        }
    };
    tell(&mut lab, FRIEND, 11);
    for position in [12, 13, 14, 15, 16, 17] {
        tell(&mut lab, LIAR, position);
    }
    // Three of the liar's fit, the last; the friend's is where it was.
    for (position, len) in [(9, 9), (10, 11), (12, 12), (13, 13), (14, 17)] {
        tell(&mut lab, FRIEND, position);
        assert_eq!(lab.chain().len(), len, "after block {position}");
    }
}

/// Many fat blocks that wait for one do not make its input long.
#[test]
fn what_waits_for_a_block_is_taken_up_piece_by_piece() {
    let mut lab = keeping(u64::MAX);
    let fat = fat_chain(&lab, 40);
    for position in 10..=48 {
        lab.announce(LIAR, bare(&fat.at(position).unwrap(), position - 1));
    }
    assert_eq!(lab.chain().len(), 8);
    lab.announce(FRIEND, fat.at(9).unwrap());
    let mut pieces = 0;
    while lab.chain().len() < 48 {
        let before = lab.chain().len();
        assert!(
            lab.effects
                .to_do
                .iter()
                .any(|effect| matches!(effect, Effect::WakeAt(Some(at)) if *at == lab.now))
        );
        lab.pass(Duration::ZERO);
        let taken = lab.chain().len() - before;
        assert!((1..=4).contains(&taken), "{taken} blocks at once");
        pieces += 1;
    }
    assert!(pieces >= 9, "{pieces} pieces");
    lab.pass(Duration::ZERO);
    assert!(
        !lab.effects.to_do.iter().any(|effect| matches!(effect, Effect::WakeAt(Some(at)) if *at == lab.now))
    );
}

/// Nor do many fat blocks whose time has come make the wake-up long.
#[test]
fn what_waits_for_its_time_is_taken_up_piece_by_piece() {
    let mut lab = keeping(u64::MAX);
    let chain = lab.chain();
    let early = NOW + Duration::from_secs(70);
    for number in 0..9 {
        let payment = Transaction::new("alice", format!("{number:030000}"), 1).with_nonce(0);
        let fat = chain.mine_next(&lab.rules, [payment], "miner", early).unwrap();
        assert!(matches!(lab.announce(LIAR, fat)[..], [Happening::Waits { .. }]));
    }
    let is_judged = |effect: &&Effect| matches!(effect, Effect::Send(LIAR, Message::Acknowledge { .. }));
    let mut pieces = Vec::new();
    lab.pass(Duration::from_secs(60));
    loop {
        pieces.push(lab.effects.to_do.iter().filter(is_judged).count());
        if !lab
            .effects
            .to_do
            .iter()
            .any(|effect| matches!(effect, Effect::WakeAt(Some(at)) if *at == lab.now))
        {
            break;
        }
        lab.pass(Duration::ZERO);
    }
    assert_eq!(pieces.iter().sum::<usize>(), 9);
    assert!(pieces.iter().all(|judged| *judged <= 4), "{pieces:?} at once");
}

/// Of what waits for its time the liar's goes first, though it comes sooner than the friend's.
#[test]
fn early_blocks_of_a_liar_push_out_no_friend_s() {
    for limits in [
        Limits { orphans: 4, ..Limits::default() },
        Limits { orphans: 64, kept_bytes: 1000, ..Limits::default() },
    ] {
        let (lab, _) = behind();
        let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, limits);
        let far = at(&lab, NOW + Duration::from_secs(1000));
        lab.announce(FRIEND, far.clone());
        for seconds in 20..40 {
            lab.announce(LIAR, at(&lab, NOW + Duration::from_secs(seconds)));
        }
        let late = lab.announce(LIAR, at(&lab, NOW + Duration::from_secs(500)));
        assert_eq!(late, [], "the liar has its share");
        assert_eq!(lab.announce(FRIEND, far), [], "it waits already");
    }
}

#[test]
fn early_blocks_are_bounded_in_bytes_a_sender() {
    let (lab, _) = behind();
    let blocks = [20, 30].map(|seconds| at(&lab, NOW + Duration::from_secs(seconds)));
    let bytes: usize = blocks.iter().map(|block| block.canonical_json().len()).sum();
    for (kept_bytes, kept) in [(bytes, 2), (bytes - 1, 1)] {
        let limits = Limits { kept_bytes: kept_bytes as u64, ..Limits::default() };
        let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, limits);
        let waits = blocks.iter().filter(|block| !lab.announce(LIAR, Block::clone(block)).is_empty());
        assert_eq!(waits.count(), kept);
    }
}

#[test]
fn orphans_in_the_wrong_order_are_taken_up_when_the_first_comes() {
    let rules = rules();
    let chain = honest(&rules);
    let better = grown_by(&chain, &rules, 4.0, 20);
    for is_bare in [false, true] {
        let mut lab = Lab::on(&chain, &rules);
        for position in (9..=better.len()).rev() {
            assert_eq!(lab.chain(), chain);
            let told = better.at(position).unwrap();
            lab.announce(FRIEND, if is_bare { bare(&told, position - 1) } else { told.into() });
        }
        assert_eq!(lab.chain(), better);
    }
}

#[test]
fn a_node_without_room_for_orphans_still_catches_up() {
    let (lab, better) = behind();
    let limits = Limits { orphans: 0, side_branches: 0, mempool: 0, ..Limits::default() };
    let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, limits);
    lab.announce(FRIEND, better.clone());
    assert!(deliver(&mut lab, &better));
    assert_eq!(lab.chain(), better);
}

/// A block after a chain, at a moment.
fn at(lab: &Lab, time: Time) -> Block {
    let chain = lab.chain();
    let timestamp = lab.rules.timestamp(time);
    Draft::next(&chain).spoilt(|draft| draft.timestamp = timestamp).sealed(chain.next_target(&lab.rules))
}

#[test]
fn a_block_ahead_of_the_clock_waits_and_is_no_lie() {
    let (lab, _) = behind();
    let limits = Limits { bad_blocks: 1, ..Limits::default() };
    let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, limits);
    let block = at(&lab, NOW + Duration::from_secs(70));
    let until = NOW + Duration::from_secs(60);
    assert_eq!(lab.announce(LIAR, block.clone()), [Happening::Waits { from: LIAR, until }]);
    assert_eq!(lab.announce(LIAR, block.clone()), [], "it waits once");
    assert_eq!(lab.pass(Duration::from_secs(59)), []);
    assert_eq!(lab.chain().len(), 8);
    let happenings = lab.pass(Duration::from_secs(1));
    assert!(matches!(happenings[..], [Happening::Accepted { from: LIAR, position: 9, .. }]));
    // In a chain that was asked for it is no lie either, but nothing waits for it.
    let chain = lab.chain();
    let far = chain.append(at(&lab, NOW + Duration::from_secs(7000)), &lab.rules).unwrap();
    let request = lab.resolve();
    let happenings = lab.hear(LIAR, Message::Chain { request, chain: far.into() });
    assert!(matches!(happenings[..], [Happening::Waits { from: LIAR, .. }]));
    assert_eq!(lab.chain(), chain);
}

#[test]
fn blocks_of_the_far_future_do_not_crowd_out_those_of_the_near() {
    let (lab, _) = behind();
    let limits = Limits { orphans: 4, ..Limits::default() };
    let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, limits);
    for years in 1..10 {
        let year = Duration::from_secs(365 * 24 * 3600);
        let happenings = lab.announce(LIAR, at(&lab, NOW + years * year));
        assert_eq!(happenings.len(), usize::from(years <= 4), "there is room for four");
    }
    // As far as moments can be told; there a float tells no microseconds apart.
    let end = at(&lab, Time::MAX);
    assert_eq!(end.timestamp().micros().map(|micros| micros > 1 << 53), Some(true));
    assert_eq!(lab.announce(LIAR, end), [], "there are four that come sooner");
    let near = at(&lab, NOW + Duration::from_secs(20));
    let until = NOW + Duration::from_secs(10);
    assert_eq!(lab.announce(FRIEND, near.clone()), [Happening::Waits { from: FRIEND, until }]);
    lab.pass(Duration::from_secs(10));
    assert_eq!(lab.chain().last_block(), &near);
}

/// The last of all moments may be waited for, but time does not go beyond it.
#[test]
fn the_end_of_time_can_be_waited_for() {
    let (mut lab, _) = behind();
    let end = at(&lab, Time::MAX);
    assert!(matches!(lab.announce(LIAR, end)[..], [Happening::Waits { .. }]));
    let next = grown(&lab.chain(), &lab.rules.clone(), 2.0, &[]);
    lab.announce(FRIEND, next.clone());
    assert_eq!(lab.chain(), next, "others go on");
}

/// Answers that lead nowhere, one after the other, from whoever is asked.
#[test]
fn whatever_is_answered_the_node_comes_to_rest() {
    let (lab, better) = behind();
    let chain = lab.chain();
    let nothing = Told::Blocks([].into());
    let early = chain.append(at(&lab, NOW + Duration::from_secs(7000)), &lab.rules).unwrap();
    let answers = [
        (8, nothing.clone()),
        (0, nothing.clone()),
        (u64::MAX, nothing),
        (8, Told::from(chain.clone())),
        (1, chain.clone().into()),
        (0, chain.clone().into()),
        (7, bare(&chain, 7)),
        (8, bare(&chain, 6)),
        (8, early.into()),
        (8, junk(&lab, 1).into()),
        (u64::MAX, junk(&lab, 1).into()),
    ];
    for (after, blocks) in answers {
        let mut lab = lab.clone();
        let happenings = lab.insist(better.clone(), after, blocks.clone());
        let is_calm = happenings.iter().all(|happening| {
            matches!(
                happening,
                Happening::Ignored { reason: IgnoreReason::Unconnected, .. }
                    | Happening::Rejected { .. }
                    | Happening::Waits { .. }
            )
        });
        assert!(is_calm, "{happenings:?}");
        assert_eq!(lab.asked(), None, "it does not ask again by itself");
        assert_eq!(lab.chain(), chain, "after {after}: {blocks:?}");
        // It can still be told the truth.
        lab.announce(FRIEND, better.clone());
        assert!(deliver(&mut lab, &better));
        assert_eq!(lab.chain(), better);
    }
}

#[test]
fn who_speaks_does_not_matter_for_what_is_true() {
    let (mut lab, better) = behind();
    let stranger = NodeId::new(77);
    assert!(!lab.node.peers().contains(&stranger) && stranger != HONEST);
    lab.announce(stranger, better.at(9).unwrap());
    assert_eq!(lab.chain(), better.at(9).unwrap());
}
