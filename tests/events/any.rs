//! Any event: every variant of everything that it carries.

use std::time::Duration;

use chainlab::{
    BlockHash, DocumentError, Event, Happening, IgnoreReason, InvalidBlock, LossCause, LossReason,
    MessageName, MineError, NodeId, Passage, Place, PreviousHash, Time, Timestamp, Transaction,
    TransactionHash, Violation, pow::Target,
};
use proptest::{prelude::*, sample::select};

/// One of every variant, with values of no meaning.
pub(super) fn every_happening() -> Vec<Happening> {
    let (from, peer) = (NodeId::new(1), NodeId::new(2));
    let [block, parent] = ["block", "parent"].map(|text| BlockHash::of(text.as_bytes()));
    let transaction = Transaction::new("alice", "bob", 5);
    let rejected = |violation| Happening::Rejected { from, invalid: InvalidBlock { position: 7, violation } };
    let document = |error| Happening::RejectedDocument { from, error };
    let mut all = vec![
        Happening::Joined { name: "Ålesund".into() },
        Happening::Mined { block, position: 7, parent },
        Happening::MiningEnded { error: MineError::NoHashRate },
        Happening::Accepted { block, position: 7, from },
        Happening::Reorganised { abandoned: 1, adopted: 2, old_tip: block },
        Happening::DoubleSpent { won: true, confirmations: 6, stale: 0, cost: 0 },
        Happening::DoubleSpent { won: false, confirmations: 1, stale: 2, cost: 105 },
        Happening::Resolved { replaced: true, silent: 3 },
        Happening::Resolved { replaced: false, silent: 0 },
        Happening::Waits { from, until: Time::UNIX_EPOCH + Duration::from_millis(1_500) },
        Happening::Banned { peer },
        Happening::Dropped { from },
        Happening::Crashed,
        Happening::Panicked { message: "a \"panic\"\nof two lines".into() },
        Happening::Restarted,
        Happening::Paused,
        Happening::Resumed,
    ];
    all.extend(every_violation().into_iter().map(rejected));
    all.extend(every_document_error().into_iter().map(document));
    all.extend(IGNORE_REASONS.map(|reason| Happening::Ignored { from, reason }));
    let lost = |reason| Happening::Lost { transaction: transaction.clone(), reason };
    all.extend(LOSS_REASONS.map(lost));
    all.push(Happening::Lost {
        transaction: transaction.clone().with_nonce(9),
        reason: LossReason::Unpayable,
    });
    all.extend([0, 2, u32::MAX].map(|group| Happening::Partitioned { group }));
    all.push(Happening::Healed);
    let sent = Time::UNIX_EPOCH + Duration::from_millis(1);
    let passage = |kind, lost| Passage { from, sent, kind, block: None, transactions: Vec::new(), lost };
    all.extend(MESSAGE_NAMES.map(|kind| Happening::Message(passage(kind, None))));
    all.extend(LOSS_CAUSES.map(|cause| Happening::Message(passage(MessageName::Announce, Some(cause)))));
    let (block, transactions) = (Some(block), vec![transaction.hash(); 2]);
    let passage = Passage { block, transactions, ..passage(MessageName::Transactions, None) };
    all.push(Happening::Message(passage));
    all
}

const MESSAGE_NAMES: [MessageName; 13] = [
    MessageName::ChainRequest,
    MessageName::Chain,
    MessageName::NewBlock,
    MessageName::Announce,
    MessageName::CompactBlock,
    MessageName::BlocksRequest,
    MessageName::Blocks,
    MessageName::Acknowledge,
    MessageName::Inventory,
    MessageName::TransactionsRequest,
    MessageName::Transactions,
    MessageName::AcknowledgeInventory,
    MessageName::InventoryRequest,
];

const LOSS_CAUSES: [LossCause; 6] = [
    LossCause::Link,
    LossCause::Judge,
    LossCause::Partition,
    LossCause::Crash,
    LossCause::Full,
    LossCause::Down,
];

const IGNORE_REASONS: [IgnoreReason; 7] = [
    IgnoreReason::Late,
    IgnoreReason::Unasked,
    IgnoreReason::Stranger,
    IgnoreReason::Banned,
    IgnoreReason::NoGossip,
    IgnoreReason::Unconnected,
    IgnoreReason::Unwanted,
];

const LOSS_REASONS: [LossReason; 4] =
    [LossReason::Crashed, LossReason::Evicted, LossReason::Replaced, LossReason::Unpayable];

/// One of every violation.
pub(super) fn every_violation() -> Vec<Violation> {
    let [expected, found] = ["expected", "found"].map(|text| BlockHash::of(text.as_bytes()));
    let [sender, recipient] = ["alice", "bob"].map(String::from);
    let timestamp = Timestamp::float(1_507_824_951.769_517_7).unwrap();
    vec![
        Violation::ForeignGenesis { expected, found },
        Violation::PreviousHash { expected, found: PreviousHash::Hash(found) },
        Violation::PreviousHash { expected, found: PreviousHash::TextOne },
        Violation::PreviousHash { expected, found: PreviousHash::NumberOne },
        Violation::Proof { proof: 3, hash: found, target: Target::leading_hex_zeros(4) },
        Violation::Index { expected: 7, found: u64::MAX },
        Violation::TimestampNotWhole { found: timestamp },
        Violation::TimestampNotAfterMedian { median: timestamp, found: Timestamp::integer(-5) },
        Violation::WindowStartsTooEarly { earliest: timestamp, found: Timestamp::integer(-5) },
        Violation::TooManyPayments { most: 1000, found: 1001 },
        Violation::TooManyBytes { most: 1_000_000, found: 1_000_001 },
        Violation::AddressTooLong { address: "alice".into(), most: 3, found: 5 },
        Violation::RewardMissing,
        Violation::RewardRepeated { found: 2 },
        Violation::RewardNotLast { position: 1, count: 2 },
        Violation::RewardAmount { expected: 50, found: 51 },
        Violation::Nonce { sender: sender.clone(), expected: 1, found: Some(2) },
        Violation::Nonce { sender: sender.clone(), expected: 1, found: None },
        Violation::UnexpectedNonce { sender: sender.clone(), found: 2 },
        Violation::Overdraft { sender, balance: 1, amount: 2 },
        Violation::BalanceTooLarge { recipient, balance: u64::MAX, amount: 1 },
    ]
}

fn every_document_error() -> Vec<DocumentError> {
    let place = Place { block: Some(2), transaction: None };
    vec![
        DocumentError::NotJson { place: Place::default(), message: "expected value".into() },
        DocumentError::Missing { place, fields: vec!["sender".into(), "amount".into()] },
        DocumentError::UnknownField { place, field: "fee".into() },
        DocumentError::Value {
            place: Place { transaction: Some(1), ..place },
            field: "amount".into(),
            expected: "a whole number".into(),
            found: "-1".into(),
        },
        DocumentError::EmptyChain,
        DocumentError::BareList,
        DocumentError::Length { stated: 6, actual: 5 },
    ]
}

fn hash() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_bytes)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        any::<i64>().prop_map(Timestamp::integer),
        any::<f64>().prop_filter_map("finite", Timestamp::float),
    ]
}

fn passage() -> impl Strategy<Value = Passage> {
    let transaction = any::<[u8; 32]>().prop_map(TransactionHash::from_bytes);
    let (transactions, lost) =
        (prop::collection::vec(transaction, 0..9), prop::option::of(select(&LOSS_CAUSES)));
    let fields =
        (any::<u32>(), any::<u64>(), select(&MESSAGE_NAMES), prop::option::of(hash()), transactions, lost);
    fields.prop_map(|(from, sent, kind, block, transactions, lost)| Passage {
        from: NodeId::new(from),
        sent: Time::from_nanos(sent),
        kind,
        block,
        transactions,
        lost,
    })
}

/// Values of all sizes where [`every_happening`] has small ones.
fn happening() -> impl Strategy<Value = Happening> {
    let node = || any::<u32>().prop_map(NodeId::new);
    let violation = prop_oneof![
        select(every_violation()),
        (any::<u64>(), hash(), any::<u128>()).prop_map(|(proof, hash, target)| Violation::Proof {
            proof,
            hash,
            target: Target::new(target.max(1)).unwrap(),
        }),
        timestamp().prop_map(|found| Violation::TimestampNotWhole { found }),
        (any::<usize>(), any::<usize>()).prop_map(|(most, found)| Violation::TooManyPayments { most, found }),
        (any::<String>(), any::<u64>(), any::<u64>())
            .prop_map(|(sender, balance, amount)| Violation::Overdraft { sender, balance, amount }),
    ];
    prop_oneof![
        3 => select(every_happening()),
        1 => (hash(), any::<u64>(), hash())
            .prop_map(|(block, position, parent)| Happening::Mined { block, position, parent }),
        1 => (hash(), any::<u64>(), node())
            .prop_map(|(block, position, from)| Happening::Accepted { block, position, from }),
        1 => (any::<u64>(), any::<u64>(), hash())
            .prop_map(|(abandoned, adopted, old_tip)| Happening::Reorganised { abandoned, adopted, old_tip }),
        1 => any::<String>().prop_map(|message| Happening::Panicked { message }),
        1 => any::<String>().prop_map(|name| Happening::Joined { name: name.into() }),
        1 => (node(), any::<u64>())
            .prop_map(|(from, until)| Happening::Waits { from, until: Time::from_nanos(until) }),
        1 => passage().prop_map(Happening::Message),
        1 => any::<u32>().prop_map(|group| Happening::Partitioned { group }),
        2 => (node(), any::<u64>(), violation).prop_map(|(from, position, violation)| Happening::Rejected {
            from,
            invalid: InvalidBlock { position, violation },
        }),
        1 => (any::<String>(), any::<String>(), any::<u64>(), any::<Option<u64>>()).prop_map(|(a, b, amount, nonce)| {
            let transaction = Transaction::new(a, b, amount);
            let transaction = nonce.into_iter().fold(transaction, Transaction::with_nonce);
            Happening::Lost { transaction, reason: LossReason::Replaced }
        }),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), any::<u32>(), happening()).prop_map(|(nanos, node, what)| Event {
        time: Time::from_nanos(nanos),
        node: NodeId::new(node),
        what,
    })
}

#[test]
fn no_variant_is_missing() {
    // Whoever adds a variant finds it missing here, by its name in documents.
    let tag = |value: serde_json::Value| match value {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    };
    for violation in every_violation() {
        assert_eq!(tag(serde_json::to_value(&violation).unwrap()), violation.name());
    }
    let count = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        names.len()
    };
    let expected = |text: &str| {
        let error = serde_json::from_str::<Happening>(text).unwrap_err().to_string();
        error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}")).1.matches('`').count() / 2
    };
    let happenings = every_happening().into_iter().map(|what| tag(serde_json::to_value(what).unwrap()));
    assert_eq!(count(happenings.collect()), expected(r#"{"no":1}"#));
    let violations = every_violation().into_iter().map(|what| tag(serde_json::to_value(what).unwrap()));
    assert_eq!(
        count(violations.collect()),
        expected(r#"{"rejected":{"from":1,"invalid":{"position":1,"violation":"no"}}}"#)
    );
    let errors = every_document_error().into_iter().map(|what| tag(serde_json::to_value(what).unwrap()));
    assert_eq!(count(errors.collect()), expected(r#"{"rejected_document":{"from":1,"error":"no"}}"#));
    assert_eq!(IGNORE_REASONS.len(), expected(r#"{"ignored":{"from":1,"reason":"no"}}"#));
    assert_eq!(MESSAGE_NAMES.len(), expected(r#"{"message":{"from":1,"sent_ns":1,"kind":"no"}}"#));
    assert_eq!(
        LOSS_CAUSES.len(),
        expected(r#"{"message":{"from":1,"sent_ns":1,"kind":"chain","lost":"no"}}"#)
    );
    assert_eq!(
        LOSS_REASONS.len(),
        expected(r#"{"lost":{"transaction":{"amount":1,"sender":"a","recipient":"b"},"reason":"no"}}"#)
    );
}
