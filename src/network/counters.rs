//! Counting what becomes of messages.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use super::mailbox::Reception;
use crate::{message::NodeId, report::Messages, wire::MessageLoss};

/// What becomes of messages, counted by many threads at once: senders are spread over lines of memory of their own, so
/// that they seldom wait for each other's.
#[derive(Debug, Default)]
pub(super) struct MessageCounters([Counters; 16]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Counters {
    sent: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
    missed: AtomicU64,
    lost: [AtomicU64; LOSSES.len()],
}

const LOSSES: [MessageLoss; 4] =
    [MessageLoss::Loss, MessageLoss::Partition, MessageLoss::Verdict, MessageLoss::Crash];

/// The place of a reason in [`LOSSES`]; a new reason does not compile without one.
const fn place(reason: MessageLoss) -> usize {
    match reason {
        MessageLoss::Loss => 0,
        MessageLoss::Partition => 1,
        MessageLoss::Verdict => 2,
        MessageLoss::Crash => 3,
    }
}

impl MessageCounters {
    fn of(&self, sender: NodeId) -> &Counters {
        &self.0[sender.index() % self.0.len()]
    }

    /// A node has sent a message, whatever becomes of it.
    pub(super) fn sent(&self, from: NodeId) {
        self.of(from).sent.fetch_add(1, Ordering::Relaxed);
    }

    /// A message has come to its receiver.
    pub(super) fn came(&self, from: NodeId, reception: Reception) {
        let counters = self.of(from);
        let counter = match reception {
            Reception::Delivered => &counters.delivered,
            Reception::Dropped => &counters.dropped,
            Reception::Missed => &counters.missed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was lost on its link.
    pub(super) fn lost(&self, from: NodeId, reason: MessageLoss) {
        self.of(from).lost[place(reason)].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counters up. While messages are sent the sums are of slightly different moments.
    pub(super) fn sums(&self) -> Messages {
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            self.0.iter().map(|counters| counter(counters).load(Ordering::Relaxed)).sum()
        };
        let lost = LOSSES.map(|reason| {
            let count = self.0.iter().map(|counters| counters.lost[place(reason)].load(Ordering::Relaxed));
            (reason, count.sum())
        });
        Messages {
            sent: sum(|counters| &counters.sent),
            delivered: sum(|counters| &counters.delivered),
            dropped: sum(|counters| &counters.dropped),
            missed: sum(|counters| &counters.missed),
            lost: BTreeMap::from_iter(lost.into_iter().filter(|(_, count)| *count > 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_all_senders_add_up() {
        let counters = MessageCounters::default();
        for sender in (0..40).map(NodeId::new) {
            counters.sent(sender);
            if sender.index() % 2 == 0 {
                counters.came(sender, Reception::Delivered);
            }
        }
        counters.came(NodeId::new(u32::MAX), Reception::Dropped);
        counters.came(NodeId::new(7), Reception::Missed);
        counters.came(NodeId::new(23), Reception::Missed);
        for (reason, count) in LOSSES.into_iter().zip([1, 0, 3, 0]) {
            (0..count).for_each(|sender| counters.lost(NodeId::new(sender), reason));
        }
        let lost = BTreeMap::from([(MessageLoss::Loss, 1), (MessageLoss::Verdict, 3)]);
        assert_eq!(counters.sums(), Messages { sent: 40, delivered: 20, dropped: 1, missed: 2, lost });
    }
}
