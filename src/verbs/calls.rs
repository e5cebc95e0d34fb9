//! What a node is told to do, and answers.

use std::{borrow::Borrow, sync::Arc, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    drive::Driver,
    error::{CallError, JoinError, NodeError, RegisterError},
    front::NetworkOf,
    rate::HashRate,
    state::State,
    view::View,
};
use crate::{
    blockchain::{Blockchain, MineError},
    command::{Answer, Command, Forged, Resolution, Snapshot, Submitted},
    mempool::SubmitError,
    message::NodeId,
    time::Time,
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

impl<D: Driver> NetworkOf<D> {
    /// Registers peers with a node: it may ask them from now on, and tells them what it gossips. One way, as in the
    /// notebook; [`NetworkOf::connect`] is both ways. A peer that is registered already stays where it is in the order.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, a peer is unknown, or the node is among the peers; then none was registered.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let nodes = [network.spawn()?, network.spawn()?, network.spawn()?];
    /// let registration = network.register(nodes[0], &nodes[1..])?;
    /// assert_eq!(
    ///     serde_json::to_string(&registration)?,
    ///     r#"{"message":"New nodes have been added","total_nodes":["node-1","node-2"]}"#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn register(
        &self,
        node: NodeId,
        peers: impl IntoIterator<Item: Borrow<NodeId>>,
    ) -> Result<Registration, RegisterError> {
        let peers: Vec<_> = peers.into_iter().map(|peer| *peer.borrow()).collect();
        if peers.contains(&node) {
            return Err(RegisterError::Itself { node });
        }
        self.check_known(&peers)?;
        let total = expect_answer!(self.ask(node, Command::Register(peers))?, Register);
        let total_nodes = total.into_iter().map(|peer| self.name(peer)).collect::<Result<_, _>>()?;
        Ok(Registration { total_nodes })
    }

    /// Registers two nodes with each other. A puppet keeps no peers; with one, only the other side registers.
    ///
    /// # Errors
    ///
    /// A node cannot be asked, or both are the same. If the second cannot be asked, the first has it as a peer already.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// assert_eq!((network.peers(alice)?, network.peers(bob)?), (vec![bob], vec![alice]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect(&self, one: NodeId, other: NodeId) -> Result<(), RegisterError> {
        for (node, peer) in [(one, other), (other, one)] {
            if node == peer || !self.is_puppet(node)? {
                self.register(node, [peer])?;
            }
        }
        Ok(())
    }

    /// Has two nodes for peers no longer, neither of the other, however they came to be. What is under way between them
    /// still arrives. A puppet keeps no peers; with one, only the other side forgets.
    ///
    /// # Errors
    ///
    /// A node cannot be asked, or both are the same. If the second cannot be asked, the first has forgotten it already.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.disconnect(alice, bob)?;
    /// assert_eq!((network.peers(alice)?, network.peers(bob)?), (vec![], vec![]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disconnect(&self, one: NodeId, other: NodeId) -> Result<(), RegisterError> {
        if one == other {
            return Err(RegisterError::Itself { node: one });
        }
        self.check_known(&[one, other])?;
        for (node, peer) in [(one, other), (other, one)] {
            if !self.is_puppet(node)? {
                self.ask(node, Command::Unregister(vec![peer]))?;
            }
        }
        Ok(())
    }

    /// Connects all nodes as a topology has them, by the network's seed; earlier connections stay.
    ///
    /// # Errors
    ///
    /// A node cannot be asked, or the topology cannot have so many nodes; then nothing was connected.
    ///
    /// ```
    /// use chainlab::{Network, Rules, wire::Topology};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let nodes: Vec<_> = (0..4).map(|_| network.spawn()).collect::<Result<_, _>>()?;
    /// network.join(&Topology::Ring)?;
    /// assert_eq!(network.peers(nodes[0])?, [nodes[1], nodes[3]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(&self, topology: &Topology) -> Result<(), JoinError> {
        let nodes = self.nodes();
        let mut peers = vec![Vec::new(); nodes.len()];
        for (node, peer) in topology.peers(nodes.len(), self.driver.seed())? {
            peers[node.index()].push(peer);
        }
        for (node, peers) in nodes.into_iter().zip(peers) {
            if !self.is_puppet(node)? {
                self.ask(node, Command::Register(peers))?;
            }
        }
        Ok(())
    }

    /// Returns a node's peers, in the order in which they were registered; of a node that is down, those that it had.
    ///
    /// # Errors
    ///
    /// The node is unknown, or a puppet, which keeps none.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.register(alice, [bob])?;
    /// assert_eq!((network.peers(alice)?, network.peers(bob)?), (vec![bob], vec![]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peers(&self, node: NodeId) -> Result<Vec<NodeId>, NodeError> {
        self.driver.look(|view| match view.known(node)? {
            State::Puppet => Err(NodeError::Puppet { node }),
            _ => Ok(view.peers(node).to_vec()),
        })
    }

    /// Submits a transaction to a node. Where accounts are kept and it carries no nonce, the node gives it its sender's
    /// next one.
    ///
    /// It costs O(log n) for n pending transactions. If the node mines and the proof covers the block, the block is made
    /// anew to hold the transaction, as [`NetworkOf::start_mining`] says what that costs.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or refuses the transaction.
    ///
    /// ```
    /// use chainlab::{Network, Placement, Rules, Transaction};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let submitted = network.submit(alice, Transaction::new("carol", "dave", 5))?;
    /// assert_eq!(submitted.placement, Placement::InBlock { position: 2 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// Two calls at once on one node give two blocks. It waits for as long as the search takes; if meanwhile the node's
    /// mining is stopped, or the node goes down, it says so.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or there is no block to be had.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let forged = network.mine(alice)?;
    /// assert_eq!((forged.position, forged.proof, forged.transactions.len()), (2, 35293, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mine(&self, node: NodeId) -> Result<Forged, CallError<MineError>> {
        self.mine_by(node, Time::MAX)
    }

    /// Has a node mine one block, and waits for it as [`NetworkOf::mine`] does, but no longer than a time; then it is no
    /// longer searched for.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, there is no block to be had, or it was not found in time:
    /// [`MineError::TimedOut`]. If the node is paused when the time is up, it says that.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{MineError, Network, Rules, network::CallError, pow::Target};
    ///
    /// let network = Network::new(Rules::notebook().with_first_target(Target::leading_zero_bits(120)));
    /// let alice = network.spawn()?;
    /// let error = network.mine_within(alice, Duration::from_millis(5)).unwrap_err();
    /// assert_eq!(error, CallError::Refused(MineError::TimedOut));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mine_within(&self, node: NodeId, timeout: Duration) -> Result<Forged, CallError<MineError>> {
        self.mine_by(node, self.driver.now() + timeout)
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
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules, network::HashRate};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.start_mining(alice, HashRate::UNLIMITED)?;
    /// let chain = network.wait_until(alice, Duration::from_secs(60), |chain| chain.len() >= 3)?;
    /// assert!(chain.len() >= 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_mining(&self, node: NodeId, rate: HashRate) -> Result<(), CallError<MineError>> {
        if rate.attempts_per_second() == Some(0.0) {
            return Err(CallError::Refused(MineError::NoHashRate));
        }
        Ok(self.driver.start_mining(node, rate)?)
    }

    /// Has a node mine no more. Calls of [`NetworkOf::mine`] that wait for it are told that it was stopped; later ones
    /// are searched for at the rate of a node that was told none.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::HashRate};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.start_mining(alice, HashRate::UNLIMITED)?;
    /// network.stop_mining(alice)?;
    /// assert_eq!(network.chain(alice)?, network.chain(alice)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// use chainlab::{Network, Outcome, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.register(bob, [alice])?;
    /// network.mine(alice)?;
    /// let resolution = network.resolve(bob)?;
    /// assert_eq!((resolution.outcome, resolution.chain.len()), (Outcome::Replaced, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resolve(&self, node: NodeId) -> Result<Resolution, NodeError> {
        self.resolve_by(node, Time::MAX)
    }

    /// Has a node ask all its peers as [`NetworkOf::resolve`] does, but waits no longer than a time: those that have not
    /// answered by then are silent. It waits no longer than
    /// [`Limits::resolve_timeout`](crate::Limits::resolve_timeout) either.
    ///
    /// # Errors
    ///
    /// The node cannot be asked, or is paused when the time is up.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, silent) = (network.spawn()?, network.puppet()?);
    /// network.register(alice, [silent])?;
    /// let resolution = network.resolve_within(alice, Duration::from_millis(5))?;
    /// assert_eq!(resolution.silent, [silent]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resolve_within(&self, node: NodeId, timeout: Duration) -> Result<Resolution, NodeError> {
        self.resolve_by(node, self.driver.now() + timeout)
    }

    /// Returns a node's chain: a clone that shares all blocks.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// assert_eq!(network.chain(alice)?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn chain(&self, node: NodeId) -> Result<Blockchain, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Chain)?, Chain))
    }

    /// Returns a node's pending transactions, in the order in which they came.
    ///
    /// # Errors
    ///
    /// The node cannot be asked.
    ///
    /// ```
    /// use chainlab::{Network, Rules, Transaction};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let transaction = Transaction::new("carol", "dave", 5);
    /// network.submit(alice, transaction.clone())?;
    /// assert_eq!(network.pending(alice)?, [transaction]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pending(&self, node: NodeId) -> Result<Vec<Transaction>, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Pending)?, Pending))
    }

    /// Returns a node's chain, pending transactions and peers, all of one moment.
    ///
    /// # Errors
    ///
    /// The node is unknown, down, or a puppet; a paused one can be looked at.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.pause(alice)?;
    /// let snapshot = network.snapshot(alice)?;
    /// assert_eq!((snapshot.chain.len(), snapshot.pending.len(), snapshot.peers.len()), (1, 0, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self, node: NodeId) -> Result<Snapshot, NodeError> {
        Ok(expect_answer!(self.ask(node, Command::Snapshot)?, Snapshot))
    }

    fn mine_by(&self, node: NodeId, until: Time) -> Result<Forged, CallError<MineError>> {
        expect_answer!(self.driver.ask(node, Command::Mine, until)?, Mine).map_err(CallError::Refused)
    }

    fn resolve_by(&self, node: NodeId, until: Time) -> Result<Resolution, NodeError> {
        Ok(expect_answer!(self.driver.ask(node, Command::Resolve, until)?, Resolve))
    }

    fn ask(&self, node: NodeId, command: Command) -> Result<Answer, NodeError> {
        self.driver.ask(node, command, Time::MAX)
    }

    pub(super) fn check_known(&self, nodes: &[NodeId]) -> Result<(), NodeError> {
        self.driver.look(|view| nodes.iter().try_for_each(|node| view.check_known(*node)))
    }

    fn is_puppet(&self, node: NodeId) -> Result<bool, NodeError> {
        self.driver.look(|view| Ok(view.known(node)?.is_puppet()))
    }
}
