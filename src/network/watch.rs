//! Watching: the recorder of what happens, and subscriptions to it.

use std::{
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

use crate::{
    event::{Event, EventWriter, Happening},
    message::NodeId,
    report::Recorder,
    time::Time,
};

/// Who watches a network: the recorder and the subscribers. All threads tell it what happens.
#[derive(Debug)]
pub(super) struct Watch {
    recorder: Mutex<Recorder>,
    subscribers: Arc<Subscribers>,
}

impl Watch {
    pub(super) fn new(start: Time) -> Self {
        let subscribers = Arc::new(Subscribers::new(start));
        Self { recorder: Mutex::new(Recorder::new(start)), subscribers }
    }

    /// Takes a node that joins into the report and to all subscribers.
    pub(super) fn joined(&self, time: Time, node: NodeId, name: Arc<str>) {
        let joined = Joined { time, node, name };
        self.recorder.lock().observe(&joined.event());
        let mut list = self.subscribers.list.write();
        list.tell(&joined.event());
        list.joined.push(joined);
    }

    /// Takes an event into the report and to all subscribers. It waits for nobody who reads.
    pub(super) fn record(&self, event: &Event) {
        self.record_with([event], || ());
    }

    /// Takes events into the report and to all subscribers, and changes meanwhile what they tell of: whoever reads of
    /// them finds the change made, in the report, and whoever finds the change made reads of them.
    pub(super) fn record_with<'a, T>(
        &self,
        events: impl IntoIterator<Item = &'a Event>,
        change: impl FnOnce() -> T,
    ) -> T {
        let mut recorder = self.recorder.lock();
        for event in events {
            recorder.observe(event);
            // Relaxed is enough: whoever subscribes and then causes an event does so by a message, which comes after.
            if self.subscribers.count.load(Ordering::Relaxed) > 0 {
                self.subscribers.list.read().tell(event);
            }
        }
        change()
    }

    /// Has a message arrive, and tells the subscribers of it before anybody can tell of what it brings about.
    pub(super) fn trace<T>(&self, arrive: impl FnOnce() -> (Option<Event>, T)) -> T {
        let _recorder = self.recorder.lock();
        let (event, arrived) = arrive();
        event.into_iter().for_each(|event| self.subscribers.list.read().tell(&event));
        arrived
    }

    /// Copies what was recorded, and looks at what it tells of at the same moment.
    pub(super) fn recorded_with<T>(&self, look: impl FnOnce() -> T) -> (Recorder, T) {
        let recorder = self.recorder.lock();
        (recorder.clone(), look())
    }

    /// Subscribes to what happens from now on, with room for so many unread events.
    pub(super) fn subscribe(&self, capacity: usize) -> Events {
        self.subscribers.subscribe(capacity)
    }

    /// Ends all subscriptions, once their events are read, and those to come.
    pub(super) fn close(&self) {
        let mut list = self.subscribers.list.write();
        list.is_closed = true;
        list.subscribers.clear();
        self.subscribers.count.store(0, Ordering::Relaxed);
    }
}

/// The subscribers.
#[derive(Debug)]
struct Subscribers {
    /// The network's start.
    start: Time,
    /// How many there are, to be read without a lock.
    count: AtomicUsize,
    list: RwLock<List>,
}

#[derive(Debug, Default)]
struct List {
    subscribers: Vec<Subscriber>,
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
struct Subscriber {
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

impl List {
    fn tell(&self, event: &Event) {
        for Subscriber { sender, backlog, .. } in &self.subscribers {
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

impl Subscribers {
    fn new(start: Time) -> Self {
        Self { start, count: AtomicUsize::new(0), list: RwLock::default() }
    }

    fn subscribe(self: &Arc<Self>, capacity: usize) -> Events {
        let (sender, receiver) = unbounded();
        let backlog = Arc::new(Backlog { capacity, unread: AtomicUsize::new(0), lost: AtomicU64::new(0) });
        let mut list = self.list.write();
        let number = list.next_number;
        list.next_number += 1;
        if !list.is_closed {
            list.subscribers.push(Subscriber { number, sender, backlog: Arc::clone(&backlog) });
            self.count.store(list.subscribers.len(), Ordering::Relaxed);
        }
        let joined_before = list.joined.len();
        Events { number, receiver, backlog, subscribers: Arc::clone(self), joined_before }
    }

    fn unsubscribe(&self, number: u64) {
        let mut list = self.list.write();
        list.subscribers.retain(|subscriber| subscriber.number != number);
        self.count.store(list.subscribers.len(), Ordering::Relaxed);
    }
}

/// A subscription to what happens in a network, from [`NetworkOf::events`](crate::NetworkOf::events). Dropping it ends it.
///
/// As an iterator it waits for each event, and ends when the network is shut down and all was read. [`Event`] says
/// in which order they come.
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
    subscribers: Arc<Subscribers>,
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
        self.subscribers.list.read().is_closed && self.receiver.is_empty()
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
        let mut writer = EventWriter::new(io::BufWriter::new(out), self.subscribers.start)?;
        let joined = self.subscribers.list.read().joined[..self.joined_before].to_vec();
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
        self.subscribers.unsubscribe(self.number);
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
        let count = || watch.subscribers.count.load(Ordering::Relaxed);
        let (one, other) = (watch.subscribe(9), watch.subscribe(9));
        assert_eq!(count(), 2);
        drop(one);
        assert_eq!((count(), watch.subscribers.list.read().subscribers.len()), (1, 1));
        watch.record(&event(1));
        assert_eq!(other.try_next(), Some(event(1)), "the one that is left is told");
        drop(other);
        assert_eq!((count(), watch.subscribers.list.read().subscribers.len()), (0, 0));
    }

    #[test]
    fn whoever_subscribes_after_the_end_reads_nothing() {
        let watch = Watch::new(Time::UNIX_EPOCH);
        watch.close();
        let events = watch.subscribe(9);
        watch.record(&event(1));
        assert!(events.has_ended());
        assert_eq!((events.lost(), events.count()), (0, 0));
    }
}
