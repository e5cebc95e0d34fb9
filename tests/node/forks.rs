//! Blocks that are early, beside ours, better, or bad.

use chainlab::{
    Block, Blockchain, Command, Difficulty, Limits, Message, PreviousHash, RequestId, Rules, Timestamp, Told,
};

use crate::bench::{
    Bench, START, acknowledge, connected, document, grown, grown_after, grown_by, has, name, notebook, peer,
    sealed, seconds, tip, transfer,
};

#[test]
fn a_block_that_is_too_early_waits() {
    let rules = sealed();
    let mut bench = connected();
    // Ten seconds ahead is near enough.
    let near = grown_after(&bench.chain(), &rules, "miner-1", &[], 10.0);
    let far = grown_after(&bench.chain(), &rules, "miner-2", &[], 14.0);
    assert_eq!(bench.announce(2, far.clone()), ["waits from 2 until 4s", "wake at 4s"]);
    assert_eq!(bench.announce(3, tip(&far)), [""; 0], "it waits once");
    bench.announce(1, near.clone());
    assert_eq!(bench.chain(), near);
    for number in 2..=3 {
        bench.hear(number, acknowledge(&near));
    }
    assert_eq!(bench.wake_at, Some(START + seconds(4.0)));
    assert_eq!(bench.pass(3.999_999_999), [""; 0]);
    assert_eq!(bench.pass(0.000_000_001), [format!("to 2: {}", has(&far))], "a side branch by now");
    assert_eq!(bench.wake_at, None);

    let next = grown_after(&far, &rules, "miner-2", &[], 1.0);
    assert_eq!(bench.announce(2, next.clone()), ["waits from 2 until 5s", "wake at 5s"]);
    let lines = bench.pass(1.0);
    assert!(lines.starts_with(&["accepted 3 from 2".into(), "reorganised -1 +2".into()]), "{lines:?}");
    assert_eq!(bench.chain(), next);
}

#[test]
fn an_early_chain_is_no_answer_to_a_resolving_node() {
    let mut bench = connected();
    let far = grown_after(&bench.chain(), &sealed(), "miner-2", &[], 14.0);
    bench.command(Command::Resolve);
    assert_eq!(bench.answer(2, 1, far), ["waits from 2 until 4s"]);
    let lines = bench.pass(1.0);
    assert!(lines.iter().any(|line| line.contains("Authoritative")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("silent [1, 3]")), "{lines:?}");
}

#[test]
fn a_tie_keeps_ours_and_more_work_reorganises() {
    let rules = sealed();
    let mut bench = connected();
    let genesis = bench.chain();
    let ours = grown(&genesis, &rules, "miner-1", &[transfer("alice", 0, 5), transfer("bob", 0, 6)]);
    let theirs = grown(&genesis, &rules, "miner-2", &[transfer("bob", 0, 6)]);
    bench.announce(1, ours.clone());
    assert_eq!(bench.announce(2, theirs.clone()), [format!("to 2: {}", has(&theirs))]);
    assert_eq!(bench.chain(), ours);
    // The side branch is known: its next block needs no question.
    let next = grown(&theirs, &rules, "miner-2", &[]);
    assert_eq!(
        bench.announce(3, tip(&next)),
        [
            "accepted 3 from 3",
            "reorganised -1 +2",
            &format!("to all but 3: new block {}", name(&next)),
            &format!("to 3: {}", has(&next)),
            "to 1: inventory #1 of 1, anew",
            "to 2: inventory #2 of 1, anew",
            "to 3: inventory #3 of 1, anew",
        ]
    );
    assert_eq!(bench.pending(), [5], "what the new chain lacks comes back");
    // The old branch is kept as well, and can win again.
    let last = grown_by(&ours, &rules, "miner-1", 2);
    bench.announce(1, last.at(3).unwrap());
    bench.announce(1, last.clone());
    assert_eq!(bench.chain(), last);
    assert_eq!(bench.pending(), [0; 0]);
}

#[test]
fn a_longer_chain_of_less_work_does_not_win() {
    // The target follows after every second block, and fast blocks make it harder.
    let rules = sealed();
    let retarget = rules.difficulty.retarget().unwrap().with_window(2).unwrap();
    let rules = Rules { difficulty: Difficulty::Retargeted(retarget), ..rules };
    let mut bench = Bench::with_peers(rules.clone(), 2);
    let grow = |count: usize, after: f64| {
        (0..count).fold(bench.chain(), |chain, _| grown_after(&chain, &rules, "miner", &[], after))
    };
    let (fast, slow) = (grow(5, 0.01), grow(7, 1.3));
    assert!(fast.work() > slow.work() && fast.len() < slow.len());
    for chain in [&slow, &fast, &slow] {
        for len in 2..=chain.len() {
            bench.announce(1, chain.at(len).unwrap());
        }
    }
    assert_eq!(bench.chain(), fast);
    bench.command(Command::Resolve);
    bench.answer(1, 1, slow.clone());
    bench.answer(2, 1, document(&slow));
    assert_eq!(bench.chain(), fast);
}

#[test]
fn side_branches_are_bounded() {
    let limits = Limits { side_branches: 2, ..Limits::default() };
    let rules = sealed();
    let mut bench = Bench::with_limits(rules.clone(), limits);
    let genesis = bench.chain();
    let branches: Vec<_> =
        (0..4).map(|branch| grown(&genesis, &rules, &format!("miner-{branch}"), &[])).collect();
    for branch in &branches {
        bench.announce(1, branch.clone());
    }
    // The first is ours; of the others the last two are kept.
    let known = |bench: &mut Bench, branch: &Blockchain| {
        let child = grown(branch, &rules, "miner", &[]);
        bench.clone().announce(1, child).iter().any(|line| line.starts_with("accepted 3"))
    };
    let known: Vec<_> = branches.iter().map(|branch| known(&mut bench, branch)).collect();
    assert_eq!(known, [true, false, true, true]);

    // What our own chain goes on from is no side branch, and pushes out none, whether peers wait to be told or not.
    let mut with_peer = bench.clone();
    with_peer.command(Command::Register([peer(2)].into()));
    for mut bench in [bench, with_peer] {
        bench.announce(1, grown(&branches[0], &rules, "ours", &[]));
        for branch in &branches[2..] {
            let mut bench = bench.clone();
            let better = grown_by(branch, &rules, "miner", 2);
            bench.announce(1, better.at(3).unwrap());
            bench.announce(1, better.clone());
            assert_eq!(bench.chain(), better);
        }
    }
}

#[test]
fn side_branches_are_bounded_in_bytes_a_sender() {
    let rules = sealed();
    let block = grown(&Bench::new(sealed()).chain(), &rules, "miner-1", &[]).size_after(1);
    // Room for two blocks of a sender, and not for three.
    let limits = Limits { kept_bytes: 2 * block + block / 2, ..Limits::default() };
    let mut bench = Bench::with_limits(rules.clone(), limits);
    let genesis = bench.chain();
    let ours = grown_by(&genesis, &rules, "ours", 5);
    (2..=6).for_each(|position| drop(bench.announce(3, ours.at(position).unwrap())));
    let [short, long, other] = [("short", 2), ("long!", 3), ("other", 2)]
        .map(|(miner, blocks)| grown_by(&genesis, &rules, miner, blocks));
    let known = |bench: &Bench, branch: &Blockchain| {
        // Nobody asks for what leads to a child of a known block.
        let child = grown(branch, &rules, "child", &[]);
        !bench.clone().announce(1, child).iter().any(|line| line.contains("blocks to"))
    };
    let tell = |bench: &mut Bench, from: u32, branch: &Blockchain| {
        (2..=branch.len()).for_each(|position| drop(bench.announce(from, branch.at(position).unwrap())));
    };
    tell(&mut bench, 1, &short);
    tell(&mut bench, 2, &other);
    assert!(known(&bench, &short) && known(&bench, &other));
    tell(&mut bench, 1, &long);
    assert_eq!([&short, &long, &other].map(|branch| known(&bench, branch)), [false, false, true]);
    // What is too long to be kept is taken on all the same once it is better.
    let better = grown_by(&long, &rules, "long!", 3);
    let asked = bench.announce(1, better.clone());
    assert!(asked.iter().any(|line| line.starts_with("to 1: blocks to")), "{asked:?}");
    let request = bench.effects.to_do.iter().find_map(|effect| match effect {
        chainlab::Effect::Send(_, Message::BlocksRequest { request, .. }) => Some(*request),
        _ => None,
    });
    bench.hear(1, Message::Blocks { request: request.unwrap(), after: 1, blocks: better.clone().into() });
    assert_eq!(bench.chain(), better);
}

#[test]
fn one_peer_s_side_branches_push_out_nobody_else_s() {
    let rules = sealed();
    let mut bench = connected();
    bench.now += seconds(60.0);
    let genesis = bench.chain();
    let ours = grown_by(&genesis, &rules, "ours", 2);
    bench.announce(3, ours.at(2).unwrap());
    bench.announce(3, ours.clone());
    let honest = [grown(&genesis, &rules, "one", &[]), grown(&genesis, &rules, "other", &[])];
    for branch in &honest {
        bench.announce(2, branch.clone());
    }
    // To go on with another's branch makes it no more one's own.
    let longer = grown(&honest[1], &rules, "liar", &[]);
    bench.announce(1, longer.clone());
    for number in 0..50 {
        bench.announce(1, grown(&genesis, &rules, &format!("liar-{number}"), &[]));
    }
    assert_eq!(bench.chain(), ours);
    for (branch, blocks) in [(&honest[0], 2), (&longer, 1)] {
        let mut bench = bench.clone();
        let better = grown_by(branch, &rules, "miner", blocks);
        for position in branch.len() + 1..=better.len() {
            bench.announce(3, better.at(position).unwrap());
        }
        assert_eq!(bench.chain(), better);
    }
}

#[test]
fn each_bad_block_is_recorded_and_too_many_ban_their_sender() {
    let limits = Limits { bad_blocks: 3, ..Limits::default() };
    let rules = sealed();
    let mut bench = Bench::with_limits(rules.clone(), limits);
    let chain = grown(&bench.chain(), &rules, "miner-1", &[]);
    let block = chain.last_block();
    let rebuilt = |index: u64, proof: u64, previous: PreviousHash| {
        Block::new(index, block.timestamp(), block.transactions(), proof, previous)
    };
    let unproven = (0..).map(|proof| rebuilt(2, proof, block.previous_hash()));
    let unproven = { unproven }.find(|block| bench.chain().append(block.clone(), &rules).is_err()).unwrap();
    assert_eq!(bench.announce(1, unproven), ["rejected from 1: block 2 Proof"]);
    let skipped = rebuilt(3, block.proof(), block.previous_hash());
    assert_eq!(bench.announce(1, skipped.clone()), ["rejected from 1: block 2 Index"]);
    let genesis = rebuilt(1, 100, PreviousHash::NumberOne);
    assert_eq!(bench.announce(2, genesis), ["rejected from 2: block 1 ForeignGenesis"]);
    let lines = bench.announce(1, Told::Document("junk".into()));
    assert!(lines[0].starts_with("rejected from 1: ") && lines[1] == "banned 1", "{lines:?}");
    // From now on nothing is heard of it, be it true.
    assert_eq!(bench.announce(1, chain.clone()), ["ignored from 1: sender is banned"]);
    let request = RequestId(1);
    assert_eq!(bench.hear(1, Message::ChainRequest { request }), ["ignored from 1: sender is banned"]);
    assert_eq!(bench.announce(2, skipped), ["rejected from 2: block 2 Index"]);
    bench.announce(2, chain.clone());
    assert_eq!(bench.chain(), chain);
}

/// However many blocks an announcement holds, it pays for one.
#[test]
fn of_a_heap_of_bad_blocks_one_is_looked_at() {
    let mut bench = connected();
    let previous = PreviousHash::Hash(bench.chain().tip_hash());
    let junk: Vec<_> =
        (0..1000).map(|proof| Block::new(7, Timestamp::integer(0), [], proof, previous)).collect();
    let lines = bench.announce(1, Told::Blocks(junk.into()));
    assert_eq!(lines, ["rejected from 1: block 2 Index"]);
}

#[test]
fn a_block_without_a_parent_is_another_network_s() {
    let mut bench = connected();
    let genesis = bench.chain();
    assert_eq!(bench.announce(1, genesis.clone()), [format!("to 1: {}", has(&genesis))]);
    let wrong = Block::new(1, Timestamp::integer(0), [], 100, PreviousHash::NumberOne);
    assert_eq!(bench.announce(1, wrong), ["rejected from 1: block 1 ForeignGenesis"]);
    let foreign = Blockchain::start(&sealed(), START + seconds(1.0)).unwrap();
    let other = Blockchain::start(&notebook(), START + seconds(1.0)).unwrap();
    assert_eq!(foreign, bench.chain());
    assert_eq!(bench.announce(1, other), ["rejected from 1: block 1 ForeignGenesis"]);
}
