//! How transactions are told: inventories, questions, answers and acknowledgements, step by step.

use chainlab::{Command, Genesis, Input, Limits, Message, Relay, RequestId, Rules, Told, Transaction};

use crate::bench::{
    Bench, connected, grown, inventory, peer, sealed, seconds, transactions, transfer, without_accounts,
};

pub(crate) fn judged(request: u64) -> Message {
    Message::AcknowledgeInventory { request: RequestId(request) }
}

/// A node with one peer.
pub(crate) fn pair() -> Bench {
    Bench::with_peers(sealed(), 1)
}

/// Has a peer tell of transactions, and send all that it is asked for.
pub(crate) fn pay(bench: &mut Bench, from: u32, request: u64, payments: &[Transaction]) -> Vec<String> {
    let wanted = format!("to {from}: transactions? #{request} of {}", payments.len());
    assert_eq!(but_wakes(bench.hear(from, inventory(request, payments))), [wanted]);
    but_wakes(bench.hear(from, transactions(request, payments)))
}

/// What a node says and does, but when it is to be woken.
fn but_wakes(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.starts_with("wake ")).collect()
}

pub(crate) fn mine(bench: &mut Bench) -> Vec<String> {
    bench.command(Command::Mine);
    bench.find()
}

#[test]
fn what_comes_while_an_inventory_is_under_way_goes_together_with_the_next() {
    let mut bench = pair();
    let told = ["answer 2: block 2", "to 1: inventory #1 of 1, anew", "wake at 500ms"];
    assert_eq!(bench.submit(transfer("alice", 0, 1)), told);
    assert_eq!(bench.submit(transfer("alice", 1, 2)), ["answer 3: block 2"]);
    assert_eq!(bench.submit(transfer("bob", 0, 3)), ["answer 4: block 2"]);
    assert_eq!(bench.hear(1, judged(7)), [""; 0], "of that it was not told");
    assert_eq!(bench.hear(2, judged(1)), [""; 0], "that is another");
    bench.now += seconds(0.1);
    assert_eq!(bench.hear(1, judged(1)), ["to 1: inventory #2 of 2, after 1", "wake at 600ms"]);
    assert_eq!(bench.hear(1, judged(1)), [""; 0], "an old acknowledgement says nothing of the new ones");
    assert_eq!(bench.hear(1, judged(2)), ["wake never"]);
    assert_eq!(bench.submit(transfer("bob", 1, 4))[1], "to 1: inventory #3 of 1, after 3");
}

#[test]
fn what_is_not_acknowledged_is_told_again_ever_less_often_while_it_is_pending() {
    let mut bench = Bench::with_peers(sealed(), 2);
    bench.submit(transfer("alice", 0, 1));
    bench.hear(2, judged(2));
    for (after, wake) in [(0.5, "1.5s"), (1.0, "3.5s"), (2.0, "7.5s")] {
        assert_eq!(bench.pass(after), ["to 1: inventory #1 of 1, anew".into(), format!("wake at {wake}")]);
    }
    // What is mined is not told of any longer, and what came meanwhile is told now.
    mine(&mut bench);
    bench.hear(1, Message::Acknowledge { block: bench.chain().tip_hash() });
    bench.hear(2, Message::Acknowledge { block: bench.chain().tip_hash() });
    assert_eq!(
        bench.submit(transfer("bob", 0, 2)),
        ["answer 4: block 3", "to 2: inventory #3 of 1, after 1", "wake at 4s"]
    );
    bench.hear(2, judged(3));
    // Nobody knows whether it has the first.
    assert_eq!(bench.pass(4.0), ["to 1: inventory #4 of 1", "wake at 8s"]);
}

#[test]
fn a_link_that_comes_up_and_a_new_peer_are_told_of_all_that_is_pending() {
    let mut bench = pair();
    bench.submit(transfer("alice", 0, 1));
    bench.hear(1, judged(1));
    // Even of what came from there: the peer may have lost it.
    assert_eq!(pay(&mut bench, 1, 9, &[transfer("bob", 0, 2)]), ["to 1: judged inventory #9"]);
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), ["to 1: inventory #2 of 2, anew", "wake at 500ms"]);
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), ["to 1: inventory #3 of 2, anew"]);
    assert_eq!(bench.hear(1, judged(2)), [""; 0], "that was before");
    assert_eq!(bench.hear(1, judged(3)), ["wake never"]);
    let registered = bench.command(Command::Register(vec![peer(1), peer(2)]));
    assert_eq!(registered[0], "to 2: inventory #4 of 2, anew");
    assert_eq!(bench.tell(Input::LinkUp(peer(9))), [""; 0], "a stranger");
}

#[test]
fn what_is_wanted_is_asked_for_judged_and_told_to_the_others() {
    let mut bench = connected();
    let payments = [transfer("alice", 0, 1), transfer("alice", 1, 2), transfer("bob", 0, 3)];
    let asked = ["to 1: transactions? #5 of 3", "wake at 500ms"];
    assert_eq!(bench.hear(1, inventory(5, &payments)), asked);
    assert_eq!(
        bench.hear(1, transactions(5, &payments)),
        ["to 1: judged inventory #5", "to 2: inventory #1 of 3, anew", "to 3: inventory #2 of 3, anew"]
    );
    assert_eq!(bench.pending(), [1, 2, 3]);
    // What is known is not asked for, nor what is mined.
    assert_eq!(bench.hear(2, inventory(1, &payments)), ["to 2: judged inventory #1"]);
    mine(&mut bench);
    assert_eq!(bench.hear(2, inventory(2, &payments)), ["to 2: judged inventory #2"]);
    assert_eq!(bench.hear(2, inventory(3, &[])), ["to 2: judged inventory #3"]);
}

#[test]
fn anyone_is_answered_with_what_is_known_and_as_much_as_fits() {
    let mut bench = pair();
    let long = |nonce| Transaction::new("alice", "x".repeat(90_000), 1 + nonce).with_nonce(nonce);
    let rules = Rules { address_chars_max: u32::MAX as _, ..sealed() };
    let mut fat = Bench::with_peers(rules, 1);
    for nonce in 0..2 {
        bench.submit(transfer("alice", nonce, 1 + nonce));
        fat.submit(long(nonce));
    }
    let ask = |wanted: Vec<Transaction>| Message::TransactionsRequest {
        request: RequestId(4),
        wanted: wanted.iter().map(Transaction::hash).collect(),
    };
    let wanted = vec![transfer("alice", 0, 1), transfer("bob", 0, 1), transfer("alice", 1, 2)];
    assert_eq!(bench.hear(9, ask(wanted)), ["to 9: transactions #4 [1, 2]"]);
    assert_eq!(bench.hear(9, ask(vec![transfer("bob", 0, 1)])), ["to 9: transactions #4 []"]);
    assert_eq!(fat.hear(1, ask(vec![long(0), long(1)])), ["to 1: transactions #4 [1]"]);
}

#[test]
fn what_an_answer_leaves_out_is_asked_for_again_until_there_is_nothing() {
    let mut bench = pair();
    let payments = [transfer("alice", 0, 1), transfer("alice", 1, 2), transfer("bob", 0, 3)];
    bench.hear(1, inventory(5, &payments));
    assert_eq!(bench.hear(1, transactions(5, &payments[..1])), ["to 1: transactions? #5 of 2"]);
    assert_eq!(bench.hear(1, transactions(5, &payments[1..2])), ["to 1: transactions? #5 of 1"]);
    // The last has been mined there meanwhile.
    assert_eq!(bench.hear(1, transactions(5, &[])), ["to 1: judged inventory #5", "wake never"]);
    assert_eq!(bench.hear(1, transactions(5, &payments)), ["ignored from 1: answer to no question"]);
    assert_eq!(bench.pending(), [1, 2]);
}

/// It may be the answer to the first of them, which was about less.
#[test]
fn an_answer_of_nothing_to_one_of_two_questions_takes_nothing_off_the_inventory() {
    let payments = [transfer("alice", 0, 1), transfer("bob", 0, 3)];
    let mut bench = connected();
    let asked = ["to 2: transactions? #6 of 1", "wake at 500ms"];
    assert_eq!(bench.hear(2, inventory(6, &payments[1..])), asked);
    assert_eq!(bench.hear(1, inventory(5, &payments)), ["to 1: transactions? #5 of 1"]);
    assert_eq!(bench.hear(1, inventory(5, &payments)), ["to 1: transactions? #5 of 2"]);
    // The first has been mined there meanwhile.
    assert_eq!(bench.hear(1, transactions(5, &[])), ["ignored from 1: answer to no question"]);
    bench.hear(1, transactions(5, &payments[1..]));
    assert_eq!(bench.pending(), [3]);
    // Now one question alone is open.
    assert_eq!(bench.hear(1, transactions(5, &[])), ["to 1: judged inventory #5"]);
}

#[test]
fn a_transaction_is_asked_of_one_and_of_another_if_that_one_is_silent() {
    let payment = [transfer("alice", 0, 1)];
    let mut bench = connected();
    let asked = ["to 1: transactions? #5 of 1", "wake at 500ms"];
    assert_eq!(bench.hear(1, inventory(5, &payment)), asked);
    assert_eq!(bench.hear(2, inventory(6, &payment)), [""; 0]);
    // Whoever waits is acknowledged with the one who is asked.
    let mut answered = bench.clone();
    let lines = answered.hear(1, transactions(5, &payment));
    assert_eq!(lines[..2], ["to 1: judged inventory #5", "to 2: judged inventory #6"]);
    // One that no longer has it holds nobody up, honest or not.
    let mut gone = bench.clone();
    let lines = gone.hear(1, transactions(5, &[]));
    assert_eq!(lines, ["to 1: judged inventory #5", "to 2: transactions? #6 of 1"]);
    // After half a second the other is asked, and the silent one is not waited for any more.
    assert_eq!(bench.pass(0.5), ["to 2: transactions? #6 of 1", "wake at 1s"]);
    let mut late = bench.clone();
    assert_eq!(late.hear(1, transactions(5, &payment))[0], "to 1: judged inventory #5");
    assert_eq!(late.hear(2, transactions(6, &payment)), [""; 0]);
    bench.hear(2, transactions(6, &payment));
    let next = [transfer("alice", 1, 1)];
    assert_eq!(bench.hear(1, inventory(7, &next)), ["to 1: transactions? #7 of 1"]);
    assert_eq!(bench.hear(3, inventory(8, &next)), ["to 3: transactions? #8 of 1"]);
    assert_eq!(bench.pending(), [1]);
}

#[test]
fn an_inventory_is_judged_in_pieces_of_bounded_length() {
    let mut rules = sealed();
    if let Genesis::Shared { allocations, .. } = &mut rules.genesis {
        allocations.insert("rich".into(), 1000);
    }
    let mut bench = Bench::with_peers(rules, 1);
    for nonce in 0..300 {
        bench.submit(transfer("rich", nonce, 1));
    }
    assert_eq!(bench.hear(1, judged(1))[0], "to 1: inventory #2 of 256, after 1");
    assert_eq!(bench.hear(1, judged(2))[0], "to 1: inventory #3 of 43, after 257");
    let payments: Vec<_> = (0..400).map(|nonce| transfer("alice", nonce, 0)).collect();
    assert_eq!(bench.hear(1, inventory(5, &payments)), ["to 1: transactions? #5 of 256"]);
}

#[test]
fn what_an_abandoned_block_gives_back_is_news() {
    let mut bench = pair();
    let payment = transfer("alice", 0, 5);
    bench.submit(payment.clone());
    bench.hear(1, judged(1));
    let genesis = bench.chain();
    mine(&mut bench);
    let other = grown(&grown(&genesis, &sealed(), "miner-1", &[]), &sealed(), "miner-1", &[]);
    bench.announce(1, other.at(2).unwrap());
    let lines = bench.announce(1, other);
    assert!(lines.contains(&"to 1: inventory #2 of 1, after 1".to_owned()), "{lines:?}");
    assert_eq!(bench.pending(), [5]);
}

#[test]
fn a_payment_that_is_told_again_by_its_owner_is_told_again_to_the_peers() {
    let mut bench = pair();
    let payment = transfer("alice", 0, 5);
    bench.submit(payment.clone());
    bench.hear(1, judged(1));
    let told = ["answer 3: block 2", "to 1: inventory #2 of 1, after 1", "wake at 500ms"];
    assert_eq!(bench.submit(payment), told);
    assert_eq!(bench.pending(), [5]);
    let other = bench.submit(transfer("alice", 0, 6));
    assert_eq!(other, ["answer 4: nonce 0 of alice is taken; the next is 1"]);
}

#[test]
fn transactions_that_nobody_asked_for_are_ignored() {
    let mut bench = connected();
    let unasked = ["ignored from 1: answer to no question"];
    let payment = [transfer("alice", 0, 1)];
    assert_eq!(bench.hear(1, transactions(0, &payment)), unasked);
    bench.hear(1, inventory(5, &payment));
    assert_eq!(bench.hear(1, transactions(4, &payment)), unasked);
    assert_eq!(bench.hear(2, transactions(5, &payment)), ["ignored from 2: answer to no question"]);
    // Others in their place are none.
    let others = bench.hear(1, transactions(5, &[transfer("alice", 0, 2)]));
    assert_eq!(others, ["to 1: judged inventory #5", "wake never"]);
    assert_eq!(bench.pending(), [0; 0]);
}

/// Those that a peer sends instead of what cannot be mined are refused for good, and nothing is asked for on their account.
#[test]
fn what_can_never_be_mined_is_fetched_once_and_refused() {
    let mut bench = connected();
    bench.submit(transfer("alice", 0, 5));
    let unwanted = [
        transfer("alice", 0, 7),
        Transaction::reward("me", 50),
        // A peer's transaction gets no nonce here: another node would give it another.
        Transaction::new("carol", "bob", 1),
    ];
    for (request, transaction) in (1..).zip(&unwanted) {
        let lines = pay(&mut bench, 1, request, std::slice::from_ref(transaction));
        assert_eq!(lines[0], "ignored from 1: unwanted transaction");
    }
    assert_eq!(bench.hear(2, inventory(1, &unwanted)), ["to 2: judged inventory #1"]);
    assert_eq!(bench.pending(), [5]);
    assert!(!mine(&mut bench).iter().any(|line| line.ends_with("inventory?")));
}

#[test]
fn what_is_mined_is_known_until_it_is_much_more_than_what_is_pending() {
    let mut rules = sealed();
    if let Genesis::Shared { allocations, .. } = &mut rules.genesis {
        allocations.insert("rich".into(), 1000);
    }
    let mut bench = Bench::with_peers(rules, 1);
    // They wait for the one before the first of them.
    let waiting: Vec<_> = (1..=3).map(|nonce| transfer("bob", nonce, 1)).collect();
    waiting.iter().for_each(|payment| drop(bench.submit(payment.clone())));
    let first = [transfer("rich", 0, 1)];
    let mine_up_to = |bench: &mut Bench, nonces: std::ops::Range<u64>| {
        nonces.for_each(|nonce| drop(bench.submit(transfer("rich", nonce, 1))));
        while bench.pending().len() > 3 {
            mine(bench);
        }
    };
    mine_up_to(&mut bench, 0..35);
    assert_eq!(bench.hear(2, inventory(1, &first)), ["to 2: judged inventory #1"]);
    mine_up_to(&mut bench, 35..36);
    assert_eq!(bench.hear(2, inventory(2, &first)), ["to 2: transactions? #2 of 1"]);
    // What is pending stays known.
    assert_eq!(bench.hear(3, inventory(3, &waiting)), ["to 3: judged inventory #3"]);
}

/// Then a peer may be told as if nobody had told it of anything.
#[test]
fn whom_a_node_told_is_forgotten_with_the_last_that_it_knows() {
    let mut bench = Bench::with_peers(sealed(), 2);
    for nonce in 0..33 {
        bench.submit(transfer("alice", nonce, 1));
    }
    bench.hear(1, judged(1));
    bench.hear(1, judged(3));
    let mut few = bench.clone();
    while !bench.pending().is_empty() {
        mine(&mut bench);
    }
    // The second has yet to acknowledge the first.
    let lines = bench.submit(transfer("bob", 0, 1));
    assert_eq!(lines[1..2], ["to 1: inventory #4 of 1, anew"]);
    assert_eq!(bench.hear(2, judged(2))[0], "to 2: inventory #5 of 1, after 1");
    let lines = few.submit(transfer("bob", 0, 1));
    assert_eq!(lines[1..2], ["to 1: inventory #4 of 1, after 33"]);
}

#[test]
fn whoever_was_asked_is_heard_though_another_is_banned() {
    let mut bench = Bench::with_limits(sealed(), Limits { bad_blocks: 1, ..Limits::default() });
    bench.command(Command::Register(vec![peer(1), peer(2)]));
    let payment = [transfer("alice", 0, 1)];
    assert_eq!(bench.hear(2, inventory(5, &payment))[0], "to 2: transactions? #5 of 1");
    let lines = bench.announce(1, Told::Document("junk".into()));
    assert!(lines.contains(&"banned 1".to_owned()), "{lines:?}");
    assert_eq!(bench.hear(2, transactions(5, &payment)), ["to 2: judged inventory #5", "wake never"]);
    assert_eq!(bench.pending(), [1]);
}

#[test]
fn without_gossip_transactions_are_not_told() {
    let mut bench = Bench::with_peers(Rules { relay: Relay::None, ..sealed() }, 1);
    assert_eq!(bench.submit(transfer("alice", 0, 1)), ["answer 2: block 2"]);
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), [""; 0]);
}

/// Without accounts nobody can tell a transaction from its copy.
#[test]
fn without_accounts_transactions_are_not_told() {
    let mut bench = Bench::with_peers(without_accounts(), 1);
    let payment = Transaction::new("alice", "bob", 5);
    assert_eq!(bench.submit(payment.clone()), ["answer 2: block 2"]);
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), [""; 0]);
    let ignored = ["ignored from 1: the rules know no gossip"];
    assert_eq!(bench.hear(1, inventory(1, std::slice::from_ref(&payment))), ignored);
    assert_eq!(bench.hear(1, transactions(1, &[payment])), ignored);
}
