//! Whom a node asks for the blocks that it lacks: one at first, and ever more while none answers.

use chainlab::{Blockchain, Command, Limits, Told};

use crate::bench::{Bench, blocks, connected, grown_by, peer, sealed, seconds};

#[test]
fn one_peer_is_asked_and_ever_more_as_the_patience_ends() {
    let rules = sealed();
    let mut bench = connected();
    let chain = grown_by(&bench.chain(), &rules, "miner-2", 4);
    let question =
        |peer: u32, number: u32| vec![format!("to {peer}: blocks to {:.6}? #{number}", chain.tip_hash())];
    assert_eq!(bench.announce(2, chain.clone()), [question(2, 1), vec!["wake at 250ms".into()]].concat());
    assert_eq!(bench.announce(3, chain.clone()), [""; 0]);
    assert_eq!(bench.announce(1, chain.clone()), [""; 0]);
    // Then the next is asked, whether or not there is news, and twice as many each time.
    assert_eq!(bench.pass(0.25), [question(3, 2), vec!["wake at 500ms".into()]].concat());
    // Whoever owes an answer is not asked again.
    assert_eq!(bench.announce(2, chain.clone()), [""; 0]);
    assert_eq!(bench.pass(0.25), [question(1, 3), vec!["wake at 750ms".into()]].concat());
    assert_eq!(bench.pass(0.25), ["wake at 1s"]);
    // Unless it is overdue: the telling may have been honest, and the question lost.
    assert_eq!(bench.pass(0.25), question(2, 4));
}

/// Whom a line asks for blocks, in which request.
pub(crate) fn asked(lines: &[String]) -> Vec<(u32, u64)> {
    let parts = lines.iter().filter_map(|line| line.strip_prefix("to ")?.split_once(": blocks to "));
    parts
        .map(|(peer, rest)| (peer.parse().unwrap(), rest.split_once('#').unwrap().1.parse().unwrap()))
        .collect()
}

/// A node that has asked the third of its peers, and a chain that all may tell of.
pub(crate) fn waiting_for_the_third() -> (Bench, Blockchain) {
    let mut bench = connected();
    let chain = grown_by(&bench.chain(), &sealed(), "miner-3", 4);
    assert_eq!(asked(&bench.announce(3, chain.clone())), [(3, 1)]);
    (bench, chain)
}

#[test]
fn the_first_64_who_tell_are_remembered() {
    let mut bench = Bench::with_peers(sealed(), 65);
    let chain = grown_by(&bench.chain(), &sealed(), "miner-2", 4);
    let mut lines: Vec<_> = (1..=65).flat_map(|from| bench.announce(from, chain.clone())).collect();
    (0..40).for_each(|_| lines.extend(bench.pass(0.25)));
    let asked = asked(&lines);
    let never: Vec<_> = (1..=65).filter(|peer| asked.iter().all(|(other, _)| other != peer)).collect();
    assert_eq!(never, [65]);
}

#[test]
fn as_many_are_asked_at_once_as_are_remembered() {
    let mut bench = Bench::with_peers(sealed(), 64);
    let genesis = bench.chain();
    let chain = grown_by(&genesis, &sealed(), "miner-2", 4);
    let lines: Vec<_> = (1..=64).flat_map(|from| bench.announce(from, chain.clone())).collect();
    let mut owing = asked(&lines);
    let mut answers = 0;
    while owing.len() < 32 {
        // Nothing of use: the next are asked at once, twice as many.
        let (peer, request) = owing.remove(0);
        owing.extend(asked(&blocks(&mut bench, peer, request, 1, genesis.clone())));
        answers += 1;
        assert!(answers < 6, "{} owe an answer", owing.len());
    }
    assert_eq!(owing.len(), 32);
    owing.extend(asked(&bench.pass(0.25)));
    assert_eq!(owing.len(), 64 - answers);
}

/// Where the clock stands still, tellings count for time.
#[test]
fn ever_more_tellings_count_for_as_much_as_the_time_that_is_waited() {
    let mut bench = Bench::with_peers(sealed(), 4);
    let chain = grown_by(&bench.chain(), &sealed(), "miner-2", 4);
    let told_by = (1..=3).chain(std::iter::repeat(4));
    let asks = told_by.take(100).map(|from| asked(&bench.announce(from, chain.clone())));
    let asks: Vec<_> = asks.collect();
    let at: Vec<_> = (1..).zip(&asks).filter(|(_, asked)| !asked.is_empty()).map(|(at, _)| at).collect();
    assert_eq!(at, [1, 32, 96]);
}

/// Then it comes after those who told before it did again.
#[test]
fn whoever_has_delivered_is_forgotten() {
    let mut bench = connected();
    let first = grown_by(&bench.chain(), &sealed(), "miner-1", 2);
    bench.announce(1, first.clone());
    blocks(&mut bench, 1, 1, 1, first.clone());
    assert_eq!(bench.chain(), first);
    let second = grown_by(&first, &sealed(), "miner-1", 2);
    assert_eq!(asked(&bench.announce(3, second.clone())), [(3, 2)]);
    bench.announce(2, second.clone());
    bench.announce(1, second);
    assert_eq!(asked(&bench.pass(0.25)), [(2, 3)]);
}

/// Its late answer is as good as one in time.
#[test]
fn whoever_delivers_in_the_end_has_failed_at_nothing() {
    let mut bench = Bench::with_peers(sealed(), 4);
    let first = grown_by(&bench.chain(), &sealed(), "miner-1", 2);
    bench.announce(1, first.clone());
    bench.now += seconds(2.0);
    assert_eq!(asked(&bench.announce(4, first.clone())), [(4, 2)]);
    blocks(&mut bench, 1, 1, 1, first.clone());
    blocks(&mut bench, 4, 2, 1, first.clone());
    assert_eq!(bench.chain(), first);
    let second = grown_by(&first, &sealed(), "miner-1", 2);
    assert_eq!(asked(&bench.announce(3, second.clone())), [(3, 3)]);
    bench.announce(1, second.clone());
    bench.announce(2, second);
    assert_eq!(asked(&bench.pass(0.25)), [(1, 4)]);
}

/// Of several who failed as often, whoever was asked longest ago comes first.
#[test]
fn those_who_failed_are_asked_in_the_order_in_which_they_were_asked_before() {
    for answers_late in [false, true] {
        let (mut bench, chain) = waiting_for_the_third();
        bench.announce(2, chain.clone());
        bench.announce(1, chain.clone());
        assert_eq!(asked(&bench.pass(0.25)), [(2, 2)]);
        assert_eq!(asked(&bench.pass(0.25)), [(1, 3)]);
        bench.now += seconds(2.0);
        assert_eq!(asked(&bench.announce(3, chain.clone())), [(3, 4)]);
        let lines = bench.announce(1, chain.clone());
        assert!(lines.is_empty() || lines == ["wake at 2.75s"], "{lines:?}");
        bench.announce(2, chain.clone());
        // An answer of nothing that comes late is no second failure.
        let genesis = bench.chain();
        let lines = if answers_late { blocks(&mut bench, 2, 2, 1, genesis) } else { bench.pass(0.25) };
        assert_eq!(asked(&lines), [(2, 5)]);
    }
}

#[test]
fn what_has_come_is_waited_for_no_longer() {
    let (mut bench, chain) = waiting_for_the_third();
    let [first, second] = [2, 3].map(|len| chain.at(len).unwrap());
    assert_eq!(bench.announce(2, second), [""; 0]);
    bench.announce(1, first);
    assert_eq!(bench.chain().len(), 3);
    assert_eq!(asked(&bench.pass(0.25)), []);
}

#[test]
fn a_stranger_and_who_is_banned_come_after_the_peers() {
    let (mut bench, chain) = waiting_for_the_third();
    bench.announce(1, chain.clone());
    bench.announce(2, chain.clone());
    let mut without = bench.clone();
    assert_eq!(asked(&bench.pass(0.25)), [(1, 2)]);
    without.command(Command::Unregister(vec![peer(1)]));
    assert_eq!(asked(&without.pass(0.25)), [(2, 2)]);

    let mut bench = Bench::with_limits(sealed(), Limits { bad_blocks: 1, ..Limits::default() });
    bench.command(Command::Register(vec![peer(1), peer(2), peer(3)]));
    for from in [3, 1, 2] {
        bench.announce(from, chain.clone());
    }
    let lines = bench.announce(1, Told::Document("junk".into()));
    assert!(lines.contains(&"banned 1".to_owned()), "{lines:?}");
    assert_eq!(asked(&bench.pass(0.25)), [(2, 2)]);
}

/// As long as somebody owes an answer, so many may be asked as before.
#[test]
fn how_many_are_asked_at_once_is_kept_while_an_answer_is_owed() {
    let (mut bench, chain) = waiting_for_the_third();
    let genesis = bench.chain();
    bench.announce(2, chain.clone());
    assert_eq!(asked(&bench.pass(0.25)), [(2, 2)]);
    blocks(&mut bench, 2, 2, 1, genesis);
    assert_eq!(asked(&bench.announce(1, chain)), [(1, 3)]);
}

#[test]
fn whoever_answers_with_another_branch_that_is_better_is_asked_again() {
    let mut bench = connected();
    let told = grown_by(&bench.chain(), &sealed(), "miner-1", 4);
    let other = grown_by(&bench.chain(), &sealed(), "miner-2", 2);
    assert_eq!(asked(&bench.announce(1, told)), [(1, 1)]);
    let lines = blocks(&mut bench, 1, 1, 1, other.clone());
    assert_eq!(bench.chain(), other);
    assert_eq!(asked(&lines), [(1, 2)]);
}
