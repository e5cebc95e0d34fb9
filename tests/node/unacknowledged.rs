//! Inventories over links that lose nothing: they follow each other, and one in many is acknowledged.

use chainlab::{Command, Genesis, Input, Inventory, Message, RequestId, Transaction};

use crate::bench::{Bench, inventory, peer, said_in, sealed, seconds, transactions, transfer};

/// A node with some peers, to and from whom nothing is lost, and whom it has told of a first payment.
fn told(peers: u32) -> Bench {
    let mut rules = sealed();
    if let Genesis::Shared { allocations, .. } = &mut rules.genesis {
        allocations.insert("rich".into(), 1000);
    }
    let mut bench = Bench::with_peers(rules, peers);
    (1..=peers).for_each(|other| drop(bench.tell(Input::LinkLoses(peer(other), false))));
    bench.submit(transfer("rich", 0, 1));
    (1..=peers).for_each(|other| drop(bench.hear(other, judged(other.into()))));
    bench
}

fn judged(request: u64) -> Message {
    Message::AcknowledgeInventory { request: RequestId(request) }
}

/// An inventory of which nobody waits to hear, or which says of how many transactions were told of before it.
fn more(request: u64, acknowledge: Option<u64>, payments: &[Transaction]) -> Message {
    let hashes = payments.iter().map(Transaction::hash).collect();
    Message::Inventory(Inventory { request: RequestId(request), is_anew: false, acknowledge, hashes })
}

fn mine_all(bench: &mut Bench) {
    bench.command(Command::Mine);
    bench.find();
}

#[test]
fn one_in_many_is_acknowledged_and_says_how_many_came_before_it() {
    let mut bench = told(1);
    for nonce in 1..=64 {
        let told = format!("to all: inventory #{} of 1, more", nonce + 1);
        assert_eq!(said_in(&bench.submit(transfer("rich", nonce, 1))), [told]);
    }
    let told = ["to 1: inventory #66 of 1, after 65"];
    assert_eq!(said_in(&bench.submit(transfer("rich", 65, 1))), told);
    // What comes while it is under way goes together with the next.
    bench.submit(transfer("rich", 66, 1));
    bench.submit(transfer("rich", 67, 1));
    let again = bench.pass(0.5);
    assert_eq!(said_in(&again), told, "it is repeated until it is acknowledged");
    assert_eq!(bench.hear(1, judged(66)), ["to 1: inventory #67 of 2, more", "wake never"]);
}

#[test]
fn one_message_is_for_all_who_were_told_as_much() {
    let mut bench = told(4);
    assert_eq!(said_in(&bench.submit(transfer("alice", 0, 1))), ["to all: inventory #5 of 1, more"]);
    let payment = [transfer("bob", 0, 1)];
    // The first that a peer tells is acknowledged.
    bench.hear(2, inventory(5, &payment));
    let lines = bench.hear(2, transactions(5, &payment));
    assert_eq!(said_in(&lines), ["to 2: judged inventory #5", "to all but 2: inventory #6 of 1, more"]);
    // Who has told less gets what it has not been told.
    [3, 4].into_iter().for_each(|other| drop(bench.tell(Input::LinkUp(peer(other)))));
    assert_eq!(
        said_in(&bench.submit(transfer("alice", 1, 1))),
        ["to 1: inventory #9 of 1, more", "to 2: inventory #9 of 1, more"]
    );
    assert_eq!(said_in(&bench.hear(3, judged(7))), ["to 3: inventory #10 of 1, more"]);
}

/// A peer that was told of some of it by messages for which there was no room would wait for them in vain.
#[test]
fn on_a_new_tip_all_that_is_pending_is_known_to_have_come() {
    let mut bench = told(1);
    bench.submit(transfer("rich", 1, 1));
    bench.submit(transfer("bob", 3, 1));
    let mine = |bench: &mut Bench| {
        bench.command(Command::Mine);
        bench.find()
    };
    let lines = mine(&mut bench);
    assert_eq!(said_in(&lines), ["to 1: inventory #4 of 0, after 3"]);
    assert!(said_in(&bench.pass(0.5)).contains(&"to 1: inventory #4 of 0, after 3"));
    bench.hear(1, judged(4));
    // Nothing was told since.
    assert!(said_in(&mine(&mut bench)).is_empty());
}

#[test]
fn what_may_get_lost_from_now_on_is_acknowledged() {
    let mut bench = told(1);
    bench.submit(transfer("rich", 1, 1));
    let lines = bench.tell(Input::LinkLoses(peer(1), true));
    assert_eq!(said_in(&lines), ["to 1: inventory #3 of 0, after 2"]);
    bench.hear(1, judged(3));
    assert_eq!(said_in(&bench.submit(transfer("rich", 2, 1))), ["to 1: inventory #4 of 1, after 2"]);
}

#[test]
fn whoever_was_told_of_fewer_asks_to_be_told_anew() {
    let payments: Vec<_> = (0..4).map(|nonce| transfer("alice", nonce, 1)).collect();
    let mut bench = told(2);
    bench.hear(1, inventory(5, &payments[..2]));
    bench.hear(1, transactions(5, &payments[..2]));
    assert_eq!(bench.hear(1, more(6, None, &payments[..1])), [""; 0]);
    assert_eq!(bench.hear(1, more(7, None, &payments[1..2])), [""; 0]);
    let mut dropped = bench.clone();
    assert_eq!(bench.hear(1, more(9, Some(4), &[])), ["to 1: judged inventory #9"]);
    // One found no room.
    let lines = dropped.hear(1, more(9, Some(6), &payments[3..]));
    assert_eq!(said_in(&lines), ["to 1: inventory?", "to 1: transactions? #9 of 1"]);
    assert_eq!(said_in(&dropped.hear(1, more(9, Some(6), &payments[3..]))), ["to 1: transactions? #9 of 1"]);
    assert!(said_in(&dropped.hear(1, more(10, Some(6), &[]))).is_empty(), "it has been asked");
    // The question found none either: the next tip brings another.
    dropped.command(Command::Mine);
    assert!(dropped.find().contains(&"to 1: inventory?".to_owned()));
}

#[test]
fn what_is_told_before_the_answer_is_asked_for_by_itself() {
    let payments: Vec<_> = (0..3).map(|nonce| transfer("alice", nonce, 1 + nonce)).collect();
    let mut bench = told(2);
    bench.hear(1, inventory(4, &[]));
    for (request, payment) in (5..).zip(payments.chunks(1)) {
        let lines = bench.hear(1, more(request, None, payment));
        assert_eq!(said_in(&lines), [format!("to 1: transactions? #{request} of 1")]);
    }
    // Of what another was asked for it is noted who has it, too.
    assert_eq!(bench.hear(2, inventory(7, &[])), ["to 2: judged inventory #7"]);
    assert_eq!(bench.hear(2, more(8, None, &payments)), [""; 0]);
    // It has been mined there meanwhile.
    assert!(said_in(&bench.hear(1, transactions(6, &[]))).is_empty());
    assert_eq!(bench.hear(1, transactions(6, &payments[1..2])), ["ignored from 1: answer to no question"]);
    let lines = bench.hear(1, transactions(5, &payments[..1]));
    assert!(said_in(&lines).contains(&"to 2: transactions? #8 of 1"), "{lines:?}");
    bench.hear(2, transactions(8, &payments[1..2]));
    bench.hear(1, transactions(7, &payments[2..]));
    assert_eq!(bench.pending(), [1, 1, 2, 3]);
}

#[test]
fn one_who_does_not_answer_in_time_is_asked_no_more() {
    let payment = [transfer("alice", 0, 5)];
    let mut bench = told(3);
    (1..=3).for_each(|other| drop(bench.hear(other, inventory(4, &[]))));
    assert_eq!(said_in(&bench.hear(1, more(5, None, &payment))), ["to 1: transactions? #5 of 1"]);
    bench.hear(2, more(6, None, &payment));
    bench.hear(3, more(7, None, &payment));
    assert_eq!(bench.pass(0.5), ["to 2: transactions? #6 of 1", "wake at 1s"]);
    // An answer that is late is one all the same where nobody else has told of it.
    assert_eq!(said_in(&bench.pass(0.5)), ["to 3: transactions? #7 of 1"]);
    assert_eq!(said_in(&bench.pass(0.5)), [""; 0]);
    bench.now += seconds(60.0);
    bench.hear(3, transactions(7, &payment));
    assert_eq!(bench.pending(), [1, 5]);
}

/// Else nobody would know which of two was told of more, and what was dropped next would not show.
#[test]
fn what_is_dropped_after_a_link_was_down_shows() {
    let mut bench = told(1);
    bench.submit(transfer("rich", 1, 1));
    mine_all(&mut bench);
    // All is mined: nothing is told anew.
    assert!(said_in(&bench.tell(Input::LinkUp(peer(1)))).is_empty());
    assert_eq!(said_in(&bench.submit(transfer("rich", 2, 1))), ["to 1: inventory #3 of 1"]);
    bench.hear(1, judged(3));
    assert_eq!(said_in(&bench.submit(transfer("rich", 3, 1))), ["to all: inventory #4 of 1, more"]);
    let lines = bench.tell(Input::LinkLoses(peer(1), true));
    assert_eq!(said_in(&lines), ["to 1: inventory #5 of 0, after 2"]);
}

#[test]
fn who_does_not_acknowledge_is_left_in_peace_once_nothing_is_pending() {
    let mut bench = told(1);
    bench.submit(transfer("rich", 1, 1));
    let late = transfer("bob", 1, 1);
    bench.submit(late);
    mine_all(&mut bench);
    assert!(bench.wake_at.is_some(), "something waits for a nonce");
    bench.submit(transfer("bob", 0, 1));
    mine_all(&mut bench);
    bench.pass(0.5);
    assert_eq!(bench.wake_at, None);
    // What comes next is counted anew.
    assert_eq!(said_in(&bench.submit(transfer("rich", 2, 1)))[0], "to 1: inventory #5 of 1");
}

#[test]
fn whoever_has_nothing_pending_says_so_anew() {
    let mut bench = told(1);
    bench.submit(transfer("rich", 1, 1));
    mine_all(&mut bench);
    assert_eq!(said_in(&bench.hear(1, Message::InventoryRequest)), ["to 1: inventory #3 of 0, anew"]);
    bench.hear(1, judged(3));
    assert_eq!(said_in(&bench.submit(transfer("rich", 2, 1))), ["to all: inventory #4 of 1, more"]);
    let lines = bench.tell(Input::LinkLoses(peer(1), true));
    assert_eq!(said_in(&lines), ["to 1: inventory #5 of 0, after 1"]);
    // The count of whoever hears it begins there, too.
    let payments = [transfer("alice", 0, 1), transfer("alice", 1, 1)];
    let anew = |request, count| {
        let hashes = [].into();
        Message::Inventory(Inventory {
            request: RequestId(request),
            is_anew: true,
            acknowledge: Some(count),
            hashes,
        })
    };
    bench.hear(1, inventory(5, &payments));
    bench.hear(1, transactions(5, &payments));
    bench.hear(1, anew(6, 0));
    let lines = bench.hear(1, more(7, Some(1), &[]));
    assert!(said_in(&lines).contains(&"to 1: inventory?"), "{lines:?}");
}

/// The question or the answer found no room, and the next inventory that is to be acknowledged tells of nothing new.
#[test]
fn what_was_asked_for_in_vain_is_asked_for_when_its_teller_tells_again() {
    let payment = [transfer("alice", 0, 5)];
    let mut bench = told(1);
    bench.hear(1, inventory(4, &[]));
    assert_eq!(said_in(&bench.hear(1, more(5, None, &payment))), ["to 1: transactions? #5 of 1"]);
    assert!(said_in(&bench.pass(0.5)).is_empty());
    assert!(said_in(&bench.hear(1, more(6, Some(1), &[]))).is_empty(), "it is not judged");
    assert_eq!(said_in(&bench.hear(1, more(6, Some(1), &[]))), ["to 1: transactions? #6 of 1"]);
    assert!(said_in(&bench.hear(1, more(6, Some(1), &[]))).is_empty(), "that is awaited");
    bench.hear(1, transactions(6, &payment));
    assert_eq!(bench.pending(), [1, 5]);
}

/// What comes twice, or was told before it was counted anew, would hide that something else was dropped.
#[test]
fn what_comes_again_or_late_is_not_counted() {
    let payments: Vec<_> = (0..3).map(|nonce| transfer("alice", nonce, 1)).collect();
    let asks = |lines: &[String]| said_in(lines).contains(&"to 1: inventory?");
    let mut bench = told(1);
    bench.hear(1, inventory(5, &payments));
    bench.hear(1, transactions(5, &payments));
    for _ in 0..2 {
        bench.hear(1, more(6, Some(3), &payments[..1]));
    }
    assert!(!asks(&bench.clone().hear(1, more(8, Some(4), &[]))));
    assert!(asks(&bench.hear(1, more(8, Some(5), &[]))));
    let mut bench = told(1);
    bench.hear(1, inventory(5, &payments));
    bench.hear(1, transactions(5, &payments));
    bench.hear(1, inventory(9, &[]));
    bench.hear(1, more(8, None, &payments[..1]));
    assert!(asks(&bench.hear(1, more(10, Some(1), &[]))));
}
