//! Tellers that leave questions about transactions unanswered, or answer late or in parts.

use chainlab::{Command, Transaction};

use crate::bench::{connected, inventory, said_in, transactions, transfer};

/// Three payments that may be mined in any order.
fn payments() -> Vec<Transaction> {
    ["alice", "bob", "carol"].map(|sender| transfer(sender, 0, 1)).into()
}

#[test]
fn two_who_never_answer_are_asked_once_each() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments[..2]));
    bench.hear(2, inventory(6, &payments[..2]));
    assert_eq!(said_in(&bench.pass(0.5)), ["to 2: transactions? #6 of 2"]);
    assert!(said_in(&bench.pass(0.5)).is_empty());
    // Others are heard, and nobody asks those two again for that.
    for number in 0..3 {
        bench.hear(3, inventory(7 + number, &[transfer("carol", number, 1)]));
        let lines = bench.hear(3, transactions(7 + number, &[transfer("carol", number, 1)]));
        assert!(!lines.iter().any(|line| line.contains("transactions?")), "{lines:?}");
        bench.pass(1.0);
    }
    // Nor for what they tell that says nothing new.
    assert!(said_in(&bench.hear(1, inventory(8, &[]))).iter().all(|line| !line.contains("to 2")));
}

/// It has answered the first in time.
#[test]
fn a_second_question_about_an_inventory_has_a_time_of_its_own() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments));
    bench.hear(2, inventory(6, &payments));
    assert!(bench.pass(0.2).is_empty());
    let lines = bench.hear(1, transactions(5, &payments[..1]));
    assert_eq!(said_in(&lines)[..1], ["to 1: transactions? #5 of 2"]);
    assert!(!said_in(&bench.pass(0.4)).iter().any(|line| line.contains("transactions?")));
    assert_eq!(said_in(&bench.pass(0.1))[0], "to 2: transactions? #6 of 2");
    bench.hear(1, transactions(5, &payments[1..]));
    assert_eq!(bench.pending().len(), 3);
}

/// Of what it was asked for, others were asked for a part by then.
#[test]
fn a_late_answer_in_parts_loses_nothing() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments));
    bench.hear(2, inventory(6, &payments[..2]));
    assert_eq!(said_in(&bench.pass(0.5)), ["to 2: transactions? #6 of 2"]);
    let asks = |lines: &[String]| lines.contains(&"to 1: transactions? #5 of 1".to_owned());
    assert!(!asks(&bench.hear(1, transactions(5, &payments[..1]))), "the next is awaited of the other");
    assert!(asks(&bench.hear(2, transactions(6, &payments[..2]))));
    let lines = bench.hear(1, transactions(5, &payments[2..]));
    assert!(!lines.iter().any(|line| line.starts_with("ignored")), "{lines:?}");
    assert_eq!(bench.pending().len(), 3);
}

#[test]
fn what_its_owner_submits_meanwhile_is_not_waited_for() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments[..1]));
    bench.submit(payments[0].clone());
    assert_eq!(bench.hear(1, transactions(5, &payments[..1]))[0], "to 1: judged inventory #5");
    assert_eq!(bench.pending(), [1]);
}

/// As when it is no peer any more.
#[test]
fn another_is_asked_at_once_where_one_is_forgotten() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments[..1]));
    bench.hear(2, inventory(6, &payments[..1]));
    let lines = bench.command(Command::Unregister(vec![crate::bench::peer(1)]));
    assert_eq!(said_in(&lines), ["to 2: transactions? #6 of 1"]);
}

/// It would be asked for ever, and others never.
#[test]
fn one_who_answers_with_what_is_known_is_asked_after_the_others() {
    let (mut bench, payments) = (connected(), payments());
    bench.submit(payments[2].clone());
    bench.hear(1, inventory(5, &payments[..1]));
    bench.hear(2, inventory(6, &payments[..1]));
    let lines = bench.hear(1, transactions(5, &payments[2..]));
    assert_eq!(said_in(&lines), ["to 2: transactions? #6 of 1"]);
}

/// It tells of no more than what is pending, and of all of that.
#[test]
fn what_a_teller_told_of_before_it_counts_anew_is_no_longer_asked_for() {
    let (mut bench, payments) = (connected(), payments());
    bench.hear(1, inventory(5, &payments[..2]));
    assert_eq!(said_in(&bench.hear(1, inventory(6, &payments[2..]))), ["to 1: transactions? #6 of 1"]);
    let lines = bench.hear(1, transactions(6, &payments[2..]));
    assert_eq!(said_in(&lines)[0], "to 1: judged inventory #6");
    assert_eq!(bench.hear(1, transactions(5, &payments[..2])), ["ignored from 1: answer to no question"]);
}
