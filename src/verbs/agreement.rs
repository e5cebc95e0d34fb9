//! Who agrees with whom.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::view::View;
use crate::{blockchain::Blockchain, message::NodeId, wire::Links};

/// Nodes that can reach each other, and the chain that they agree on. Serialises to `nodes, position, tip`: of the chain,
/// which has a document of its own, where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The nodes, in order.
    pub nodes: Vec<NodeId>,
    /// Their chain.
    pub chain: Blockchain,
}

impl Serialize for Agreement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Agreement", 3)?;
        document.serialize_field("nodes", &self.nodes)?;
        document.serialize_field("position", &self.chain.len())?;
        document.serialize_field("tip", &self.chain.tip_hash())?;
        document.end()
    }
}

/// All live nodes that can reach each other agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// The groups of nodes that can reach each other, the largest first: one, if the network is whole.
    pub groups: Vec<Agreement>,
}

impl Settled {
    /// Returns the chain of the largest group; none if no node is live.
    pub fn chain(&self) -> Option<&Blockchain> {
        self.groups.first().map(|group| &group.chain)
    }
}

/// Nodes that can reach each other did not agree in time. Serialises to `tips`: the nodes on each, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The live nodes, each with its chain, in order.
    pub standings: Vec<(NodeId, Blockchain)>,
}

impl Unsettled {
    /// The nodes on each tip, the tip at the highest position first.
    fn tips(&self) -> Vec<Agreement> {
        let mut tips: BTreeMap<_, Agreement> = BTreeMap::new();
        for (node, chain) in &self.standings {
            let tip = Reverse((chain.len(), chain.tip_hash()));
            let on_tip =
                tips.entry(tip).or_insert_with(|| Agreement { nodes: Vec::new(), chain: chain.clone() });
            on_tip.nodes.push(*node);
        }
        tips.into_values().collect()
    }
}

impl Serialize for Unsettled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Unsettled", 1)?;
        document.serialize_field("tips", &self.tips())?;
        document.end()
    }
}

impl std::error::Error for Unsettled {}

impl fmt::Display for Unsettled {
    /// Lists the tips, and who stands on each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tips = self.tips();
        write!(f, "the nodes stand on {} tips:", tips.len())?;
        tips.iter().try_for_each(|tip| write!(f, " {tip};"))
    }
}

impl fmt::Display for Agreement {
    /// Writes the tip and who stands on it: `block 3 1a2b3c4d: node 0, node 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<_> = self.nodes.iter().map(NodeId::to_string).collect();
        write!(f, "block {} {:.8}: {}", self.chain.len(), self.chain.tip_hash(), nodes.join(", "))
    }
}

impl fmt::Display for Settled {
    /// Writes each group on a line: its tip and its nodes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.groups.iter().try_for_each(|group| writeln!(f, "{group}"))
    }
}

/// Looks whether the nodes agree, again after each change.
///
/// It begins with a node that did not agree with a peer when it looked last: while that stays so, a look costs as much as
/// that node has peers. All nodes and their peers are looked at once they agree.
#[derive(Debug, Default)]
pub(crate) struct Agreeing {
    first: usize,
}

impl Agreeing {
    /// Returns the groups of live nodes that can reach each other, if the nodes of each agree.
    pub(crate) fn look(&mut self, view: &impl View, links: &Links) -> Option<Vec<Agreement>> {
        let count = view.count();
        let all = (self.first..count).chain(0..self.first.min(count));
        for place in all {
            if !agrees_with_peers(view, links, NodeId::new(place as u32)) {
                self.first = place;
                return None;
            }
        }
        Some(groups(view, links))
    }
}

/// Tells whether a node, if it is live, has the chain of each live peer that it can talk to.
fn agrees_with_peers(view: &impl View, links: &Links, node: NodeId) -> bool {
    !view.state(node).is_live()
        || talks_to(view, links, node).all(|peer| view.chain(peer) == view.chain(node))
}

/// The live peers of a node that can hear it and be heard by it.
fn talks_to<'a>(view: &'a impl View, links: &'a Links, node: NodeId) -> impl Iterator<Item = NodeId> + 'a {
    let live = view.peers(node).iter().copied().filter(|peer| view.is_live(*peer));
    live.filter(move |peer| links.is_reachable(node, *peer) && links.is_reachable(*peer, node))
}

/// The groups of live nodes that can reach each other, which agree.
fn groups(view: &impl View, links: &Links) -> Vec<Agreement> {
    let mut groups = Groups::new(view.count());
    for node in view.live() {
        talks_to(view, links, node).for_each(|peer| groups.join(node.index(), peer.index()));
    }
    let mut members: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
    for node in view.live() {
        members.entry(groups.find(node.index())).or_default().push(node);
    }
    let mut agreements: Vec<_> =
        members.into_values().map(|nodes| Agreement { chain: view.chain(nodes[0]).clone(), nodes }).collect();
    agreements.sort_by_key(|agreement| Reverse(agreement.nodes.len()));
    agreements
}

/// The live nodes, and the chain of each.
pub(crate) fn unsettled(view: &impl View) -> Unsettled {
    Unsettled { standings: view.live().map(|node| (node, view.chain(node).clone())).collect() }
}

/// Disjoint sets, joined by pointing one representative to the other.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn find(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.0[one.max(other)] = one.min(other);
    }
}
