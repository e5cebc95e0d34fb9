//! Every kind of message, in every form, that is of no use.

use std::{sync::Arc, time::Duration};

use chainlab::{Block, Blockchain, Inventory, Message, RequestId, Told, Transaction};

use crate::lab::{Asked, BLOCKS, Lab, START, block, block_at, nowhere, payment};

/// How many transactions fill a block, and how many one does that is as long written out.
pub(crate) const FULL: u64 = 1_000;
const QUARTER: u64 = 250;
/// What nobody asked for answers.
const REQUEST: RequestId = RequestId(u64::MAX);

type Junk = Vec<(String, Asked, Vec<Message>)>;

/// So many transactions, each of some 150 bytes if the letter is one.
fn many(letter: &str, transactions: u64) -> Vec<Transaction> {
    let payment = |nonce| Transaction::new("alice", letter.repeat(80), 1).with_nonce(nonce);
    (1..transactions).map(payment).chain([Transaction::reward("miner", 50)]).collect()
}

fn document(block: &Block) -> Told {
    Told::Document(block.canonical_json().into())
}

/// A form that a chain is told in.
struct Form {
    name: &'static str,
    /// The position after which its blocks begin, in an answer about missing blocks.
    after: u64,
    write: fn(&Blockchain, u64) -> Told,
}

const FORMS: [Form; 3] = [
    Form { name: "shared", after: 1, write: |chain, _| chain.clone().into() },
    Form {
        name: "bare",
        after: 1,
        write: |chain, after| Told::Blocks(chain.iter_after(after).cloned().collect()),
    },
    Form { name: "document", after: 0, write: |chain, _| Told::Document(chain.to_json().into()) },
];

/// Fifty full blocks whose parents are nowhere.
fn strays(is_met: bool) -> Vec<Block> {
    (0..50).map(|number| block(BLOCKS + 1, nowhere(number), many("x", FULL), is_met)).collect()
}

fn each(blocks: impl IntoIterator<Item = impl Into<Told>>) -> Vec<Message> {
    blocks.into_iter().map(|block| Message::NewBlock(block.into())).collect()
}

fn compact(blocks: Vec<Block>) -> Vec<Message> {
    blocks.into_iter().map(|block| Message::CompactBlock(block.into())).collect()
}

fn again(told: Told) -> Vec<Message> {
    vec![Message::NewBlock(told); 50]
}

impl Lab {
    pub(crate) fn junk(&self) -> Junk {
        let mut junk = self.chains();
        junk.extend(self.blocks());
        junk.extend(of_long_letters());
        junk.extend(self.announcements());
        junk.extend(transactions());
        junk
    }

    fn chains(&self) -> Junk {
        let chain_of = |told: Told| Message::Chain { request: REQUEST, chain: told };
        let blocks_of = |told: Told| Message::Blocks { request: REQUEST, after: 1, blocks: told };
        let question = Message::ChainRequest { request: REQUEST };
        let mut junk = vec![("question for the chain".into(), Asked::Nothing, vec![question; 1000])];
        let known = vec![self.chain.clone(); self.worse.len()];
        for Form { name: form, after, write } in FORMS {
            let chains = |chains: &[Blockchain]| -> Vec<_> {
                chains.iter().map(|chain| chain_of(write(chain, 0))).collect()
            };
            let blocks = |chains: &[Blockchain]| -> Vec<_> {
                chains.iter().map(|chain| blocks_of(write(chain, after))).collect()
            };
            junk.push((format!("unasked chain, {form}"), Asked::Nothing, chains(&known)));
            junk.push((format!("unasked blocks, {form}"), Asked::Nothing, blocks(&known)));
            for (what, of) in [("known", &known), ("worse", &self.worse), ("foreign", &self.foreign)] {
                junk.push((format!("{what} chain, {form}"), Asked::Chains, chains(of)));
                junk.push((format!("{what} blocks, {form}"), Asked::Blocks, blocks(of)));
            }
        }
        junk
    }

    fn blocks(&self) -> Junk {
        let tip = self.chain.last_block();
        let next = |is_met| block(BLOCKS + 1, self.chain.tip_hash(), many("x", FULL), is_met);
        let parent = self.chain.at(BLOCKS - 1).expect("it is that long").tip_hash();
        let reward = |miner: u64| vec![Transaction::reward(format!("liar-{miner}"), 50)];
        let beside = (0..50).map(|miner| block(BLOCKS, parent, reward(miner), true));
        let future = START + Duration::from_secs(100_000);
        let early =
            (0..50).map(|miner| block_at(future, BLOCKS + 1, self.chain.tip_hash(), reward(miner), true));
        let broken = format!("{}x", &next(false).canonical_json()[..100_000]);
        let rows = [
            ("known block, shared", again(self.chain.clone().into())),
            ("known block, bare", again(tip.clone().into())),
            ("known block, document", again(document(tip))),
            ("next block without work, bare", again(next(false).into())),
            ("next block without work, document", again(document(&next(false)))),
            ("next block that pays what nobody has, bare", again(next(true).into())),
            ("next block of the future, bare", each(early)),
            ("block beside the tip, bare", each(beside)),
            ("foreign block, shared", each(self.foreign.clone())),
            ("compact foreign block, shared", vec![Message::CompactBlock(self.full.clone().into()); 50]),
            ("stray block without work, bare", each(strays(false))),
            ("stray block without work, document", each(strays(false).iter().map(document))),
            ("stray block with work, bare", each(strays(true))),
            ("compact stray block without work, bare", compact(strays(false))),
            ("compact stray block with work, bare", compact(strays(true))),
            ("broken document", again(Told::Document(broken.into()))),
            ("brackets", again(Told::Document("[".repeat(100_000).into()))),
        ];
        rows.map(|(name, messages)| (name.into(), Asked::Nothing, messages)).into()
    }

    fn announcements(&self) -> Junk {
        let locator: Arc<[_]> = (0..64).map(|at| (1 + at * (BLOCKS / 64), nowhere(at))).collect();
        let question = Message::BlocksRequest { request: REQUEST, wanted: nowhere(1), locator };
        let announced = (0..1000).map(|at| Message::Announce { block: nowhere(at), position: at });
        let rows = [
            ("question for blocks", vec![question; 1000]),
            ("announcement of nothing", announced.collect()),
            ("acknowledgement", vec![Message::Acknowledge { block: nowhere(1) }; 1000]),
        ];
        rows.map(|(name, messages)| (name.into(), Asked::Nothing, messages)).into()
    }
}

/// What takes more as canonical JSON than in a document, or is escaped in both.
fn of_long_letters() -> Junk {
    let written_out = |block: &Block| {
        let text = block.canonical_json().replace("\\u00e9", "é").replace("\\u007f", "\u{7f}");
        Told::Document(text.into())
    };
    let mut junk = Vec::new();
    for (name, letter) in
        [("foreign letters", "é"), ("deletes", "\u{7f}"), ("quotes", "\""), ("controls", "\u{1}")]
    {
        let stray = block(BLOCKS + 1, nowhere(0), many(letter, QUARTER), false);
        let text = written_out(&stray);
        junk.push((format!("stray block of {name}, bare"), Asked::Nothing, again(stray.into())));
        junk.push((format!("stray block of {name}, document"), Asked::Nothing, again(text)));
    }
    let deletes = (0..50).map(|number| block(BLOCKS + 1, nowhere(number), many("\u{7f}", QUARTER), true));
    let deletes = each(deletes.map(|block| written_out(&block)));
    junk.push(("stray block of deletes with work, document".into(), Asked::Nothing, deletes));
    let long = Transaction::new("alice", "x".repeat(150_000), 1).with_nonce(0);
    let long = block(BLOCKS + 1, nowhere(0), vec![long, Transaction::reward("miner", 50)], false);
    junk.push(("stray block of a long address".into(), Asked::Nothing, again(long.into())));
    junk
}

fn inventory(number: u64, transactions: &[Transaction]) -> Message {
    let hashes = transactions.iter().map(Transaction::hash).collect();
    Message::Inventory(Inventory { request: RequestId(number), is_anew: true, acknowledge: Some(0), hashes })
}

fn answer(number: u64, transactions: &[Transaction]) -> Message {
    Message::Transactions { request: RequestId(number), transactions: transactions.into() }
}

fn transactions() -> Junk {
    let all = |sender| (0..256).map(|nonce| payment(sender, nonce)).collect::<Vec<_>>();
    let (nobody, alice) = (all("nobody"), all("alice"));
    let pairs = |transactions: &[Transaction]| {
        let pair = |number| [inventory(number, transactions), answer(number, transactions)];
        (0..100).flat_map(pair).collect::<Vec<_>>()
    };
    let question = |transactions: &[Transaction]| {
        let wanted = transactions.iter().map(Transaction::hash).collect();
        vec![Message::TransactionsRequest { request: REQUEST, wanted }; 100]
    };
    let long = Transaction::new("x".repeat(100_000), "bob", 1).with_nonce(0);
    let judged = Message::AcknowledgeInventory { request: REQUEST };
    let unasked = [
        ("inventory", (0..100).map(|number| inventory(number, &nobody)).collect()),
        ("inventory, again and again", vec![inventory(1, &nobody); 100]),
        ("inventory of what is pending", (0..100).map(|number| inventory(number, &alice)).collect()),
        ("unasked transactions", vec![answer(1, &nobody); 100]),
        ("question for transactions that are not there", question(&nobody)),
        ("question for transactions that are pending", question(&alice)),
        ("acknowledged inventory", vec![judged; 1000]),
        ("question to be told anew", vec![Message::InventoryRequest; 1000]),
    ];
    let pairs = [
        ("inventory and transactions of nobody", pairs(&nobody)),
        ("inventory and a transaction of a long address", pairs(&[long])),
    ];
    let row = |asked| move |(name, messages): (&str, Vec<Message>)| (name.to_owned(), asked, messages);
    unasked.map(row(Asked::Nothing)).into_iter().chain(pairs.map(row(Asked::ByInventory))).collect()
}
