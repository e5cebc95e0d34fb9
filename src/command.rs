//! What a node is told to do, and what it answers: the notebook's endpoints as values.
//!
//! The answers serialise to the documents that the endpoints return, key for key.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    block::PreviousHash,
    blockchain::{Blockchain, ChainBlocks, MineError},
    mempool::SubmitError,
    message::NodeId,
    transaction::Transaction,
};

/// Tells one command from another; its answer carries the same ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a node is told to do. Each is answered, once, by the [`Answer`] of its name.
#[derive(Debug, Clone)]
pub enum Command {
    /// Take on peers that may be asked and told from now on.
    Register(Vec<NodeId>),
    /// Have these for peers no longer.
    Unregister(Vec<NodeId>),
    /// Take in a transaction.
    Submit(Transaction),
    /// Mine one block.
    Mine,
    /// Ask all peers for their chains and take the best.
    Resolve,
    /// Show the chain.
    Chain,
    /// Show the pending transactions.
    Pending,
    /// Show the chain, the pending transactions and the peers, all of one moment.
    Snapshot,
    /// Mine block after block.
    StartMining,
    /// Mine no more; whoever waits for a block is told so.
    StopMining,
}

/// What a node answers to a command.
#[derive(Debug, Clone)]
pub enum Answer {
    /// All peers, in the order in which they were registered.
    Register(Vec<NodeId>),
    /// The peers that are left, in the order in which they were registered.
    Unregister(Vec<NodeId>),
    /// Where the transaction will go, or why it is refused.
    Submit(Result<Submitted, SubmitError>),
    /// The block, or why there is none.
    Mine(Result<Forged, MineError>),
    /// Whose chain it is now.
    Resolve(Resolution),
    /// The chain.
    Chain(Blockchain),
    /// The pending transactions.
    Pending(Vec<Transaction>),
    /// The chain, the pending transactions and the peers.
    Snapshot(Snapshot),
    /// Mining goes on.
    StartMining,
    /// Mining has ended.
    StopMining,
}

/// What a node is at a moment, and all of it that is saved. Serialises to its fields, the chain to its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The chain, shared with the node.
    pub chain: Blockchain,
    /// The pending transactions, in the order in which they came.
    pub pending: Vec<Transaction>,
    /// The peers, in the order in which they were registered.
    pub peers: Vec<NodeId>,
}

impl fmt::Display for Snapshot {
    /// Writes where the chain ends, how much is pending and who the peers are, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, pending, peers } = self;
        write!(f, "block {} {:.8}, {} pending, peers: ", chain.len(), chain.tip_hash(), pending.len())?;
        match peers.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&peers.iter().map(NodeId::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// A transaction was taken in. Serialises to the notebook's `{"message": "Transaction will be added to Block 2"}`, and if
/// it waits for a nonce to `{"message": "Transaction waits for nonce 0 of its sender"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The transaction as it was taken in, where accounts are kept with its nonce: to be looked for with
    /// [`Blockchain::find`].
    pub transaction: Transaction,
    /// When it will be mined.
    pub placement: Placement,
}

/// When a pending transaction will be mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In a block, if the node mines on and takes over no other chain.
    InBlock {
        /// The block's position, counted from 1: it is in this block at the latest, whatever comes after it.
        ///
        /// It is the next block if that has room, even while its proof is searched for, and else the first with room when
        /// the node's blocks take what is pending in its order. Where a block is full by its bytes the transaction may be
        /// in an earlier one, as smaller transactions are taken before a large one that there is no room for. Only a
        /// payment that would make somebody's balance more than 2^64 - 1 is passed over for longer.
        position: u64,
    },
    /// Not before a transaction of its sender that has not come yet.
    AwaitsNonce {
        /// The lowest nonce that is missing.
        nonce: u64,
    },
}

impl Serialize for Submitted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Submitted", 1)?;
        let message = match self.placement {
            Placement::InBlock { position } => format!("Transaction will be added to Block {position}"),
            Placement::AwaitsNonce { nonce } => format!("Transaction waits for nonce {nonce} of its sender"),
        };
        document.serialize_field("message", &message)?;
        document.end()
    }
}

/// A block was mined. Serialises to the notebook's `index, message, previous_hash, proof, transactions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forged {
    /// The block's position.
    pub position: u64,
    /// Its transactions, the reward last.
    pub transactions: Vec<Transaction>,
    /// Its proof.
    pub proof: u64,
    /// The hash of the block before.
    pub previous_hash: PreviousHash,
}

impl Serialize for Forged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Forged", 5)?;
        document.serialize_field("index", &self.position)?;
        document.serialize_field("message", "New Block Forged")?;
        document.serialize_field("previous_hash", &self.previous_hash)?;
        document.serialize_field("proof", &self.proof)?;
        document.serialize_field("transactions", &self.transactions)?;
        document.end()
    }
}

/// A node has asked its peers. Serialises to the notebook's `{"message": "Our chain was replaced", "new_chain": [...]}`
/// or `{"message": "Our chain is authoritative", "chain": [...]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Whose chain it is.
    pub outcome: Outcome,
    /// The node's chain now.
    pub chain: Blockchain,
    /// The peers that did not answer in time.
    pub silent: Vec<NodeId>,
}

/// Whose chain a node has after it asked its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A peer's, which was better than its own.
    Replaced,
    /// Its own: no peer's was better.
    Authoritative,
}

impl Serialize for Resolution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Resolution", 2)?;
        match self.outcome {
            Outcome::Replaced => {
                document.serialize_field("message", "Our chain was replaced")?;
                document.serialize_field("new_chain", &ChainBlocks(&self.chain))?;
            }
            Outcome::Authoritative => {
                document.serialize_field("chain", &ChainBlocks(&self.chain))?;
                document.serialize_field("message", "Our chain is authoritative")?;
            }
        }
        document.end()
    }
}
