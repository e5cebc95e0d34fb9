//! A node's thread: it hands the node its inputs, carries out its wishes, and searches for proofs in between.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use crossbeam_channel::{Select, Sender, TryRecvError};

use super::{
    clock::instant,
    error::DownCause,
    member::{Control, Mailbox, Member, State},
    shared::Shared,
};
use crate::{
    command::{Answer, Ticket},
    event::Event,
    node::{Effect, Input, Node, SearchId},
    pow::Search,
    time::Time,
};

/// How long a slice of a search takes: the longest that an input waits.
const SLICE: Duration = Duration::from_millis(1);
/// How many messages are read at a time: a flood must not hold up commands and the search.
const BATCH: usize = 64;

pub(super) struct Worker {
    node: Node,
    shared: Arc<Shared>,
    member: Arc<Member>,
    mailbox: Mailbox,
    /// Who waits for the answers.
    replies: BTreeMap<Ticket, Sender<Answer>>,
    next_ticket: u64,
    search: Option<(SearchId, Search)>,
    pace: Pace,
    /// When the node wishes to be woken, by its own clock and by ours.
    wake_at: Option<(Time, Instant)>,
    effects: Vec<Effect>,
}

impl Worker {
    pub(super) fn new(node: Node, shared: Arc<Shared>, member: Arc<Member>, mailbox: Mailbox) -> Self {
        Self {
            node,
            shared,
            member,
            mailbox,
            replies: BTreeMap::new(),
            next_ticket: 0,
            search: None,
            pace: Pace::default(),
            wake_at: None,
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
        // Whoever waits for an answer finds out only when the worker is dropped, and can then read the cause.
        let mut last = self.node.snapshot();
        if cause != DownCause::ShutDown {
            // A node that crashes keeps what would be on its disk.
            last.pending.clear();
        }
        self.member.set_state(State::Down(cause, last));
    }

    /// Does what there is to do once round: all commands, some messages, a deadline, a slice; waits if that was
    /// nothing. Returns why the thread is to end.
    fn turn(&mut self) -> Option<DownCause> {
        loop {
            match self.mailbox.control.try_recv() {
                Ok(Control::Command(command, reply)) => {
                    self.next_ticket += 1;
                    let ticket = Ticket(self.next_ticket);
                    self.replies.insert(ticket, reply);
                    self.handle(self.now(), Input::Command(ticket, command));
                }
                Ok(Control::End(cause)) => return Some(cause),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Some(DownCause::ShutDown),
            }
        }
        for _ in 0..BATCH {
            let Ok((from, message)) = self.mailbox.inbox.try_recv() else { break };
            self.member.count_out(from);
            self.handle(self.now(), Input::Message(from, message));
        }
        if let Some((time, _)) = self.wake_at.take_if(|(_, at)| *at <= instant()) {
            // A clock of the caller's may stand still; the time that was waited for has come all the same.
            self.handle(self.now().max(time), Input::Wake);
        }
        if self.search.is_some() {
            self.slice();
        } else {
            self.wait();
        }
        None
    }

    fn now(&self) -> Time {
        self.shared.clock.now(self.node.id())
    }

    fn handle(&mut self, now: Time, input: Input) {
        let mut effects = std::mem::take(&mut self.effects);
        self.node.handle(now, input, &mut effects);
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
            Effect::Search(id, template) => {
                self.search = Some((id, Search::new(template.challenge, template.target)));
            }
            Effect::StopSearch => self.search = None,
            Effect::WakeAt(time) => self.wake_at = time.map(|time| (time, instant() + (time - now))),
            Effect::Answer(ticket, answer) => {
                if let Some(reply) = self.replies.remove(&ticket) {
                    // Whoever asked may have given up.
                    let _ = reply.send(answer);
                }
            }
            Effect::Event(what) => self.shared.record(Event { time: now, node, what }),
        }
    }

    /// Searches for about a millisecond.
    fn slice(&mut self) {
        let Some((id, search)) = &mut self.search else { return };
        let id = *id;
        let before = search.attempts();
        let start = instant();
        let result = search.run(self.pace.attempts());
        let attempts = search.attempts() - before;
        self.pace.observe(attempts, start.elapsed());
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

    /// Blocks until there is something to read, or a deadline.
    fn wait(&self) {
        let mut select = Select::new();
        select.recv(&self.mailbox.control);
        select.recv(&self.mailbox.inbox);
        match self.wake_at {
            None => {
                select.ready();
            }
            Some((_, at)) => {
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
        // What ended early says little about speed.
        if attempts == self.attempts() {
            let observed = attempts as f64 / elapsed.as_secs_f64().max(1e-6);
            // A misread clock is forgotten after some hundred slices.
            self.fastest = observed.max(0.99 * self.fastest).max(1e5);
        }
    }
}

/// What a thread panicked with.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
