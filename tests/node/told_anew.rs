//! What a node asks to be told anew: payments that it refused, missed or lost, once it may take them in.

use chainlab::{Command, Input, Inventory, Limits, Message, RequestId, Transaction};

use crate::{
    bench::{Bench, connected, grown, inventory, peer, sealed, tip, transactions, transfer},
    payments::{judged, mine, pair, pay},
};

fn anew(request: u64, transactions: &[Transaction]) -> Message {
    let hashes = transactions.iter().map(Transaction::hash).collect();
    Message::Inventory(Inventory { request: RequestId(request), is_anew: true, acknowledge: None, hashes })
}

#[test]
fn what_is_refused_for_funds_is_told_anew_once_the_tip_has_changed() {
    let mut bench = connected();
    let payment = [transfer("dave", 0, 5)];
    let refused = ["ignored from 1: unwanted transaction", "to 1: judged inventory #5"];
    assert_eq!(pay(&mut bench, 1, 5, &payment), refused);
    // Another tells of it too: on this tip it is not asked for again.
    assert_eq!(bench.hear(2, inventory(3, &payment)), ["to 2: judged inventory #3"]);
    let fund = Transaction::new("alice", "dave", 10).with_nonce(0);
    let funded = grown(&bench.chain(), &sealed(), "miner-3", &[fund]);
    let lines = bench.announce(3, tip(&funded));
    assert!(lines.starts_with(&[
        "accepted 2 from 3".into(),
        "to 1: inventory?".into(),
        "to 2: inventory?".into()
    ]));
    // The first question gets lost: the next tip brings another.
    assert_eq!(bench.hear(2, anew(4, &payment)), ["to 2: transactions? #4 of 1"]);
    bench.hear(2, transactions(4, &payment));
    assert_eq!(bench.pending(), [5]);
    let asked =
        |bench: &mut Bench| mine(bench).iter().filter(|line| line.ends_with("inventory?")).cloned().collect();
    let lines: Vec<String> = asked(&mut bench);
    assert_eq!(lines, ["to 1: inventory?"]);
    // Ever less often.
    let asked: Vec<_> = (0..40).filter(|_| !asked(&mut bench).is_empty()).collect();
    assert_eq!(asked, [1, 5, 13, 29]);
    // An inventory that was under way already answers nothing; one that is made anew does, if it says nothing at all.
    bench.hear(1, anew(5, &[]));
    bench.hear(1, inventory(6, &[]));
    assert!((0..20).any(|_| mine(&mut bench).contains(&"to 1: inventory?".to_owned())));
    bench.hear(1, anew(7, &[]));
    assert!(!(0..20).any(|_| mine(&mut bench).contains(&"to 1: inventory?".to_owned())));
}

/// Where no link loses anything, a node that has nothing pending may still have missed something.
#[test]
fn what_was_refused_is_asked_for_though_nothing_is_pending_and_no_link_loses_anything() {
    let mut bench = connected();
    for other in 1..=3 {
        bench.tell(Input::LinkLoses(peer(other), false));
    }
    pay(&mut bench, 1, 5, &[transfer("dave", 0, 5)]);
    let lines = |bench: &mut Bench| {
        let chain = grown(&bench.chain(), &sealed(), "miner-3", &[]);
        bench.announce(3, chain)
    };
    assert!(lines(&mut bench).contains(&"to 1: inventory?".to_owned()));
    // The question gets lost: the next tip brings another.
    assert!(lines(&mut bench).contains(&"to 1: inventory?".to_owned()));
    // Nothing was missed: it has been judged anew, and the next tip brings no question.
    bench.hear(1, anew(6, &[]));
    assert!(!lines(&mut bench).iter().any(|line| line.ends_with("inventory?")));
    // What no block of this node may hold is not asked for twice on one tip.
    let unminable = [Transaction::new("alice", "x".repeat(81), 1).with_nonce(0)];
    pay(&mut bench, 2, 7, &unminable);
    assert_eq!(bench.hear(1, inventory(8, &unminable)), ["to 1: judged inventory #8"]);
    lines(&mut bench);
    assert_eq!(bench.hear(1, inventory(9, &unminable))[0], "to 1: transactions? #9 of 1");
}

#[test]
fn what_had_to_leave_a_full_mempool_is_asked_for_when_there_is_room() {
    let mut bench = Bench::with_limits(sealed(), Limits { mempool: 2, ..Limits::default() });
    bench.command(Command::Register(vec![peer(1), peer(2)]));
    let payments = [transfer("alice", 0, 1), transfer("alice", 1, 2)];
    pay(&mut bench, 1, 5, &payments);
    let lines = pay(&mut bench, 2, 6, &[transfer("bob", 0, 3)]);
    assert!(lines.contains(&"lost 2: Evicted".to_owned()), "{lines:?}");
    let lines = mine(&mut bench);
    assert!(lines.contains(&"to 1: inventory?".to_owned()), "{lines:?}");
    assert_eq!(bench.hear(1, anew(7, &payments)), ["to 1: transactions? #7 of 1"]);
    bench.hear(1, transactions(7, &payments[1..]));
    assert_eq!(bench.pending(), [2]);
}

/// What it heard from this node it does not tell back, though this node may have lost it since.
#[test]
fn one_who_tells_for_the_first_time_is_asked_for_what_was_lost_before() {
    // Another has told of something by then, or nobody has.
    for others_tell in [true, false] {
        let mut bench = Bench::with_limits(sealed(), Limits { mempool: 2, ..Limits::default() });
        bench.command(Command::Register(vec![peer(1), peer(2)]));
        let payments = [transfer("alice", 0, 1), transfer("alice", 1, 2)];
        payments.iter().for_each(|payment| drop(bench.submit(payment.clone())));
        let third = transfer("bob", 0, 3);
        let lines = if others_tell { pay(&mut bench, 2, 6, &[third]) } else { bench.submit(third) };
        assert!(lines.contains(&"lost 2: Evicted".to_owned()), "{lines:?}");
        bench.hear(1, anew(5, &payments[..1]));
        let lines = mine(&mut bench);
        assert!(lines.contains(&"to 1: inventory?".to_owned()), "{lines:?}");
        assert_eq!(bench.hear(1, anew(6, &payments)), ["to 1: transactions? #6 of 1"]);
        bench.hear(1, transactions(6, &payments[1..]));
        assert_eq!(bench.pending(), [2]);
    }
}

/// It may have been made before something was refused.
#[test]
fn an_inventory_that_was_not_asked_for_answers_nothing() {
    let mut bench = connected();
    let asks = |lines: &[String]| lines.contains(&"to 1: inventory?".to_owned());
    pay(&mut bench, 1, 5, &[transfer("dave", 0, 5)]);
    bench.hear(1, anew(6, &[]));
    assert!(asks(&mine(&mut bench)));
    bench.hear(1, anew(7, &[]));
    assert!(!(0..20).any(|_| asks(&mine(&mut bench))));
}

#[test]
fn an_inventory_that_leaves_out_what_came_from_its_receiver_is_not_told_anew() {
    let mut bench = pair();
    pay(&mut bench, 1, 5, &[transfer("bob", 0, 1)]);
    assert!(bench.submit(transfer("alice", 0, 1)).contains(&"to 1: inventory #1 of 1".to_owned()));
    let lines = bench.hear(1, Message::InventoryRequest);
    assert!(lines.contains(&"to 1: inventory #2 of 2, anew".to_owned()), "{lines:?}");
}

#[test]
fn a_peer_is_told_anew_on_each_tip_once() {
    let mut bench = connected();
    bench.submit(transfer("alice", 0, 1));
    bench.hear(1, judged(1));
    let ask = |bench: &mut Bench, from| bench.hear(from, Message::InventoryRequest);
    assert_eq!(ask(&mut bench, 1), ["to 1: inventory #4 of 1, anew"]);
    assert_eq!(ask(&mut bench, 1), ["ignored from 1: unwanted transaction"]);
    assert_eq!(ask(&mut bench, 9), ["ignored from 9: unwanted transaction"], "a stranger");
    mine(&mut bench);
    assert_eq!(ask(&mut bench, 1), ["to 1: inventory #5 of 0, anew"], "there is nothing any more");
}
