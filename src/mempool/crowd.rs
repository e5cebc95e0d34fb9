//! Who has the most pending.

use std::{collections::BTreeSet, sync::Arc};

/// The senders that have more than one transaction, by how many. Most have one, and nobody asks for these.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd(BTreeSet<(usize, Arc<str>)>);

impl Crowd {
    /// Notes that a sender has another number than before.
    pub(super) fn change(&mut self, sender: &Arc<str>, before: usize, now: usize) {
        if before > 1 {
            self.0.remove(&(before, Arc::clone(sender)));
        }
        if now > 1 {
            self.0.insert((now, Arc::clone(sender)));
        }
    }

    /// The sender that has the most, if any has more than one; of several the last by name.
    pub(super) fn most(&self) -> Option<(usize, &Arc<str>)> {
        self.0.last().map(|(count, sender)| (*count, sender))
    }
}
