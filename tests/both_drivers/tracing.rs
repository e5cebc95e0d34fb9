//! The trace of messages: each that is sent is told of once, whatever becomes of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chainlab::{
    Driver, Event, Happening, LossCause, Message, MessageKind, MessageName, Network, NetworkOf, NodeId,
    Passage, Rules, Simulation, Transaction,
    wire::{Latency, Link, MessageLoss, Verdict},
};
use parking_lot::Mutex;

use crate::lab::PATIENCE;

type Sent = BTreeMap<(NodeId, NodeId, MessageKind), usize>;

/// What an event's message is about.
fn kind(name: MessageName) -> MessageKind {
    match name {
        MessageName::ChainRequest | MessageName::Chain => MessageKind::Chains,
        MessageName::Inventory
        | MessageName::TransactionsRequest
        | MessageName::Transactions
        | MessageName::AcknowledgeInventory
        | MessageName::InventoryRequest => MessageKind::Transactions,
        _ => MessageKind::Blocks,
    }
}

/// Waits until no message is under way, and returns the trace. All links are up then.
fn trace<D: Driver>(network: &NetworkOf<D>, events: &D::Events) -> Vec<(Event, Passage)> {
    let mut trace = Vec::new();
    let mut is_done = false;
    while !is_done {
        let is_all = || network.report().messages.sent == trace.len() as u64;
        // Who has got a message may have yet to read it. Whoever answers twice has done so, and sent all that came of it.
        is_done = is_all() && {
            let nodes = network.nodes();
            nodes.iter().chain(&nodes).for_each(|node| drop(network.snapshot(*node)));
            is_all()
        };
        let timeout = Duration::from_millis(if is_done { 0 } else { 10 });
        while let Some(event) = network.next_event(events, timeout) {
            if let Happening::Message(passage) = &event.what {
                let passage = passage.clone();
                trace.push((event, passage));
            }
        }
    }
    trace
}

fn count(trace: &[(Event, Passage)], lost: Option<LossCause>) -> u64 {
    trace.iter().filter(|(_, passage)| passage.lost == lost).count() as u64
}

/// A judge that lets everything pass sees every message, as an observer that has nothing to do with the trace.
fn every_message_is_traced_once<D: Driver>(network: &NetworkOf<D>) {
    let sent = Arc::new(Mutex::new(Sent::new()));
    let counted = Arc::clone(&sent);
    network.set_judge(move |from, to, message: &Message| {
        *counted.lock().entry((from, to, message.kind())).or_default() += 1;
        Verdict::Pass
    });
    network.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(2))));
    network.set_tracing(true);
    let events = network.events();
    let nodes: Vec<_> = (0..4).map(|_| network.spawn().unwrap()).collect();
    for pair in nodes.windows(2) {
        network.connect(pair[0], pair[1]).unwrap();
    }
    let mut tips = Vec::new();
    for round in 0..3 {
        network.mine(nodes[round]).unwrap();
        network.settle(PATIENCE).unwrap();
        tips.push(network.chain(nodes[3]).unwrap().tip_hash());
        let payment = Transaction::new(&*network.address(nodes[round]).unwrap(), "bob", 1).with_nonce(0);
        network.submit(nodes[round], payment.clone()).unwrap();
    }
    let trace = trace(network, &events);
    let mut traced = Sent::new();
    for (event, passage) in &trace {
        *traced.entry((passage.from, event.node, kind(passage.kind))).or_default() += 1;
        assert!(event.time >= passage.sent + Duration::from_millis(2), "{event:?}");
        assert_eq!(passage.lost, None);
    }
    assert_eq!(traced, *sent.lock());
    for tip in tips {
        let of_block = |(_, passage): &&(Event, Passage)| {
            passage.kind == MessageName::NewBlock && passage.block == Some(tip)
        };
        assert!(trace.iter().filter(of_block).count() >= 3, "each of three others was told of it");
    }
    let names =
        |name| trace.iter().any(|(_, passage)| passage.kind == name && passage.transactions.len() == 1);
    assert!(
        [MessageName::Inventory, MessageName::TransactionsRequest, MessageName::Transactions].map(names)
            == [true; 3]
    );
}

/// A message is told of before what it brings about.
fn a_passage_comes_before_what_it_brings_about<D: Driver>(network: &NetworkOf<D>) {
    network.set_tracing(true);
    let events = network.events();
    let [alice, bob] = [(); 2].map(|()| network.spawn().unwrap());
    network.connect(alice, bob).unwrap();
    for _ in 0..20 {
        network.mine(alice).unwrap();
    }
    network.settle(PATIENCE).unwrap();
    let (mut told, mut accepted) = (Vec::new(), 0);
    while accepted < 20 {
        let event = network.next_event(&events, PATIENCE).expect("bob accepts 20 blocks");
        match event.what {
            Happening::Message(Passage { block: Some(block), .. }) if event.node == bob => told.push(block),
            Happening::Accepted { block, .. } => {
                assert!(told.contains(&block), "{block}");
                accepted += 1;
            }
            _ => {}
        }
    }
}

/// Messages get lost for every reason, and each says why.
fn what_is_lost_says_why<D: Driver>(network: &NetworkOf<D>) {
    let slow = Link::default().with_latency(Latency::fixed(Duration::from_millis(2)));
    network.set_default_link(slow);
    network.set_tracing(true);
    let (events, seen) = (network.events(), network.events());
    let [alice, bob, carol, dave] = [(); 4].map(|()| network.spawn().unwrap());
    for peer in [bob, carol, dave] {
        network.connect(alice, peer).unwrap();
    }
    network.set_link(alice, bob, slow.with_loss(1.0).unwrap()).unwrap();
    network.partition([[carol]]).unwrap();
    network.crash(dave).unwrap();
    // Whoever answers has sent all that came before.
    let mine = || (network.mine(alice).unwrap(), network.snapshot(alice).unwrap());
    mine();
    network.set_judge(|_, _, _| Verdict::Drop);
    mine();
    network.clear_judge();
    network.heal();
    network.set_link(alice, bob, slow).unwrap();
    // Dave is to be down until something has come to him.
    let is_missed =
        |event: Event| matches!(event.what, Happening::Message(Passage { lost: Some(LossCause::Down), .. }));
    while !is_missed(network.next_event(&seen, PATIENCE).expect("the first block is told to all")) {}
    network.restart(dave, chainlab::network::RestartFrom::Chain).unwrap();
    network.settle(PATIENCE).unwrap();
    let trace = trace(network, &events);
    let messages = network.report().messages;
    let lost = |loss| messages.lost.get(&loss).copied().unwrap_or(0);
    for (cause, counted) in [
        (LossCause::Link, lost(MessageLoss::Loss)),
        (LossCause::Partition, lost(MessageLoss::Partition)),
        (LossCause::Judge, lost(MessageLoss::Verdict)),
        (LossCause::Down, messages.missed),
    ] {
        assert!(counted > 0, "{cause:?}");
        assert_eq!(count(&trace, Some(cause)), counted, "{cause:?}");
    }
    assert_eq!(count(&trace, None), messages.delivered);
    let at = |cause| {
        trace.iter().filter(move |(_, passage)| passage.lost == Some(cause)).map(|(event, _)| event.node)
    };
    assert!(at(LossCause::Link).all(|node| node == bob) && at(LossCause::Down).all(|node| node == dave));
}

/// What a crash takes with it is told of when it would have arrived, and what a puppet says is told of as all else.
fn a_crash_loses_what_is_under_way<D: Driver>(network: &NetworkOf<D>) {
    network.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(200))));
    let alice = network.spawn().unwrap();
    let puppet = network.puppet().unwrap();
    network.set_tracing(true);
    let events = network.events();
    network.hold(puppet, alice).unwrap();
    network.say(puppet, alice, Message::ChainRequest { request: chainlab::RequestId(1) }).unwrap();
    network.crash(alice).unwrap();
    network.release(puppet, alice);
    let trace = trace(network, &events);
    let [(event, passage)] = &*trace else { panic!("one message was sent: {trace:?}") };
    assert_eq!((event.node, passage.from), (alice, puppet));
    assert_eq!((passage.kind, passage.lost), (MessageName::ChainRequest, Some(LossCause::Crash)));
    assert_eq!(network.report().nodes.len(), 1, "the puppet is no node for having been cut off or told of");
}

/// Each node and puppet is told of a partition, and of its end.
fn all_are_told_of_a_partition<D: Driver>(network: &NetworkOf<D>) {
    let [alice, bob] = [(); 2].map(|()| network.spawn().unwrap());
    let puppet = network.puppet().unwrap();
    let events = network.events();
    network.partition([[bob]]).unwrap();
    network.heal();
    for (what, nodes) in [
        ([0, 1, 0].map(|group| Happening::Partitioned { group }), [alice, bob, puppet]),
        ([(); 3].map(|()| Happening::Healed), [alice, bob, puppet]),
    ] {
        for (what, node) in what.into_iter().zip(nodes) {
            let event = network.next_event(&events, PATIENCE).unwrap();
            assert_eq!((event.node, event.what), (node, what));
        }
    }
    assert_eq!(network.report().nodes.len(), 2);
}

/// A puppet that does not read drops what comes to it, and is no node for that.
fn what_a_puppet_drops_is_nothing_to_report_on<D: Driver>(network: &NetworkOf<D>) {
    let alice = network.spawn().unwrap();
    let [puppet, other] = [(); 2].map(|()| network.puppet().unwrap());
    let events = network.events();
    for number in 0..1_100 {
        network.say(puppet, other, Message::ChainRequest { request: chainlab::RequestId(number) }).unwrap();
    }
    let dropped = |event: &Event| event.node == other && event.what == Happening::Dropped { from: puppet };
    while !dropped(&network.next_event(&events, PATIENCE).expect("there is no room for all")) {}
    network.mine(alice).unwrap();
    let report = network.report();
    assert_eq!((report.nodes.len(), report.propagation.pairs), (1, 0), "{report}");
    assert!(report.messages.dropped > 0);
}

fn nothing_is_traced_unasked<D: Driver>(network: &NetworkOf<D>) {
    let events = network.events();
    let [alice, bob] = [(); 2].map(|()| network.spawn().unwrap());
    network.connect(alice, bob).unwrap();
    network.mine(alice).unwrap();
    network.settle(PATIENCE).unwrap();
    // Whoever answers has sent what it has to say of the block.
    [alice, bob].iter().for_each(|node| drop(network.snapshot(*node)));
    network.set_tracing(true);
    network.set_tracing(false);
    network.mine(bob).unwrap();
    network.settle(PATIENCE).unwrap();
    while let Some(event) = network.next_event(&events, Duration::ZERO) {
        assert!(!matches!(event.what, Happening::Message(_)), "{event:?}");
    }
}

macro_rules! under_both {
    ($($test:ident)*) => {$(
        #[test]
        fn $test() {
            super::$test(&driver());
        }
    )*};
}

macro_rules! all_tests {
    () => {
        under_both! {
            every_message_is_traced_once
            a_passage_comes_before_what_it_brings_about
            what_is_lost_says_why
            a_crash_loses_what_is_under_way
            all_are_told_of_a_partition
            what_a_puppet_drops_is_nothing_to_report_on
            nothing_is_traced_unasked
        }
    };
}

mod threads {
    fn driver() -> super::Network {
        super::Network::new(super::Rules::sealed())
    }
    all_tests!();
}

mod simulated {
    fn driver() -> super::Simulation {
        super::Simulation::new(super::Rules::sealed(), 5)
    }
    all_tests!();
}
