//! A flood: one peer says a million things that nobody wants to hear, to a node that goes on mining, as do the others.
//!
//! Nothing is measured in time. The flood goes on until all has been seen that must go on during it, and until so many
//! messages were sent: a million, or with `CHAINLAB_LONG=1` a hundred million, which takes minutes:
//!
//! ```text
//! CHAINLAB_LONG=1 cargo test --release --test flood
//! ```

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use chainlab::{
    Block, BlockHash, Blockchain, Difficulty, Genesis, Happening, Inventory, Message, Network, NodeId,
    PreviousHash, RequestId, Rules, Timestamp, Told, Transaction, TransactionHash,
    network::{Config, HashRate},
    pow::{Challenge, Search, Target},
    wire::{Latency, Link, Topology},
};
use parking_lot::{Mutex, MutexGuard};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far beyond what any of it takes; nothing waits for it unless something hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// What all nodes together may take in addition while one is flooded: a small part of what the flood would, were it kept.
const MEMORY_MAX: usize = 8_000_000;
/// How many messages of a sender wait.
const UNREAD_MAX: u32 = 256;

fn messages_at_least() -> u64 {
    if std::env::var_os("CHAINLAB_LONG").is_some() { 100_000_000 } else { 1_000_000 }
}

/// The sealed rules at a target that one in 16384 hashes meets, whatever the hash rate.
fn rules() -> Rules {
    let target = Target::leading_zero_bits(14);
    let allocations = [("alice".into(), 1_000_000)].into();
    Rules {
        difficulty: Difficulty::Fixed(target),
        genesis: Genesis::Shared { time: None, allocations },
        ..Rules::sealed()
    }
}

/// All kinds of junk, none of which is a bad block.
fn junk(chain: &Blockchain) -> Vec<Message> {
    let nowhere = |number: u64| BlockHash::of(&number.to_be_bytes());
    let mut junk = Vec::new();
    for number in 0..500 {
        let request = RequestId(u64::MAX - number);
        let parent = PreviousHash::Hash(nowhere(number));
        let reward = Transaction::reward("nobody", rules().reward);
        let orphan = Block::new(number, Timestamp::integer(1), [reward], 0, parent);
        let challenge = Challenge::Sealed { digest: orphan.digest() };
        let proof = Search::new(challenge, rules().difficulty.easiest_target()).run(u64::MAX);
        let orphan = orphan.with_proof(proof.unwrap().expect("it is found long before the numbers end"));
        let long: String = "x".repeat(10_000);
        let spends = [
            Transaction::new(long, "nobody", number + 1).with_nonce(number),
            Transaction::new("alice", "bob", 5),
        ];
        let hashes = spends.iter().map(Transaction::hash).collect();
        junk.extend([
            Message::ChainRequest { request },
            Message::Chain { request, chain: chain.clone().into() },
            Message::Blocks { request, after: number, blocks: chain.clone().into() },
            Message::Blocks { request, after: number, blocks: orphan.clone().into() },
            Message::NewBlock(chain.clone().into()),
            Message::NewBlock(orphan.into()),
            Message::NewBlock(Told::Blocks([].into())),
            Message::Acknowledge { block: nowhere(number) },
            Message::Acknowledge { block: chain.tip_hash() },
            Message::BlocksRequest {
                request,
                wanted: nowhere(number),
                locator: (0..100).map(|position| (position, nowhere(position))).collect(),
            },
            // The second is the answer to what the node asks on the first.
            Message::Inventory(Inventory { request, is_anew: true, acknowledge: Some(0), hashes }),
            Message::Transactions { request, transactions: spends.into() },
            Message::Inventory(Inventory {
                request,
                is_anew: false,
                acknowledge: number.is_multiple_of(2).then_some(0),
                hashes: (0..500)
                    .map(|other| TransactionHash::from_bytes(*nowhere(other).as_bytes()))
                    .collect(),
            }),
            Message::TransactionsRequest {
                request,
                wanted: [TransactionHash::from_bytes(*nowhere(number).as_bytes())].into(),
            },
            Message::AcknowledgeInventory { request },
            Message::InventoryRequest,
        ]);
    }
    junk
}

/// What has been seen during the flood.
#[derive(Debug, Default)]
struct Seen {
    /// Blocks of others that the flooded node accepted.
    accepted: u32,
    /// Blocks of the flooded node's that another accepted from it.
    mined: u32,
    /// Blocks that nodes accepted which are not flooded.
    elsewhere: u32,
    /// Commands that the flooded node answered.
    answers: u32,
    dropped: u64,
}

impl Seen {
    fn is_enough(&self) -> bool {
        self.accepted >= 5
            && self.mined >= 1
            && self.elsewhere >= 10
            && self.answers >= 20
            && self.dropped > 0
    }
}

fn pour(
    network: &Network,
    (puppet, to): (NodeId, NodeId),
    junk: &[Message],
    sent: &AtomicU64,
    is_over: &AtomicBool,
) {
    for message in junk.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        network.say(puppet, to, message.clone()).unwrap();
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whoever counts memory is alone: the tests of a binary run on several threads.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock()
}

#[test]
fn a_flood_drowns_nobody() {
    let _alone = alone();
    let network = Network::with_config(rules(), Config { unread_max: UNREAD_MAX, ..Config::default() });
    let nodes: Vec<_> = (0..5).map(|_| network.spawn().unwrap()).collect();
    network.join(&Topology::Complete).unwrap();
    let flooded = nodes[0];
    let puppet = network.puppet().unwrap();
    network.connect(flooded, puppet).unwrap();
    network.mine(nodes[1]).unwrap();
    let chain = network.settle(PATIENCE).unwrap().chain().unwrap().clone();
    for &node in &nodes {
        network.start_mining(node, HashRate::per_second(50e3).unwrap()).unwrap();
    }
    let junk = junk(&chain);
    let events = network.events_with_capacity(1000);
    let (sent, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut seen = Seen::default();
    thread::scope(|scope| {
        scope.spawn(|| pour(&network, (puppet, flooded), &junk, &sent, &is_over));
        // It ends in any case, or the scope would wait for it for ever.
        let end = End(&is_over);
        while !seen.is_enough() || sent.load(Ordering::Relaxed) < messages_at_least() {
            let event = events.next_timeout(PATIENCE).expect("something happens");
            match event.what {
                Happening::Accepted { from, .. } if event.node == flooded => {
                    assert_ne!(from, puppet);
                    seen.accepted += 1;
                    assert!(network.chain(flooded).unwrap().len() > 1);
                    seen.answers += 1;
                }
                Happening::Accepted { from, .. } => {
                    seen.elsewhere += 1;
                    seen.mined += u32::from(from == flooded);
                    let transaction = Transaction::new("alice", "bob", 1);
                    network.submit(flooded, transaction).unwrap();
                    seen.answers += 1;
                }
                Happening::Dropped { from } => {
                    assert!([flooded, puppet].contains(&event.node) && from != nodes[1]);
                    seen.dropped += 1;
                }
                Happening::Ignored { .. } | Happening::Mined { .. } | Happening::Reorganised { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        drop(end);
    });
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    println!("{} messages, {peak} bytes, {seen:?}", sent.load(Ordering::Relaxed));
    let kept = sent.load(Ordering::Relaxed) as usize * size_of::<Message>();
    assert!(peak < MEMORY_MAX && kept > 5 * MEMORY_MAX, "{peak} bytes");

    for &node in &nodes {
        network.stop_mining(node).unwrap();
    }
    let settled = (0..20).find_map(|_| {
        network.mine(flooded).unwrap();
        network.settle(Duration::from_secs(5)).ok()
    });
    let settled = settled.expect("all agree on a chain that is strictly ahead");
    assert_eq!(settled.groups[0].nodes, nodes);
    network.shutdown().unwrap();
    let messages = network.report().messages;
    assert_eq!(messages.sent, messages.delivered + messages.dropped + messages.missed, "all are counted");
    assert!(messages.dropped > 0 && messages.sent > sent.load(Ordering::Relaxed));
}

/// A link that is slow, and one that is held, take in what they have room for; the rest is dropped and counted.
#[test]
fn a_flood_on_a_link_that_does_not_deliver_is_bounded() {
    const UNDER_WAY_MAX: u32 = 5_000;
    let _alone = alone();
    let config = Config { unread_max: UNREAD_MAX, under_way_max: UNDER_WAY_MAX, ..Config::default() };
    let network = Network::with_config(rules(), config);
    let nodes: Vec<_> = (0..3).map(|_| network.spawn().unwrap()).collect();
    network.join(&Topology::Complete).unwrap();
    let (slow, held) = (network.puppet().unwrap(), network.puppet().unwrap());
    let an_hour = Latency::fixed(Duration::from_secs(3600));
    network.set_link(slow, nodes[0], Link::default().with_latency(an_hour)).unwrap();
    network.hold(held, nodes[1]).unwrap();
    let junk = junk(&network.chain(nodes[0]).unwrap());
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let messages = messages_at_least() as usize;
    for (message, number) in junk.iter().cycle().zip(0..messages) {
        let (puppet, to) = if number % 2 == 0 { (slow, nodes[0]) } else { (held, nodes[1]) };
        network.say(puppet, to, message.clone()).unwrap();
    }
    // All others are brought by the same thread.
    network.mine(nodes[2]).unwrap();
    assert_eq!(network.settle(PATIENCE).unwrap().chain().unwrap().len(), 2);
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    println!("{messages} messages, {peak} bytes");
    assert!(peak < MEMORY_MAX && messages * size_of::<Message>() > 5 * MEMORY_MAX, "{peak} bytes");
    let dropped = || network.report().messages.dropped;
    assert_eq!(dropped(), messages as u64 - 2 * u64::from(UNDER_WAY_MAX));

    // There is room again for as many as were delivered.
    network.release(held, nodes[1]);
    network.hold(held, nodes[1]).unwrap();
    network.release(held, nodes[1]);
    let request = RequestId(0);
    let is_answered = (0..10_000).any(|_| {
        network.say(held, nodes[1], Message::ChainRequest { request }).unwrap();
        let answer = network.hear(held, Duration::from_millis(100)).unwrap();
        matches!(answer, Some((_, Message::Chain { request: RequestId(0), .. })))
    });
    assert!(is_answered);
    network.shutdown().unwrap();
}

/// Ends the flood when it is dropped.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
