//! A node's thread: it hands the node its inputs, carries out its effects, and searches for proofs in between.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use crossbeam_channel::{Select, Sender, TryRecvError};

use super::{
    clock::{Clock, instant},
    effort::{Pace, SLICE},
    mailbox::{Control, Line, Mailbox, Member},
    nodes::Row,
    question::Reply,
    shared::Shared,
    spin::spin_until,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command, Ticket},
    event::{Event, Happening},
    message::{Message, NodeId},
    node::{Effect, Effects, Input, Node, SearchId},
    pow::Search,
    time::Time,
    verbs::{DownCause, HashRate, NodeError, ending, state::State},
};

/// How many messages are read at a time, within the time of a slice: a flood must not hold up commands and the search.
const BATCH: usize = 64;

pub(super) struct Worker {
    node: Node,
    shared: Arc<Shared>,
    member: Arc<Member>,
    mailbox: Mailbox,
    /// Its own, away from what other threads write to.
    clock: Clock,
    /// Who waits for the answers, in the order of the tickets.
    replies: Vec<(Ticket, Reply)>,
    next_ticket: u64,
    /// Whoever waits for a pause to begin or to end waits until this is dropped, with the worker at the latest.
    waits_for_pause: Option<Sender<Infallible>>,
    /// What is searched for, and the search itself once its first slice has begun.
    search: Option<(SearchId, Option<Search>)>,
    pace: Pace,
    /// When the node has asked to be woken, by its own clock and by ours.
    wake_at: Option<(Time, Instant)>,
    /// When it began to search for something else last.
    search_began: Option<Instant>,
    /// How many messages have been read.
    messages_read: u64,
    /// The peers whose links have come up, and how many messages are to be read first.
    links_up: VecDeque<(u64, NodeId)>,
    /// The chain that the others see; their copy lies under a lock.
    known: Blockchain,
    effects: Effects,
}

/// Starts the thread of a node.
pub(super) fn start_worker(
    node: Node,
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    mailbox: Mailbox,
) -> io::Result<JoinHandle<()>> {
    let worker = Worker::new(node, Arc::clone(shared), Arc::clone(member), mailbox);
    thread::Builder::new().name(member.name.to_string()).spawn(|| worker.run())
}

impl Worker {
    fn new(node: Node, shared: Arc<Shared>, member: Arc<Member>, mailbox: Mailbox) -> Self {
        let worker = Self {
            known: node.chain().clone(),
            clock: shared.clock.clone(),
            node,
            shared,
            member,
            mailbox,
            replies: Vec::new(),
            next_ticket: 0,
            waits_for_pause: None,
            search: None,
            pace: Pace::default(),
            wake_at: None,
            search_began: None,
            messages_read: 0,
            links_up: VecDeque::new(),
            effects: Effects::default(),
        };
        worker.set_hash_rate(HashRate::default());
        worker
    }

    /// Works until it is told to end, or the node panics, which ends this node alone.
    pub(super) fn run(mut self) {
        let cause = catch_unwind(AssertUnwindSafe(|| {
            loop {
                if let Some(cause) = self.turn() {
                    return cause;
                }
            }
        }));
        let cause = cause.unwrap_or_else(|payload| DownCause::panicked(&*payload));
        self.go_down(cause);
    }

    fn go_down(&mut self, cause: DownCause) {
        let id = self.node.id();
        self.member.effort.lock().stop(instant());
        if cause != DownCause::ShutDown {
            self.shared.delivery.traffic().crash(id);
        }
        let (state, recorded) = ending::end(&self.node, cause.clone());
        // The clock of a node that panicked may be what panicked.
        let mut ended = None;
        self.record(self.member.last_time(), recorded, |row, line| {
            row.state = state;
            row.chain = self.node.chain().clone();
            ended = line.take();
        });
        // What was never read is dropped while nobody waits for the locks.
        drop(ended);
        // Nothing more is said to it. Whoever waits for an answer is told what befell it.
        let down = NodeError::Down { node: id, cause };
        let waiting = self.replies.drain(..).map(|(_, reply)| reply);
        let unread = self.mailbox.control.try_iter().filter_map(Control::into_reply);
        waiting.chain(unread).for_each(|reply| reply.give(Err(down.clone())));
    }

    /// Records what happened, and changes meanwhile what the others know of the node.
    fn record(
        &self,
        time: Time,
        recorded: impl IntoIterator<Item = Happening>,
        change: impl FnOnce(&mut Row, &mut Option<Line>),
    ) {
        let node = self.node.id();
        let events: Vec<_> = recorded.into_iter().map(|what| Event { time, node, what }).collect();
        self.shared.watch.record_with(&events, || {
            self.shared.nodes.change_quietly(&self.member, change);
        });
        self.shared.nodes.wake(&self.member);
    }

    /// Does what there is to do once round: all commands that wait, some messages, a deadline, a slice; waits if that was
    /// nothing. Returns why the thread is to end.
    fn turn(&mut self) -> Option<DownCause> {
        // Those that come meanwhile are for the next turn: callers that never pause must not hold up the search.
        let commands = self.mailbox.control.len();
        for _ in 0..commands.max(1) {
            match self.mailbox.control.try_recv() {
                Ok(Control::Pause(standing_still)) => match self.stand_still(standing_still) {
                    Some(cause) => return Some(cause),
                    None => continue,
                },
                Ok(Control::End(cause)) => return Some(cause),
                Ok(control) => self.controlled(control),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Some(DownCause::ShutDown),
            }
        }
        self.read();
        if let Some((time, _)) = self.wake_at.take_if(|(_, at)| *at <= instant()) {
            // A clock of the caller's may stand still; the time that was waited for has come all the same.
            self.handle(self.now().max(time), Input::Wake);
        }
        let next_slice = self.next_slice();
        if self.search.is_some() && next_slice.is_none_or(|at| at <= instant()) {
            self.slice();
        } else if !self.links_up.is_empty() {
            // What is left of a batch is the next turn's.
        } else if commands == 0 || !spin_until(|| self.has_something_to_read()) {
            // Whoever has just been answered may ask again at once, but has not.
            self.wait(next_slice);
        }
        None
    }

    /// Reads a batch of messages, or as many as there are, and tells of the links that have come up since. What does not
    /// fit into a slice's time is left for the next turn; that others have the processor can only make it less.
    fn read(&mut self) {
        let end = instant() + SLICE;
        let mut left = BATCH;
        while let waiting @ 1.. = self.mailbox.inbox.len().min(left) {
            left -= waiting;
            // Read once for all of them, and after them: none is handled before it was sent.
            let now = self.now();
            for _ in 0..waiting {
                let Ok((from, message)) = self.mailbox.read() else { break };
                self.messages_read += 1;
                // To look at the time for each of these would cost as much as they do.
                let is_short = matches!(message, Message::ChainRequest { .. } | Message::Acknowledge { .. });
                self.handle(now, Input::Message(from, message));
                if !is_short && instant() >= end {
                    left = 0;
                    break;
                }
            }
        }
        while let Some(&(after, peer)) = self.links_up.front()
            && after <= self.messages_read
        {
            self.links_up.pop_front();
            self.handle(self.now(), Input::LinkUp(peer));
            if instant() >= end {
                break;
            }
        }
    }

    fn controlled(&mut self, control: Control) {
        match control {
            Control::Command(command, reply) => {
                let stops = matches!(command, Command::StopMining);
                self.command(command, reply);
                // After the search, whose attempts would all be due at once otherwise.
                if stops {
                    self.set_hash_rate(HashRate::default());
                }
            }
            Control::StartMining(rate, reply) => {
                self.set_hash_rate(rate);
                self.command(Command::StartMining, reply);
            }
            Control::GiveUp(reply) => {
                if let Some(place) = self.place_of(&reply) {
                    let (ticket, _) = self.replies[place];
                    self.handle(self.now(), Input::GiveUp(ticket));
                }
            }
            Control::LinksUp(peers) => {
                // First what was sent before: it may tell of blocks that the peer has lost since.
                let after = self.messages_read + self.mailbox.inbox.len() as u64;
                self.links_up.extend(peers.into_iter().map(|peer| (after, peer)));
            }
            Control::Pause(_) | Control::Resume(_) | Control::End(_) => {}
        }
    }

    /// The place of who waits, unless it was answered.
    fn place_of(&self, reply: &Reply) -> Option<usize> {
        self.replies.iter().position(|(_, waiting)| waiting.is_same(reply))
    }

    fn command(&mut self, command: Command, reply: Reply) {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.replies.push((ticket, reply));
        self.handle(self.now(), Input::Command(ticket, command));
    }

    /// Changes whether the node takes part, and then tells whoever waits for that.
    fn change_state(&mut self, state: State, what: Happening, waits: Sender<Infallible>) {
        // If the clock panics, that is to be known first.
        self.waits_for_pause = Some(waits);
        self.record(self.now(), [what], |row, _| row.state = state);
        self.waits_for_pause = None;
    }

    /// Waits for the end of a pause; returns why the thread is to end, if it is. What the node waits for waits too.
    fn stand_still(&mut self, standing_still: Sender<Infallible>) -> Option<DownCause> {
        let under_way = self.member.effort.lock().pause(instant());
        self.change_state(State::Paused, Happening::Paused, standing_still);
        let mut given_up = Vec::new();
        loop {
            match self.mailbox.control.recv() {
                Ok(Control::Resume(going_on)) => {
                    self.member.effort.lock().resume(instant(), under_way);
                    self.change_state(State::Live, Happening::Resumed, going_on);
                    for ticket in given_up {
                        self.handle(self.now(), Input::GiveUp(ticket));
                    }
                    return None;
                }
                Ok(Control::End(cause)) => return Some(cause),
                // Whoever saves the network looks at what stands still too.
                Ok(Control::Command(Command::Snapshot, reply)) => {
                    reply.give(Ok(Answer::Snapshot(self.node.snapshot())));
                }
                Ok(Control::GiveUp(reply)) => {
                    if let Some(place) = self.place_of(&reply) {
                        let (ticket, reply) = self.replies.remove(place);
                        reply.give(Err(NodeError::Paused { node: self.node.id() }));
                        given_up.push(ticket);
                    }
                }
                Ok(control) => {
                    if let Some(reply) = control.into_reply() {
                        // It was asked just before the pause.
                        reply.give(Err(NodeError::Paused { node: self.node.id() }));
                    }
                }
                Err(_) => return Some(DownCause::ShutDown),
            }
        }
    }

    fn now(&self) -> Time {
        self.clock.now(self.node.id())
    }

    fn handle(&mut self, now: Time, input: Input) {
        self.member.set_last_time(now);
        let mut effects = std::mem::take(&mut self.effects);
        let changes_peers = matches!(input, Input::Command(_, Command::Register(_) | Command::Unregister(_)));
        self.node.handle(now, input, &mut effects);
        // Before anybody is answered or told, and together: whoever hears of a change in one way finds it in the others.
        let recorded = effects.happened.drain(..);
        let chain = self.node.chain();
        if changes_peers || !chain.is_same_copy(&self.known) {
            self.record(now, recorded, |row, _| {
                row.chain = chain.clone();
                if changes_peers {
                    row.peers = self.node.peers().to_vec();
                }
            });
            self.known = chain.clone();
        } else {
            let node = self.node.id();
            recorded.for_each(|what| self.shared.watch.record(&Event { time: now, node, what }));
        }
        for effect in effects.to_do.drain(..) {
            self.carry_out(now, effect);
        }
        self.effects = effects;
    }

    fn carry_out(&mut self, now: Time, effect: Effect) {
        let node = self.node.id();
        match effect {
            Effect::Send(to, message) => self.shared.send(node, to, message),
            Effect::Relay { except, message } => {
                for &peer in self.node.peers().iter().filter(|peer| Some(**peer) != except) {
                    self.shared.send(node, peer, message.clone());
                }
            }
            Effect::Search(id, _) => {
                self.search = Some((id, None));
                self.member.effort.lock().begin(instant());
            }
            Effect::StopSearch => {
                self.search = None;
                self.member.effort.lock().stop(instant());
            }
            Effect::WakeAt(time) => self.wake_at = time.map(|time| (time, instant() + (time - now))),
            Effect::Answer(ticket, answer) => {
                if let Ok(place) = self.replies.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
                    let (_, reply) = self.replies.remove(place);
                    reply.give(Ok(answer));
                }
            }
        }
    }

    fn has_something_to_read(&self) -> bool {
        !self.mailbox.control.is_empty() || !self.mailbox.inbox.is_empty()
    }

    /// Blocks until there is something to read, or a deadline: the node's, or that of the next slice.
    fn wait(&self, next_slice: Option<Instant>) {
        let mut select = Select::new();
        select.recv(&self.mailbox.control);
        select.recv(&self.mailbox.inbox);
        match self.wake_at.map(|(_, at)| at).into_iter().chain(next_slice).min() {
            None => {
                select.ready();
            }
            Some(at) => {
                // A time-out is seen by the next turn.
                let _ = select.ready_deadline(at);
            }
        }
    }
}

mod search;
#[cfg(test)]
mod tests;
