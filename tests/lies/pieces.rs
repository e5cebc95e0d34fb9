//! Long answers, which are read some at a time: what comes of them is what came of them at once, and everybody has a
//! turn in between.

use std::{sync::LazyLock, time::Duration};

use chainlab::{
    Answer, Block, Blockchain, ChainError, Command, Difficulty, Effect, Genesis, Happening, IgnoreReason,
    Input, Limits, Message, RequestId, Rules, Ticket, Told, Transaction, pow::Target,
};
use proptest::prelude::*;

use crate::lab::{FRIEND, LIAR, Lab, START, bare, grown, grown_by};

/// How many blocks the node has, and how many there are.
const OWN: u64 = 3;
const ALL: u64 = 50;

struct World {
    rules: Rules,
    /// Some eight kilobytes a block.
    chain: Blockchain,
    /// The same blocks, verified under other rules.
    foreign: Blockchain,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let rules = Rules {
        difficulty: Difficulty::Fixed(Target::leading_zero_bits(4)),
        genesis: Genesis::Shared { time: Some(START), allocations: [("alice".into(), 1_000_000)].into() },
        ..Rules::sealed()
    };
    let start = grown_by(&Blockchain::start(&rules, START).unwrap(), &rules, 0.1, OWN as usize - 1);
    let payment = |nonce| Transaction::new("alice", "x".repeat(80), 1).with_nonce(nonce);
    let chain = (0..ALL - OWN).fold(start, |chain, block| {
        let payments: Vec<_> = (50 * block..50 * (block + 1)).map(payment).collect();
        grown(&chain, &rules, 0.1, &payments)
    });
    let lenient = Rules { payments_max: 999, ..rules.clone() };
    let foreign = chain.verify(&lenient).unwrap();
    World { rules, chain, foreign }
});

/// A node that has the first blocks, in the middle of a question to the liar.
fn asking(asks_for_chain: bool) -> (Lab, RequestId) {
    let mut lab = Lab::on(&WORLD.chain.at(OWN).unwrap(), &WORLD.rules);
    let request = if asks_for_chain {
        let request = lab.resolve();
        let own = lab.chain().into();
        lab.hear(FRIEND, Message::Chain { request, chain: own });
        request
    } else {
        lab.announce(LIAR, WORLD.chain.clone());
        lab.asked().expect("the blocks before are missing").1
    };
    (lab, request)
}

fn answer(asks_for_chain: bool, request: RequestId, after: u64, told: impl Into<Told>) -> Message {
    match asks_for_chain {
        true => Message::Chain { request, chain: told.into() },
        false => Message::Blocks { request, after, blocks: told.into() },
    }
}

fn goes_on(lab: &Lab) -> bool {
    lab.effects.to_do.iter().any(|effect| matches!(effect, Effect::WakeAt(Some(at)) if *at <= lab.now))
}

/// What an input came to, and all wake-ups that are due: what happened, and what was said to whom.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    happenings: Vec<Happening>,
    said: Vec<String>,
}

impl Outcome {
    fn add(&mut self, lab: &Lab, happenings: Vec<Happening>) {
        self.happenings.extend(happenings);
        self.said.extend(lab.effects.to_do.iter().filter_map(|effect| match effect {
            Effect::Send(to, message) => {
                Some(format!("{to}: {:?}, {} bytes", message.kind(), message.size()))
            }
            Effect::Relay { except, message } => {
                Some(format!("all but {except:?}: {:?}, {} bytes", message.kind(), message.size()))
            }
            Effect::Answer(ticket, Answer::Resolve(resolution)) => {
                Some(format!("{ticket:?}: {:?}, {} blocks", resolution.outcome, resolution.chain.len()))
            }
            _ => None,
        }));
    }
}

/// Hands a node a message and all wake-ups that are due at once; returns what came of it, and the wake-ups' number.
fn heard(lab: &mut Lab, message: Message) -> (Outcome, usize) {
    let (mut outcome, mut wakes) = (Outcome::default(), 0);
    let happenings = lab.hear(LIAR, message);
    outcome.add(lab, happenings);
    while goes_on(lab) {
        wakes += 1;
        let happenings = lab.tell(Input::Wake);
        outcome.add(lab, happenings);
    }
    (outcome, wakes)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Bare,
    Document,
    Foreign,
}

/// The document of blocks, whatever they are.
fn document(blocks: &[Block]) -> String {
    let texts: Vec<_> = blocks.iter().map(Block::canonical_json).collect();
    format!(r#"{{"chain": [{}], "length": {}}}"#, texts.join(", "), texts.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A verified chain, of which nothing is to be read, is judged at once: it is what a valid answer must come to. What
    /// breaks a rule is rejected for the first block that does, and changes nothing.
    #[test]
    fn an_answer_in_pieces_comes_to_what_it_does_at_once(
        asks_for_chain in any::<bool>(),
        form in prop_oneof![Just(Form::Bare), Just(Form::Document), Just(Form::Foreign)],
        until in OWN + 1..=ALL,
        after in 1..=OWN,
        spoilt in prop::option::of((OWN..ALL, any::<bool>())),
    ) {
        let World { rules, chain, foreign } = &*WORLD;
        let (lab, request) = asking(asks_for_chain);
        let told = chain.at(until).unwrap();
        let mut blocks: Vec<_> = told.iter().cloned().collect();
        let spoilt = spoilt.filter(|(at, _)| form != Form::Foreign && *at < until);
        if let Some((at, is_proof)) = spoilt {
            let block = &mut blocks[at as usize];
            *block = if is_proof {
                let proofs = (0..).map(|proof| block.clone().with_proof(proof));
                { proofs }.find(|block| rules.check_alone(block).is_err()).unwrap()
            } else {
                Block::new(block.index() + 1, block.timestamp(), block.transactions(), block.proof(), block.previous_hash())
            };
        }
        let is_whole = asks_for_chain || form == Form::Document;
        let after = if is_whole { 0 } else { after };
        let message = match form {
            Form::Bare => answer(asks_for_chain, request, after, Told::Blocks(blocks[after as usize..].into())),
            Form::Document => answer(asks_for_chain, request, after, Told::Document(document(&blocks).into())),
            Form::Foreign => answer(asks_for_chain, request, after.max(1), foreign.at(until).unwrap()),
        };
        let (mut at_once, mut in_pieces) = (lab.clone(), lab);
        let (outcome, wakes) = heard(&mut in_pieces, message);
        // A piece is some twelve blocks, and two are read at the message itself.
        let read = spoilt.map_or(until, |(at, _)| at) - OWN;
        prop_assert!(wakes <= 4 && (wakes > 0 || read < 30), "{wakes} wake-ups for {read} blocks");

        let Some((at, _)) = spoilt else {
            let (expected, _) = heard(&mut at_once, answer(asks_for_chain, request, after.max(1), told.clone()));
            prop_assert_eq!(outcome, expected);
            // If only the block that was told of is missing, it comes next.
            prop_assert_eq!(in_pieces.chain(), at_once.chain());
            prop_assert!(told.is_start_of(&in_pieces.chain()));
            return Ok(());
        };
        let valid = chain.at(at).unwrap();
        let invalid = valid.append(blocks[at as usize].clone(), rules).unwrap_err();
        let mut expected = vec![Happening::Rejected { from: LIAR, invalid: invalid.clone() }];
        let replaced = Happening::Resolved { replaced: false, silent: 0 };
        expected.extend(asks_for_chain.then_some(replaced));
        prop_assert_eq!(&outcome.happenings, &expected);
        prop_assert_eq!(in_pieces.chain(), at_once.chain());
        let by_hand = Blockchain::from_blocks(blocks, rules).unwrap_err();
        prop_assert_eq!(by_hand, ChainError::Invalid(invalid));
    }
}

/// A node in the middle of an answer to one of its questions.
fn reading(asks_for_chain: bool) -> (Lab, RequestId) {
    let (mut lab, request) = asking(asks_for_chain);
    let blocks: Vec<_> = WORLD.chain.iter().cloned().collect();
    let blocks = Told::Blocks(blocks[if asks_for_chain { 0 } else { OWN as usize }..].into());
    assert_eq!(lab.hear(LIAR, answer(asks_for_chain, request, OWN, blocks)), []);
    assert!(goes_on(&lab));
    (lab, request)
}

#[test]
fn commands_have_their_turn_in_between() {
    for asks_for_chain in [false, true] {
        let (mut lab, _) = reading(asks_for_chain);
        let own = WORLD.chain.at(OWN).unwrap();
        assert_eq!(lab.tell(Input::Command(Ticket(9), Command::Chain)), []);
        let is_answered = |effect: &Effect| matches!(effect, Effect::Answer(Ticket(9), Answer::Chain(chain)) if *chain == own);
        assert!(lab.effects.to_do.iter().any(is_answered));
        while lab.chain() == own {
            lab.tell(Input::Wake);
        }
        assert_eq!(lab.chain(), WORLD.chain);
        assert!(!goes_on(&lab));
    }
}

#[test]
fn an_answer_that_is_being_read_is_heard_once() {
    for asks_for_chain in [false, true] {
        let (mut lab, request) = reading(asks_for_chain);
        let (before, unasked) =
            (lab.clone(), Happening::Ignored { from: LIAR, reason: IgnoreReason::Unasked });
        let again = answer(asks_for_chain, request, OWN, WORLD.chain.clone());
        assert_eq!(lab.hear(LIAR, again), std::slice::from_ref(&unasked));
        assert_ne!(lab.chain(), WORLD.chain);
        // Nor does what nobody asked for end it.
        let mut lab = before;
        let other = answer(asks_for_chain, RequestId(request.0 + 1), OWN, WORLD.chain.clone());
        assert_eq!(lab.hear(LIAR, other), [unasked]);
        assert_ne!(lab.chain(), WORLD.chain);
    }
}

/// However long the first is, the second does not have it read to its end.
#[test]
fn another_answer_of_the_sender_is_read_after_the_one_before() {
    let (mut lab, question) = asking(false);
    let request = lab.resolve();
    let own = lab.chain();
    lab.hear(LIAR, answer(false, question, OWN, bare(&WORLD.chain, OWN)));
    let happenings = lab.hear(LIAR, answer(true, request, 0, bare(&WORLD.chain, 0)));
    assert_eq!((happenings, lab.chain()), (Vec::new(), own));
    lab.tell(Input::Wake);
    assert_eq!(lab.chain(), WORLD.chain);
}

/// Else a peer that lets its time pass would have one answer more read at once each time.
#[test]
fn whose_answer_is_being_read_is_not_asked_again() {
    let (mut lab, question) = asking(false);
    lab.hear(LIAR, answer(false, question, OWN, bare(&WORLD.chain, OWN)));
    lab.now += Limits::default().resolve_timeout * 100;
    let better = grown(&WORLD.chain, &WORLD.rules, 0.1, &[]);
    lab.announce(LIAR, better);
    assert_eq!(lab.asked(), None);
    assert_ne!(lab.chain(), WORLD.chain);
    // It is read on at once, and not before: time does not go back.
    assert!(goes_on(&lab));
}

/// The other rounds that the same peer answered go on.
#[test]
fn what_answers_a_round_that_ends_is_read_no_further() {
    let mut lab = Lab::on(&WORLD.chain.at(OWN).unwrap(), &WORLD.rules);
    let first = lab.resolve();
    lab.now += Duration::from_millis(600);
    let second = lab.resolve();
    for request in [first, second] {
        lab.hear(FRIEND, answer(true, request, 0, WORLD.chain.at(OWN).unwrap()));
    }
    // The last block of the first answer is bad, as would be told if it were read.
    let mut spoilt: Vec<_> = WORLD.chain.iter().cloned().collect();
    let last = spoilt.pop().unwrap();
    spoilt.push(last.with_proof(u64::MAX));
    lab.hear(LIAR, answer(true, first, 0, Told::Blocks(spoilt.into())));
    lab.hear(LIAR, answer(true, second, 0, bare(&WORLD.chain, 0)));
    let late = Happening::Ignored { from: LIAR, reason: IgnoreReason::Late };
    let mut happenings = lab.pass(Duration::from_millis(500));
    while lab.chain() != WORLD.chain {
        happenings.extend(lab.tell(Input::Wake));
    }
    assert!(happenings.contains(&late), "{happenings:?}");
    assert!(!happenings.iter().any(|what| matches!(what, Happening::Rejected { .. })), "{happenings:?}");
}

#[test]
fn an_answer_that_is_not_read_by_the_end_of_its_round_is_late() {
    let (mut lab, _) = reading(true);
    let own = lab.chain();
    let mut happenings = lab.pass(Duration::from_secs(1));
    while goes_on(&lab) {
        happenings.extend(lab.tell(Input::Wake));
    }
    let silent = Happening::Resolved { replaced: false, silent: 1 };
    assert_eq!(happenings, [silent, Happening::Ignored { from: LIAR, reason: IgnoreReason::Late }]);
    assert_eq!(lab.chain(), own);
}

/// What a sender is banned for ends what is read of it, and the round goes on without it.
#[test]
fn nothing_more_is_read_of_who_is_banned() {
    let (mut lab, _) = reading(false);
    let bad = || Told::Document("no document".into());
    let most = Limits::default().bad_blocks;
    let banned = (0..most)
        .flat_map(|_| lab.announce(LIAR, bad()))
        .find(|what| matches!(what, Happening::Banned { .. }));
    // The messages before have taken up the answer, as any input does.
    assert!(banned.is_some());
    assert_eq!(lab.chain(), WORLD.chain);

    let limits = Limits { bad_blocks: 1, ..Limits::default() };
    let mut lab = Lab::with_limits(&WORLD.chain.at(OWN).unwrap(), &WORLD.rules, limits);
    lab.announce(LIAR, WORLD.chain.clone());
    let (_, request) = lab.asked().unwrap();
    let blocks = WORLD.chain.iter_after(OWN).cloned().collect();
    lab.hear(LIAR, answer(false, request, OWN, Told::Blocks(blocks)));
    lab.announce(LIAR, bad());
    for _ in 0..10 {
        assert_eq!(lab.tell(Input::Wake), []);
    }
    assert_eq!(lab.chain().len(), OWN);
}
