//! Subscriptions to what happens in a simulation.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};

use crate::event::Event;

/// A subscription to what happens in a simulation, from [`Simulation::events`](super::Simulation::events). Dropping it
/// ends it.
///
/// As an iterator it gives what has happened and was not read. Nothing happens meanwhile: time passes only when the
/// simulation is told to run, or in [`NetworkOf::next_event`](crate::NetworkOf::next_event). [`Event`] says in which order
/// they come.
///
/// It has a buffer of bounded capacity; what happens while that is full is lost to it, and counted.
///
/// ```
/// use chainlab::{Happening, Rules, Simulation};
///
/// let simulation = Simulation::new(Rules::sealed(), 7);
/// let alice = simulation.spawn()?;
/// let events = simulation.events();
/// simulation.mine(alice)?;
/// let mined = events.filter(|event| matches!(event.what, Happening::Mined { position: 2, .. }));
/// assert_eq!(mined.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a subscription ends when it is dropped"]
pub struct SimulationEvents(Rc<Buffer>);

#[derive(Debug)]
struct Buffer {
    capacity: usize,
    unread: RefCell<VecDeque<Event>>,
    lost: Cell<u64>,
}

impl SimulationEvents {
    /// Returns the next event if there is one that was not read.
    pub fn try_next(&self) -> Option<Event> {
        self.0.unread.borrow_mut().pop_front()
    }

    /// Returns how many events were lost to this subscription because its buffer was full when they happened.
    pub fn lost(&self) -> u64 {
        self.0.lost.get()
    }
}

impl Iterator for SimulationEvents {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.try_next()
    }
}

/// Those who are told what happens.
#[derive(Debug, Default)]
pub(super) struct Subscribers(Vec<Weak<Buffer>>);

impl Subscribers {
    pub(super) fn add(&mut self, capacity: usize) -> SimulationEvents {
        let buffer = Rc::new(Buffer { capacity, unread: RefCell::default(), lost: Cell::new(0) });
        self.0.push(Rc::downgrade(&buffer));
        SimulationEvents(buffer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn tell(&mut self, event: &Event) {
        self.0.retain(|buffer| {
            let Some(buffer) = buffer.upgrade() else { return false };
            let mut unread = buffer.unread.borrow_mut();
            if unread.len() < buffer.capacity {
                unread.push_back(event.clone());
            } else {
                buffer.lost.set(buffer.lost.get() + 1);
            }
            true
        });
    }
}
