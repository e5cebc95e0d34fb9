//! Every rule by itself, with the violation that names it; accounts against a plain ledger.

use std::{collections::BTreeMap, time::Duration};

use chainlab::{
    Account, Accounts, Block, BlockHash, Blockchain, Context, Difficulty, Genesis, InvalidBlock,
    PreviousHash, ProofRule, Retarget, Rules, Time, Timestamp, Transaction, Violation, pow::Target,
};
use proptest::prelude::*;

/// The sealed rules, but any proof will do.
fn sealed() -> Rules {
    Rules {
        difficulty: Rules::sealed().difficulty.starting_at(Target::EASIEST),
        payments_max: 3,
        ..Rules::sealed()
    }
}

/// What a block stands on: a parent with index 7, a median of 1,000 s, and Alice with 100 coins and nonce 3.
struct Setting {
    parent: Block,
    parent_hash: BlockHash,
    accounts: Accounts,
    target: Target,
    window_micros: Option<u64>,
}

impl Setting {
    fn new() -> Self {
        let parent = Block::new(7, Timestamp::integer(1_000), [], 100, PreviousHash::NumberOne);
        let mut accounts = Accounts::default();
        accounts.set("alice".into(), Account { balance: 100, nonce: 3 });
        accounts.set("rich".into(), Account { balance: u64::MAX - 10, nonce: 0 });
        Self { parent_hash: parent.hash(), parent, accounts, target: Target::EASIEST, window_micros: None }
    }

    fn context(&self) -> Context<'_> {
        Context {
            parent: &self.parent,
            parent_hash: self.parent_hash,
            target: self.target,
            median_micros: 1_000_000_000,
            window_micros: self.window_micros,
            accounts: &self.accounts,
        }
    }

    fn check(&self, rules: &Rules, block: &Block) -> Result<Accounts, Violation> {
        rules.check(block, &self.context())
    }
}

fn reward() -> Transaction {
    Transaction::reward("miner", 50)
}

fn spend(amount: u64, nonce: u64) -> Transaction {
    Transaction::new("alice", "bob", amount).with_nonce(nonce)
}

fn block_of(transactions: Vec<Transaction>) -> Block {
    let previous_hash = PreviousHash::Hash(Setting::new().parent_hash);
    Block::new(8, Timestamp::integer(1_001), transactions, 0, previous_hash)
}

fn block_at(timestamp: Timestamp) -> Block {
    Block::new(8, timestamp, [reward()], 0, PreviousHash::Hash(Setting::new().parent_hash))
}

#[track_caller]
fn assert_refused(rules: &Rules, block: &Block, violation: Violation, message: &str) {
    assert_eq!(violation.to_string(), message);
    assert_eq!(Setting::new().check(rules, block).err(), Some(violation));
}

#[test]
fn a_block_that_breaks_no_rule_is_allowed() {
    let accounts =
        Setting::new().check(&sealed(), &block_of(vec![spend(60, 3), spend(40, 4), reward()])).unwrap();
    assert_eq!(accounts.get("alice"), Account { balance: 0, nonce: 5 });
    assert_eq!(accounts.get("bob"), Account { balance: 100, nonce: 0 });
    assert_eq!(accounts.get("miner"), Account { balance: 50, nonce: 0 });
    assert_eq!(accounts.get("nobody"), Account::default());
    assert_eq!(Setting::new().accounts.get("alice").balance, 100, "the accounts before are as they were");
}

#[test]
fn the_previous_hash_is_the_parent_s() {
    let expected = Setting::new().parent_hash;
    let other = BlockHash::of(b"other");
    for (found, text) in [
        (PreviousHash::Hash(other), other.to_string()),
        (PreviousHash::NumberOne, "1".into()),
        (PreviousHash::TextOne, "\"1\"".into()),
    ] {
        let block = Block::new(8, Timestamp::integer(1_001), [reward()], 0, found);
        let message = format!("wrong previous hash: expected {expected}, found {text}");
        assert_refused(&sealed(), &block, Violation::PreviousHash { expected, found }, &message);
    }
}

#[test]
fn an_index_counts_on() {
    for found in [0, 7, 9, u64::MAX] {
        let previous_hash = PreviousHash::Hash(Setting::new().parent_hash);
        let block = Block::new(found, Timestamp::integer(1_001), [reward()], 0, previous_hash);
        let violation = Violation::Index { expected: 8, found };
        assert_refused(&sealed(), &block, violation, &format!("wrong index: expected 8, found {found}"));
    }
}

#[test]
fn a_timestamp_is_a_whole_number_of_microseconds() {
    for seconds in [1_001.000_000_4, 1_507_824_951.769_517_7, -1.0, 1e300] {
        let found = Timestamp::float(seconds).unwrap();
        let message = format!("timestamp {found} is not a whole number of microseconds");
        assert_refused(&sealed(), &block_at(found), Violation::TimestampNotWhole { found }, &message);
    }
    for found in [Timestamp::integer(-1), Timestamp::integer(i64::MAX)] {
        let message = format!("timestamp {found} is not a whole number of microseconds");
        assert_refused(&sealed(), &block_at(found), Violation::TimestampNotWhole { found }, &message);
    }
}

#[test]
fn a_timestamp_is_strictly_later_than_the_median() {
    let median = Timestamp::from_micros(1_000_000_000);
    for found in
        [median, Timestamp::integer(1_000), Timestamp::from_micros(999_999_999), Timestamp::integer(0)]
    {
        let violation = Violation::TimestampNotAfterMedian { median, found };
        let message = format!("timestamp {found} is not after 1000.0, the median of the blocks before");
        assert_refused(&sealed(), &block_at(found), violation, &message);
    }
    for found in
        [Timestamp::from_micros(1_000_000_001), Timestamp::integer(1_001), Timestamp::integer(1 << 40)]
    {
        assert!(Setting::new().check(&sealed(), &block_at(found)).is_ok(), "{found}");
    }
}

#[test]
fn a_window_starts_late_enough() {
    let setting = Setting { window_micros: Some(1_005_000_000), ..Setting::new() };
    let found = Timestamp::from_micros(1_004_999_999);
    let violation =
        Violation::WindowStartsTooEarly { earliest: Timestamp::from_micros(1_005_000_000), found };
    assert_eq!(
        violation.to_string(),
        "timestamp 1004.999999 is before 1005.0, the earliest that a window may start with here"
    );
    assert_eq!(setting.check(&sealed(), &block_at(found)).err(), Some(violation));
    for found in [Timestamp::from_micros(1_005_000_000), Timestamp::integer(1 << 40)] {
        assert!(setting.check(&sealed(), &block_at(found)).is_ok(), "{found}");
    }
    let unchecked = Rules::notebook().with_first_target(Target::EASIEST);
    assert!(setting.check(&unchecked, &block_at(Timestamp::integer(0))).is_ok());
}

#[test]
fn a_block_holds_a_bounded_number_of_payments() {
    let full = |count| (0..count).map(|at| spend(1, 3 + at)).chain([reward()]).collect();
    assert!(Setting::new().check(&sealed(), &block_of(full(3))).is_ok());
    let violation = Violation::TooManyPayments { most: 3, found: 4 };
    assert_refused(&sealed(), &block_of(full(4)), violation, "too many payments: at most 3, found 4");
}

#[test]
fn a_block_takes_a_bounded_number_of_bytes() {
    let escaped = Transaction::new("alice", "\u{e9}\"\u{1f600}", 1).with_nonce(3);
    for (proof, transactions) in
        [(0, vec![reward()]), (9, vec![reward()]), (10, vec![reward()]), (u64::MAX, vec![escaped, reward()])]
    {
        let block = block_of(transactions).with_proof(proof);
        let found = block.canonical_json().len();
        for proof_rule in [ProofRule::Sealed, ProofRule::LastProofAndHash] {
            let exact = Rules { block_bytes_max: found, proof: proof_rule, ..sealed() };
            assert!(Setting::new().check(&exact, &block).is_ok(), "{proof}");
            assert_eq!(exact.check_alone(&block), Ok(()));
            let most = found - 1;
            let rules = Rules { block_bytes_max: most, ..exact };
            let violation = Violation::TooManyBytes { most, found };
            assert_eq!(rules.check_alone(&block), Err(violation.clone()));
            let message = format!("too many bytes: at most {most}, found {found}");
            assert_refused(&rules, &block, violation, &message);
        }
    }
}

#[test]
fn an_address_has_a_bounded_number_of_characters() {
    let rules = Rules { address_chars_max: 5, ..sealed() };
    let to =
        |recipient: &str| block_of(vec![Transaction::new("alice", recipient, 1).with_nonce(3), reward()]);
    let rewarded = |miner: &str| block_of(vec![Transaction::reward(miner, 50)]);
    for block in
        [to("bob"), to("carol"), to("\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}"), rewarded("miner")]
    {
        assert!(Setting::new().check(&rules, &block).is_ok());
    }
    let from = block_of(vec![Transaction::new("malice", "bob", 1).with_nonce(0), reward()]);
    for (block, address) in [
        (to("carola"), "carola"),
        (to("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"), "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"),
        (from, "malice"),
        (rewarded("miners"), "miners"),
    ] {
        let violation = Violation::AddressTooLong { address: address.into(), most: 5, found: 6 };
        assert_eq!(rules.check_alone(&block), Err(violation.clone()));
        let message = format!("address {address} is too long: at most 5 characters, found 6");
        assert_refused(&rules, &block, violation, &message);
    }
}

#[test]
fn the_presets_state_their_bounds() {
    for rules in [Rules::sealed(), Rules::bitcoin()] {
        let bounds = (rules.payments_max, rules.block_bytes_max, rules.address_chars_max);
        assert_eq!(bounds, (1000, 1_000_000, 80));
    }
    for rules in [Rules::notebook(), Rules::tutorial()] {
        let bounds = (rules.payments_max, rules.block_bytes_max, rules.address_chars_max);
        assert_eq!(bounds, (usize::MAX, usize::MAX, usize::MAX));
    }
}

/// Where a block stands makes no difference: what is wrong by itself is found without its parent.
#[test]
fn what_needs_no_other_block_is_checked_alone() {
    let rules = sealed();
    let few = (0..4).map(|at| spend(1, 3 + at)).chain([reward()]).collect();
    let not_whole = Timestamp::float(0.000_000_1).unwrap();
    for (block, violation) in [
        (block_of(few), Violation::TooManyPayments { most: 3, found: 4 }),
        (block_of(vec![]), Violation::RewardMissing),
        (block_of(vec![reward(), reward()]), Violation::RewardRepeated { found: 2 }),
        (block_of(vec![reward(), spend(1, 3)]), Violation::RewardNotLast { position: 1, count: 2 }),
        (block_of(vec![Transaction::reward("miner", 1)]), Violation::RewardAmount { expected: 50, found: 1 }),
        (block_at(not_whole), Violation::TimestampNotWhole { found: not_whole }),
    ] {
        assert_eq!(rules.check_alone(&block), Err(violation));
        assert_eq!(Rules::notebook().check_alone(&block), Ok(()), "the notebook looks at links and proofs");
    }
    // What another block must tell is not asked.
    let stray =
        Block::new(99, Timestamp::integer(0), [spend(u64::MAX, 77), reward()], 0, PreviousHash::TextOne);
    assert_eq!(rules.check_alone(&stray), Ok(()));
}

#[test]
fn a_block_alone_has_met_the_easiest_target_that_there_is() {
    let block = block_of(vec![reward()]);
    let text = [block.digest().as_bytes().as_slice(), &[0; 8]].concat();
    let hash = BlockHash::of(&text);
    let head = u128::from_str_radix(&hash.to_string()[..32], 16).unwrap();
    let (met, missed) = (Target::new(head + 1).unwrap(), Target::new(head).unwrap());
    let refused = Err(Violation::Proof { proof: 0, hash, target: missed });
    let retarget = |first, easiest| {
        let retarget = Retarget::new(first, 32, Duration::from_secs(1)).unwrap();
        Difficulty::Retargeted(retarget.with_easiest_target(easiest).unwrap())
    };
    for (difficulty, expected) in [
        (retarget(met, met), Ok(())),
        (retarget(missed, met), Ok(())),
        (retarget(missed, missed), refused.clone()),
        (Difficulty::Fixed(met), Ok(())),
        (Difficulty::Fixed(missed), refused),
    ] {
        let rules = Rules { difficulty, ..sealed() };
        assert_eq!(rules.check_alone(&block), expected, "{difficulty:?}");
        // A proof that covers less says nothing by itself.
        let rules = Rules { proof: ProofRule::LastProofAndHash, ..rules };
        assert_eq!(rules.check_alone(&block), Ok(()));
    }
}

/// Of a text of two megabytes an error carries 80 characters.
#[test]
fn violations_carry_no_more_than_80_characters_of_an_address() {
    let long = "\u{e9}".repeat(1_000_000);
    let cut = "\u{e9}".repeat(80);
    let rules = Rules { address_chars_max: usize::MAX, block_bytes_max: usize::MAX, ..sealed() };
    let from = |amount| Transaction::new(long.as_str(), "bob", amount);
    let rich = |address: &str| (address.into(), Account { balance: u64::MAX, nonce: 0 });
    let mut setting = Setting::new();
    let (address, account) = rich(&long);
    setting.accounts.set(address, account);
    let violation = |rules: &Rules, transactions: Vec<Transaction>| {
        setting.check(rules, &block_of(transactions)).expect_err("it breaks a rule")
    };
    let nonce = violation(&rules, vec![from(1), reward()]);
    assert_eq!(nonce, Violation::Nonce { sender: cut.clone(), expected: 0, found: None });
    let overdraft = violation(&rules, vec![from(u64::MAX).with_nonce(0), from(1).with_nonce(1), reward()]);
    assert_eq!(overdraft, Violation::Overdraft { sender: cut.clone(), balance: 0, amount: 1 });
    let too_large =
        violation(&rules, vec![Transaction::new("alice", long.as_str(), 1).with_nonce(3), reward()]);
    let balance = u64::MAX;
    assert_eq!(too_large, Violation::BalanceTooLarge { recipient: cut.clone(), balance, amount: 1 });
    let no_accounts = Rules { accounts: false, ..rules.clone() };
    let unexpected = violation(&no_accounts, vec![from(1).with_nonce(7), reward()]);
    assert_eq!(unexpected, Violation::UnexpectedNonce { sender: cut.clone(), found: 7 });
    let bounded = Rules { address_chars_max: 80, ..rules };
    let too_long = violation(&bounded, vec![from(1).with_nonce(0), reward()]);
    assert_eq!(too_long, Violation::AddressTooLong { address: cut, most: 80, found: 1_000_000 });
}

#[test]
fn a_block_has_one_reward_last_and_of_the_right_amount() {
    let rules = sealed();
    for transactions in [vec![], vec![spend(1, 3)]] {
        assert_refused(&rules, &block_of(transactions), Violation::RewardMissing, "the reward is missing");
    }
    assert_refused(
        &rules,
        &block_of(vec![reward(), spend(1, 3), reward()]),
        Violation::RewardRepeated { found: 2 },
        "2 rewards in one block",
    );
    assert_refused(
        &rules,
        &block_of(vec![spend(1, 3), reward(), spend(1, 4)]),
        Violation::RewardNotLast { position: 2, count: 3 },
        "the reward is transaction 2 of 3, not the last",
    );
    for found in [0, 49, 51, u64::MAX] {
        assert_refused(
            &rules,
            &block_of(vec![Transaction::reward("miner", found)]),
            Violation::RewardAmount { expected: 50, found },
            &format!("wrong reward: expected 50, found {found}"),
        );
    }
    assert_refused(
        &rules,
        &block_of(vec![reward().with_nonce(0)]),
        Violation::UnexpectedNonce { sender: "0".into(), found: 0 },
        "unexpected nonce 0 of 0",
    );
}

#[test]
fn a_proof_s_hash_is_below_the_target() {
    let block = block_of(vec![reward()]);
    let sealed_text = [block.digest().as_bytes().as_slice(), &[0; 8]].concat();
    let parent_hash = Setting::new().parent_hash;
    for (rules, hashed) in [
        (sealed(), sealed_text),
        (Rules::notebook(), b"1000".to_vec()),
        (Rules::tutorial(), format!("1000{parent_hash}").into_bytes()),
    ] {
        let hash = BlockHash::of(&hashed);
        let head = u128::from_str_radix(&hash.to_string()[..32], 16).unwrap();
        let mut setting = Setting::new();
        setting.target = Target::new(head + 1).unwrap();
        assert!(setting.check(&rules, &block).is_ok());
        setting.target = Target::new(head).unwrap();
        let target = setting.target;
        let violation = Violation::Proof { proof: 0, hash, target };
        assert_eq!(
            violation.to_string(),
            format!("proof 0 is not met: its hash {hash} is not below target {target}")
        );
        assert_eq!(setting.check(&rules, &block).err(), Some(violation));
    }
}

#[test]
fn a_transaction_carries_its_sender_s_next_nonce() {
    for (found, text) in [(None, "none"), (Some(0), "0"), (Some(2), "2"), (Some(4), "4")] {
        let transaction = Transaction::new("alice", "bob", 1);
        let transaction = found.into_iter().fold(transaction, Transaction::with_nonce);
        assert_refused(
            &sealed(),
            &block_of(vec![transaction, reward()]),
            Violation::Nonce { sender: "alice".into(), expected: 3, found },
            &format!("wrong nonce of alice: expected 3, found {text}"),
        );
    }
    assert_refused(
        &sealed(),
        &block_of(vec![spend(1, 3), spend(1, 3), reward()]),
        Violation::Nonce { sender: "alice".into(), expected: 4, found: Some(3) },
        "wrong nonce of alice: expected 4, found 3",
    );
    let rules = Rules { accounts: false, ..sealed() };
    assert_refused(
        &rules,
        &block_of(vec![spend(1, 3), reward()]),
        Violation::UnexpectedNonce { sender: "alice".into(), found: 3 },
        "unexpected nonce 3 of alice",
    );
}

#[test]
fn nobody_spends_more_than_they_have() {
    let overdraft =
        |sender: &str, balance, amount| Violation::Overdraft { sender: sender.into(), balance, amount };
    assert_refused(
        &sealed(),
        &block_of(vec![spend(101, 3), reward()]),
        overdraft("alice", 100, 101),
        "overdraft of alice: has 100, spends 101",
    );
    assert_refused(
        &sealed(),
        &block_of(vec![spend(60, 3), spend(41, 4), reward()]),
        overdraft("alice", 40, 41),
        "overdraft of alice: has 40, spends 41",
    );
    // To oneself is no exception, and what comes in may be spent at once, but not before.
    let to_self = Transaction::new("alice", "alice", 101).with_nonce(3);
    assert_eq!(
        Setting::new().check(&sealed(), &block_of(vec![to_self, reward()])).err(),
        Some(overdraft("alice", 100, 101))
    );
    let onward = Transaction::new("bob", "carol", 100).with_nonce(0);
    assert!(
        Setting::new().check(&sealed(), &block_of(vec![spend(100, 3), onward.clone(), reward()])).is_ok()
    );
    assert_eq!(
        Setting::new().check(&sealed(), &block_of(vec![onward, spend(100, 3), reward()])).err(),
        Some(overdraft("bob", 0, 100))
    );
}

#[test]
fn no_balance_is_more_than_can_be_counted() {
    let to_rich = |amount| Transaction::new("alice", "rich", amount).with_nonce(3);
    let balance = u64::MAX - 10;
    assert!(Setting::new().check(&sealed(), &block_of(vec![to_rich(10), reward()])).is_ok());
    assert_refused(
        &sealed(),
        &block_of(vec![to_rich(11), reward()]),
        Violation::BalanceTooLarge { recipient: "rich".into(), balance, amount: 11 },
        &format!("rich has {balance}, and 11 more cannot be counted"),
    );
}

#[test]
fn rules_that_check_links_and_proofs_look_at_nothing_else() {
    let rules = Rules::notebook().with_first_target(Target::EASIEST);
    let previous_hash = PreviousHash::Hash(Setting::new().parent_hash);
    for block in [
        Block::new(99, Timestamp::integer(-5), [], u64::MAX, previous_hash),
        Block::new(8, Timestamp::float(0.1).unwrap(), vec![Transaction::reward("a", 9); 9], 0, previous_hash),
    ] {
        assert!(Setting::new().check(&rules, &block).is_ok());
    }
}

#[test]
fn all_share_one_genesis_where_the_rules_say_so() {
    let now = Time::from_secs(1_507_824_951);
    let allocations = BTreeMap::from([("alice".into(), 100), ("bob".into(), 7)]);
    let open = Rules { genesis: Genesis::Shared { time: None, allocations }, ..sealed() };
    let rules = open.clone().started_at(now);
    assert_eq!(rules.clone().started_at(Time::MAX), rules, "the first start counts");

    let chain = Blockchain::start(&rules, Time::MAX).unwrap();
    assert_eq!(chain, Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap());
    assert_eq!((chain.balance("alice"), chain.balance("bob"), chain.balance("0")), (100, 7, 0));
    assert_eq!(chain.last_block().timestamp(), Timestamp::float(1_507_824_951.0).unwrap());

    let expected = chain.tip_hash();
    for block in [
        rules.genesis_block(now).with_proof(101),
        Block::new(1, Timestamp::float(1_507_824_951.0).unwrap(), [], 100, PreviousHash::NumberOne),
        Rules::sealed().genesis_block(now),
        open.genesis_block(now + Duration::from_secs(1)),
    ] {
        let found = block.hash();
        let violation = Violation::ForeignGenesis { expected, found };
        assert_eq!(violation.to_string(), format!("foreign genesis: expected {expected}, found {found}"));
        assert_eq!(
            Blockchain::with_genesis(block, &rules).err(),
            Some(InvalidBlock { position: 1, violation })
        );
    }
    // Rules without a time take any, but their own allocations only.
    assert!(Blockchain::with_genesis(open.genesis_block(now), &open).is_ok());
    assert!(Blockchain::with_genesis(Rules::sealed().genesis_block(now), &open).is_err());
}

#[test]
fn a_block_ahead_of_the_clock_waits_where_timestamps_are_checked() {
    let block = block_at(Timestamp::integer(1_001));
    assert_eq!(Rules::sealed().acceptable_from(&block), Time::from_secs(991));
    assert_eq!(Rules::sealed().acceptable_from(&block_at(Timestamp::integer(3))), Time::UNIX_EPOCH);
    assert_eq!(Rules::sealed().acceptable_from(&block_at(Timestamp::integer(1 << 40))), Time::MAX);
    assert_eq!(Rules::notebook().acceptable_from(&block), Time::UNIX_EPOCH);
}

/// What an address has, and its next nonce.
type Ledger = BTreeMap<String, (u64, u64)>;

/// The accounts by plain arithmetic on a copy of everything.
fn ledger_after(transactions: &[Transaction], before: &Ledger) -> Result<Ledger, Violation> {
    let mut ledger = before.clone();
    for transaction in transactions {
        let (sender, recipient) = (transaction.sender().to_owned(), transaction.recipient().to_owned());
        let (amount, found) = (transaction.amount(), transaction.nonce());
        if sender == "0" {
            if let Some(found) = found {
                return Err(Violation::UnexpectedNonce { sender, found });
            }
        } else {
            let (balance, expected) = *ledger.entry(sender.clone()).or_default();
            if found != Some(expected) {
                return Err(Violation::Nonce { sender, expected, found });
            }
            if balance < amount {
                return Err(Violation::Overdraft { sender, balance, amount });
            }
            ledger.insert(sender, (balance - amount, expected + 1));
        }
        let (balance, nonce) = *ledger.entry(recipient.clone()).or_default();
        if u128::from(balance) + u128::from(amount) > u128::from(u64::MAX) {
            return Err(Violation::BalanceTooLarge { recipient, balance, amount });
        }
        ledger.insert(recipient, (balance + amount, nonce));
    }
    Ok(ledger)
}

const ADDRESSES: [&str; 4] = ["alice", "bob", "carol", "0"];

fn address() -> impl Strategy<Value = &'static str> {
    prop::sample::select(ADDRESSES.as_slice())
}

/// Who sends what to whom, and how far the nonce is from the right one, which is mostly not at all.
fn transfers() -> impl Strategy<Value = Vec<(&'static str, &'static str, u64, Option<u64>)>> {
    let amount = prop_oneof![20 => 0..60_u64, 1 => (u64::MAX - 200)..=u64::MAX];
    let nonce_off = prop_oneof![30 => Just(Some(0)), 1 => Just(Some(1)), 1 => Just(None)];
    prop::collection::vec((address(), address(), amount, nonce_off), 0..12)
}

proptest! {
    #[test]
    fn accounts_agree_with_a_plain_ledger(
        balances in prop::array::uniform3(0..200_u64),
        transfers in transfers(),
    ) {
        let mut ledger: Ledger =
            ADDRESSES.iter().zip(balances).map(|(address, balance)| (address.to_string(), (balance, 0))).collect();
        let mut accounts = Accounts::default();
        for (address, &(balance, nonce)) in &ledger {
            accounts.set(address.as_str().into(), Account { balance, nonce });
        }
        let rules = Rules { accounts: true, ..Rules::notebook().with_first_target(Target::EASIEST) };
        let mut setting = Setting::new();
        setting.accounts = accounts;
        // A block for each three transactions, each on the accounts that the last left.
        for transfers in transfers.chunks(3) {
            let mut next = BTreeMap::new();
            let transactions: Vec<_> = transfers
                .iter()
                .map(|&(sender, recipient, amount, nonce_off)| {
                    let transaction = Transaction::new(sender, recipient, amount);
                    let next = next.entry(sender).or_insert_with(|| setting.accounts.get(sender).nonce);
                    *next += 1;
                    match nonce_off {
                        Some(0) if sender == "0" => transaction,
                        Some(off) => transaction.with_nonce(*next - 1 + off),
                        None => transaction,
                    }
                })
                .collect();
            let expected = ledger_after(&transactions, &ledger);
            match (setting.check(&rules, &block_of(transactions)), expected) {
                (Ok(accounts), Ok(after)) => (setting.accounts, ledger) = (accounts, after),
                (found, expected) => {
                    prop_assert_eq!(found.err(), expected.err());
                    return Ok(());
                }
            }
            for address in ADDRESSES {
                let account = setting.accounts.get(address);
                let expected = ledger.get(address).copied().unwrap_or_default();
                prop_assert_eq!((account.balance, account.nonce), expected, "{}", address);
            }
        }
    }

    #[test]
    fn a_chain_starts_at_any_moment(nanos in any::<u64>()) {
        let now = Time::from_nanos(nanos);
        for rules in [Rules::notebook(), Rules::tutorial(), Rules::sealed(), Rules::bitcoin()] {
            let chain = Blockchain::start(&rules, now).unwrap();
            prop_assert_eq!(chain.len(), 1);
            prop_assert_eq!(&Blockchain::from_json(&chain.to_json(), &rules).unwrap(), &chain);
            let started = rules.started_at(now);
            prop_assert_eq!(Blockchain::start(&started, Time::UNIX_EPOCH).unwrap().len(), 1);
        }
    }
}
