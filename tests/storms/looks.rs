//! What must hold at every moment of a storm.

use std::time::Duration;

use chainlab::{Blockchain, Driver, Event, Happening, NodeId};

use crate::storm::{Judge, State, Storm};

impl<D: Driver> Storm<'_, D> {
    /// Looks at every live node's chain.
    pub(crate) fn look(&mut self) {
        self.read_events();
        for node in self.in_state(State::Live) {
            let chain = self.network.chain(node).unwrap();
            self.look_at(node, &chain);
        }
    }

    /// Each chain is valid, and its work never falls but by a restart from the genesis.
    pub(crate) fn look_at(&mut self, node: NodeId, chain: &Blockchain) {
        let verdict = match &mut self.validator {
            Judge::Sealed(validator) => validator.judge(chain),
            Judge::Notebook(validator) => validator.judge(chain),
        };
        if let Err(wrong) = verdict {
            panic!("{node} has a chain that is not valid: {wrong}");
        }
        let before = self.work.insert(node, chain.work());
        assert!(before.is_none_or(|before| chain.work() >= before), "{node}: the work fell from {before:?}");
        if chain.is_better_than(&self.best, &self.rules) {
            self.best = chain.clone();
        }
    }

    pub(crate) fn read_events(&mut self) {
        while let Some(event) = self.network.next_event(&self.events, Duration::ZERO) {
            self.note_event(event);
        }
    }

    /// Nobody honest is ever found to lie.
    pub(crate) fn note_event(&mut self, event: Event) {
        let is_liar = |from: NodeId| self.liars.iter().any(|liar| liar.puppet == from);
        match event.what {
            Happening::Mined { .. } => self.mined += 1,
            Happening::Lost { transaction, reason } => {
                self.lost.entry(transaction).or_default().insert(reason);
            }
            Happening::Rejected { from, .. }
            | Happening::RejectedDocument { from, .. }
            | Happening::Banned { peer: from } => assert!(is_liar(from), "{event:?}"),
            Happening::Panicked { .. } => panic!("{event:?}"),
            _ => {}
        }
    }
}
