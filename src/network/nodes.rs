//! All nodes of a network under one lock: what is known of each, and how its thread is spoken to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use parking_lot::{Condvar, Mutex, RwLock};

use super::{
    clock::instant,
    error::NodeError,
    mailbox::{Inbox, Line, Member},
    state::Row,
};
use crate::message::NodeId;

/// The nodes, and whoever waits for a change of theirs.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    table: RwLock<Table>,
    /// How many changes there were, of the table or of the links.
    changes: AtomicU64,
    waiting: Mutex<()>,
    changed: Condvar,
}

/// A row for each node, in three columns.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What drivers have in common.
    pub(super) rows: Vec<Row>,
    pub(super) members: Vec<Arc<Member>>,
    /// None while a node is down.
    pub(super) lines: Vec<Option<Line>>,
    pub(super) is_shut_down: bool,
}

impl Nodes {
    /// Looks at all nodes at one moment. A look must not look again: a change that waits between the two would wait for
    /// ever.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table.read())
    }

    /// Changes what is known of the nodes, and wakes whoever waits for that. A node that has a thread is changed by it
    /// alone, and one that has none by whoever holds its [`Member::thread`].
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        let answer = change(&mut self.table.write());
        self.has_changed();
        answer
    }

    /// Wakes whoever waits: something has changed, here or of the links.
    pub(super) fn has_changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        // Whoever has looked, but does not wait yet, has this lock.
        drop(self.waiting.lock());
        self.changed.notify_all();
    }

    /// Looks again after every change, until there is an answer or the time is up.
    pub(super) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        loop {
            let seen = self.changes.load(Ordering::SeqCst);
            let is_over = deadline.is_some_and(|deadline| deadline <= instant());
            let answer = look();
            if answer.is_some() || is_over {
                return answer;
            }
            let mut waiting = self.waiting.lock();
            if self.changes.load(Ordering::SeqCst) == seen {
                match deadline {
                    // A time-out is seen by the next look.
                    Some(deadline) => drop(self.changed.wait_until(&mut waiting, deadline)),
                    None => self.changed.wait(&mut waiting),
                }
            }
        }
    }
}

impl Table {
    pub(super) fn check_known(&self, node: NodeId) -> Result<(), NodeError> {
        let nodes = self.rows.len();
        if node.index() < nodes { Ok(()) } else { Err(NodeError::Unknown { node, nodes }) }
    }

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
