//! Watching: subscriptions to what happens, and the report of what happened.

use std::{
    collections::BTreeMap,
    io,
    iter::FusedIterator,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Mutex, RwLock};

use super::handle::Network;
use crate::{
    blockchain::Blockchain,
    event::{Event, EventWriter, Happening},
    message::NodeId,
    report::{Messages, Recorder, Report},
    time::Time,
    wire::MessageLoss,
};

/// How many unread events a subscription keeps unless it is told otherwise.
const CAPACITY: usize = 65_536;

/// Who watches a network: the recorder and the subscribers. All threads tell it what happens.
#[derive(Debug)]
pub(super) struct Watch {
    recorder: Mutex<Recorder>,
    audience: Arc<Audience>,
    messages: MessageCounters,
}

impl Watch {
    pub(super) fn new(start: Time) -> Self {
        Self {
            recorder: Mutex::new(Recorder::new(start)),
            audience: Arc::new(Audience::new(start)),
            messages: MessageCounters::default(),
        }
    }

    /// Takes a node that joins into the report and to all subscribers.
    pub(super) fn joined(&self, time: Time, node: NodeId, name: Arc<str>) {
        let joined = Joined { time, node, name };
        self.recorder.lock().observe(&joined.event());
        let mut seats = self.audience.seats.write();
        seats.tell(&joined.event());
        seats.joined.push(joined);
    }

    /// Takes an event into the report and to all subscribers. It waits for nobody who reads.
    pub(super) fn record(&self, event: Event) {
        self.recorder.lock().observe(&event);
        // Relaxed is enough: whoever subscribes and then causes an event does so by a message, which comes after.
        if self.audience.size.load(Ordering::Relaxed) > 0 {
            self.audience.seats.read().tell(&event);
        }
    }

    pub(super) fn messages(&self) -> &MessageCounters {
        &self.messages
    }

    /// Ends all subscriptions, once their events are read, and those to come.
    pub(super) fn close(&self) {
        let mut seats = self.audience.seats.write();
        seats.is_closed = true;
        seats.list.clear();
        self.audience.size.store(0, Ordering::Relaxed);
    }
}

/// The subscribers.
#[derive(Debug)]
struct Audience {
    /// The network's start.
    start: Time,
    /// How many there are, to be read without a lock.
    size: AtomicUsize,
    seats: RwLock<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    list: Vec<Seat>,
    is_closed: bool,
    next_number: u64,
    /// All nodes that have joined, in that order.
    joined: Vec<Joined>,
}

/// A node, and when it joined.
#[derive(Debug, Clone)]
struct Joined {
    time: Time,
    node: NodeId,
    name: Arc<str>,
}

impl Joined {
    fn event(&self) -> Event {
        let what = Happening::Joined { name: Arc::clone(&self.name) };
        Event { time: self.time, node: self.node, what }
    }
}

/// The sending end of a subscription.
#[derive(Debug)]
struct Seat {
    number: u64,
    sender: Sender<Event>,
    backlog: Arc<Backlog>,
}

/// A subscription's events that nobody has read. Their number is kept here and not by a bounded channel, which would
/// take the memory of its whole capacity from the start.
#[derive(Debug)]
struct Backlog {
    capacity: usize,
    unread: AtomicUsize,
    lost: AtomicU64,
}

impl Seats {
    fn tell(&self, event: &Event) {
        for Seat { sender, backlog, .. } in &self.list {
            let one_more = |unread| (unread < backlog.capacity).then_some(unread + 1);
            if backlog.unread.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
                backlog.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                // Whoever ends a subscription just now reads no more.
                let _ = sender.send(event.clone());
            }
        }
    }
}

impl Audience {
    fn new(start: Time) -> Self {
        Self { start, size: AtomicUsize::new(0), seats: RwLock::default() }
    }

    fn subscribe(self: &Arc<Self>, capacity: usize) -> Events {
        let (sender, receiver) = unbounded();
        let backlog = Arc::new(Backlog { capacity, unread: AtomicUsize::new(0), lost: AtomicU64::new(0) });
        let mut seats = self.seats.write();
        let number = seats.next_number;
        seats.next_number += 1;
        if !seats.is_closed {
            seats.list.push(Seat { number, sender, backlog: Arc::clone(&backlog) });
            self.size.store(seats.list.len(), Ordering::Relaxed);
        }
        let joined_before = seats.joined.len();
        Events { number, receiver, backlog, audience: Arc::clone(self), joined_before }
    }

    fn unsubscribe(&self, number: u64) {
        let mut seats = self.seats.write();
        seats.list.retain(|seat| seat.number != number);
        self.size.store(seats.list.len(), Ordering::Relaxed);
    }
}

/// A subscription to what happens in a network, from [`Network::events`]. Dropping it ends it.
///
/// As an iterator it waits for each event, and ends when the network is shut down and all was read. Each node's events
/// come in the order in which they happened; those of different nodes come in an order that their causes allow: a
/// block is mined before it is accepted.
///
/// A slow reader holds nobody up. It has its own buffer of bounded capacity; what happens while that is full is lost to
/// it, and [`Events::lost`] counts how much that was.
///
/// ```
/// use chainlab::{Happening, Network, Rules};
///
/// let network = Network::new(Rules::notebook());
/// let alice = network.spawn()?;
/// let events = network.events();
/// network.mine(alice)?;
/// network.shutdown()?;
/// let mined = events.filter(|event| matches!(event.what, Happening::Mined { position: 2, .. }));
/// assert_eq!(mined.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a subscription ends when it is dropped"]
pub struct Events {
    number: u64,
    receiver: Receiver<Event>,
    backlog: Arc<Backlog>,
    audience: Arc<Audience>,
    /// How many nodes had joined when it began.
    joined_before: usize,
}

impl Events {
    /// Returns the next event if there is one now.
    pub fn try_next(&self) -> Option<Event> {
        self.read(self.receiver.try_recv().ok())
    }

    /// Waits for the next event, but no longer than a time; returns at once when there will be no more.
    pub fn next_timeout(&self, timeout: Duration) -> Option<Event> {
        self.read(self.receiver.recv_timeout(timeout).ok())
    }

    /// Returns how many events were lost to this subscription because its buffer was full when they happened.
    pub fn lost(&self) -> u64 {
        self.backlog.lost.load(Ordering::Relaxed)
    }

    /// Tells whether there will be no more events: the network was shut down, and all were read.
    pub fn has_ended(&self) -> bool {
        // In this order: nothing comes after the end.
        self.audience.seats.read().is_closed && self.receiver.is_empty()
    }

    /// Writes the events as lines of JSON that an [`EventReader`](crate::EventReader) reads: first that those nodes
    /// joined which were there when the subscription began, then what happens, until the network is shut down and all
    /// was written.
    ///
    /// Lines go together while more are to come, and out when none is. What was lost for want of room is not among
    /// them. A recorder that [reads](crate::report::Recorder::read) the lines of a subscription as old as the network
    /// has seen what the network's own has.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    ///
    /// ```
    /// use chainlab::{Network, Rules, report::{Messages, Recorder}};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let events = network.events();
    /// network.mine(alice)?;
    /// let chain = network.chain(alice)?;
    /// network.shutdown()?;
    ///
    /// let mut file = Vec::new();
    /// events.write_to(&mut file)?;
    /// assert!(file.starts_with(br#"{"format":"chainlab events","version":1,"#));
    /// let recorder = Recorder::read(&*file)?;
    /// let report = recorder.report(recorder.last_time(), &chain, |_| 0, Messages::default());
    /// assert_eq!((report.mined, report.in_chain), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(mut self, out: impl io::Write) -> io::Result<()> {
        let mut writer = EventWriter::new(io::BufWriter::new(out), self.audience.start)?;
        let joined = self.audience.seats.read().joined[..self.joined_before].to_vec();
        joined.iter().try_for_each(|joined| writer.write(&joined.event()))?;
        loop {
            let event = match self.try_next() {
                Some(event) => event,
                None => {
                    writer.flush()?;
                    match self.next() {
                        Some(event) => event,
                        None => return Ok(()),
                    }
                }
            };
            writer.write(&event)?;
        }
    }

    fn read(&self, event: Option<Event>) -> Option<Event> {
        if event.is_some() {
            self.backlog.unread.fetch_sub(1, Ordering::Relaxed);
        }
        event
    }
}

impl Iterator for Events {
    type Item = Event;

    /// Waits for the next event; none after the network is shut down and all were read.
    fn next(&mut self) -> Option<Event> {
        self.read(self.receiver.recv().ok())
    }
}

impl FusedIterator for Events {}

impl Drop for Events {
    fn drop(&mut self) {
        self.audience.unsubscribe(self.number);
    }
}

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

    /// A message has come into its receiver's inbox.
    pub(super) fn delivered(&self, from: NodeId) {
        self.of(from).delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was over what its receiver keeps unread of one sender.
    pub(super) fn dropped(&self, from: NodeId) {
        self.of(from).dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// A message's receiver is down.
    pub(super) fn missed(&self, from: NodeId) {
        self.of(from).missed.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was lost on its link.
    pub(super) fn lost(&self, from: NodeId, reason: MessageLoss) {
        self.of(from).lost[place(reason)].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counters up. While messages are sent the sums are of slightly different moments.
    fn sums(&self) -> Messages {
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
        self.shared.watch.audience.subscribe(capacity)
    }

    /// Reports on what happened since the network was started, by the best of all nodes' chains; a node that is down
    /// counts with the chain it has.
    ///
    /// It waits for no node: paused, down or shut down, they are reported on.
    pub fn report(&self) -> Report {
        // First what happened, then the chains: no block is reported as mined that is too new to be in them. Nobody waits
        // for the report but for the time of this copy.
        let recorder = self.shared.watch.recorder.lock().clone();
        let now = self.shared.clock.now(NodeId::new(0));
        let members = self.shared.members.read().list.clone();
        let rules = &self.shared.rules;
        let best = self.shared.chains().into_iter().reduce(|best, chain| {
            let is_better = chain.is_better_than(&best, rules);
            if is_better { chain } else { best }
        });
        let best = best.unwrap_or_else(|| Blockchain::start(rules, now));
        let attempts = |node: NodeId| {
            members.get(node.index()).map_or(0, |member| member.attempts.load(Ordering::Relaxed))
        };
        recorder.report(now, &best, attempts, self.shared.watch.messages.sums())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(node: u32) -> Event {
        Event { time: Time::UNIX_EPOCH, node: NodeId::new(node), what: Happening::Paused }
    }

    #[test]
    fn nobody_is_told_who_has_unsubscribed() {
        let watch = Watch::new(Time::UNIX_EPOCH);
        let size = || watch.audience.size.load(Ordering::Relaxed);
        let (one, other) = (watch.audience.subscribe(9), watch.audience.subscribe(9));
        assert_eq!(size(), 2);
        drop(one);
        assert_eq!((size(), watch.audience.seats.read().list.len()), (1, 1));
        watch.record(event(1));
        assert_eq!(other.try_next(), Some(event(1)), "the one that is left is told");
        drop(other);
        assert_eq!((size(), watch.audience.seats.read().list.len()), (0, 0));
    }

    #[test]
    fn whoever_subscribes_after_the_end_reads_nothing() {
        let watch = Watch::new(Time::UNIX_EPOCH);
        watch.close();
        let events = watch.audience.subscribe(9);
        watch.record(event(1));
        assert!(events.has_ended());
        assert_eq!((events.lost(), events.count()), (0, 0));
    }

    #[test]
    fn counters_of_all_senders_add_up() {
        let counters = MessageCounters::default();
        for sender in (0..40).map(NodeId::new) {
            counters.sent(sender);
            if sender.index() % 2 == 0 {
                counters.delivered(sender);
            }
        }
        counters.dropped(NodeId::new(u32::MAX));
        counters.missed(NodeId::new(7));
        counters.missed(NodeId::new(23));
        for (reason, count) in LOSSES.into_iter().zip([1, 0, 3, 0]) {
            (0..count).for_each(|sender| counters.lost(NodeId::new(sender), reason));
        }
        let lost = BTreeMap::from([(MessageLoss::Loss, 1), (MessageLoss::Verdict, 3)]);
        assert_eq!(counters.sums(), Messages { sent: 40, delivered: 20, dropped: 1, missed: 2, lost });
    }
}
