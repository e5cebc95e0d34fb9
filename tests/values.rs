//! Blocks are written and hashed to the byte as Python writes and hashes them.

mod model;

use chainlab::{Block, BlockHash, PreviousHash, Time, Timestamp, Transaction};
use proptest::prelude::*;

/// A block of the golden file, made with Python's own json and hashlib by `tests/python/golden.py`.
struct Golden {
    name: &'static str,
    /// The block as another writer may write it: other order, other separators, fewer escapes.
    written: &'static str,
    /// The text that Python hashes, and its SHA-256.
    canonical: &'static str,
    hash: &'static str,
}

fn goldens() -> Vec<Golden> {
    let file = include_str!("python/blocks.txt");
    let lines: Vec<_> = file.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let golden = |lines: &[&'static str]| {
        let [name, written, canonical, hash] = ["name", "written", "canonical", "hash"].map(|label| {
            let value = lines.iter().find_map(|line| line.strip_prefix(label));
            value.unwrap_or_else(|| panic!("no {label} in {lines:?}")).trim_start_matches(' ')
        });
        Golden { name, written, canonical, hash }
    };
    lines.chunks(4).map(golden).collect()
}

fn golden(name: &str) -> Golden {
    goldens()
        .into_iter()
        .find(|golden| golden.name == name)
        .unwrap_or_else(|| panic!("no golden block {name}"))
}

/// Holds a block that was built field by field against what Python makes of the same fields.
fn assert_golden(name: &str, block: &Block) {
    let golden = golden(name);
    assert_eq!(block.canonical_json(), golden.canonical, "{name}");
    assert_eq!(block.hash().to_string(), golden.hash, "{name}");
}

fn genesis_at(timestamp: Timestamp) -> Block {
    Block::new(1, timestamp, [], 100, PreviousHash::NumberOne)
}

fn block_of(transactions: impl IntoIterator<Item = Transaction>) -> Block {
    let transactions: Vec<_> = transactions.into_iter().collect();
    Block::new(1, Timestamp::float(0.0).unwrap(), transactions, 100, PreviousHash::NumberOne)
}

#[test]
fn every_golden_block_is_read_written_and_hashed_as_by_python() {
    let goldens = goldens();
    assert!(goldens.len() > 90, "the golden file was read to its end");
    for Golden { name, written, canonical, hash } in goldens {
        for text in [written, canonical] {
            let block = Block::from_json(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(block.canonical_json(), canonical, "{name}");
            assert_eq!(block.hash().to_string(), hash, "{name}");
            assert_eq!(serde_json::from_str::<Block>(text).unwrap(), block, "{name}: with serde");
        }
    }
}

#[test]
fn the_model_agrees_with_python() {
    for Golden { name, canonical, hash, .. } in goldens() {
        let block = serde_json::from_str(canonical).unwrap();
        assert_eq!(model::dumps(&block), canonical, "{name}");
        assert_eq!(model::hash(&block), hash, "{name}");
    }
}

#[test]
fn strings_are_escaped_as_by_python() {
    for (name, text) in [
        ("empty strings", ""),
        ("quote", "say \"hello\""),
        ("backslash", "C:\\node\\"),
        ("slash", "https://localhost:5000/chain"),
        ("every control character", &(0..0x20).map(char::from).collect::<String>()),
        ("printable ASCII", &(' '..='~').collect::<String>()),
        ("DEL", "a\u{7f}b"),
        ("U+0080", "\u{80}"),
        ("é", "café"),
        ("line and paragraph separator", "\u{2028}\u{2029}"),
        ("last before and first after the surrogates", "\u{d7ff}\u{e000}"),
        ("U+FFFF", "\u{ffff}"),
        ("U+10000, the first surrogate pair", "\u{10000}"),
        ("emoji", "a 😀 b 👩\u{200d}🚀"),
        ("U+10FFFF, the last surrogate pair", "\u{10ffff}"),
        ("text that looks like an escape", "\\u0041 \\n"),
    ] {
        assert_golden(&format!("string: {name}"), &block_of([Transaction::new(text, text.repeat(2), 5)]));
    }
}

#[test]
fn timestamps_are_written_as_by_python() {
    for (name, seconds) in [
        ("0.0", 0.0),
        ("-0.0", -0.0),
        ("5e-324", f64::from_bits(1)),
        ("1.2e-05", 0.000_012),
        ("0.0001", 0.0001),
        ("1507824951.7695177", 1_507_824_951.769_517_7),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("1e15", 1e15),
        ("9999999999999998.0", 9_999_999_999_999_998.0),
        ("1e16", 1e16),
        ("1e+16", 1e16),
        ("1e22", 1e22),
        ("1e23", 1e23),
        ("1.7976931348623157e+308", f64::MAX),
        ("-1.7976931348623157e+308", f64::MIN),
    ] {
        assert_golden(&format!("timestamp: float {name}"), &genesis_at(Timestamp::float(seconds).unwrap()));
    }
    for seconds in [0, 1, -1, 5, (1 << 53) + 1, i64::MAX, i64::MIN] {
        assert_golden(&format!("timestamp: integer {seconds}"), &genesis_at(Timestamp::integer(seconds)));
    }
    for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Timestamp::float(seconds), None);
    }
}

#[test]
fn numbers_and_previous_hashes_are_written_as_by_python() {
    let hash = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0".parse().unwrap();
    for (name, previous_hash) in [
        ("the integer 1", PreviousHash::NumberOne),
        ("the string \"1\"", PreviousHash::TextOne),
        ("a hash", PreviousHash::Hash(hash)),
    ] {
        let block = Block::new(1, Timestamp::float(0.0).unwrap(), [], 100, previous_hash);
        assert_golden(&format!("previous_hash: {name}"), &block);
    }
    for amount in [0, 1, (1 << 53) + 1, 1 << 63, u64::MAX] {
        assert_golden(&format!("amount: {amount}"), &block_of([Transaction::new("alice", "bob", amount)]));
    }
    for nonce in [0, 1, u64::MAX] {
        let transaction = Transaction::new("alice", "bob", 5).with_nonce(nonce);
        assert_golden(&format!("nonce: {nonce}"), &block_of([transaction]));
    }
    for number in [0, u64::MAX] {
        let block = Block::new(number, Timestamp::float(0.0).unwrap(), [], number, PreviousHash::NumberOne);
        assert_golden(&format!("index and proof: {number}"), &block);
    }
    let (transfer, reward) = (Transaction::new("alice", "bob", 5), Transaction::reward("carol", 1));
    assert_golden("transactions: two, in order", &block_of([transfer.clone(), reward]));
    assert_golden("transactions: the same twice", &block_of([transfer.clone(), transfer]));
}

/// The hashes that the notebook prints: each is named by the block that was mined on top.
#[test]
fn the_notebook_s_three_hashes_come_out() {
    let node_5000 = Time::from_nanos(1_507_824_951_769_517_700);
    let node_5001 = Time::from_nanos(1_507_824_951_768_959_300);
    let first_of_5000 = genesis_at(node_5000.into());
    let first_of_5001 = genesis_at(node_5001.into());
    let second_of_5001 = Block::new(
        2,
        Time::from_nanos(1_507_824_957_415_116_800).into(),
        [Transaction::reward("e993927e7cd342f5a05d70493ccbe0ef5001", 1)],
        35293,
        PreviousHash::Hash(first_of_5001.hash()),
    );
    for (block, name, named_above) in [
        (
            first_of_5000,
            "notebook: block 1 of node 5000",
            "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0",
        ),
        (
            first_of_5001,
            "notebook: block 1 of node 5001",
            "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
        ),
        (
            second_of_5001,
            "notebook: block 2 of node 5001",
            "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c066555",
        ),
    ] {
        assert_eq!(block.hash().to_string(), named_above);
        assert_golden(name, &block);
    }
}

#[test]
fn a_digest_is_the_hash_of_the_text_without_the_proof() {
    let block = block_of([Transaction::new("é", "bob", 5).with_nonce(0)]);
    let text = block.canonical_json().replace("\"proof\": 100, ", "");
    assert_eq!(block.digest(), BlockHash::of(text.as_bytes()));
    assert_eq!(block.clone().with_proof(7).digest(), block.digest());
    assert_ne!(block.clone().with_proof(7).hash(), block.hash());
}

#[test]
fn floats_are_written_as_by_python() {
    let mut count = 0;
    for line in include_str!("python/floats.txt").lines().filter(|line| !line.starts_with('#')) {
        let (bits, repr) = line.split_once(' ').unwrap();
        let value = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(Timestamp::float(value).unwrap().to_string(), repr);
        assert_eq!(model::repr(value), repr);
        count += 1;
    }
    assert_eq!(count, 500);
}

/// Every finite float, from its bits.
fn float() -> impl Strategy<Value = f64> {
    any::<u64>()
        .prop_map(f64::from_bits)
        .prop_filter("JSON has finite numbers only", |float| float.is_finite())
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::integer),
        float().prop_map(|seconds| Timestamp::float(seconds).unwrap()),
        (1_500_000_000.0..1_800_000_000.0).prop_map(|seconds| Timestamp::float(seconds).unwrap()),
    ]
}

fn transaction() -> impl Strategy<Value = Transaction> {
    (any::<String>(), "\\PC*|[\\x00-\\x7f]*", any::<u64>(), any::<Option<u64>>()).prop_map(
        |(sender, recipient, amount, nonce)| {
            let transaction = Transaction::new(sender, recipient, amount);
            nonce.into_iter().fold(transaction, Transaction::with_nonce)
        },
    )
}

fn previous_hash() -> impl Strategy<Value = PreviousHash> {
    prop_oneof![
        Just(PreviousHash::NumberOne),
        Just(PreviousHash::TextOne),
        any::<[u8; 32]>().prop_map(|bytes| PreviousHash::Hash(BlockHash::from_bytes(bytes))),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let transactions = prop::collection::vec(transaction(), 0..4);
    (any::<u64>(), timestamp(), transactions, any::<u64>(), previous_hash()).prop_map(
        |(index, timestamp, transactions, proof, previous_hash)| {
            Block::new(index, timestamp, transactions, proof, previous_hash)
        },
    )
}

proptest! {
    #[test]
    fn a_block_s_text_comes_back(block in block()) {
        let text = block.canonical_json();
        let read = Block::from_json(&text).unwrap();
        prop_assert_eq!(&read, &block);
        prop_assert_eq!(read.canonical_json(), text);
        prop_assert_eq!(read.hash(), block.hash());
        // As another writer writes it: compact, without an escape too many, floats like 1e16.
        let compact = serde_json::to_string(&block).unwrap();
        prop_assert_eq!(&Block::from_json(&compact).unwrap(), &block);
        prop_assert_eq!(serde_json::from_str::<Block>(&compact).unwrap(), block);
    }

    #[test]
    fn a_block_is_written_as_by_the_model(block in block()) {
        let text = block.canonical_json();
        prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "printable ASCII only: {}", text);
        prop_assert_eq!(model::dumps(&serde_json::from_str(&text).unwrap()), text);
    }

    #[test]
    fn a_float_s_text_comes_back(seconds in float()) {
        let timestamp = Timestamp::float(seconds).unwrap();
        prop_assert_eq!(timestamp.to_string(), model::repr(seconds));
        prop_assert_eq!(timestamp.to_string().parse::<f64>().unwrap().to_bits(), seconds.to_bits());
    }

    #[test]
    fn equal_blocks_are_those_of_one_text(one in block(), other in block(), nanos in any::<u64>()) {
        prop_assert_eq!(one == other, one.canonical_json() == other.canonical_json());
        // What a clock says comes back as the nearest float.
        let timestamp = Timestamp::from(Time::from_nanos(nanos));
        let exact = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        prop_assert_eq!(timestamp.seconds(), exact.parse::<f64>().unwrap());
    }
}
