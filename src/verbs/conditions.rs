//! What links and nodes are like: latencies and losses, bandwidths, regions, what blocks cost, and who judges messages.

use super::{closure, drive::Driver, error::NodeError, front::NetworkOf, traffic::Judge, view::View};
use crate::{
    message::{Message, NodeId},
    wire::{Bandwidth, BlockCost, Link, Region, Regions, Verdict},
};

impl<D: Driver> NetworkOf<D> {
    /// Sets what the directed link from one node to another is like, from the next message on. If it loses less than it
    /// did, the sender tells the receiver of its tip, which it may have missed.
    ///
    /// # Errors
    ///
    /// A node is unknown.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules, wire::{Latency, Link}};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.set_link(alice, bob, Link::default().with_latency(Latency::fixed(Duration::from_millis(20))))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_link(&self, from: NodeId, to: NodeId, link: Link) -> Result<(), NodeError> {
        self.check_known(&[from, to])?;
        self.change_links(|traffic| traffic.set_link(from, to, link));
        Ok(())
    }

    /// Sets what every link is like that has no setting of its own, from the next message on. If it loses less than it
    /// did, all nodes tell their peers of their tips.
    ///
    /// ```
    /// use chainlab::{Network, Rules, wire::Link};
    ///
    /// let network = Network::new(Rules::sealed());
    /// network.set_default_link(Link::default().with_loss(0.01)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_default_link(&self, link: Link) {
        self.change_links(|traffic| traffic.set_default(link));
    }

    /// Has a closure judge every message before its link does, in place of the closure before, of which what it dropped
    /// is announced again; its first two arguments are the sender and the receiver. It runs where the message is sent,
    /// one at a time, and must not call the network: a call that would wait for a node or a link panics instead. A
    /// closure that panics takes down the node that sends.
    ///
    /// ```
    /// use chainlab::{Message, Network, Rules, wire::Verdict};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.set_judge(move |from, _, message| match message {
    ///     Message::NewBlock(_) if from == alice => Verdict::Drop,
    ///     _ => Verdict::Pass,
    /// });
    /// network.mine(alice)?;
    /// assert_eq!(network.chain(bob)?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_judge(&self, mut judge: impl FnMut(NodeId, NodeId, &Message) -> Verdict + Send + 'static) {
        let judge = move |from, to, message: &_| closure::run("judge", || judge(from, to, message));
        self.change_links(|traffic| traffic.set_judge(Some(Judge(Box::new(judge)))));
    }

    /// Has no closure judge the messages any longer; what it dropped is announced again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules, wire::Verdict};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.set_judge(|_, _, _| Verdict::Drop);
    /// network.mine(alice)?;
    /// network.clear_judge();
    /// network.settle(Duration::from_secs(60))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_judge(&self) {
        self.change_links(|traffic| traffic.set_judge(None));
    }

    /// Sets how fast a node sends and takes in, whoever it talks to: one message after the other each way. It takes the
    /// place of its region's bandwidth.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    ///
    /// ```
    /// use chainlab::{Network, Rules, wire::Bandwidth};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let alice = network.spawn()?;
    /// network.set_bandwidth(alice, Bandwidth::new(2_500_000, 12_500_000)?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_bandwidth(&self, node: NodeId, bandwidth: Bandwidth) -> Result<(), NodeError> {
        self.check_known(&[node])?;
        self.change_links(|traffic| traffic.set_bandwidth(node, bandwidth));
        Ok(())
    }

    /// Has all nodes lie in regions, or no longer: links that have no setting of their own have the latency between their
    /// ends' regions, and otherwise what the default link has; nodes without a bandwidth of their own have their region's.
    ///
    /// ```
    /// use chainlab::{Network, Rules, wire::Regions};
    ///
    /// let network = Network::new(Rules::sealed());
    /// network.set_regions(Some(Regions::of_2019()));
    /// let node = network.spawn()?;
    /// assert!(network.region(node)?.is_some());
    /// network.set_regions(None);
    /// assert_eq!(network.region(node)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_regions(&self, regions: Option<Regions>) {
        self.change_links(|traffic| traffic.set_regions(regions));
    }

    /// Returns the region that a node lies in, if there are any.
    ///
    /// # Errors
    ///
    /// The node is unknown.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let node = network.spawn()?;
    /// assert_eq!(network.region(node)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn region(&self, node: NodeId) -> Result<Option<Region>, NodeError> {
        self.driver.look_at_links(|view, links| {
            view.check_known(node)?;
            Ok(links.region(node).cloned())
        })
    }

    /// Sets what blocks take on the wire and how long their receivers look at them, from the next message on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules, wire::BlockCost};
    ///
    /// let network = Network::new(Rules::sealed());
    /// network.set_block_cost(BlockCost { bytes: Some(1_000_000), validation: Duration::from_millis(50) });
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.mine(alice)?;
    /// network.settle(Duration::from_secs(60))?;
    /// let report = network.report();
    /// assert!(report.propagation.to_each.max >= Duration::from_millis(50));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_block_cost(&self, cost: BlockCost) {
        self.change_links(|traffic| traffic.set_block_cost(cost));
    }
}
