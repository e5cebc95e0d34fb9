//! What is done to links and nodes: faults, and their ends.

use std::borrow::Borrow;

use super::{
    drive::Driver,
    ending::RestartFrom,
    error::{NodeError, PartitionFault, RestartError},
    front::NetworkOf,
    links_up::{CameUp, told},
    traffic::Traffic,
};
use crate::{event::Happening, message::NodeId, wire::Partition};

/// What is done to one node from several threads at once, of crash, restart, pause and resume, is done one after the
/// other, each as a whole.
impl<D: Driver> NetworkOf<D> {
    /// Cuts the network into groups; nodes that are in none stay together as one further group. It takes the place of
    /// the partition before. Messages under way between the groups are lost.
    ///
    /// # Errors
    ///
    /// A node is in two groups or unknown; then nothing is cut.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let nodes: Vec<_> = (0..5).map(|_| network.spawn()).collect::<Result<_, _>>()?;
    /// network.partition([&nodes[..2], &nodes[2..]])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn partition<G>(&self, groups: impl IntoIterator<Item = G>) -> Result<(), PartitionFault>
    where
        G: IntoIterator<Item: Borrow<NodeId>>,
    {
        let group = |group: G| group.into_iter().map(|node| *node.borrow()).collect();
        let groups: Vec<Vec<_>> = groups.into_iter().map(group).collect();
        self.check_known(&groups.concat())?;
        let partition = Partition::new(groups)?;
        self.change_links(|traffic| traffic.partition(partition.clone()));
        self.driver.happened(|node| Happening::Partitioned { group: partition.group(node) });
        Ok(())
    }

    /// Ends the partition: the nodes that it cut off from their peers tell them of their tips.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.partition([[alice]])?;
    /// network.mine(alice)?;
    /// assert_eq!(network.settle(Duration::ZERO)?.groups.len(), 2);
    /// network.heal();
    /// assert_eq!(network.settle(Duration::from_secs(60))?.groups.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn heal(&self) {
        self.change_links(Traffic::heal);
        self.driver.happened(|_| Happening::Healed);
    }

    /// Holds the directed link from one node to another: what is sent there waits for [`NetworkOf::release`], up to
    /// [`Config::under_way_max`](crate::network::Config::under_way_max) and
    /// [`Config::under_way_bytes_max`](crate::network::Config::under_way_bytes_max).
    ///
    /// # Errors
    ///
    /// A node is unknown.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.hold(alice, bob)?;
    /// network.mine(alice)?;
    /// assert_eq!(network.chain(bob)?.len(), 1);
    /// network.release(alice, bob);
    /// network.settle(Duration::from_secs(60))?;
    /// assert_eq!(network.chain(bob)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hold(&self, from: NodeId, to: NodeId) -> Result<(), NodeError> {
        self.check_known(&[from, to])?;
        self.change_links(|traffic| {
            traffic.hold(from, to);
            None
        });
        Ok(())
    }

    /// Releases a held link: what waited there is delivered, in the order in which it was sent. One that is not held
    /// stays as it is.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.hold(alice, bob)?;
    /// network.release(alice, bob);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(&self, from: NodeId, to: NodeId) {
        let came_up = self.driver.release(from, to);
        self.links_changed(came_up);
    }

    /// Crashes a node: it ends, and its mempool, its orphans and what was under way to it and from it are gone. Its
    /// chain stays, as on its disk. Calls that wait for it are told.
    ///
    /// # Errors
    ///
    /// The node is unknown or a puppet, or it is down already, or ends just now, for another cause.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.crash(alice)?;
    /// assert_eq!(network.mine(alice).unwrap_err().to_string(), "node 0 is down: it was crashed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn crash(&self, node: NodeId) -> Result<(), NodeError> {
        self.driver.crash(node)
    }

    /// Restarts a node that is down, with the peers that it had. Its peers and it tell each other of their tips. It
    /// does not mine until it is told to. What was on its chain and on no other's is recorded as lost if it begins with
    /// the genesis.
    ///
    /// # Errors
    ///
    /// The node is unknown, not down, or a puppet; the network was shut down; or no thread can be started. Then the node
    /// is as it was.
    ///
    /// ```
    /// use chainlab::{Network, Rules, network::RestartFrom};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.mine(alice)?;
    /// network.crash(alice)?;
    /// network.restart(alice, RestartFrom::Chain)?;
    /// assert_eq!(network.chain(alice)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        self.driver.restart(node, from)?;
        self.links_changed(Some(CameUp::Of(node)));
        Ok(())
    }

    /// Pauses a node, and waits until it stands still: what is said to it waits, up to the bound of its inbox, and so do
    /// its deadlines. Calls to it fail until [`NetworkOf::resume`], but for [`NetworkOf::snapshot`] and those that look
    /// at it from outside.
    ///
    /// # Errors
    ///
    /// The node is unknown, down, paused already, or a puppet.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.pause(alice)?;
    /// assert_eq!(network.mine(alice).unwrap_err().to_string(), "node 0 is paused");
    /// network.resume(alice)?;
    /// assert_eq!(network.mine(alice)?.position, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self, node: NodeId) -> Result<(), NodeError> {
        self.driver.pause(node)
    }

    /// Resumes a paused node; one that is not paused goes on as it is.
    ///
    /// # Errors
    ///
    /// The node is unknown, down, or a puppet.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.pause(alice)?;
    /// network.resume(alice)?;
    /// network.resume(alice)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(&self, node: NodeId) -> Result<(), NodeError> {
        if self.driver.resume(node)? {
            // It heard of no link that came up, and what it was told may have been over the bound.
            self.links_changed(Some(CameUp::Of(node)));
        }
        Ok(())
    }

    pub(super) fn change_links(&self, change: impl FnOnce(&mut Traffic) -> Option<CameUp>) {
        let came_up = self.driver.change(change);
        self.links_changed(came_up);
    }

    /// Tells nodes that links have come up, and whoever waits that who reaches whom may have changed.
    fn links_changed(&self, came_up: Option<CameUp>) {
        if let Some(came_up) = came_up {
            let told = self.driver.look_at_links(|view, links| told(&came_up, view, links));
            for (node, peers) in told {
                self.driver.links_up(node, peers);
            }
        }
        self.driver.links_changed();
    }
}
