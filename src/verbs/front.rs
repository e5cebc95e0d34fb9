//! The front of a network: its nodes, and how more are added.

use std::sync::Arc;

use super::{
    drive::Driver,
    error::{NodeError, SpawnError},
    names::Identity,
    view::View,
};
use crate::{
    blockchain::Blockchain,
    message::NodeId,
    node::{Node, NodeConfig},
    rules::{Genesis, Rules},
    text::shortened,
    time::Time,
};

/// An address of 32 hexadecimal digits and four of a number.
const LIKE_THE_NOTEBOOK_S: &str = "000000000000000000000000000000000000";

/// A network of nodes, whatever drives them: a [`Network`](crate::Network), where each node is a thread on the wall
/// clock, or a [`Simulation`](crate::Simulation), where all are on one thread under a virtual clock.
///
/// What can be done to it is the same under every driver, and means the same. A verb that must wait does so in its
/// driver's time.
///
/// ```
/// use chainlab::{Network, Rules, Transaction};
///
/// let network = Network::new(Rules::notebook());
/// let (alice, bob) = (network.spawn()?, network.spawn()?);
/// network.register(bob, [alice])?;
/// network.submit(alice, Transaction::new("d4ee26eee15148ee92c6cd394edd974e", "someone-other-address", 5))?;
/// let forged = network.mine(alice)?;
/// assert_eq!((forged.position, forged.proof), (2, 35293));
/// network.resolve(bob)?;
/// assert_eq!(network.chain(bob)?, network.chain(alice)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NetworkOf<D> {
    pub(crate) driver: D,
}

impl<D: Driver> NetworkOf<D> {
    /// Returns the rules, with the network's start as the time of a shared genesis that had none.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// assert_eq!(network.rules().reward, 1);
    /// ```
    pub fn rules(&self) -> &Rules {
        self.driver.rules()
    }

    /// Starts a node.
    ///
    /// # Errors
    ///
    /// The network was shut down, its rules cannot be kept together, or the operating system starts no further thread;
    /// then no node was added.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let node = network.spawn()?;
    /// assert_eq!(network.chain(node)?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn(&self) -> Result<NodeId, SpawnError> {
        self.spawn_as(Identity::default())
    }

    /// Starts a node with a name.
    ///
    /// # Errors
    ///
    /// As [`NetworkOf::spawn`], and a name that another node has or that has a zero byte.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn_named("alice")?;
    /// assert_eq!(network.find_node("alice"), Some(alice));
    /// assert_eq!(network.spawn_named("alice").unwrap_err().to_string(), "the name \"alice\" is that of node 0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_named(&self, name: impl Into<String>) -> Result<NodeId, SpawnError> {
        self.spawn_as(Identity { name: Some(name.into()), ..Identity::default() })
    }

    /// Starts a node with a name or an address of the caller's.
    ///
    /// # Errors
    ///
    /// As [`NetworkOf::spawn_named`], and an address that no block has room for.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::Identity};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let address = Some("alice's purse".to_owned());
    /// let alice = network.spawn_as(Identity { address, ..Identity::default() })?;
    /// assert_eq!(*network.mine(alice)?.transactions[0].recipient(), *"alice's purse");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_as(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        self.rules().check_together()?;
        self.add(identity, |config, now| {
            let start = || Blockchain::started(&config.rules, now);
            let chain = match config.rules.genesis {
                Genesis::Shared { .. } => self.driver.genesis().get_or_init(start).clone(),
                Genesis::OwnOfEachNode { .. } => start(),
            };
            Node::on_chain(config, chain)
        })
    }

    /// Starts a node that has a chain: one of the tutorial's, say, or a branch that was mined by hand. Where it was
    /// verified under other rules than the network's it is verified first, which costs in proportion to it.
    ///
    /// Blocks from ahead of the network's clock are taken as well; others take them when their time has come.
    ///
    /// # Errors
    ///
    /// As [`NetworkOf::spawn_as`], and a chain that breaks a rule of the network's: the first block that does, and the
    /// rule.
    ///
    /// ```
    /// use chainlab::{Blockchain, Network, Rules, network::Identity};
    ///
    /// // What the tutorial's server answers at `/chain`.
    /// let text = r#"{"length": 2, "chain": [
    ///     {"index": 1, "previous_hash": 1, "proof": 100, "timestamp": 1507824951.7695177, "transactions": []},
    ///     {"index": 2, "previous_hash": "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0",
    ///      "proof": 35293, "timestamp": 1507824953.5, "transactions": []}]}"#;
    /// let network = Network::new(Rules::notebook());
    /// let chain = Blockchain::from_json(text, network.rules())?;
    /// let alice = network.spawn_with_chain(Identity::default(), chain.clone())?;
    /// assert_eq!(network.mine(alice)?.position, 3);
    ///
    /// let strict = Network::new(Rules::sealed());
    /// let error = strict.spawn_with_chain(Identity::default(), chain).unwrap_err().to_string();
    /// assert!(error.starts_with("block 1: "), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_with_chain(&self, identity: Identity, chain: Blockchain) -> Result<NodeId, SpawnError> {
        self.rules().check_together()?;
        let chain = chain.verify(self.rules())?;
        self.add(identity, |config, _| Node::on_chain(config, chain))
    }

    /// Starts the node that `make` makes if a block can name it, under rules that can be kept together.
    pub(crate) fn add(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError> {
        // A driver's own addresses are as long as the notebook's.
        let address = identity.address.as_deref().unwrap_or(LIKE_THE_NOTEBOOK_S);
        self.rules()
            .check_miner(address)
            .map_err(|violation| SpawnError::Address { address: shortened(address), violation })?;
        self.driver.add_node(identity, make)
    }

    /// Returns all nodes, in the order in which they were started; puppets are among them.
    ///
    /// ```
    /// use chainlab::{Network, NodeId, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// network.spawn()?;
    /// network.spawn()?;
    /// assert_eq!(network.nodes(), [NodeId::new(0), NodeId::new(1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nodes(&self) -> Vec<NodeId> {
        self.driver.look(|view| view.nodes().collect())
    }

    /// Returns a node's name: the one that it was given, or `node-` and its number.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let (one, other) = (network.spawn_named("alice")?, network.spawn()?);
    /// assert_eq!((&*network.name(one)?, &*network.name(other)?), ("alice", "node-1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(&self, node: NodeId) -> Result<Arc<str>, NodeError> {
        self.driver.look(|view| {
            view.check_known(node)?;
            Ok(view.names().of(node))
        })
    }

    /// Returns the node of a name; none if no node has it.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn_named("alice")?;
    /// assert_eq!((network.find_node("alice"), network.find_node("bob")), (Some(alice), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find_node(&self, name: &str) -> Option<NodeId> {
        self.driver.look(|view| view.names().find(name, view.count()))
    }

    /// Returns the address that a node's rewards go to.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let reward = &network.mine(alice)?.transactions[0];
    /// assert_eq!(*reward.recipient(), *network.address(alice)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn address(&self, node: NodeId) -> Result<Arc<str>, NodeError> {
        self.driver.look(|view| {
            view.check_known(node)?;
            Ok(Arc::clone(view.address(node)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, Simulation};

    fn chains<D: Driver>(network: &NetworkOf<D>) -> [Blockchain; 2] {
        [(); 2].map(|()| network.chain(network.spawn().unwrap()).unwrap())
    }

    /// However many accounts it makes, it is made once.
    #[test]
    fn nodes_share_a_genesis_if_the_rules_say_so() {
        for (rules, is_shared) in [(Rules::sealed(), true), (Rules::notebook(), false)] {
            let both = [chains(&Network::new(rules.clone())), chains(&Simulation::new(rules, 1))];
            assert!(both.iter().all(|[one, other]| one.is_same_copy(other) == is_shared));
        }
    }
}
