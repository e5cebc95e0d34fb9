//! Waiting for changes, without polling and without missing one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use parking_lot::{Condvar, Mutex};

use super::clock::instant;

/// Changes, and whoever waits for the next.
#[derive(Debug, Default)]
pub(super) struct Changes {
    count: AtomicU64,
    waiting: Mutex<()>,
    changed: Condvar,
}

impl Changes {
    /// Wakes whoever waits.
    pub(super) fn notify(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        // Whoever has looked, but does not wait yet, has this lock.
        drop(self.waiting.lock());
        self.changed.notify_all();
    }

    /// Looks now and again after every change, until there is an answer or the time is up.
    pub(super) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        loop {
            let seen = self.count.load(Ordering::SeqCst);
            let is_over = deadline.is_some_and(|deadline| deadline <= instant());
            let answer = look();
            if answer.is_some() || is_over {
                return answer;
            }
            let mut waiting = self.waiting.lock();
            if self.count.load(Ordering::SeqCst) == seen {
                match deadline {
                    // A time-out is seen by the next look.
                    Some(deadline) => drop(self.changed.wait_until(&mut waiting, deadline)),
                    None => self.changed.wait(&mut waiting),
                }
            }
        }
    }
}
