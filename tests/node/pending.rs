//! Who finds room in the mempool, and what a reorganisation leaves of it.

use chainlab::{Blockchain, Command, Genesis, Input, Limits, Rules, Transaction};

use crate::bench::{Bench, grown, grown_by, notebook, peer, sealed, seconds, transfer, without_accounts};

fn pay(sender: &str, nonce: u64, recipient: &str, amount: u64) -> Transaction {
    Transaction::new(sender, recipient, amount).with_nonce(nonce)
}

/// The sealed rules, under which so many more have a coin each.
fn with_coins(number: usize) -> Rules {
    let mut rules = sealed();
    let Genesis::Shared { allocations, .. } = &mut rules.genesis else { unreachable!() };
    allocations.extend((0..number).map(|number| (format!("coin-{number}").into(), 1)));
    rules
}

fn bench(rules: Rules, mempool: usize) -> Bench {
    Bench::with_limits(rules, Limits { mempool, ..Limits::default() })
}

fn is_taken(bench: &mut Bench, transaction: Transaction) -> bool {
    let lines = bench.submit(transaction);
    lines.iter().any(|line| {
        line.starts_with("answer") && (line.contains(": block ") || line.contains(": waits for nonce "))
    })
}

fn lost(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| line.starts_with("lost")).collect()
}

fn has(bench: &Bench, transaction: &Transaction) -> bool {
    bench.node.mempool().iter().any(|pending| pending == transaction)
}

/// Gives the node another chain to take on; returns what is lost.
fn adopt(bench: &mut Bench, chain: &Blockchain) -> Vec<String> {
    bench.now += seconds(1000.0);
    if bench.node.peers().is_empty() {
        bench.command(Command::Register(vec![peer(1)]));
    }
    let positions = 2..=chain.len();
    let lines = positions.flat_map(|position| bench.announce(1, chain.at(position).unwrap())).collect();
    assert_eq!(bench.chain(), *chain);
    lost(lines)
}

#[test]
fn gaps_in_its_name_do_not_keep_whoever_can_pay_out() {
    let mut bench = bench(sealed(), 10_000);
    for nonce in 1..=10_000 {
        bench.submit(transfer("alice", nonce, 0));
    }
    assert!(bench.node.mempool().len() <= 64);
    assert!(is_taken(&mut bench, transfer("alice", 0, 1)));
    assert!(is_taken(&mut bench, transfer("bob", 0, 1)));
    assert!(has(&bench, &transfer("alice", 0, 1)) && has(&bench, &transfer("bob", 0, 1)));
}

#[test]
fn gaps_of_many_senders_keep_nobody_out() {
    let mut bench = bench(with_coins(1000), 1000);
    for number in 0..1000 {
        bench.submit(transfer(&format!("coin-{number}"), 1, 0));
    }
    assert_eq!(bench.node.mempool().len(), 125, "they have a small space");
    for nonce in 0..100 {
        assert!(is_taken(&mut bench, transfer("alice", nonce, 1)));
    }
    for number in 0..900 {
        assert!(is_taken(&mut bench, transfer(&format!("coin-{number}"), 0, 0)), "{number}");
    }
    assert_eq!(bench.node.mempool().len(), 1000);
    assert!(has(&bench, &transfer("alice", 0, 1)));
}

/// No fee tells one from another: a flood in as many names as there is room for delays all others by a block.
#[test]
fn one_payment_of_each_sender_gives_way_to_nobody_until_a_block_has_made_room() {
    let mut bench = bench(with_coins(20), 20);
    for number in 0..20 {
        assert!(is_taken(&mut bench, transfer(&format!("coin-{number}"), 0, 0)), "{number}");
    }
    let refused = bench.submit(transfer("alice", 0, 1));
    assert_eq!(refused, ["answer 21: the mempool is full: it holds 20 transactions"]);
    bench.command(Command::Mine);
    bench.find();
    assert!(is_taken(&mut bench, transfer("alice", 0, 1)));
    for number in 0..19 {
        assert!(is_taken(&mut bench, transfer(&format!("coin-{number}"), 1, 0)), "{number}");
    }
    assert!(has(&bench, &transfer("alice", 0, 1)));
}

/// Only of the sender with the most, as many as are needed.
#[test]
fn of_full_gaps_the_farthest_gives_way() {
    let mut bench = bench(with_coins(2), 10_000);
    for nonce in 2..=65 {
        assert!(is_taken(&mut bench, transfer("alice", nonce, nonce)));
    }
    assert_eq!(
        bench.submit(transfer("alice", 66, 1)),
        ["answer 65: nonce 66 of alice is too far ahead of the next, 0, to wait for it"]
    );
    assert_eq!(lost(bench.submit(transfer("alice", 1, 1))), ["lost 65: Evicted"]);
    assert_eq!(bench.node.mempool().len(), 64);

    let mut bench = self::bench(with_coins(2), 32);
    for (sender, nonce) in [("alice", 1), ("alice", 2), ("alice", 3), ("bob", 1)] {
        assert!(is_taken(&mut bench, transfer(sender, nonce, nonce)));
    }
    assert_eq!(lost(bench.submit(transfer("coin-0", 1, 1))), ["lost 3: Evicted"]);
    assert!(is_taken(&mut bench, transfer("alice", 0, 1)));
    // The two of alice have moved up, and made room.
    assert!(is_taken(&mut bench, transfer("alice", 9, 9)) && is_taken(&mut bench, transfer("carol", 1, 1)));
    assert_eq!(
        bench.submit(transfer("coin-1", 1, 1)),
        ["answer 9: nonce 1 of coin-1 is too far ahead of the next, 0, to wait for it"]
    );
    // Nobody has more than one, but one may give way to a nearer one of its own.
    assert_eq!(lost(bench.submit(transfer("alice", 8, 8))), ["lost 9: Evicted"]);
}

#[test]
fn what_can_be_mined_beats_what_waits() {
    let mut bench = bench(sealed(), 2);
    assert!(is_taken(&mut bench, transfer("alice", 0, 1)));
    assert!(is_taken(&mut bench, transfer("alice", 2, 3)));
    // Two of bob's would be no fewer than alice has.
    assert_eq!(lost(bench.submit(transfer("bob", 0, 1))), ["lost 3: Evicted"]);
    assert_eq!(
        bench.submit(transfer("bob", 2, 1)),
        ["answer 4: nonce 2 of bob is too far ahead of the next, 1, to wait for it"]
    );
    assert_eq!(
        bench.submit(transfer("bob", 1, 1)),
        ["answer 5: the mempool is full: it holds 2 transactions"]
    );
}

#[test]
fn a_filled_gap_lets_what_waited_move_up_as_far_as_it_can_be_paid() {
    let mut bench = bench(sealed(), 100);
    for (nonce, amount) in [(4, 4), (1, 30), (2, 60)] {
        assert!(is_taken(&mut bench, transfer("alice", nonce, amount)));
    }
    assert_eq!(bench.pending(), [30, 60, 4]);
    assert_eq!(lost(bench.submit(transfer("alice", 0, 20))), ["lost 60: Unpayable"]);
    assert_eq!(bench.pending(), [20, 30, 4]);
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.pending(), [4]);
}

#[test]
fn what_waits_is_lost_when_its_nonce_is_mined_or_its_sender_has_no_coin() {
    let mut bench = bench(with_coins(1), 100);
    for gap in [transfer("alice", 1, 1), transfer("alice", 3, 3), transfer("coin-0", 2, 7)] {
        assert!(is_taken(&mut bench, gap));
    }
    let others = [transfer("alice", 0, 5), transfer("alice", 1, 6), transfer("coin-0", 0, 1)];
    let chain = grown(&bench.chain(), &bench.rules.clone(), "other", &others);
    assert_eq!(adopt(&mut bench, &chain), ["lost 1: Replaced", "lost 7: Unpayable"]);
    assert_eq!(bench.pending(), [3]);
    // The same one is mined, not lost, and what follows it moves up.
    let chain = grown(&chain, &bench.rules.clone(), "other", &[transfer("alice", 2, 2)]);
    assert_eq!(adopt(&mut bench, &chain), [""; 0]);
    let chain = grown(&chain, &bench.rules.clone(), "other", &[transfer("alice", 3, 3)]);
    assert_eq!(adopt(&mut bench, &chain), [""; 0]);
    assert_eq!(bench.pending(), [0; 0]);
}

#[test]
fn a_gap_that_is_mined_is_not_lost() {
    let mut bench = bench(sealed(), 100);
    assert!(is_taken(&mut bench, transfer("alice", 1, 1)));
    let mined = [transfer("alice", 0, 5), transfer("alice", 1, 1)];
    let chain = grown(&bench.chain(), &bench.rules.clone(), "other", &mined);
    assert_eq!(adopt(&mut bench, &chain), [""; 0]);
    assert_eq!(bench.pending(), [0; 0]);
}

#[test]
fn whoever_has_nothing_left_sends_nothing() {
    let mut bench = bench(sealed(), 100);
    assert!(is_taken(&mut bench, transfer("alice", 0, 100)));
    assert_eq!(
        bench.submit(transfer("alice", 1, 0)),
        [
            "answer 2: alice has 100, receives 0 and spends 100 in pending transactions, and cannot spend 0 more"
        ]
    );
    assert!(!is_taken(&mut bench, transfer("nobody", 1, 0)));
}

#[test]
fn what_a_pending_payment_brings_can_be_spent() {
    let mut bench = bench(sealed(), 100);
    assert!(!is_taken(&mut bench, pay("dave", 0, "bob", 10)));
    assert!(is_taken(&mut bench, pay("alice", 0, "dave", 11)));
    assert!(is_taken(&mut bench, pay("dave", 0, "bob", 10)));
    assert_eq!(
        bench.submit(pay("dave", 1, "bob", 2)),
        ["answer 4: dave has 0, receives 11 and spends 10 in pending transactions, and cannot spend 2 more"]
    );
    // Whoever pays itself needs the coins, and keeps them.
    assert!(
        is_taken(&mut bench, pay("dave", 1, "dave", 1)) && is_taken(&mut bench, pay("dave", 2, "bob", 1))
    );
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.pending(), [0; 0]);
    assert_eq!(bench.chain().account("bob").balance, 111);
}

#[test]
fn what_counts_on_an_evicted_payment_leaves_with_it() {
    let mut bench = bench(sealed(), 6);
    for transaction in [
        pay("alice", 0, "dave", 2),
        pay("alice", 1, "bob", 1),
        pay("alice", 2, "dave", 10),
        pay("dave", 0, "erin", 9),
        pay("erin", 0, "bob", 8),
        pay("bob", 0, "bob", 3),
    ] {
        assert!(is_taken(&mut bench, transaction));
    }
    assert_eq!(
        lost(bench.submit(transfer("carol", 0, 1))),
        ["lost 10: Evicted", "lost 9: Unpayable", "lost 8: Unpayable"]
    );
    assert_eq!(bench.pending(), [2, 1, 3, 1]);
}

#[test]
fn dependent_payments_come_back_from_a_reorganisation_in_their_order() {
    let mut bench = bench(sealed(), 100);
    let (parent, child) = (pay("alice", 0, "zoe", 60), pay("zoe", 0, "dave", 50));
    let grandchild = pay("dave", 0, "bob", 40);
    let genesis = bench.chain();
    let rules = bench.rules.clone();
    let ours = grown(&genesis, &rules, "other", &[parent.clone(), child.clone()]);
    assert_eq!(adopt(&mut bench, &ours), [""; 0]);
    bench.submit(grandchild.clone());
    let empty = grown(&grown(&genesis, &rules, "other", &[]), &rules, "other", &[]);
    assert_eq!(adopt(&mut bench, &empty), [""; 0]);
    let pending: Vec<_> = bench.node.mempool().iter().collect();
    assert_eq!(pending, [&parent, &child, &grandchild]);
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.chain().last_block().transactions()[..3], [parent, child, grandchild]);
}

#[test]
fn what_can_no_longer_be_paid_is_lost_with_what_counts_on_it() {
    let mut bench = bench(sealed(), 100);
    let genesis = bench.chain();
    let rules = bench.rules.clone();
    let mined = [pay("alice", 0, "zoe", 60), pay("zoe", 0, "dave", 50), pay("bob", 0, "zoe", 5)];
    let ours = grown(&genesis, &rules, "other", &mined);
    assert_eq!(adopt(&mut bench, &ours), [""; 0]);
    bench.submit(pay("dave", 0, "bob", 40));
    bench.submit(pay("zoe", 1, "bob", 3));
    // Alice spends the coins otherwise: zoe's second payment could be paid, but not before her first.
    let other = grown(&genesis, &rules, "other", &[pay("alice", 0, "carol", 70)]);
    let other = grown(&other, &rules, "other", &[]);
    let lost = adopt(&mut bench, &other);
    assert_eq!(lost, ["lost 60: Replaced", "lost 50: Unpayable", "lost 40: Unpayable", "lost 3: Unpayable"]);
    assert_eq!(bench.pending(), [5]);
}

/// The miner's reward is gone with its block.
#[test]
fn who_spends_an_abandoned_reward_cannot_pay() {
    let mut bench = bench(sealed(), 100);
    let genesis = bench.chain();
    let rules = bench.rules.clone();
    adopt(&mut bench, &grown(&genesis, &rules, "miner-1", &[]));
    bench.submit(pay("miner-1", 0, "bob", 50));
    let other = grown(&grown(&genesis, &rules, "other", &[]), &rules, "other", &[]);
    assert_eq!(adopt(&mut bench, &other), ["lost 50: Unpayable"]);
}

#[test]
fn a_repeat_is_told_from_another_with_its_nonce() {
    let mut bench = bench(sealed(), 100);
    for transaction in [transfer("alice", 0, 5), transfer("alice", 2, 5)] {
        assert!(is_taken(&mut bench, transaction.clone()));
        // Told again by its owner, it is taken as it was.
        assert!(is_taken(&mut bench, transaction.clone()));
        let nonce = transaction.nonce().unwrap();
        let lines = bench.submit(transfer("alice", nonce, 6));
        assert!(lines[0].ends_with(&format!("nonce {nonce} of alice is taken; the next is 1")), "{lines:?}");
    }
    assert_eq!(bench.pending(), [5, 5]);
}

/// Nobody else can have mined a payment that was in no block and that no node tells of.
#[test]
fn equal_payments_without_accounts_are_two() {
    let rules = notebook();
    let mut bench = Bench::with_peers(rules.clone(), 1);
    let payment = Transaction::new("alice", "bob", 5);
    bench.submit(payment.clone());
    let theirs = grown(&bench.chain(), &rules, "other", std::slice::from_ref(&payment));
    bench.command(Command::Resolve);
    let lines = bench.answer(1, 1, theirs.clone());
    assert_eq!((bench.chain(), lost(lines)), (theirs, Vec::new()));
    assert_eq!(bench.pending(), [5]);
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.pending(), [0; 0]);
    // In an abandoned block others may have seen it. Of this one and a new one a chain with one leaves one.
    let base = bench.chain().at(2).unwrap();
    let longer = grown(&grown(&base, &rules, "other", &[]), &rules, "other", &[]);
    bench.command(Command::Resolve);
    bench.answer(1, 2, longer.clone());
    assert_eq!(bench.pending(), [5]);
    bench.submit(payment.clone());
    for (request, left) in [(3, &[5][..]), (4, &[5])] {
        let longer = grown(&bench.chain(), &rules, "other", std::slice::from_ref(&payment));
        bench.command(Command::Resolve);
        bench.answer(1, request, longer.clone());
        assert_eq!((bench.chain(), &bench.pending()[..]), (longer, left));
    }
}

/// Nothing waits but the transaction: no link loses anything, and without accounts nobody is told of it.
#[test]
fn what_came_back_and_another_mines_is_pending_no_more() {
    let mut bench = Bench::with_peers(without_accounts(), 1);
    bench.tell(Input::LinkLoses(peer(1), false));
    let (genesis, rules) = (bench.chain(), without_accounts());
    let payment = Transaction::new("alice", "bob", 7);
    bench.submit(payment.clone());
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.pending(), [0; 0]);
    let other = grown_by(&genesis, &rules, "miner-1", 2);
    bench.announce(1, other.at(2).unwrap());
    bench.announce(1, other.clone());
    assert_eq!(bench.pending(), [7], "its block was abandoned");
    bench.announce(1, grown(&other, &rules, "miner-1", &[payment]));
    assert_eq!(bench.pending(), [0; 0]);
}
