//! Subscriptions to what happens in a simulation.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    rc::{Rc, Weak},
};

use crate::{
    event::{Event, EventWriter, Happening},
    time::Time,
};

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
    /// The simulation's start, and who had joined before the subscription began.
    start: Time,
    joined: Vec<Event>,
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

    /// Writes the events as lines of JSON that an [`EventReader`](crate::EventReader) reads: first that those nodes
    /// joined which were there when the subscription began, then what has happened since and was not read.
    ///
    /// What was lost for want of room is not among them. A recorder that [reads](crate::report::Recorder::read) the lines
    /// of a subscription as old as the simulation has seen what the simulation's own has.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, report::Recorder};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 7);
    /// let alice = simulation.spawn()?;
    /// let events = simulation.events();
    /// simulation.mine(alice)?;
    ///
    /// let mut file = Vec::new();
    /// events.write_to(&mut file)?;
    /// assert!(file.starts_with(br#"{"format":"chainlab events","version":1,"#));
    /// assert_eq!(Recorder::read(&*file)?.last_time(), simulation.now());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(self, out: impl io::Write) -> io::Result<()> {
        let mut writer = self.writer(io::BufWriter::new(out))?;
        while let Some(event) = self.try_next() {
            writer.write(&event)?;
        }
        writer.flush()
    }

    /// Begins to write the events, as [`write_to`](Self::write_to) does all of them: that those nodes joined which were
    /// there when the subscription began. What has happened since is the caller's to read and to write, now and then, so
    /// that a long run keeps nothing in memory.
    ///
    /// # Errors
    ///
    /// What is written to says why it cannot be.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, report::Recorder};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 7);
    /// let alice = simulation.spawn()?;
    /// let mut events = simulation.events();
    ///
    /// let mut file = Vec::new();
    /// let mut writer = events.writer(&mut file)?;
    /// for _ in 0..3 {
    ///     simulation.mine(alice)?;
    ///     events.by_ref().try_for_each(|event| writer.write(&event))?;
    /// }
    /// assert_eq!(Recorder::read(&*file)?.last_time(), simulation.now());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn writer<W: io::Write>(&self, out: W) -> io::Result<EventWriter<W>> {
        let mut writer = EventWriter::new(out, self.0.start)?;
        self.0.joined.iter().try_for_each(|joined| writer.write(joined))?;
        Ok(writer)
    }
}

impl Iterator for SimulationEvents {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.try_next()
    }
}

/// Those who are told what happens.
#[derive(Debug)]
pub(super) struct Subscribers {
    start: Time,
    /// That all nodes which have joined did so, in that order.
    joined: Vec<Event>,
    buffers: Vec<Weak<Buffer>>,
}

impl Subscribers {
    pub(super) fn new(start: Time) -> Self {
        Self { start, joined: Vec::new(), buffers: Vec::new() }
    }

    pub(super) fn add(&mut self, capacity: usize) -> SimulationEvents {
        let (start, joined) = (self.start, self.joined.clone());
        let buffer = Buffer { start, joined, capacity, unread: RefCell::default(), lost: Cell::new(0) };
        let buffer = Rc::new(buffer);
        self.buffers.push(Rc::downgrade(&buffer));
        SimulationEvents(buffer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }

    pub(super) fn tell(&mut self, event: &Event) {
        if let Happening::Joined { .. } = event.what {
            self.joined.push(event.clone());
        }
        self.buffers.retain(|buffer| {
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
