//! Subscriptions to a network's events, and its report: what a slow subscriber loses, in which order events come, and
//! where they end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use chainlab::{
    Event, Happening, Limits, NodeId, Report, Rules, Time,
    network::{Clock, Config, Events, Identity, Network, RestartFrom},
    pow::Target,
    report::Recorder,
};

/// Far beyond what any of it takes; nothing waits for it unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network in which nobody stops to wait for an answer, however slow the machine is.
fn patient() -> Network {
    let limits = Limits { resolve_timeout: PATIENCE, ..Limits::default() };
    Network::with_config(rules(), Config { limits, ..Config::default() })
}

/// Rules whose proofs are found at once.
fn rules() -> Rules {
    Rules::notebook().with_first_target(Target::leading_zero_bits(4))
}

fn network(nodes: usize) -> (Network, Vec<NodeId>) {
    let network = Network::new(rules());
    let nodes = (0..nodes).map(|_| network.spawn().unwrap()).collect();
    (network, nodes)
}

/// Has every node resolve so many times, all at once: it has no peers, and each time gives one event.
fn resolve_all(network: &Network, nodes: &[NodeId], times: usize) {
    thread::scope(|scope| {
        for &node in nodes {
            scope.spawn(move || (0..times).for_each(|_| drop(network.resolve(node).unwrap())));
        }
    });
}

#[test]
fn a_slow_subscriber_knows_how_much_it_lost_and_holds_nobody_up() {
    let (network, nodes) = network(8);
    let (none, few, all) =
        (network.events_with_capacity(0), network.events_with_capacity(10), network.events());
    resolve_all(&network, &nodes, 100);
    assert_eq!((none.lost(), few.lost(), all.lost()), (800, 790, 0));
    assert_eq!(
        few.try_next().map(|event| event.what),
        Some(Happening::Resolved { replaced: false, silent: 0 })
    );
    network.resolve(nodes[0]).unwrap();
    assert_eq!(few.lost(), 790, "a place was free again");
    network.resolve(nodes[0]).unwrap();
    assert_eq!(few.lost(), 791);
    network.shutdown().unwrap();
    assert_eq!((none.count(), few.count(), all.count()), (0, 10, 802));
}

#[test]
fn what_is_read_and_what_is_lost_is_all_that_happened() {
    let (network, nodes) = network(8);
    let events = network.events_with_capacity(3);
    let read = thread::scope(|scope| {
        // Reads while all write.
        let reader = scope.spawn(|| {
            let mut read = 0;
            while !events.has_ended() {
                read += u64::from(events.next_timeout(PATIENCE).is_some());
            }
            read
        });
        resolve_all(&network, &nodes, 200);
        network.shutdown().unwrap();
        reader.join().unwrap()
    });
    assert_eq!(read + events.lost(), 1600);
    assert!(read >= 3);
}

#[test]
fn each_nodes_events_come_in_order() {
    // Every look at the clock is a moment of its own.
    let ticks = Arc::new(AtomicU64::new(0));
    let clock = Clock::given(move |_| Time::from_nanos(ticks.fetch_add(1, Ordering::Relaxed)));
    let network = Network::with_config(rules(), Config { clock, ..Config::default() });
    let nodes: Vec<_> = (0..8).map(|_| network.spawn().unwrap()).collect();
    let subscriptions = [network.events(), network.events()];
    thread::scope(|scope| {
        for &node in &nodes {
            let network = &network;
            scope.spawn(move || {
                for _ in 0..20 {
                    network.mine(node).unwrap();
                    network.resolve(node).unwrap();
                }
            });
        }
    });
    network.shutdown().unwrap();
    for events in subscriptions {
        let mut by_node: BTreeMap<NodeId, Vec<Event>> = BTreeMap::new();
        events.for_each(|event| by_node.entry(event.node).or_default().push(event));
        assert_eq!(by_node.keys().copied().collect::<Vec<_>>(), nodes);
        for events in by_node.values() {
            assert!(events.is_sorted_by(|earlier, later| earlier.time < later.time));
            let mined = events.iter().filter_map(|event| match event.what {
                Happening::Mined { position, .. } => Some(position),
                _ => None,
            });
            assert!(mined.eq(2..22));
            assert_eq!(events.len(), 40);
        }
    }
}

#[test]
fn a_block_is_mined_before_it_is_accepted() {
    let network = Network::new(Rules::sealed().with_first_target(Target::leading_zero_bits(4)));
    let [alice, bob] = [(); 2].map(|()| network.spawn().unwrap());
    network.connect(alice, bob).unwrap();
    let mut events = network.events();
    for _ in 0..20 {
        network.mine(alice).unwrap();
    }
    let mut mined = Vec::new();
    let accepted_last = events.find_map(|event| match event.what {
        Happening::Mined { block, parent, .. } => {
            assert_eq!(event.node, alice);
            assert!(mined.last().is_none_or(|last| *last == parent), "the block before it was the last");
            mined.push(block);
            None
        }
        Happening::Accepted { block, position, .. } => {
            assert_eq!((event.node, mined.contains(&block)), (bob, true));
            (position == 21).then_some(block)
        }
        _ => None,
    });
    assert_eq!(accepted_last.as_ref(), mined.last());
}

#[test]
fn a_dropped_subscription_loses_nothing_to_the_others() {
    let (network, nodes) = network(1);
    let (dropped, kept) = (network.events_with_capacity(1), network.events());
    network.resolve(nodes[0]).unwrap();
    drop(dropped);
    network.resolve(nodes[0]).unwrap();
    assert!(kept.try_next().is_some() && kept.try_next().is_some());
    assert_eq!((kept.try_next(), kept.lost()), (None, 0));
    assert!(!kept.has_ended());
}

#[test]
fn a_subscription_sees_what_happens_after_it() {
    let (network, nodes) = network(1);
    network.resolve(nodes[0]).unwrap();
    let events = network.events();
    assert_eq!(events.next_timeout(Duration::ZERO), None);
    network.mine(nodes[0]).unwrap();
    let event = events.next_timeout(PATIENCE).expect("the node has mined");
    assert!(matches!(event.what, Happening::Mined { position: 2, .. }));
}

#[test]
fn a_subscription_ends_at_shutdown() {
    let (network, nodes) = network(1);
    let [mut waiting, polling, unread] = [(); 3].map(|()| network.events());
    thread::scope(|scope| {
        // Whoever waits is woken.
        let reader = scope.spawn(move || {
            let events: Vec<_> = waiting.by_ref().collect();
            (events.len(), waiting.next(), waiting.has_ended())
        });
        network.resolve(nodes[0]).unwrap();
        network.shutdown().unwrap();
        assert_eq!(reader.join().unwrap(), (1, None, true));
    });
    assert!(!polling.has_ended(), "one event is to be read");
    assert!(polling.next_timeout(Duration::MAX).is_some());
    assert!(polling.has_ended());
    assert_eq!(polling.next_timeout(Duration::MAX), None, "it does not wait for ever");
    assert!(network.events().has_ended());
    // The network's end is the same.
    drop(network);
    assert_eq!(unread.count(), 1);
}

#[test]
fn a_subscription_may_outlive_its_network_and_change_threads() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let events: Events = {
        let (network, nodes) = network(1);
        let events = network.events();
        network.resolve(nodes[0]).unwrap();
        events
    };
    is_send_and_sync(&events);
    assert_eq!(events.count(), 1);
}

#[test]
fn written_events_give_the_networks_report() {
    let network = Network::new(rules());
    let from_the_start = network.events();
    let spawn =
        |name: &str| network.spawn_as(Identity { name: Some(name.into()), ..Identity::default() }).unwrap();
    let (alice, bob) = (spawn("alice"), spawn("bob"));
    network.register(bob, [alice]).unwrap();
    let (written, best) = thread::scope(|scope| {
        let from_now = network.events();
        let writer = scope.spawn(|| {
            let mut lines = Vec::new();
            from_now.write_to(&mut lines).unwrap();
            lines
        });
        for node in [alice, alice, bob, alice] {
            network.mine(node).unwrap();
        }
        network.resolve(bob).unwrap();
        let carol = spawn("carol");
        network.mine(carol).unwrap();
        let best = network.chain(alice).unwrap();
        network.shutdown().unwrap();
        (writer.join().unwrap(), best)
    });
    let mut from_start = Vec::new();
    from_the_start.write_to(&mut from_start).unwrap();

    let own = network.report();
    let attempts = |node: NodeId| own.nodes[node.index()].attempts;
    for lines in [written, from_start] {
        let recorder = Recorder::read(&*lines).unwrap();
        let report = recorder.report(Time::UNIX_EPOCH, &best, attempts, own.messages.clone());
        assert_eq!(Report { duration: own.duration, ..report }, own);
    }
}

#[test]
fn the_report_of_a_network_sets_shares_beside_each_other() {
    let network = patient();
    let [alice, bob] = ["alice", "bob"]
        .map(|name| network.spawn_as(Identity { name: Some(name.into()), ..Identity::default() }).unwrap());
    network.register(bob, [alice]).unwrap();
    let nothing = network.report();
    assert_eq!((nothing.mined, nothing.stale_rate, nothing.nodes.len()), (0, 0.0, 2));

    for node in [alice, alice, bob, alice] {
        network.mine(node).unwrap();
    }
    let before = network.report();
    assert_eq!((before.mined, before.in_chain, before.stale), (4, 3, 1));

    network.resolve(bob).unwrap();
    network.mine(bob).unwrap();
    let report = network.report();
    assert_eq!((report.mined, report.in_chain, report.stale, report.stale_rate), (5, 4, 1, 0.2));
    let counts = report.nodes.iter().map(|node| (&*node.name, node.mined, node.in_chain, node.chain_share));
    assert!(counts.eq([("alice", 3, 3, 0.75), ("bob", 2, 1, 0.25)]));
    assert!(report.nodes.iter().all(|node| node.attempts >= node.mined));
    let attempts_shares: f64 = report.nodes.iter().map(|node| node.attempts_share).sum();
    assert!((attempts_shares - 1.0).abs() < 1e-9);
    // Bob's own genesis and his block.
    assert_eq!(report.reorganisations, BTreeMap::from([(2, 1)]));
    // Alice's three blocks came to bob in one step; his last is his alone.
    assert_eq!((report.propagation.to_each.count, report.propagation.to_all.count), (3, 3));
    assert!(report.duration >= before.duration);

    network.shutdown().unwrap();
    let last = network.report();
    assert_eq!(last.nodes, report.nodes);
    assert_eq!(last.propagation, report.propagation);
    assert_eq!((last.messages.sent, last.messages.delivered), (2, 2));
}

#[test]
fn a_network_without_nodes_reports_nothing() {
    let report = Network::new(Rules::sealed()).report();
    assert_eq!((report.nodes.len(), report.mined, report.messages.sent), (0, 0, 0));
}

#[test]
fn messages_that_do_not_arrive_are_counted_by_what_became_of_them() {
    use chainlab::{
        Message, RequestId,
        wire::{MessageLoss, Verdict},
    };

    let config = Config { unread_max: 3, ..Config::default() };
    let network = Network::with_config(rules(), config);
    let alice = network.spawn().unwrap();
    let mallory = network.puppet().unwrap();
    let ask =
        |request| network.say(mallory, alice, Message::ChainRequest { request: RequestId(request) }).unwrap();
    // A paused node reads nothing.
    network.pause(alice).unwrap();
    (0..5).for_each(ask);
    let messages = network.report().messages;
    assert_eq!((messages.sent, messages.delivered, messages.dropped), (5, 3, 2));
    network.crash(alice).unwrap();
    (5..7).for_each(ask);
    let messages = network.report().messages;
    assert_eq!((messages.sent, messages.delivered, messages.dropped, messages.missed), (7, 3, 2, 2));
    network.restart(alice, RestartFrom::Chain).unwrap();
    ask(7);
    assert!(network.hear(mallory, PATIENCE).unwrap().is_some(), "nothing of before fills the inbox");
    network.set_judge(|_, _, _| Verdict::Drop);
    ask(8);
    network.shutdown().unwrap();
    let report = network.report();
    assert_eq!(report.messages.lost, BTreeMap::from([(MessageLoss::Verdict, 1)]));
    assert_eq!((report.messages.sent, report.messages.delivered), (10, 5), "with alice's answer");
    assert_eq!((report.crashes, report.restarts, report.nodes.len()), (1, 1, 1), "a puppet is no node");
}

/// Whoever sees what came of a message finds it counted: a receiver may act before its sender goes on.
#[test]
fn a_message_is_counted_before_anything_comes_of_it() {
    let network = patient();
    let nodes: Vec<_> = (0..2).map(|_| network.spawn().unwrap()).collect();
    network.connect(nodes[0], nodes[1]).unwrap();
    for round in 0..2_000 {
        network.resolve(nodes[round % 2]).unwrap();
        let messages = network.report().messages;
        assert_eq!(messages.delivered, messages.sent, "round {round}");
    }
}
