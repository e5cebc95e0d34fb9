//! The common cases beside the general one.

mod inventories;
mod rivals;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};

use super::{
    super::{
        lab::{START, rules},
        questions::Questions,
    },
    *,
};
use crate::{Block, Command, Input, PreviousHash, Rules, Ticket, Timestamp, Told, Transaction};

/// The chain and one block more, by a miner, so many milliseconds later.
fn grown(chain: &Blockchain, miner: u8, millis: u64) -> Blockchain {
    grown_under(&rules(), chain, miner, millis)
}

/// As well, verified under some rules.
fn grown_under(rules: &Rules, chain: &Blockchain, miner: u8, millis: u64) -> Blockchain {
    let micros = chain.tip_micros() + 1 + 1000 * millis;
    let reward = Transaction::reward(format!("miner-{miner}"), 50);
    let parent = PreviousHash::Hash(chain.tip_hash());
    let block = Block::new(chain.len() + 1, Timestamp::from_micros(micros), [reward], 0, parent);
    chain.append(block, rules).expect("any proof will do")
}

#[derive(Debug, Clone)]
enum Step {
    /// One of three peers, or a stranger, tells of a block on top of one of those before, the latest at 0.
    Tell {
        from: u32,
        on: usize,
        miner: u8,
        millis: u64,
    },
    /// Nobody tells of a block on top of the latest.
    Lose {
        miner: u8,
    },
    /// One of the four tells of one of those before, by the block, its hash or what of it is not pending, or acknowledges it.
    Repeat {
        from: u32,
        which: usize,
        by: u8,
    },
    /// One of the four tells by its hash of a block on top of the chain that nobody else brings.
    Announce {
        from: u32,
        miner: u8,
    },
    /// One of them answers what it was asked last, with such a block or with nothing.
    Answer {
        from: u32,
        miner: Option<u8>,
    },
    /// One of the four asks for what it lacks.
    Ask {
        from: u32,
    },
    Mine,
    /// Somebody waits for one block.
    MineOne,
    /// The node's search, or the one before, has found a proof.
    Find {
        is_late: bool,
    },
    Stop,
    LinkLoses {
        other: u32,
        loses: bool,
    },
    Submit,
    /// One of the four is a peer no more.
    Unregister {
        peer: u32,
    },
    /// One of the four says what nobody may: after the second time it is banned.
    Lie {
        from: u32,
    },
    Pass {
        millis: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let tell =
        (1..5_u32, prop_oneof![6 => Just(0), 1 => 0..9_usize], 0..3_u8, prop_oneof![0..9_u64, Just(20_000)]);
    prop_oneof![
        12 => tell.prop_map(|(from, on, miner, millis)| Step::Tell { from, on, miner, millis }),
        6 => (1..5_u32, prop_oneof![Just(0), 0..9_usize], 0..4_u8)
            .prop_map(|(from, which, by)| Step::Repeat { from, which, by }),
        8 => (1..5_u32, 3..5_u8).prop_map(|(from, miner)| Step::Announce { from, miner }),
        2 => (1..5_u32, prop::option::of(3..5_u8))
            .prop_map(|(from, miner)| Step::Answer { from, miner }),
        2 => (1..5_u32).prop_map(|from| Step::Ask { from }),
        1 => (0..3_u8).prop_map(|miner| Step::Lose { miner }),
        2 => Just(Step::Mine),
        1 => Just(Step::MineOne),
        4 => prop::bool::weighted(0.1).prop_map(|is_late| Step::Find { is_late }),
        1 => Just(Step::Stop),
        2 => (1..4_u32, any::<bool>()).prop_map(|(other, loses)| Step::LinkLoses { other, loses }),
        1 => Just(Step::Submit),
        1 => (1..5_u32).prop_map(|peer| Step::Unregister { peer }),
        1 => (1..5_u32).prop_map(|from| Step::Lie { from }),
        2 => prop_oneof![0..400_u64, 0..30_000_u64].prop_map(|millis| Step::Pass { millis }),
    ]
}

/// A node with three peers, to and from whom nothing is lost.
fn node(rules: &Arc<Rules>) -> Node {
    node_with_peers(rules, 3)
}

fn node_with_peers(rules: &Arc<Rules>, count: u32) -> Node {
    let mut node = Node::new(NodeId::new(0), Arc::clone(rules), "miner-9", START).unwrap();
    let peers: Vec<_> = (1..=count).map(NodeId::new).collect();
    node.handle(START, Input::Command(Ticket(0), Command::Register(peers.clone())), &mut Effects::default());
    for peer in peers {
        node.handle(START, Input::LinkLoses(peer, false), &mut Effects::default());
    }
    node
}

/// What is fetched ahead of a block that comes is all that it reads, and not one line twice.
#[test]
#[cfg(target_pointer_width = "64")]
fn what_a_block_reads_lies_in_two_lines_of_the_cache() {
    let node = Node::new(NodeId::new(0), Arc::new(rules()), "miner", START).unwrap();
    let line = |address: usize| (address - &raw const node as usize) / 64;
    assert_eq!(line(&raw const node.is_quiet as usize), 0);
    assert_eq!(line(&raw const node.mining.continuous as usize), 1);
}

#[test]
fn a_block_on_top_of_the_chain_is_the_common_case() {
    let mut node = node(&Arc::new(rules()));
    let [block, rival] = [1, 2].map(|miner| grown(node.chain(), miner, 0));
    assert!(node.extends(START, &block) && node.extends(START, &rival));
    node.handle(
        START,
        Input::Message(NodeId::new(1), Message::NewBlock(Told::Chain(block.clone()))),
        &mut Effects::default(),
    );
    assert!(!node.extends(START, &rival) && node.extends(START, &grown(&block, 3, 0)));
}

fn announcement(chain: &Blockchain) -> Message {
    Message::Announce { block: chain.tip_hash(), position: chain.len() }
}

/// Has a node hear what others say, each so many milliseconds after the start, and another at length: the same comes of
/// it. Returns who was asked for blocks meanwhile.
fn hears(count: u32, said: impl IntoIterator<Item = (u64, u32, Message)>) -> Vec<usize> {
    hears_as(node_with_peers(&Arc::new(rules()), count), said)
}

/// As well, of a given node.
fn hears_as(mut node: Node, said: impl IntoIterator<Item = (u64, u32, Message)>) -> Vec<usize> {
    let mut general = node.clone();
    let mut asked = Vec::new();
    for (millis, from, message) in said {
        let (now, from) = (START + Duration::from_millis(millis), NodeId::new(from));
        let (mut effects, mut expected) = (Effects::default(), Effects::default());
        node.handle(now, Input::Message(from, message.clone()), &mut effects);
        general.handle_at_length(now, Input::Message(from, message), &mut expected);
        assert_eq!(shown(&effects), shown(&expected), "{from}");
        assert_eq!(format!("{node:?}"), format!("{general:?}"), "{from}");
        asked.extend(effects.to_do.into_iter().filter_map(|effect| match effect {
            Effect::Send(to, Message::BlocksRequest { .. }) => Some(to.index()),
            _ => None,
        }));
    }
    asked
}

/// So many tell of a missing block that more of them are asked, and that the last of them find no room.
#[test]
fn hearsay_of_many_peers_is_the_general_case() {
    let missing = grown(node(&Arc::new(rules())).chain(), 1, 0);
    let asked = hears(100, (1..=100).map(|from| (0, from, announcement(&missing))));
    assert_eq!(asked, [1, 2, 3, 4]);
}

/// A stranger is asked first, and its time is up before anybody waits for that of the peer who was asked then.
#[test]
fn hearsay_after_a_question_is_overdue_is_the_general_case() {
    let missing = grown(node(&Arc::new(rules())).chain(), 1, 0);
    let said = [(0, 4), (900, 1), (900, 2), (1050, 3)];
    assert_eq!(hears(3, said.map(|(millis, from)| (millis, from, announcement(&missing)))), [4, 1]);
}

/// Once the block is there that two tell of, nobody is asked for it any more, though it is not the tip.
#[test]
fn what_is_kept_beside_the_chain_is_not_asked_for_again() {
    let rules = Arc::new(Rules { relay: Relay::Announce, ..rules() });
    let mut node = node(&rules);
    let [one, other] = [1, 2].map(NodeId::new);
    let [own, rival] = [1, 2].map(|miner| grown_under(&rules, node.chain(), miner, 0));
    let mut effects = Effects::default();
    node.handle(START, Input::Message(one, Message::NewBlock(Told::Chain(own.clone()))), &mut effects);
    let request = node.next_request();
    for peer in [one, other] {
        node.handle(START, Input::Message(peer, announcement(&rival)), &mut effects);
    }
    effects.clear();
    let answer = Message::Blocks { request, after: 1, blocks: rival.clone().into() };
    node.handle(START, Input::Message(one, answer), &mut effects);
    assert!(node.chain().is_same_copy(&own) && node.knows(&rival));
    assert!(!effects.to_do.iter().any(|effect| matches!(effect, Effect::Send(..))), "{effects:?}");
    assert!(node.rests());
}

/// Which of two copies was made first decides which is kept, and nothing else.
#[test]
fn another_copy_of_the_tip_is_noted_whichever_was_made_first() {
    let mut node = node(&Arc::new(rules()));
    let copies = [1, 1].map(|miner| grown(node.chain(), miner, 0));
    let [first, again] = [0, 1].map(|copy: usize| Message::NewBlock(Told::Chain(copies[copy].clone())));
    let peer = NodeId::new(1);
    node.handle(START, Input::Message(peer, first.clone()), &mut Effects::default());
    assert!(node.takes_note(START, peer, &again) && node.takes_note(START, peer, &first));
    assert!(copies.iter().all(|copy| !copy.is_copy_to_keep(node.chain())));
}

/// Of several peers that may not have the tip the last one's word ends the waiting.
#[test]
fn news_of_the_tip_from_those_that_may_not_have_it_is_noted() {
    let mut node = node(&Arc::new(rules()));
    let peers = [1, 2, 3].map(NodeId::new);
    let mut effects = Effects::default();
    for peer in peers {
        node.handle(START, Input::LinkLoses(peer, true), &mut effects);
    }
    let tip = grown(node.chain(), 1, 0);
    let tells = Message::NewBlock(Told::Chain(tip.clone()));
    node.handle(START, Input::Message(peers[0], tells.clone()), &mut effects);
    assert_eq!(node.gossip.unconfirmed, peers[1..]);
    let acknowledges = Message::Acknowledge { block: tip.tip_hash() };
    for (from, message, is_noted) in [
        (0, &tells, false),
        (0, &acknowledges, true),
        (1, &tells, true),
        (1, &tells, false),
        (1, &acknowledges, true),
        (2, &tells, false),
        (2, &acknowledges, false),
    ] {
        assert_eq!(node.takes_note(START, peers[from], message), is_noted, "{from}: {message:?}");
    }
    assert_eq!(node.gossip.unconfirmed, [peers[2]]);
}

/// The missing block has come, and waits for its time.
#[test]
fn hearsay_after_a_block_of_the_future_is_the_general_case() {
    let [early, missing] = [20_000, 0].map(|millis| grown(node(&Arc::new(rules())).chain(), 1, millis));
    let comes = Message::NewBlock(Told::Chain(early.clone()));
    let said =
        [(1, announcement(&early)), (2, announcement(&early)), (3, comes), (3, announcement(&missing))];
    assert_eq!(hears(3, said.map(|(from, message)| (0, from, message))), [1]);
}

/// What has happened, and what is to be done.
fn shown(Effects { happened, to_do, .. }: &Effects) -> String {
    format!("{happened:?}, {to_do:?}")
}

/// Has a node handle an input, and a copy of it at length, and both what is due then: the same comes of it, but for when the
/// node is to be woken, and in all that it remembers.
fn handles_as_at_length(node: &mut Node, now: Time, input: Input) -> Result<Effects, TestCaseError> {
    let mut general = node.clone();
    let (mut effects, mut expected) = (Effects::default(), Effects::default());
    node.handle(now, input.clone(), &mut effects);
    general.handle_at_length(now, input, &mut expected);
    // What is due at this moment, a driver has it do now.
    for (node, effects) in [(&mut *node, &mut effects), (&mut general, &mut expected)] {
        if node.wake_at.is_some_and(|at| at <= now) {
            node.handle(now, Input::Wake, effects);
        }
        effects.to_do.retain(|effect| !matches!(effect, Effect::WakeAt(_)));
    }
    prop_assert_eq!(shown(&effects), shown(&expected));
    prop_assert_eq!(format!("{node:?}"), format!("{general:?}"));
    Ok(effects)
}

/// Has a node, if it asks for a block, be told of that by one peer, hear of it from all others, and be answered; and, if it
/// takes the block on, do that without all the rest: the same comes of it, but for what it remembers of questions, which
/// matters no more.
fn check_what_is_asked_for(node: &Node, now: Time, teller: NodeId, block: Blockchain) {
    if !node.asks_for(&block) || !node.loses_nothing(teller) || !node.listens_to(teller) {
        return;
    }
    let (mut node, mut general) = (node.clone(), node.clone());
    let request = node.next_request();
    let (mut effects, mut expected) = (Effects::default(), Effects::default());
    general.handle_at_length(now, Input::Message(teller, announcement(&block)), &mut effects);
    let alone_until = now + node.asks_alone_for();
    assert!(
        matches!(
            &effects.to_do[..],
            [
                Effect::Send(asked, Message::BlocksRequest { request: asks, wanted, locator }),
                Effect::WakeAt(Some(wakes))
            ] if (*asked, *asks, *wanted, *wakes) == (teller, request, block.tip_hash(), alone_until)
                && *locator == node.chain().locator()
        ),
        "{effects:?}"
    );
    let then = Time::from_nanos(alone_until.as_nanos() - 1);
    effects.clear();
    let others: Vec<_> = node.peers().iter().copied().filter(|peer| *peer != teller).collect();
    for other in others.into_iter().filter(|other| node.loses_nothing(*other) && node.listens_to(*other)) {
        general.handle_at_length(then, Input::Message(other, announcement(&block)), &mut effects);
    }
    assert!(effects.to_do.is_empty() && effects.happened.is_empty(), "{effects:?}");
    if !node.takes_on(then, &block) {
        return;
    }
    let answer = Message::Blocks { request, after: node.chain().len(), blocks: block.clone().into() };
    general.handle_at_length(then, Input::Message(teller, answer), &mut expected);
    node.has_asked();
    node.extend(teller, block, false, &mut effects);
    effects.push(Effect::WakeAt(None));
    assert_eq!(shown(&effects), shown(&expected));
    for node in [&mut node, &mut general] {
        assert!(node.gossip.questions.are_forgotten() && node.rests());
        node.gossip.questions = Questions::default();
        // It is noted with the questions.
        node.wake_at = None;
    }
    assert_eq!(format!("{node:?}"), format!("{general:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    /// Effect for effect but for when the node is to be woken, and in all that it remembers.
    #[test]
    fn the_common_cases_are_the_general_one(
        relay in prop_oneof![
            3 => Just(Relay::Push),
            3 => Just(Relay::Announce),
            1 => (0..=100_u8).prop_map(|fallback_percent| Relay::Compact { fallback_percent }),
        ],
        steps in vec(step(), 0..60),
    ) {
        let rules = Arc::new(Rules { relay, ..rules() });
        let grown = |chain: &Blockchain, miner, millis| grown_under(&rules, chain, miner, millis);
        let mut node = node(&rules);
        (node.limits.bad_blocks, node.limits.side_branches) = (2, 3);
        let (mut now, mut asked) = (START, BTreeMap::new());
        let mut told = vec![node.chain().clone()];
        for (step, ticket) in steps.into_iter().zip(1..) {
            let says = |from, message| Input::Message(NodeId::new(from), message);
            let tells = |from, chain: &Blockchain| says(from, Message::NewBlock(Told::Chain(chain.clone())));
            let announces = |from, chain: &Blockchain| says(from, announcement(chain));
            let input = match step {
                Step::Tell { from, on, miner, millis } => {
                    let chain = grown(&told[told.len().saturating_sub(1 + on)], miner, millis);
                    told.push(chain.clone());
                    tells(from, &chain)
                }
                Step::Lose { miner } => {
                    told.push(grown(&told[told.len() - 1], miner, 0));
                    continue;
                }
                Step::Repeat { from, which, by } => {
                    let chain = &told[told.len().saturating_sub(1 + which)];
                    match by {
                        0 => tells(from, chain),
                        1 => announces(from, chain),
                        2 => says(from, Message::Acknowledge { block: chain.tip_hash() }),
                        _ => says(from, Message::CompactBlock(Told::Chain(chain.clone()))),
                    }
                }
                Step::Announce { from, miner } => announces(from, &grown(node.chain(), miner, 0)),
                Step::Answer { from, miner } => {
                    let Some(request) = asked.remove(&NodeId::new(from)) else { continue };
                    let blocks = match miner {
                        Some(miner) => Told::Chain(grown(node.chain(), miner, 0)),
                        None => Told::Blocks([].into()),
                    };
                    says(from, Message::Blocks { request, after: node.chain().len(), blocks })
                }
                Step::Ask { from } => {
                    let (request, locator) = (RequestId(0), told[0].locator());
                    says(from, Message::BlocksRequest { request, wanted: node.chain().tip_hash(), locator })
                }
                Step::Mine => Input::Command(Ticket(ticket), Command::StartMining),
                Step::MineOne => Input::Command(Ticket(ticket), Command::Mine),
                Step::Find { is_late } => {
                    let Some(SearchId(number)) = node.current_search() else { continue };
                    Input::Found(SearchId(number - u64::from(is_late)), 0)
                }
                Step::Stop => Input::Command(Ticket(ticket), Command::StopMining),
                Step::LinkLoses { other, loses } => Input::LinkLoses(NodeId::new(other), loses),
                Step::Submit => {
                    Input::Command(Ticket(ticket), Command::Submit(Transaction::new("miner-0", "x", 1)))
                }
                Step::Unregister { peer } => {
                    Input::Command(Ticket(ticket), Command::Unregister(vec![NodeId::new(peer)]))
                }
                Step::Lie { from } => says(from, Message::NewBlock(Told::Document("{}".into()))),
                Step::Pass { millis } => {
                    now += Duration::from_millis(millis);
                    Input::Wake
                }
            };
            let effects = handles_as_at_length(&mut node, now, input)?;
            if let Some(teller) = node.peers().first() {
                let on = [Some(node.chain().clone()), node.chain().parent()];
                for on in on.into_iter().flatten() {
                    let block = grown(&on, 4, if ticket.is_multiple_of(5) { 20_000 } else { 0 });
                    check_what_is_asked_for(&node, now, *teller, block);
                }
            }
            for effect in effects.to_do {
                if let Effect::Send(to, Message::BlocksRequest { request, .. }) = effect {
                    asked.insert(to, request);
                }
            }
        }
    }
}
