//! Peers that the caller plays by hand.

use std::time::Duration;

use super::{
    drive::Driver,
    error::{NodeError, SpawnError},
    front::NetworkOf,
    names::Identity,
    view::View,
};
use crate::message::{Message, NodeId};

/// A puppet is a peer that the caller plays by hand: what is said to it is the caller's to hear, and it says what the
/// caller likes, so that any lie can be told and any step of the protocol watched.
impl<D: Driver> NetworkOf<D> {
    /// Makes a puppet. Other nodes register it as they do any peer; it is no live node to [`NetworkOf::settle`], and
    /// takes no commands.
    ///
    /// # Errors
    ///
    /// The network was shut down, its rules cannot be kept together, or the operating system starts no thread.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Message, Network, RequestId, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let mallory = network.puppet()?;
    /// network.say(mallory, alice, Message::ChainRequest { request: RequestId(7) })?;
    /// let (from, answer) = network.hear(mallory, Duration::from_secs(10))?.expect("everybody is answered");
    /// assert_eq!(from, alice);
    /// assert!(matches!(answer, Message::Chain { request: RequestId(7), .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn puppet(&self) -> Result<NodeId, SpawnError> {
        self.puppet_as(Identity::default())
    }

    /// Makes a puppet with a name or an address of the caller's: a peer that is elsewhere, say.
    ///
    /// # Errors
    ///
    /// As [`NetworkOf::puppet`], and a name that another node has or that has a zero byte.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::Identity};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let name = Some("localhost:5003".to_owned());
    /// let elsewhere = network.puppet_as(Identity { name, ..Identity::default() })?;
    /// let registration = network.register(alice, [elsewhere])?;
    /// assert_eq!(*registration.total_nodes[0], *"localhost:5003");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn puppet_as(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        self.rules().check_together()?;
        self.driver.add_puppet(identity)
    }

    /// Has a puppet say something to a node, over the link between them.
    ///
    /// # Errors
    ///
    /// Who is to say it is unknown or no puppet, or the other node is unknown.
    ///
    /// ```
    /// use chainlab::{Message, Network, RequestId, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (alice, mallory) = (network.spawn()?, network.puppet()?);
    /// let error = network.say(alice, mallory, Message::ChainRequest { request: RequestId(7) }).unwrap_err();
    /// assert_eq!(error.to_string(), "node 0 is no puppet and speaks for itself");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn say(&self, puppet: NodeId, to: NodeId, message: Message) -> Result<(), NodeError> {
        self.driver.look(|view| {
            check_puppet(view, puppet)?;
            view.check_known(to)
        })?;
        self.driver.say(puppet, to, message);
        Ok(())
    }

    /// Waits for the next message to a puppet, and returns it with its sender; nothing if none comes in time, or before the
    /// network is shut down. A time of zero looks for one that is there already.
    ///
    /// As much of each sender waits as in a node's inbox.
    ///
    /// # Errors
    ///
    /// The node is unknown or no puppet.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Message, Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, spy) = (network.spawn()?, network.puppet()?);
    /// network.connect(alice, spy)?;
    /// network.mine(alice)?;
    /// let (from, first) = network.hear(spy, Duration::from_secs(10))?.expect("peers are told of blocks");
    /// assert!(from == alice && matches!(first, Message::NewBlock(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hear(&self, puppet: NodeId, timeout: Duration) -> Result<Option<(NodeId, Message)>, NodeError> {
        self.driver.look(|view| check_puppet(view, puppet))?;
        Ok(self.driver.hear(puppet, self.driver.now() + timeout))
    }
}

fn check_puppet(view: &impl View, node: NodeId) -> Result<(), NodeError> {
    if view.known(node)?.is_puppet() { Ok(()) } else { Err(NodeError::NoPuppet { node }) }
}
