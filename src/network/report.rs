//! The verbs of watching: what happens, and the report of what happened.

use std::sync::atomic::Ordering;

use super::{handle::Network, state::chains, watch::Events};
use crate::{blockchain::Blockchain, message::NodeId, report::Report};

/// How many unread events a subscription keeps unless it is told otherwise.
const CAPACITY: usize = 65_536;

impl Network {
    /// Subscribes to what happens from now on, with room for 65,536 unread events.
    ///
    /// Room costs memory only when it is used: some hundred bytes an event. After [`Network::shutdown`] there is nothing
    /// to come, and the subscription has ended.
    pub fn events(&self) -> Events {
        self.events_with_capacity(CAPACITY)
    }

    /// Subscribes to what happens from now on, with room for so many unread events; without any room all are lost, and
    /// counted.
    pub fn events_with_capacity(&self, capacity: usize) -> Events {
        self.shared.watch.subscribe(capacity)
    }

    /// Reports on what happened since the network was started, by the best of all nodes' chains; a node that is down
    /// counts with the chain it has.
    ///
    /// It waits for no node: paused, down or shut down, they are reported on.
    pub fn report(&self) -> Report {
        let shared = &self.shared;
        // Of one moment: no block is reported as mined that is too new to be in the chains. Nobody waits for the report
        // but for the time of this copy.
        let (recorder, (members, chains)) = shared.watch.recorded_with(|| {
            shared
                .nodes
                .look(|table| (table.members.clone(), chains(&table.rows).cloned().collect::<Vec<_>>()))
        });
        let now = shared.clock.now(NodeId::new(0));
        let best = chains.into_iter().reduce(|best, chain| {
            let is_better = chain.is_better_than(&best, &shared.rules);
            if is_better { chain } else { best }
        });
        let best = best.unwrap_or_else(|| Blockchain::start(&shared.rules, now));
        let attempts = |node: NodeId| {
            members.get(node.index()).map_or(0, |member| member.attempts.load(Ordering::Relaxed))
        };
        recorder.report(now, &best, attempts, shared.counters.sums())
    }
}
