//! Who is told that links have come up: what was said to their peers before may have been lost.

use super::state::{Row, nodes};
use crate::{
    message::NodeId,
    wire::{Link, Links, Partition},
};

/// The directed links that may carry what they did not before.
#[derive(Debug)]
pub(super) enum CameUp {
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
    pub(super) fn with_setting(self, before: Link, after: Link) -> Option<Self> {
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
pub(super) fn told(came_up: &CameUp, rows: &[Row], links: &Links) -> Vec<(NodeId, Vec<NodeId>)> {
    let reached = |node, row: &Row| -> Vec<_> {
        let peers = row.peers.iter().copied();
        peers.filter(|&peer| came_up.includes(node, peer) && links.is_reachable(node, peer)).collect()
    };
    let live = nodes(rows).filter(|(_, row)| row.state.is_live());
    live.map(|(node, row)| (node, reached(node, row))).filter(|(_, peers)| !peers.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        blockchain::Blockchain,
        network::{error::DownCause, state::State},
        rules::Rules,
        time::Time,
    };

    fn node(number: u32) -> NodeId {
        NodeId::new(number)
    }

    /// Four nodes, of which each has the others as peers: two are live, one is paused, one is down.
    fn rows() -> Vec<Row> {
        let chain = Blockchain::start(&Rules::notebook(), Time::from_secs(1));
        let down = State::Down { cause: DownCause::Crashed, pending: Vec::new() };
        let row = |(state, own)| {
            let peers = (0..4).filter(|peer| *peer != own).map(node).collect();
            Row { state, chain: chain.clone(), peers }
        };
        [State::Live, State::Live, State::Paused, down].into_iter().zip(0..).map(row).collect()
    }

    fn told_numbers(came_up: &CameUp, links: &Links) -> Vec<(usize, Vec<usize>)> {
        let told = told(came_up, &rows(), links).into_iter();
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
