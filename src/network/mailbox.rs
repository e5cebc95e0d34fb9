//! Who a node is to the threads of a network, and the channels to its own thread.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Instant,
};

use crossbeam_channel::{Receiver, Select, SendError, Sender, TryRecvError, unbounded};
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::{changes::Changes, effort::Effort, question::Reply};
use crate::{
    command::Command,
    message::{Message, NodeId},
    strategy::Behaviour,
    time::Time,
    verbs::{DownCause, HashRate, closure},
    wire::{Room, Waiting},
};

/// A node of the network: what stays the same, whether it is up or down.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) name: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) behaviour: Behaviour,
    /// None while the node is down. Whoever pauses, resumes, crashes or restarts the node has the lock until that is
    /// done, so that each of these finds what the one before it has left.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The attempts at proofs, and in how many slices they were made.
    pub(super) effort: Mutex<Effort>,
    pub(super) slices: AtomicU64,
    /// When its last input was, in nanoseconds.
    last_time: AtomicU64,
    /// Every change of its row.
    pub(super) changes: Changes,
    /// A puppet's, from which whoever plays it reads. Its control channel carries nothing: that it is closed means that the
    /// network is shut down.
    pub(super) mailbox: Option<Mailbox>,
}

impl Member {
    pub(super) fn new(
        id: NodeId,
        name: Arc<str>,
        address: Arc<str>,
        behaviour: Behaviour,
        mailbox: Option<Mailbox>,
    ) -> Self {
        let [slices, last_time] = [const { AtomicU64::new(0) }; 2];
        let (thread, effort, changes) = (Mutex::new(None), Mutex::default(), Changes::default());
        Self { id, name, address, behaviour, thread, effort, slices, last_time, changes, mailbox }
    }

    /// Locks the node's life.
    pub(super) fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        closure::assert_outside();
        self.thread.lock()
    }

    /// Waits until the node's thread has ended, whose lock is held.
    pub(super) fn join(thread: &mut Option<JoinHandle<()>>) {
        if let Some(thread) = thread.take() {
            thread.join().expect("a worker catches its node's panics");
        }
    }

    pub(super) fn last_time(&self) -> Time {
        Time::from_nanos(self.last_time.load(Ordering::Relaxed))
    }

    pub(super) fn set_last_time(&self, time: Time) {
        self.last_time.store(time.as_nanos(), Ordering::Relaxed);
    }
}

/// What is said to a node's thread.
#[derive(Debug)]
pub(super) enum Control {
    /// Have the node do something, and send its answer back.
    Command(Command, Reply),
    /// Have the node mine block after block, from now on at this rate.
    StartMining(HashRate, Reply),
    /// Whoever waits for this answer has no more time: give it now.
    GiveUp(Reply),
    /// The links to these peers have come up.
    LinksUp(Vec<NodeId>),
    /// Do nothing until `Resume` or `End`; that this has begun is said by dropping the sender.
    Pause(Sender<Infallible>),
    /// Go on; that this has begun is said likewise.
    Resume(Sender<Infallible>),
    /// End.
    End(DownCause),
}

impl Control {
    /// Who waits for an answer to it.
    pub(super) fn into_reply(self) -> Option<Reply> {
        match self {
            Self::Command(_, reply) | Self::StartMining(_, reply) => Some(reply),
            Self::GiveUp(_) | Self::LinksUp(_) | Self::Pause(_) | Self::Resume(_) | Self::End(_) => None,
        }
    }
}

/// The sending ends of a node's channels.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) control: Sender<Control>,
    pub(super) inbox: Arc<Inbox>,
}

/// Where other nodes put what they say.
#[derive(Debug)]
pub(super) struct Inbox {
    sender: Sender<Unread>,
    /// What waits of each sender.
    unread: RwLock<BTreeMap<NodeId, Arc<Counted>>>,
    /// What there is for each.
    room: Room,
}

/// What waits of a sender, counted by whoever sends and by the node's thread, of which neither waits for the other.
#[derive(Debug, Default)]
struct Counted {
    messages: AtomicU32,
    bytes: AtomicU64,
}

impl Counted {
    /// Counts a message of so many bytes in, if there is room for it. Of two of one sender's that come at the same moment both
    /// may find none, where one would have fitted, or both some, where one is longer than there is room for.
    fn add(&self, bytes: u64, room: Room) -> bool {
        let before = Waiting {
            messages: self.messages.fetch_add(1, Ordering::Relaxed),
            bytes: self.bytes.fetch_add(bytes, Ordering::Relaxed),
        };
        let fits = before.leaves_room(bytes, room);
        if !fits {
            self.remove(bytes);
        }
        fits
    }

    /// Counts a message out: its bytes first, as whatever is alone has room.
    fn remove(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.messages.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A message that waits to be read.
#[derive(Debug)]
pub(super) struct Unread {
    from: NodeId,
    message: Message,
    /// What it takes as it is counted: to count it again would cost as much as writing it out.
    bytes: u64,
    /// What it is counted in. Whoever reads it looks for nothing under a lock that its sender needs.
    counted: Arc<Counted>,
}

/// The receiving ends of a node's channels, for its thread.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) control: Receiver<Control>,
    pub(super) inbox: Receiver<Unread>,
}

/// What becomes of a message that has come to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reception {
    Delivered,
    /// Too much of its sender's waits to be read.
    Dropped,
    /// The receiver is down.
    Missed,
}

/// Makes new channels to a node, with so much room for each sender.
pub(super) fn open(room: Room) -> (Line, Mailbox) {
    let (control, control_receiver) = unbounded();
    let (sender, receiver) = unbounded();
    let inbox = Arc::new(Inbox { sender, unread: RwLock::default(), room });
    (Line { control, inbox }, Mailbox { control: control_receiver, inbox: receiver })
}

impl Inbox {
    /// Puts a message of so many bytes into the inbox, unless too much of its sender's waits there.
    pub(super) fn deliver(&self, from: NodeId, message: Message, bytes: u64) -> Reception {
        let counted = self.counted(from);
        if !counted.add(bytes, self.room) {
            return Reception::Dropped;
        }
        match self.sender.send(Unread { from, message, bytes, counted }) {
            Ok(()) => Reception::Delivered,
            // A thread that has ended, or a puppet that was dropped: nobody will read it.
            Err(SendError(unread)) => {
                unread.counted.remove(bytes);
                Reception::Missed
            }
        }
    }

    fn counted(&self, from: NodeId) -> Arc<Counted> {
        if let Some(counted) = self.unread.read().get(&from) {
            return Arc::clone(counted);
        }
        Arc::clone(self.unread.write().entry(from).or_default())
    }
}

impl Mailbox {
    /// Takes the next message out of the inbox.
    pub(super) fn read(&self) -> Result<(NodeId, Message), TryRecvError> {
        let Unread { from, message, bytes, counted } = self.inbox.try_recv()?;
        counted.remove(bytes);
        Ok((from, message))
    }

    /// Waits for the next message, but not beyond a deadline, nor beyond the network's end.
    pub(super) fn hear(&self, deadline: Option<Instant>) -> Option<(NodeId, Message)> {
        let mut select = Select::new();
        select.recv(&self.inbox);
        select.recv(&self.control);
        loop {
            let is_late = match deadline {
                Some(deadline) => select.ready_deadline(deadline).is_err(),
                None => {
                    select.ready();
                    false
                }
            };
            // Another may have taken what was there.
            let heard = self.read().ok();
            if heard.is_some()
                || is_late
                || matches!(self.control.try_recv(), Err(TryRecvError::Disconnected))
            {
                return heard;
            }
        }
    }
}
