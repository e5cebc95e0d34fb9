//! The links under their lock, and the queue to the thread that delivers what is late.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, Ordering},
    thread::JoinHandle,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Mutex, MutexGuard};

use super::clock::instant;
use crate::{
    time::Time,
    verbs::{
        closure,
        traffic::{Traffic, UnderWay},
    },
};

/// The traffic of a network, and who delivers it.
#[derive(Debug)]
pub(super) struct Delivery {
    /// What the links tell the time by.
    started: Instant,
    /// Whether a link was ever anything but perfect. Until then messages are delivered without a lock.
    has_conditions: AtomicBool,
    state: Mutex<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct State {
    traffic: Traffic,
    /// None before the delivery thread starts, when there is nobody who could send, and after its end.
    queue: Option<Sender<UnderWay>>,
    /// How many messages the delivery thread has.
    queued: usize,
}

/// The links, locked.
pub(super) struct Locked<'a>(MutexGuard<'a, State>);

impl Delivery {
    pub(super) fn new(traffic: Traffic) -> Self {
        let state = State { traffic, queue: None, queued: 0 };
        Self {
            started: instant(),
            has_conditions: AtomicBool::new(false),
            state: Mutex::new(state),
            thread: Mutex::new(None),
        }
    }

    pub(super) fn has_conditions(&self) -> bool {
        self.has_conditions.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Time {
        Time::UNIX_EPOCH + self.started.elapsed()
    }

    /// When a time has come by the monotonic clock; none if that is beyond its end.
    pub(super) fn instant_of(&self, time: Time) -> Option<Instant> {
        self.started.checked_add(time - Time::UNIX_EPOCH)
    }

    /// Locks the links.
    pub(super) fn traffic(&self) -> Locked<'_> {
        closure::assert_outside();
        Locked(self.state.lock())
    }

    /// Locks the links for a change: from now on every message asks them.
    pub(super) fn change(&self) -> Locked<'_> {
        let locked = self.traffic();
        self.has_conditions.store(true, Ordering::SeqCst);
        locked
    }

    /// Starts the thread, if it was not; `start` is given what it is to deliver.
    pub(super) fn start<E>(
        &self,
        start: impl FnOnce(Receiver<UnderWay>) -> Result<JoinHandle<()>, E>,
    ) -> Result<(), E> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let (sender, receiver) = unbounded();
            *thread = Some(start(receiver)?);
            self.state.lock().queue = Some(sender);
        }
        Ok(())
    }

    /// Ends the thread, for good; what it still has is lost.
    pub(super) fn shut_down(&self) {
        self.state.lock().queue = None;
        if let Some(thread) = self.thread.lock().take() {
            thread.join().expect("the delivery thread calls nothing of the caller's that could end it");
        }
    }
}

impl Locked<'_> {
    /// Tells whether a message that is due overtakes none that was due before.
    pub(super) fn has_nothing_queued(&self) -> bool {
        self.0.queued == 0
    }

    /// Has the delivery thread bring a message when it is due.
    pub(super) fn queue(&mut self, message: UnderWay) {
        if let Some(queue) = &self.0.queue {
            // It ends only when there is no queue.
            let _ = queue.send(message);
            self.0.queued += 1;
        }
    }

    /// Notes that the delivery thread has brought a message.
    pub(super) fn brought(&mut self) {
        self.0.queued -= 1;
    }
}

impl Deref for Locked<'_> {
    type Target = Traffic;

    fn deref(&self) -> &Traffic {
        &self.0.traffic
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Traffic {
        &mut self.0.traffic
    }
}
