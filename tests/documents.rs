//! Bad input: each text that is no document is refused by an error that says where and names the value.

mod model;

use std::thread;

use chainlab::{
    Block, BlockHash, Blockchain, ChainError, DocumentError, InvalidBlock, Place, PreviousHash, ProofRule,
    Rules, Time, Timestamp, Transaction, Violation,
};
use model::{Model, Verdict};
use serde_json::{Value, json};

const HASH: &str = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0";

/// The chain of node 5002 at the notebook's end.
fn notebook_chain() -> Value {
    json!({"chain": [
        {"index": 1, "previous_hash": 1, "proof": 100, "timestamp": 1507824951.7689593, "transactions": []},
        {
            "index": 2,
            "previous_hash": "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
            "proof": 35293,
            "timestamp": 1507824957.4151168,
            "transactions": [
                {"amount": 1, "recipient": "e993927e7cd342f5a05d70493ccbe0ef5001", "sender": "0"},
            ],
        },
        {
            "index": 3,
            "previous_hash": "8f7eb225042b7cdb060a17e362a8a6ac892d11fe1e8331bf0336275f1c066555",
            "proof": 35089,
            "timestamp": 1507824959.2312186,
            "transactions": [
                {"amount": 1, "recipient": "6066e6f7d27c49129330b4af118a73725002", "sender": "0"},
            ],
        },
    ], "length": 3})
}

/// Reads a text under the notebook's rules, and checks that the model's verdict is the same.
fn read(text: &str) -> Result<Blockchain, ChainError> {
    let result = Blockchain::from_json(text, &Rules::notebook());
    let verdict = match &result {
        Ok(_) => Verdict::Valid,
        Err(ChainError::Document(_)) => Verdict::Refused,
        Err(ChainError::Invalid(InvalidBlock { position, violation: Violation::Proof { .. } })) => {
            Verdict::BadProof(*position)
        }
        Err(ChainError::Invalid(InvalidBlock { position, .. })) => Verdict::BrokenLink(*position),
    };
    assert_eq!(verdict, Model::NOTEBOOK.judge(text), "{text}");
    result
}

fn error(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

/// The notebook's chain with the second block's field, or the whole chain's, replaced by a JSON text.
fn with(field: &str, value: &str) -> String {
    let mut document = notebook_chain();
    let place = match field {
        "chain" | "length" => &mut document[field],
        "sender" | "recipient" | "amount" => &mut document["chain"][1]["transactions"][0][field],
        _ => &mut document["chain"][1][field],
    };
    *place = "the value".into();
    document.to_string().replace("\"the value\"", value)
}

#[test]
fn the_notebook_s_chain_is_read_and_written_back() {
    let chain = read(&notebook_chain().to_string()).unwrap();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain.last_block().proof(), 35089);
    assert_eq!(chain.to_json(), model::dumps(&notebook_chain()));
    assert_eq!(Blockchain::from_json(&chain.to_json(), &Rules::notebook()).unwrap(), chain);
}

#[test]
fn what_is_not_json_is_refused() {
    let whole = notebook_chain().to_string();
    for text in [
        "",
        " ",
        "chain",
        "{",
        "{]",
        "{\"chain\": [,], \"length\": 0}",
        "{'chain': [], 'length': 0}",
        "{\"chain\": [] \"length\": 0}",
        "\u{feff}{}",
        "nul",
        &whole[..whole.len() - 1],
        &format!("{whole}{whole}"),
        &format!("{whole}]"),
        &format!("{whole} x"),
        &whole.replace('}', ",}"),
        &whole.replace("\"0\"", "\"\t\""),
        &whole.replace("\"0\"", r#""\x41""#),
        &whole.replace("\"0\"", r#""\ud8""#),
        &whole.replace("35089", "035089"),
        &whole.replace("35089", "+35089"),
        &whole.replace("35089", "0x8911"),
        &whole.replace("35089", "35089."),
        &whole.replace("35089", ".5"),
        &whole.replace("1507824957.4151168", "NaN"),
        &whole.replace("1507824957.4151168", "Infinity"),
        &whole.replace("1507824957.4151168", "-Infinity"),
        &whole.replace("1507824957.4151168", "nan"),
        &whole.replace("1507824957.4151168", "1e"),
    ] {
        let error = read(text).unwrap_err();
        assert!(matches!(error, ChainError::Document(DocumentError::NotJson { .. })), "{text}: {error}");
    }
    assert_eq!(error("{]"), "document: not JSON: key must be a string at line 1 column 2");
}

/// They are JSON, but no text: Python could hold them, and could not encode them.
#[test]
fn lone_surrogates_are_refused() {
    for escape in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx""#, r#""\ude00\ud83d""#, r#""\ud83d\ud83d""#] {
        let text = with("sender", escape);
        let refused = read(&text).unwrap_err();
        let place = Place { block: Some(2), transaction: Some(1) };
        assert!(
            matches!(&refused, ChainError::Document(DocumentError::NotJson { place: at, .. }) if *at == place),
            "{escape}: {refused}"
        );
        assert!(Transaction::from_json(&format!(r#"{{"sender": {escape}}}"#)).is_err());
    }
    let pair =
        Transaction::from_json(r#"{"sender": "\ud83d\ude00", "recipient": "😀", "amount": 1}"#).unwrap();
    assert_eq!(pair.sender(), pair.recipient());
}

#[test]
fn all_that_is_missing_is_named() {
    assert_eq!(error("{}"), "document: missing values: chain, length");
    assert_eq!(error(r#"{"chain": []}"#), "document: missing values: length");
    assert_eq!(error(r#"{"Chain": [], "length": 0}"#), "document: missing values: chain");
    assert_eq!(
        error(r#"{"length": 1, "chain": [{}]}"#),
        "block 1: missing values: index, timestamp, transactions, proof, previous_hash"
    );
    assert_eq!(
        error(&with("transactions", r#"[{"amount": 5}]"#)),
        "block 2, transaction 1: missing values: sender, recipient"
    );
    for field in ["index", "timestamp", "transactions", "proof", "previous_hash"] {
        let mut document = notebook_chain();
        document["chain"][2].as_object_mut().unwrap().remove(field);
        assert_eq!(error(&document.to_string()), format!("block 3: missing values: {field}"));
    }
    for field in ["sender", "recipient", "amount"] {
        let mut document = notebook_chain();
        document["chain"][1]["transactions"][0].as_object_mut().unwrap().remove(field);
        let refused = read(&document.to_string()).unwrap_err();
        let place = Place { block: Some(2), transaction: Some(1) };
        assert_eq!(refused, DocumentError::Missing { place, fields: vec![field.into()] }.into());
    }
    // What is missing is said before what is too many.
    assert_eq!(error(r#"{"chain": [], "size": 0}"#), "document: missing values: length");
}

#[test]
fn one_field_too_many_is_named() {
    let mut document = notebook_chain();
    document["version"] = 1.into();
    assert_eq!(error(&document.to_string()), "document: unknown field \"version\"");
    let mut document = notebook_chain();
    document["chain"][2]["nonce"] = 1.into();
    assert_eq!(error(&document.to_string()), "block 3: unknown field \"nonce\"");
    // A nonce has its place only where accounts are kept.
    for field in ["fee", "nonce"] {
        let mut document = notebook_chain();
        document["chain"][1]["transactions"][0][field] = 0.into();
        let place = Place { block: Some(2), transaction: Some(1) };
        let expected = DocumentError::UnknownField { place, field: field.into() };
        assert_eq!(read(&document.to_string()), Err(expected.into()));
    }
}

#[test]
fn wrong_types_are_refused_by_name_and_value() {
    let whole = "a whole number from 0 to 18446744073709551615";
    let no_number = ["null", "true", "\"1\"", "[]", "{}", "[1]"];
    let no_whole_number =
        ["-1", "0.5", "1.0", "1e3", "1E0", "-0.0", "18446744073709551616", "10000000000000000000000000"];
    for field in ["index", "proof"] {
        for value in no_number.iter().chain(&no_whole_number) {
            let expected = format!("block 2: field \"{field}\": expected {whole}, found {value}");
            assert_eq!(error(&with(field, value)), expected);
        }
    }
    for value in no_number.iter().chain(&no_whole_number) {
        let expected = format!("block 2, transaction 1: field \"amount\": expected {whole}, found {value}");
        assert_eq!(error(&with("amount", value)), expected);
        let expected = format!("document: field \"length\": expected {whole}, found {value}");
        assert_eq!(error(&with("length", value)), expected);
    }
    for field in ["sender", "recipient"] {
        for value in ["null", "false", "5", "[]", "{}", "[\"alice\"]"] {
            let expected =
                format!("block 2, transaction 1: field \"{field}\": expected a string, found {value}");
            assert_eq!(error(&with(field, value)), expected);
        }
    }
    let timestamp = "a finite float or an integer of 64 bits";
    for value in no_number.iter().chain(&[
        "9223372036854775808",
        "-9223372036854775809",
        "10000000000000000000000000",
        "1e400",
        "-1e400",
    ]) {
        // The model's JSON reader makes a float of an integer that is too large, so that it cannot judge these.
        let error = Blockchain::from_json(&with("timestamp", value), &Rules::notebook()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("block 2: field \"timestamp\": expected {timestamp}, found {value}")
        );
    }
    for value in ["null", "1", "\"[]\"", "{}"] {
        assert_eq!(
            error(&with("transactions", value)),
            format!("block 2: field \"transactions\": expected an array, found {value}")
        );
        assert_eq!(
            error(&with("chain", value)),
            format!("document: field \"chain\": expected an array, found {value}")
        );
    }
    for value in ["null", "7", "\"\"", "[]", "[{}]", "true", "1.5"] {
        let expected = |place, name| format!("{place}: field \"{name}\": expected an object, found {value}");
        if !value.starts_with('[') {
            assert_eq!(error(value), expected("document", "document"));
        }
        assert_eq!(error(&with("chain", &format!("[{value}]"))), expected("block 1", "block"));
        assert_eq!(
            error(&with("transactions", &format!("[{value}]"))),
            expected("block 2, transaction 1", "transaction")
        );
    }
}

#[test]
fn an_unknown_shape_of_previous_hash_is_refused() {
    for value in [
        "null",
        "true",
        "0",
        "2",
        "-1",
        "1.0",
        "1e0",
        "\"\"",
        "\"0\"",
        "\"2\"",
        "\"01\"",
        "\" 1\"",
        "[]",
        "[1]",
        "{}",
        &format!("\"{}\"", HASH.to_uppercase()),
        &format!("\"{}\"", &HASH[1..]),
        &format!("\"{HASH}0\""),
        &format!("\"0x{}\"", &HASH[2..]),
        &format!("\"{}\"", HASH.replace('4', "g")),
        &format!("\"{}é\"", &HASH[2..]),
    ] {
        let expected = format!(
            "block 2: field \"previous_hash\": expected 1, \"1\" or 64 lower-case hexadecimal digits, found {value}"
        );
        assert_eq!(error(&with("previous_hash", value)), expected);
    }
    // Python reads an escape as what it stands for.
    let block = Block::from_json(&with_previous_hash(r#""\u0031""#)).unwrap();
    assert_eq!(block.previous_hash(), PreviousHash::TextOne);
    let block = Block::from_json(&with_previous_hash(&format!("\"\\u0034{}\"", &HASH[1..]))).unwrap();
    assert_eq!(block.previous_hash(), PreviousHash::Hash(HASH.parse().unwrap()));
}

fn with_previous_hash(value: &str) -> String {
    format!(r#"{{"index": 1, "timestamp": 0, "transactions": [], "proof": 100, "previous_hash": {value}}}"#)
}

#[test]
fn a_length_that_disagrees_and_an_empty_chain_are_refused() {
    for stated in [0, 2, 4, u64::MAX] {
        let refused = read(&with("length", &stated.to_string())).unwrap_err();
        assert_eq!(refused, DocumentError::Length { stated, actual: 3 }.into());
        assert_eq!(
            refused.to_string(),
            format!("the document says length {stated}, but its chain has 3 blocks")
        );
    }
    let refused = read(r#"{"chain": [], "length": 0}"#).unwrap_err();
    assert_eq!(refused, DocumentError::EmptyChain.into());
    assert_eq!(refused.to_string(), "the chain is empty; the first block is always there");
    let refused = read(r#"{"chain": [], "length": 1}"#).unwrap_err();
    assert_eq!(refused, DocumentError::Length { stated: 1, actual: 0 }.into());
}

/// Nobody has checked a simulation's proofs. Its chains say so, and are not taken for chains whose proofs were found.
#[test]
fn a_chain_of_drawn_proofs_says_so_and_is_read_under_such_rules_alone() {
    let drawn = Rules { proof: ProofRule::Drawn, ..Rules::notebook() };
    let start = Blockchain::start(&drawn, Time::from_secs(5)).unwrap();
    let chain = start.mine_next(&drawn, [], "miner", Time::from_secs(6)).unwrap();
    let text = chain.to_json();
    let unmarked = text.replace(r#", "proofs": "drawn"}"#, "}");
    assert!(text.ends_with(r#""length": 2, "proofs": "drawn"}"#), "{text}");
    assert_eq!(Blockchain::from_json(&text, &drawn), Ok(chain));

    let error = |text: &str, rules: &Rules| Blockchain::from_json(text, rules).unwrap_err().to_string();
    assert_eq!(error(&unmarked, &drawn), "document: missing values: proofs");
    assert_eq!(
        error(&text.replace("drawn", "found"), &drawn),
        r#"document: field "proofs": expected "drawn", found "found""#
    );
    assert_eq!(
        error(&text, &Rules::notebook()),
        r#"document: field "proofs": expected proofs that can be checked, found "drawn""#
    );
    // Without the word it is a chain like any other, whose proofs are not met.
    let unmet = Blockchain::from_json(&unmarked, &Rules::notebook()).unwrap_err();
    let violation = |error| match error {
        ChainError::Invalid(InvalidBlock { position: 2, violation }) => Some(violation),
        _ => None,
    };
    assert!(matches!(violation(unmet), Some(Violation::Proof { proof: 0, .. })));
}

#[test]
fn a_list_of_blocks_is_no_chain_s_document_and_can_be_read_as_what_it_is() {
    let chain = Blockchain::start(&Rules::notebook(), Time::from_secs(1)).unwrap();
    let list = serde_json::to_string(&chain.iter().collect::<Vec<_>>()).unwrap();
    let refused = Blockchain::from_json(&list, &Rules::notebook()).unwrap_err();
    assert_eq!(refused, DocumentError::BareList.into());
    assert!(refused.to_string().contains("Blockchain::from_blocks"), "{refused}");
    let blocks: Vec<Block> = serde_json::from_str(&list).unwrap();
    assert_eq!(Blockchain::from_blocks(blocks, &Rules::notebook()), Ok(chain));
    let broken = Blockchain::from_json("[{]", &Rules::notebook()).unwrap_err();
    assert!(matches!(broken, ChainError::Document(DocumentError::NotJson { .. })), "{broken}");
}

#[test]
fn a_wrong_link_or_proof_is_named_with_what_was_expected() {
    let expected: BlockHash =
        "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861".parse().unwrap();
    for (found, text) in [
        (PreviousHash::NumberOne, "1".to_owned()),
        (PreviousHash::TextOne, "\"1\"".to_owned()),
        (PreviousHash::Hash(HASH.parse().unwrap()), format!("\"{HASH}\"")),
    ] {
        let refused = read(&with("previous_hash", &text)).unwrap_err();
        let violation = Violation::PreviousHash { expected, found };
        assert_eq!(refused, InvalidBlock { position: 2, violation }.into());
        let found = text.trim_matches(|quote| quote == '"' && text.len() > 60);
        assert_eq!(
            refused.to_string(),
            format!("block 2: wrong previous hash: expected {expected}, found {found}")
        );
    }
    let refused = read(&with("proof", "35294")).unwrap_err();
    let hash = BlockHash::of(b"10035294");
    let target = Rules::notebook().difficulty.first_target();
    let violation = Violation::Proof { proof: 35294, hash, target };
    assert_eq!(refused, InvalidBlock { position: 2, violation }.into());
    assert_eq!(
        refused.to_string(),
        format!(
            "block 2: proof 35294 is not met: its hash {hash} is not below target 00010000000000000000000000000000"
        )
    );
    // Another proof that is met still changes the hash that the next block names.
    let other = (35294..)
        .find(|proof| BlockHash::of(format!("100{proof}").as_bytes()).to_string().starts_with("0000"));
    let refused = read(&with("proof", &other.unwrap().to_string())).unwrap_err();
    assert!(matches!(
        refused,
        ChainError::Invalid(InvalidBlock { position: 3, violation: Violation::PreviousHash { .. } })
    ));
}

/// The notebook looks at links and proofs alone.
#[test]
fn what_the_notebook_does_not_look_at_changes_nothing_but_the_hash() {
    for (field, value) in [
        ("index", json!(0)),
        ("index", json!(u64::MAX)),
        ("timestamp", json!(-1e300)),
        ("timestamp", json!(i64::MAX)),
        ("transactions", json!([])),
        ("transactions", json!([{"sender": "0", "recipient": "", "amount": u64::MAX}])),
    ] {
        let mut document = notebook_chain();
        document["chain"][2][field] = value.clone();
        let chain = read(&document.to_string()).unwrap();
        assert_ne!(chain, read(&notebook_chain().to_string()).unwrap());
        assert_eq!(chain.tip_hash().to_string(), model::hash(&document["chain"][2]));
        let mut document = notebook_chain();
        document["chain"][1][field] = value;
        assert!(error(&document.to_string()).starts_with("block 3: wrong previous hash"));
    }
    // Nor at anything in the first block.
    for previous_hash in [json!(1), json!("1"), json!(HASH)] {
        let block = json!({
            "index": 7, "previous_hash": previous_hash, "proof": 0, "timestamp": 0, "transactions": [],
        });
        assert_eq!(read(&json!({"chain": [block], "length": 1}).to_string()).unwrap().len(), 1);
    }
}

/// As in Python, where the last of two equal keys counts.
#[test]
fn of_a_key_that_stands_twice_the_last_counts() {
    let whole = notebook_chain().to_string();
    let chain = read(&whole).unwrap();
    for twice in [
        whole.replacen("{\"chain\"", "{\"length\":\"x\",\"chain\"", 1),
        whole.replace("\"proof\":100", "\"proof\":[],\"proof\":100"),
        whole.replace("\"proof\":100", "\"proof\":7,\"pro\\u006ff\":100"),
        whole.replace("\"sender\":\"0\"", "\"sender\":null,\"sender\":\"0\""),
    ] {
        assert_ne!(twice, whole);
        assert_eq!(read(&twice).unwrap(), chain);
    }
    assert_eq!(
        error(&whole.replace("\"proof\":100", "\"proof\":100,\"proof\":-7")),
        "block 1: field \"proof\": expected a whole number from 0 to 18446744073709551615, found -7"
    );
}

#[test]
fn numbers_and_space_are_read_as_by_python() {
    let text = with_previous_hash("1").replace("100", "-0");
    assert_eq!(Block::from_json(&text).unwrap().proof(), 0, "-0 is the integer 0");
    let spaced = with_previous_hash("1").replace(' ', "\n \t\r").replace(',', " ,");
    assert_eq!(
        Block::from_json(&format!("\n{spaced} ")).unwrap(),
        Block::from_json(&with_previous_hash("1")).unwrap()
    );
    for (text, timestamp) in [
        ("-0", Timestamp::integer(0)),
        ("-0.0", Timestamp::float(-0.0).unwrap()),
        ("1E16", Timestamp::float(1e16).unwrap()),
        ("1e-400", Timestamp::float(0.0).unwrap()),
        ("0.1000000000000000055511151231257827021181583404541015625", Timestamp::float(0.1).unwrap()),
        ("9223372036854775807", Timestamp::integer(i64::MAX)),
        ("9223372036854775808.0", Timestamp::float(9_223_372_036_854_775_808.0).unwrap()),
    ] {
        let block = with_previous_hash("1").replace("\"timestamp\": 0", &format!("\"timestamp\": {text}"));
        assert_eq!(Block::from_json(&block).unwrap().timestamp(), timestamp, "{text}");
    }
}

#[test]
fn blocks_and_transactions_alone_are_refused_by_the_same_errors() {
    assert_eq!(
        Block::from_json("{}").unwrap_err().to_string(),
        "document: missing values: index, timestamp, transactions, proof, previous_hash"
    );
    assert_eq!(
        Block::from_json(&with_previous_hash("1").replace("[]", "[{}, 5]")).unwrap_err().to_string(),
        "transaction 1: missing values: sender, recipient, amount"
    );
    assert_eq!(
        Transaction::from_json(r#"{"sender": "a", "recipient": "b", "amount": 5, "nonce": -1}"#)
            .unwrap_err()
            .to_string(),
        "document: field \"nonce\": expected a whole number from 0 to 18446744073709551615, found -1"
    );
    // With serde too, inside other values.
    let error = serde_json::from_str::<Vec<Block>>(&format!("[{}]", with_previous_hash("2"))).unwrap_err();
    assert!(error.to_string().contains("field \"previous_hash\": expected 1, \"1\" or 64"), "{error}");
    assert!(serde_json::from_str::<PreviousHash>("2").is_err());
    assert_eq!(serde_json::from_str::<PreviousHash>(" \"1\"").unwrap(), PreviousHash::TextOne);
}

/// A million deep, in every place, on a stack that would not hold a thousandth of it.
#[test]
fn deep_nesting_is_refused_without_recursion() {
    let deep_array = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000));
    let unclosed = "[".repeat(1_000_000);
    let read = move || {
        let rules = Rules::notebook();
        for deep in [&deep_array, &deep_object, &unclosed] {
            let mut texts = vec![deep.clone()];
            for field in ["chain", "length"] {
                texts.push(with(field, deep));
            }
            for field in ["index", "previous_hash", "proof", "timestamp", "transactions"] {
                texts.push(with(field, deep));
            }
            for field in ["sender", "recipient", "amount"] {
                texts.push(with(field, deep));
            }
            texts.push(with("chain", &format!("[{deep}]")));
            texts.push(with("transactions", &format!("[{deep}]")));
            texts.push(with("proof", &format!("100,\"other\":{deep}")));
            for text in texts {
                let error = Blockchain::from_json(&text, &rules).expect_err("the type is wrong");
                assert!(matches!(error, ChainError::Document(_)));
                assert!(error.to_string().len() < 400, "the error holds a part of the value only");
                assert!(serde_json::from_str::<Block>(&text).is_err());
                assert!(Transaction::from_json(&text).is_err());
            }
        }
        // Where a key that stands twice hides it, it is read over.
        let hidden = with("proof", &format!("{deep_array},\"proof\":35293"));
        assert_eq!(Blockchain::from_json(&hidden, &rules).unwrap().len(), 3);
    };
    let thread = thread::Builder::new().stack_size(64 * 1024).spawn(read).unwrap();
    thread.join().unwrap();
}
