//! What a liar costs: for every kind of message that is of no use, what an honest node spends on it, a message and a
//! byte, and what it keeps.
//!
//! `cargo bench --bench junk`; recorded results are in `junk.md` beside this file. Each line is the median of its
//! messages in the best of several rounds, and stands beside SHA-256 of as many bytes, taken in turns with it: the ratio is held to a bound.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use chainlab::{
    Block, BlockHash, Blockchain, Command, Difficulty, Effect, Genesis, Input, Limits, Message, Node,
    NodeConfig, NodeId, PreviousHash, RequestId, Rules, Ticket, Time, Timestamp, Told, Transaction,
    pow::{Challenge, Search, Target},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const START: Time = Time::from_secs(1_000_000);
const LIAR: NodeId = NodeId::new(1);
/// How many blocks the node has.
const BLOCKS: u64 = 500;
/// A message of at least so many bytes costs at most so many times what hashing it with SHA-256 does. A short message
/// costs what any input does.
const RATIO_MAX: f64 = 25.0;
const LONG: u64 = 1_000;
/// How many transactions fill a block, and how many one does that is as long written out.
const FULL: u64 = 1_000;
const QUARTER: u64 = 250;

fn rules() -> Rules {
    let target = Target::leading_zero_bits(4);
    Rules {
        difficulty: Difficulty::Fixed(target),
        genesis: Genesis::Shared { time: Some(START), allocations: [("alice".into(), 1_000_000)].into() },
        ..Rules::sealed()
    }
}

/// A block that names its parent, with a proof that is met, or one that is not.
fn block(index: u64, parent: BlockHash, transactions: Vec<Transaction>, is_met: bool) -> Block {
    let timestamp = Timestamp::from(START + Duration::from_millis(index));
    let block = Block::new(index, timestamp, transactions, 0, PreviousHash::Hash(parent));
    let challenge = Challenge::Sealed { digest: block.digest() };
    let target = rules().difficulty.first_target();
    let proof = match is_met {
        true => {
            Search::new(challenge, target).run(u64::MAX).expect("it is soon met").expect("it is soon met")
        }
        false => (0..).find(|proof| !challenge.is_met(*proof, target)).expect("most are not"),
    };
    block.with_proof(proof)
}

fn grown(chain: &Blockchain, rules: &Rules, miner: &str, blocks: u64) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| {
        let reward = vec![Transaction::reward(miner, rules.reward)];
        chain
            .append(block(chain.len() + 1, chain.tip_hash(), reward, true), rules)
            .expect("it keeps the rules")
    })
}

/// So many transactions, each of some 150 bytes if the letter is one.
fn many(letter: &str, transactions: u64) -> Vec<Transaction> {
    let payment = |nonce| Transaction::new("alice", letter.repeat(80), 1).with_nonce(nonce);
    (1..transactions).map(payment).chain([Transaction::reward("miner", 50)]).collect()
}

fn document(block: &Block) -> Told {
    Told::Document(block.canonical_json().into())
}

struct Lab {
    node: Node,
    chain: Blockchain,
    worse: Blockchain,
}

/// What is asked before a message that answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Chains,
    /// The messages come in pairs: an inventory, upon which the node asks, and the answer.
    ByInventory,
}

impl Lab {
    fn new() -> Self {
        let rules = Arc::new(rules());
        let start = Blockchain::start(&rules, START).unwrap();
        let chain = grown(&start, &rules, "miner", BLOCKS - 1);
        let worse = grown(&start, &rules, "liar", BLOCKS - 2);
        let limits = Limits { bad_blocks: u32::MAX, ..Limits::default() };
        let mut node = Node::with_config(
            NodeConfig {
                id: NodeId::new(0),
                rules,
                address: "miner".into(),
                limits,
                behaviour: Default::default(),
            },
            START,
        )
        .unwrap();
        let mut lab = Vec::new();
        node.handle(
            now(),
            Input::Command(Ticket(1), Command::Register(vec![LIAR, NodeId::new(2)])),
            &mut lab,
        );
        for position in 2..=BLOCKS {
            let told = chain.at(position).expect("it is that long");
            node.handle(
                now(),
                Input::Message(NodeId::new(2), Message::NewBlock(told.into())),
                &mut Vec::new(),
            );
        }
        assert_eq!(node.chain(), &chain);
        Self { node, chain, worse }
    }

    /// Hands a node the messages, which answer what it asked; returns the median time that one of them took, as those
    /// that were interrupted took far more, and the bytes that are kept.
    fn time(&self, asked: Asked, messages: &[Message]) -> (Duration, usize) {
        let mut node = self.node.clone();
        let mut effects = Vec::new();
        let mut times = Vec::new();
        let before = ALLOCATOR.current_usage();
        for message in messages {
            let mut message = message.clone();
            if let (Asked::Chains, Message::Chain { request, .. }) = (asked, &mut message) {
                node.handle(now(), Input::Command(Ticket(2), Command::Resolve), &mut effects);
                *request = effects.iter().find_map(question).expect("it asks its peers");
                effects.clear();
            }
            let start = Instant::now();
            node.handle(now(), Input::Message(LIAR, message), &mut effects);
            black_box(&effects);
            effects.clear();
            times.push(start.elapsed());
        }
        drop(effects);
        let kept =
            ALLOCATOR.current_usage().saturating_sub(before + times.capacity() * size_of::<Duration>());
        // Of a pair each message takes half of what both do.
        let at_once = if asked == Asked::ByInventory { 2 } else { 1 };
        let mut times: Vec<_> = times.chunks(at_once).map(|each| each.iter().sum::<Duration>()).collect();
        times.sort_unstable();
        (times[times.len() / 2] / at_once as u32, kept)
    }

    /// Every kind of message, in every form, that is of no use.
    fn junk(&self) -> Vec<(&'static str, Asked, Vec<Message>)> {
        let nowhere = |number: u64| BlockHash::of(&number.to_be_bytes());
        let told = |chain: &Blockchain| -> [(&str, Told); 3] {
            let bare = Told::Blocks(chain.iter().cloned().collect());
            [
                ("shared", chain.clone().into()),
                ("bare", bare),
                ("document", Told::Document(chain.to_json().into())),
            ]
        };
        let request = RequestId(u64::MAX);
        let chain_of = |told: Told| vec![Message::Chain { request, chain: told }; 10];
        let blocks_of = |told: Told| vec![Message::Blocks { request, after: 1, blocks: told }; 10];
        let new = |told: Told| vec![Message::NewBlock(told); 50];
        let mut junk = vec![
            ("question for the chain", Asked::Nothing, vec![Message::ChainRequest { request }; 1000]),
            ("acknowledgement", Asked::Nothing, vec![Message::Acknowledge { block: nowhere(1) }; 1000]),
        ];
        for (name, own) in told(&self.chain) {
            let [unasked, blocks, known] = match name {
                "shared" => ["unasked chain, shared", "unasked blocks, shared", "known chain, shared"],
                "bare" => ["unasked chain, bare", "unasked blocks, bare", "known chain, bare"],
                _ => ["unasked chain, document", "unasked blocks, document", "known chain, document"],
            };
            junk.push((unasked, Asked::Nothing, chain_of(own.clone())));
            junk.push((blocks, Asked::Nothing, blocks_of(own.clone())));
            junk.push((known, Asked::Chains, chain_of(own)));
        }
        for (name, worse) in told(&self.worse) {
            let name = match name {
                "shared" => "worse chain, shared",
                "bare" => "worse chain, bare",
                _ => "worse chain, document",
            };
            junk.push((name, Asked::Chains, chain_of(worse)));
        }
        let tip = self.chain.last_block();
        junk.push(("known block, shared", Asked::Nothing, new(self.chain.clone().into())));
        junk.push(("known block, bare", Asked::Nothing, new(tip.clone().into())));
        junk.push(("known block, document", Asked::Nothing, new(document(tip))));
        let next = block(BLOCKS + 1, self.chain.tip_hash(), many("x", FULL), false);
        junk.push(("next block without work, bare", Asked::Nothing, new(next.clone().into())));
        junk.push(("next block without work, document", Asked::Nothing, new(document(&next))));
        let stray =
            |is_met| (0..50).map(move |number| block(BLOCKS + 1, nowhere(number), many("x", FULL), is_met));
        let each = |blocks: Vec<Told>| blocks.into_iter().map(Message::NewBlock).collect::<Vec<_>>();
        junk.push((
            "stray block without work, bare",
            Asked::Nothing,
            each(stray(false).map(Told::from).collect()),
        ));
        junk.push((
            "stray block without work, document",
            Asked::Nothing,
            each(stray(false).map(|block| document(&block)).collect()),
        ));
        junk.push((
            "stray block with work, bare",
            Asked::Nothing,
            each(stray(true).map(Told::from).collect()),
        ));
        // What takes more as canonical JSON than in a document, or is escaped in both.
        let written_out = |text: &str| text.replace("\\u00e9", "é").replace("\\u007f", "\u{7f}");
        for (bare, told, letter) in [
            ("stray block of foreign letters, bare", "stray block of foreign letters, document", "é"),
            ("stray block of deletes, bare", "stray block of deletes, document", "\u{7f}"),
            ("stray block of quotes, bare", "stray block of quotes, document", "\""),
            ("stray block of controls, bare", "stray block of controls, document", "\u{1}"),
        ] {
            let stray = block(BLOCKS + 1, nowhere(0), many(letter, QUARTER), false);
            let text = Told::Document(written_out(&stray.canonical_json()).into());
            junk.push((bare, Asked::Nothing, new(stray.into())));
            junk.push((told, Asked::Nothing, new(text)));
        }
        let deletes = (0..50).map(|number| block(BLOCKS + 1, nowhere(number), many("\u{7f}", QUARTER), true));
        let deletes = deletes.map(|block| Told::Document(written_out(&block.canonical_json()).into()));
        junk.push(("stray block of deletes with work, document", Asked::Nothing, each(deletes.collect())));
        let long = Transaction::new("alice", "x".repeat(150_000), 1).with_nonce(0);
        let long = block(BLOCKS + 1, nowhere(0), vec![long.clone(), Transaction::reward("miner", 50)], false);
        junk.push(("stray block of a long address", Asked::Nothing, new(long.into())));
        let broken = format!("{}x", &next.canonical_json()[..100_000]);
        junk.push(("broken document", Asked::Nothing, new(Told::Document(broken.into()))));
        let brackets = Told::Document("[".repeat(100_000).into());
        junk.push(("brackets", Asked::Nothing, new(brackets)));
        let locator: Arc<[_]> = (0..64).map(|at| (1 + at * (BLOCKS / 64), nowhere(at))).collect();
        let question = Message::BlocksRequest { request, wanted: nowhere(1), locator };
        junk.push(("question for blocks", Asked::Nothing, vec![question; 1000]));
        let compact = stray(true).map(|block| Message::CompactBlock(block.into()));
        junk.push(("compact stray block with work, bare", Asked::Nothing, compact.collect()));
        let announced = (0..1000).map(|at| Message::Announce { block: nowhere(at), position: at });
        junk.push(("announcement of nothing", Asked::Nothing, announced.collect()));
        let payment = |sender: &str, nonce| Transaction::new(sender, "bob", 1).with_nonce(nonce);
        let inventory = |number, transactions: &[Transaction]| {
            let hashes = transactions.iter().map(Transaction::hash).collect();
            Message::Inventory { request: RequestId(number), is_anew: true, hashes }
        };
        let answer = |number, transactions: &[Transaction]| Message::Transactions {
            request: RequestId(number),
            transactions: transactions.into(),
        };
        let many: Vec<_> = (0..256).map(|nonce| payment("nobody", nonce)).collect();
        let told = (0..100).map(|number| inventory(number, &many));
        junk.push(("inventory", Asked::Nothing, told.collect()));
        junk.push(("inventory, again and again", Asked::Nothing, vec![inventory(1, &many); 100]));
        let pairs = |transactions: &[Transaction]| -> Vec<_> {
            (0..100)
                .flat_map(|number| [inventory(number, transactions), answer(number, transactions)])
                .collect()
        };
        junk.push(("inventory and transactions of nobody", Asked::ByInventory, pairs(&many)));
        junk.push(("unasked transactions", Asked::Nothing, vec![answer(1, &many); 100]));
        let long = Transaction::new("x".repeat(100_000), "bob", 1).with_nonce(0);
        junk.push(("inventory and a transaction of a long address", Asked::ByInventory, pairs(&[long])));
        let wanted = many.iter().map(Transaction::hash).collect();
        let question = Message::TransactionsRequest { request, wanted };
        junk.push(("question for transactions", Asked::Nothing, vec![question; 100]));
        let judged = Message::AcknowledgeInventory { request };
        junk.push(("acknowledged inventory", Asked::Nothing, vec![judged; 1000]));
        junk.push(("question to be told anew", Asked::Nothing, vec![Message::InventoryRequest; 1000]));
        junk
    }
}

fn question(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::Relay { message: Message::ChainRequest { request }, .. } => Some(*request),
        _ => None,
    }
}

fn now() -> Time {
    START + Duration::from_secs(100)
}

/// The time that SHA-256 takes for so many bytes.
fn hashing(bytes: u64) -> Duration {
    let text = vec![b'x'; bytes as usize];
    let start = Instant::now();
    black_box(BlockHash::of(black_box(&text)));
    start.elapsed()
}

fn main() {
    // `cargo test` runs benches too, to see that they run.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 7 } else { 1 };
    let lab = Lab::new();
    println!("| junk | bytes | ns a message | ns a byte | times SHA-256 | bytes kept |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut worst = Vec::new();
    for (name, asked, messages) in lab.junk() {
        let bytes = messages.iter().map(Message::size).sum::<u64>() / messages.len() as u64;
        let (mut taken, mut hashed, mut kept) = (Duration::MAX, Duration::MAX, 0);
        for _ in 0..rounds {
            let (time, memory) = lab.time(asked, &messages);
            taken = taken.min(time);
            kept = memory;
            hashed = hashed.min(hashing(bytes));
        }
        let nanos = taken.as_nanos() as f64;
        let (a_byte, ratio) = (nanos / bytes as f64, nanos / hashed.as_nanos() as f64);
        println!("| {name} | {bytes} | {nanos} | {a_byte:.1} | {ratio:.1} | {kept} |");
        if bytes >= LONG && ratio > RATIO_MAX {
            worst.push(name);
        }
    }
    assert!(rounds == 1 || worst.is_empty(), "far more than SHA-256 takes: {worst:?}");
}
