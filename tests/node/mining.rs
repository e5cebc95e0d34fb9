//! Mining: what is searched for, and what becomes of proofs.

use std::sync::Arc;

use chainlab::{
    Command, Effect, Effects, Input, Node, NodeId, Rules, SearchId, Ticket, Timestamp, Transaction,
    pow::{Challenge, Exhausted, Target},
};

use crate::bench::{
    Bench, START, document, grown, grown_by, name, notebook, sealed, seconds, without_accounts,
};

fn payment(amount: u64) -> Transaction {
    Transaction::new("alice", "bob", amount)
}

fn exhausted(bench: &Bench) -> Exhausted {
    let (_, template) = bench.search.unwrap();
    Exhausted { challenge: template.challenge, target: template.target }
}

#[test]
fn a_block_holds_what_is_pending_and_the_reward_last() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::new(rules.clone());
        bench.submit(payment(5));
        bench.submit(payment(6));
        bench.command(Command::Mine);
        bench.now += seconds(2.0);
        let lines = bench.find();
        assert!(lines.contains(&"mined 2".to_owned()) && lines.contains(&"answer 3: forged 2".to_owned()));
        let chain = bench.chain();
        let block = chain.last_block();
        let transactions: Vec<_> = block.transactions().iter().map(|t| (t.sender(), t.amount())).collect();
        assert_eq!(transactions, [("alice", 5), ("alice", 6), ("0", rules.reward)]);
        assert_eq!(block.transactions()[2].recipient(), "miner-0");
        assert_eq!((block.index(), bench.pending()), (2, vec![]));
        assert!(bench.search.is_none());
    }
}

/// The notebook computes its proof first and makes the block then. A sealed proof covers the block, which is made when
/// the search begins, and made again when a transaction comes in.
#[test]
fn a_block_holds_what_came_in_while_it_was_searched_for() {
    for (rules, elapsed) in [(notebook(), 5.0), (sealed(), 2.0)] {
        let is_sealed = rules.accounts;
        let mut bench = Bench::new(rules);
        bench.command(Command::Mine);
        bench.now += seconds(2.0);
        let lines = bench.submit(payment(5));
        assert_eq!(lines.contains(&"search 2".to_owned()), is_sealed, "{lines:?}");
        bench.now += seconds(3.0);
        bench.find();
        let chain = bench.chain();
        assert_eq!(chain.last_block().transactions().len(), 2);
        assert_eq!(bench.pending(), [0; 0]);
        let [first, last] = [1, 2].map(|position| chain.block(position).unwrap().timestamp().seconds());
        assert_eq!(last - first, elapsed);
    }
}

/// As a driver does that draws when proofs are found: the block is made only then.
#[test]
fn a_search_whose_template_nobody_asks_for_is_not_renewed() {
    let mut node = Node::new(NodeId::new(0), Arc::new(sealed()), "miner-0", START).unwrap();
    let mut effects = Effects::default();
    node.handle(START, Input::Command(Ticket(1), Command::StartMining), &mut effects);
    node.handle(START, Input::Command(Ticket(2), Command::Submit(payment(5))), &mut effects);
    let searches = effects.to_do.iter().filter(|effect| matches!(effect, Effect::Search(..)));
    assert_eq!(searches.count(), 1);
    let now = START + seconds(7.0);
    assert_eq!(node.template(now, SearchId(0)), None, "that search is not its last one");
    let template = node.template(now, SearchId(1)).unwrap();
    assert_eq!(node.template(now + seconds(1.0), SearchId(1)), Some(template), "it stays as it is");
    let proof = (0..).find(|&proof| template.challenge.is_met(proof, template.target)).unwrap();
    node.handle(now + seconds(2.0), Input::Found(SearchId(1), proof), &mut effects);
    let block = node.chain().last_block();
    assert_eq!((block.transactions().len(), block.timestamp()), (2, Timestamp::from(now)));
}

#[test]
fn two_commands_give_two_blocks() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::new(rules);
        assert_eq!(bench.command(Command::Mine), ["search 1"]);
        assert_eq!(bench.command(Command::Mine), [""; 0]);
        let lines = bench.find();
        assert!(lines.ends_with(&["answer 1: forged 2".into(), "search 2".into()]), "{lines:?}");
        let lines = bench.find();
        assert!(lines.ends_with(&["answer 2: forged 3".into()]), "{lines:?}");
        assert_eq!(bench.chain().len(), 3);
    }
}

#[test]
fn a_proof_that_is_late_unasked_or_twice_is_nothing() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::new(rules);
        assert_eq!(bench.tell(Input::Found(SearchId(1), 7)), [""; 0]);
        bench.command(Command::Mine);
        let (id, _) = bench.search.unwrap();
        assert_eq!(bench.tell(Input::Found(SearchId(id.0 + 1), 7)), [""; 0]);
        assert_eq!(bench.tell(Input::Exhausted(SearchId(id.0 + 1), exhausted(&bench))), [""; 0]);
        bench.command(Command::StopMining);
        assert_eq!(bench.tell(Input::Found(id, 7)), [""; 0]);
        bench.command(Command::Mine);
        let (id, _) = bench.search.unwrap();
        bench.find();
        assert_eq!(bench.tell(Input::Found(id, 7)), [""; 0]);
        assert_eq!(bench.chain().len(), 2);
    }
}

#[test]
fn a_wrong_proof_makes_no_block() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::new(rules.clone());
        bench.command(Command::Mine);
        bench.command(Command::Mine);
        let (id, template) = bench.search.unwrap();
        let wrong = (0..).find(|&proof| !template.challenge.is_met(proof, template.target)).unwrap();
        let lines = bench.tell(Input::Found(id, wrong));
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("ended mining: the rules refuse the mined block: block 2: proof"));
        for (line, ticket) in lines[1..].iter().zip(1..) {
            assert!(
                line.starts_with(&format!(
                    "answer {ticket}: the rules refuse the mined block: block 2: proof"
                ))
            );
        }
        assert_eq!(bench.chain().len(), 1);
    }
}

#[test]
fn an_exhausted_search_is_said_to_all_who_wait() {
    let mut bench = Bench::new(notebook());
    bench.command(Command::Mine);
    bench.command(Command::StartMining);
    let exhausted = exhausted(&bench);
    let (id, _) = bench.search.unwrap();
    // That ends the mining that goes on, too: the same search would fail again.
    let lines = bench.tell(Input::Exhausted(id, exhausted));
    assert_eq!(lines, [format!("ended mining: {exhausted}"), format!("answer 1: {exhausted}")]);
    assert_eq!(bench.tell(Input::Exhausted(id, exhausted)), [""; 0]);
}

#[test]
fn stopping_answers_all_who_wait() {
    let mut bench = Bench::new(sealed());
    bench.command(Command::Mine);
    bench.command(Command::StartMining);
    bench.command(Command::Mine);
    let stopped = "the node was told to stop mining";
    let lines = [
        "stop search".to_owned(),
        format!("answer 1: {stopped}"),
        format!("answer 3: {stopped}"),
        "answer 4: mining stopped".to_owned(),
    ];
    assert_eq!(bench.command(Command::StopMining), lines);
    assert_eq!(bench.command(Command::StopMining), ["answer 5: mining stopped"]);
}

#[test]
fn mining_goes_on_until_it_is_stopped() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::new(rules);
        bench.command(Command::StartMining);
        assert_eq!(bench.command(Command::StartMining), ["answer 2: mining"]);
        for block in 2..6 {
            bench.now += seconds(1.0);
            let lines = bench.find();
            assert!(lines.contains(&format!("mined {block}")), "{lines:?}");
        }
        // One block for whoever asks meanwhile, and on it goes.
        bench.command(Command::Mine);
        let lines = bench.find();
        assert!(lines.contains(&"answer 3: forged 6".to_owned()), "{lines:?}");
        assert!(bench.search.is_some());
        assert_eq!(bench.command(Command::StopMining), ["stop search", "answer 4: mining stopped"]);
    }
}

#[test]
fn mining_goes_on_on_an_adopted_tip() {
    let rules = notebook();
    let mut bench = Bench::with_peers(rules.clone(), 1);
    bench.command(Command::Mine);
    let (old, _) = bench.search.unwrap();
    bench.command(Command::Resolve);
    let other = grown_by(&bench.chain(), &rules, "miner-1", 2);
    let lines = bench.answer(1, 1, document(&other));
    assert!(lines.contains(&"search 2".to_owned()), "{lines:?}");
    let (_, template) = bench.search.unwrap();
    let last_proof = other.last_block().proof();
    assert_eq!(template.challenge, Challenge::LastProof { last_proof });
    assert_eq!(bench.tell(Input::Found(old, 7)), [""; 0], "the old search's proof comes too late");
    assert!(bench.find().contains(&"answer 2: forged 4".to_owned()));
    assert_eq!(bench.chain().parent(), Some(other));
}

#[test]
fn an_adopted_block_while_nobody_wants_one_starts_no_search() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::with_peers(rules.clone(), 1);
        bench.command(Command::Resolve);
        let other = grown(&bench.chain(), &rules, "miner-1", &[]);
        let lines = bench.answer(1, 1, other.clone());
        assert_eq!(bench.chain(), other);
        assert!(!lines.iter().any(|line| line.starts_with("search")), "{lines:?}");
    }
}

#[test]
fn a_block_takes_no_more_transactions_than_the_rules_allow() {
    let rules = Rules { payments_max: 2, ..sealed() };
    let mut bench = Bench::new(rules);
    for _ in 0..5 {
        bench.submit(payment(1));
    }
    for (pending, held) in [(3, 3), (1, 3), (0, 2), (0, 1)] {
        bench.now += seconds(1.0);
        bench.command(Command::Mine);
        bench.find();
        assert_eq!((bench.pending().len(), bench.chain().last_block().transactions().len()), (pending, held));
    }
}

/// To the byte: what the block takes with its reward alone, and each transaction with its comma.
#[test]
fn a_block_takes_no_more_bytes_than_the_rules_allow() {
    for accounts in [true, false] {
        let unbounded = if accounts { sealed() } else { without_accounts() };
        let mut bench = Bench::new(unbounded.clone());
        let submit = |bench: &mut Bench| {
            for number in 0..5 {
                bench.submit(payment(number));
            }
            bench.submit(Transaction::new("bob", "carol", 7));
        };
        submit(&mut bench);
        bench.command(Command::Mine);
        bench.find();
        let longest_proof = bench.chain().last_block().clone().with_proof(u64::MAX);
        let whole = longest_proof.canonical_json().len();
        let payments = |bytes| {
            let mut bench = Bench::new(Rules { block_bytes_max: bytes, ..unbounded.clone() });
            submit(&mut bench);
            bench.command(Command::Mine);
            bench.find();
            let block = bench.chain().last_block().clone();
            assert!(block.with_proof(u64::MAX).canonical_json().len() <= bytes);
            let amounts: Vec<_> =
                bench.chain().last_block().transactions().iter().map(Transaction::amount).collect();
            amounts
        };
        assert_eq!(payments(whole), [0, 1, 2, 3, 4, 7, 50]);
        // Alice's last takes a byte more than Bob's, and what comes later but is short enough has its place.
        let bobs = Transaction::new("bob", "carol", 7);
        let bobs = if accounts { bobs.with_nonce(0) } else { bobs };
        let alices = if accounts { payment(4).with_nonce(4) } else { payment(4) };
        let [bobs, alices] = [bobs, alices].map(|each| serde_json::to_string(&each).unwrap().len());
        assert_eq!(bobs, alices);
        assert_eq!(payments(whole - 1), [0, 1, 2, 3, 4, 50]);
        // All but one payment of the shortest amount.
        assert_eq!(payments(whole - 5 * (alices + 2)), [0, 50]);
    }
}

#[test]
fn what_no_block_can_hold_is_refused_at_once() {
    let rules = Rules { block_bytes_max: 400, address_chars_max: 80, ..sealed() };
    let mut bench = Bench::new(rules);
    let refused = |bench: &mut Bench, transaction| {
        let line = bench.submit(transaction).pop().expect("it is answered");
        line.split_once(": ").expect("the ticket comes first").1.to_owned()
    };
    let long = "x".repeat(81);
    let expected = format!(
        "no block can hold the transaction: address {} is too long: at most 80 characters, found 81",
        &long[1..]
    );
    assert_eq!(refused(&mut bench, Transaction::new("alice", long.as_str(), 1)), expected);
    assert_eq!(refused(&mut bench, Transaction::new(long.as_str(), "alice", 1)), expected);
    let wide = "\u{1f600}".repeat(20);
    let line = refused(&mut bench, Transaction::new("alice", wide.as_str(), 1));
    assert_eq!(line, "no block can hold the transaction: too many bytes: at most 400, found 496");
    assert_eq!(refused(&mut bench, Transaction::new("alice", &wide[..32], 1)), "block 2");
    bench.command(Command::Mine);
    bench.find();
    assert!(bench.pending().is_empty(), "what is taken in can be mined");
}

#[test]
fn a_block_holds_each_senders_transactions_in_the_order_of_their_nonces() {
    let mut bench = Bench::new(sealed());
    for (sender, nonce, amount) in
        [("alice", 2, 3), ("bob", 0, 10), ("alice", 0, 1), ("carol", 1, 99), ("alice", 1, 2)]
    {
        bench.submit(crate::bench::transfer(sender, nonce, amount));
    }
    bench.command(Command::Mine);
    bench.find();
    let chain = bench.chain();
    let amounts: Vec<_> = chain.last_block().transactions().iter().map(Transaction::amount).collect();
    assert_eq!(amounts, [10, 1, 2, 3, 50]);
    assert_eq!(bench.pending(), [99], "carol's first is missing");
}

#[test]
fn the_timestamp_is_later_than_the_median_though_the_clock_stands_still() {
    let mut bench = Bench::new(sealed());
    bench.command(Command::StartMining);
    for _ in 0..30 {
        bench.find();
    }
    assert_eq!(bench.chain().len(), 31);
}

#[test]
fn rewards_that_cannot_be_counted_end_the_mining() {
    let rules = Rules { reward: u64::MAX, ..sealed() };
    let mut bench = Bench::new(rules);
    bench.command(Command::StartMining);
    bench.find();
    bench.command(Command::Mine);
    let lines = bench.find();
    let expected = "the rules refuse the mined block: block 3: miner-0 has 18446744073709551615";
    assert!(lines[0].starts_with(&format!("ended mining: {expected}")), "{lines:?}");
    assert!(lines[1].starts_with(&format!("answer 2: {expected}")), "{lines:?}");
    assert!(bench.search.is_none());
}

#[test]
fn a_mined_block_is_told_to_all() {
    let mut bench = Bench::with_peers(sealed(), 2);
    bench.command(Command::Mine);
    let lines = bench.find();
    let told = format!("to all: new block {}", name(&bench.chain()));
    assert_eq!(lines, ["mined 2", &told, "answer 2: forged 2", "wake at 500ms"]);
    assert_eq!(NodeId::new(2).to_string(), "node 2");
    assert!(Target::EASIEST > bench.chain().target());
}

#[test]
fn whoever_has_no_more_time_is_answered_at_once() {
    let mut bench = Bench::new(notebook());
    bench.command(Command::Mine);
    bench.command(Command::Mine);
    let give_up = |bench: &mut Bench, ticket| bench.tell(Input::GiveUp(Ticket(ticket)));
    assert_eq!(give_up(&mut bench, 1), ["answer 1: no proof was found in time"]);
    assert_eq!(give_up(&mut bench, 1), [""; 0]);
    // Nobody else wants a block.
    assert_eq!(give_up(&mut bench, 2), ["answer 2: no proof was found in time", "stop search"]);
    // A node that mines goes on.
    bench.command(Command::StartMining);
    bench.command(Command::Mine);
    assert_eq!(give_up(&mut bench, 4), ["answer 4: no proof was found in time"]);
    assert!(bench.search.is_some());
}
