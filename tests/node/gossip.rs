//! Gossip under the sealed rules: blocks told of, asked for, waited for, and refused.

use std::sync::Arc;

use chainlab::{
    Block, BlockHash, Blockchain, Command, Effect, Input, Limits, Message, PreviousHash, RequestId, Retarget,
    Rules, Timestamp, Told, Transaction,
};

use crate::bench::{
    Bench, START, bare, document, grown, grown_after, grown_by, name, peer, sealed, seconds, transfer,
};

/// A node with three peers, on the shared genesis.
fn connected() -> Bench {
    Bench::with_peers(sealed(), 3)
}

fn has(chain: &Blockchain) -> String {
    format!("has {:.6}", chain.tip_hash())
}

fn acknowledge(chain: &Blockchain) -> Message {
    Message::Acknowledge { block: chain.tip_hash() }
}

/// Answers the last question of a node for blocks.
fn blocks(bench: &mut Bench, from: u32, request: u64, after: u64, blocks: impl Into<Told>) -> Vec<String> {
    bench.hear(from, Message::Blocks { request: RequestId(request), after, blocks: blocks.into() })
}

/// One block, bare.
fn tip(chain: &Blockchain) -> Told {
    Told::from(chain.last_block().clone())
}

#[test]
fn a_new_block_is_told_to_all_but_its_source_in_one_wish() {
    let rules = sealed();
    let told: [fn(&Blockchain) -> Told; 3] = [
        |chain| chain.clone().into(),
        tip,
        |chain| {
            let block = serde_json::to_string(chain.last_block()).unwrap();
            Told::Document(block.into())
        },
    ];
    for form in told {
        let mut bench = connected();
        let chain = grown(&bench.chain(), &rules, "miner-1", &[]);
        assert_eq!(
            bench.announce(1, form(&chain)),
            [
                "accepted 2 from 1".to_owned(),
                format!("to all but 1: new block {}", name(&chain)),
                format!("to 1: {}", has(&chain)),
                "wake at 500ms".to_owned(),
            ]
        );
        assert_eq!(bench.chain(), chain);
    }
}

#[test]
fn a_known_block_is_acknowledged_and_told_no_further() {
    let mut bench = connected();
    let chain = grown_by(&bench.chain(), &sealed(), "miner-1", 2);
    bench.announce(1, chain.parent().unwrap());
    bench.announce(1, chain.clone());
    // It was told of the tip, and tells of it: that is as good as an acknowledgement, and needs none.
    assert_eq!(bench.announce(2, chain.clone()), [""; 0]);
    assert_eq!(bench.announce(2, chain.clone()), [format!("to 2: {}", has(&chain))]);
    assert_eq!(bench.announce(1, tip(&chain)), [format!("to 1: {}", has(&chain))]);
    let older = chain.parent().unwrap();
    assert_eq!(bench.announce(3, older.clone()), [format!("to 3: {}", has(&older))]);
    // Strangers are told that it is known, too.
    assert_eq!(bench.announce(9, chain.clone()), [format!("to 9: {}", has(&chain))]);
}

#[test]
fn what_is_not_acknowledged_is_told_again_ever_less_often() {
    let mut bench = connected();
    let chain = grown(&bench.chain(), &sealed(), "miner-1", &[]);
    bench.announce(1, chain.clone());
    let again = |peer: u32| format!("to {peer}: new block {}", name(&chain));
    let wake = |at: f64| format!("wake at {:?}", seconds(at));
    assert_eq!(bench.pass(0.5), [again(2), again(3), wake(1.5)]);
    assert_eq!(bench.hear(2, acknowledge(&chain)), [""; 0]);
    assert_eq!(bench.pass(1.0), [again(3), wake(3.5)]);
    for at in [7.5, 15.5, 31.5, 63.5, 123.5, 183.5] {
        let elapsed = (bench.wake_at.unwrap() - bench.now).as_secs_f64();
        assert_eq!(bench.pass(elapsed), [again(3), wake(at)]);
    }
    assert_eq!(bench.hear(3, acknowledge(&chain)), ["wake never"]);
    // Whatever is acknowledged besides is nothing.
    let other = grown(&chain, &sealed(), "miner-1", &[]);
    assert_eq!(bench.hear(3, acknowledge(&other)), [""; 0]);
    assert_eq!(bench.hear(9, acknowledge(&chain)), [""; 0]);
}

#[test]
fn a_new_tip_is_announced_from_the_start() {
    let mut bench = connected();
    bench.command(Command::Mine);
    bench.find();
    bench.pass(0.5);
    let old = bench.chain();
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(bench.wake_at, Some(bench.now + seconds(0.5)));
    // The acknowledgement of an older tip says nothing of this one.
    for number in 1..=3 {
        assert_eq!(bench.hear(number, acknowledge(&old)), [""; 0]);
    }
    for number in 1..3 {
        assert_eq!(bench.hear(number, acknowledge(&bench.chain())), [""; 0]);
    }
    assert_eq!(bench.hear(3, acknowledge(&bench.chain())), ["wake never"]);
}

#[test]
fn a_link_that_comes_up_is_told_of_the_tip() {
    let mut bench = connected();
    assert_eq!(bench.tell(Input::LinkUp(peer(1))), [""; 0], "nobody misses a genesis");
    bench.command(Command::Mine);
    bench.find();
    let chain = bench.chain();
    for number in 1..=3 {
        bench.hear(number, acknowledge(&chain));
    }
    let told = format!("to 2: new block {}", name(&chain));
    assert_eq!(bench.tell(Input::LinkUp(peer(2))), [told.clone(), "wake at 500ms".into()]);
    assert_eq!(bench.pass(0.5), [told, "wake at 1.5s".into()]);
    assert_eq!(bench.hear(2, acknowledge(&chain)), ["wake never"]);
    assert_eq!(bench.tell(Input::LinkUp(peer(9))), [""; 0], "a stranger");
    // A new peer is told, too; one that is known already is not.
    let peers = vec![peer(2), peer(4)];
    let told = format!("to 4: new block {}", name(&chain));
    assert_eq!(
        bench.command(Command::Register(peers)),
        [told, "answer 3: peers [1, 2, 3, 4]".into(), "wake at 1s".into()]
    );
}

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
        assert_eq!(bench.announce(2, form), [question]);
        let [Effect::Send(_, Message::BlocksRequest { wanted, locator, .. })] = &bench.effects[..] else {
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
        let [Effect::Send(_, Message::Blocks { after, blocks: told, .. })] = &other.effects[..] else {
            panic!("one answer")
        };

        let lines = blocks(&mut bench, 2, 1, *after, told.clone());
        assert!(lines.contains(&"accepted 26 from 2".to_owned()), "{lines:?}");
        assert_eq!(bench.chain(), chain);
        // The same again was not asked for.
        assert_eq!(blocks(&mut bench, 2, 1, 21, bare(&chain, 21)), ["ignored from 2: answer to no question"]);
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
    let generous = grown_by(&Blockchain::start(&foreign, START), &foreign, "miner-2", 4);
    let lies = [
        (Told::Document("{".into()), 1, "rejected from 2: "),
        (
            Told::Document(chain.to_json().replace("\"amount\": 50", "\"amount\": 51").into()),
            1,
            "rejected from 2: block 2",
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
        assert!(lines.len() == 1 && lines[0].starts_with(expected), "{lines:?}");
    }
}

#[test]
fn the_same_block_is_asked_for_once_until_patience_ends() {
    let rules = sealed();
    let mut bench = connected();
    let chain = grown_by(&bench.chain(), &rules, "miner-2", 4);
    let question =
        |peer: u32, number: u32| vec![format!("to {peer}: blocks to {:.6}? #{number}", chain.tip_hash())];
    assert_eq!(bench.announce(2, chain.clone()), question(2, 1));
    assert_eq!(bench.announce(3, chain.clone()), [""; 0]);
    bench.pass(1.0);
    assert_eq!(bench.announce(3, chain.clone()), question(3, 2));
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
            "to all: transaction of 5",
            &format!("to 3: {}", has(&next)),
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
    let retarget = Retarget { window: 2, spacing: seconds(1.0), factor_max: 4 };
    let rules = Rules { retarget: Some(retarget), ..sealed() };
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

/// However many bad blocks one message holds, no more are looked at than its sender is allowed.
#[test]
fn a_heap_of_bad_blocks_is_looked_at_until_its_sender_is_banned() {
    let limits = Limits { bad_blocks: 3, ..Limits::default() };
    let mut bench = Bench::with_limits(sealed(), limits);
    let previous = PreviousHash::Hash(bench.chain().tip_hash());
    let junk: Vec<_> =
        (0..1000).map(|proof| Block::new(7, Timestamp::integer(0), [], proof, previous)).collect();
    let lines = bench.announce(1, Told::Blocks(junk.into()));
    let mut expected = vec!["rejected from 1: block 2 Index"; 3];
    expected.push("banned 1");
    assert_eq!(lines, expected);
}

#[test]
fn a_block_without_a_parent_is_ignored() {
    let mut bench = connected();
    let genesis = bench.chain();
    assert_eq!(bench.announce(1, genesis.clone()), [format!("to 1: {}", has(&genesis))]);
    let wrong = Block::new(1, Timestamp::integer(0), [], 100, PreviousHash::NumberOne);
    assert_eq!(bench.announce(1, wrong), ["rejected from 1: block 1 ForeignGenesis"]);
    let foreign = Blockchain::start(&sealed(), START + seconds(1.0));
    let other = Rules { genesis: Rules::notebook().genesis, ..sealed() };
    let other = Blockchain::start(&other, START + seconds(1.0));
    assert_eq!(foreign, bench.chain());
    assert_eq!(bench.announce(1, other), ["ignored from 1: blocks that follow none that is known"]);
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
fn transactions_are_told_once() {
    let mut bench = connected();
    assert_eq!(
        bench.submit(Transaction::new("alice", "bob", 5)),
        ["to all: transaction of 5", "answer 2: block 2"]
    );
    let heard = transfer("bob", 0, 6);
    let hear = |bench: &mut Bench, transaction: &Transaction| {
        bench.hear(1, Message::Transaction(transaction.clone()))
    };
    assert_eq!(hear(&mut bench, &heard), ["to all but 1: transaction of 6"]);
    assert_eq!(hear(&mut bench, &heard), ["ignored from 1: unwanted transaction"]);
    let unwanted = [
        transfer("alice", 0, 7),
        transfer("bob", 1, 95),
        Transaction::reward("me", 50),
        // A peer's transaction gets no nonce here: another node would give it another.
        Transaction::new("carol", "bob", 1),
    ];
    for transaction in unwanted {
        assert_eq!(hear(&mut bench, &transaction), ["ignored from 1: unwanted transaction"]);
    }
    assert_eq!(bench.pending(), [5, 6]);
    // What is mined is not wanted again.
    bench.command(Command::Mine);
    bench.find();
    assert_eq!(hear(&mut bench, &heard), ["ignored from 1: unwanted transaction"]);
}

/// Without accounts nobody can tell a transaction from its copy.
#[test]
fn without_accounts_transactions_are_not_told() {
    let rules = Rules { accounts: false, genesis: Rules::notebook().genesis, ..sealed() };
    let mut bench = Bench::with_peers(rules, 1);
    let transaction = Transaction::new("alice", "bob", 5);
    assert_eq!(bench.submit(transaction.clone()), ["answer 2: block 2"]);
    let ignored = ["ignored from 1: the rules know no gossip"];
    assert_eq!(bench.hear(1, Message::Transaction(transaction)), ignored);
}
