//! The order of the events that one input causes, as `Event` promises it.

use std::time::Duration;

use chainlab::{
    Block, Blockchain, Command, Effect, Limits, Message, PreviousHash, RequestId, Rules, Timestamp, Told,
};

use crate::{
    bench::{Bench, connected, grown, grown_by, notebook, peer, sealed, tip, transfer},
    end_of_time::next,
};

const NO_TIMESTAMP_LEFT: &str =
    "ended mining: no timestamp is left that is later than the median of the chain's last";

/// Those of the last input's lines that tell of events: the first.
fn events(bench: &Bench, mut lines: Vec<String>) -> Vec<String> {
    lines.truncate(bench.effects.happened.len());
    lines
}

/// Has a node ask its peers for their chains, and returns the question.
fn resolve(bench: &mut Bench) -> RequestId {
    bench.command(Command::Resolve);
    let question = bench.effects.to_do.iter().find_map(|effect| match effect {
        Effect::Relay { message: Message::ChainRequest { request }, .. } => Some(*request),
        _ => None,
    });
    question.expect("the peers are asked")
}

/// Rules under which a block may come from any time.
fn timeless() -> Rules {
    Rules { ahead_max: Duration::MAX, ..sealed() }
}

#[test]
fn a_chain_that_is_taken_on_comes_before_what_it_costs() {
    let mut bench = Bench::with_peers(timeless(), 1);
    let (genesis, rules) = (bench.chain(), bench.rules.clone());
    bench.announce(1, grown(&genesis, &rules, "ours", &[transfer("alice", 0, 70)]));
    let spent_otherwise = grown(&genesis, &rules, "theirs", &[transfer("alice", 0, 60)]);
    let theirs = (0..2).fold(spent_otherwise, |chain, _| next(&chain, &rules, u64::MAX));
    bench.command(Command::Mine);
    let RequestId(request) = resolve(&mut bench);
    let lines = bench.answer(1, request, theirs);
    assert_eq!(
        events(&bench, lines),
        [
            "accepted 4 from 1",
            "reorganised -1 +3",
            "lost 70: Replaced",
            NO_TIMESTAMP_LEFT,
            "resolved true, silent 0",
        ]
    );
}

#[test]
fn a_mined_block_comes_before_the_end_of_mining() {
    let mut bench = Bench::with_peers(timeless(), 1);
    let (genesis, rules) = (bench.chain(), bench.rules.clone());
    // There a float tells apart what is some thousand microseconds apart: a few timestamps are left.
    bench.announce(1, next(&genesis, &rules, u64::MAX - 20_000));
    for _ in 0..50 {
        bench.command(Command::Mine);
    }
    let mut position = 3;
    loop {
        let lines = bench.find();
        let events = events(&bench, lines);
        assert_eq!(events[0], format!("mined {position}"));
        if events.len() > 1 {
            assert_eq!(events[1..], [NO_TIMESTAMP_LEFT]);
            break;
        }
        position += 1;
    }
}

#[test]
fn blocks_that_waited_for_another_come_after_it() {
    let mut bench = connected();
    let (genesis, rules) = (bench.chain(), bench.rules.clone());
    bench.announce(1, grown(&genesis, &rules, "ours", &[]));
    let theirs = grown_by(&genesis, &rules, "theirs", 4);
    for position in [5, 4, 2] {
        let lines = bench.announce(2, tip(&theirs.at(position).unwrap()));
        assert_eq!(events(&bench, lines), [""; 0], "block {position} waits, or is beside ours");
    }
    let lines = bench.announce(3, tip(&theirs.at(3).unwrap()));
    assert_eq!(
        events(&bench, lines),
        ["accepted 3 from 3", "reorganised -1 +2", "accepted 4 from 2", "accepted 5 from 2"]
    );
}

#[test]
fn a_rejection_comes_before_the_ban_and_the_end_of_the_round() {
    let off_the_chain = |chain: &Blockchain| {
        let block = Block::new(3, Timestamp::integer(1), [], 0, PreviousHash::NumberOne);
        Told::Blocks(chain.iter().cloned().chain([block]).collect())
    };
    for is_document in [false, true] {
        let limits = Limits { bad_blocks: 1, ..Limits::default() };
        let mut bench = Bench::with_limits(notebook(), limits);
        bench.command(Command::Register(vec![peer(1)]));
        let RequestId(request) = resolve(&mut bench);
        let chain = grown(&bench.chain(), &bench.rules, "theirs", &[]);
        let bad = if is_document { Told::Document("[]".into()) } else { off_the_chain(&chain) };
        let lines = bench.answer(1, request, bad);
        let events = events(&bench, lines);
        assert!(events[0].starts_with("rejected from 1: "), "{events:?}");
        assert_eq!(events[1..], ["banned 1", "resolved false, silent 0"]);
    }
}
