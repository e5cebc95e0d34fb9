//! Blocks told of by less than the block: by their hashes, or compactly.

use chainlab::{Blockchain, Input, Message, Relay, RequestId, Rules, Told, Transaction};

use crate::bench::{Bench, bare, blocks, grown, grown_by, has, name, peer, sealed, tip, transfer};

fn bench(relay: Relay) -> Bench {
    Bench::with_peers(Rules { relay, ..sealed() }, 3)
}

fn announced(chain: &Blockchain) -> Message {
    Message::Announce { block: chain.tip_hash(), position: chain.len() }
}

fn compact(chain: &Blockchain) -> Message {
    Message::CompactBlock(chain.clone().into())
}

/// That a peer is asked for a block, and until when alone.
fn asked(peer: u32, chain: &Blockchain, request: u64) -> [String; 2] {
    [format!("to {peer}: blocks to {:.6}? #{request}", chain.tip_hash()), "wake at 250ms".into()]
}

const ANNOUNCE: Relay = Relay::Announce;
const COMPACT: Relay = Relay::Compact { fallback_percent: 0 };

#[test]
fn who_lacks_an_announced_block_asks_for_it_and_announces_it() {
    let mut bench = bench(ANNOUNCE);
    let chain = grown(&bench.chain(), bench.rules(), "miner-1", &[]);
    assert_eq!(bench.hear(1, announced(&chain)), asked(1, &chain, 1));
    // Another that tells of the same is asked if the first is slow, and not before.
    assert_eq!(bench.hear(2, announced(&chain)), [""; 0]);
    let lines = blocks(&mut bench, 1, 1, 1, bare(&chain, 1));
    assert!(lines.contains(&"accepted 2 from 1".into()), "{lines:?}");
    let news = format!("to all but 1: announces 2 {:.6}", chain.tip_hash());
    assert!(lines.contains(&news), "{lines:?}");
    assert!(lines.contains(&format!("to 1: {}", has(&chain))), "{lines:?}");
    assert_eq!(bench.chain(), chain);
    // What is known is acknowledged, and asked for by nobody.
    assert_eq!(bench.hear(1, announced(&chain)), [format!("to 1: {}", has(&chain))]);
}

/// Even where no link loses anything and nothing else is to be done.
#[test]
fn a_whole_block_is_told_on_in_the_way_of_the_rules() {
    for relay in [ANNOUNCE, COMPACT, Relay::Push] {
        let mut bench = bench(relay);
        for other in 1..=3 {
            bench.tell(Input::LinkLoses(peer(other), false));
        }
        let chain = grown(&bench.chain(), bench.rules(), "miner-1", &[]);
        let news = match relay {
            Relay::Announce => format!("announces 2 {:.6}", chain.tip_hash()),
            Relay::Compact { .. } => format!("compact block {}", name(&chain)),
            _ => format!("new block {}", name(&chain)),
        };
        let expected = ["accepted 2 from 1".to_owned(), format!("to all but 1: {news}")];
        assert_eq!(bench.announce(1, chain.clone()), expected);
    }
}

#[test]
fn an_announced_branch_comes_whole() {
    let mut bench = bench(ANNOUNCE);
    let chain = grown_by(&bench.chain(), &bench.rules().clone(), "miner-1", 5);
    assert_eq!(bench.hear(3, announced(&chain)), asked(3, &chain, 1));
    blocks(&mut bench, 3, 1, 1, chain.clone());
    assert_eq!(bench.chain(), chain);
}

#[test]
fn a_peer_that_announces_and_does_not_answer_is_passed_over() {
    let mut bench = bench(ANNOUNCE);
    let chain = grown(&bench.chain(), bench.rules(), "miner-1", &[]);
    bench.hear(1, announced(&chain));
    bench.hear(2, announced(&chain));
    assert!(bench.pass(0.25).contains(&asked(2, &chain, 2)[0]));
    blocks(&mut bench, 2, 2, 1, chain.clone());
    assert_eq!(bench.chain(), chain);
}

#[test]
fn an_announcement_of_nothing_costs_a_question() {
    let mut bench = bench(ANNOUNCE);
    for number in 0..1000_u64 {
        let block = chainlab::BlockHash::of(&number.to_be_bytes());
        let position = if number % 2 == 0 { number } else { u64::MAX };
        let lines = bench.hear(1, Message::Announce { block, position });
        assert!(lines.len() <= 2, "{lines:?}");
    }
    // The others are heard all the same.
    let chain = grown(&bench.chain(), bench.rules(), "miner-1", &[]);
    let lines = bench.hear(2, announced(&chain));
    let is_asked = |lines: &[String]| lines.iter().any(|line| line.starts_with("to 2: blocks to"));
    assert!(is_asked(&lines) || is_asked(&bench.pass(0.25)), "{lines:?}");
}

#[test]
fn a_compact_block_is_made_of_what_is_pending() {
    let payment = transfer("alice", 0, 5);
    let rules = Rules { relay: COMPACT, ..sealed() };
    for form in [Told::from as fn(Blockchain) -> Told, |chain| tip(&chain)] {
        let mut bench = bench(COMPACT);
        let chain = grown(&bench.chain(), &rules, "miner-1", std::slice::from_ref(&payment));
        // Who lacks the payment asks for the block.
        assert_eq!(bench.hear(1, Message::CompactBlock(form(chain.clone()))), asked(1, &chain, 1));
        blocks(&mut bench, 1, 1, 1, chain.clone());
        assert_eq!(bench.chain(), chain);

        let mut bench = self::bench(COMPACT);
        bench.submit(payment.clone());
        let lines = bench.hear(1, Message::CompactBlock(form(chain.clone())));
        assert!(lines.contains(&"accepted 2 from 1".into()), "{lines:?}");
        assert!(lines.contains(&format!("to all but 1: compact block {}", name(&chain))), "{lines:?}");
    }
}

#[test]
fn compact_blocks_fall_back_as_often_as_is_stated() {
    let rules = |fallback_percent| Rules { relay: Relay::Compact { fallback_percent }, ..sealed() };
    let falls_back = |percent, miner: u32| {
        let mut bench = Bench::with_peers(rules(percent), 1);
        let chain = grown(&bench.chain(), &rules(percent), &format!("miner-{miner}"), &[]);
        bench.hear(1, compact(&chain)) == asked(1, &chain, 1)
    };
    let count = |percent| (0..400).filter(|miner| falls_back(percent, *miner)).count();
    assert_eq!((count(0), count(100)), (0, 400));
    // Four standard deviations of 400 draws.
    assert!((85..=155).contains(&count(30)), "{}", count(30));
}

#[test]
fn a_compact_block_takes_a_64th_of_its_bytes() {
    let rules = Rules { relay: COMPACT, ..sealed() };
    let payments: Vec<_> = (0..100).map(|nonce| transfer("alice", nonce, 1)).collect();
    let chain = grown(&bench(COMPACT).chain(), &rules, "miner-1", &payments);
    let whole = Message::NewBlock(chain.clone().into()).size() - 16;
    assert_eq!(compact(&chain).size(), 16 + 80 + whole / 64);
    assert_eq!(announced(&chain).size(), 16 + 40);
    // What holds the whole block counts as that.
    assert_eq!(Message::CompactBlock(tip(&chain)).size(), 16 + 80 + whole);
}

#[test]
fn an_empty_compact_block_is_ignored() {
    let mut bench = bench(COMPACT);
    let nothing = Message::CompactBlock(Told::Blocks([].into()));
    assert_eq!(bench.hear(1, nothing), ["ignored from 1: blocks that follow none that is known"]);
    let question = Message::BlocksRequest {
        request: RequestId(7),
        wanted: bench.chain().tip_hash(),
        locator: [].into(),
    };
    assert_eq!(bench.hear(1, question).len(), 1);
    assert!(bench.submit(Transaction::new("alice", "bob", 1)).len() > 1);
}
