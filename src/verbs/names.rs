//! Who a node is: its name, which no other has, its address, and its behaviour.

use std::{collections::BTreeMap, sync::Arc};

use super::error::SpawnError;
use crate::{message::NodeId, strategy::Behaviour, text::shortened};

/// Who a node is: by default `node-0` and so on, with an address of its own.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The node's name, and its thread's, if it has one. No other node has it; `node-7` is for node 7 alone.
    pub name: Option<String>,
    /// Where its rewards go: in the notebook 32 hexadecimal digits of a UUID and four digits.
    pub address: Option<String>,
    /// What it does where the rules leave it free, also after a restart.
    pub behaviour: Behaviour,
}

/// The names that were given to nodes. All others have those that their numbers make.
#[derive(Debug, Default)]
pub struct Names {
    of: BTreeMap<NodeId, Arc<str>>,
    nodes: BTreeMap<Arc<str>, NodeId>,
}

impl Names {
    /// Checks whether a node that is to be added can have a name.
    pub(crate) fn check(&self, node: NodeId, name: Option<&str>) -> Result<(), SpawnError> {
        let Some(name) = name else { return Ok(()) };
        if name.contains('\0') {
            return Err(SpawnError::Name { name: shortened(name) });
        }
        match self.nodes.get(name).copied().or_else(|| from_default(name)) {
            Some(other) if other != node => Err(SpawnError::NameTaken { name: shortened(name), node: other }),
            _ => Ok(()),
        }
    }

    /// Gives a node its name, which was checked.
    pub(crate) fn give(&mut self, node: NodeId, name: Option<&str>) {
        if let Some(name) = name.filter(|name| from_default(name).is_none()) {
            let name: Arc<str> = name.into();
            self.of.insert(node, Arc::clone(&name));
            self.nodes.insert(name, node);
        }
    }

    pub(crate) fn of(&self, node: NodeId) -> Arc<str> {
        self.of.get(&node).map_or_else(|| default(node).into(), Arc::clone)
    }

    /// Finds a node among so many by its name.
    pub(crate) fn find(&self, name: &str, count: usize) -> Option<NodeId> {
        let given = self.nodes.get(name).copied();
        // The number of a node that was given a name stands for nobody.
        let is_default = |node: &NodeId| node.index() < count && !self.of.contains_key(node);
        given.or_else(|| from_default(name).filter(is_default))
    }
}

/// The name of a node that was given none.
fn default(node: NodeId) -> String {
    format!("node-{}", node.index())
}

/// The node whose default name it is, whether it is there or not.
fn from_default(name: &str) -> Option<NodeId> {
    let node = NodeId::new(name.strip_prefix("node-")?.parse().ok()?);
    // One name for each: no leading zeros, no sign.
    (default(node) == name).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_found() {
        let mut names = Names::default();
        let [zero, one, two] = [0, 1, 2].map(NodeId::new);
        names.give(zero, Some("alice"));
        assert_eq!((&*names.of(zero), &*names.of(one)), ("alice", "node-1"));
        assert!(matches!(
            names.check(one, Some("alice")),
            Err(SpawnError::NameTaken { name, node }) if name == "alice" && node == zero
        ));
        assert!(names.check(one, Some("Alice")).is_ok() && names.check(one, None).is_ok());
        assert_eq!((names.find("alice", 2), names.find("node-1", 2)), (Some(zero), Some(one)));
        assert_eq!(
            (names.find("node-0", 2), names.find("node-2", 2), names.find("bob", 2)),
            (None, None, None)
        );
        // A default name is for the node of that number alone, even before it is there.
        assert!(
            matches!(names.check(one, Some("node-2")), Err(SpawnError::NameTaken { node, .. }) if node == two)
        );
        assert!(names.check(two, Some("node-2")).is_ok() && names.check(one, Some("node-02")).is_ok());
        names.give(two, Some("node-2"));
        assert_eq!((&*names.of(two), names.find("node-2", 3)), ("node-2", Some(two)));
    }
}
