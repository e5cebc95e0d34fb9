//! Topologies: which nodes of a network are joined.

use serde::{Deserialize, Serialize};

use super::{
    draw::{Key, Purpose},
    graphs,
};
use crate::NodeId;

/// Which nodes are joined, as plain data: the same topology, size and seed always give the same edges.
///
/// All but [`Topology::Edges`] and [`Topology::OneWay`] join the whole network: every node reaches every other over some
/// path.
///
/// ```
/// use chainlab::{NodeId, wire::Topology};
///
/// let [a, b, c, d] = [0, 1, 2, 3].map(NodeId::new);
/// assert_eq!(Topology::Ring.edges(4, 0)?, [(a, b), (a, d), (b, c), (c, d)]);
/// // Ten thousand nodes that choose eight others each, as those of Bitcoin do.
/// let edges = Topology::Random { links: 8 }.edges(10_000, 42)?;
/// assert!((79_000..=80_000).contains(&edges.len()));
/// # Ok::<(), chainlab::wire::TopologyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Topology {
    /// Every node is joined to every other: n (n - 1) / 2 edges.
    Complete,
    /// Each node is joined to the next, and the last to the first: n edges, one for two nodes.
    Ring,
    /// Each node is joined to the next: n - 1 edges.
    Line,
    /// Node 0 is joined to every other: n - 1 edges.
    Star,
    /// Each node chooses so many others, evenly, as Bitcoin's nodes make 8 outbound connections.
    ///
    /// A node so has at least `links` neighbours, and nearly twice as many on average. Where there are no more others
    /// than `links`, it chooses them all. Parts of the network that chance left apart are joined by one edge more
    /// each: common with one link a node, all but unknown from three on.
    Random {
        /// How many others a node chooses, at least one.
        links: usize,
    },
    /// As [`Topology::Random`], but a node accepts no more than so many links that others open: Bitcoin's open 8 and accept
    /// up to 117, which makes 125.
    ///
    /// Nodes choose in their order, each evenly among those that still accept; where too few do, it opens fewer. Parts
    /// that chance left apart are joined even so.
    Bounded {
        /// How many others a node chooses, at least one.
        links: usize,
        /// How many links of others a node accepts, at least as many as it opens.
        accepted_max: usize,
    },
    /// A ring in which each node is joined to its nearest `neighbours`, and each edge then is rewired with a
    /// probability: high clustering, short paths.
    ///
    /// As in Watts and Strogatz, "Collective dynamics of 'small-world' networks" (Nature 393, 1998): there are
    /// n · `neighbours` / 2 edges; an edge keeps its first end, and its other becomes any node that is not yet joined
    /// to that. A graph that falls apart is drawn again: rare from four neighbours on, while of two neighbours a much
    /// rewired ring takes the more drawings the more nodes there are. After twenty its parts are joined, by one edge
    /// more each. Each drawing costs O(n · `neighbours`²).
    SmallWorld {
        /// How many neighbours a node has at first: an even number, at least 2, and fewer than there are nodes.
        neighbours: usize,
        /// The probability that an edge is rewired: 0 leaves the ring, 1 makes a random graph.
        rewiring: f64,
    },
    /// Nodes come one by one, and each is joined to `links` others, the likelier the more neighbours they have: few
    /// nodes with very many neighbours, many with few.
    ///
    /// As in Barabási and Albert, "Emergence of scaling in random networks" (Science 286, 1999), beginning with
    /// `links` + 1 nodes all joined to each other: `links` (`links` + 1) / 2 + (n - `links` - 1) · `links` edges. A
    /// smaller network is complete.
    ScaleFree {
        /// How many others a new node is joined to, at least one.
        links: usize,
    },
    /// These edges, in any order; one given twice or both ways counts once.
    Edges(Vec<(u32, u32)>),
    /// These links, each from the first node to the second alone: the first has the second for a peer, tells it of
    /// blocks and may ask it for its chain; the second tells the first nothing unasked.
    OneWay(Vec<(u32, u32)>),
}

impl Topology {
    /// Returns who has whom for a peer: each link in each direction that it has, in ascending order.
    ///
    /// # Errors
    ///
    /// If a parameter is out of its range, or does not fit the number of nodes.
    ///
    /// ```
    /// use chainlab::{NodeId, wire::Topology};
    ///
    /// let [a, b, c] = [0, 1, 2].map(NodeId::new);
    /// assert_eq!(Topology::Line.peers(3, 0)?, [(a, b), (b, a), (b, c), (c, b)]);
    /// assert_eq!(Topology::OneWay(vec![(2, 0), (0, 1)]).peers(3, 0)?, [(a, b), (c, a)]);
    /// # Ok::<(), chainlab::wire::TopologyError>(())
    /// ```
    pub fn peers(&self, nodes: usize, seed: u64) -> Result<Vec<(NodeId, NodeId)>, TopologyError> {
        let mut peers: Vec<_> = if let Self::OneWay(links) = self {
            self.check(nodes)?;
            links.iter().map(|&(a, b)| (NodeId::new(a), NodeId::new(b))).collect()
        } else {
            let edges = self.edges(nodes, seed)?;
            edges.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).collect()
        };
        peers.sort_unstable();
        peers.dedup();
        Ok(peers)
    }

    /// Returns the edges among so many nodes, whichever way they go: each once, the smaller end first, in ascending
    /// order.
    ///
    /// Fewer than two nodes have none.
    ///
    /// # Errors
    ///
    /// If a parameter is out of its range, or does not fit the number of nodes.
    pub fn edges(&self, nodes: usize, seed: u64) -> Result<Vec<(NodeId, NodeId)>, TopologyError> {
        let count = u32::try_from(nodes).map_err(|_| TopologyError::TooManyNodes { nodes })?;
        self.check(nodes)?;
        let mut generator = Key::new(seed).and(Purpose::Topology as u64).generator();
        let mut edges = match *self {
            _ if count < 2 => Vec::new(),
            Self::Complete => graphs::complete(count),
            Self::Ring => (0..count).map(|node| (node, (node + 1) % count)).collect(),
            Self::Line => (1..count).map(|node| (node - 1, node)).collect(),
            Self::Star => (1..count).map(|node| (0, node)).collect(),
            Self::Random { links } => graphs::random(count, links, &mut generator),
            Self::Bounded { links, accepted_max } => {
                graphs::bounded(count, links, accepted_max, &mut generator)
            }
            Self::SmallWorld { neighbours, rewiring } => {
                graphs::small_world(count, neighbours, rewiring, &mut generator)
            }
            Self::ScaleFree { links } => graphs::scale_free(count, links, &mut generator),
            Self::Edges(ref edges) | Self::OneWay(ref edges) => edges.clone(),
        };
        for (a, b) in &mut edges {
            (*a, *b) = (*a.min(b), *a.max(b));
        }
        edges.sort_unstable();
        edges.dedup();
        Ok(edges.into_iter().map(|(a, b)| (NodeId::new(a), NodeId::new(b))).collect())
    }

    /// Checks the parameters, by themselves and against the number of nodes, without making an edge.
    pub(crate) fn check(&self, nodes: usize) -> Result<(), TopologyError> {
        match *self {
            Self::Random { links: 0 } | Self::Bounded { links: 0, .. } | Self::ScaleFree { links: 0 } => {
                Err(TopologyError::NoLinks)
            }
            Self::Bounded { links, accepted_max } if accepted_max < links => {
                Err(TopologyError::TooFewAccepted { links, accepted_max })
            }
            Self::SmallWorld { rewiring, .. } if !(0.0..=1.0).contains(&rewiring) => {
                Err(TopologyError::Rewiring { rewiring })
            }
            Self::SmallWorld { neighbours, .. } if neighbours < 2 || neighbours % 2 == 1 => {
                Err(TopologyError::OddNeighbours { neighbours })
            }
            Self::SmallWorld { neighbours, .. } if nodes >= 2 && neighbours >= nodes => {
                Err(TopologyError::TooManyNeighbours { neighbours, nodes })
            }
            Self::Edges(ref edges) | Self::OneWay(ref edges) => {
                edges.iter().try_for_each(|&(a, b)| match a.max(b) {
                    node if node as usize >= nodes => Err(TopologyError::UnknownNode { node, nodes }),
                    node if a == b => Err(TopologyError::SelfLoop { node }),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }
}

/// A topology that cannot be, or not among so many nodes.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// There are more nodes than a [`NodeId`] can name.
    #[error("{nodes} nodes are more than can be named")]
    TooManyNodes {
        /// How many there are.
        nodes: usize,
    },
    /// Nodes are to choose no others.
    #[error("0 links a node: nothing would be joined")]
    NoLinks,
    /// Nodes are to accept fewer links than they open: somebody's would be accepted by nobody.
    #[error("{links} links a node, but only {accepted_max} accepted: all would be full too soon")]
    TooFewAccepted {
        /// How many links a node opens.
        links: usize,
        /// How many it accepts.
        accepted_max: usize,
    },
    /// The neighbours in the ring of a small world cannot be shared out evenly to both sides.
    #[error("{neighbours} neighbours a node, not an even number from 2 up")]
    OddNeighbours {
        /// How many neighbours were asked for.
        neighbours: usize,
    },
    /// There are not enough nodes for the ring of a small world.
    #[error("{neighbours} neighbours a node, but only {nodes} nodes")]
    TooManyNeighbours {
        /// How many neighbours were asked for.
        neighbours: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// The rewiring of a small world is no probability.
    #[error("the rewiring is {rewiring}, not a probability from 0 to 1")]
    Rewiring {
        /// What was given.
        rewiring: f64,
    },
    /// An edge names a node that there is not.
    #[error("an edge names node {node}, but there are only {nodes} nodes")]
    UnknownNode {
        /// The node's index.
        node: u32,
        /// How many nodes there are.
        nodes: usize,
    },
    /// An edge joins a node to itself.
    #[error("an edge joins node {node} to itself")]
    SelfLoop {
        /// The node's index.
        node: u32,
    },
}
