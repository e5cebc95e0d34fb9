//! A node as all threads see it: its name, and the sending ends of its channels.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::{Mutex, RwLock};

use super::{
    error::{DownCause, NodeError, RestartError},
    question::Reply,
};
use crate::{
    blockchain::Blockchain,
    command::{Command, Snapshot},
    message::{Message, NodeId},
};

/// What the handle says to a node's thread.
#[derive(Debug)]
pub(super) enum Control {
    /// Have the node do something, and send its answer back.
    Command(Command, Reply),
    /// From now on search at this rate.
    HashRate(HashRate),
    /// The links to these peers have come up.
    LinksUp(Vec<NodeId>),
    /// Do nothing until `Resume` or `End`; that this has begun is said by dropping the sender.
    Pause(Sender<Infallible>),
    /// Go on.
    Resume,
    /// End.
    End(DownCause),
}

/// How fast a node searches for proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashRate {
    /// As fast as its thread goes.
    #[default]
    Unlimited,
    /// So many attempts a millisecond, or as fast as its thread goes if that is less; with 0 it finds nothing.
    PerMillisecond(u64),
}

/// A node of the network.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) name: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
    state: RwLock<State>,
    /// None while the node is down.
    inbox: RwLock<Option<Sender<(NodeId, Message)>>>,
    /// How many messages of each sender wait in the inbox.
    unread: RwLock<Vec<AtomicU32>>,
    unread_max: u32,
    /// The attempts at proofs made so far, and in how many slices.
    pub(super) attempts: AtomicU64,
    pub(super) slices: AtomicU64,
}

/// What becomes of a message that has come to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Delivered,
    /// Too many of its sender wait to be read.
    Dropped,
    /// The receiver is down.
    Missed,
}

/// Whether a node's thread can be spoken to.
#[derive(Debug)]
pub(super) enum State {
    Up(Sender<Control>),
    Paused(Sender<Control>),
    /// Its thread has ended, and this is what it left.
    Down(DownCause, Snapshot),
    /// It has no thread.
    Puppet,
}

/// The receiving ends of a node's channels, for its thread.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) control: Receiver<Control>,
    pub(super) inbox: Receiver<(NodeId, Message)>,
}

impl Member {
    pub(super) fn new(
        id: NodeId,
        name: Arc<str>,
        address: Arc<str>,
        unread_max: u32,
        is_puppet: bool,
    ) -> (Self, Mailbox) {
        let (control, control_receiver) = unbounded();
        let (inbox, inbox_receiver) = unbounded();
        let member = Self {
            id,
            name,
            address,
            thread: Mutex::new(None),
            state: RwLock::new(if is_puppet { State::Puppet } else { State::Up(control) }),
            inbox: RwLock::new(Some(inbox)),
            unread: RwLock::new(Vec::new()),
            unread_max,
            attempts: AtomicU64::new(0),
            slices: AtomicU64::new(0),
        };
        (member, Mailbox { control: control_receiver, inbox: inbox_receiver })
    }

    /// Puts a message into the inbox, unless too many of its sender wait there.
    pub(super) fn deliver(&self, from: NodeId, message: Message) -> Delivery {
        let inbox = self.inbox.read();
        // A node that is down reads no messages: they are gone, as with a real one.
        let Some(sender) = &*inbox else { return Delivery::Missed };
        if !self.count_in(from) {
            return Delivery::Dropped;
        }
        match sender.send((from, message)) {
            Ok(()) => Delivery::Delivered,
            Err(_) => {
                // A puppet that was dropped: nobody will read it.
                self.count_out(from);
                Delivery::Missed
            }
        }
    }

    fn count_in(&self, from: NodeId) -> bool {
        if let Some(unread) = self.unread.read().get(from.index()) {
            let counted = unread.fetch_add(1, Ordering::Relaxed) < self.unread_max;
            if !counted {
                unread.fetch_sub(1, Ordering::Relaxed);
            }
            return counted;
        }
        let mut unread = self.unread.write();
        if unread.len() <= from.index() {
            unread.resize_with(from.index() + 1, AtomicU32::default);
        }
        drop(unread);
        self.count_in(from)
    }

    /// Notes that a message has been taken out of the inbox.
    pub(super) fn count_out(&self, from: NodeId) {
        self.unread.read()[from.index()].fetch_sub(1, Ordering::Relaxed);
    }

    /// Says something to the node's thread.
    pub(super) fn control(&self, control: Control) -> Result<(), NodeError> {
        match &*self.state.read() {
            State::Up(sender) => sender.send(control).map_err(|_| self.down(DownCause::ShutDown)),
            State::Paused(sender) if matches!(control, Control::Command(Command::Snapshot, _)) => {
                sender.send(control).map_err(|_| self.down(DownCause::ShutDown))
            }
            other => Err(self.unreachable(other)),
        }
    }

    /// Ends the node's thread, paused or not.
    pub(super) fn end(&self, cause: DownCause) -> Result<(), NodeError> {
        match &*self.state.read() {
            State::Up(sender) | State::Paused(sender) => {
                sender.send(Control::End(cause)).map_err(|_| self.down(DownCause::ShutDown))
            }
            other => Err(self.unreachable(other)),
        }
    }

    /// Waits until the node's thread has ended.
    pub(super) fn join(&self) {
        // Whoever comes second waits for the lock, and so for the thread too.
        let mut thread = self.thread.lock();
        if let Some(thread) = thread.take() {
            thread.join().expect("a worker catches its node's panics");
        }
    }

    /// Makes the node unreachable for commands, and waits until its thread stands still; calls `note` before anything
    /// else can happen to the node.
    pub(super) fn pause(&self, note: impl FnOnce()) -> Result<(), NodeError> {
        let (standing_still, stands_still) = bounded(0);
        let mut state = self.state.write();
        match &*state {
            State::Up(sender) => {
                let sender = sender.clone();
                // Its receiver lives as long as the state is `Up`.
                let _ = sender.send(Control::Pause(standing_still));
                *state = State::Paused(sender);
                note();
            }
            other => return Err(self.unreachable(other)),
        }
        // Its thread may need the state to come to an end.
        drop(state);
        let Err(_) = stands_still.recv();
        Ok(())
    }

    /// Ends a pause, and calls `note` if there was one.
    pub(super) fn resume(&self, note: impl FnOnce()) -> Result<(), NodeError> {
        let mut state = self.state.write();
        match &*state {
            State::Paused(sender) => {
                let sender = sender.clone();
                let _ = sender.send(Control::Resume);
                *state = State::Up(sender);
                note();
                Ok(())
            }
            State::Up(_) => Ok(()),
            other => Err(self.unreachable(other)),
        }
    }

    /// Gives a node that is down new channels, for a new thread; returns the chain that it had.
    pub(super) fn revive(&self) -> Result<(Blockchain, Mailbox), RestartError> {
        if matches!(&*self.state.read(), State::Down(..)) {
            // The old thread may have a last word to say.
            self.join();
        }
        let mut state = self.state.write();
        let chain = match &*state {
            State::Down(_, left) => left.chain.clone(),
            State::Up(_) | State::Paused(_) => return Err(RestartError::NotDown { node: self.id }),
            State::Puppet => return Err(NodeError::Puppet { node: self.id }.into()),
        };
        let (control, control_receiver) = unbounded();
        let (inbox, inbox_receiver) = unbounded();
        // Nobody counts in while there is no inbox.
        self.unread.write().clear();
        *self.inbox.write() = Some(inbox);
        *state = State::Up(control);
        Ok((chain, Mailbox { control: control_receiver, inbox: inbox_receiver }))
    }

    /// Why a call got no answer.
    pub(super) fn why_silent(&self) -> NodeError {
        self.unreachable(&self.state.read())
    }

    fn unreachable(&self, state: &State) -> NodeError {
        let node = self.id;
        match state {
            State::Up(_) => self.down(DownCause::ShutDown),
            State::Paused(_) => NodeError::Paused { node },
            State::Down(cause, _) => self.down(cause.clone()),
            State::Puppet => NodeError::Puppet { node },
        }
    }

    fn down(&self, cause: DownCause) -> NodeError {
        NodeError::Down { node: self.id, cause }
    }

    pub(super) fn is_puppet(&self) -> bool {
        matches!(&*self.state.read(), State::Puppet)
    }

    /// What the node panicked with, if it did.
    pub(super) fn panic(&self) -> Option<String> {
        match &*self.state.read() {
            State::Down(DownCause::Panicked(message), _) => Some(message.clone()),
            _ => None,
        }
    }

    /// What the node left when its thread ended, if it has.
    pub(super) fn left(&self) -> Option<Snapshot> {
        match &*self.state.read() {
            State::Down(_, left) => Some(left.clone()),
            _ => None,
        }
    }

    pub(super) fn set_state(&self, state: State) {
        if let State::Down(..) = state {
            *self.inbox.write() = None;
        }
        *self.state.write() = state;
    }
}
