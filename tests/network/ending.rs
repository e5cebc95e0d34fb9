//! How nodes end: in a panic, by the shutdown, or with the network.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use chainlab::{
    Limits, Network, NodeId, Outcome, Rules, Time, Transaction,
    network::{CallError, Clock, Config, DownCause, NodeError, Panicked, RegisterError, SpawnError},
};

use parking_lot::Mutex;

use crate::common::*;

/// A network whose nodes panic when they next look at the clock, if they are told to.
pub(crate) fn fragile(rules: Rules, limits: Limits) -> (Network, Arc<AtomicU32>) {
    let victim = Arc::new(AtomicU32::new(u32::MAX));
    let told = Arc::clone(&victim);
    let clock = Clock::given(move |node| {
        assert_ne!(node, NodeId::new(told.load(Ordering::SeqCst)), "the clock broke");
        Time::from_secs(1)
    });
    let config = Config { clock, limits, ..Config::default() };
    (Network::with_config(rules, config), victim)
}

#[track_caller]
pub(crate) fn assert_panicked(error: &NodeError, expected: NodeId) {
    match error {
        NodeError::Down { node, cause: DownCause::Panicked(message) } => {
            assert_eq!(*node, expected);
            assert!(message.contains("the clock broke"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_takes_down_that_node_alone() {
    finishes(|| {
        let limits = Limits { resolve_timeout: Duration::from_secs(2), ..Limits::default() };
        let (network, victim) = fragile(quick(), limits);
        let nodes = spawn(&network, "fragile", 3);
        register_all_with_all(&network, &nodes);
        let [alice, bob, carol] = nodes[..] else { unreachable!() };
        network.mine(carol).unwrap();
        victim.store(1, Ordering::SeqCst);
        // Who is waiting when it happens is told, and so is whoever comes later.
        assert_panicked(&network.chain(bob).unwrap_err(), bob);
        assert_panicked(&network.resolve(bob).unwrap_err(), bob);
        let Err(CallError::Node(error)) = network.mine(bob) else { panic!("nobody mines there") };
        assert_panicked(&error, bob);
        let text = error.to_string();
        assert!(text.starts_with("node 1 is down: it panicked: "), "{text}");

        // The others go on; the silent one costs the time-out, and is named.
        let resolution = network.resolve(alice).unwrap();
        assert_eq!((resolution.outcome, resolution.silent), (Outcome::Replaced, vec![bob]));
        assert_eq!(network.mine(alice).unwrap().position, 3);
        assert_eq!(network.resolve(carol).unwrap().silent, [bob]);
        assert_eq!(network.nodes(), nodes);
        assert_eq!(&*network.name(bob).unwrap(), "fragile-1");

        for _ in 0..2 {
            let Panicked { nodes } = network.shutdown().unwrap_err();
            let [(node, message)] = &nodes[..] else { panic!("one has panicked, not {nodes:?}") };
            assert!(*node == bob && message.contains("the clock broke"));
        }
        // Why it went down is not forgotten.
        assert_panicked(&network.chain(bob).unwrap_err(), bob);
        assert_no_thread_is_left("fragile");
    });
}

#[test]
fn those_who_wait_for_a_node_that_panics_are_told() {
    finishes(|| {
        let (network, victim) = fragile(hopeless(), Limits::default());
        let node = network.spawn().unwrap();
        thread::scope(|scope| {
            let mined = [scope.spawn(|| network.mine(node)), scope.spawn(|| network.mine(node))];
            let _ = network.chain(node).unwrap();
            victim.store(0, Ordering::SeqCst);
            assert_panicked(&network.pending(node).unwrap_err(), node);
            for mined in mined {
                let Err(CallError::Node(error)) = mined.join().unwrap() else { panic!("nobody mines") };
                assert_panicked(&error, node);
            }
        });
        drop(network);
    });
}

#[test]
fn a_dropped_network_leaves_no_thread() {
    finishes(|| {
        let network = Network::new(hopeless());
        let nodes = spawn(&network, "dropped", 20);
        register_all_with_all(&network, &nodes);
        network.resolve(nodes[3]).unwrap();
        drop(network);
        assert_no_thread_is_left("dropped");
    });
}

#[test]
fn a_shutdown_ends_every_call() {
    finishes(|| {
        let network = Network::new(hopeless());
        let nodes = spawn(&network, "closing", 8);
        register_all_with_all(&network, &nodes);
        let shut_down =
            |error: NodeError| matches!(error, NodeError::Down { cause: DownCause::ShutDown, .. });
        thread::scope(|scope| {
            for &node in &nodes {
                let network = &network;
                scope.spawn(move || {
                    let Err(CallError::Node(error)) = network.mine(node) else { panic!("hopeless") };
                    assert!(shut_down(error));
                });
                scope.spawn(move || {
                    let error = (0..).find_map(|_| network.resolve(node).err()).unwrap();
                    assert!(shut_down(error));
                });
            }
            let puppet = network.puppet().unwrap();
            scope.spawn({
                let network = &network;
                move || assert!(network.hear(puppet, Duration::MAX).unwrap().is_none())
            });
            let _ = network.chain(nodes[0]).unwrap();
            let ends = [scope.spawn(|| network.shutdown()), scope.spawn(|| network.shutdown())];
            for end in ends {
                assert_eq!(end.join().unwrap(), Ok(()));
                // Each of them returns when all threads are joined.
                assert_no_thread_is_left("closing");
            }
        });
    });
}

/// A shutdown that came between a node's number and its thread would join nothing.
#[test]
fn a_shutdown_does_not_overtake_a_node_that_is_being_added() {
    finishes(|| {
        let (adding, added) = mpsc::channel();
        let (shut_down, is_shut_down) = mpsc::channel();
        let is_shut_down = Mutex::new(is_shut_down);
        // The clock tells how far the adding has come: it is read for the first block.
        let clock = Clock::given(move |_| {
            let _ = adding.send(());
            let end = is_shut_down.lock().recv_timeout(Duration::from_millis(50));
            assert_eq!(end, Err(mpsc::RecvTimeoutError::Timeout), "the shutdown is over");
            Time::from_secs(1)
        });
        let network = Network::with_config(quick(), Config { clock, ..Config::default() });
        while added.try_recv().is_ok() {}
        thread::scope(|scope| {
            let node = scope.spawn(|| spawn(&network, "overtaken", 1)[0]);
            added.recv().unwrap();
            network.shutdown().unwrap();
            let _ = shut_down.send(());
            let node = node.join().unwrap();
            let down = NodeError::Down { node, cause: DownCause::ShutDown };
            assert_eq!(network.chain(node).unwrap_err(), down);
        });
        assert_no_thread_is_left("overtaken");
    });
}

#[test]
fn after_the_shutdown_every_call_says_so() {
    let network = Network::new(quick());
    let [one, other] = [network.spawn().unwrap(), network.spawn().unwrap()];
    network.shutdown().unwrap();
    network.shutdown().unwrap();
    let down = NodeError::Down { node: one, cause: DownCause::ShutDown };
    assert_eq!(down.to_string(), "node 0 is down: the network was shut down");
    assert_eq!(network.chain(one).unwrap_err(), down);
    assert_eq!(network.pending(one).unwrap_err(), down);
    assert_eq!(network.resolve(one).unwrap_err(), down);
    assert_eq!(network.mine(one).unwrap_err(), CallError::Node(down.clone()));
    let transaction = Transaction::new("alice", "bob", 5);
    assert_eq!(network.submit(one, transaction).unwrap_err(), CallError::Node(down.clone()));
    assert_eq!(network.register(one, [other]).unwrap_err(), RegisterError::Node(down.clone()));
    assert_eq!(network.connect(one, other).unwrap_err(), RegisterError::Node(down));
    assert!(matches!(network.spawn(), Err(SpawnError::ShutDown)));
    // Who they were is still known.
    assert_eq!(network.nodes(), [one, other]);
    assert_eq!(&*network.name(other).unwrap(), "node-1");
}
