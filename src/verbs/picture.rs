//! The verb that draws.

use std::sync::Arc;

use super::{drive::Driver, front::NetworkOf, view::View};
use crate::picture::ForkTree;

impl<D: Driver> NetworkOf<D> {
    /// Returns the tree of all blocks in the nodes' chains, and where the nodes stand; one that is down, where it stood.
    ///
    /// Branches that all have abandoned are in no chain. To see those as well, subscribe to the [events](Self::events)
    /// before anything happens, and make the tree [of them](ForkTree::from_events).
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn_named("alice")?, network.spawn_named("bob")?);
    /// network.mine(alice)?;
    /// network.mine(bob)?;
    /// network.mine(bob)?;
    /// let tree = network.fork_tree().to_string();
    /// assert!(tree.starts_with("\
    /// 1   2          3
    /// ·◂┬─b◂─────────b(bob)
    ///   ╰─a(alice)
    /// "), "{tree}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fork_tree(&self) -> ForkTree {
        let nodes = self.driver.look(|view| {
            let nodes = view.nodes().filter(|node| !view.state(*node).is_puppet());
            let node =
                |node| (view.names().of(node), Arc::clone(view.address(node)), view.chain(node).clone());
            nodes.map(node).collect::<Vec<_>>()
        });
        ForkTree::of_nodes(nodes)
    }
}
