//! A node's thread: it hands the node its inputs, carries out its wishes, and searches for proofs in between.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Select, TryRecvError};

use super::{
    clock::{Clock, instant},
    error::DownCause,
    member::{Control, HashRate, Mailbox, Member, State},
    question::Reply,
    settle::Liveness,
    shared::Shared,
    spin::spin_until,
};
use crate::{
    blockchain::Blockchain,
    command::{Command, Ticket},
    event::{Event, Happening},
    mempool::LossReason,
    message::{Message, NodeId},
    node::{Effect, Input, Node, SearchId},
    pow::Search,
    time::Time,
};

/// How long a slice of a search takes: the longest that an input waits.
const SLICE: Duration = Duration::from_millis(1);
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
    /// What is searched for, and the search itself once its first slice has begun.
    search: Option<(SearchId, Option<Search>)>,
    pace: Pace,
    /// When the node wishes to be woken, by its own clock and by ours.
    wake_at: Option<(Time, Instant)>,
    hash_rate: HashRate,
    /// When a limited rate lets it search again.
    next_slice: Option<Instant>,
    /// How many messages have been read.
    messages_read: u64,
    /// The peers whose links have come up, and how many messages are to be read first.
    links_up: VecDeque<(u64, NodeId)>,
    /// The chain and the number of peers that the others know of.
    stands: (Blockchain, usize),
    /// The time of the last input.
    last_time: Time,
    effects: Vec<Effect>,
}

/// Starts the thread of a node that was down.
pub(super) fn start_worker(
    node: Node,
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    mailbox: Mailbox,
) -> io::Result<()> {
    let left = node.snapshot();
    shared.stand(member.id, |standing| {
        standing.liveness = Liveness::Live;
        standing.chain = left.chain.clone();
    });
    start_thread(node, shared, member, mailbox).inspect_err(|_| {
        member.set_state(State::Down(DownCause::Crashed, left));
        shared.set_liveness(member.id, Liveness::Down);
    })
}

/// Starts the thread of a node, for whoever joins it through its member.
pub(super) fn start_thread(
    node: Node,
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    mailbox: Mailbox,
) -> io::Result<()> {
    let worker = Worker::new(node, Arc::clone(shared), Arc::clone(member), mailbox);
    let thread = thread::Builder::new().name(member.name.to_string()).spawn(|| worker.run())?;
    *member.thread.lock() = Some(thread);
    Ok(())
}

impl Worker {
    fn new(node: Node, shared: Arc<Shared>, member: Arc<Member>, mailbox: Mailbox) -> Self {
        Self {
            stands: (node.chain().clone(), node.peers().len()),
            clock: shared.clock.clone(),
            node,
            shared,
            member,
            mailbox,
            replies: Vec::new(),
            next_ticket: 0,
            search: None,
            pace: Pace::default(),
            wake_at: None,
            hash_rate: HashRate::default(),
            next_slice: None,
            messages_read: 0,
            links_up: VecDeque::new(),
            last_time: Time::UNIX_EPOCH,
            effects: Vec::new(),
        }
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
        let cause = cause.unwrap_or_else(|payload| DownCause::Panicked(panic_message(&*payload)));
        self.go_down(cause);
    }

    fn go_down(&mut self, cause: DownCause) {
        let what = match &cause {
            DownCause::ShutDown => None,
            DownCause::Crashed => Some(Happening::Crashed),
            DownCause::Panicked(message) => Some(Happening::Panicked { message: message.clone() }),
        };
        if let Some(what) = what {
            // The clock of a node that panicked may be what panicked.
            let record =
                |what| self.shared.record(Event { time: self.last_time, node: self.node.id(), what });
            record(what);
            for transaction in self.node.mempool().iter().cloned() {
                record(Happening::Lost { transaction, reason: LossReason::Crashed });
            }
        }
        let mut left = self.node.snapshot();
        if cause != DownCause::ShutDown {
            self.shared.carrier.conditions().links.crash(self.node.id());
            // What is on the disk survives a crash, and pending transactions are not.
            left.pending.clear();
        }
        // Whoever waits for an answer finds out only when the worker is dropped, and can then read the cause.
        self.member.set_state(State::Down(cause, left));
        self.shared.stand(self.node.id(), |standing| {
            standing.liveness = Liveness::Down;
            standing.chain = self.node.chain().clone();
        });
    }

    /// Does what there is to do once round: all commands that wait, some messages, a deadline, a slice; waits if that was
    /// nothing. Returns why the thread is to end.
    fn turn(&mut self) -> Option<DownCause> {
        // Those that come meanwhile are for the next turn: callers that never pause must not hold up the search.
        let commands = self.mailbox.control.len();
        for _ in 0..commands.max(1) {
            match self.mailbox.control.try_recv() {
                Ok(Control::Pause(standing_still)) => {
                    drop(standing_still);
                    match self.stand_still() {
                        Some(cause) => return Some(cause),
                        None => continue,
                    }
                }
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
        let next_slice = self.search.as_ref().and(self.next_slice);
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
                let Ok((from, message)) = self.mailbox.inbox.try_recv() else { break };
                self.member.count_out(from);
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
        while let Some((_, peer)) = self.links_up.pop_front_if(|(after, _)| *after <= self.messages_read) {
            self.handle(self.now(), Input::LinkUp(peer));
            if instant() >= end {
                break;
            }
        }
    }

    fn controlled(&mut self, control: Control) {
        match control {
            Control::Command(command, reply) => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.replies.push((ticket, reply));
                self.handle(self.now(), Input::Command(ticket, command));
            }
            Control::HashRate(rate) => {
                self.hash_rate = rate;
                self.next_slice = None;
            }
            Control::LinksUp(peers) => {
                // First what was sent before: it may tell of blocks that the peer has lost since.
                let after = self.messages_read + self.mailbox.inbox.len() as u64;
                self.links_up.extend(peers.into_iter().map(|peer| (after, peer)));
            }
            Control::Pause(_) | Control::Resume | Control::End(_) => {}
        }
    }

    /// Waits for the end of a pause; returns why the thread is to end, if it is.
    fn stand_still(&mut self) -> Option<DownCause> {
        loop {
            match self.mailbox.control.recv() {
                Ok(Control::Resume) => return None,
                Ok(Control::End(cause)) => return Some(cause),
                // Whoever saves the network looks at what stands still too. Other commands are not given to it.
                Ok(control @ Control::Command(Command::Snapshot, _)) => self.controlled(control),
                Ok(_) => {}
                Err(_) => return Some(DownCause::ShutDown),
            }
        }
    }

    fn now(&self) -> Time {
        self.clock.now(self.node.id())
    }

    fn handle(&mut self, now: Time, input: Input) {
        self.last_time = now;
        let mut effects = std::mem::take(&mut self.effects);
        self.node.handle(now, input, &mut effects);
        // Before anybody is answered or told, and together: whoever hears of a change in one way finds it in the others.
        let has_changed =
            !self.node.chain().is_same_copy(&self.stands.0) || self.node.peers().len() != self.stands.1;
        if has_changed {
            self.stands = (self.node.chain().clone(), self.node.peers().len());
        }
        let (shared, node) = (&self.shared, &self.node);
        let record_events = |effects: &mut Vec<Effect>| {
            for effect in effects.extract_if(.., |effect| matches!(effect, Effect::Event(_))) {
                if let Effect::Event(what) = effect {
                    shared.record(Event { time: now, node: node.id(), what });
                }
            }
        };
        if has_changed {
            shared.stand(node.id(), |standing| {
                standing.chain = node.chain().clone();
                standing.peers = node.peers().to_vec();
                record_events(&mut effects);
            });
        } else {
            record_events(&mut effects);
        }
        for effect in effects.drain(..) {
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
            Effect::Search(id, _) => self.search = Some((id, None)),
            Effect::StopSearch => self.search = None,
            Effect::WakeAt(time) => self.wake_at = time.map(|time| (time, instant() + (time - now))),
            Effect::Answer(ticket, answer) => {
                if let Ok(place) = self.replies.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
                    let (_, reply) = self.replies.remove(place);
                    reply.answer(answer);
                }
            }
            Effect::Event(_) => unreachable!("events are recorded before the other wishes"),
        }
    }

    /// Searches for about a millisecond.
    fn slice(&mut self) {
        let Some((id, search)) = &mut self.search else { return };
        let id = *id;
        // Only now, so that a flood of transactions, each of which is to go into the block, makes no more templates than
        // there are slices.
        let search = search.get_or_insert_with(|| {
            let now = self.clock.now(self.node.id());
            let template = self.node.template(now, id).expect("the node searches until it says otherwise");
            Search::new(template.challenge, template.target)
        });
        let before = search.attempts();
        let start = instant();
        let budget = match self.hash_rate {
            HashRate::Unlimited => self.pace.attempts(),
            HashRate::PerMillisecond(attempts) => {
                // A late slice makes up for what was missed, up to ten milliseconds.
                let oldest = start.checked_sub(10 * SLICE).unwrap_or(start);
                let due = self.next_slice.unwrap_or(start).max(oldest);
                let periods = 1 + (start - due).as_millis() as u32;
                self.next_slice = Some(due + SLICE * periods);
                attempts.saturating_mul(u64::from(periods)).min(self.pace.attempts())
            }
        };
        let result = search.run(budget);
        let attempts = search.attempts() - before;
        if attempts == self.pace.attempts() {
            // What ended early says little about speed.
            self.pace.observe(attempts, start.elapsed());
        }
        self.member.attempts.fetch_add(attempts, Ordering::Relaxed);
        self.member.slices.fetch_add(1, Ordering::Relaxed);
        let input = match result {
            Ok(None) => return,
            Ok(Some(proof)) => Input::Found(id, proof),
            Err(exhausted) => Input::Exhausted(id, exhausted),
        };
        self.search = None;
        self.handle(self.now(), input);
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

/// How many attempts fill a slice.
struct Pace {
    /// The most attempts a second seen lately: other threads can only make it less, and a slice is a millisecond of
    /// this thread's own time.
    fastest: f64,
}

impl Default for Pace {
    fn default() -> Self {
        // The first slice is short and finds out.
        Self { fastest: 1e6 }
    }
}

impl Pace {
    fn attempts(&self) -> u64 {
        (self.fastest * SLICE.as_secs_f64()) as u64
    }

    fn observe(&mut self, attempts: u64, elapsed: Duration) {
        let observed = attempts as f64 / elapsed.as_secs_f64().max(1e-6);
        // A misread clock is forgotten after some hundred slices.
        self.fastest = observed.max(0.99 * self.fastest).max(1e5);
    }
}

/// What a thread panicked with.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
