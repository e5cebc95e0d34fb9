//! The mempool through the node's whole life, against models that are slow and obvious.

use std::{collections::BTreeMap, slice};

use chainlab::{Blockchain, Command, Difficulty, Effect, Limits, Message, Rules, Transaction};
use proptest::{prelude::*, sample::Index};

use crate::bench::{Bench, document, grown, notebook, peer, sealed, seconds};

const CAPACITY: usize = 9;
/// How many of them may wait for a nonce before: one in 8 of the capacity.
const GAPS: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    /// Submit a transfer; where accounts are kept with the next nonce, or one near the account's.
    Submit {
        transfer: Transaction,
        near: Option<u64>,
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
    New(Transaction),
}

/// All but the last have 100 coins, where accounts are kept.
const SENDERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Transfers among them, so that what one can pay hangs on what another has paid.
fn transfers() -> impl Strategy<Value = Transaction> {
    let amount = prop_oneof![3 => 0..20_u64, 1 => 0..200_u64];
    (0..SENDERS.len(), 0..SENDERS.len(), amount)
        .prop_map(|(sender, recipient, amount)| Transaction::new(SENDERS[sender], SENDERS[recipient], amount))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let near = prop_oneof![3 => Just(None), 1 => (0..6_u64).prop_map(Some)];
    let submit = (transfers(), near).prop_map(|(transfer, near)| Step::Submit { transfer, near });
    let pick = prop_oneof![
        3 => any::<Index>().prop_map(Pick::Known),
        1 => transfers().prop_map(Pick::New),
    ];
    let adopt = (0..4_u64, 1..3_u64, prop::collection::vec(pick, 0..8), any::<bool>())
        .prop_map(|(depth, longer, picks, as_document)| Step::Adopt { depth, longer, picks, as_document });
    prop::collection::vec(prop_oneof![8 => submit, 1 => Just(Step::Mine), 2 => adopt], 1..60)
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
                Pick::New(transfer) => {
                    let nonce = chain.account(transfer.sender()).nonce;
                    if rules.accounts { transfer.clone().with_nonce(nonce) } else { transfer.clone() }
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
fn adopt(bench: &mut Bench, chain: &Blockchain, as_document: bool) -> Vec<String> {
    // All of its blocks are in the past.
    bench.now += seconds(1000.0);
    bench.command(Command::Resolve);
    let asked = bench.effects.to_do.iter().find_map(|effect| match effect {
        Effect::Relay { message: Message::ChainRequest { request }, .. } => Some(request.0),
        _ => None,
    });
    let request = asked.expect("it asks its peer");
    let lines = match as_document {
        true => bench.answer(1, request, document(chain)),
        false => bench.answer(1, request, chain.clone()),
    };
    assert_eq!(bench.chain(), *chain);
    lost(lines)
}

fn lost(lines: Vec<String>) -> Vec<String> {
    let mut lost: Vec<_> = lines.into_iter().filter(|line| line.starts_with("lost")).collect();
    lost.sort();
    lost
}

/// Takes one of what equals a transaction out of a list, if there is one.
fn takes(list: &mut Vec<Transaction>, transaction: &Transaction) -> bool {
    let at = list.iter().position(|other| other == transaction);
    at.map(|at| list.remove(at)).is_some()
}

/// Removes the first of what equals each of the others.
fn remove_each(list: &mut Vec<Transaction>, others: &[Transaction]) {
    for other in others {
        takes(list, other);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Without accounts: what was submitted and is not in the chain is pending, as many times as that. Nobody else can
    /// have mined it unless it was in a block that was abandoned.
    #[test]
    fn without_accounts(steps in steps()) {
        let rules = notebook();
        let mut bench = bench(&rules);
        let mut model = Vec::<(Transaction, bool)>::new();
        for step in steps {
            match &step {
                Step::Submit { transfer, .. } => {
                    // Few amounts, so that many are equal.
                    let (sender, recipient) = (transfer.sender(), transfer.recipient());
                    let transaction = Transaction::new(sender, recipient, transfer.amount() % 2);
                    let lines = bench.submit(transaction.clone());
                    let taken = lines[0].ends_with(&format!("block {}", bench.chain().len() + 1));
                    prop_assert_eq!(taken, model.len() < CAPACITY);
                    model.extend(taken.then_some((transaction, false)));
                }
                Step::Mine => {
                    bench.command(Command::Mine);
                    bench.find();
                    let mined = transactions(&bench.chain(), bench.chain().len() - 1);
                    let all = std::mem::take(&mut model).into_iter().map(|(transaction, _)| transaction);
                    prop_assert_eq!(mined, all.collect::<Vec<_>>());
                }
                Step::Adopt { as_document, .. } => {
                    let (common, other) = other_chain(&bench, &rules, &step);
                    let mut returned = transactions(&bench.chain(), common);
                    let mut theirs = transactions(&other, common);
                    returned.retain(|transaction| !takes(&mut theirs, transaction));
                    model.splice(..0, returned.into_iter().map(|transaction| (transaction, true)));
                    model.retain(|(transaction, came_back)| !(*came_back && takes(&mut theirs, transaction)));
                    let evicted = model.split_off(model.len().min(CAPACITY));
                    let lost = adopt(&mut bench, &other, *as_document);
                    prop_assert_eq!(lost.len(), evicted.len());
                }
            }
            let expected: Vec<_> = model.iter().map(|(transaction, _)| transaction.clone()).collect();
            prop_assert_eq!(pending(&bench), expected);
        }
    }

    /// With accounts: besides, what is pending can be mined in its order, what waits for a nonce before is little, and
    /// the sender with the most pending gives way.
    #[test]
    fn with_accounts(steps in steps()) {
        let rules = Rules { difficulty: Difficulty::Fixed(sealed().difficulty.first_target()), ..sealed() };
        let mut bench = bench(&rules);
        let mut model = Model::default();
        for step in steps {
            let lost = match &step {
                Step::Submit { transfer, near } => {
                    let nonce = bench.chain().account(transfer.sender()).nonce;
                    let transaction = match near {
                        Some(near) => transfer.clone().with_nonce((nonce + near).saturating_sub(1)),
                        None => transfer.clone(),
                    };
                    let lines = bench.submit(transaction.clone());
                    let submitted = format!("block {}", bench.chain().len() + 1);
                    let taken = lines
                        .iter()
                        .any(|line| line.ends_with(&submitted) || line.contains(": waits for nonce "));
                    prop_assert_eq!(taken, model.submit(transaction, &bench.chain()), "{:?}", lines);
                    lost(lines)
                }
                Step::Mine => {
                    let ready = model.ready.clone();
                    bench.command(Command::Mine);
                    let lines = bench.find();
                    let mined = transactions(&bench.chain(), bench.chain().len() - 1);
                    prop_assert_eq!(&mined, &ready);
                    model.adopt(&[], &mined, &bench.chain());
                    lost(lines)
                }
                Step::Adopt { as_document, .. } => {
                    let (common, other) = other_chain(&bench, &rules, &step);
                    let abandoned = transactions(&bench.chain(), common);
                    model.adopt(&abandoned, &transactions(&other, common), &other);
                    adopt(&mut bench, &other, *as_document)
                }
            };
            model.lost.sort();
            prop_assert_eq!(lost, std::mem::take(&mut model.lost));
            prop_assert_eq!(pending(&bench), model.pending());
        }
    }
}

/// What is pending where accounts are kept, as two lists: what can be mined, in order, and what waits.
#[derive(Default)]
struct Model {
    ready: Vec<Transaction>,
    gaps: Vec<Transaction>,
    lost: Vec<String>,
}

/// Balances and nonces.
type Accounts = BTreeMap<String, (u64, u64)>;

impl Model {
    fn pending(&self) -> Vec<Transaction> {
        let mut gaps = self.gaps.clone();
        gaps.sort_by_key(|gap| (gap.sender().to_owned(), gap.nonce()));
        [self.ready.clone(), gaps].concat()
    }

    fn lose(&mut self, transaction: &Transaction, reason: &str) {
        remove_each(&mut self.ready, slice::from_ref(transaction));
        remove_each(&mut self.gaps, slice::from_ref(transaction));
        self.lost.push(format!("lost {}: {reason}", transaction.amount()));
    }

    /// Applies all that is ready in order, and loses what cannot be paid. Returns what everybody has in the end.
    fn judge(&mut self, chain: &Blockchain) -> Accounts {
        let account = |sender: &str| (chain.account(sender).balance, chain.account(sender).nonce);
        let mut accounts: Accounts = SENDERS.map(|sender| (sender.to_owned(), account(sender))).into();
        for transaction in self.ready.clone() {
            let (balance, next) = accounts[transaction.sender()];
            let (amount, nonce) = (transaction.amount(), transaction.nonce().unwrap());
            if nonce < next {
                self.lose(&transaction, "Replaced");
            } else if nonce > next || amount.max(1) > balance {
                self.lose(&transaction, "Unpayable");
            } else {
                accounts.insert(transaction.sender().into(), (balance - amount, next + 1));
                accounts.get_mut(transaction.recipient()).unwrap().0 += amount;
            }
        }
        accounts
    }

    fn submit(&mut self, transaction: Transaction, chain: &Blockchain) -> bool {
        let (account, own) = (chain.account(transaction.sender()), transaction.sender().to_owned());
        let (balance, next) = self.judge(chain)[&own];
        let nonce = transaction.nonce().unwrap_or(next);
        // Told again by its owner.
        if self.pending().contains(&transaction.clone().with_nonce(nonce)) {
            return true;
        }
        let is_taken = |other: &Transaction| other.sender() == own && other.nonce() == Some(nonce);
        if nonce < account.nonce || self.pending().iter().any(is_taken) {
            return false;
        }
        let is_full = self.pending().len() == CAPACITY;
        let transaction = transaction.with_nonce(nonce);
        if nonce == next {
            let has_room =
                !is_full || !self.gaps.is_empty() || count(&self.ready, &own) + 1 < most(&self.ready).0;
            if balance < transaction.amount().max(1) || !has_room {
                return false;
            }
            self.ready.push(transaction.clone());
            self.shrink(chain);
            self.move_up(&own, chain);
            // It may have counted on what had to leave for it.
            return self.ready.contains(&transaction);
        }
        if account.balance == 0 {
            return false;
        }
        if is_full || self.gaps.len() == GAPS {
            let crowded =
                if count(&self.gaps, &own) + 1 < most(&self.gaps).0 { most(&self.gaps).1 } else { own };
            match last(&self.gaps, &crowded) {
                Some(last) if last.sender() != transaction.sender() || last.nonce() > Some(nonce) => {
                    self.lose(&last, "Evicted");
                }
                _ => return false,
            }
        }
        self.gaps.push(transaction);
        true
    }

    fn move_up(&mut self, sender: &str, chain: &Blockchain) {
        let account = chain.account(sender);
        let mut own = self.gaps.clone();
        own.retain(|gap| gap.sender() == sender);
        own.sort_by_key(|gap| gap.nonce());
        for gap in own {
            let (balance, next) = self.judge(chain)[sender];
            if gap.nonce() < Some(account.nonce) {
                self.lose(&gap, "Replaced");
            } else if account.balance == 0 && gap.nonce() > Some(next)
                || gap.nonce() == Some(next) && gap.amount().max(1) > balance
            {
                self.lose(&gap, "Unpayable");
            } else if gap.nonce() == Some(next) {
                remove_each(&mut self.gaps, slice::from_ref(&gap));
                self.ready.push(gap);
            }
        }
    }

    /// What waits leaves before what can be mined, and with that what counted on it.
    fn shrink(&mut self, chain: &Blockchain) {
        while self.ready.len() + self.gaps.len() > CAPACITY {
            let list = if self.gaps.is_empty() { &self.ready } else { &self.gaps };
            let last = last(list, &most(list).1).unwrap();
            self.lose(&last, "Evicted");
        }
        self.judge(chain);
    }

    fn adopt(&mut self, abandoned: &[Transaction], adopted: &[Transaction], chain: &Blockchain) {
        self.ready.splice(..0, abandoned.iter().cloned());
        remove_each(&mut self.ready, adopted);
        remove_each(&mut self.gaps, adopted);
        self.judge(chain);
        for sender in SENDERS {
            self.move_up(sender, chain);
        }
        self.shrink(chain);
    }
}

fn count(list: &[Transaction], sender: &str) -> usize {
    list.iter().filter(|transaction| transaction.sender() == sender).count()
}

/// The most that a sender has in a list, and the sender; of several the last by name.
fn most(list: &[Transaction]) -> (usize, String) {
    SENDERS.map(|sender| (count(list, sender), sender.to_owned())).into_iter().max().unwrap()
}

/// A sender's transaction of the highest nonce.
fn last(list: &[Transaction], sender: &str) -> Option<Transaction> {
    let own = list.iter().filter(|transaction| transaction.sender() == sender);
    own.max_by_key(|transaction| transaction.nonce()).cloned()
}
