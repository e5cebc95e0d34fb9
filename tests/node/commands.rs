//! The commands, in every state.

use chainlab::{Command, Input, Limits, Message, RequestId, Rules, Told, Transaction};

use crate::bench::{Bench, grown, inventory, notebook, peer, sealed, transactions, transfer};

fn payment(amount: u64) -> Transaction {
    Transaction::new("alice", "bob", amount)
}

#[test]
fn peers_stay_in_the_order_of_their_registration() {
    let mut bench = Bench::new(notebook());
    assert_eq!(bench.command(Command::Register(vec![peer(3), peer(1)])), ["answer 1: peers [3, 1]"]);
    let again = Command::Register(vec![peer(1), peer(2), peer(2), peer(3)]);
    assert_eq!(bench.command(again), ["answer 2: peers [3, 1, 2]"]);
    assert_eq!(bench.command(Command::Register(vec![])), ["answer 3: peers [3, 1, 2]"]);
}

#[test]
fn a_node_is_no_peer_of_its_own() {
    let mut bench = Bench::new(notebook());
    assert_eq!(bench.command(Command::Register(vec![peer(0), peer(1)])), ["answer 1: peers [1]"]);
}

#[test]
fn a_peer_that_is_one_no_more_is_told_nothing_and_waited_for_by_nobody() {
    let mut bench = Bench::with_peers(sealed(), 2);
    let block = grown(&bench.chain(), &sealed(), "miner", &[]);
    bench.hear(1, Message::NewBlock(Told::Chain(block)));
    bench.submit(transfer("alice", 0, 5));
    // Both are told again until they acknowledge it.
    assert!(bench.pass(1.0).iter().any(|line| line.starts_with("to 2: ")));
    assert_eq!(
        bench.command(Command::Unregister(vec![peer(2), peer(7)])).last().unwrap(),
        "answer 3: peers [1] are left"
    );
    for _ in 0..10 {
        assert!(bench.pass(60.0).iter().all(|line| !line.starts_with("to 2: ")));
    }
    let again = bench.command(Command::Register(vec![peer(2)]));
    assert!(again.iter().any(|line| line.starts_with("to 2: ")), "{again:?}");
    assert!(again.contains(&"answer 4: peers [1, 2]".into()), "{again:?}");
}

#[test]
fn what_a_peer_was_asked_it_may_answer_when_it_is_one_no_more() {
    let mut bench = Bench::with_peers(notebook(), 2);
    let better = grown(&bench.chain(), &notebook(), "miner", &[]);
    bench.command(Command::Resolve);
    bench.command(Command::Unregister(vec![peer(1)]));
    let chain = Message::Chain { request: RequestId(1), chain: Told::Chain(better.clone()) };
    bench.hear(1, chain);
    let chain = Message::Chain { request: RequestId(1), chain: Told::Chain(bench.chain()) };
    let lines = bench.hear(2, chain);
    assert!(lines.iter().any(|line| line.starts_with("answer 2: Replaced")), "{lines:?}");
    assert_eq!(bench.chain(), better);
}

#[test]
fn every_command_is_answered_at_once_in_every_state_but_for_what_takes_time() {
    for rules in [notebook(), sealed()] {
        for (resolving, mining, continuous) in
            (0..8).map(|state| (state & 1 > 0, state & 2 > 0, state & 4 > 0))
        {
            let state = || {
                let mut bench = Bench::with_peers(rules.clone(), 2);
                // The first ticket went to the registration.
                bench.command(if resolving { Command::Resolve } else { Command::Chain });
                bench.command(if mining { Command::Mine } else { Command::Chain });
                bench.command(if continuous { Command::StartMining } else { Command::Chain });
                bench
            };
            let genesis = crate::bench::name(&state().chain());
            let simple = [
                (Command::Register(vec![peer(9)]), "peers [1, 2, 9]".to_owned()),
                (Command::Submit(payment(5)), "block 2".to_owned()),
                (Command::Chain, genesis),
                (Command::Pending, "pending []".to_owned()),
            ];
            for (command, expected) in simple {
                let lines = state().command(command);
                assert!(lines.contains(&format!("answer 5: {expected}")), "{lines:?}");
                let others = lines.iter().filter(|line| !line.starts_with("answer"));
                // A block that is searched for takes the transaction up.
                let is_expected = |line: &String| {
                    line.ends_with(" of 1, anew") || line == "wake at 500ms" || line == "search 2"
                };
                assert!(others.clone().all(is_expected), "{lines:?}");
            }
            // Another search begins only if none is under way.
            let searching = mining || continuous;
            let search: &[&str] = if searching { &[] } else { &["search 1"] };
            assert_eq!(state().command(Command::Mine), search);
            assert_eq!(state().command(Command::StartMining), [search, &["answer 5: mining"]].concat());
            let mut stopped: Vec<&str> = if searching { vec!["stop search"] } else { vec![] };
            stopped.extend(mining.then_some("answer 3: the node was told to stop mining"));
            stopped.push("answer 5: mining stopped");
            assert_eq!(state().command(Command::StopMining), stopped);
            // A second round has questions of its own, and its deadline is the same as the first's.
            let request = if resolving { 2 } else { 1 };
            let mut asked = vec![format!("to all: chain? #{request}")];
            asked.extend((!resolving).then(|| "wake at 1s".to_owned()));
            assert_eq!(state().command(Command::Resolve), asked);
        }
    }
}

#[test]
fn every_chain_request_is_answered_in_every_state_and_whoever_asks() {
    for rules in [notebook(), sealed()] {
        for command in [Command::Chain, Command::Resolve, Command::Mine, Command::StartMining] {
            for from in [1, 7] {
                let mut bench = Bench::with_peers(rules.clone(), 2);
                bench.command(command.clone());
                let genesis = crate::bench::name(&bench.chain());
                let request = RequestId(99);
                let expected = [format!("to {from}: chain {genesis} #99")];
                assert_eq!(bench.hear(from, Message::ChainRequest { request }), expected);
            }
        }
    }
}

#[test]
fn a_wake_up_that_nobody_asked_for_changes_nothing() {
    for rules in [notebook(), sealed()] {
        let mut bench = Bench::with_peers(rules, 1);
        assert_eq!(bench.tell(Input::Wake), [""; 0]);
        bench.command(Command::Resolve);
        // The driver's wake-up is spent too early, so it is asked for again.
        assert_eq!(bench.tell(Input::Wake), ["wake at 1s"]);
    }
}

#[test]
fn submissions_are_refused_with_the_values() {
    let mut bench = Bench::new(notebook());
    assert_eq!(
        bench.submit(Transaction::reward("me", 1)),
        ["answer 1: transactions from \"0\" are rewards and cannot be submitted"]
    );
    assert_eq!(
        bench.submit(payment(5).with_nonce(3)),
        ["answer 2: no accounts are kept, so a transaction carries no nonce; found 3"]
    );
    assert_eq!(bench.submit(payment(5)), ["answer 3: block 2"]);
    assert_eq!(bench.command(Command::Pending), ["answer 4: pending [5]"]);
}

#[test]
fn equal_transactions_are_two_where_no_accounts_are_kept() {
    let mut bench = Bench::new(notebook());
    bench.submit(payment(5));
    bench.submit(payment(5));
    assert_eq!(bench.pending(), [5, 5]);
}

#[test]
fn a_full_mempool_of_the_notebook_takes_no_more() {
    let limits = Limits { mempool: 2, ..Limits::default() };
    let mut bench = Bench::with_limits(notebook(), limits);
    for _ in 0..2 {
        bench.submit(payment(5));
    }
    assert_eq!(bench.submit(payment(6)), ["answer 3: the mempool is full: it holds 2 transactions"]);
    assert_eq!(bench.pending(), [5, 5]);
    let mut bench = Bench::with_limits(notebook(), Limits { mempool: 0, ..limits });
    assert_eq!(bench.submit(payment(6)), ["answer 1: the mempool is full: it holds 0 transactions"]);
}

#[test]
fn accounts_refuse_what_cannot_be_paid_with_the_numbers() {
    let mut bench = Bench::new(sealed());
    // Without a nonce it gets the next.
    bench.submit(payment(60));
    bench.submit(payment(30));
    let nonces: Vec<_> = bench.node.mempool().iter().map(Transaction::nonce).collect();
    assert_eq!(nonces, [Some(0), Some(1)]);
    assert_eq!(
        bench.submit(payment(11)),
        [
            "answer 3: alice has 100, receives 0 and spends 90 in pending transactions, and cannot spend 11 more"
        ]
    );
    assert_eq!(bench.submit(transfer("alice", 1, 1)), ["answer 4: nonce 1 of alice is taken; the next is 2"]);
    assert_eq!(
        bench.submit(Transaction::new("nobody", "bob", 1)),
        ["answer 5: nobody has 0, receives 0 and spends 0 in pending transactions, and cannot spend 1 more"]
    );
    // A nonce may be skipped, and filled in later.
    bench.submit(transfer("alice", 3, 5));
    bench.submit(payment(5));
    let nonces: Vec<_> = bench.node.mempool().iter().map(Transaction::nonce).collect();
    assert_eq!(nonces, [Some(0), Some(1), Some(2), Some(3)]);
    // What is mined is taken too; the balance is the chain's.
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.pending(), [0; 0]);
    assert_eq!(bench.submit(transfer("alice", 3, 1)), ["answer 9: nonce 3 of alice is taken; the next is 4"]);
    assert_eq!(
        bench.submit(transfer("alice", 4, 1)),
        ["answer 10: alice has 0, receives 0 and spends 0 in pending transactions, and cannot spend 1 more"]
    );
}

#[test]
fn the_largest_amounts_are_added_without_overflow() {
    let mut rules = sealed();
    let chainlab::Genesis::Shared { allocations, .. } = &mut rules.genesis else { unreachable!() };
    allocations.insert("rich".into(), u64::MAX);
    let mut bench = Bench::new(rules);
    let all = Transaction::new("rich", "someone", u64::MAX);
    bench.submit(all.clone());
    assert_eq!(
        bench.submit(all),
        [format!(
            "answer 2: rich has {0}, receives 0 and spends {0} in pending transactions, and cannot spend {0} more",
            u64::MAX
        )]
    );
}

#[test]
fn under_the_notebook_nobody_gossips() {
    let mut bench = Bench::with_peers(notebook(), 2);
    let chain = crate::bench::grown(&bench.chain(), &notebook(), "other", &[]);
    let lines = ["ignored from 1: the rules know no gossip"];
    assert_eq!(bench.announce(1, chain.clone()), lines);
    assert_eq!(bench.hear(1, Message::Acknowledge { block: chain.tip_hash() }), lines);
    assert_eq!(bench.hear(1, inventory(1, &[payment(5)])), lines);
    assert_eq!(bench.hear(1, transactions(1, &[payment(5)])), lines);
    assert_eq!(bench.hear(1, Message::InventoryRequest), lines);
    let (request, wanted) = (RequestId(1), chain.tip_hash());
    assert_eq!(bench.hear(1, Message::BlocksRequest { request, wanted, locator: [].into() }), lines);
    let blocks = chain.into();
    assert_eq!(bench.hear(1, Message::Blocks { request, after: 1, blocks }), lines);
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), [""; 0]);
    assert_eq!(Rules::notebook().relay, Rules::tutorial().relay);
}
