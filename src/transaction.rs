//! A transfer from one address to another, and the reward of a miner.

use std::{
    fmt,
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Transaction {
    // Alphabetical, as the canonical JSON has them.
    amount: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<u64>,
    recipient: Arc<str>,
    sender: Arc<str>,
}

impl Transaction {
    /// Makes a transaction without a nonce.
    pub fn new(sender: impl Into<Arc<str>>, recipient: impl Into<Arc<str>>, amount: u64) -> Self {
        Self { amount, nonce: None, recipient: recipient.into(), sender: sender.into() }
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
        Self { nonce: Some(nonce), ..self }
    }

    /// Returns the sender's address.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    pub(crate) fn sender_address(&self) -> &Arc<str> {
        &self.sender
    }

    /// Returns the recipient's address.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    pub(crate) fn recipient_address(&self) -> &Arc<str> {
        &self.recipient
    }

    /// Returns the amount, in coins.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Returns the nonce, if the transaction carries one.
    pub fn nonce(&self) -> Option<u64> {
        self.nonce
    }

    /// Computes the transaction's hash: SHA-256 of its canonical JSON, in proportion to its addresses.
    ///
    /// ```
    /// use chainlab::Transaction;
    ///
    /// let transaction = Transaction::new("alice", "bob", 5).with_nonce(0);
    /// // The hash of {"amount": 5, "nonce": 0, "recipient": "bob", "sender": "alice"}.
    /// assert_eq!(format!("{:.8}", transaction.hash()), "0c3044cc");
    /// ```
    pub fn hash(&self) -> TransactionHash {
        let mut text = HashedText::new();
        self.write(&mut text);
        TransactionHash::from_bytes(*text.finish().0.as_bytes())
    }

    /// Tells whether this is a reward: whether its sender is [`REWARD_SENDER`].
    pub fn is_reward(&self) -> bool {
        &*self.sender == REWARD_SENDER
    }

    /// Returns the transaction as an event carries it: with the first 80 characters of each address.
    pub(crate) fn shortened(self) -> Self {
        let shortened =
            |address: Arc<str>| if address.len() <= 80 { address } else { shortened(&address).into() };
        Self { recipient: shortened(self.recipient), sender: shortened(self.sender), ..self }
    }

    /// Counts the bytes that the transaction takes in a block's canonical JSON, with what parts it from the next.
    pub(crate) fn size_in_block(&self) -> usize {
        let mut bytes = ", ".len();
        self.write(&mut bytes);
        bytes
    }

    /// Writes the canonical JSON.
    pub(crate) fn write(&self, text: &mut impl Text) {
        text.push(b"{\"amount\": ");
        push_number(text, self.amount);
        if let Some(nonce) = self.nonce {
            text.push(b", \"nonce\": ");
            push_number(text, nonce);
        }
        text.push(b", \"recipient\": ");
        push_string(text, &self.recipient);
        text.push(b", \"sender\": ");
        push_string(text, &self.sender);
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
            Ok(Self {
                amount: document::taken(amount)?,
                nonce: nonce.transpose()?,
                recipient: document::taken(recipient)?.into(),
                sender: document::taken(sender)?.into(),
            })
        }))
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
        let Self { amount, nonce, recipient, sender } = self;
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
