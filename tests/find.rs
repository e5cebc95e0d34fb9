//! Where a transaction stands in a chain, against a look through all blocks.

use std::collections::BTreeMap;

use chainlab::{Blockchain, Found, Genesis, Rules, Time, Transaction, pow::Target};
use proptest::prelude::*;

const SENDERS: [&str; 3] = ["alice", "bob", "carol"];

fn sealed() -> Rules {
    let allocations = SENDERS.map(|sender| (sender.into(), 1_000_000)).into();
    let genesis = Genesis::Shared { time: Some(Time::UNIX_EPOCH), allocations };
    Rules { genesis, ..Rules::sealed().with_first_target(Target::EASIEST) }
}

fn notebook() -> Rules {
    Rules::notebook().with_first_target(Target::EASIEST)
}

/// The oldest one in any block.
fn look_through(chain: &Blockchain, transaction: &Transaction) -> Option<Found> {
    (1..=chain.len()).find_map(|position| {
        let transactions = chain.block(position).unwrap().transactions();
        let place = (0..transactions.len()).find(|place| transactions[*place] == *transaction)?;
        Some(Found { position, place })
    })
}

/// Grows a chain by blocks of payments, each said by who sends and how much; where accounts are kept they are numbered.
fn grown(chain: Blockchain, rules: &Rules, blocks: &[Vec<(usize, u64)>]) -> Blockchain {
    blocks.iter().fold(chain, |chain, block| {
        let mut nonces: BTreeMap<_, _> =
            SENDERS.into_iter().map(|sender| (sender, chain.account(sender).nonce)).collect();
        let payments = block.iter().map(|&(sender, amount)| {
            let payment = Transaction::new(SENDERS[sender], "shop", amount);
            if !rules.accounts {
                return payment;
            }
            let nonce = nonces.get_mut(SENDERS[sender]).unwrap();
            *nonce += 1;
            payment.with_nonce(*nonce - 1)
        });
        chain.mine_next(rules, payments, "miner", Time::UNIX_EPOCH).unwrap()
    })
}

fn any_blocks() -> impl Strategy<Value = Vec<Vec<(usize, u64)>>> {
    prop::collection::vec(prop::collection::vec((0..3_usize, 1..4_u64), 0..4), 0..40)
}

/// All that stands in one of the chains, and what is near to it but does not.
fn candidates<'a>(chains: impl IntoIterator<Item = &'a Blockchain>) -> Vec<Transaction> {
    let mined = chains.into_iter().flatten().flat_map(|block| block.transactions().iter().cloned());
    let near = |mined: Transaction| {
        let other = Transaction::new(mined.sender(), mined.recipient(), mined.amount() + 1);
        match mined.nonce() {
            Some(nonce) => [mined.clone(), mined.with_nonce(nonce + 1), other.with_nonce(nonce)],
            None => [mined.clone(), other, mined.with_nonce(0)],
        }
    };
    let strange = [0, u64::MAX].map(|nonce| Transaction::new("nobody", "shop", 1).with_nonce(nonce));
    mined.flat_map(near).chain(strange).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_transaction_is_found_where_it_stands(
        accounts in any::<bool>(),
        common in any_blocks(),
        ours in any_blocks(),
        theirs in any_blocks(),
    ) {
        let rules = if accounts { sealed() } else { notebook() };
        let common = grown(Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap(), &rules, &common);
        let (ours, theirs) = (grown(common.clone(), &rules, &ours), grown(common.clone(), &rules, &theirs));
        let candidates = candidates([&ours, &theirs]);
        for chain in [&common, &ours, &theirs] {
            for transaction in &candidates {
                let expected = look_through(chain, transaction);
                prop_assert_eq!(chain.find(transaction), expected);
                let confirmations = expected.map_or(0, |found| chain.iter_after(found.position - 1).len() as u64);
                prop_assert_eq!(chain.confirmations(transaction), confirmations);
            }
        }
    }
}

#[test]
fn a_payment_gains_a_confirmation_with_each_block_and_loses_them_with_its_branch() {
    let rules = sealed();
    let start = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    let payment = Transaction::new("alice", "shop", 5).with_nonce(0);
    assert_eq!(start.confirmations(&payment), 0);
    let paid = grown(start.clone(), &rules, &[vec![(1, 1), (0, 5)], vec![], vec![]]);
    assert_eq!(paid.find(&payment), Some(Found { position: 2, place: 1 }));
    assert_eq!([2, 3, 4].map(|position| paid.at(position).unwrap().confirmations(&payment)), [1, 2, 3]);
    // In the other branch alice has spent the coins otherwise, with the same nonce.
    let other = grown(start, &rules, &[vec![(0, 6)]]);
    assert_eq!((other.find(&payment), other.confirmations(&payment)), (None, 0));
}

#[test]
fn of_equal_payments_without_nonces_the_oldest_is_found() {
    let rules = notebook();
    let start = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    let chain = grown(start, &rules, &[vec![], vec![(1, 1), (0, 5)], vec![(0, 5)]]);
    let payment = Transaction::new("alice", "shop", 5);
    assert_eq!(chain.find(&payment), Some(Found { position: 3, place: 1 }));
    assert_eq!(chain.confirmations(&payment), 2);
    assert_eq!(chain.confirmations(&Transaction::reward("miner", 1)), 3);
}
