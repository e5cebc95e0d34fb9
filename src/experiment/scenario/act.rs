//! Changes whose nodes are found, and how any driver carries them out.

use std::time::Duration;

use super::{
    Problem,
    prepared::{Member, rate},
};
use crate::{
    message::NodeId,
    verbs::{CallError, Driver, NetworkOf, RestartFrom},
    wire::Link,
};

/// What is to be done at a time after the start.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) at: Duration,
    pub(super) act: Act,
    /// Where it stands in the scenario.
    pub(super) path: String,
}

/// Something to be done to a network.
#[derive(Debug)]
pub(super) enum Act {
    SetHashRate(Vec<NodeId>, f64),
    Partition(Vec<Vec<NodeId>>),
    Heal,
    Crash(Vec<NodeId>),
    /// Each with the hash rate that it had.
    Restart(Vec<(NodeId, f64)>, RestartFrom),
    Join(Member, Vec<NodeId>),
    SetLink(NodeId, NodeId, Link),
    SetDefaultLink(Link),
}

impl Act {
    pub(super) fn carry_out<D: Driver>(&self, network: &NetworkOf<D>) -> Result<(), Problem> {
        match self {
            Self::SetHashRate(nodes, hash_rate) => {
                nodes.iter().try_for_each(|node| mine_at(network, *node, *hash_rate))?
            }
            Self::Partition(groups) => network.partition(groups)?,
            Self::Heal => network.heal(),
            Self::Crash(nodes) => nodes.iter().try_for_each(|node| network.crash(*node))?,
            Self::Restart(nodes, from) => {
                for &(node, hash_rate) in nodes {
                    network.restart(node, *from)?;
                    if hash_rate > 0.0 {
                        mine_at(network, node, hash_rate)?;
                    }
                }
            }
            Self::Join(member, peers) => {
                let node = network.spawn_as(member.identity())?;
                peers.iter().try_for_each(|peer| network.connect(node, *peer))?;
                if let Some(rate) = member.rate() {
                    network.start_mining(node, rate)?;
                }
            }
            Self::SetLink(from, to, link) => network.set_link(*from, *to, *link)?,
            Self::SetDefaultLink(link) => network.set_default_link(*link),
        }
        Ok(())
    }
}

fn mine_at<D: Driver>(network: &NetworkOf<D>, node: NodeId, hash_rate: f64) -> Result<(), Problem> {
    match rate(hash_rate) {
        Some(rate) => network.start_mining(node, rate)?,
        None => network.stop_mining(node).map_err(CallError::Node)?,
    }
    Ok(())
}
