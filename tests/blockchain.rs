//! The blockchain as a value against plain vectors, and its verdicts against the slow validator.

mod miner;
mod model;

use chainlab::{
    Block, Blockchain, ChainError, InvalidBlock, PreviousHash, ProofRule, Rules, Time, Timestamp,
    Transaction, Violation, pow::Target,
};
use miner::mine;
use model::{Model, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The notebook's rules and the tutorial's, with proofs that cost some sixteen attempts, and their models.
fn easy_rules() -> [(Rules, Model); 2] {
    let first_target = Target::leading_zero_bits(4);
    [
        (Rules::notebook().with_first_target(first_target), Model { zeros: 1, ..Model::NOTEBOOK }),
        (Rules::tutorial().with_first_target(first_target), Model { zeros: 1, ..Model::TUTORIAL }),
    ]
}

/// The notebook's rules, but any proof will do.
fn free_of_work() -> Rules {
    Rules::notebook().with_first_target(Target::EASIEST)
}

fn grow(chain: &Blockchain, rules: &Rules, seconds: i64) -> Blockchain {
    chain.append(mine(chain, rules, vec![], Timestamp::integer(seconds)), rules).unwrap()
}

/// A document that the model calls valid, made without the library.
fn document() -> impl Strategy<Value = (usize, Value)> {
    let timestamp = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (1_500_000_000.0..1_800_000_000.0).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
    ];
    let transaction = (any::<String>(), "[a-z0-9]{0,8}", any::<u64>()).prop_map(
        |(sender, recipient, amount)| json!({"sender": sender, "recipient": recipient, "amount": amount}),
    );
    let block = (any::<u64>(), timestamp, prop::collection::vec(transaction, 0..3));
    let first = (any::<u64>(), prop_oneof![Just(json!(1)), Just(json!("1"))]);
    (0..2_usize, prop::collection::vec(block, 1..7), first).prop_map(
        |(which, blocks, (proof, previous_hash))| {
            let (_, model) = &easy_rules()[which];
            let mut chain: Vec<Value> = Vec::new();
            for (index, timestamp, transactions) in blocks {
                let mut block = json!({
                    "index": index, "timestamp": timestamp, "transactions": transactions,
                    "proof": proof, "previous_hash": previous_hash,
                });
                if let Some(last_block) = chain.last() {
                    block["previous_hash"] = model::hash(last_block).into();
                    model.mine(last_block, &mut block);
                }
                chain.push(block);
            }
            let length = chain.len();
            (which, json!({"chain": chain, "length": length}))
        },
    )
}

/// A change to a document: which block, which of the changes below, and a number for it to use.
type Mutation = (prop::sample::Index, usize, u64);

fn mutate(document: &mut Value, (at, change, number): &Mutation) {
    let chain = document["chain"].as_array_mut().unwrap();
    if chain.is_empty() {
        return;
    }
    let (at, other) = (at.index(chain.len()), *number as usize % chain.len());
    let follows = at + 1 < chain.len();
    let block = &mut chain[at];
    match change {
        0 => block["index"] = (*number).into(),
        1 => block["timestamp"] = (*number as i64).into(),
        2 => block["timestamp"] = (*number as f64 / 1e6).into(),
        3 => block["proof"] = (*number).into(),
        4 => block["proof"] = (number % 40).into(),
        5 => block["previous_hash"] = hex::encode(number.to_be_bytes().repeat(4)).into(),
        6 => block["previous_hash"] = (number % 3).into(),
        7 => block["previous_hash"] = "1".into(),
        8 => block["transactions"] = json!([{"sender": "0", "recipient": "thief", "amount": number}]),
        9 => block["transactions"].as_array_mut().unwrap().reverse(),
        10 => block["transactions"] = json!([{"sender": "0", "recipient": 5, "amount": number}]),
        11 => {
            block["transactions"] = json!([{"sender": "0", "recipient": "", "amount": *number as f64 / 2.0}])
        }
        12 => {
            drop(block.as_object_mut().unwrap().remove(["index", "proof", "timestamp"][*number as usize % 3]))
        }
        13 => block["difficulty"] = (*number).into(),
        14 => chain.truncate(at),
        15 => drop(chain.remove(at)),
        16 => chain.insert(at, chain[other].clone()),
        17 => chain.swap(at, other),
        18 => document["length"] = (number % 8).into(),
        // Whole again from here on, as by somebody who rewrites a block and names it in the next.
        19 if follows => {
            block["timestamp"] = (*number as i64).into();
            chain[at + 1]["previous_hash"] = model::hash(&chain[at]).into();
        }
        _ => {}
    }
    if *change != 18 {
        document["length"] = document["chain"].as_array().unwrap().len().into();
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..21_usize, any::<u64>()), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_verdict_is_the_slow_validator_s((which, document) in document(), mutations in mutations()) {
        let (rules, model) = &easy_rules()[which];
        prop_assert_eq!(model.valid_chain(&document["chain"]), Verdict::Valid, "as made");
        let mut mutant = document.clone();
        for mutation in &mutations {
            mutate(&mut mutant, mutation);
        }
        let expected = model.judge(&mutant.to_string());
        match Blockchain::from_json(&mutant.to_string(), rules) {
            Ok(chain) => {
                prop_assert_eq!(expected, Verdict::Valid);
                // Out it comes as Python would write it, and in again.
                prop_assert_eq!(chain.to_json(), model::dumps(&mutant));
                prop_assert_eq!(Blockchain::from_json(&chain.to_json(), rules).unwrap(), chain.clone());
                prop_assert_eq!(serde_json::to_value(&chain).unwrap(), mutant.clone());
                let last = mutant["chain"].as_array().unwrap().last().unwrap();
                prop_assert_eq!(chain.tip_hash().to_string(), model::hash(last));
                prop_assert_eq!(chain.size_after(chain.len() - 1), model::dumps(last).len() as u64);
                prop_assert_eq!(chain.verify(rules).unwrap(), chain);
            }
            Err(ChainError::Document(_)) => prop_assert_eq!(expected, Verdict::Refused),
            Err(ChainError::Invalid(InvalidBlock { position, violation: Violation::PreviousHash { .. } })) => {
                prop_assert_eq!(expected, Verdict::BrokenLink(position));
            }
            Err(ChainError::Invalid(InvalidBlock { position, violation: Violation::Proof { .. } })) => {
                prop_assert_eq!(expected, Verdict::BadProof(position));
            }
            Err(error) => prop_assert!(false, "the notebook knows no such check: {}", error),
        }
    }
}

/// A chain and the blocks in it, first to last.
#[derive(Clone)]
struct Branch {
    chain: Blockchain,
    blocks: Vec<Block>,
}

impl Branch {
    fn start(rules: &Rules, seconds: u64) -> Self {
        let chain = Blockchain::start(rules, Time::from_secs(seconds)).unwrap();
        Self { blocks: vec![chain.last_block().clone()], chain }
    }

    /// Goes on from the first `len` blocks.
    fn fork(&self, rules: &Rules, len: usize, blocks: usize, seconds: i64) -> Self {
        let mut branch =
            Self { chain: self.chain.at(len as u64).unwrap(), blocks: self.blocks[..len].to_vec() };
        for at in 0..blocks {
            branch.chain = grow(&branch.chain, rules, seconds * 1000 + at as i64);
            branch.blocks.push(branch.chain.last_block().clone());
        }
        branch
    }
}

/// Branches that fork from one another anywhere, and one with another genesis.
fn fork_tree(forks: &[(prop::sample::Index, prop::sample::Index, usize)]) -> Vec<Branch> {
    let rules = free_of_work();
    let mut branches = vec![Branch::start(&rules, 1), Branch::start(&rules, 2)];
    for (seconds, (branch, len, blocks)) in forks.iter().enumerate() {
        let base = branch.get(&branches);
        let len = len.index(base.blocks.len()) + 1;
        let fork = base.fork(&rules, len, *blocks, seconds as i64);
        branches.push(fork);
    }
    branches
}

fn forks() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, usize)>> {
    let blocks = prop_oneof![0..8_usize, 0..80_usize, 250..520_usize];
    prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), blocks), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn ancestors_are_those_of_plain_vectors(forks in forks()) {
        let branches = fork_tree(&forks);
        for Branch { chain, blocks } in &branches {
            prop_assert_eq!(chain.len() as usize, blocks.len());
            prop_assert_eq!(chain.last_block(), blocks.last().unwrap());
            prop_assert_eq!(chain.tip_hash(), blocks.last().unwrap().hash());
            prop_assert_eq!(chain.block(0), None);
            prop_assert_eq!(chain.at(0), None);
            for past in [chain.len() + 1, u64::MAX] {
                prop_assert_eq!(chain.block(past), None);
                prop_assert_eq!(chain.at(past), None);
            }
            for (position, block) in (1..).zip(blocks) {
                prop_assert_eq!(chain.block(position), Some(block));
                let start = chain.at(position).unwrap();
                prop_assert_eq!((start.len(), start.last_block()), (position, block));
                prop_assert_eq!(start.parent(), chain.at(position - 1));
            }
            prop_assert!(chain.iter().eq(blocks));
            prop_assert!(chain.iter().rev().eq(blocks.iter().rev()));
        }
        for one in &branches {
            for other in &branches {
                let common = one.blocks.iter().zip(&other.blocks).take_while(|(one, other)| one == other).count();
                let found = one.chain.common_ancestor(&other.chain);
                prop_assert_eq!(found.as_ref().map_or(0, Blockchain::len), common as u64);
                prop_assert_eq!(found, one.chain.at(common as u64));
                prop_assert_eq!(one.chain.is_start_of(&other.chain), common == one.blocks.len());
                prop_assert_eq!(one.chain == other.chain, one.blocks == other.blocks);
            }
        }
    }

    #[test]
    fn iterating_both_ways_at_once_is_as_with_a_slice(
        len in prop_oneof![1..20_usize, 1..600_usize],
        after in prop_oneof![0..5_u64, 0..700_u64, Just(u64::MAX)],
        steps in prop::collection::vec((0..6_u8, prop_oneof![0..4_usize, 0..300_usize, Just(usize::MAX)]), 1..40),
    ) {
        let rules = free_of_work();
        let Branch { chain, blocks } = Branch::start(&rules, 1).fork(&rules, 1, len - 1, 0);
        let mut found = chain.iter_after(after);
        let mut expected = blocks.get((after as usize).min(len)..).unwrap().iter();
        for (step, count) in steps {
            match step {
                0 => prop_assert_eq!(found.next(), expected.next()),
                1 => prop_assert_eq!(found.next_back(), expected.next_back()),
                2 => prop_assert_eq!(found.nth(count), expected.nth(count)),
                3 => prop_assert_eq!(found.nth_back(count), expected.nth_back(count)),
                4 => prop_assert!(found.clone().eq(expected.clone())),
                _ => prop_assert!(found.clone().rev().take(count).eq(expected.clone().rev().take(count))),
            }
            prop_assert_eq!(found.len(), expected.len());
            prop_assert_eq!(found.size_hint(), expected.size_hint());
        }
        prop_assert!(found.eq(expected));
    }
}

#[test]
fn appending_leaves_the_chain_as_it_was() {
    let rules = free_of_work();
    let chain = grow(&Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), &rules, 1);
    let (one, other) = (grow(&chain, &rules, 2), grow(&chain, &rules, 3));
    assert_eq!((chain.len(), one.len(), other.len()), (2, 3, 3));
    assert_ne!(one, other);
    assert_eq!(one.parent(), other.parent());
    assert_eq!(one.common_ancestor(&other), Some(chain.clone()));
    assert_eq!(chain.at(1).unwrap().parent(), None);
    assert_eq!(format!("{chain:?}"), format!("Blockchain(2 blocks, tip {})", chain.last_block().hash()));
}

#[test]
fn an_invalid_block_is_not_appended() {
    let rules = Rules::notebook();
    let chain = Blockchain::start(&rules, Time::from_nanos(1_507_824_951_769_517_700)).unwrap();
    let expected = chain.tip_hash();
    let found = PreviousHash::NumberOne;
    let block = Block::new(2, Timestamp::integer(0), [], 35293, found);
    let violation = Violation::PreviousHash { expected, found };
    let error = chain.append(block.clone(), &rules).unwrap_err();
    assert_eq!(error, InvalidBlock { position: 2, violation });
    assert!(error.to_string().starts_with("block 2: wrong previous hash: expected 47f86582"), "{error}");

    let block = Block::new(2, Timestamp::integer(0), [], 35293, PreviousHash::Hash(expected));
    let next = chain.append(block.clone(), &rules).unwrap();
    assert_eq!(next.work(), rules.difficulty.first_target().work());
    let error = chain.append(block.with_proof(35292), &rules).unwrap_err();
    assert!(matches!(error, InvalidBlock { position: 2, violation: Violation::Proof { proof: 35292, .. } }));
}

/// A chain can be made only by verifying, and is verified again under other rules.
#[test]
fn a_chain_answers_to_the_rules_that_it_is_appended_under() {
    let [(easy, _), (tutorial, _)] = easy_rules();
    let start = Blockchain::start(&easy, Time::UNIX_EPOCH).unwrap();
    let chain = (1..20).fold(start, |chain, seconds| grow(&chain, &easy, seconds));
    assert_eq!(chain.verify(&easy).unwrap(), chain);

    // Each easy proof would have to be a hard one by luck.
    let hard = easy.clone().with_first_target(Target::leading_zero_bits(100));
    let error = chain.verify(&hard).unwrap_err();
    assert!(matches!(error, InvalidBlock { position: 2, violation: Violation::Proof { .. } }), "{error}");
    let next = mine(&chain, &easy, vec![], Timestamp::integer(20));
    assert_eq!(chain.append(next.clone(), &hard).unwrap_err(), error);
    assert!(chain.verify(&tutorial).is_err());

    // Under rules that allow it, it is the same chain with other targets and another work.
    let free = free_of_work();
    let verified = chain.verify(&free).unwrap();
    assert_eq!(verified, chain);
    assert_eq!((chain.target(), verified.target()), (easy.difficulty.first_target(), Target::EASIEST));
    assert!(verified.work() < chain.work());
    assert_eq!(chain.append(next, &free).unwrap().len(), 21);
}

/// A chain under the sealed rules: one genesis, rewards, transfers with nonces, a target that follows.
#[test]
fn a_sealed_chain_keeps_accounts_and_comes_back_from_its_document() {
    let allocations = [("alice".into(), 100)].into();
    let rules = Rules {
        genesis: chainlab::Genesis::Shared { time: None, allocations },
        ..Rules::sealed().with_first_target(Target::leading_zero_bits(2))
    }
    .started_at(Time::from_secs(1_000));
    let mut chain = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    for nonce in 0..70 {
        let transactions = vec![
            Transaction::new("alice", "bob", 1).with_nonce(nonce),
            Transaction::reward("miner", rules.reward),
        ];
        // Two blocks a second, where one is wanted.
        let timestamp = Timestamp::from_micros(1_000_000_000 + 500_000 * (nonce + 1));
        chain = chain.append(mine(&chain, &rules, transactions, timestamp), &rules).unwrap();
    }
    assert_eq!(["alice", "bob", "miner", "nobody"].map(|address| chain.balance(address)), [30, 70, 3500, 0]);
    assert_eq!(chain.account("alice").nonce, 70);
    assert_eq!(chain.accounts().iter().count(), 3);
    assert_eq!(chain.at(11).unwrap().balance("alice"), 90, "each block keeps its own accounts");
    // Two windows of 32 blocks took 31 intervals of half a second each, where 32 s were wanted.
    let expected = rules.difficulty.easiest_target().get() as f64 * (15.5 / 32.0_f64).powi(2);
    assert!((chain.target().get() as f64 / expected - 1.0).abs() < 1e-12);

    let read = Blockchain::from_json(&chain.to_json(), &rules).unwrap();
    assert_eq!(read, chain);
    assert_eq!((read.work(), read.target(), read.to_json()), (chain.work(), chain.target(), chain.to_json()));
    // Whoever rewrites a transaction has to search again.
    let forged = chain.to_json().replacen("\"recipient\": \"bob\"", "\"recipient\": \"eve\"", 1);
    let error = Blockchain::from_json(&forged, &rules).unwrap_err();
    assert!(matches!(error, ChainError::Invalid(InvalidBlock { position: 2 | 3, .. })), "{error}");
}

#[test]
fn a_chain_and_its_blocks_read_as_a_person_wants() {
    let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(1));
    let grow = |chain: &Blockchain, transactions: Vec<Transaction>| {
        let parent = PreviousHash::Hash(chain.tip_hash());
        let block =
            |proof| Block::new(chain.len() + 1, Timestamp::integer(7), transactions.clone(), proof, parent);
        (0..).find_map(|proof| chain.append(block(proof), &rules).ok()).unwrap()
    };
    let genesis = Blockchain::start(&rules, Time::from_secs(5)).unwrap();
    let transactions = vec![Transaction::new("alice", "bob", 5), Transaction::reward("carol", 1)];
    let chain = grow(&genesis, transactions);
    let (first, second) = (genesis.tip_hash().to_string(), chain.tip_hash().to_string());
    let (first, second, proof) = (&first[..8], &second[..8], chain.last_block().proof());
    assert_eq!(
        chain.to_string(),
        format!(
            "2 blocks, tip {second}\n  block 1 {first}: 0 transactions, proof 100, at 5.0\n  \
             block 2 {second}: 2 transactions, proof {proof}, at 7"
        )
    );
    assert_eq!(
        chain.last_block().to_string(),
        format!(
            "block 2 on {first}, proof {proof}, at 7, 2 transactions\n  alice pays bob 5\n  \
             carol is rewarded with 1"
        )
    );
    let numbered = Transaction::new("alice", "bob", 5).with_nonce(3);
    assert_eq!(numbered.to_string(), "alice pays bob 5 (nonce 3)");
    assert_eq!(genesis.last_block().to_string(), "block 1 on 1, proof 100, at 5.0, 0 transactions");

    let shown = |len: u64| {
        let chain = (1..len).fold(genesis.clone(), |chain, _| grow(&chain, Vec::new()));
        let text = chain.to_string();
        text.lines()
            .skip(1)
            .map(|line| line.split_once(':').map_or(line, |(start, _)| start).to_owned())
            .collect::<Vec<_>>()
    };
    let positions = |lines: &[String]| -> Vec<u64> {
        lines.iter().filter_map(|line| line.split(' ').nth(3)?.parse().ok()).collect()
    };
    assert_eq!(positions(&shown(20)), (1..=20).collect::<Vec<_>>());
    let (all_but_two, long) = (shown(21), shown(40));
    assert_eq!(all_but_two[1], "  ... 2 more blocks ...");
    assert_eq!(all_but_two.len(), 20);
    assert_eq!(long[1], "  ... 21 more blocks ...");
    assert_eq!(long[0].split(' ').nth(3), Some("1"));
    assert!(long[2].starts_with("  block 23 ") && long[19].starts_with("  block 40 "), "{long:?}");
}

/// An attacker can lengthen a simulation's chain, though no machine would find proofs at its difficulty.
#[test]
fn a_drawn_chain_goes_on_by_hand_without_a_search() {
    let rules = Rules { proof: ProofRule::Drawn, ..Rules::bitcoin() }
        .with_first_target(Target::leading_zero_bits(120));
    let start = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    let chain = start.mine_next(&rules, [], "mallory", Time::from_secs(1)).unwrap();
    assert_eq!((chain.len(), chain.last_block().proof()), (2, 0));
    assert_eq!(chain.verify(&rules).unwrap().tip_hash(), chain.tip_hash());
}
