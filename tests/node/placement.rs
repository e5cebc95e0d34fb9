//! When a submitted transaction will be mined, against what happens when the node mines on.

use std::{collections::BTreeMap, sync::Arc};

use chainlab::{
    Answer, Block, BlockHash, Command, Difficulty, Effect, Effects, Genesis, Input, Node, Placement,
    PreviousHash, Rules, SearchId, SubmitError, Submitted, Ticket, Time, Timestamp, Transaction, Violation,
    pow::Target,
};
use proptest::prelude::*;

use crate::bench::{START, notebook, peer};

const SENDERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// A node whose blocks take any proof, and what it searches for.
struct Miner {
    node: Node,
    now: Time,
    search: Option<SearchId>,
}

impl Miner {
    fn new(rules: Rules) -> Self {
        Self { node: Node::new(peer(0), Arc::new(rules), "miner", START).unwrap(), now: START, search: None }
    }

    fn input(&mut self, input: Input) -> Option<Answer> {
        let mut effects = Effects::default();
        self.node.handle(self.now, input, &mut effects);
        let mut answer = None;
        for effect in effects.to_do {
            match effect {
                Effect::Search(search, _) => self.search = Some(search),
                Effect::Answer(_, given) => answer = Some(given),
                _ => {}
            }
        }
        answer
    }

    fn submit(&mut self, transaction: Transaction) -> Result<Submitted, SubmitError> {
        match self.input(Input::Command(Ticket(1), Command::Submit(transaction))) {
            Some(Answer::Submit(submitted)) => submitted,
            other => panic!("a submission is answered by {other:?}"),
        }
    }

    /// Begins to try proofs.
    fn try_proofs(&mut self) -> SearchId {
        let search = self.search.expect("it mines");
        self.node.template(self.now, search);
        search
    }

    fn mine(&mut self) {
        self.now += std::time::Duration::from_secs(1);
        self.input(Input::Command(Ticket(2), Command::Mine));
        let search = self.search.take().expect("it mines");
        let before = self.node.chain().len();
        self.input(Input::Found(search, 0));
        assert_eq!(self.node.chain().len(), before + 1);
    }
}

fn sealed(most: usize, block_bytes_max: usize) -> Rules {
    let allocations = SENDERS.map(|sender| (sender.into(), 20)).into();
    let genesis = Genesis::Shared { time: Some(START), allocations };
    let difficulty = Difficulty::Fixed(Target::EASIEST);
    Rules { genesis, difficulty, payments_max: most, block_bytes_max, ..Rules::sealed() }
}

#[test]
fn what_comes_during_a_search_is_in_the_block_that_is_searched_for() {
    for rules in [sealed(2, 1_000_000), notebook()] {
        let has_accounts = rules.accounts;
        let mut miner = Miner::new(rules.with_first_target(Target::EASIEST));
        miner.input(Input::Command(Ticket(0), Command::StartMining));
        let before = miner.try_proofs();
        let payment = Transaction::new("alice", "bob", 5);
        let submitted = miner.submit(payment.clone()).unwrap();
        assert_eq!(submitted.placement, Placement::InBlock { position: 2 });
        assert_eq!(submitted.transaction, if has_accounts { payment.with_nonce(0) } else { payment });
        // The proof of a block without it comes too late.
        let search = miner.try_proofs();
        assert_eq!(search != before, has_accounts);
        if has_accounts {
            miner.input(Input::Found(before, 0));
            assert_eq!(miner.node.chain().len(), 1);
        }
        miner.input(Input::Found(search, 0));
        assert_eq!(miner.node.chain().confirmations(&submitted.transaction), 1);
    }
}

#[test]
fn a_nonce_that_leaves_a_gap_is_answered_by_the_one_that_is_missing() {
    let mut miner = Miner::new(sealed(1, 1_000_000));
    let pay = |nonce| Transaction::new("alice", "bob", 1).with_nonce(nonce);
    let mut placement = |nonce| miner.submit(pay(nonce)).unwrap().placement;
    assert_eq!(placement(3), Placement::AwaitsNonce { nonce: 0 });
    assert_eq!(placement(0), Placement::InBlock { position: 2 });
    assert_eq!(placement(2), Placement::AwaitsNonce { nonce: 1 });
    assert_eq!(placement(3), Placement::AwaitsNonce { nonce: 1 });
    assert_eq!(placement(1), Placement::InBlock { position: 3 });
    // Told again, it has moved up behind.
    assert_eq!(placement(3), Placement::InBlock { position: 5 });
    (0..4).for_each(|_| miner.mine());
    assert_eq!(miner.node.chain().find(&pay(3)).map(|found| found.position), Some(5));
}

/// Where a block has room for three payments, whatever their number may be.
#[test]
fn where_it_is_bytes_that_fill_a_block_they_are_what_is_counted() {
    let pay = |nonce| Transaction::new("alice", "x".repeat(70), 1).with_nonce(nonce);
    let transactions = [pay(0), pay(1), pay(2), Transaction::reward("miner", 50)];
    let previous_hash = PreviousHash::Hash(BlockHash::of(b""));
    let (time, most) = (Timestamp::from_micros(START.as_micros()), u64::MAX);
    let longest = Block::new(most, time, transactions, most, previous_hash).canonical_json().len();
    // What is kept free for a longer timestamp is far less than a payment.
    let mut miner = Miner::new(sealed(1000, longest + 20));
    let mut said = Vec::new();
    let mut submit = |miner: &mut Miner, nonce| match miner.submit(pay(nonce)).unwrap().placement {
        Placement::InBlock { position } => said.push(position),
        Placement::AwaitsNonce { .. } => panic!("nothing is left out"),
    };
    (0..7).for_each(|nonce| submit(&mut miner, nonce));
    miner.mine();
    (7..9).for_each(|nonce| submit(&mut miner, nonce));
    assert_eq!(said, [2, 2, 2, 3, 3, 3, 4, 4, 4]);
    (0..2).for_each(|_| miner.mine());
    let found = (0..9).map(|nonce| miner.node.chain().find(&pay(nonce)).map(|found| found.position));
    assert!(found.eq(said.into_iter().map(Some)));
}

#[test]
fn what_no_block_has_room_for_is_refused() {
    let mut miner = Miner::new(sealed(0, 1_000_000));
    let refused = miner.submit(Transaction::new("alice", "bob", 1));
    let violation = Violation::TooManyPayments { most: 0, found: 1 };
    assert_eq!(refused, Err(SubmitError::Unminable(violation)));
    for (sender, recipient) in [("alice", "bob"), ("", "")] {
        let mut miner = Miner::new(Rules { block_bytes_max: 100, ..notebook() });
        let refused = miner.submit(Transaction::new(sender, recipient, 1));
        assert!(
            matches!(refused, Err(SubmitError::Unminable(Violation::TooManyBytes { .. }))),
            "{refused:?}"
        );
    }
}

/// However the bytes come about: by one long name, whichever it is, or by what a short one takes when it is written out.
#[test]
fn a_payment_too_long_for_any_block_is_refused_whatever_makes_it_long() {
    let (long, escaped) = ("x".repeat(1500), "\u{1}".repeat(250));
    for (sender, recipient) in [("", &*long), (&*long, ""), ("alice", &*long), ("alice", &*escaped)] {
        let mut miner = Miner::new(Rules { block_bytes_max: 1500, ..notebook() });
        let refused = miner.submit(Transaction::new(sender, recipient, 1));
        let is_too_long = matches!(refused, Err(SubmitError::Unminable(Violation::TooManyBytes { .. })));
        assert!(is_too_long, "{refused:?}");
        let mut miner = Miner::new(Rules { block_bytes_max: 2000, ..notebook() });
        assert!(miner.submit(Transaction::new(sender, recipient, 1)).is_ok());
    }
}

/// No room for the coins, though there is room for the bytes.
#[test]
fn what_would_make_the_miner_too_rich_for_its_reward_is_passed_over() {
    for (amount, is_mined) in [(10, true), (11, false)] {
        let allocations = [("alice".into(), 20), ("bob".into(), 20), ("miner".into(), u64::MAX - 60)];
        let genesis = Genesis::Shared { time: Some(START), allocations: allocations.into() };
        let mut miner = Miner::new(Rules { genesis, ..sealed(10, 1_000_000) });
        let to_miner = miner.submit(Transaction::new("alice", "miner", amount)).unwrap().transaction;
        let to_carol = miner.submit(Transaction::new("bob", "carol", 5)).unwrap().transaction;
        miner.mine();
        let confirmations = [&to_miner, &to_carol].map(|payment| miner.node.chain().confirmations(payment));
        assert_eq!(confirmations, [u64::from(is_mined), 1]);
        let pending: Vec<_> = miner.node.mempool().iter().collect();
        assert_eq!(pending, Vec::from_iter((!is_mined).then_some(&to_miner)));
    }
}

#[test]
fn the_answer_is_the_notebook_s_and_tells_of_a_gap() {
    let mut miner = Miner::new(sealed(10, 1_000_000));
    let mut json = |nonce| {
        let pay = Transaction::new("alice", "bob", 1).with_nonce(nonce);
        serde_json::to_string(&miner.submit(pay).unwrap()).unwrap()
    };
    assert_eq!(json(0), r#"{"message":"Transaction will be added to Block 2"}"#);
    assert_eq!(json(2), r#"{"message":"Transaction waits for nonce 1 of its sender"}"#);
}

#[derive(Debug, Clone)]
enum Step {
    /// Who pays whom how much, how long the recipient's name is, and how far the nonce is ahead.
    Pay {
        sender: usize,
        recipient: usize,
        amount: u64,
        long: usize,
        ahead: u64,
    },
    Mine,
}

fn any_step() -> impl Strategy<Value = Step> {
    let pay = (0..4_usize, 0..5_usize, 0..6_u64, prop_oneof![Just(0_usize), 0..70_usize]);
    let ahead = prop_oneof![8 => Just(0_u64), 1 => 1..3_u64];
    let pay = (pay, ahead).prop_map(|((sender, recipient, amount, long), ahead)| Step::Pay {
        sender,
        recipient,
        amount,
        long,
        ahead,
    });
    prop_oneof![6 => pay, 1 => Just(Step::Mine)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Never later than was said, and where the blocks are full by their number of transactions not earlier either.
    #[test]
    fn whatever_is_submitted_is_mined_when_it_was_said(
        accounts in any::<bool>(),
        most in 1..6_usize,
        block_bytes_max in prop_oneof![Just(1_000_000_usize), 600..1500_usize],
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let rules = sealed(most, block_bytes_max);
        let bounded = Rules { payments_max: most, block_bytes_max, ..notebook() };
        let rules = if accounts { rules } else { bounded.with_first_target(Target::EASIEST) };
        let mut miner = Miner::new(rules);
        let mut said = BTreeMap::new();
        for step in steps {
            let Step::Pay { sender, recipient, amount, long, ahead } = step else {
                miner.mine();
                continue;
            };
            let recipient = SENDERS.get(recipient).map_or("x".repeat(long + 1), |&known| known.into());
            let mut payment = Transaction::new(SENDERS[sender], recipient, amount);
            let pending = miner.node.mempool().iter().filter(|other| other.sender() == SENDERS[sender]).count() as u64;
            if accounts && ahead > 0 {
                let next = miner.node.chain().account(SENDERS[sender]).nonce + pending;
                payment = payment.with_nonce(next + ahead);
            } else if !accounts {
                // Each is another.
                payment = Transaction::new(SENDERS[sender], payment.recipient(), 100 + said.len() as u64);
            }
            let Ok(Submitted { transaction, placement }) = miner.submit(payment) else { continue };
            match placement {
                Placement::InBlock { position } => {
                    said.insert(transaction, position);
                }
                Placement::AwaitsNonce { nonce } => {
                    prop_assert!(Some(nonce) < transaction.nonce());
                    let is_there = |other: &Transaction| other.nonce() == Some(nonce) && other.sender() == transaction.sender();
                    prop_assert!(!miner.node.mempool().iter().any(is_there));
                }
            }
        }
        for _ in 0..60 {
            miner.mine();
        }
        let chain = miner.node.chain();
        for (transaction, position) in said {
            let found = chain.find(&transaction).expect("it was to be mined");
            prop_assert!(found.position <= position, "{} of {}", found.position, position);
            if block_bytes_max == 1_000_000 {
                prop_assert_eq!(found.position, position);
            }
        }
    }
}
