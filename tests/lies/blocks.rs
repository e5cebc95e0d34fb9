//! Lies in blocks: one for each rule, told in every form that there is.

use chainlab::{
    Block, BlockHash, Blockchain, Checks, Difficulty, Happening, InvalidBlock, Message, PreviousHash, Rules,
    Timestamp, Told, Transaction, Violation, pow::Target,
};

use crate::lab::{BACK_MAX, Draft, LIAR, Lab, START, honest, reward, rules, spend};

/// A block that breaks one rule.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    pub(crate) block: Block,
    pub(crate) violation: Violation,
}

/// Lies about the block after a chain, on which Bob has 40 coins left and the next nonce 1.
pub(crate) fn lies(chain: &Blockchain, rules: &Rules) -> Vec<Lie> {
    let mut lies = lies_about_content(chain, rules);
    lies.extend(lies_about_time(chain, rules));
    lies.extend(lies_about_work(chain, rules));
    lies
}

fn lies_about_work(chain: &Blockchain, rules: &Rules) -> Vec<Lie> {
    let target = chain.next_target(rules);
    let easier = Target::new(target.get() << 2).unwrap();
    let draft = Draft::next(chain).with([spend("alice", 0, 5)]);
    let mined = draft.sealed(target).proof();
    let changed = (6..).map(|amount| Draft::next(chain).with([spend("alice", 0, amount)]).with_proof(mined));
    let unproven = |name, block: Block| {
        let proof = block.proof();
        let hash = rules.challenge(&block, chain.last_block(), chain.tip_hash()).hash(proof);
        assert!(!target.is_met_by(&hash), "{name}");
        Lie { name, block, violation: Violation::Proof { proof, hash, target } }
    };
    let is_met = |block: &Block| {
        rules.challenge(block, chain.last_block(), chain.tip_hash()).is_met(block.proof(), target)
    };
    vec![
        unproven("proof not met", draft.sealed_if(|hash| !target.is_met_by(hash))),
        unproven("proof met for another content", changed.into_iter().find(|block| !is_met(block)).unwrap()),
        unproven(
            "proof met for an easier target",
            draft.sealed_if(|hash| easier.is_met_by(hash) && !target.is_met_by(hash)),
        ),
    ]
}

fn lies_about_time(chain: &Blockchain, rules: &Rules) -> Vec<Lie> {
    let target = chain.next_target(rules);
    let median = Timestamp::from_micros(chain.median_micros());
    let at = |timestamp| Draft::next(chain).spoilt(|draft| draft.timestamp = timestamp).sealed(target);
    let early = |name, found| Lie {
        name,
        block: at(found),
        violation: Violation::TimestampNotAfterMedian { median, found },
    };
    let broken =
        |name, found| Lie { name, block: at(found), violation: Violation::TimestampNotWhole { found } };
    // The block after the chain starts a window.
    let earliest_micros = chain.last_block().timestamp().rounded_micros() - BACK_MAX.as_micros() as u64;
    let [earliest, found] = [earliest_micros, earliest_micros - 1].map(Timestamp::from_micros);
    let warped = Lie {
        name: "time before the window may start",
        block: at(found),
        violation: Violation::WindowStartsTooEarly { earliest, found },
    };
    let between = chain.last_block().timestamp().seconds() + 0.100_000_4;
    vec![
        warped,
        early("time at the median", median),
        early("time before the median", Timestamp::from_micros(chain.median_micros() - 1)),
        early("time of the genesis", Timestamp::from(START)),
        early("time at the epoch", Timestamp::integer(0)),
        broken("time between microseconds", Timestamp::float(between).unwrap()),
        broken("time before the epoch", Timestamp::integer(-1)),
        broken("time as low as can be", Timestamp::integer(i64::MIN)),
        broken("time as high as can be", Timestamp::integer(i64::MAX)),
        broken("time beyond all years", Timestamp::float(f64::MAX).unwrap()),
    ]
}

fn lies_about_content(chain: &Blockchain, rules: &Rules) -> Vec<Lie> {
    let expected = chain.tip_hash();
    let parent = chain.parent().unwrap().tip_hash();
    let draft = Draft::next(chain);
    let next = draft.index;
    let lie = |name, spoil: &dyn Fn(&mut Draft), violation| {
        let block = draft.clone().spoilt(spoil).sealed(chain.next_target(rules));
        Lie { name, block, violation }
    };
    let wrong_hash = |name, hash| {
        let found = PreviousHash::Hash(hash);
        lie(name, &|draft| draft.previous_hash = found, Violation::PreviousHash { expected, found })
    };
    let wrong_index =
        |name, found| lie(name, &|draft| draft.index = found, Violation::Index { expected: next, found });
    let wrong_reward = |name, found| {
        let violation = Violation::RewardAmount { expected: 50, found };
        lie(name, &|draft| draft.transactions = vec![Transaction::reward("miner", found)], violation)
    };
    let spending = |name, transactions: &[Transaction], violation| {
        let spoil = |draft: &mut Draft| *draft = draft.clone().with(transactions.iter().cloned());
        lie(name, &spoil, violation)
    };
    let overdraft =
        |sender: &str, balance, amount| Violation::Overdraft { sender: sender.into(), balance, amount };
    let nonce = |sender: &str, expected, found| Violation::Nonce { sender: sender.into(), expected, found };
    let few: Vec<_> = (0..4).map(|nonce| spend("alice", nonce, 1)).collect();
    vec![
        wrong_hash("wrong previous hash", BlockHash::of(b"no such block")),
        wrong_index("index skipped", next + 1),
        wrong_index("index of the parent", next - 1),
        wrong_index("index 0", 0),
        wrong_index("index as high as can be", u64::MAX),
        wrong_reward("reward too high", 51),
        wrong_reward("reward too low", 49),
        wrong_reward("reward of nothing", 0),
        wrong_reward("reward as high as can be", u64::MAX),
        lie("reward missing", &|draft| draft.transactions.clear(), Violation::RewardMissing),
        spending("reward double", &[reward()], Violation::RewardRepeated { found: 2 }),
        lie(
            "reward not last",
            &|draft| draft.transactions = vec![reward(), spend("alice", 0, 5)],
            Violation::RewardNotLast { position: 1, count: 2 },
        ),
        lie(
            "reward with a nonce",
            &|draft| draft.transactions = vec![reward().with_nonce(0)],
            Violation::UnexpectedNonce { sender: "0".into(), found: 0 },
        ),
        spending(
            "overdraft in one block",
            &[spend("alice", 0, 60), spend("alice", 1, 60)],
            overdraft("alice", 40, 60),
        ),
        spending("overdraft across two blocks", &[spend("bob", 1, 60)], overdraft("bob", 40, 60)),
        spending(
            "overdraft by all there is",
            &[spend("alice", 0, u64::MAX)],
            overdraft("alice", 100, u64::MAX),
        ),
        spending("overdraft of nobody", &[spend("nobody", 0, 1)], overdraft("nobody", 0, 1)),
        spending(
            "a nonce used twice in one block",
            &[spend("alice", 0, 5), spend("alice", 0, 5)],
            nonce("alice", 1, Some(0)),
        ),
        spending("a nonce used twice", &[spend("bob", 0, 1)], nonce("bob", 1, Some(0))),
        spending("a nonce skipped", &[spend("alice", 1, 5)], nonce("alice", 0, Some(1))),
        spending(
            "a nonce as high as can be",
            &[spend("alice", u64::MAX, 5)],
            nonce("alice", 0, Some(u64::MAX)),
        ),
        spending("a nonce missing", &[Transaction::new("alice", "bob", 5)], nonce("alice", 0, None)),
        spending(
            "more coins than can be counted",
            &[Transaction::new("alice", "rich", 11).with_nonce(0)],
            Violation::BalanceTooLarge { recipient: "rich".into(), balance: u64::MAX - 10, amount: 11 },
        ),
        spending("too many payments", &few, Violation::TooManyPayments { most: 3, found: 4 }),
        // Told as the next block; the parent's parent is known, but is not where it claims to stand.
        lie(
            "a block beside the tip",
            &|draft| draft.previous_hash = PreviousHash::Hash(parent),
            Violation::Index { expected: next - 1, found: next },
        ),
    ]
}

/// Verifies a chain by rules that allow nearly everything, so that it comes as links that somebody verified.
fn lax(rules: &Rules) -> Rules {
    let anything = Target::EASIEST;
    Rules { difficulty: Difficulty::Fixed(anything), checks: Checks::LinksAndProofs, ..rules.clone() }
}

fn rejected(position: u64, violation: &Violation) -> Vec<Happening> {
    let invalid = InvalidBlock { position, violation: violation.clone() };
    vec![Happening::Rejected { from: LIAR, invalid }]
}

#[test]
fn every_lie_is_refused_by_its_name_when_it_is_announced() {
    let rules = rules();
    let chain = honest(&rules);
    let lab = Lab::on(&chain, &rules);
    for Lie { name, block, violation } in lies(&chain, &rules) {
        // The violation says on which parent the block stands.
        let position = if name == "a block beside the tip" { chain.len() } else { chain.len() + 1 };
        let mut forms = vec![Told::from(block.clone()), Told::Document(block.canonical_json().into())];
        // The chain was verified, but by whom?
        let lax = lax(&rules);
        forms.extend(chain.verify(&lax).unwrap().append(block.clone(), &lax).map(Told::Chain));
        for told in forms {
            let mut lab = lab.clone();
            let happenings = lab.insist(told.clone(), chain.len(), block.clone().into());
            assert_eq!(happenings, rejected(position, &violation), "{name}, told as {told:?}");
            assert_eq!(lab.chain(), chain, "{name}");
        }
    }
}

#[test]
fn every_lie_is_refused_by_its_name_in_a_whole_chain() {
    let rules = rules();
    let chain = honest(&rules);
    for Lie { name, block, violation } in lies(&chain, &rules) {
        let (position, violation) = match name {
            "a block beside the tip" => {
                let (expected, found) = (chain.tip_hash(), block.previous_hash());
                (9, Violation::PreviousHash { expected, found })
            }
            _ => (9, violation),
        };
        let blocks: Vec<_> = chain.iter().cloned().chain([block.clone()]).collect();
        let text = serde_json::json!({ "chain": blocks, "length": 9 }).to_string();
        let lax = lax(&rules);
        let foreign = chain.verify(&lax).unwrap().append(block, &lax).ok();
        let forms = [Told::Blocks(blocks.into()), Told::Document(text.into())];
        for told in forms.into_iter().chain(foreign.map(Told::Chain)) {
            // One that has the chain already, and one that has the genesis alone.
            for mut lab in [Lab::on(&chain, &rules), Lab::new(&rules, Default::default())] {
                let (before, request) = (lab.chain(), lab.resolve());
                let happenings = lab.hear(LIAR, Message::Chain { request, chain: told.clone() });
                assert_eq!(happenings, rejected(position, &violation), "{name}, told as {told:?}");
                assert_eq!(lab.chain(), before, "{name}");
            }
        }
    }
}
