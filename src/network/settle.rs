//! Who stands where, and waiting until all agree.

use std::{cmp::Reverse, collections::BTreeMap, fmt, time::Duration};

use parking_lot::{Condvar, Mutex};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{clock::instant, handle::Network, shared::Shared};
use crate::{blockchain::Blockchain, message::NodeId, wire::Links};

/// Where every node stands, kept up to date by the nodes' threads.
#[derive(Debug, Default)]
pub(super) struct Standings {
    list: Mutex<Vec<Standing>>,
    changed: Condvar,
}

#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) liveness: Liveness,
    pub(super) chain: Blockchain,
    pub(super) peers: Vec<NodeId>,
}

/// Whether a node takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    Live,
    Paused,
    Down,
    Puppet,
}

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

impl Shared {
    pub(super) fn add_standing(&self, standing: Standing) {
        self.standings.list.lock().push(standing);
        self.standings.changed.notify_all();
    }

    /// Changes where a node stands.
    pub(super) fn stand(&self, node: NodeId, change: impl FnOnce(&mut Standing)) {
        change(&mut self.standings.list.lock()[node.index()]);
        self.standings.changed.notify_all();
    }

    pub(super) fn set_liveness(&self, node: NodeId, liveness: Liveness) {
        self.stand(node, |standing| standing.liveness = liveness);
    }

    /// Says that who reaches whom may have changed. The lock is taken so that whoever is about to wait hears it.
    pub(super) fn standings_changed(&self) {
        let _list = self.standings.list.lock();
        self.standings.changed.notify_all();
    }

    pub(super) fn peers_of(&self, node: NodeId) -> Vec<NodeId> {
        self.standings.list.lock()[node.index()].peers.clone()
    }

    pub(super) fn peers_of_all(&self) -> Vec<(NodeId, Vec<NodeId>)> {
        let list = self.standings.list.lock();
        nodes(&list).map(|(node, standing)| (node, standing.peers.clone())).collect()
    }

    /// Every node's chain; of one that is down the chain that it had.
    pub(super) fn chains(&self) -> Vec<Blockchain> {
        let list = self.standings.list.lock();
        let own = list.iter().filter(|standing| standing.liveness != Liveness::Puppet);
        own.map(|standing| standing.chain.clone()).collect()
    }
}

/// The groups of live nodes that can reach each other, if the nodes of each agree.
fn agreements(list: &[Standing], links: &Links) -> Option<Vec<Agreement>> {
    let live =
        |node: NodeId| list.get(node.index()).is_some_and(|standing| standing.liveness == Liveness::Live);
    let mut groups = Groups::new(list.len());
    for (node, standing) in nodes(list).filter(|(node, _)| live(*node)) {
        for &peer in standing.peers.iter().filter(|peer| live(**peer)) {
            let agree = list[peer.index()].chain == standing.chain;
            match links.is_reachable(node, peer) && links.is_reachable(peer, node) {
                true if agree => groups.join(node.index(), peer.index()),
                true => return None,
                false => {}
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
    for (node, _) in nodes(list).filter(|(node, _)| live(*node)) {
        members.entry(groups.find(node.index())).or_default().push(node);
    }
    let mut agreements: Vec<_> = members
        .into_values()
        .map(|nodes| Agreement { chain: list[nodes[0].index()].chain.clone(), nodes })
        .collect();
    agreements.sort_by_key(|agreement| Reverse(agreement.nodes.len()));
    Some(agreements)
}

fn nodes(list: &[Standing]) -> impl Iterator<Item = (NodeId, &Standing)> {
    (0..).map(NodeId::new).zip(list)
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

impl Network {
    /// Waits, without polling, until all live nodes that can reach each other have the same chain.
    ///
    /// Two nodes reach each other if one is the other's peer and neither a partition, a hold nor a link that loses
    /// everything lies between them, either way; and so do all between whom there is a path of such pairs. Equally good
    /// chains may stand side by side for ever, since a tie keeps ours: mine one block more.
    ///
    /// # Errors
    ///
    /// Where the live nodes stand, if they do not agree in time.
    pub fn settle(&self, timeout: Duration) -> Result<Settled, Unsettled> {
        // A wait that would outlast the clock has no end.
        let deadline = instant().checked_add(timeout);
        loop {
            // In this order: whoever carries a message has the links, and may wait for whoever adds a node, who waits
            // for the list.
            let conditions = self.shared.carrier.conditions();
            let mut list = self.shared.standings.list.lock();
            let is_over = deadline.is_some_and(|deadline| deadline <= instant());
            if let Some(groups) = agreements(&list, &conditions.links) {
                return Ok(Settled { groups });
            }
            drop(conditions);
            if is_over {
                let live = nodes(&list).filter(|(_, standing)| standing.liveness == Liveness::Live);
                let standings = live.map(|(node, standing)| (node, standing.chain.clone())).collect();
                return Err(Unsettled { standings });
            }
            let changed = &self.shared.standings.changed;
            match deadline {
                // A time-out is seen by the next look.
                Some(deadline) => {
                    changed.wait_until(&mut list, deadline);
                }
                None => changed.wait(&mut list),
            }
        }
    }
}
