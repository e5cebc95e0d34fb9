//! Resolving: who is asked, who is heard, and whose chain it is in the end.

use chainlab::{
    Block, Blockchain, Command, Input, Limits, Rules, Ticket, Time, Told, Transaction, pow::Target,
};

use crate::bench::{
    Bench, START, bare, document, grown, grown_after, grown_by, name, notebook, peer, sealed, seconds,
};

/// A chain of another genesis, so many blocks long.
fn foreign(rules: &Rules, number: u64, len: usize) -> Blockchain {
    let genesis = Blockchain::start(rules, START + seconds(number as f64)).unwrap();
    grown_by(&genesis, rules, &format!("miner-{number}"), len - 1)
}

/// A node with peers and a chain of its own, of two blocks, that has begun to resolve: ticket 4, request 1.
fn resolving(peers: u32) -> Bench {
    let mut bench = Bench::with_peers(notebook(), peers);
    bench.command(Command::Mine);
    bench.find();
    bench.command(Command::Chain);
    assert_eq!(bench.command(Command::Resolve), ["to all: chain? #1", "wake at 1s"]);
    bench
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![vec![]];
    }
    let with_first = |at: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
    };
    (0..items.len()).flat_map(with_first).collect()
}

#[test]
fn without_peers_the_own_chain_is_authoritative_at_once() {
    let mut bench = Bench::new(notebook());
    let own = name(&bench.chain());
    let lines = ["resolved false, silent 0".into(), format!("answer 1: Authoritative {own}, silent []")];
    assert_eq!(bench.command(Command::Resolve), lines);
}

#[test]
fn the_longest_chain_wins_and_the_deadline_is_called_off() {
    let mut bench = resolving(2);
    let (shorter, longer) = (foreign(&notebook(), 1, 3), foreign(&notebook(), 2, 4));
    assert_eq!(bench.answer(1, 1, shorter), [""; 0]);
    let longer_name = name(&longer);
    assert_eq!(
        bench.answer(2, 1, longer),
        [
            "accepted 4 from 2",
            "reorganised -2 +4",
            "resolved true, silent 0",
            &format!("answer 4: Replaced {longer_name}, silent []"),
            "wake never",
        ]
    );
}

#[test]
fn a_tie_keeps_ours() {
    let mut bench = resolving(1);
    let own = bench.chain();
    let lines = bench.answer(1, 1, foreign(&notebook(), 1, 2));
    let answer = format!("answer 4: Authoritative {}, silent []", name(&own));
    assert_eq!(lines, ["resolved false, silent 0", &answer, "wake never"]);
    assert_eq!(bench.chain(), own);
}

/// Every order of answers, and every number of them that come before the deadline, against the notebook's own loop.
#[test]
fn the_first_registered_of_the_longest_wins_however_the_answers_arrive() {
    let rules = notebook();
    for lens in [[3, 4, 4, 2], [4, 3, 4, 4], [1, 2, 2, 1], [3, 3, 3, 3], [2, 3, 1, 5]] {
        let chains: Vec<_> =
            (0..).zip(lens).map(|(number, len)| foreign(&rules, 1 + number, len as usize)).collect();
        for order in permutations(&[0, 1, 2, 3]) {
            for heard in 0..=4 {
                let mut bench = resolving(4);
                let mut lines = Vec::new();
                for &at in &order[..heard] {
                    lines = bench.answer(at as u32 + 1, 1, chains[at].clone());
                }
                let silent: Vec<_> = (0..4).filter(|at| !order[..heard].contains(at)).collect();
                if !silent.is_empty() {
                    assert_eq!(bench.pass(0.999_999_999), [""; 0]);
                    lines = bench.pass(0.000_000_001);
                }
                let mut best = None;
                let mut max_length = 2;
                for (at, chain) in chains.iter().enumerate().filter(|(at, _)| !silent.contains(at)) {
                    if chain.len() > max_length {
                        (max_length, best) = (chain.len(), Some(at));
                    }
                }
                let (outcome, expected) = match best {
                    Some(at) => ("Replaced", chains[at].clone()),
                    None => ("Authoritative", resolving(4).chain()),
                };
                let silent: Vec<_> = silent.iter().map(|at| at + 1).collect();
                let answer = format!("answer 4: {outcome} {}, silent {silent:?}", name(&expected));
                assert!(lines.contains(&answer), "{order:?} {heard}: {lines:?}, not {answer}");
                assert_eq!(bench.chain(), expected);
                assert_eq!(bench.wake_at, None);
            }
        }
    }
}

#[test]
fn any_input_after_the_deadline_ends_the_round() {
    let mut bench = resolving(2);
    bench.now += seconds(1.0);
    let own = name(&bench.chain());
    assert_eq!(
        bench.command(Command::Pending),
        [
            "resolved false, silent 2",
            "answer 5: pending []",
            &format!("answer 4: Authoritative {own}, silent [1, 2]"),
            "wake never"
        ]
    );
}

#[test]
fn the_timeout_is_a_limit_of_the_nodes() {
    let limits = Limits { resolve_timeout: seconds(0.25), ..Limits::default() };
    let mut bench = Bench::with_limits(notebook(), limits);
    bench.command(Command::Register(vec![peer(1)]));
    assert_eq!(bench.command(Command::Resolve), ["to all: chain? #1", "wake at 250ms"]);
    // One that never comes is no mistake.
    let limits = Limits { resolve_timeout: std::time::Duration::MAX, ..limits };
    let mut bench = Bench::with_limits(notebook(), limits);
    bench.command(Command::Register(vec![peer(1)]));
    bench.command(Command::Resolve);
    assert_eq!(bench.wake_at, Some(Time::MAX));
}

#[test]
fn late_repeated_unasked_and_strangers_answers_are_told_apart() {
    let rules = notebook();
    let mut bench = resolving(3);
    let long = foreign(&rules, 1, 9);
    assert_eq!(bench.answer(1, 7, long.clone()), ["ignored from 1: answer to no question"]);
    assert_eq!(bench.answer(9, 1, long.clone()), ["ignored from 9: answer from no peer"]);
    assert_eq!(bench.answer(1, 1, foreign(&rules, 1, 2)), [""; 0]);
    assert_eq!(bench.answer(1, 1, long.clone()), ["ignored from 1: answer to no question"]);
    // One that was registered after the question was put.
    bench.command(Command::Register(vec![peer(4)]));
    assert_eq!(bench.answer(4, 1, long.clone()), ["ignored from 4: answer to no question"]);
    bench.pass(1.0);
    assert_eq!(bench.answer(2, 1, long.clone()), ["ignored from 2: late answer"]);
    assert_eq!(bench.answer(2, 1, long.clone()), ["ignored from 2: answer to no question"]);
    assert_eq!(bench.answer(1, 1, long.clone()), ["ignored from 1: answer to no question"]);
    assert_eq!(bench.answer(9, 1, long), ["ignored from 9: answer from no peer"]);
    assert_eq!(bench.chain().len(), 2, "none of these chains was taken");
}

#[test]
fn of_the_last_64_rounds_it_is_known_who_was_late() {
    let mut bench = Bench::with_peers(notebook(), 1);
    for _ in 0..65 {
        bench.command(Command::Resolve);
        bench.pass(1.0);
    }
    let mut answer = |request| bench.answer(1, request, foreign(&notebook(), 1, 1));
    assert_eq!(answer(1), ["ignored from 1: answer to no question"]);
    assert_eq!(answer(2), ["ignored from 1: late answer"]);
    assert_eq!(answer(65), ["ignored from 1: late answer"]);
}

#[test]
fn a_chain_whose_time_has_just_come_can_win() {
    let rules = sealed();
    let chain = grown_after(&Blockchain::start(&rules, START).unwrap(), &rules, "miner-1", &[], 60.0);
    let until = rules.acceptable_from(chain.last_block());
    for (before, outcome) in [(1, "Authoritative"), (0, "Replaced")] {
        let mut bench = Bench::with_peers(sealed(), 1);
        bench.now = Time::from_nanos(until.as_nanos() - before);
        bench.command(Command::Resolve);
        let lines = bench.answer(1, 1, chain.clone());
        assert!(lines.iter().any(|line| line.starts_with(&format!("answer 2: {outcome}"))), "{lines:?}");
    }
}

#[test]
fn an_idle_node_takes_no_chain_that_it_did_not_ask_for() {
    let mut bench = Bench::with_peers(notebook(), 1);
    for told in [foreign(&notebook(), 1, 3).into(), document(&foreign(&notebook(), 1, 3))] {
        assert_eq!(bench.answer(1, 1, told), ["ignored from 1: answer to no question"]);
    }
}

#[test]
fn two_rounds_at_once_have_answers_of_their_own() {
    let mut bench = resolving(2);
    bench.pass(0.5);
    assert_eq!(bench.command(Command::Resolve), ["to all: chain? #2"]);
    let chains = [foreign(&notebook(), 1, 3), foreign(&notebook(), 2, 4)];
    bench.answer(1, 2, chains[0].clone());
    let lines = bench.answer(2, 2, chains[1].clone());
    assert!(lines.contains(&format!("answer 5: Replaced {}, silent []", name(&chains[1]))), "{lines:?}");
    // The first round goes on, with its own deadline. By now its best is no better than ours.
    bench.answer(1, 1, chains[0].clone());
    assert_eq!(
        bench.pass(0.5),
        ["resolved false, silent 1", &format!("answer 4: Authoritative {}, silent [2]", name(&chains[1])),]
    );
    assert_eq!(bench.wake_at, None);
}

#[test]
fn rounds_that_overlap_are_woken_in_turn() {
    let mut bench = resolving(1);
    bench.pass(0.5);
    bench.command(Command::Resolve);
    let lines = bench.pass(0.5);
    assert_eq!(lines.last().unwrap(), "wake at 1.5s");
    bench.pass(0.5);
    assert_eq!(bench.wake_at, None);
}

#[test]
fn a_block_mined_meanwhile_counts() {
    let mut bench = resolving(2);
    bench.answer(1, 1, foreign(&notebook(), 1, 3));
    bench.command(Command::Mine);
    bench.find();
    let own = name(&bench.chain());
    let lines = bench.answer(2, 1, foreign(&notebook(), 2, 2));
    assert!(lines.contains(&format!("answer 4: Authoritative {own}, silent []")), "{lines:?}");
}

/// A longer chain that is a lie, in each form in which it can be told, and why it is refused.
#[test]
fn an_invalid_chain_is_rejected_and_a_valid_one_still_wins() {
    let rules = notebook();
    let long = foreign(&rules, 5, 9);
    let text = long.to_json();
    let blocks: Vec<Block> = long.iter().cloned().collect();
    let mut unproven = blocks.clone();
    unproven[4] = unproven[4].clone().with_proof(unproven[4].proof() + 1);
    let mut unlinked = blocks.clone();
    let _ = unlinked.remove(3);
    let easy = rules.clone().with_first_target(Target::EASIEST);
    let lies = [
        (Told::Blocks(unproven.into()), "block 5 Proof"),
        (Told::Blocks(unlinked.into()), "block 4 PreviousHash"),
        (Told::Blocks([].into()), "the chain is empty"),
        (Told::Document("[]".into()), ""),
        (Told::Document(text.replacen("\"index\"", "\"indices\"", 1).into()), ""),
        (Told::Document(text.replacen("\"length\": 9", "\"length\": 8", 1).into()), ""),
        (Told::Document(text.replacen("\"amount\": 1,", "\"amount\": 2,", 1).into()), "block 3 "),
        // Verified, but under other rules.
        (foreign(&easy, 5, 9).into(), "Proof"),
    ];
    for (lie, reason) in lies {
        let mut bench = resolving(3);
        let valid = foreign(&rules, 2, 3);
        assert_eq!(bench.answer(2, 1, valid.clone()), [""; 0]);
        let lines = bench.answer(1, 1, lie.clone());
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("rejected from 1: ") && lines[0].contains(reason), "{lines:?}");
        let lines = bench.answer(3, 1, lie);
        assert!(lines[0].starts_with("rejected from 3: "), "{lines:?}");
        let answer = format!("answer 4: Replaced {}, silent []", name(&valid));
        assert!(lines.contains(&answer), "a liar is not silent: {lines:?}");
    }
}

#[test]
fn a_chain_wins_in_every_form_in_which_it_can_be_told() {
    let rules = notebook();
    let chain = foreign(&rules, 1, 3);
    for told in [chain.clone().into(), bare(&chain, 0), document(&chain)] {
        let mut bench = resolving(1);
        let lines = bench.answer(1, 1, told);
        assert!(lines.contains(&format!("answer 4: Replaced {}, silent []", name(&chain))), "{lines:?}");
    }
    // Verified under other rules that it keeps as well.
    let harder = Target::leading_zero_bits(5);
    let others = rules.with_first_target(harder);
    let mut bench = resolving(1);
    bench.answer(1, 1, foreign(&others, 1, 3));
    assert_eq!(bench.chain().len(), 3);
}

fn payment(amount: u64) -> Transaction {
    Transaction::new("alice", "bob", amount)
}

#[test]
fn abandoned_transactions_come_back_unless_the_new_chain_holds_them() {
    let rules = notebook();
    let mut bench = Bench::with_peers(rules.clone(), 1);
    for amount in [5, 5, 6, 7, 7] {
        bench.submit(payment(amount));
    }
    bench.command(Command::Mine);
    bench.find();
    for amount in [8, 9, 8, 9, 10] {
        bench.submit(payment(amount));
    }
    bench.command(Command::Resolve);
    // One 5 and both 7 are in the other chain, a third 7 besides, and a 6 twice. The 8 is another's: ours were in no block.
    let held: Vec<_> = [5, 7, 7, 7, 8, 6, 6, 11].map(payment).into();
    let other = grown(&foreign(&rules, 1, 2), &rules, "miner-1", &held);
    bench.answer(1, 1, other);
    // What comes back goes first, in its old order; the reward does not come back.
    assert_eq!(bench.pending(), [5, 8, 9, 8, 9, 10]);
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.chain().last_block().transactions().len(), 7);
}

#[test]
fn blocks_in_common_are_not_abandoned() {
    let rules = notebook();
    let mut bench = Bench::with_peers(rules.clone(), 1);
    bench.submit(payment(5));
    bench.command(Command::Mine);
    bench.find();
    let common = bench.chain();
    bench.submit(payment(6));
    bench.command(Command::Mine);
    bench.find();
    bench.command(Command::Resolve);
    let other = grown_by(&common, &rules, "miner-1", 2);
    for told in [document(&other), other.clone().into()] {
        let mut bench = bench.clone();
        bench.answer(1, 1, told);
        assert_eq!(bench.chain(), other);
        assert_eq!(bench.pending(), [6], "the transaction of 5 is still mined");
    }
}

#[test]
fn peers_that_were_banned_are_not_waited_for() {
    let limits = Limits { bad_blocks: 1, ..Limits::default() };
    let mut bench = Bench::with_limits(notebook(), limits);
    bench.command(Command::Register(vec![peer(1), peer(2)]));
    bench.command(Command::Resolve);
    let lines = bench.answer(1, 1, Told::Document("junk".into()));
    assert!(lines.contains(&"banned 1".to_owned()), "{lines:?}");
    bench.answer(2, 1, foreign(&notebook(), 1, 1));
    bench.command(Command::Resolve);
    let lines = bench.answer(2, 2, foreign(&notebook(), 1, 1));
    assert!(lines.iter().any(|line| line.starts_with("answer 3: Authoritative")), "{lines:?}");
    assert_eq!(bench.answer(1, 2, foreign(&notebook(), 1, 3)), ["ignored from 1: sender is banned"]);
}

#[test]
fn whoever_has_no_more_time_gets_the_best_of_those_who_have_answered() {
    let mut bench = resolving(2);
    let longer = foreign(&notebook(), 2, 4);
    bench.answer(2, 1, longer.clone());
    let replaced = format!("answer 4: Replaced {}, silent [1]", name(&longer));
    let lines = bench.tell(Input::GiveUp(Ticket(4)));
    assert_eq!(lines[2..], ["resolved true, silent 1", &replaced, "wake never"]);
    assert_eq!(bench.answer(1, 1, foreign(&notebook(), 1, 9)), ["ignored from 1: late answer"]);
}
