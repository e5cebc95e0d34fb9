//! Turns of a worker taken by hand, without its thread.

use std::{
    ops::{Deref, DerefMut},
    sync::{LazyLock, OnceLock, atomic::Ordering},
    time::Duration,
};

use super::*;
use crate::{
    Genesis, Limits, Relay, RequestId, Rules, Told,
    command::Answer,
    network::{
        Clock, Config, Network,
        mailbox::{self, Line, Reception},
        question::{Question, ReplyChannels},
    },
    pow::Target,
    strategy::Behaviour,
};

const PEER: NodeId = NodeId::new(1);

/// A worker whose turns are taken by hand, at a target that it does not meet. Its peer is a node that is not there.
struct ByHand {
    worker: Worker,
    line: Arc<Line>,
}

impl Deref for ByHand {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        &self.worker
    }
}

impl DerefMut for ByHand {
    fn deref_mut(&mut self) -> &mut Worker {
        &mut self.worker
    }
}

fn worker() -> ByHand {
    worker_with(Clock::wall())
}

/// One whose node listens to gossip.
fn gossiping_worker() -> ByHand {
    let genesis = Genesis::Shared { time: None, allocations: Default::default() };
    worker_by(Rules { relay: Relay::Push, genesis, ..rules() }, Clock::wall())
}

fn worker_with(clock: Clock) -> ByHand {
    worker_by(rules(), clock)
}

fn rules() -> Rules {
    let target = Target::leading_zero_bits(120);
    Rules::notebook().with_first_target(target)
}

fn worker_by(rules: Rules, clock: Clock) -> ByHand {
    let limits = Limits { resolve_timeout: Duration::from_millis(200), ..Limits::default() };
    let network = Network::with_config(rules, Config { clock, limits, ..Config::default() });
    let shared = Arc::clone(&network.driver.shared);
    let id = NodeId::new(0);
    let member = Arc::new(Member::new(id, "by hand".into(), "address".into(), Behaviour::default(), None));
    let (line, mailbox) = mailbox::open(shared.inbox_room);
    let node = Node::with_config(shared.node_config(&member), shared.clock.now(id)).unwrap();
    shared.nodes.change(|table| {
        // To the network, which ends here, it is no node that has a thread to be ended.
        table.rows.push(Row { state: State::Puppet, chain: node.chain().clone(), peers: Vec::new() });
        table.members.push(Arc::clone(&member));
        table.lines.push(None);
    });
    let worker = Worker::new(node, shared, member, mailbox);
    ByHand { worker, line: Arc::new(line) }
}

fn ask(line: &Line, control: impl FnOnce(Reply) -> Control) -> Question<'static> {
    static CHANNELS: LazyLock<ReplyChannels> = LazyLock::new(ReplyChannels::default);
    let (question, reply) = Question::new(&CHANNELS);
    line.control.send(control(reply)).unwrap();
    question
}

impl ByHand {
    fn put(&self, command: Command) -> Question<'static> {
        ask(&self.line, |reply| Control::Command(command, reply))
    }

    /// Puts more into the inbox than one turn reads, so that it does not wait for more.
    fn keep_from_waiting(&self) {
        self.flood(BATCH + 1);
    }

    fn slices(&self) -> u64 {
        self.member.slices.load(Ordering::Relaxed)
    }

    fn deliver(&self, from: NodeId, message: Message) -> Reception {
        let bytes = message.size();
        self.line.inbox.deliver(from, message, bytes)
    }

    fn flood(&self, count: usize) {
        for number in 0..count {
            let request = RequestId(number as u64);
            assert_eq!(self.deliver(PEER, Message::ChainRequest { request }), Reception::Delivered);
        }
    }
}

#[test]
fn a_command_waits_for_no_further_slice_than_the_one_under_way() {
    let mut worker = worker();
    let mined = worker.put(Command::Mine);
    assert_eq!(worker.turn(), None);
    assert_eq!(worker.slices(), 1);
    for _ in 0..50 {
        let before = worker.slices();
        let answer = worker.put(Command::Chain);
        assert_eq!(worker.turn(), None);
        assert!(matches!(answer.answer(), Ok(Answer::Chain(_))));
        assert_eq!(worker.slices(), before + 1, "one slice a turn");
    }
    // What ends the search shows that commands come before the slice.
    let before = worker.slices();
    let stopped = worker.put(Command::StopMining);
    worker.keep_from_waiting();
    assert_eq!(worker.turn(), None);
    assert!(stopped.has_answer() && mined.has_answer());
    assert_eq!(worker.slices(), before);
}

/// At a thousand attempts a second one slice is enough for a second, and the next for as long as all before it.
#[test]
fn a_slow_miner_sleeps_until_what_it_has_tried_is_due() {
    let mut worker = worker();
    ask(&worker.line, |reply| Control::StartMining(HashRate::per_second(1e3).unwrap(), reply));
    assert_eq!(worker.turn(), None);
    // It was told of the search in this turn, and the first attempt is due in a millisecond.
    while worker.slices() == 0 {
        worker.put(Command::Pending);
        assert_eq!(worker.turn(), None);
    }
    let began = worker.search_began.unwrap();
    let next = worker.next_slice().unwrap();
    // It may have made up for a tenth of a second.
    assert!(next - began > Duration::from_millis(800), "{:?}", next - began);
    // Whatever comes meanwhile, it searches no more.
    worker.flood(10 * BATCH + 1);
    for _ in 0..10 {
        assert_eq!(worker.turn(), None);
    }
    assert!(worker.slices() == 1 || instant() >= next);
    // The attempts count when they are due, and never before.
    let attempts = worker.member.effort.lock().attempts(began + Duration::from_millis(100));
    assert!((99..=202).contains(&attempts) || worker.slices() != 1, "{attempts}");
    worker.put(Command::StopMining);
    worker.keep_from_waiting();
    assert_eq!(worker.turn(), None);
    assert!(worker.next_slice().is_none());
}

#[test]
fn the_end_comes_before_a_further_slice() {
    let mut worker = worker();
    worker.put(Command::Mine);
    worker.line.control.send(Control::End(DownCause::ShutDown)).unwrap();
    assert_eq!(worker.turn(), Some(DownCause::ShutDown));
    assert_eq!(worker.slices(), 0);
}

#[test]
fn a_flood_of_messages_holds_up_neither_commands_nor_the_search() {
    let mut worker = worker();
    worker.put(Command::Mine);
    worker.flood(1000);
    for turn in 1..=10 {
        let answer = worker.put(Command::Pending);
        assert_eq!(worker.turn(), None);
        assert!(answer.has_answer());
        assert_eq!(worker.slices(), turn);
        assert_eq!(worker.mailbox.inbox.len(), 1000 - turn as usize * BATCH);
    }
}

/// A message that takes longer than a slice, on any machine: five megabytes to be parsed.
fn long_message() -> Message {
    let text = format!("[{}", "1, ".repeat(5_000_000 / 3));
    Message::NewBlock(Told::Document(text.into()))
}

#[test]
fn a_batch_of_long_messages_ends_with_the_slice() {
    let mut worker = gossiping_worker();
    worker.put(Command::Mine);
    for _ in 0..5 {
        assert_eq!(worker.deliver(PEER, long_message()), Reception::Delivered);
    }
    for left in (0..5).rev() {
        let answer = worker.put(Command::Pending);
        assert_eq!(worker.turn(), None);
        assert!(answer.has_answer());
        assert_eq!((worker.slices(), worker.mailbox.inbox.len()), (5 - left as u64, left));
    }
}

/// A peer may have lost blocks that it told of before its link came up again, but not before what it said is read.
#[test]
fn a_link_that_comes_up_waits_for_what_was_sent_before_and_holds_up_nobody() {
    let mut worker = gossiping_worker();
    worker.put(Command::Mine);
    for _ in 0..2 {
        worker.deliver(PEER, long_message());
    }
    worker.line.control.send(Control::LinksUp(vec![PEER, NodeId::new(2)])).unwrap();
    assert_eq!(worker.turn(), None);
    worker.deliver(PEER, long_message());
    assert_eq!((worker.slices(), worker.mailbox.inbox.len(), worker.links_up.len()), (1, 2, 2));
    // It is told of after what came before it, and not after what comes later.
    while worker.mailbox.inbox.len() > 1 {
        assert_eq!(worker.turn(), None);
    }
    assert!(worker.links_up.len() < 2);
    while !worker.links_up.is_empty() {
        assert_eq!(worker.turn(), None);
    }
}

/// The clock, which is read for every input, plays a caller that has the next command ready at once.
#[test]
fn a_flood_of_commands_does_not_hold_up_the_search() {
    let caller: Arc<OnceLock<Arc<Line>>> = Arc::default();
    let reader = Arc::clone(&caller);
    let mut worker = worker_with(Clock::given(move |_| {
        if let Some(line) = reader.get() {
            ask(line, |reply| Control::Command(Command::Chain, reply));
        }
        Time::from_secs(1)
    }));
    worker.put(Command::StartMining);
    assert_eq!(worker.turn(), None);
    caller.set(Arc::clone(&worker.line)).unwrap();
    worker.put(Command::Chain);
    for turn in 2..=10 {
        assert_eq!(worker.turn(), None);
        assert_eq!((worker.slices(), worker.mailbox.control.len()), (turn, 1));
    }
}

/// What is over the bound is dropped; what is read makes room.
#[test]
fn each_senders_unread_messages_are_bounded() {
    let mut worker = worker();
    worker.put(Command::StartMining);
    let most = worker.shared.inbox_room.messages as usize;
    worker.flood(most);
    let request = RequestId(0);
    assert_eq!(worker.deliver(PEER, Message::ChainRequest { request }), Reception::Dropped);
    assert_eq!(worker.deliver(NodeId::new(2), Message::ChainRequest { request }), Reception::Delivered);
    assert_eq!(worker.mailbox.inbox.len(), most + 1);
    assert_eq!(worker.turn(), None);
    worker.flood(BATCH);
    assert_eq!(worker.deliver(PEER, Message::ChainRequest { request }), Reception::Dropped);
}

#[test]
fn an_idle_node_has_no_deadline() {
    let mut worker = worker();
    assert!(worker.wake_at.is_none());
    worker.put(Command::Register(vec![PEER]));
    let resolved = worker.put(Command::Resolve);
    // The peer stays silent, so that this turn ends with the deadline, and the next begins with it.
    assert_eq!(worker.turn(), None);
    assert!(!resolved.has_answer() && worker.wake_at.is_some());
    worker.keep_from_waiting();
    assert_eq!(worker.turn(), None);
    assert!(resolved.has_answer());
    assert!(worker.wake_at.is_none());
}

#[test]
fn a_slice_is_a_millisecond_at_the_fastest_pace_seen() {
    let mut pace = Pace::default();
    let first = pace.attempts();
    pace.observe(first, Duration::from_micros(50));
    assert_eq!(pace.attempts(), 20 * first);
    // Others had the processor: that says nothing about a millisecond of one's own.
    let attempts = pace.attempts();
    pace.observe(attempts, Duration::from_secs(1));
    assert!(pace.attempts() >= attempts * 98 / 100);
    // What ended early says nothing.
    pace.observe(1, Duration::from_secs(1));
    assert!(pace.attempts() >= attempts * 98 / 100);
    // A clock that stood still does not make a slice endless, and is forgotten.
    let attempts = pace.attempts();
    pace.observe(attempts, Duration::ZERO);
    let misread = pace.attempts();
    for _ in 0..1000 {
        let attempts = pace.attempts();
        pace.observe(attempts, Duration::from_secs_f64(attempts as f64 / 1e6));
    }
    assert!(misread > 1_000_000 && pace.attempts() <= 1100, "{misread}, then {}", pace.attempts());
}
