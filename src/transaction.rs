//! A transfer from one address to another, and the reward of a miner.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
};

use serde::{Deserialize, Serialize};

use crate::{
    document::{self, DocumentError, HashedText, Read, Scanner, Text, push_number, push_string},
    hash::TransactionHash,
    text::shortened,
};

/// The sender of a reward: "0" signifies, as in the notebook, that the transaction brings new coins.
pub const REWARD_SENDER: &str = "0";

/// A transfer of an amount from a sender's address to a recipient's.
///
/// Nothing is signed. Where the rules keep accounts, a transaction carries a nonce as well: how many transactions its
/// sender has made before it. Cloning copies no text.
///
/// ```
/// use chainlab::Transaction;
///
/// let transaction = Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5);
/// assert_eq!(transaction.amount(), 5);
/// ```
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Transaction(Arc<Content>);

/// What a transaction says, once for all who hold it: every node keeps what is pending, and the blocks that hold it.
#[derive(Debug, Serialize)]
#[serde(rename = "Transaction")]
struct Content {
    // Alphabetical, as the canonical JSON has them.
    amount: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<u64>,
    recipient: Arc<str>,
    sender: Arc<str>,
    /// What follows from the rest, once it was [computed](Transaction::hashed) for good.
    #[serde(skip)]
    computed: Option<Computed>,
    /// The canonical JSON, once it was [written](Transaction::written) for good.
    #[serde(skip)]
    text: Option<Box<[u8]>>,
}

#[derive(Debug, Clone, Copy)]
struct Computed {
    hash: TransactionHash,
    /// How many bytes the canonical JSON takes.
    bytes: usize,
}

impl Content {
    /// A copy that shares the addresses.
    fn copied(&self) -> Self {
        let Self { amount, nonce, recipient, sender, computed, text } = self;
        let (recipient, sender) = (Arc::clone(recipient), Arc::clone(sender));
        Self { amount: *amount, nonce: *nonce, recipient, sender, computed: *computed, text: text.clone() }
    }
}

impl Transaction {
    /// Makes a transaction without a nonce.
    pub fn new(sender: impl Into<Arc<str>>, recipient: impl Into<Arc<str>>, amount: u64) -> Self {
        Self::of(sender.into(), recipient.into(), amount, None)
    }

    fn of(sender: Arc<str>, recipient: Arc<str>, amount: u64, nonce: Option<u64>) -> Self {
        Self(Arc::new(Content { amount, nonce, recipient, sender, computed: None, text: None }))
    }

    /// Makes the reward of a miner: new coins, from [`REWARD_SENDER`].
    pub fn reward(recipient: impl Into<Arc<str>>, amount: u64) -> Self {
        // Every block has one.
        static SENDER: LazyLock<Arc<str>> = LazyLock::new(|| REWARD_SENDER.into());
        Self::new(Arc::clone(&SENDER), recipient, amount)
    }

    /// Returns the transaction with a nonce: how many transactions its sender has made before it.
    #[must_use]
    pub fn with_nonce(self, nonce: u64) -> Self {
        let Content { amount, recipient, sender, .. } = &*self.0;
        Self::of(Arc::clone(sender), Arc::clone(recipient), *amount, Some(nonce))
    }

    /// Returns the sender's address.
    pub fn sender(&self) -> &str {
        &self.0.sender
    }

    pub(crate) fn sender_address(&self) -> &Arc<str> {
        &self.0.sender
    }

    /// Returns the recipient's address.
    pub fn recipient(&self) -> &str {
        &self.0.recipient
    }

    pub(crate) fn recipient_address(&self) -> &Arc<str> {
        &self.0.recipient
    }

    /// Returns the amount, in coins.
    pub fn amount(&self) -> u64 {
        self.0.amount
    }

    /// Returns the nonce, if the transaction carries one.
    pub fn nonce(&self) -> Option<u64> {
        self.0.nonce
    }

    /// Returns the transaction's hash: SHA-256 of its canonical JSON. One that a node has taken in has it already; of another
    /// it is computed, in proportion to its addresses.
    ///
    /// ```
    /// use chainlab::Transaction;
    ///
    /// let transaction = Transaction::new("alice", "bob", 5).with_nonce(0);
    /// // The hash of {"amount": 5, "nonce": 0, "recipient": "bob", "sender": "alice"}.
    /// assert_eq!(format!("{:.8}", transaction.hash()), "0c3044cc");
    /// ```
    pub fn hash(&self) -> TransactionHash {
        self.0.computed.unwrap_or_else(|| self.compute()).hash
    }

    /// Returns the transaction with its hash, for all to whom it is handed on.
    pub(crate) fn hashed(self) -> Self {
        if self.0.computed.is_some() {
            return self;
        }
        let computed = Some(self.compute());
        Self(Arc::new(Content { computed, ..self.0.copied() }))
    }

    /// Returns it with its text, which is then written no more: for one that many blocks hold.
    pub(crate) fn written(self) -> Self {
        let mut text = Vec::new();
        self.write(&mut text);
        Self(Arc::new(Content { text: Some(text.into()), ..self.0.copied() }))
    }

    fn compute(&self) -> Computed {
        let mut text = HashedText::new();
        self.write(&mut text);
        let (hash, bytes) = text.finish();
        Computed { hash: TransactionHash::from_bytes(*hash.as_bytes()), bytes }
    }

    /// What tells one transaction from another, in the order in which they are compared.
    fn key(&self) -> (u64, Option<u64>, &str, &str) {
        (self.0.amount, self.0.nonce, &self.0.recipient, &self.0.sender)
    }

    /// Tells whether this is a reward: whether its sender is [`REWARD_SENDER`].
    pub fn is_reward(&self) -> bool {
        self.sender() == REWARD_SENDER
    }

    /// Returns the transaction as an event carries it: with the first 80 characters of each address.
    pub(crate) fn shortened(self) -> Self {
        let is_short = |address: &str| address.len() <= 80;
        if is_short(self.sender()) && is_short(self.recipient()) {
            return self;
        }
        let Content { amount, nonce, recipient, sender, .. } = &*self.0;
        Self::of(shortened(sender).into(), shortened(recipient).into(), *amount, *nonce)
    }

    /// Counts the bytes that the transaction takes in a block's canonical JSON, with what parts it from the next.
    pub(crate) fn size_in_block(&self) -> usize {
        let count = || {
            let mut bytes = 0;
            self.write(&mut bytes);
            bytes
        };
        self.0.computed.map_or_else(count, |computed| computed.bytes) + ", ".len()
    }

    /// Writes the canonical JSON.
    pub(crate) fn write(&self, text: &mut impl Text) {
        if let Some(written) = &self.0.text {
            return text.push(written);
        }
        text.push(b"{\"amount\": ");
        push_number(text, self.0.amount);
        if let Some(nonce) = self.0.nonce {
            text.push(b", \"nonce\": ");
            push_number(text, nonce);
        }
        text.push(b", \"recipient\": ");
        push_string(text, &self.0.recipient);
        text.push(b", \"sender\": ");
        push_string(text, &self.0.sender);
        text.push(b"}");
    }

    /// Reads a transaction's JSON: `sender`, `recipient`, `amount`, and where accounts are kept `nonce`.
    ///
    /// # Errors
    ///
    /// What is missing, unknown, of a wrong type or out of range, by name.
    ///
    /// ```
    /// use chainlab::Transaction;
    ///
    /// let error = Transaction::from_json(r#"{"sender": "alice", "amount": 5}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "document: missing values: recipient");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        document::read(text, Self::read)
    }

    pub(crate) fn read(scanner: &mut Scanner<'_>) -> Read<Self> {
        let (mut sender, mut recipient, mut amount, mut nonce) = (None, None, None, None);
        let required = ["sender", "recipient", "amount"];
        let has_all = document::object(scanner, "transaction", required, &["nonce"], |scanner, field| {
            let json = scanner.value()?;
            match field {
                "sender" => sender = Some(document::string(field, json)),
                "recipient" => recipient = Some(document::string(field, json)),
                "amount" => amount = Some(document::whole_number(field, json)),
                _ => nonce = Some(document::whole_number(field, json)),
            }
            Ok(())
        })?;
        Ok(has_all.and_then(|()| {
            // The first of these that is wrong is told, in the order of the alphabet.
            let (amount, nonce) = (document::taken(amount)?, nonce.transpose()?);
            let recipient = document::taken(recipient)?.into();
            Ok(Self::of(document::taken(sender)?.into(), recipient, amount, nonce))
        }))
    }
}

impl PartialEq for Transaction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.key() == other.key()
    }
}

impl Eq for Transaction {}

impl PartialOrd for Transaction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Transaction {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Transaction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { amount, nonce, recipient, sender, .. } = &*self.0;
        let mut fields = f.debug_struct("Transaction");
        fields.field("amount", amount).field("nonce", nonce);
        fields.field("recipient", recipient).field("sender", sender).finish()
    }
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document::deserialize_raw(deserializer, Self::from_json)
    }
}

impl fmt::Display for Transaction {
    /// Writes who pays whom how much: `alice pays bob 5 (nonce 0)`, and of a reward whom it goes to: `alice is rewarded
    /// with 50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { amount, nonce, recipient, sender, .. } = &*self.0;
        if self.is_reward() {
            write!(f, "{recipient} is rewarded with {amount}")?;
        } else {
            write!(f, "{sender} pays {recipient} {amount}")?;
        }
        match nonce {
            Some(nonce) => write!(f, " (nonce {nonce})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_computed_is_of_no_other_transaction() {
        let long = "a".repeat(100);
        let paid = Transaction::new(&*long, "bob", 5);
        let (hash, bytes) = (paid.hash(), paid.size_in_block());
        let paid = paid.hashed();
        let numbered = paid.clone().with_nonce(7).hashed();
        let fresh = Transaction::new(&*long, "bob", 5).with_nonce(7);
        assert_eq!((numbered.hash(), numbered.size_in_block()), (fresh.hash(), fresh.size_in_block()));
        assert_eq!(numbered.size_in_block(), bytes + r#""nonce": 7, "#.len());
        let shortened = paid.clone().shortened();
        assert_eq!(shortened.hash(), Transaction::new(shortened.sender(), "bob", 5).hash());
        assert_eq!((paid.hash(), paid.size_in_block()), (hash, bytes));
    }

    #[test]
    fn transactions_are_compared_and_shown_field_by_field() {
        let make = |amount, nonce, recipient, sender| {
            let transaction = Transaction::new(sender, recipient, amount);
            if nonce > 0 { transaction.with_nonce(nonce) } else { transaction }
        };
        let in_order = [
            make(1, 0, "b", "b"),
            make(1, 1, "a", "b"),
            make(1, 1, "b", "a"),
            make(1, 1, "b", "b"),
            make(2, 0, "a", "a"),
        ];
        assert!(in_order.is_sorted_by(|one, other| one < other));
        // Whether its hash was computed makes no difference.
        assert_eq!(in_order[2].clone().hashed(), in_order[2]);
        assert_eq!(
            format!("{:?}", in_order[1]),
            r#"Transaction { amount: 1, nonce: Some(1), recipient: "a", sender: "b" }"#
        );
    }
}
