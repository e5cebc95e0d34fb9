//! Carrying messages over the links: who decides, who waits, and the postman who delivers late.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use parking_lot::{Mutex, MutexGuard};

use super::{clock::instant, shared::Shared};
use crate::{
    message::{Message, NodeId},
    time::Time,
    wire::{Arrival, Epoch, Fate, Links, Verdict},
};

/// The links of a network, and the messages on them.
#[derive(Debug)]
pub(super) struct Carrier {
    /// What the links tell the time by.
    started: Instant,
    /// Whether a link was ever anything but perfect. Until then messages are delivered without a lock.
    has_conditions: AtomicBool,
    /// How many parcels the postman has.
    with_postman: AtomicUsize,
    state: Mutex<Conditions>,
}

#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) links: Links,
    pub(super) judge: Option<Judge>,
    held: BTreeMap<(NodeId, NodeId), Vec<Parcel>>,
    /// How many messages each link has, with the postman or held.
    loads: BTreeMap<(NodeId, NodeId), u32>,
    postman: Option<Postman>,
    is_shut_down: bool,
}

type JudgeFn = dyn FnMut(NodeId, NodeId, &Message) -> Verdict + Send;

/// A test's say on every message.
pub(super) struct Judge(pub(super) Box<JudgeFn>);

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

#[derive(Debug)]
struct Postman {
    parcels: Sender<Parcel>,
    thread: JoinHandle<()>,
}

/// A message under way.
#[derive(Debug)]
struct Parcel {
    due: Time,
    sent: Epoch,
    from: NodeId,
    to: NodeId,
    message: Message,
}

impl Carrier {
    pub(super) fn new(seed: u64) -> Self {
        let links = Links::new(seed);
        let state = Conditions {
            links,
            judge: None,
            held: BTreeMap::new(),
            loads: BTreeMap::new(),
            postman: None,
            is_shut_down: false,
        };
        Self {
            started: instant(),
            has_conditions: AtomicBool::new(false),
            with_postman: AtomicUsize::new(0),
            state: Mutex::new(state),
        }
    }

    fn now(&self) -> Time {
        Time::UNIX_EPOCH + self.started.elapsed()
    }

    /// Opens the links for reading.
    pub(super) fn conditions(&self) -> MutexGuard<'_, Conditions> {
        self.state.lock()
    }

    /// Ends the postman, for good; what he still has is lost.
    pub(super) fn shut_down(&self) {
        let mut state = self.state.lock();
        state.is_shut_down = true;
        let postman = state.postman.take();
        drop(state);
        if let Some(Postman { parcels, thread }) = postman {
            drop(parcels);
            // He panics only if the caller's clock does.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Opens the links for a change: from now on every message asks them, and the postman is there for those that
    /// are late.
    pub(super) fn change_links(self: &Arc<Self>) -> io::Result<MutexGuard<'_, Conditions>> {
        let mut state = self.carrier.state.lock();
        if state.postman.is_none() && !state.is_shut_down {
            let (sender, receiver) = unbounded();
            let shared = Arc::clone(self);
            let thread =
                thread::Builder::new().name("postman".into()).spawn(move || shared.post(&receiver))?;
            state.postman = Some(Postman { parcels: sender, thread });
        }
        self.carrier.has_conditions.store(true, Ordering::SeqCst);
        Ok(state)
    }

    /// Carries a message from one node to another, as their link lets it.
    pub(super) fn send(&self, from: NodeId, to: NodeId, message: Message) {
        self.watch.messages().sent(from);
        if !self.carrier.has_conditions.load(Ordering::Relaxed) {
            return self.deliver(from, to, message);
        }
        // Bare blocks take their time, in which nobody else must wait.
        let size = message.size();
        let mut state = self.carrier.state.lock();
        let state = &mut *state;
        let verdict = state.judge.as_mut().map_or(Verdict::Pass, |judge| (judge.0)(from, to, &message));
        let now = self.carrier.now();
        let fate = state.links.send_with(verdict, now, from, to, size);
        let sent = state.links.epoch();
        match fate {
            Fate::Lost(reason) => self.watch.messages().lost(from, reason),
            Fate::Deliver(due) => {
                let load = state.loads.entry((from, to)).or_insert(0);
                if *load >= self.under_way_max {
                    return self.drop_message(from, to);
                }
                *load += 1;
                let parcel = Parcel { due, sent, from, to, message };
                // If the postman has nothing there is nothing that it could overtake.
                if due <= now && self.carrier.with_postman.load(Ordering::SeqCst) == 0 {
                    self.arrive(state, parcel);
                } else {
                    self.hand_over(state, parcel);
                }
            }
        }
    }

    fn hand_over(&self, state: &Conditions, parcel: Parcel) {
        if let Some(postman) = &state.postman {
            self.carrier.with_postman.fetch_add(1, Ordering::SeqCst);
            // He ends only when the network does.
            let _ = postman.parcels.send(parcel);
        }
    }

    /// Releases a held link: what waits there is delivered.
    pub(super) fn release_held(&self, state: &mut Conditions, from: NodeId, to: NodeId) {
        state.links.release(from, to);
        let due = self.carrier.now();
        for parcel in state.held.remove(&(from, to)).unwrap_or_default() {
            self.hand_over(state, Parcel { due, ..parcel });
        }
    }

    /// The postman's round: parcels come in, and go out when they are due, those of one moment in the order in which
    /// they came.
    fn post(&self, parcels: &Receiver<Parcel>) {
        let mut waiting = BTreeMap::new();
        for count in 0_u64.. {
            while let Some(entry) =
                waiting.first_entry().filter(|entry: &Waiting<'_>| entry.key().0 <= self.carrier.now())
            {
                self.arrive(&mut self.carrier.state.lock(), entry.remove());
                self.carrier.with_postman.fetch_sub(1, Ordering::SeqCst);
            }
            let next_due = waiting.first_key_value().map(|((due, _), _)| *due);
            let parcel = match next_due {
                Some(due) => parcels.recv_deadline(self.carrier.started + (due - Time::UNIX_EPOCH)),
                None => parcels.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match parcel {
                Ok(parcel) => {
                    waiting.insert((parcel.due, count), parcel);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Delivers a message that is due, unless its link is held or was cut.
    fn arrive(&self, state: &mut Conditions, parcel: Parcel) {
        let Parcel { sent, from, to, .. } = parcel;
        match state.links.arrival(from, to, sent) {
            Arrival::Held => return state.held.entry((from, to)).or_default().push(parcel),
            Arrival::Arrived => self.deliver(from, to, parcel.message),
            Arrival::Lost(reason) => self.watch.messages().lost(from, reason),
        }
        *state.loads.get_mut(&(from, to)).expect("a parcel is counted when it is sent") -= 1;
    }
}

type Waiting<'a> = std::collections::btree_map::OccupiedEntry<'a, (Time, u64), Parcel>;
