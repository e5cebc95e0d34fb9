//! Who has how much: a balance and a nonce for each address, as a persistent map.

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

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
#[derive(Debug, Clone, Default)]
pub struct Accounts(RedBlackTreeMapSync<Arc<str>, Account>);

impl Accounts {
    /// Returns an address's account in O(log n).
    pub fn get(&self, address: &str) -> Account {
        self.0.get(address).copied().unwrap_or_default()
    }

    /// Sets an address's account in O(log n).
    pub fn set(&mut self, address: Arc<str>, account: Account) {
        self.0.insert_mut(address, account);
    }

    /// Iterates over the accounts in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Account)> {
        self.0.iter().map(|(address, account)| (&**address, *account))
    }
}
