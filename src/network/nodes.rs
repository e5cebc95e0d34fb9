//! All nodes of a network under one lock: what is known of each, and how its thread is spoken to.

use std::{sync::Arc, time::Instant};

use parking_lot::RwLock;

use super::{
    changes::Changes,
    mailbox::{Inbox, Line, Member},
};
use crate::{
    blockchain::Blockchain,
    command::Snapshot,
    message::NodeId,
    verbs::{Names, NodeError, state::State, view::View},
};

/// The nodes, and whoever waits for a change of theirs.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    table: RwLock<Table>,
    /// Every change of the table or of the links.
    changes: Changes,
}

/// A row for each node, in three columns.
#[derive(Debug, Default)]
pub struct Table {
    pub(super) rows: Vec<Row>,
    pub(super) members: Vec<Arc<Member>>,
    /// None while a node is down.
    pub(super) lines: Vec<Option<Line>>,
    pub(super) names: Names,
    pub(super) is_shut_down: bool,
}

/// What the others know of a node.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) state: State,
    /// Of one that is down, the chain that it had.
    pub(super) chain: Blockchain,
    /// In the order in which they were registered.
    pub(super) peers: Vec<NodeId>,
}

impl Row {
    /// What a node left that is down.
    pub(super) fn left(&self) -> Option<Snapshot> {
        let State::Down { pending, .. } = &self.state else { return None };
        Some(Snapshot { chain: self.chain.clone(), pending: pending.clone(), peers: self.peers.clone() })
    }
}

impl Nodes {
    /// Looks at all nodes at one moment. A look must not look again: a change that waits between the two would wait for
    /// ever.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table.read())
    }

    /// Changes what is known of the nodes, and wakes whoever waits for any change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        let answer = change(&mut self.table.write());
        self.changes.notify();
        answer
    }

    /// Changes what is known of a node while another lock is held. Whoever waits for that is [woken](Self::wake) once it is
    /// not: it would only wait for that lock. A node that has a thread is changed by it alone, and one that has none by
    /// whoever holds its [`Member::thread`].
    pub(super) fn change_quietly(&self, member: &Member, change: impl FnOnce(&mut Row, &mut Option<Line>)) {
        let Table { rows, lines, .. } = &mut *self.table.write();
        change(&mut rows[member.id.index()], &mut lines[member.id.index()]);
    }

    /// Wakes whoever waits for a change of a node, or for any.
    pub(super) fn wake(&self, member: &Member) {
        self.changes.notify();
        member.changes.notify();
    }

    /// Wakes whoever waits for any change: one of the links.
    pub(super) fn links_changed(&self) {
        self.changes.notify();
    }

    /// Looks again after every change, until there is an answer or the time is up.
    pub(super) fn wait<T>(&self, deadline: Option<Instant>, look: impl FnMut() -> Option<T>) -> Option<T> {
        self.changes.wait(deadline, look)
    }

    /// Looks again after every change of one node.
    pub(super) fn wait_at<T>(
        &self,
        node: NodeId,
        deadline: Option<Instant>,
        mut look: impl FnMut(&Table) -> Option<T>,
    ) -> Option<T> {
        let member = self.look(|table| Arc::clone(&table.members[node.index()]));
        member.changes.wait(deadline, || self.look(&mut look))
    }
}

impl Table {
    pub(super) fn row(&self, node: NodeId) -> Result<&Row, NodeError> {
        self.check_known(node)?;
        Ok(&self.rows[node.index()])
    }

    pub(super) fn member(&self, node: NodeId) -> Result<&Arc<Member>, NodeError> {
        self.check_known(node)?;
        Ok(&self.members[node.index()])
    }

    /// The inbox of a node, unless it is unknown or down.
    pub(super) fn inbox(&self, node: NodeId) -> Option<&Arc<Inbox>> {
        self.lines.get(node.index())?.as_ref().map(|line| &line.inbox)
    }
}

impl View for Table {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn state(&self, node: NodeId) -> &State {
        &self.rows[node.index()].state
    }

    fn chain(&self, node: NodeId) -> &Blockchain {
        &self.rows[node.index()].chain
    }

    fn peers(&self, node: NodeId) -> &[NodeId] {
        &self.rows[node.index()].peers
    }

    fn address(&self, node: NodeId) -> &Arc<str> {
        &self.members[node.index()].address
    }

    fn names(&self) -> &Names {
        &self.names
    }
}
