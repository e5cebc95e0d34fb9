//! Whatever is said, in whatever order: a node neither panics nor loses what it had, and says no more than it should.

use chainlab::{
    Block, BlockHash, Blockchain, Inventory, Limits, Message, PreviousHash, RequestId, Rules, Timestamp,
    Told, Transaction,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::lab::{FRIEND, LIAR, Lab, START, grown_by, honest, rules};

/// Any number, above all those at the edges.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..12_u64,
        1 => Just(u64::MAX),
        1 => Just(u64::MAX - 1),
        1 => Just(1 << 63),
        1 => any::<u64>(),
    ]
}

fn address() -> impl Strategy<Value = String> {
    let known = select(vec!["alice", "bob", "rich", "miner", "0", ""]).prop_map(str::to_owned);
    prop_oneof![6 => known, 1 => any::<String>(), 1 => (70..2000_usize).prop_map(|count| "é".repeat(count))]
}

fn transaction() -> impl Strategy<Value = Transaction> {
    (address(), address(), number(), prop::option::weighted(0.8, number())).prop_map(
        |(sender, recipient, amount, nonce)| {
            let transaction = Transaction::new(sender, recipient, amount);
            nonce.into_iter().fold(transaction, Transaction::with_nonce)
        },
    )
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (0..200_000_000_u64).prop_map(|micros| Timestamp::from_micros(1_000_000_000_000 + micros)),
        number().prop_map(Timestamp::from_micros),
        any::<i64>().prop_map(Timestamp::integer),
        any::<f64>().prop_map(|seconds| Timestamp::float(seconds).unwrap_or(Timestamp::integer(0))),
    ]
}

/// What there is to lie with: chains that share much, and all their hashes.
#[derive(Debug, Clone)]
struct World {
    chains: Vec<Blockchain>,
    hashes: Vec<BlockHash>,
}

fn world(rules: &Rules) -> World {
    let chain = honest(rules);
    let better = grown_by(&chain, rules, 2.0, 4);
    let fork = grown_by(&chain.at(5).unwrap(), rules, 1.5, 5);
    let lenient = Rules { payments_max: 2, ..rules.clone() };
    let foreign = grown_by(&chain.verify(&lenient).unwrap(), &lenient, 0.5, 3);
    let elsewhere = Blockchain::start(rules, START).unwrap().verify(rules).unwrap();
    let chains = vec![chain, better, fork, foreign, elsewhere];
    let mut hashes = vec![BlockHash::of(b"nowhere")];
    for chain in &chains {
        hashes.extend((1..=chain.len()).map(|position| chain.at(position).unwrap().tip_hash()));
    }
    World { chains, hashes }
}

fn block(world: &World) -> impl Strategy<Value = Block> + use<> {
    let blocks: Vec<_> = world.chains.iter().flat_map(|chain| chain.iter().cloned()).collect();
    let previous_hash = prop_oneof![
        1 => Just(PreviousHash::NumberOne),
        1 => Just(PreviousHash::TextOne),
        8 => select(world.hashes.clone()).prop_map(PreviousHash::Hash),
    ];
    let made = (number(), timestamp(), vec(transaction(), 0..6), number(), previous_hash).prop_map(
        |(index, timestamp, transactions, proof, previous_hash)| {
            Block::new(index, timestamp, transactions, proof, previous_hash)
        },
    );
    prop_oneof![select(blocks), made]
}

/// A document, or one that is spoilt in one place.
fn document(world: &World) -> impl Strategy<Value = String> + use<> {
    let chains = world.chains.iter().map(Blockchain::to_json);
    let blocks = world.chains.iter().map(|chain| chain.last_block().canonical_json());
    let texts: Vec<_> = chains.chain(blocks).collect();
    (select(texts), any::<prop::sample::Index>(), prop::option::of("[0-9\"{}\\[\\],:eE.xé-]{1,3}")).prop_map(
        |(text, at, spoilt)| match spoilt {
            None => text,
            Some(spoilt) => {
                let at = at.index(text.len());
                format!("{}{spoilt}{}", &text[..at], &text[at + 1..])
            }
        },
    )
}

fn told(world: &World) -> impl Strategy<Value = Told> + use<> {
    let chain = (select(world.chains.clone()), number())
        .prop_map(|(chain, at)| Told::Chain(chain.at(at).unwrap_or(chain)));
    let part = (select(world.chains.clone()), number())
        .prop_map(|(chain, after)| Told::Blocks(chain.iter_after(after).cloned().collect()));
    let blocks = vec(block(world), 0..4).prop_map(|blocks| Told::Blocks(blocks.into()));
    prop_oneof![chain, part, blocks, document(world).prop_map(|text| Told::Document(text.into()))]
}

fn message(world: &World) -> impl Strategy<Value = Message> + use<> {
    let request = || number().prop_map(RequestId);
    let hash = || select(world.hashes.clone());
    prop_oneof![
        1 => request().prop_map(|request| Message::ChainRequest { request }),
        4 => (request(), told(world)).prop_map(|(request, chain)| Message::Chain { request, chain }),
        8 => told(world).prop_map(Message::NewBlock),
        2 => (request(), hash(), vec((number(), hash()), 0..70)).prop_map(|(request, wanted, locator)| {
            Message::BlocksRequest { request, wanted, locator: locator.into() }
        }),
        6 => (request(), number(), told(world))
            .prop_map(|(request, after, blocks)| Message::Blocks { request, after, blocks }),
        1 => hash().prop_map(|block| Message::Acknowledge { block }),
        4 => (request(), vec(transaction(), 0..4)).prop_map(|(request, transactions)| {
            Message::Transactions { request, transactions: transactions.into() }
        }),
        2 => (request(), any::<bool>(), prop::option::of(0..3_u64), vec(transaction(), 0..4)).prop_map(
            |(request, is_anew, acknowledge, transactions)| inventory(request, is_anew, acknowledge, &transactions)
        ),
        1 => (request(), vec(transaction(), 0..4)).prop_map(|(request, transactions)| {
            let wanted = transactions.iter().map(Transaction::hash).collect();
            Message::TransactionsRequest { request, wanted }
        }),
        1 => request().prop_map(|request| Message::AcknowledgeInventory { request }),
        1 => Just(Message::InventoryRequest),
    ]
}

fn inventory(
    request: RequestId,
    is_anew: bool,
    acknowledge: Option<u64>,
    transactions: &[Transaction],
) -> Message {
    let hashes = transactions.iter().map(Transaction::hash).collect();
    Message::Inventory(Inventory { request, is_anew, acknowledge, hashes })
}

fn check(rules: &Rules, messages: &[(bool, Message)]) -> Result<(), TestCaseError> {
    let limits = Limits { bad_blocks: u32::MAX, ..Limits::default() };
    let mut lab = Lab::with_limits(&honest(rules), rules, limits);
    for (at, (is_friend, message)) in messages.iter().enumerate() {
        let from = if *is_friend { FRIEND } else { LIAR };
        message.size();
        // Some answers are to questions that were asked.
        let message = match (message.clone(), lab.asked()) {
            (Message::Blocks { after, blocks, .. }, Some((_, request))) => {
                Message::Blocks { request, after, blocks }
            }
            (Message::Chain { chain, .. }, _) if at % 2 == 0 => {
                Message::Chain { request: lab.resolve(), chain }
            }
            (message, _) => message,
        };
        if let (Message::Transactions { request, transactions }, true) = (&message, at % 2 == 0) {
            lab.hear(from, inventory(*request, false, Some(0), transactions));
        }
        for happening in lab.hear(from, message) {
            prop_assert!(format!("{happening:?}").len() < 1000, "{happening:?}");
        }
        lab.pass(std::time::Duration::from_millis(50 * at as u64));
    }
    let text = lab.chain().to_json();
    prop_assert_eq!(Blockchain::from_json(&text, rules).map_err(|error| error.to_string()), Ok(lab.chain()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_that_is_said_harms_a_node(messages in {
        let world = world(&rules());
        vec((any::<bool>(), message(&world)), 1..24)
    }) {
        check(&rules(), &messages)?;
    }
}
