//! Gossip under the sealed rules: blocks told of, asked for, waited for, and refused.

use chainlab::{Blockchain, Command, Input, Told};

use crate::bench::{acknowledge, connected, grown, grown_by, has, name, peer, sealed, seconds, tip};

#[test]
fn a_new_block_is_told_to_all_but_its_source_in_one_effect() {
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
    bench.pass(0.5);
    assert_eq!(bench.wake_at, Some(bench.now + seconds(1.0)), "the doubling starts anew");
    // The acknowledgement of an older tip says nothing of this one.
    for number in 1..=3 {
        assert_eq!(bench.hear(number, acknowledge(&old)), [""; 0]);
    }
    for number in 1..3 {
        assert_eq!(bench.hear(number, acknowledge(&bench.chain())), [""; 0]);
    }
    assert_eq!(bench.hear(3, acknowledge(&bench.chain())), ["wake never"]);
}

/// From then on nobody acknowledges what comes. What was said before may be lost, and so may the answers to it.
#[test]
fn who_is_not_known_to_have_the_tip_is_told_of_it_when_nothing_is_lost_any_more() {
    let mut bench = connected();
    bench.command(Command::Mine);
    bench.find();
    let chain = bench.chain();
    bench.hear(1, acknowledge(&chain));
    assert_eq!(bench.tell(Input::LinkLoses(peer(1), false)), [""; 0], "it has it");
    let told = format!("to 2: new block {}", name(&chain));
    assert_eq!(bench.tell(Input::LinkLoses(peer(2), false)), [told]);
    assert_eq!(bench.tell(Input::LinkLoses(peer(2), false)), [""; 0], "that is no news");
    // Only the third is told again.
    assert_eq!(bench.pass(0.5)[..1], [format!("to 3: new block {}", name(&chain))]);
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

/// So a driver need not bring it.
#[test]
fn of_a_block_that_is_told_again_over_a_link_that_loses_nothing_nothing_comes() {
    let mut bench = connected();
    bench.tell(Input::LinkLoses(peer(1), false));
    let block = grown(&bench.chain(), &sealed(), "miner", &[]);
    bench.announce(1, block.clone());
    bench.command(Command::Resolve);
    bench.now += seconds(5.0);
    assert_eq!(bench.announce(1, block), [""; 0], "not even what is due");
    assert!(!bench.is_settled());
    assert_eq!(bench.tell(Input::Wake)[0], "resolved false, silent 3");
}

/// However little a block on top of the tip leaves to think about.
#[test]
fn what_is_due_when_a_block_comes_comes_with_it() {
    let mut bench = connected();
    for number in 1..=3 {
        bench.tell(Input::LinkLoses(peer(number), false));
    }
    bench.command(Command::Resolve);
    let chain = grown(&bench.chain(), &sealed(), "miner-1", &[]);
    bench.now += seconds(5.0);
    let effects = bench.announce(1, chain);
    assert!(effects.contains(&"resolved false, silent 3".to_owned()), "{effects:?}");
    assert!(bench.is_settled());
}
