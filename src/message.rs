//! What nodes say to each other.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    block::Block,
    blockchain::Blockchain,
    hash::{BlockHash, TransactionHash},
    rules::Relay,
    transaction::Transaction,
};

/// A node of a network: a number, dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(u32);

impl NodeId {
    /// Names the node of a number, which need not exist.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number, as an index into a list of all nodes.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0)
    }
}

/// Tells one question of a node from another; its answer names it, so that what comes late, twice or unasked is
/// recognised. A node that is restarted goes on with its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What one node says to another. Cloning copies no block.
#[derive(Debug, Clone)]
pub enum Message {
    /// Asks for the whole chain, as the notebook's `GET /chain` does. Everybody is answered.
    ChainRequest {
        /// What the answer must name.
        request: RequestId,
    },
    /// Answers with the whole chain.
    Chain {
        /// The question.
        request: RequestId,
        /// The chain, shared with whoever sends it.
        chain: Told,
    },
    /// Tells of a new tip. It pays for one block: the receiver does not look at those before it.
    NewBlock(Told),
    /// Tells of a new tip by its hash. Who lacks the block asks for it.
    Announce {
        /// The block's hash.
        block: BlockHash,
        /// Its position.
        position: u64,
    },
    /// Tells of a new tip, for a receiver that has its transactions pending: it pays for what such a one lacks. Another
    /// asks for the block.
    CompactBlock(Told),
    /// Asks for the blocks that lead to one that was told of.
    BlocksRequest {
        /// What the answer must name.
        request: RequestId,
        /// The block that is wanted, with all before it that the asker lacks.
        wanted: BlockHash,
        /// Positions and hashes of blocks that the asker has, from its tip back, ever farther apart, to its genesis.
        locator: Arc<[(u64, BlockHash)]>,
    },
    /// Answers with the blocks after the last one that both have.
    Blocks {
        /// The question.
        request: RequestId,
        /// The position of the last block that both have. The answer pays for the blocks after it.
        after: u64,
        /// Those blocks: a chain that ends with them, or they alone.
        blocks: Told,
    },
    /// Tells that the sender has a block, so that it need not be told of it again.
    Acknowledge {
        /// The block's hash.
        block: BlockHash,
    },
    /// Tells of pending transactions, of which the receiver asks for those that it lacks.
    Inventory(Inventory),
    /// Asks for transactions that an inventory told of.
    TransactionsRequest {
        /// The inventory.
        request: RequestId,
        /// The transactions' hashes.
        wanted: Arc<[TransactionHash]>,
    },
    /// Answers with the wanted transactions, or with the first of them if they are many; with none if the sender no
    /// longer has any.
    Transactions {
        /// The inventory.
        request: RequestId,
        /// The transactions.
        transactions: Arc<[Transaction]>,
    },
    /// Tells that the sender has judged all that an inventory told of, so that it need not be told again.
    AcknowledgeInventory {
        /// The inventory.
        request: RequestId,
    },
    /// Asks to be told anew of all that is pending: the sender did not take in or has lost what it was told of, and its
    /// tip has changed since.
    InventoryRequest,
}

/// Pending transactions, as they are told of.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// What all that is said about it must name.
    pub request: RequestId,
    /// Whether it begins with the oldest that the sender has pending.
    pub is_anew: bool,
    /// If the receiver is to acknowledge it when it has judged all of it, of how many transactions it was told before, from the
    /// last inventory on that said none. Over a link that loses nothing, most are not acknowledged.
    pub acknowledge: Option<u64>,
    /// The transactions' hashes, in the order in which they came to the sender.
    pub hashes: Arc<[TransactionHash]>,
}

/// Blocks, as they are told of: verified links shared with the teller, or what came from outside.
#[derive(Debug, Clone)]
pub enum Told {
    /// A chain, of which as much counts as the message pays for.
    Chain(Blockchain),
    /// Bare blocks, in order, of which nothing is verified.
    Blocks(Arc<[Block]>),
    /// A chain's document, of which nothing is parsed.
    Document(Arc<str>),
}

impl From<Blockchain> for Told {
    fn from(chain: Blockchain) -> Self {
        Self::Chain(chain)
    }
}

impl From<Block> for Told {
    fn from(block: Block) -> Self {
        Self::Blocks([block].into())
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Whole chains, asked for and answered with.
    Chains,
    /// Blocks: told of, asked for, answered with and acknowledged.
    Blocks,
    /// Transactions: told of, asked for, answered with and acknowledged.
    Transactions,
}

impl Message {
    /// What tells of a new tip.
    pub(crate) fn news(tip: &Blockchain, by: Relay) -> Self {
        match by {
            Relay::Announce => Self::Announce { block: tip.tip_hash(), position: tip.len() },
            Relay::Compact { .. } => Self::CompactBlock(Told::Chain(tip.clone())),
            Relay::Push | Relay::None => Self::NewBlock(Told::Chain(tip.clone())),
        }
    }

    /// Returns what the message is about.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::ChainRequest { .. } | Self::Chain { .. } => MessageKind::Chains,
            Self::NewBlock(_)
            | Self::Announce { .. }
            | Self::CompactBlock(_)
            | Self::BlocksRequest { .. }
            | Self::Blocks { .. }
            | Self::Acknowledge { .. } => MessageKind::Blocks,
            Self::Inventory(_)
            | Self::TransactionsRequest { .. }
            | Self::Transactions { .. }
            | Self::AcknowledgeInventory { .. }
            | Self::InventoryRequest => MessageKind::Transactions,
        }
    }

    /// Returns the bytes that the message would take on a real wire, roughly: the canonical JSON of the blocks that it
    /// pays for, of a compact block 80 and a 64th, 32 a hash, and 16 for what it is.
    ///
    /// It costs O(log n) for shared links, and in proportion to the blocks for bare ones.
    pub fn size(&self) -> u64 {
        self.measured().own_bytes()
    }

    /// Returns the message's size, told apart by what it is of. It costs what [`Message::size`] does.
    pub(crate) fn measured(&self) -> Size {
        let blocks = |told: &Told, after| Size::of(told, after).within(ENVELOPE);
        let other = |bytes| Size::of_envelope(ENVELOPE + bytes);
        match self {
            Self::ChainRequest { .. } => other(0),
            Self::Chain { chain, .. } => blocks(chain, 0),
            Self::NewBlock(told) => Size::of_block(told).within(ENVELOPE),
            Self::Announce { .. } => Size::of_envelope(ANNOUNCEMENT_BYTES),
            // What comes from outside is whole, whatever it is called.
            Self::CompactBlock(told) => {
                let compact = if matches!(told, Told::Chain(_)) { 64 } else { 1 };
                Size { compact, ..Size::of_block(told).within(ENVELOPE + 80) }
            }
            Self::BlocksRequest { locator, .. } => Size::of_envelope(request_bytes(locator.len())),
            Self::Blocks { after, blocks: told, .. } => blocks(told, *after),
            Self::Acknowledge { .. } => other(32),
            Self::Inventory(Inventory { hashes, .. }) => other(32 * hashes.len() as u64),
            Self::TransactionsRequest { wanted, .. } => other(32 * wanted.len() as u64),
            Self::Transactions { transactions, .. } => other(transactions.iter().map(transaction_size).sum()),
            Self::AcknowledgeInventory { .. } | Self::InventoryRequest => other(0),
        }
    }
}

/// What a message takes on a wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// The bytes of all but blocks. A document that nobody has parsed counts as that.
    envelope: u64,
    /// The blocks that it pays for, and their bytes.
    pub(crate) blocks: u64,
    pub(crate) block_bytes: u64,
    /// How many times smaller its blocks are on the wire.
    compact: u64,
}

impl Size {
    /// The bytes of the whole message if its blocks have so many.
    pub(crate) fn with_block_bytes(self, block_bytes: u64) -> u64 {
        self.envelope.saturating_add(block_bytes / self.compact)
    }

    /// The bytes of the whole message, as its blocks are.
    pub(crate) fn own_bytes(self) -> u64 {
        self.with_block_bytes(self.block_bytes)
    }

    fn of_envelope(envelope: u64) -> Self {
        Self { envelope, blocks: 0, block_bytes: 0, compact: 1 }
    }

    /// The size of a message that tells of a chain's last block as a whole.
    pub(crate) fn of_new_block(chain: &Blockchain) -> Self {
        Self::of_last_block(chain).within(ENVELOPE)
    }

    fn of_last_block(chain: &Blockchain) -> Self {
        Self::of_blocks(chain, chain.len() - 1)
    }

    /// The size of the one block that is told of.
    fn of_block(told: &Told) -> Self {
        match told {
            Told::Chain(chain) => Self::of_last_block(chain),
            told => Self::of(told, 0),
        }
    }

    /// The size of what is told after a position.
    fn of(told: &Told, after: u64) -> Self {
        match told {
            Told::Chain(chain) => Self::of_blocks(chain, after),
            Told::Blocks(blocks) => Self {
                blocks: blocks.len() as u64,
                block_bytes: blocks.iter().map(|block| block.size() as u64).sum(),
                ..Self::of_envelope(0)
            },
            Told::Document(text) => Self::of_envelope(text.len() as u64),
        }
    }

    /// The size of a chain's blocks after a position.
    fn of_blocks(chain: &Blockchain, after: u64) -> Self {
        let block_bytes = chain.size_after(after);
        Self { blocks: chain.len().saturating_sub(after), block_bytes, ..Self::of_envelope(0) }
    }

    fn within(self, envelope: u64) -> Self {
        Self { envelope: self.envelope + envelope, ..self }
    }
}

/// What each message takes for what it is.
const ENVELOPE: u64 = 16;

/// The bytes of a message that tells of a block by its hash.
pub(crate) const ANNOUNCEMENT_BYTES: u64 = ENVELOPE + 40;

/// The bytes of a message that asks for blocks and names so many that its sender has.
pub(crate) fn request_bytes(named: usize) -> u64 {
    ENVELOPE + 32 + 40 * named as u64
}

pub(crate) fn transaction_size(transaction: &Transaction) -> u64 {
    // The keys, the quotes and two numbers of ten digits.
    64 + (transaction.sender().len() + transaction.recipient().len()) as u64
}
