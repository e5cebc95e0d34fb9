//! Who has how much: a balance and a nonce for each address, as a persistent map.

use std::{collections::BTreeMap, iter, sync::Arc};

use rpds::RedBlackTreeMapSync;

use crate::transaction::Transaction;

/// How many credits may wait to be entered: as many as there are accounts, but for the least and the most.
const CREDITS: (usize, usize) = (64, 1024);

/// What an address has and has done; an address that was never heard of has nothing and has done nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// The coins it may spend.
    pub balance: u64,
    /// The number of transactions that it has made: the nonce that its next one carries.
    pub nonce: u64,
}

/// The accounts after a block. Cloning is O(1), and a change copies O(log n) of the map and shares the rest, so that
/// every block of a chain keeps its own.
///
/// Most blocks hold nothing but their miner's reward, and nobody asks who has how much in between. So what comes in is
/// noted by itself, and entered into the map with others: a path of the map is copied once for all that lie on it.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// Shared as a whole, too, as most blocks do not change it, and a link is to be small.
    entered: Arc<RedBlackTreeMapSync<Arc<str>, Account>>,
    /// What has come in since, the last first.
    credits: Option<Arc<Credit>>,
    /// No balance is more than this.
    most: u64,
}

/// Coins that came to an address.
#[derive(Debug)]
struct Credit {
    /// What brought them. Nearly each block has such a credit, and this takes a third of what the address and the amount do.
    by: Transaction,
    /// The one before. There are so few that each may drop the one before it.
    before: Option<Arc<Credit>>,
    /// How many there are up to here.
    count: usize,
}

impl Accounts {
    /// Returns an address's account in O(log n); of the last coins that came in, up to 1,024 are looked through.
    pub fn get(&self, address: &str) -> Account {
        let entered = self.entered.get(address).copied().unwrap_or_default();
        let credits = self.credits().filter(|by| by.recipient() == address);
        let balance = credits.fold(entered.balance, |balance, by| balance + by.amount());
        Account { balance, ..entered }
    }

    /// Sets an address's account in O(log n).
    pub fn set(&mut self, address: Arc<str>, account: Account) {
        self.enter_credits();
        self.most = self.most.max(account.balance);
        Arc::make_mut(&mut self.entered).insert_mut(address, account);
    }

    /// Adds a transaction's coins to its recipient's account, in O(log n) for several of them together.
    ///
    /// # Errors
    ///
    /// The balance, if with so many coins more it could not be counted.
    pub(crate) fn credit(&mut self, by: &Transaction) -> Result<(), u64> {
        match self.most.checked_add(by.amount()) {
            Some(most) => self.most = most,
            None => {
                let balance = self.get(by.recipient()).balance;
                balance.checked_add(by.amount()).ok_or(balance)?;
                self.most = u64::MAX;
            }
        }
        let before = self.credits.take();
        let count = before.as_ref().map_or(0, |before| before.count) + 1;
        self.credits = Some(Arc::new(Credit { by: by.clone(), before, count }));
        if count >= self.entered.size().clamp(CREDITS.0, CREDITS.1) {
            self.enter_credits();
        }
        Ok(())
    }

    /// Iterates over the accounts in the order of their addresses, in O(n).
    pub fn iter(&self) -> impl Iterator<Item = (&str, Account)> {
        let mut all: BTreeMap<&str, Account> =
            self.entered.iter().map(|(address, account)| (&**address, *account)).collect();
        for by in self.credits() {
            all.entry(by.recipient()).or_default().balance += by.amount();
        }
        all.into_iter()
    }

    /// What has come in by which transactions and is not entered, the last first.
    fn credits(&self) -> impl Iterator<Item = &Transaction> {
        self.credits.iter().flat_map(|last| last.back())
    }

    fn enter_credits(&mut self) {
        let Some(last) = self.credits.take() else { return };
        let entered = Arc::make_mut(&mut self.entered);
        for by in last.back() {
            let (address, amount) = (by.recipient_address(), by.amount());
            match entered.get_mut(address) {
                Some(account) => account.balance += amount,
                None => entered.insert_mut(Arc::clone(address), Account { balance: amount, nonce: 0 }),
            }
        }
    }
}

impl Credit {
    /// What brought these coins, and those before them, back to those that came first.
    fn back(&self) -> impl Iterator<Item = &Transaction> {
        iter::successors(Some(self), |credit| credit.before.as_deref()).map(|credit| &credit.by)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// More than may wait to be entered.
    const ADDRESSES: u16 = 1200;

    #[derive(Debug, Clone)]
    enum Step {
        Set(u16, Account),
        Credit(u16, u64),
        /// Goes on from the accounts that there were so many steps ago.
        GoBack(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let amount = || prop_oneof![200 => 0..100_u64, 1 => (u64::MAX - 300)..=u64::MAX];
        let account = (amount(), 0..9_u64).prop_map(|(balance, nonce)| Account { balance, nonce });
        prop_oneof![
            1 => (0..ADDRESSES, account).prop_map(|(address, account)| Step::Set(address, account)),
            400 => (0..ADDRESSES, amount()).prop_map(|(address, amount)| Step::Credit(address, amount)),
            1 => (0..50_usize).prop_map(Step::GoBack),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is entered when, they are what a plain map is, and so are those that were kept of before.
        #[test]
        fn accounts_are_a_plain_map(steps in vec(step(), 0..3000)) {
            let mut all = vec![(Accounts::default(), BTreeMap::<String, Account>::new())];
            for step in steps {
                let (mut accounts, mut plain) = all.last().cloned().unwrap();
                match step {
                    Step::Set(address, account) => {
                        accounts.set(address.to_string().into(), account);
                        plain.insert(address.to_string(), account);
                    }
                    Step::Credit(address, amount) => {
                        let account = plain.entry(address.to_string()).or_default();
                        let balance = account.balance.checked_add(amount);
                        let credited = accounts.credit(&Transaction::reward(address.to_string(), amount));
                        prop_assert_eq!(credited, balance.map(|_| ()).ok_or(account.balance));
                        account.balance = balance.unwrap_or(account.balance);
                    }
                    Step::GoBack(steps) => (accounts, plain) = all[all.len().saturating_sub(1 + steps)].clone(),
                }
                all.push((accounts, plain));
            }
            for (accounts, plain) in all.into_iter().step_by(193) {
                for address in (0..ADDRESSES).map(|address| address.to_string()) {
                    prop_assert_eq!(accounts.get(&address), plain.get(&address).copied().unwrap_or_default());
                }
                let there = accounts.iter().filter(|(_, account)| *account != Account::default());
                let expected = plain.iter().filter(|(_, account)| **account != Account::default());
                prop_assert!(there.eq(expected.map(|(address, account)| (address.as_str(), *account))));
            }
        }
    }
}
