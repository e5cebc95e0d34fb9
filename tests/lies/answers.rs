//! Lies in the conversation: answers that nobody asked for, answers to others, silence; what a message does not pay for;
//! and when a liar is no longer listened to.

use std::{sync::Arc, time::Duration};

use chainlab::{
    Answer, BlockHash, Blockchain, Command, Effect, Effects, Happening, IgnoreReason, Input, Inventory,
    Limits, Message, NodeId, RequestId, Rules, Ticket, Told, Transaction,
};

use crate::{
    blocks::lies,
    lab::{FRIEND, HONEST, LIAR, Lab, bare, grown, grown_by, honest, rules, spend},
};

fn ignored(from: NodeId, reason: IgnoreReason) -> Vec<Happening> {
    vec![Happening::Ignored { from, reason }]
}

/// An honest node, and a chain that is two blocks ahead of its own.
fn behind() -> (Lab, Blockchain) {
    let rules = rules();
    let chain = honest(&rules);
    (Lab::on(&chain, &rules), grown_by(&chain, &rules, 2.0, 2))
}

fn blocks(request: RequestId, after: u64, told: impl Into<Told>) -> Message {
    Message::Blocks { request, after, blocks: told.into() }
}

#[test]
fn answers_to_questions_never_asked_are_ignored() {
    let (mut lab, better) = behind();
    let before = lab.chain();
    for number in [0, 1, 2, 999, u64::MAX] {
        let request = RequestId(number);
        let chain = Message::Chain { request, chain: better.clone().into() };
        assert_eq!(lab.hear(LIAR, chain.clone()), ignored(LIAR, IgnoreReason::Unasked));
        let stranger = NodeId::new(7);
        assert_eq!(lab.hear(stranger, chain), ignored(stranger, IgnoreReason::Stranger));
        let answer = blocks(request, 8, better.clone());
        assert_eq!(lab.hear(LIAR, answer), ignored(LIAR, IgnoreReason::Unasked));
    }
    // A question of one kind is not answered by the other.
    let request = lab.resolve();
    let answer = blocks(request, 8, better.clone());
    assert_eq!(lab.hear(LIAR, answer), ignored(LIAR, IgnoreReason::Unasked));
    assert_eq!(lab.chain(), before);
}

#[test]
fn the_same_answer_twice_is_heard_once() {
    let (mut lab, better) = behind();
    let request = lab.resolve();
    let (worse, answer) = (lab.chain(), Message::Chain { request, chain: better.clone().into() });
    assert_eq!(lab.hear(LIAR, Message::Chain { request, chain: worse.into() }), []);
    assert_eq!(lab.hear(LIAR, answer.clone()), ignored(LIAR, IgnoreReason::Unasked));
    let silent = lab.pass(Duration::from_secs(1));
    assert_eq!(silent, [Happening::Resolved { replaced: false, silent: 1 }]);
    assert_eq!(lab.hear(FRIEND, answer.clone()), ignored(FRIEND, IgnoreReason::Late));
    assert_eq!(lab.hear(FRIEND, answer), ignored(FRIEND, IgnoreReason::Unasked), "late but once");

    let (mut lab, better) = behind();
    lab.announce(LIAR, better.clone());
    let (_, request) = lab.asked().unwrap();
    let answer = blocks(request, 8, better.clone());
    assert!(matches!(lab.hear(LIAR, answer.clone())[..], [Happening::Accepted { .. }]));
    for _ in 0..3 {
        assert_eq!(lab.hear(LIAR, answer.clone()), ignored(LIAR, IgnoreReason::Unasked));
    }
}

#[test]
fn nobody_answers_for_another() {
    let (mut lab, better) = behind();
    let before = lab.chain();
    lab.announce(FRIEND, better.clone());
    let (asked, request) = lab.asked().unwrap();
    assert_eq!(asked, FRIEND);
    let happenings = lab.hear(LIAR, blocks(request, 8, before.clone()));
    assert_eq!(happenings, ignored(LIAR, IgnoreReason::Unasked));
    lab.hear(FRIEND, blocks(request, 8, better.clone()));
    assert_eq!(lab.chain(), better, "the question was still open");
}

#[test]
fn silence_ends_with_the_time_and_is_named() {
    let (mut lab, _) = behind();
    let chain = lab.chain();
    lab.resolve();
    assert_eq!(lab.pass(Duration::from_millis(999)), []);
    let happenings = lab.pass(Duration::from_millis(1));
    assert_eq!(happenings, [Happening::Resolved { replaced: false, silent: 2 }]);
    let answer = lab.effects.to_do.iter().find_map(|effect| match effect {
        Effect::Answer(_, Answer::Resolve(resolution)) => Some(resolution.clone()),
        _ => None,
    });
    assert_eq!(answer.unwrap().silent, [LIAR, FRIEND]);
    assert_eq!(lab.chain(), chain);
}

#[test]
fn a_message_is_not_looked_past() {
    let (lab, better) = behind();
    let chain = lab.chain();
    // A pointer leads to the parent, but it was not sent.
    let mut told = lab.clone();
    assert_eq!(told.announce(LIAR, better.clone()), []);
    assert!(told.asked().is_some(), "the parent is asked for");
    assert_eq!(told.chain(), chain);
    // Of many blocks the last is the tip that is told of.
    let mut told = lab.clone();
    assert_eq!(told.announce(LIAR, bare(&better, 8)), []);
    assert!(told.asked().is_some(), "the parent is asked for");
    assert_eq!(told.chain(), chain);
    let happenings = lab.clone().announce(LIAR, bare(&better, 10));
    assert_eq!(happenings, ignored(LIAR, IgnoreReason::Unconnected), "no block at all");
    // An answer pays for the blocks after a position; what it skips stays unknown.
    for after in [9, 10, 11, u64::MAX] {
        for told in [better.clone().into(), bare(&better, after)] {
            let mut lab = lab.clone();
            let happenings = lab.insist(better.clone(), after, told);
            assert_eq!(happenings, ignored(LIAR, IgnoreReason::Unconnected), "after {after}");
            assert_eq!(lab.chain(), chain);
        }
    }
    // An answer that says nothing does nothing, and is no answer.
    let mut told = lab.clone();
    assert_eq!(told.insist(better.clone(), 8, bare(&better, 10)), []);
    assert_eq!(told.chain(), chain);
}

#[test]
fn many_bad_blocks_in_one_message_are_one() {
    let rules = rules();
    let chain = honest(&rules);
    let mut lab = Lab::on(&chain, &rules);
    let bad = lies(&chain, &rules).swap_remove(3).block;
    let many: Vec<_> = std::iter::repeat_n(bad, 1000).collect();
    assert_eq!(lab.announce(LIAR, Told::Blocks(many.into())).len(), 1);
}

#[test]
fn a_sender_of_too_many_bad_blocks_is_no_longer_listened_to() {
    let rules = rules();
    let chain = honest(&rules);
    let good = grown(&chain, &rules, 2.0, &[]);
    let lies = lies(&chain, &rules);
    for most in [0, 1, 5, 30] {
        let limits = Limits { bad_blocks: most, ..Limits::default() };
        let mut lab = Lab::with_limits(&chain, &rules, limits);
        let mut told = 0;
        let banned = Happening::Banned { peer: LIAR };
        for lie in lies.iter().filter(|lie| lie.name != "wrong previous hash") {
            let happenings = lab.announce(LIAR, lie.block.clone());
            told += 1;
            let expected = if told < most.max(1) { 1 } else { 2 };
            assert_eq!(happenings.len(), expected, "{}", lie.name);
            if expected == 2 {
                assert_eq!(happenings[1], banned);
                break;
            }
        }
        assert_eq!(told, most.max(1));
        let good_messages = [
            Message::NewBlock(good.clone().into()),
            Message::ChainRequest { request: RequestId(1) },
            inventory(1, &spend("alice", 0, 1)),
            answer_with(1, &spend("alice", 0, 1)),
            Message::InventoryRequest,
            Message::NewBlock(lies[0].block.clone().into()),
        ];
        for message in good_messages {
            assert_eq!(lab.hear(LIAR, message), ignored(LIAR, IgnoreReason::Banned), "once banned, for good");
            let Effects { happened, to_do, .. } = &lab.effects;
            assert_eq!((happened.len(), to_do.len()), (1, 0), "it is not answered");
        }
        lab.announce(FRIEND, good.clone());
        assert_eq!(lab.chain(), good, "others are heard");
        assert!(
            !lab.effects.to_do.iter().any(|effect| matches!(effect, Effect::WakeAt(Some(_)))),
            "whoever is banned is not told again and again"
        );
    }
}

#[test]
fn a_banned_peer_s_orphans_are_forgotten() {
    let (lab, better) = behind();
    let mut lab = Lab::with_limits(&lab.chain(), &lab.rules, Limits { bad_blocks: 1, ..Limits::default() });
    lab.announce(LIAR, better.clone());
    let bad = lies(&lab.chain(), &lab.rules).swap_remove(3).block;
    lab.announce(LIAR, bad);
    lab.announce(FRIEND, better.at(9).unwrap());
    assert_eq!(lab.chain().len(), 9);
}

type Locator = Arc<[(u64, BlockHash)]>;

#[test]
fn locators_of_any_size_and_content_are_answered_alike() {
    let (mut lab, better) = behind();
    let chain = lab.chain();
    let tip = chain.tip_hash();
    let nowhere = BlockHash::of(b"nowhere");
    let million: Locator = (0..1_000_000).map(|number| (number, nowhere)).collect();
    // The truth after a million lies comes too late.
    let late: Locator = million.iter().copied().chain([(8, tip)]).collect();
    let cases: [(Locator, u64); 8] = [
        ([].into(), 0),
        ([(8, tip)].into(), 8),
        ([(0, tip), (u64::MAX, tip), (7, tip), (9, tip), (8, tip)].into(), 8),
        ([(8, nowhere), (5, chain.at(5).unwrap().tip_hash())].into(), 5),
        ([(5, chain.at(5).unwrap().tip_hash()), (8, tip)].into(), 5),
        ([(9, better.at(9).unwrap().tip_hash())].into(), 0),
        (million, 0),
        (late, 0),
    ];
    for (locator, expected) in cases {
        for wanted in [tip, nowhere, better.tip_hash()] {
            let request = RequestId(3);
            let question = Message::BlocksRequest { request, wanted, locator: Arc::clone(&locator) };
            assert_eq!(lab.hear(LIAR, question), []);
            match &lab.effects.to_do[..] {
                [Effect::Send(LIAR, Message::Blocks { request: RequestId(3), after, blocks })] => {
                    assert_eq!(*after, expected);
                    assert!(matches!(blocks, Told::Chain(sent) if *sent == chain));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Nobody can be somebody else in a network, but a node need not rely on it.
#[test]
fn a_message_from_itself_or_from_nobody_does_no_harm() {
    for sender in [HONEST, NodeId::new(u32::MAX)] {
        let (mut lab, better) = behind();
        let chain = lab.chain();
        let messages = [
            Message::ChainRequest { request: RequestId(1) },
            Message::Chain { request: RequestId(1), chain: better.clone().into() },
            Message::Acknowledge { block: chain.tip_hash() },
            Message::Acknowledge { block: BlockHash::of(b"nowhere") },
            Message::BlocksRequest {
                request: RequestId(1),
                wanted: chain.tip_hash(),
                locator: [(0, chain.tip_hash())].into(),
            },
            Message::Blocks { request: RequestId(1), after: 8, blocks: better.clone().into() },
            Message::NewBlock(chain.clone().into()),
            Message::NewBlock(better.clone().into()),
            inventory(1, &spend("alice", 0, 1)),
            answer_with(1, &spend("alice", 0, 1)),
            Message::TransactionsRequest {
                request: RequestId(1),
                wanted: [spend("alice", 0, 1).hash()].into(),
            },
            Message::AcknowledgeInventory { request: RequestId(1) },
            Message::InventoryRequest,
        ];
        for message in messages {
            // What it says to itself comes back to it, as in a network; that must come to an end.
            let mut rest = vec![message];
            for round in 0.. {
                assert!(round < 100, "it talks to itself without end");
                let Some(message) = rest.pop() else { break };
                lab.hear(sender, message);
                let said = lab.effects.to_do.iter().filter_map(|effect| match effect {
                    Effect::Send(to, message) if *to == HONEST => Some(message.clone()),
                    _ => None,
                });
                rest.extend(said);
            }
        }
        assert!(lab.chain() == chain || sender != HONEST, "it learns nothing from itself");
    }
}

#[test]
fn an_acknowledgement_of_what_was_not_announced_stops_no_announcement() {
    let (mut lab, better) = behind();
    lab.announce(LIAR, better.at(9).unwrap());
    // The friend has not heard of the block. The liar says that it has all kinds of blocks.
    for hash in [BlockHash::of(b"nowhere"), lab.chain().tip_hash(), better.tip_hash()] {
        lab.hear(LIAR, Message::Acknowledge { block: hash });
    }
    lab.pass(Duration::from_millis(500));
    let again = lab
        .effects
        .to_do
        .iter()
        .filter(|effect| matches!(effect, Effect::Send(FRIEND, Message::NewBlock(_))));
    assert_eq!(again.count(), 1);
}

fn inventory(request: u64, transaction: &Transaction) -> Message {
    Message::Inventory(Inventory {
        request: RequestId(request),
        is_anew: false,
        acknowledge: Some(0),
        hashes: [transaction.hash()].into(),
    })
}

fn answer_with(request: u64, transaction: &Transaction) -> Message {
    Message::Transactions { request: RequestId(request), transactions: [transaction.clone()].into() }
}

/// Tells of a transaction and sends it; it must be asked for in between.
fn pay(lab: &mut Lab, from: NodeId, transaction: &Transaction) -> Vec<Happening> {
    assert_eq!(lab.hear(from, inventory(1, transaction)), []);
    assert!(matches!(lab.effects.to_do[..], [Effect::Send(_, Message::TransactionsRequest { .. })]));
    lab.hear(from, answer_with(1, transaction))
}

#[test]
fn transactions_that_can_never_be_mined_are_not_kept_and_not_passed_on() {
    let rules = rules();
    let mut lab = Lab::on(&honest(&rules), &rules);
    let unwanted = [
        Transaction::new("alice", "bob", 5),
        Transaction::reward("mallory", 50),
        Transaction::reward("mallory", 50).with_nonce(0),
        spend("alice", 0, 101),
        spend("alice", 0, u64::MAX),
        spend("nobody", 0, 1),
        // For nothing there could be as many as one likes.
        spend("nobody", 0, 0),
        spend("bob", 0, 1),
    ];
    for transaction in unwanted {
        let happenings = pay(&mut lab, LIAR, &transaction);
        assert_eq!(happenings, ignored(LIAR, IgnoreReason::Unwanted), "{transaction:?}");
        let told = &lab.effects.to_do;
        assert!(
            matches!(told[..], [Effect::Send(LIAR, Message::AcknowledgeInventory { .. })]),
            "{transaction:?}: {told:?}"
        );
        assert!(lab.node.mempool().is_empty());
    }
    // Those that may be mined one day wait, and do not keep others from it.
    for transaction in [spend("alice", u64::MAX, 1), spend("alice", 7, 1), spend("rich", 0, u64::MAX - 10)] {
        assert_eq!(pay(&mut lab, LIAR, &transaction), []);
    }
    assert_eq!(lab.node.mempool().len(), 3);
}

/// Coins that make the miner so rich that its reward cannot be counted.
#[test]
fn a_gift_does_not_end_mining() {
    let rules = rules();
    let chain = honest(&rules);
    let mut lab = Lab::on(&chain, &rules);
    let gift = Transaction::new("rich", "miner-0", u64::MAX - 10).with_nonce(0);
    assert_eq!(pay(&mut lab, LIAR, &gift), []);
    assert_eq!(pay(&mut lab, FRIEND, &spend("alice", 0, 1)), []);
    lab.tell(Input::Command(Ticket(3), Command::Mine));
    let Some(&Effect::Search(search, target)) = lab.effects.to_do.last() else { panic!("{:?}", lab.effects) };
    let template = lab.node.template(lab.now, search).expect("it has just begun");
    assert_eq!(template.target, target);
    let proof = (0..).find(|&proof| template.challenge.is_met(proof, template.target)).unwrap();
    let happenings = lab.tell(Input::Found(search, proof));
    assert!(matches!(happenings[..], [Happening::Mined { position: 9, .. }]), "{happenings:?}");
    assert_eq!(lab.chain().last_block().transactions()[..1], [spend("alice", 0, 1)]);
    assert_eq!(lab.node.mempool().iter().collect::<Vec<_>>(), [&gift], "another may mine it");
    assert!(Blockchain::from_json(&lab.chain().to_json(), &Rules::clone(&rules)).is_ok());
}
