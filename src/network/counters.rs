//! Counting what becomes of messages.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    message::{MessageKind, NodeId},
    report::{Messages, Volume},
    wire::MessageLoss,
};

/// What becomes of messages, counted by many threads at once: senders are spread over lines of memory of their own, so
/// that they seldom wait for each other's.
#[derive(Debug, Default)]
pub(super) struct MessageCounters([Counters; 16]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Counters {
    kinds: [Sent; KINDS.len()],
    delivered: AtomicU64,
    dropped: AtomicU64,
    missed: AtomicU64,
    lost: [AtomicU64; LOSSES.len()],
}

/// What was sent of one kind.
#[derive(Debug, Default)]
struct Sent {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// In the order of their declaration, so that each is its own index.
const KINDS: [MessageKind; 3] = [MessageKind::Chains, MessageKind::Blocks, MessageKind::Transactions];

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

    /// A node has sent a message of so many bytes, whatever becomes of it.
    pub(super) fn sent(&self, from: NodeId, kind: MessageKind, bytes: u64) {
        let sent = &self.of(from).kinds[kind as usize];
        sent.messages.fetch_add(1, Ordering::Relaxed);
        sent.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A message comes to its receiver.
    pub(super) fn delivered(&self, from: NodeId) {
        self.of(from).delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// A message that was counted as delivered did not come.
    pub(super) fn not_delivered(&self, from: NodeId) {
        self.of(from).delivered.fetch_sub(1, Ordering::Relaxed);
    }

    /// Too much of its sender's waited at a message's receiver.
    pub(super) fn dropped(&self, from: NodeId) {
        self.of(from).dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// A message's receiver was down.
    pub(super) fn missed(&self, from: NodeId) {
        self.of(from).missed.fetch_add(1, Ordering::Relaxed);
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
        let sum_of = |kind: MessageKind, counter: fn(&Sent) -> &AtomicU64| -> u64 {
            self.0
                .iter()
                .map(|counters| counter(&counters.kinds[kind as usize]).load(Ordering::Relaxed))
                .sum()
        };
        let kinds = KINDS.map(|kind| {
            let messages = sum_of(kind, |sent| &sent.messages);
            (kind, Volume { messages, bytes: sum_of(kind, |sent| &sent.bytes) })
        });
        let kinds = BTreeMap::from_iter(kinds.into_iter().filter(|(_, volume)| volume.messages > 0));
        Messages {
            sent: kinds.values().map(|volume| volume.messages).sum(),
            kinds,
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
            counters.sent(sender, KINDS[sender.index() % 2], 10);
            if sender.index() % 2 == 0 {
                counters.delivered(sender);
            }
        }
        let last = NodeId::new(u32::MAX);
        counters.delivered(last);
        counters.not_delivered(last);
        counters.dropped(last);
        [7, 23].map(NodeId::new).into_iter().for_each(|sender| counters.missed(sender));
        for (reason, count) in LOSSES.into_iter().zip([1, 0, 3, 0]) {
            (0..count).for_each(|sender| counters.lost(NodeId::new(sender), reason));
        }
        let lost = BTreeMap::from([(MessageLoss::Loss, 1), (MessageLoss::Verdict, 3)]);
        let volume = Volume { messages: 20, bytes: 200 };
        let kinds = BTreeMap::from([(MessageKind::Chains, volume), (MessageKind::Blocks, volume)]);
        assert_eq!(counters.sums(), Messages { sent: 40, kinds, delivered: 20, dropped: 1, missed: 2, lost });
    }
}
