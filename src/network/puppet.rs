//! A peer that the caller plays by hand.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    error::SpawnError,
    handle::{Identity, Network},
    mailbox::Mailbox,
    shared::Shared,
};
use crate::message::{Message, NodeId};

/// A peer that the caller plays by hand: its inbox is the caller's, and it says what the caller likes, so that any lie
/// can be told and any step of the protocol watched.
///
/// ```
/// use std::time::Duration;
/// use chainlab::{Message, Network, RequestId, Rules};
///
/// let network = Network::new(Rules::notebook());
/// let alice = network.spawn()?;
/// let mallory = network.puppet()?;
/// mallory.send(alice, Message::ChainRequest { request: RequestId(7) });
/// let (from, answer) = mallory.receive(Duration::from_secs(10)).expect("everybody is answered");
/// assert_eq!(from, alice);
/// assert!(matches!(answer, Message::Chain { request: RequestId(7), .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Puppet {
    id: NodeId,
    shared: Arc<Shared>,
    mailbox: Mailbox,
}

impl Network {
    /// Makes a puppet. Other nodes register it as they do any peer; it is no live node to [`Network::settle`].
    ///
    /// # Errors
    ///
    /// The network was shut down, or the operating system starts no thread.
    pub fn puppet(&self) -> Result<Puppet, SpawnError> {
        self.puppet_as(Identity::default())
    }

    /// Makes a puppet with a name or an address of the caller's: a peer that is elsewhere, say.
    ///
    /// # Errors
    ///
    /// The network was shut down, a name with a zero byte, or the operating system starts no thread.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::Identity};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let name = Some("localhost:5003".to_owned());
    /// let elsewhere = network.puppet_as(Identity { name, ..Identity::default() })?;
    /// let registration = network.register(alice, [elsewhere.id()])?;
    /// assert_eq!(*registration.total_nodes[0], *"localhost:5003");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn puppet_as(&self, identity: Identity) -> Result<Puppet, SpawnError> {
        let (id, mailbox) = self.add_puppet(identity)?;
        Ok(Puppet { id, shared: Arc::clone(&self.shared), mailbox })
    }
}

impl Puppet {
    /// Returns the puppet's number.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Says something to a node, over the link between them.
    pub fn send(&self, to: NodeId, message: Message) {
        self.shared.send(self.id(), to, message);
    }

    /// Waits for the next message; nothing if none comes in time.
    pub fn receive(&self, timeout: Duration) -> Option<(NodeId, Message)> {
        self.mailbox.inbox.recv_timeout(timeout).ok().inspect(|(from, _)| self.mailbox.read_from(*from))
    }

    /// Returns the next message that is there already.
    pub fn try_receive(&self) -> Option<(NodeId, Message)> {
        self.mailbox.read().ok()
    }
}

impl fmt::Debug for Puppet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Puppet({})", self.id())
    }
}
