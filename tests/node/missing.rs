//! Blocks whose parents are missing: what is asked for, what is answered, and what is kept meanwhile.

use std::sync::Arc;

use chainlab::{BlockHash, Blockchain, Command, Effect, Input, Limits, Message, RequestId, Rules, Told};

use crate::{
    bench::{
        Bench, START, bare, blocks, connected, document, grown, grown_after, grown_by, has, name, peer,
        sealed, seconds, tip,
    },
    questions::{asked, waiting_for_the_third},
};

#[test]
fn an_unknown_parent_is_asked_for_and_only_what_is_missing_comes() {
    let rules = sealed();
    let mut bench = connected();
    bench.now += seconds(60.0);
    let common = grown_by(&bench.chain(), &rules, "miner-1", 20);
    for len in 2..=21 {
        bench.announce(1, common.at(len).unwrap());
    }
    let chain = grown_by(&common, &rules, "miner-2", 5);
    for form in [chain.clone().into(), tip(&chain)] {
        let mut bench = bench.clone();
        let question = format!("to 2: blocks to {:.6}? #1", chain.tip_hash());
        assert_eq!(bench.announce(2, form), [question, "wake at 60.25s".into()]);
        let [Effect::Send(_, Message::BlocksRequest { wanted, locator, .. }), Effect::WakeAt(_)] =
            &bench.effects.to_do[..]
        else {
            panic!("one question")
        };
        assert_eq!(*wanted, chain.tip_hash());
        assert_eq!(locator.first(), Some(&(21, common.tip_hash())));
        assert_eq!(locator.last().unwrap().0, 1);
        assert!(locator.len() < 15, "{}", locator.len());

        // Whoever has the chain answers with what comes after the first that it knows of these.
        let mut other = connected();
        other.now = bench.now;
        for len in 2..=chain.len() {
            other.announce(1, chain.at(len).unwrap());
        }
        let request =
            Message::BlocksRequest { request: RequestId(1), wanted: *wanted, locator: Arc::clone(locator) };
        let answer = format!("to 7: blocks after 21 of {} #1", name(&chain));
        assert_eq!(other.hear(7, request), [answer]);
        let [Effect::Send(_, Message::Blocks { after, blocks: told, .. })] = &other.effects.to_do[..] else {
            panic!("one answer")
        };

        let lines = blocks(&mut bench, 2, 1, *after, told.clone());
        assert!(lines.contains(&"accepted 26 from 2".to_owned()), "{lines:?}");
        assert_eq!(bench.chain(), chain);
        // The same again was not asked for.
        assert_eq!(blocks(&mut bench, 2, 1, 21, bare(&chain, 21)), ["ignored from 2: answer to no question"]);
    }
}

/// The node has another tip when the answer comes, and has forgotten the branch that it stood on when it asked.
#[test]
fn an_answer_goes_on_from_what_was_known_when_it_was_asked_for() {
    let rules = sealed();
    let mut bench = Bench::with_limits(rules.clone(), Limits { side_branches: 1, ..Limits::default() });
    bench.command(Command::Register(vec![peer(1), peer(2), peer(3)]));
    bench.now += seconds(60.0);
    let genesis = bench.chain();
    let [ours, other, third] =
        ["miner-1", "miner-2", "miner-3"].map(|miner| grown(&genesis, &rules, miner, &[]));
    bench.announce(1, ours.clone());
    let best = grown_by(&ours, &rules, "miner-1", 5);
    let question = format!("to 1: blocks to {:.6}? #1", best.tip_hash());
    assert_eq!(bench.announce(1, tip(&best)), [question, "wake at 60.25s".into()]);
    let better = grown(&other, &rules, "miner-2", &[]);
    bench.announce(2, other);
    bench.announce(2, better.clone());
    bench.announce(3, third);
    assert_eq!(bench.chain(), better);
    for form in [best.clone().into(), bare(&best, 2)] {
        let mut bench = bench.clone();
        blocks(&mut bench, 1, 1, 2, form);
        assert_eq!(bench.chain(), best);
    }
}

#[test]
fn blocks_are_taken_in_every_form_and_only_from_whom_was_asked() {
    let rules = sealed();
    let genesis = connected().chain();
    let chain = grown_by(&genesis, &rules, "miner-2", 4);
    for form in [chain.clone().into(), bare(&chain, 1), document(&chain)] {
        let mut bench = connected();
        bench.announce(2, chain.clone());
        assert_eq!(blocks(&mut bench, 3, 1, 1, form.clone()), ["ignored from 3: answer to no question"]);
        assert_eq!(blocks(&mut bench, 2, 9, 1, form.clone()), ["ignored from 2: answer to no question"]);
        blocks(&mut bench, 2, 1, 1, form);
        assert_eq!(bench.chain(), chain);
    }
}

#[test]
fn an_answer_of_lies_is_rejected() {
    let rules = sealed();
    let genesis = connected().chain();
    let chain = grown_by(&genesis, &rules, "miner-2", 4);
    let foreign = Rules { reward: 49, ..rules.clone() };
    let generous = grown_by(&Blockchain::start(&foreign, START).unwrap(), &foreign, "miner-2", 4);
    let lies = [
        (Told::Document("{".into()), 1, "rejected from 2: "),
        (
            Told::Document(chain.to_json().replace("\"amount\": 50", "\"amount\": 51").into()),
            1,
            "rejected from 2: block 2",
        ),
        // Behind another's first block ours are worth nothing.
        (
            Told::Document(chain.to_json().replace("\"amount\": 100", "\"amount\": 101").into()),
            1,
            "rejected from 2: block 1 ForeignGenesis",
        ),
        (bare(&chain, 2), 1, "rejected from 2: block 2 PreviousHash"),
        (bare(&generous, 1), 1, "rejected from 2: block 2 "),
        (generous.into(), 1, "rejected from 2: block 2 RewardAmount"),
        // Nothing that the node knows.
        (chain.clone().into(), 0, "ignored from 2: blocks that follow none that is known"),
        (chain.clone().into(), 3, "ignored from 2: blocks that follow none that is known"),
        (chain.clone().into(), 99, "ignored from 2: blocks that follow none that is known"),
        (bare(&chain, 1), 99, "ignored from 2: blocks that follow none that is known"),
        (Told::Blocks([].into()), 99, "ignored from 2: blocks that follow none that is known"),
    ];
    for (lie, after, expected) in lies {
        let mut bench = connected();
        bench.announce(2, chain.clone());
        let lines = blocks(&mut bench, 2, 1, after, lie);
        assert_eq!(bench.chain().len(), 1);
        assert!(lines.len() == 2 && lines[0].starts_with(expected) && lines[1] == "wake never", "{lines:?}");
    }
}

#[test]
fn of_two_blocks_of_one_height_the_last_that_was_told_is_asked_for() {
    let (mut bench, chain) = waiting_for_the_third();
    let genesis = bench.chain();
    let [one, other] = ["miner-1", "miner-2"].map(|miner| grown_by(&genesis, &sealed(), miner, 4));
    bench.announce(3, one);
    bench.announce(3, other.clone());
    let lines = blocks(&mut bench, 3, 1, 1, chain);
    assert!(
        lines.iter().any(|line| line.starts_with(&format!("to 3: blocks to {:.6}?", other.tip_hash()))),
        "{lines:?}"
    );
    let lines = blocks(&mut bench, 3, 2, 1, other);
    assert_eq!(asked(&lines), []);
}

#[test]
fn an_orphan_is_taken_up_when_its_parent_comes() {
    let rules = sealed();
    for form in [|chain: &Blockchain| Told::from(chain.clone()), tip] {
        let mut bench = connected();
        let chain = grown_by(&bench.chain(), &rules, "miner-1", 3);
        bench.announce(1, form(&chain));
        bench.announce(1, form(&chain.at(3).unwrap()));
        assert_eq!(bench.chain().len(), 1);
        bench.announce(2, form(&chain.at(2).unwrap()));
        assert_eq!(bench.chain(), chain);
    }
}

/// It has crashed since, say, and its disk is lost: the block comes from nobody but the node any more.
#[test]
fn whoever_told_of_a_block_before_its_link_came_up_is_told_of_it_when_it_is_taken_up() {
    let rules = sealed();
    // The second one's blocks are too far ahead of the clock.
    for after in [1.0, 30.0] {
        let mut bench = connected();
        let grown = |chain: &Blockchain| grown_after(chain, &rules, "miner-1", &[], after);
        let parent = grown(&bench.chain());
        let chain = grown(&parent);
        bench.announce(1, tip(&chain));
        bench.tell(Input::LinkUp(peer(1)));
        let mut lines = bench.announce(2, tip(&parent));
        lines.extend(bench.pass(2.0 * after));
        assert_eq!(bench.chain(), chain);
        assert!(lines.contains(&format!("to 1: new block {}", name(&chain))), "{lines:?}");
    }
}

#[test]
fn whose_link_came_up_while_its_block_waited_for_its_time_is_told_of_it() {
    for up in [1, 2] {
        let mut bench = connected();
        let chain = grown_after(&bench.chain(), &sealed(), "miner-1", &[], 30.0);
        bench.announce(1, tip(&chain));
        bench.tell(Input::LinkUp(peer(up)));
        let lines = bench.pass(60.0);
        assert_eq!(bench.chain(), chain);
        assert_eq!(lines.contains(&format!("to 1: new block {}", name(&chain))), up == 1, "{lines:?}");
    }
}

/// The peer has mined on since it told of the orphan.
#[test]
fn an_orphan_far_behind_the_tip_that_comes_leaves_too() {
    let rules = sealed();
    for form in [|chain: &Blockchain| Told::from(chain.clone()), tip] {
        let mut bench = connected();
        bench.now += seconds(100.0);
        let chain = grown_by(&bench.chain(), &rules, "miner-1", 60);
        let orphan = chain.at(3).unwrap();
        bench.announce(1, form(&orphan));
        let lines = blocks(&mut bench, 1, 1, 1, chain.clone());
        assert_eq!(bench.chain(), chain);
        assert!(lines.contains(&format!("to 1: {}", has(&orphan))), "{lines:?}");
    }
}

#[test]
fn orphans_are_bounded_and_the_oldest_leave_first() {
    let limits = Limits { orphans: 2, ..Limits::default() };
    let rules = sealed();
    let mut bench = Bench::with_limits(rules.clone(), limits);
    let parent = grown(&bench.chain(), &rules, "miner-1", &[]);
    let children: Vec<_> =
        (0..3).map(|child| grown(&parent, &rules, &format!("miner-{child}"), &[])).collect();
    for child in &children {
        bench.announce(1, child.clone());
    }
    let lines = bench.announce(1, parent);
    // The second child is taken up, and so is the third, as a side branch.
    assert!(!lines.contains(&format!("to 1: {}", has(&children[0]))), "{lines:?}");
    assert!(lines.contains(&format!("to 1: {}", has(&children[1]))), "{lines:?}");
    assert!(lines.contains(&format!("to 1: {}", has(&children[2]))), "{lines:?}");
    assert_eq!(bench.chain(), children[1]);
}

/// Whoever that is, and though another's is older.
#[test]
fn the_oldest_orphan_of_whoever_has_the_most_leaves() {
    let rules = sealed();
    for (few, many) in [(1, 2), (2, 1)] {
        let mut bench = Bench::with_limits(rules.clone(), Limits { orphans: 2, ..Limits::default() });
        bench.command(Command::Register(vec![peer(1), peer(2), peer(3)]));
        let parent = grown(&bench.chain(), &rules, "miner-1", &[]);
        let children = ["miner-1", "miner-2", "miner-3"].map(|miner| grown(&parent, &rules, miner, &[]));
        for (from, child) in [few, many, many].into_iter().zip(&children) {
            bench.announce(from, child.clone());
        }
        let lines = bench.announce(3, parent);
        let left = children.iter().map(|child| lines.iter().any(|line| line.ends_with(&has(child))));
        assert_eq!(left.collect::<Vec<_>>(), [true, false, true], "{lines:?}");
    }
}

#[test]
fn a_wanted_side_branch_is_answered_with_though_it_is_not_ours() {
    let rules = sealed();
    let mut bench = connected();
    let genesis = bench.chain();
    let (ours, theirs) = (grown(&genesis, &rules, "miner-1", &[]), grown(&genesis, &rules, "miner-2", &[]));
    bench.announce(1, ours.clone());
    bench.announce(2, theirs.clone());
    let ask = |wanted: BlockHash, locator: &[(u64, BlockHash)]| Message::BlocksRequest {
        request: RequestId(5),
        wanted,
        locator: locator.into(),
    };
    let known = [(1, genesis.tip_hash())];
    let branch = format!("to 9: blocks after 1 of {} #5", name(&theirs));
    assert_eq!(bench.hear(9, ask(theirs.tip_hash(), &known)), [branch]);
    // What is not kept is answered with our chain, from the start if nothing is shared.
    let own = |after: u64| [format!("to 9: blocks after {after} of {} #5", name(&ours))];
    assert_eq!(bench.hear(9, ask(genesis.tip_hash(), &known)), own(1));
    assert_eq!(bench.hear(9, ask(BlockHash::of(b""), &[])), own(0));
    assert_eq!(
        bench.hear(9, ask(BlockHash::of(b""), &[(1, BlockHash::of(b"")), (0, genesis.tip_hash())])),
        own(0)
    );
}

#[test]
fn what_was_told_first_and_came_last_does_not_hide_what_came_before_it() {
    let mut bench = connected();
    let (sealed, start) = (sealed(), bench.chain());
    let older = grown_by(&start, &sealed, "miner-1", 3);
    let newer = grown_by(&start, &sealed, "miner-2", 5);
    // Nothing is lost between them, so that the peer tells of each once.
    bench.tell(Input::LinkLoses(peer(1), false));
    let asked = |lines: &[String], chain: &Blockchain| {
        lines.iter().any(|line| line.starts_with(&format!("to 1: blocks to {:.6}?", chain.tip_hash())))
    };
    let between = grown_by(&start, &sealed, "miner-3", 2);
    assert!(asked(&bench.announce(1, between.clone()), &between));
    bench.announce(1, newer.clone());
    bench.announce(1, older.clone());
    let mut lines = blocks(&mut bench, 1, 1, 1, between);
    assert!(asked(&lines, &older), "{lines:?}");
    lines = blocks(&mut bench, 1, 2, 1, older);
    assert!(asked(&lines, &newer), "{lines:?}");
    blocks(&mut bench, 1, 3, 1, newer.clone());
    assert_eq!(bench.chain(), newer);
}
