//! Who is told that links have come up: what was said to their peers before may have been lost.

use super::view::View;
use crate::{
    message::NodeId,
    wire::{Link, Links, Partition},
};

/// The directed links that may carry what they did not before.
#[derive(Debug)]
pub enum CameUp {
    /// One, from the first node to the second.
    One(NodeId, NodeId),
    /// Those to a node and from it.
    Of(NodeId),
    /// Those that a partition cut, which is over.
    Across(Partition),
    All,
}

impl CameUp {
    /// What comes up with a change of a link's setting: a link that loses less than it did may have lost what it would
    /// carry now.
    pub(crate) fn with_setting(self, before: Link, after: Link) -> Option<Self> {
        (after.loss() < before.loss()).then_some(self)
    }

    fn includes(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Self::One(one, other) => (from, to) == (*one, *other),
            Self::Of(node) => from == *node || to == *node,
            Self::Across(partition) => partition.separates(from, to),
            Self::All => true,
        }
    }
}

/// The live nodes that are told, each with those of its peers that it reaches again. One that is paused or down is told
/// of all its links once it goes on.
pub(crate) fn told(came_up: &CameUp, view: &impl View, links: &Links) -> Vec<(NodeId, Vec<NodeId>)> {
    let reached = |node| -> Vec<_> {
        let peers = view.peers(node).iter().copied();
        peers.filter(|&peer| came_up.includes(node, peer) && links.is_reachable(node, peer)).collect()
    };
    let told = |node| Some((node, reached(node))).filter(|(_, peers)| !peers.is_empty());
    match *came_up {
        // Of many nodes nobody else is looked at.
        CameUp::One(from, _) => told(from).filter(|_| view.is_live(from)).into_iter().collect(),
        _ => view.live().filter_map(told).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        blockchain::Blockchain,
        rules::Rules,
        time::Time,
        verbs::{DownCause, Names, state::State},
    };

    fn node(number: u32) -> NodeId {
        NodeId::new(number)
    }

    /// Nodes of which each has the others as peers.
    struct Acquainted {
        states: Vec<State>,
        peers: Vec<Vec<NodeId>>,
        chain: Blockchain,
        address: Arc<str>,
        names: Names,
    }

    impl View for Acquainted {
        fn count(&self) -> usize {
            self.states.len()
        }

        fn state(&self, node: NodeId) -> &State {
            &self.states[node.index()]
        }

        fn chain(&self, _: NodeId) -> &Blockchain {
            &self.chain
        }

        fn peers(&self, node: NodeId) -> &[NodeId] {
            &self.peers[node.index()]
        }

        fn address(&self, _: NodeId) -> &Arc<str> {
            &self.address
        }

        fn names(&self) -> &Names {
            &self.names
        }
    }

    /// Two nodes are live, one is paused, one is down.
    fn four() -> Acquainted {
        let down = State::Down {
            cause: DownCause::Crashed,
            pending: Vec::new(),
            requests: 0,
            has_met_victim: false,
        };
        Acquainted {
            states: vec![State::Live, State::Live, State::Paused, down],
            peers: (0..4).map(|own| (0..4).filter(|peer| *peer != own).map(node).collect()).collect(),
            chain: Blockchain::start(&Rules::notebook(), Time::from_secs(1)).unwrap(),
            address: "".into(),
            names: Names::default(),
        }
    }

    fn told_numbers(came_up: &CameUp, links: &Links) -> Vec<(usize, Vec<usize>)> {
        let told = told(came_up, &four(), links).into_iter();
        told.map(|(node, peers)| (node.index(), peers.into_iter().map(NodeId::index).collect())).collect()
    }

    #[test]
    fn the_live_are_told_of_the_peers_that_they_reach_again() {
        let mut links = Links::new(1);
        let told = |came_up: CameUp, links: &Links| told_numbers(&came_up, links);
        assert_eq!(told(CameUp::All, &links), [(0, vec![1, 2, 3]), (1, vec![0, 2, 3])]);
        assert_eq!(told(CameUp::One(node(0), node(1)), &links), [(0, vec![1])]);
        assert_eq!(told(CameUp::One(node(2), node(1)), &links), []);
        assert_eq!(told(CameUp::Of(node(1)), &links), [(0, vec![1]), (1, vec![0, 2, 3])]);
        let alone = || Partition::new([[node(0)]]).unwrap();
        assert_eq!(told(CameUp::Across(alone()), &links), [(0, vec![1, 2, 3]), (1, vec![0])]);
        // What is still down did not come up.
        links.hold(node(0), node(1));
        assert_eq!(told(CameUp::All, &links), [(0, vec![2, 3]), (1, vec![0, 2, 3])]);
        links.partition(alone());
        assert_eq!(told(CameUp::All, &links), [(1, vec![2, 3])]);
    }

    #[test]
    fn a_link_comes_up_when_it_loses_less() {
        let losing = |loss| Link::default().with_loss(loss).unwrap();
        let came_up = |before, after| CameUp::All.with_setting(losing(before), losing(after)).is_some();
        assert!(came_up(1.0, 0.5) && came_up(0.5, 0.0));
        assert!(!came_up(0.0, 0.0) && !came_up(0.5, 0.5) && !came_up(0.0, 1.0));
    }
}
