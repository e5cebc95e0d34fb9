//! A thread's search for proofs, a slice at a time, no faster than the node's hash rate.

use std::{sync::atomic::Ordering, time::Instant};

use super::Worker;
use crate::{
    network::{clock::instant, effort::SLICE},
    node::Input,
    pow::Search,
    verbs::HashRate,
};

impl Worker {
    pub(super) fn set_hash_rate(&self, rate: HashRate) {
        self.member.effort.lock().set_rate(rate.attempts_per_second(), instant());
    }

    /// When the search is to go on; nothing, if that is at once.
    pub(super) fn next_slice(&self) -> Option<Instant> {
        let (_, search) = self.search.as_ref()?;
        let effort = self.member.effort.lock();
        match search {
            Some(_) => effort.all_is_due_at(),
            // A flood of transactions, each of which is to go into the block, makes no more templates than there would be
            // slices.
            None => effort
                .first_is_due_at()
                .map(|due| self.search_began.map_or(due, |began| due.max(began + SLICE))),
        }
    }

    /// Searches for about a millisecond at most, or tells the node what has been found and is due.
    pub(super) fn slice(&mut self) {
        let Some((id, search)) = &mut self.search else { return };
        let id = *id;
        // Only now, for the same reason as in `next_slice`.
        let search = search.get_or_insert_with(|| {
            let now = self.clock.now(self.node.id());
            let template = self.node.template(now, id).expect("the node searches until it says otherwise");
            self.search_began = Some(instant());
            Search::new(template.challenge, template.target)
        });
        let (before, start) = (search.attempts(), instant());
        let mut effort = self.member.effort.lock();
        effort.settle(start);
        let budget = effort.next(before, self.pace.attempts());
        drop(effort);
        // One that is over makes no attempt more.
        let result = search.run(budget);
        let attempts = search.attempts() - before;
        if attempts == self.pace.attempts() {
            // What ended early says little about speed.
            self.pace.observe(attempts, start.elapsed());
        }
        self.member.slices.fetch_add(1, Ordering::Relaxed);
        let mut effort = self.member.effort.lock();
        effort.tried(attempts);
        if effort.all_is_due_at().is_some_and(|due| due > instant()) {
            return;
        }
        let input = match result {
            Ok(None) => return,
            Ok(Some(proof)) => Input::Found(id, proof),
            Err(exhausted) => Input::Exhausted(id, exhausted),
        };
        effort.settle(instant());
        drop(effort);
        self.search = None;
        self.handle(self.now(), input);
        if self.search.is_none() {
            self.member.effort.lock().stop(instant());
        }
    }
}
