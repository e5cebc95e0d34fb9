//! The verbs: what a node is told to do through the handle.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    error::{CallError, JoinError, NodeError, RegisterError},
    handle::Network,
    mailbox::{Control, HashRate},
    question::Question,
    state::State,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command, Forged, MineError, Resolution, Snapshot, Submitted},
    mempool::SubmitError,
    message::NodeId,
    transaction::Transaction,
    wire::Topology,
};

/// Peers were registered. Serialises to the notebook's `{"message": "New nodes have been added", "total_nodes": [...]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The names of all peers of the node, in the order in which they were registered.
    pub total_nodes: Vec<Arc<str>>,
}

impl Serialize for Registration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Registration", 2)?;
        document.serialize_field("message", "New nodes have been added")?;
        document.serialize_field("total_nodes", &self.total_nodes)?;
        document.end()
    }
}

/// Takes the answer of a command's name.
macro_rules! expect_answer {
    ($answer:expr, $name:ident) => {
        match $answer {
            Answer::$name(answer) => answer,
            other => unreachable!("a command is answered by its own name, not by {other:?}"),
        }
    };
}

impl Network {
    /// Registers peers with a node: it may ask them from now on, and tells them what it gossips. One way, as in the
    /// notebook; [`Network::connect`] is both ways. A peer that is registered already stays where it is in the order.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, a peer is unknown, or the node is among the peers; then none was registered.
    pub fn register(
        &self,
        node: NodeId,
        peers: impl IntoIterator<Item = NodeId>,
    ) -> Result<Registration, RegisterError> {
        let peers: Vec<_> = peers.into_iter().collect();
        if peers.contains(&node) {
            return Err(RegisterError::Itself { node });
        }
        for &peer in &peers {
            self.shared.member(peer)?;
        }
        let total = expect_answer!(self.ask(node, Command::Register(peers))?, Register);
        let total_nodes = total.into_iter().map(|peer| self.name(peer)).collect::<Result<_, _>>()?;
        Ok(Registration { total_nodes })
    }

    /// Registers two nodes with each other. A puppet keeps no peers; with one, only the other side registers.
    ///
    /// # Errors
    ///
    /// A node cannot be asked, or both are the same. If the second cannot be asked, the first has it as a peer already.
    pub fn connect(&self, one: NodeId, other: NodeId) -> Result<(), RegisterError> {
        for (node, peer) in [(one, other), (other, one)] {
            if node == peer || !self.shared.is_puppet(node)? {
                self.register(node, [peer])?;
            }
        }
        Ok(())
    }

    /// Connects all nodes as a topology has them, by the network's seed; earlier connections stay.
    ///
    /// # Errors
    ///
    /// A node cannot be asked, or the topology cannot have so many nodes; then nothing was connected.
    pub fn join(&self, topology: &Topology) -> Result<(), JoinError> {
        let nodes = self.nodes();
        let mut peers = vec![Vec::new(); nodes.len()];
        for (one, other) in topology.edges(nodes.len(), self.shared.seed)? {
            peers[one.index()].push(other);
            peers[other.index()].push(one);
        }
        for (node, peers) in nodes.into_iter().zip(peers) {
            if !self.shared.is_puppet(node)? {
                self.ask(node, Command::Register(peers))?;
            }
        }
        Ok(())
    }

    /// Submits a transaction to a node. Where accounts are kept and it carries no nonce, the node gives it its sender's
    /// next one.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or refuses the transaction.
    pub fn submit(
        &self,
        node: NodeId,
        transaction: Transaction,
    ) -> Result<Submitted, CallError<SubmitError>> {
        let answer = self.ask(node, Command::Submit(transaction))?;
        expect_answer!(answer, Submit).map_err(CallError::Refused)
    }

    /// Has a node mine one block, and waits for it.
    ///
    /// Two calls at once on one node give two blocks. It waits for as long as the search takes; if another thread stops
    /// the node's mining, crashes the node or shuts the network down, it says so.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or there is no block to be had.
    pub fn mine(&self, node: NodeId) -> Result<Forged, CallError<MineError>> {
        expect_answer!(self.ask(node, Command::Mine)?, Mine).map_err(CallError::Refused)
    }

    /// Has a node mine block after block at a hash rate. One that mines already goes on at the new rate.
    ///
    /// Where the proof covers the block, the search begins anew when a transaction comes in, so that the next block can
    /// hold it. That loses nothing, as no attempt makes the next one likelier, but costs making the block once more, at
    /// most once in a millisecond: some seven microseconds for an empty one, a millisecond for one of 1000 transactions.
    ///
    /// It ends when it is stopped, or with [`Happening::MiningEnded`](crate::Happening::MiningEnded) when no block is to
    /// be had.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or the rate is 0, at which it would find nothing; then it goes on as before.
    pub fn start_mining(&self, node: NodeId, rate: HashRate) -> Result<(), CallError<MineError>> {
        if rate == HashRate::PerMillisecond(0) {
            return Err(CallError::Refused(MineError::NoHashRate));
        }
        let start = |reply| Control::StartMining(rate, reply);
        let question = self.shared.ask(node, State::check_live, start)?;
        question.answer()?;
        Ok(())
    }

    /// Has a node mine no more. Calls of [`Network::mine`] that wait for it are told that it was stopped; later ones are
    /// searched for as fast as its thread goes.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    pub fn stop_mining(&self, node: NodeId) -> Result<(), NodeError> {
        self.ask(node, Command::StopMining)?;
        Ok(())
    }

    /// Has a node ask all its peers for their chains and take the best valid one if it is better than its own.
    ///
    /// Among equally good ones that of the peer registered first wins, however the answers arrive. Silent peers cost
    /// together at most [`Limits::resolve_timeout`](crate::Limits::resolve_timeout), and the answer names them.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    pub fn resolve(&self, node: NodeId) -> Result<Resolution, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Resolve)?, Resolve))
    }

    /// Returns a node's chain: a clone that shares all blocks.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    pub fn chain(&self, node: NodeId) -> Result<Blockchain, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Chain)?, Chain))
    }

    /// Returns a node's pending transactions, in the order in which they came.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    pub fn pending(&self, node: NodeId) -> Result<Vec<Transaction>, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Pending)?, Pending))
    }

    /// Returns a node's chain, pending transactions and peers, all of one moment.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    pub fn snapshot(&self, node: NodeId) -> Result<Snapshot, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Snapshot)?, Snapshot))
    }

    /// Sends a command to a node's thread and waits for the answer.
    fn ask(&self, node: NodeId, command: Command) -> Result<Answer, NodeError> {
        self.put(node, command)?.answer()
    }

    /// Sends a command to a node's thread. Many nodes are asked at once by waiting for the answers only afterwards.
    pub(super) fn put(&self, node: NodeId, command: Command) -> Result<Question<'_>, NodeError> {
        let check = State::check_of(&command);
        self.shared.ask(node, check, |reply| Control::Command(command, reply))
    }
}
