//! Transactions arrive as surely as blocks do: under any loss below 1 and any faults that end, every payable transaction
//! of a live node is mined once all links are up and mining goes on.

use chainlab::{Difficulty, Limits, Rules, Transaction, pow::Target};
use proptest::prelude::*;

use crate::{
    bench::{sealed, transfer},
    lab::Lab,
};

const MINER: usize = 0;

fn rules() -> Rules {
    Rules { difficulty: Difficulty::Fixed(Target::EASIEST), ..sealed() }
}

/// A line of nodes of which the first mines.
fn line(count: u32, seed: u64) -> Lab {
    let mut lab = Lab::new(rules(), Limits::default(), count, seed);
    (1..count as usize).for_each(|node| lab.connect(node - 1, node));
    lab
}

/// Has the miner mine so many blocks, a few seconds apart, and everybody listen.
fn mine(lab: &mut Lab, blocks: usize) {
    for _ in 0..blocks {
        lab.mine(MINER);
        lab.run(5.0);
    }
}

fn assert_all_mined(lab: &Lab, payments: &[Transaction]) {
    let mined = lab.mined(MINER);
    let missing: Vec<_> = payments.iter().filter(|payment| !mined.contains(payment)).collect();
    assert!(missing.is_empty(), "{} of {} are not mined: {missing:?}", missing.len(), payments.len());
}

/// The loss of one would keep all that follow it waiting.
#[test]
fn payments_in_sequence_over_links_that_lose_one_message_in_ten() {
    for seed in 0..5 {
        let mut lab = line(3, seed);
        lab.lost = 10;
        let payments: Vec<_> = (0..40).map(|nonce| transfer("alice", nonce, 1)).collect();
        for payment in &payments {
            lab.submit(2, payment).unwrap();
            lab.run(0.05);
        }
        mine(&mut lab, 20);
        assert_all_mined(&lab, &payments);
    }
}

#[test]
fn a_payment_made_while_its_node_was_cut_off() {
    let mut lab = line(2, 1);
    lab.cut(0, 1);
    let payment = transfer("alice", 0, 5);
    lab.submit(1, &payment).unwrap();
    lab.run(1000.0);
    lab.mend(0, 1);
    lab.run(1.0);
    mine(&mut lab, 1);
    assert_all_mined(&lab, &[payment]);
}

#[test]
fn a_payment_made_before_a_peer_was_connected() {
    let mut lab = Lab::new(rules(), Limits::default(), 2, 1);
    let payment = transfer("alice", 0, 5);
    lab.submit(1, &payment).unwrap();
    lab.run(1.0);
    lab.connect(0, 1);
    lab.run(1.0);
    mine(&mut lab, 1);
    assert_all_mined(&lab, &[payment]);
}

#[test]
fn a_payment_that_the_miner_lost_when_it_was_restarted() {
    let mut lab = line(3, 1);
    let (far, own) = (transfer("alice", 0, 5), transfer("bob", 0, 5));
    lab.submit(2, &far).unwrap();
    // It came from the miner itself, which asks for it back.
    lab.submit(MINER, &own).unwrap();
    lab.run(1.0);
    lab.restart(MINER);
    assert!(lab.nodes[MINER].mempool().is_empty());
    lab.run(1.0);
    mine(&mut lab, 1);
    assert_all_mined(&lab, &[far, own]);
}

/// A link that is not known to have been cut: whatever was said is gone, as from a full inbox.
#[test]
fn a_payment_that_was_dropped_on_the_way() {
    let mut lab = line(2, 1);
    let payment = transfer("alice", 0, 5);
    lab.lost = 100;
    lab.submit(1, &payment).unwrap();
    lab.run(20.0);
    lab.lost = 0;
    lab.run(60.0);
    mine(&mut lab, 1);
    assert_all_mined(&lab, &[payment]);
}

/// The nodes are told that nothing is lost, and do not wait for acknowledgements of most of what they say. So much is under
/// way all the same that some of it finds no room.
#[test]
fn payments_that_find_no_room_where_nothing_else_is_lost() {
    for seed in 0..20 {
        let mut lab = Lab::new(rules(), Limits::default(), 5, seed);
        lab.is_lossless = true;
        for (one, other) in [(0, 1), (1, 2), (2, 3), (3, 4), (1, 3), (2, 4)] {
            lab.connect(one, other);
        }
        let payments: Vec<_> = (0..40).map(|nonce| transfer("alice", nonce, 1)).collect();
        for (payment, number) in payments.iter().zip(0..) {
            lab.lost = if number % 10 < 5 { 60 } else { 0 };
            lab.submit(4, payment).unwrap();
            lab.run(0.1);
            if number == 20 {
                lab.restart(2);
            }
        }
        lab.lost = 0;
        mine(&mut lab, 8);
        assert_all_mined(&lab, &payments);
    }
}

/// What is paid on before it has come is refused for funds by whoever hears of that first.
#[test]
fn payments_that_follow_their_own_funding_over_links_without_order() {
    for seed in 0..5 {
        let mut lab = line(4, seed);
        // Several ways lead to the miner.
        lab.connect(0, 2);
        lab.connect(1, 3);
        lab.connect(0, 3);
        (lab.delay, lab.lost) = (0..400_000, 20);
        let mut payments = Vec::new();
        for number in 0..10 {
            let fund = Transaction::new("alice", format!("friend-{number}"), 5).with_nonce(number);
            lab.submit(3, &fund).unwrap();
            payments.push(fund);
        }
        mine(&mut lab, 4);
        for number in 0..10 {
            let spend = Transaction::new(format!("friend-{number}"), "someone", 5).with_nonce(0);
            lab.submit(3, &spend).unwrap();
            payments.push(spend);
        }
        mine(&mut lab, 12);
        assert_all_mined(&lab, &payments);
    }
}

/// A miner whose mempool is full gives up some of what it took in, and takes it in again once there is room.
#[test]
fn more_payments_than_the_miner_has_room_for() {
    let limits = Limits { mempool: 6, ..Limits::default() };
    let mut lab = Lab::new(Rules { payments_max: 3, ..rules() }, limits, 4, 1);
    (1..4).for_each(|node| lab.connect(MINER, node));
    let senders = ["alice", "bob", "carol"];
    let payments: Vec<_> =
        (0..6).flat_map(|nonce| senders.map(|sender| transfer(sender, nonce, 1))).collect();
    for payment in &payments {
        let node = 1 + senders.iter().position(|sender| *sender == payment.sender()).unwrap();
        lab.submit(node, payment).unwrap();
    }
    lab.run(1.0);
    mine(&mut lab, 60);
    assert_all_mined(&lab, &payments);
}

#[test]
fn a_hash_crosses_each_link_and_a_body_comes_to_each_node_about_once() {
    let mut lab = Lab::new(rules(), Limits::default(), 30, 1);
    for node in 0..30 {
        (1..4).for_each(|step| lab.connect(node, (node + step * step) % 30));
    }
    lab.run(1.0);
    (lab.sent, lab.bytes) = (0, 0);
    for nonce in 0..50 {
        lab.submit(7, &transfer("alice", nonce, 1)).unwrap();
        lab.run(0.0001);
    }
    lab.run(10.0);
    assert!(lab.nodes.iter().all(|node| node.mempool().len() == 50));
    assert_eq!(lab.bodies, 29 * 50, "each node is sent each once");
    // Both ways of 90 links at most, in batches.
    assert!(lab.sent < 180 * 50 / 2, "{} messages", lab.sent);
    let per_payment = lab.bytes / 50 / 30;
    assert!(per_payment < 6 * 32 + 150 + 200, "{per_payment} bytes a payment and node");
    let before = lab.sent;
    lab.run(1000.0);
    assert_eq!(lab.sent, before, "nothing is owed, and nothing is said");
}

#[derive(Debug, Clone)]
enum Step {
    Submit(u8, u8),
    Cut(u8, u8),
    Mend(u8, u8),
    Restart(u8),
    Mine(u8),
    Run(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u8, 0..3_u8).prop_map(|(node, sender)| Step::Submit(node, sender)),
        1 => (0..6_u8, 0..6_u8).prop_map(|(one, other)| Step::Cut(one, other)),
        1 => (0..6_u8, 0..6_u8).prop_map(|(one, other)| Step::Mend(one, other)),
        1 => (0..6_u8).prop_map(Step::Restart),
        2 => (0..6_u8).prop_map(Step::Mine),
        3 => (0..2000_u16).prop_map(Step::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever befalls the network: what is pending at a node when the faults end is mined in the end, or what is
    /// mined instead spends its nonce.
    #[test]
    fn whatever_was_pending_when_the_faults_end_is_mined(
        steps in prop::collection::vec(step(), 1..60),
        lost in prop_oneof![Just(0_u32), Just(10), Just(50)],
        doubled in prop_oneof![Just(0_u32), Just(20)],
        delay in prop_oneof![Just(1000_u64), Just(300_000)],
        mempool in prop_oneof![Just(8_usize), Just(10_000)],
        seed: u64,
    ) {
        let limits = Limits { mempool, ..Limits::default() };
        let mut lab = Lab::new(Rules { payments_max: 3, ..rules() }, limits, 6, seed);
        for node in 0..6 {
            lab.connect(node, (node + 1) % 6);
        }
        lab.connect(0, 3);
        (lab.lost, lab.doubled, lab.delay) = (lost, doubled, 0..delay);
        let mut nonces = [0; 3];
        let mut cuts = Vec::new();
        for step in steps {
            match step {
                Step::Submit(node, sender) => {
                    let (node, sender) = (usize::from(node), usize::from(sender));
                    let payment = transfer(["alice", "bob", "carol"][sender], nonces[sender], 1);
                    if nonces[sender] < 20 && lab.submit(node, &payment).is_some() {
                        nonces[sender] += 1;
                    }
                }
                Step::Cut(one, other) => {
                    lab.cut(one.into(), other.into());
                    cuts.push((one, other));
                }
                Step::Mend(one, other) => lab.mend(one.into(), other.into()),
                Step::Restart(node) => lab.restart(node.into()),
                Step::Mine(node) => lab.mine(node.into()),
                Step::Run(millis) => lab.run(f64::from(millis) / 1e3),
            }
        }
        for (one, other) in cuts {
            lab.mend(one.into(), other.into());
        }
        // What the miner alone has it may have to give up for others.
        let pending: Vec<_> =
            lab.nodes[1..].iter().flat_map(|node| node.mempool().iter().cloned().collect::<Vec<_>>()).collect();
        // What a miner has no room for it asks for again up to sixteen blocks later, and so once more for each that had
        // to wait for another.
        let most_blocks = 120 + 16 * pending.len();
        let mut is_left = pending;
        for _ in 0..most_blocks {
            lab.mine(MINER);
            lab.run(20.0);
            let mined = lab.mined(MINER);
            is_left.retain(|payment| !mined.contains(payment));
            if is_left.is_empty() {
                break;
            }
        }
        for payment in is_left {
            // Those before it may have been lost with the one node that had them.
            let next = lab.nodes[MINER].chain().account(payment.sender()).nonce;
            prop_assert!(payment.nonce() > Some(next), "{payment:?} is not mined; the next nonce is {next}");
        }
    }
}
