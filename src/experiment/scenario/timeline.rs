//! The changes of a scenario in the order of time, and what the network is like at each.

use std::collections::BTreeSet;

use super::{
    Change, Fault, NodeRef, Problem, ScenarioError,
    act::{Act, Due},
    hash_rates::HASH_RATE_MAX,
    prepared::{Joining, Member, SECONDS_MAX, check_number, check_range, find, give_name},
};
use crate::{
    message::NodeId,
    rules::Rules,
    verbs::{Names, RestartFrom},
};

/// What is known of the nodes at a time.
pub(super) struct Timeline<'a> {
    names: &'a mut Names,
    rules: &'a Rules,
    rates: Vec<f64>,
    joining: Joining<'a>,
    down: BTreeSet<NodeId>,
    is_partitioned: bool,
}

impl<'a> Timeline<'a> {
    /// Begins with the start, where each node has its hash rate.
    pub(super) fn new(names: &'a mut Names, rules: &'a Rules, rates: Vec<f64>, joining: Joining<'a>) -> Self {
        Self { names, rules, rates, joining, down: BTreeSet::new(), is_partitioned: false }
    }

    /// Goes through all changes in the order of time, and finds what each does.
    pub(super) fn follow(&mut self, faults: &[Fault]) -> Result<Vec<Due>, ScenarioError> {
        let mut order: Vec<_> = faults.iter().enumerate().collect();
        order.sort_by_key(|(_, fault)| fault.at);
        let due = |(place, Fault { at, change }): (usize, &Fault)| {
            let path = format!("faults[{place}]");
            let seconds = check_range(format!("{path}.at_seconds"), at.as_secs_f64(), 0.0, SECONDS_MAX)?;
            let act = self.act(&path, seconds, change)?;
            Ok(Due { at: *at, act, path })
        };
        order.into_iter().map(due).collect()
    }

    /// The nodes that mine.
    pub(super) fn miners(&self) -> BTreeSet<NodeId> {
        let nodes = (0..).map(NodeId::new).zip(&self.rates);
        let miners = nodes.filter(|(node, rate)| **rate > 0.0 && !self.down.contains(node));
        miners.map(|(node, _)| node).collect()
    }

    fn act(&mut self, path: &str, seconds: f64, change: &Change) -> Result<Act, ScenarioError> {
        Ok(match change {
            Change::SetHashRate { nodes, hash_rate } => {
                check_range(format!("{path}.hash_rate"), *hash_rate, 0.0, HASH_RATE_MAX)?;
                let nodes = self.live(&format!("{path}.nodes"), seconds, nodes)?;
                nodes.iter().for_each(|node| self.rates[node.index()] = *hash_rate);
                Act::SetHashRate(nodes, *hash_rate)
            }
            Change::Partition { groups } => {
                self.is_partitioned = true;
                Act::Partition(self.groups(path, groups)?)
            }
            Change::Heal if !self.is_partitioned => {
                return Err(ScenarioError::new(format!("{path}.kind"), Problem::NotPartitioned { seconds }));
            }
            Change::Heal => {
                self.is_partitioned = false;
                Act::Heal
            }
            Change::Crash { nodes } => {
                let nodes = self.live(&format!("{path}.nodes"), seconds, nodes)?;
                self.down.extend(&nodes);
                Act::Crash(nodes)
            }
            Change::Restart { nodes, lost_disk } => {
                let from = if *lost_disk { RestartFrom::Genesis } else { RestartFrom::Chain };
                let nodes = self.found(&format!("{path}.nodes"), nodes, |timeline, id, node| {
                    let is_down = timeline.down.remove(&id);
                    is_down.then_some(()).ok_or(Problem::NotDown { node: node.clone(), seconds })
                })?;
                Act::Restart(nodes.into_iter().map(|node| (node, self.rates[node.index()])).collect(), from)
            }
            Change::Join { peers, name, hash_rate } => {
                check_range(format!("{path}.hash_rate"), *hash_rate, 0.0, HASH_RATE_MAX)?;
                let peers = self.live(&format!("{path}.peers"), seconds, peers)?;
                Act::Join(self.joined(path, name.as_deref(), *hash_rate)?, peers)
            }
            Change::SetLink { ends: None, link } => Act::SetDefaultLink(*link),
            Change::SetLink { ends: Some((from, to)), link } => {
                let one = find(self.names, from, self.rates.len(), || format!("{path}.from"))?;
                let other = find(self.names, to, self.rates.len(), || format!("{path}.to"))?;
                if one == other {
                    return Err(ScenarioError::new(
                        format!("{path}.to"),
                        Problem::Itself { node: to.clone() },
                    ));
                }
                Act::SetLink(one, other, *link)
            }
        })
    }

    fn joined(&mut self, path: &str, name: Option<&str>, hash_rate: f64) -> Result<Member, ScenarioError> {
        let node = NodeId::new(self.rates.len() as u32);
        match name {
            Some(name) => give_name(self.names, self.rules, node, name)
                .map_err(|problem| ScenarioError::new(format!("{path}.name"), problem))?,
            None => check_number(self.rules, self.names, node)?,
        }
        self.rates.push(hash_rate);
        self.joining.member(self.names, node, name.map(str::to_owned), hash_rate)
    }

    fn groups(&self, path: &str, groups: &[Vec<NodeRef>]) -> Result<Vec<Vec<NodeId>>, ScenarioError> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let mut members = Vec::new();
            for (place, node) in group.iter().enumerate() {
                let path = || format!("{path}.groups[{number}][{place}]");
                let id = find(self.names, node, self.rates.len(), path)?;
                if !seen.insert(id) {
                    return Err(ScenarioError::new(path(), Problem::Twice { node: node.clone() }));
                }
                members.push(id);
            }
            found.push(members);
        }
        Ok(found)
    }

    /// Finds nodes that are not down, each once.
    fn live(&mut self, path: &str, seconds: f64, nodes: &[NodeRef]) -> Result<Vec<NodeId>, ScenarioError> {
        self.found(path, nodes, |timeline, id, node| match timeline.down.contains(&id) {
            true => Err(Problem::Down { node: node.clone(), seconds }),
            false => Ok(()),
        })
    }

    /// Finds nodes, each once, that pass a check.
    fn found(
        &mut self,
        path: &str,
        nodes: &[NodeRef],
        mut check: impl FnMut(&mut Self, NodeId, &NodeRef) -> Result<(), Problem>,
    ) -> Result<Vec<NodeId>, ScenarioError> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            let path = || format!("{path}[{place}]");
            let id = find(self.names, node, self.rates.len(), path)?;
            if !seen.insert(id) {
                return Err(ScenarioError::new(path(), Problem::Twice { node: node.clone() }));
            }
            check(self, id, node).map_err(|problem| ScenarioError::new(path(), problem))?;
            found.push(id);
        }
        Ok(found)
    }
}
