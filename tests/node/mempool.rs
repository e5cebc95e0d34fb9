//! The mempool through the node's whole life, against models that are slow and obvious.

use std::collections::BTreeMap;

use chainlab::{Blockchain, Command, Limits, Rules, Transaction};
use proptest::{prelude::*, sample::Index};

use crate::bench::{Bench, document, grown, notebook, peer, sealed, seconds};

const CAPACITY: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    /// Submit a transfer of an amount; where accounts are kept with the next nonce, or one near it.
    Submit {
        sender: usize,
        amount: u64,
        nonce: Option<u64>,
    },
    Mine,
    /// Take on a chain that forks off so many blocks behind the tip, is so many blocks longer, and whose blocks hold
    /// what is pending or abandoned here, or something else.
    Adopt {
        depth: u64,
        longer: u64,
        picks: Vec<Pick>,
        as_document: bool,
    },
}

#[derive(Debug, Clone)]
enum Pick {
    Known(Index),
    New { sender: usize, amount: u64 },
}

const SENDERS: [&str; 3] = ["alice", "bob", "carol"];

/// A transfer from one of them to the next, so that what one can pay hangs on what another has paid.
fn transfer(sender: usize, amount: u64) -> Transaction {
    Transaction::new(SENDERS[sender], SENDERS[(sender + 1) % SENDERS.len()], amount)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let nonce = prop_oneof![2 => Just(None), 1 => (0..6_u64).prop_map(Some)];
    let submit = (0..3_usize, 0..50_u64, nonce).prop_map(|(sender, amount, nonce)| Step::Submit {
        sender,
        amount,
        nonce,
    });
    let pick = prop_oneof![
        3 => any::<Index>().prop_map(Pick::Known),
        1 => (0..3_usize, 0..50_u64).prop_map(|(sender, amount)| Pick::New { sender, amount }),
    ];
    let adopt = (0..4_u64, 1..3_u64, prop::collection::vec(pick, 0..8), any::<bool>())
        .prop_map(|(depth, longer, picks, as_document)| Step::Adopt { depth, longer, picks, as_document });
    prop::collection::vec(prop_oneof![4 => submit, 1 => Just(Step::Mine), 1 => adopt], 1..40)
}

/// A node with one peer and a small mempool.
fn bench(rules: &Rules) -> Bench {
    let limits = Limits { mempool: CAPACITY, ..Limits::default() };
    let mut bench = Bench::with_limits(rules.clone(), limits);
    bench.command(Command::Register(vec![peer(1)]));
    bench
}

fn pending(bench: &Bench) -> Vec<Transaction> {
    bench.node.mempool().iter().cloned().collect()
}

/// The transactions of the blocks after a position, without the rewards.
fn transactions(chain: &Blockchain, after: u64) -> Vec<Transaction> {
    let all = chain.iter_after(after).flat_map(|block| block.transactions());
    all.filter(|transaction| !transaction.is_reward()).cloned().collect()
}

/// Mines the other chain of a step. What its picks cannot put into a block is left out.
fn other_chain(bench: &Bench, rules: &Rules, step: &Step) -> (u64, Blockchain) {
    let Step::Adopt { depth, longer, picks, .. } = step else { unreachable!() };
    let own = bench.chain();
    let common = own.len().saturating_sub(*depth).max(1);
    let known = [transactions(&own, common), pending(bench)].concat();
    let mut chain = own.at(common).unwrap();
    let blocks = own.len() + longer - common;
    let mut picks = picks.iter();
    for block in 0..blocks {
        let share = if block + 1 == blocks { usize::MAX } else { 3 };
        let mut held = Vec::new();
        for pick in picks.by_ref().take(share) {
            let transaction = match pick {
                Pick::Known(index) if !known.is_empty() => index.get(&known).clone(),
                Pick::Known(_) => continue,
                Pick::New { sender, amount } => {
                    let transaction = transfer(*sender, *amount);
                    let nonce = chain.account(SENDERS[*sender]).nonce;
                    if rules.accounts { transaction.with_nonce(nonce) } else { transaction }
                }
            };
            // One of a sender in a block, if it can be mined there.
            let account = chain.account(transaction.sender());
            let is_next = transaction.nonce() == Some(account.nonce)
                && transaction.amount() <= account.balance
                && !held.iter().any(|other: &Transaction| other.sender() == transaction.sender());
            if !rules.accounts || is_next {
                held.push(transaction);
            }
        }
        chain = grown(&chain, rules, "miner-1", &held);
    }
    (common, chain)
}

/// Has the node resolve, and its peer answer with a chain; returns what is said to be lost.
fn adopt(bench: &mut Bench, request: &mut u64, chain: &Blockchain, as_document: bool) -> Vec<String> {
    *request += 1;
    // All of its blocks are in the past.
    bench.now += seconds(1000.0);
    bench.command(Command::Resolve);
    let lines = match as_document {
        true => bench.answer(1, *request, document(chain)),
        false => bench.answer(1, *request, chain.clone()),
    };
    assert_eq!(bench.chain(), *chain);
    lost(lines)
}

fn lost(lines: Vec<String>) -> Vec<String> {
    let mut lost: Vec<_> = lines.into_iter().filter(|line| line.starts_with("lost")).collect();
    lost.sort();
    lost
}

/// Removes the first of what equals each of the others.
fn remove_each(list: &mut Vec<Transaction>, others: &[Transaction]) {
    for other in others {
        if let Some(at) = list.iter().position(|transaction| transaction == other) {
            list.remove(at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Without accounts: what was submitted and is not in the chain is pending, as many times as that.
    #[test]
    fn without_accounts(steps in steps()) {
        let rules = notebook();
        let mut bench = bench(&rules);
        let (mut model, mut request) = (Vec::<Transaction>::new(), 0);
        for step in steps {
            match &step {
                Step::Submit { sender, amount, .. } => {
                    // Few amounts, so that many are equal.
                    let transaction = transfer(*sender, *amount % 3);
                    let lines = bench.submit(transaction.clone());
                    let taken = lines[0].ends_with(&format!("block {}", bench.chain().len() + 1));
                    prop_assert_eq!(taken, model.len() < CAPACITY);
                    model.extend(taken.then_some(transaction));
                }
                Step::Mine => {
                    bench.command(Command::Mine);
                    bench.find();
                    let mined = transactions(&bench.chain(), bench.chain().len() - 1);
                    prop_assert_eq!(mined, std::mem::take(&mut model));
                }
                Step::Adopt { as_document, .. } => {
                    let (common, other) = other_chain(&bench, &rules, &step);
                    model.splice(..0, transactions(&bench.chain(), common));
                    remove_each(&mut model, &transactions(&other, common));
                    let evicted = model.split_off(model.len().min(CAPACITY));
                    let lost = adopt(&mut bench, &mut request, &other, *as_document);
                    prop_assert_eq!(lost.len(), evicted.len());
                }
            }
            prop_assert_eq!(pending(&bench), model.clone());
        }
    }

    /// With accounts: besides, each nonce is pending once, everybody can pay for all that it has pending, and the
    /// sender with the most pending gives way.
    #[test]
    fn with_accounts(steps in steps()) {
        let rules = Rules { retarget: None, ..sealed() };
        let mut bench = bench(&rules);
        let (mut model, mut request) = (Model::default(), 0);
        for step in steps {
            let lost = match &step {
                Step::Submit { sender, amount, nonce } => {
                    let transaction = transfer(*sender, *amount);
                    let transaction = match nonce {
                        Some(nonce) => transaction.with_nonce(*nonce),
                        None => transaction,
                    };
                    let lines = bench.submit(transaction.clone());
                    let taken = lines.last().unwrap().ends_with(&format!("block {}", bench.chain().len() + 1));
                    prop_assert_eq!(taken, model.submit(transaction, &bench.chain()), "{:?}", lines);
                    lost(lines)
                }
                Step::Mine => {
                    let minable = model.minable(&bench.chain());
                    bench.command(Command::Mine);
                    let lines = bench.find();
                    let mut mined = transactions(&bench.chain(), bench.chain().len() - 1);
                    mined.sort();
                    prop_assert_eq!(&mined, &minable);
                    model.adopt(&[], &mined, &bench.chain());
                    lost(lines)
                }
                Step::Adopt { as_document, .. } => {
                    let (common, other) = other_chain(&bench, &rules, &step);
                    let abandoned = transactions(&bench.chain(), common);
                    model.adopt(&abandoned, &transactions(&other, common), &other);
                    adopt(&mut bench, &mut request, &other, *as_document)
                }
            };
            model.lost.sort();
            prop_assert_eq!(lost, std::mem::take(&mut model.lost));
            prop_assert_eq!(pending(&bench), model.pending.clone());
        }
    }
}

/// What is pending where accounts are kept, as a list.
#[derive(Default)]
struct Model {
    pending: Vec<Transaction>,
    lost: Vec<String>,
}

impl Model {
    fn of<'a>(&'a self, sender: &str) -> Vec<&'a Transaction> {
        let mut own: Vec<_> =
            self.pending.iter().filter(|transaction| transaction.sender() == sender).collect();
        own.sort_by_key(|transaction| transaction.nonce());
        own
    }

    fn lose(&mut self, transaction: &Transaction, reason: &str) {
        remove_each(&mut self.pending, std::slice::from_ref(transaction));
        self.lost.push(format!("lost {}: {reason}", transaction.amount()));
    }

    /// The sender with the most pending, and how many; of several the last by name.
    fn crowded(&self) -> (usize, String) {
        let mut counts = BTreeMap::new();
        for transaction in &self.pending {
            *counts.entry(transaction.sender().to_owned()).or_insert(0) += 1;
        }
        counts.into_iter().map(|(sender, count)| (count, sender)).max().unwrap()
    }

    fn evict(&mut self) {
        let (_, crowded) = self.crowded();
        let last = (*self.of(&crowded).last().unwrap()).clone();
        self.lose(&last, "Evicted");
    }

    fn submit(&mut self, transaction: Transaction, chain: &Blockchain) -> bool {
        let account = chain.account(transaction.sender());
        let own = self.of(transaction.sender());
        let is_taken = |nonce| nonce < account.nonce || own.iter().any(|other| other.nonce() == Some(nonce));
        let nonce = transaction.nonce().unwrap_or_else(|| (0..).find(|nonce| !is_taken(*nonce)).unwrap());
        let spending: u64 = own.iter().map(|other| other.amount()).sum();
        if is_taken(nonce) || account.balance == 0 || spending + transaction.amount() > account.balance {
            return false;
        }
        if self.pending.len() == CAPACITY {
            // It would have the most pending, or as many as whoever has.
            if own.len() + 1 >= self.crowded().0 {
                return false;
            }
            self.evict();
        }
        self.pending.push(transaction.with_nonce(nonce));
        true
    }

    /// Each sender's transactions as far as their nonces count on without a gap.
    fn minable(&self, chain: &Blockchain) -> Vec<Transaction> {
        let mut minable = Vec::new();
        for sender in SENDERS {
            let next = chain.account(sender).nonce..;
            let own = self.of(sender).into_iter().zip(next);
            minable
                .extend(own.take_while(|(own, next)| own.nonce() == Some(*next)).map(|(own, _)| own.clone()));
        }
        minable.sort();
        minable
    }

    fn adopt(&mut self, abandoned: &[Transaction], adopted: &[Transaction], chain: &Blockchain) {
        self.pending.splice(..0, abandoned.iter().cloned());
        remove_each(&mut self.pending, adopted);
        for sender in SENDERS {
            let account = chain.account(sender);
            let mut left = account.balance;
            for transaction in self.of(sender).into_iter().cloned().collect::<Vec<_>>() {
                if transaction.nonce() < Some(account.nonce) {
                    self.lose(&transaction, "Replaced");
                } else if transaction.amount() > left {
                    self.lose(&transaction, "Unpayable");
                } else {
                    left -= transaction.amount();
                }
            }
        }
        while self.pending.len() > CAPACITY {
            self.evict();
        }
    }
}
