//! What is pending can be mined in its order, and what a mempool holds another takes in again.

use proptest::prelude::*;

use super::{LossReason, Mempool};
use crate::{
    accounts::{Account, Accounts},
    rules::Rules,
    transaction::Transaction,
};

const ADDRESSES: [&str; 4] = ["alice", "bob", "carol", "dave"];

#[derive(Debug, Clone)]
enum Step {
    Submit(Transaction),
    /// Mine so many of those that can be.
    Mine(usize),
    /// Mine a payment of another's, unless it cannot be.
    MineOther(Transaction),
    /// Give up the last block.
    Abandon,
}

fn transfers() -> impl Strategy<Value = Transaction> {
    let amount = prop_oneof![3 => 0..10_u64, 1 => 0..150_u64];
    (0..4_usize, 0..4_usize, amount).prop_map(|(sender, recipient, amount)| {
        Transaction::new(ADDRESSES[sender], ADDRESSES[recipient], amount)
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let numbered = (transfers(), 0..12_u64).prop_map(|(transfer, nonce)| transfer.with_nonce(nonce));
    let step = prop_oneof![
        6 => transfers().prop_map(Step::Submit),
        3 => numbered.prop_map(Step::Submit),
        1 => (0..8_usize).prop_map(Step::Mine),
        1 => transfers().prop_map(Step::MineOther),
        1 => Just(Step::Abandon),
    ];
    prop::collection::vec(step, 1..80)
}

fn start() -> Accounts {
    let mut accounts = Accounts::default();
    for address in &ADDRESSES[..3] {
        accounts.set((*address).into(), Account { balance: 100, nonce: 0 });
    }
    accounts
}

fn all(mempool: &Mempool) -> Vec<Transaction> {
    mempool.iter().cloned().collect()
}

/// What each address sends and receives is what a look at all that can be mined finds, and so is who sends the most.
fn flows_are_those_of_what_is_pending(mempool: &Mempool) -> Result<(), TestCaseError> {
    for address in ADDRESSES {
        let of = |is_its: fn(&Transaction) -> &str| {
            let its = mempool.arrivals.iter().filter(move |(_, transaction)| is_its(transaction) == address);
            its.map(|(arrival, transaction)| (*arrival, u128::from(transaction.amount()))).unzip()
        };
        let (sent, spending): (Vec<_>, Vec<_>) = of(Transaction::sender);
        let (received, income): (Vec<_>, Vec<_>) = of(Transaction::recipient);
        let flow = mempool.flows.get(address);
        prop_assert_eq!(flow.is_some(), !sent.is_empty() || !received.is_empty());
        prop_assert_eq!(mempool.flows.count(address), sent.len());
        if let Some(flow) = flow {
            prop_assert_eq!((flow.spending, flow.income()), (spending.iter().sum(), income.iter().sum()));
            prop_assert!(flow.sent().eq(sent));
            prop_assert!(flow.received(..).eq(received));
        }
    }
    let counts = ADDRESSES.map(|address| (mempool.flows.count(address), address));
    let last_of = |(_, sender)| mempool.arrivals.iter().rev().find(|(_, last)| last.sender() == sender);
    let farthest = counts.into_iter().max().filter(|(count, _)| *count > 1).and_then(last_of);
    prop_assert_eq!(mempool.flows.farthest(), farthest.map(|(arrival, _)| *arrival));
    Ok(())
}

proptest! {
    #[test]
    fn what_is_pending_can_be_mined_and_restored(steps in steps(), capacity in 0..30_usize) {
        let rules = Rules::sealed();
        let reward = Transaction::reward("miner", rules.reward);
        let mut mempool = Mempool::new(capacity);
        let (mut accounts, mut blocks) = (start(), Vec::<(Accounts, Vec<Transaction>)>::new());
        for step in steps {
            let mut mined = Vec::new();
            let mut abandoned = Vec::new();
            match step {
                Step::Submit(transaction) => {
                    let before = all(&mempool);
                    if mempool.submit(transaction, &rules, &accounts).is_err() {
                        prop_assert_eq!(before, all(&mempool));
                    }
                }
                Step::Mine(most) => mined = mempool.select(most, usize::MAX, &reward, &rules, &accounts),
                Step::MineOther(transfer) => {
                    mined.push(transfer.clone().with_nonce(accounts.get(transfer.sender()).nonce));
                }
                Step::Abandon => {
                    if let Some((before, block)) = blocks.pop() {
                        (accounts, abandoned) = (before, block);
                    }
                }
            }
            if let Ok(after) = rules.accounts_after(&mined, &accounts) {
                let before = std::mem::replace(&mut accounts, after);
                if !mined.is_empty() {
                    blocks.push((before, mined.clone()));
                }
                mempool.change_chain(abandoned.iter(), mined.iter(), true, &rules, &accounts);
            }
            prop_assert!(mempool.len() <= capacity);
            flows_are_those_of_what_is_pending(&mempool)?;
            let ready = mempool.select(usize::MAX, usize::MAX, &reward, &rules, &accounts);
            prop_assert_eq!(ready.len(), mempool.arrivals.len());
            prop_assert!(rules.accounts_after(&ready, &accounts).is_ok());

            let mut restored = Mempool::new(capacity);
            prop_assert_eq!(restored.restore(all(&mempool), &rules, &accounts), []);
            prop_assert_eq!(all(&restored), all(&mempool));
        }
    }
}

#[test]
fn what_cannot_be_restored_is_handed_back_with_the_reason() {
    let (rules, accounts) = (Rules::sealed(), start());
    let pay = |sender: &str, nonce, amount| Transaction::new(sender, "bob", amount).with_nonce(nonce);
    let mut mempool = Mempool::new(3);
    let pending = vec![
        pay("alice", 0, 5),
        Transaction::reward("alice", 50),
        pay("alice", 0, 6),
        pay("alice", 1, 96),
        pay("carol", 0, 1),
        pay("carol", 5, 2),
        pay("carol", 6, 3),
        pay("alice", 1, 7),
        Transaction::new("alice", "bob", 8),
    ];
    let lost = mempool.restore(pending, &rules, &accounts);
    let lost: Vec<_> = lost.iter().map(|(transaction, reason)| (transaction.amount(), *reason)).collect();
    assert_eq!(
        lost,
        [
            (50, LossReason::Unpayable),
            (6, LossReason::Replaced),
            (96, LossReason::Unpayable),
            (3, LossReason::Evicted),
            (2, LossReason::Evicted),
            (8, LossReason::Evicted),
        ]
    );
    assert_eq!(all(&mempool), [pay("alice", 0, 5), pay("carol", 0, 1), pay("alice", 1, 7)]);
}

/// What was saved may have been in a block: another's block that holds it is its own.
#[test]
fn what_is_restored_without_accounts_may_be_in_others_blocks() {
    let (rules, accounts) = (Rules::notebook(), Accounts::default());
    let payment = Transaction::new("alice", "bob", 5);
    let mut mempool = Mempool::new(3);
    assert_eq!(mempool.restore(vec![payment.clone(); 2], &rules, &accounts), []);
    assert_eq!(mempool.submit(payment.clone(), &rules, &accounts), Ok(Vec::new()));
    let three = [payment.clone(), payment.clone(), payment.clone()];
    mempool.change_chain([].iter(), three.iter(), false, &rules, &accounts);
    assert_eq!(all(&mempool), [payment]);
}

/// A transaction that left gives its place in the order to no other: whoever counts on the order may keep it.
#[test]
fn arrivals_are_given_once() {
    let (rules, accounts) = (Rules::sealed(), start());
    let mut mempool = Mempool::new(3);
    for sender in ["alice", "bob"] {
        let transaction = Transaction::new(sender, "carol", 1).with_nonce(0);
        mempool.submit(transaction.clone(), &rules, &accounts).unwrap();
        let arrival = *mempool.arrivals.last_key_value().unwrap().0;
        mempool.change_chain([].iter(), [transaction].iter(), true, &rules, &accounts);
        assert_eq!(arrival, i64::from(sender == "bob"));
    }
}

/// What comes back from a block goes before all others, and the last of these makes room for it.
#[test]
fn where_each_sender_has_one_the_last_that_came_leaves() {
    let (rules, before) = (Rules::sealed(), start());
    let pay = |sender: &str| Transaction::new(sender, "dave", 1).with_nonce(0);
    let mut mempool = Mempool::new(2);
    let after = rules.accounts_after(&[pay("alice")], &before).unwrap();
    for sender in ["carol", "bob"] {
        mempool.submit(pay(sender), &rules, &after).unwrap();
    }
    let changes = mempool.change_chain([pay("alice")].iter(), [].iter(), false, &rules, &before);
    assert_eq!(changes.lost, [(pay("bob"), LossReason::Evicted)]);
    assert_eq!(all(&mempool), [pay("alice"), pay("carol")]);
}
