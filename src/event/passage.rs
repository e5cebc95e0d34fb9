//! A message on its way, for whoever traces messages.

use serde::{Deserialize, Serialize};

use crate::{
    hash::{BlockHash, TransactionHash},
    message::{Inventory, Message, NodeId, Told},
    time::Time,
};

/// The most transactions that a passage names.
const TRANSACTIONS_MAX: usize = 8;

/// A message's way from one node to another, in an event at its receiver.
///
/// The event's time is when the message arrived: came into the inbox of its receiver, which reads it at once unless it is
/// busy or paused. Of one that was lost it is when that showed: when it was sent, or when it would have arrived.
///
/// ```
/// use chainlab::{Event, Happening, LossCause, MessageName, Passage};
///
/// let line = r#"{"time_ns":7,"node":1,"what":{"message":{"from":0,"sent_ns":5,"kind":"inventory_request","lost":"link"}}}"#;
/// let event: Event = serde_json::from_str(line)?;
/// let Happening::Message(Passage { kind, lost, .. }) = event.what else { panic!("it is a message") };
/// assert_eq!((kind, lost), (MessageName::InventoryRequest, Some(LossCause::Link)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// Who sent it.
    pub from: NodeId,
    /// When it was sent, by the sender's clock.
    #[serde(rename = "sent_ns")]
    pub sent: Time,
    /// Which message it is.
    pub kind: MessageName,
    /// The block that it is about: of several the last one, and of a document that nobody has parsed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockHash>,
    /// The transactions that it is about, of many the first 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transactions: Vec<TransactionHash>,
    /// Why it was lost, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LossCause>,
}

/// The name of a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageName {
    /// [`Message::ChainRequest`].
    ChainRequest,
    /// [`Message::Chain`].
    Chain,
    /// [`Message::NewBlock`].
    NewBlock,
    /// [`Message::Announce`].
    Announce,
    /// [`Message::CompactBlock`].
    CompactBlock,
    /// [`Message::BlocksRequest`].
    BlocksRequest,
    /// [`Message::Blocks`].
    Blocks,
    /// [`Message::Acknowledge`].
    Acknowledge,
    /// [`Message::Inventory`].
    Inventory,
    /// [`Message::TransactionsRequest`].
    TransactionsRequest,
    /// [`Message::Transactions`].
    Transactions,
    /// [`Message::AcknowledgeInventory`].
    AcknowledgeInventory,
    /// [`Message::InventoryRequest`].
    InventoryRequest,
}

/// Why a message was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossCause {
    /// By chance, as its link loses messages.
    Link,
    /// The judge of messages dropped it.
    Judge,
    /// A partition separated its ends while it was sent or under way.
    Partition,
    /// Its sender or its receiver crashed while it was under way.
    Crash,
    /// Too many of its sender's, or too long ones, were under way to its receiver or waited there.
    Full,
    /// Its receiver was down when it came.
    Down,
}

impl Passage {
    /// Describes a message that is sent. Bare blocks and transactions have to be hashed for it.
    pub(crate) fn of(message: &Message, from: NodeId, sent: Time) -> Self {
        let (kind, block) = match message {
            Message::ChainRequest { .. } => (MessageName::ChainRequest, None),
            Message::Chain { chain, .. } => (MessageName::Chain, last_block(chain)),
            Message::NewBlock(told) => (MessageName::NewBlock, last_block(told)),
            Message::Announce { block, .. } => (MessageName::Announce, Some(*block)),
            Message::CompactBlock(told) => (MessageName::CompactBlock, last_block(told)),
            Message::BlocksRequest { wanted, .. } => (MessageName::BlocksRequest, Some(*wanted)),
            Message::Blocks { blocks, .. } => (MessageName::Blocks, last_block(blocks)),
            Message::Acknowledge { block } => (MessageName::Acknowledge, Some(*block)),
            Message::Inventory(_) => (MessageName::Inventory, None),
            Message::TransactionsRequest { .. } => (MessageName::TransactionsRequest, None),
            Message::Transactions { .. } => (MessageName::Transactions, None),
            Message::AcknowledgeInventory { .. } => (MessageName::AcknowledgeInventory, None),
            Message::InventoryRequest => (MessageName::InventoryRequest, None),
        };
        let transactions = match message {
            Message::Inventory(Inventory { hashes, .. }) => {
                hashes.iter().take(TRANSACTIONS_MAX).copied().collect()
            }
            Message::TransactionsRequest { wanted, .. } => {
                wanted.iter().take(TRANSACTIONS_MAX).copied().collect()
            }
            Message::Transactions { transactions, .. } => {
                transactions.iter().take(TRANSACTIONS_MAX).map(|transaction| transaction.hash()).collect()
            }
            _ => Vec::new(),
        };
        Self { from, sent, kind, block, transactions, lost: None }
    }
}

fn last_block(told: &Told) -> Option<BlockHash> {
    match told {
        Told::Chain(chain) => Some(chain.tip_hash()),
        Told::Blocks(blocks) => blocks.last().map(|block| block.hash()),
        Told::Document(_) => None,
    }
}
