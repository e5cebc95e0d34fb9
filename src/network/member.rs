//! A node as all threads see it: its name, and the sending ends of its channels.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Mutex, RwLock};

use super::error::{DownCause, NodeError};
use crate::{
    command::{Answer, Command, Snapshot},
    message::{Message, NodeId},
};

/// What the handle says to a node's thread.
#[derive(Debug)]
pub(super) enum Control {
    /// Have the node do something, and send its answer back.
    Command(Command, Sender<Answer>),
    /// End.
    End(DownCause),
}

/// A node of the network.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) name: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
    state: RwLock<State>,
    inbox: RwLock<Sender<(NodeId, Message)>>,
    /// How many messages of each sender wait in the inbox.
    unread: RwLock<Vec<AtomicU32>>,
    unread_max: u32,
    /// The attempts at proofs made so far, and in how many slices.
    pub(super) attempts: AtomicU64,
    pub(super) slices: AtomicU64,
}

/// Whether a node's thread can be spoken to.
#[derive(Debug)]
pub(super) enum State {
    Up(Sender<Control>),
    /// Its thread has ended, and this is what it left.
    Down(DownCause, Snapshot),
}

/// The receiving ends of a node's channels, for its thread.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) control: Receiver<Control>,
    pub(super) inbox: Receiver<(NodeId, Message)>,
}

impl Member {
    pub(super) fn new(id: NodeId, name: Arc<str>, address: Arc<str>, unread_max: u32) -> (Self, Mailbox) {
        let (control, control_receiver) = unbounded();
        let (inbox, inbox_receiver) = unbounded();
        let member = Self {
            id,
            name,
            address,
            thread: Mutex::new(None),
            state: RwLock::new(State::Up(control)),
            inbox: RwLock::new(inbox),
            unread: RwLock::new(Vec::new()),
            unread_max,
            attempts: AtomicU64::new(0),
            slices: AtomicU64::new(0),
        };
        (member, Mailbox { control: control_receiver, inbox: inbox_receiver })
    }

    /// Puts a message into the inbox, unless too many of its sender wait there; tells whether it did.
    pub(super) fn deliver(&self, from: NodeId, message: Message) -> bool {
        if !self.count_in(from) {
            return false;
        }
        // A node that is down reads no messages: they are gone, as with a real one.
        let _ = self.inbox.read().send((from, message));
        true
    }

    fn count_in(&self, from: NodeId) -> bool {
        if let Some(unread) = self.unread.read().get(from.index()) {
            // Only the sender counts up, so that the bound holds but for messages on several links at once.
            let counted = unread.fetch_add(1, Ordering::Relaxed) < self.unread_max;
            if !counted {
                unread.fetch_sub(1, Ordering::Relaxed);
            }
            return counted;
        }
        self.unread.write().resize_with(from.index() + 1, AtomicU32::default);
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
            State::Down(cause, _) => Err(self.down(cause.clone())),
        }
    }

    /// Why a call got no answer.
    pub(super) fn why_silent(&self) -> NodeError {
        match &*self.state.read() {
            State::Up(_) => self.down(DownCause::ShutDown),
            State::Down(cause, _) => self.down(cause.clone()),
        }
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
            State::Up(_) => None,
            State::Down(_, left) => Some(left.clone()),
        }
    }

    fn down(&self, cause: DownCause) -> NodeError {
        NodeError::Down { node: self.id, cause }
    }

    pub(super) fn set_state(&self, state: State) {
        *self.state.write() = state;
    }
}
