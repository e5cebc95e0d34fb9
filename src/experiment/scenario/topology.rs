//! Topologies that a scenario cannot have, and where it states what rules them out.

use super::{Problem, ScenarioError};
use crate::wire::{Topology, TopologyError};

/// The most links among all nodes.
const LINKS_MAX: u128 = 50_000_000;
/// Up to how many nodes a rewired ring of two neighbours a node is drawn until it hangs together.
const RING_NODES_MAX: usize = 16;

/// Checks a topology, by itself and among so many nodes.
pub(super) fn check_topology(topology: &Topology, nodes: usize) -> Result<(), ScenarioError> {
    topology.check(nodes).map_err(|error| ScenarioError::new(place(topology, error), error))?;
    let each = |links: usize| (nodes as u128) * (links as u128);
    let (path, links) = match *topology {
        Topology::Complete => ("topology".into(), each(nodes - 1) / 2),
        Topology::Random { links } | Topology::Bounded { links, .. } | Topology::ScaleFree { links }
            if links >= nodes =>
        {
            let problem = Problem::MoreLinksThanNodes { links, nodes };
            return Err(ScenarioError::new(at(topology, "links"), problem));
        }
        Topology::Random { links } | Topology::Bounded { links, .. } | Topology::ScaleFree { links } => {
            (at(topology, "links"), each(links))
        }
        Topology::SmallWorld { neighbours, rewiring } => {
            if neighbours == 2 && rewiring > 0.0 && nodes > RING_NODES_MAX {
                let problem = Problem::FallsApart { nodes };
                return Err(ScenarioError::new(at(topology, "neighbours"), problem));
            }
            (at(topology, "neighbours"), each(neighbours) / 2)
        }
        _ => return Ok(()),
    };
    match links <= LINKS_MAX {
        true => Ok(()),
        false => Err(ScenarioError::new(path, Problem::Links { nodes, links, most: LINKS_MAX })),
    }
}

/// Where a field of a topology stands.
fn at(topology: &Topology, field: &str) -> String {
    let name = match topology {
        Topology::Complete => "complete",
        Topology::Ring => "ring",
        Topology::Line => "line",
        Topology::Star => "star",
        Topology::Random { .. } => "random",
        Topology::Bounded { .. } => "bounded",
        Topology::SmallWorld { .. } => "small_world",
        Topology::ScaleFree { .. } => "scale_free",
        Topology::Edges(_) => "edges",
        Topology::OneWay(_) => "one_way",
    };
    let dot = if field.starts_with('[') { "" } else { "." };
    format!("topology.{name}{dot}{field}")
}

/// Where what a topology was refused for stands.
fn place(topology: &Topology, error: TopologyError) -> String {
    match error {
        TopologyError::TooManyNodes { .. } => "nodes".into(),
        TopologyError::NoLinks => at(topology, "links"),
        TopologyError::TooFewAccepted { .. } => at(topology, "accepted_max"),
        TopologyError::OddNeighbours { .. } | TopologyError::TooManyNeighbours { .. } => {
            at(topology, "neighbours")
        }
        TopologyError::Rewiring { .. } => at(topology, "rewiring"),
        // It is the greater end of the first edge that cannot be.
        TopologyError::UnknownNode { node, .. } => end(topology, |(a, b)| a.max(b) == node),
        TopologyError::SelfLoop { node } => end(topology, |(a, b)| a == b && a == node),
    }
}

/// Where the greater end of the first edge stands of which something holds.
fn end(topology: &Topology, holds: impl Fn((u32, u32)) -> bool) -> String {
    let (Topology::Edges(edges) | Topology::OneWay(edges)) = topology else { return "topology".into() };
    let place = edges.iter().position(|edge| holds(*edge)).unwrap_or(0);
    let side = edges.get(place).map_or(0, |(a, b)| u8::from(b >= a));
    at(topology, &format!("[{place}][{side}]"))
}
