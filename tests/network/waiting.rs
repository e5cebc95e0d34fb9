//! Nobody waits for ever, and nobody is woken for nothing.

use std::{
    sync::{Barrier, mpsc},
    thread,
};

use chainlab::{
    Network, Outcome, Time, Transaction,
    network::{CallError, Clock, Config, DownCause, NodeError},
};

use crate::hands::*;

/// This is where the notebook's servers wait for each other for ever.
#[test]
fn all_nodes_resolve_at_once_and_finish() {
    finishes(|| {
        let network = Network::with_config(quick(), patient());
        let nodes = spawn(&network, "all", 40);
        register_all_with_all(&network, &nodes);
        network.mine(nodes[7]).unwrap();
        let start = Barrier::new(nodes.len());
        thread::scope(|scope| {
            for &node in &nodes {
                let (network, start) = (&network, &start);
                scope.spawn(move || {
                    for _ in 0..5 {
                        start.wait();
                        assert_eq!(network.resolve(node).unwrap().silent, []);
                    }
                });
            }
        });
        let agreed = network.chain(nodes[7]).unwrap();
        assert!(nodes.iter().all(|node| network.chain(*node).unwrap() == agreed));
    });
}

#[test]
fn calls_to_mine_at_once_give_a_block_each() {
    finishes(|| {
        let network = Network::new(quick());
        let node = network.spawn().unwrap();
        let start = Barrier::new(2);
        let mine = || {
            start.wait();
            network.mine(node).unwrap().index
        };
        let mut indices = thread::scope(|scope| {
            let (one, other) = (scope.spawn(mine), scope.spawn(mine));
            [one.join().unwrap(), other.join().unwrap()]
        });
        indices.sort_unstable();
        assert_eq!(indices, [2, 3]);
        assert_eq!(network.chain(node).unwrap().len(), 3);
    });
}

#[test]
fn a_node_answers_and_ends_while_it_searches_in_vain() {
    finishes(|| {
        // The clock tells when the node has begun to handle an input.
        let (sender, inputs) = mpsc::channel();
        let clock = Clock::given(move |_| {
            let _ = sender.send(());
            Time::from_secs(1)
        });
        let network = Network::with_config(hopeless(), Config { clock, ..Config::default() });
        let node = network.spawn().unwrap();
        let other = network.spawn().unwrap();
        network.register(node, [other]).unwrap();
        while inputs.try_recv().is_ok() {}
        thread::scope(|scope| {
            let mined = [scope.spawn(|| network.mine(node)), scope.spawn(|| network.mine(node))];
            // Both are being mined for.
            inputs.recv().unwrap();
            inputs.recv().unwrap();
            assert_eq!(network.chain(node).unwrap().len(), 1);
            network.submit(node, Transaction::new("alice", "bob", 5)).unwrap();
            assert_eq!(network.pending(node).unwrap().len(), 1);
            assert_eq!(network.resolve(node).unwrap().silent, []);
            assert_eq!(network.resolve(other).unwrap().outcome, Outcome::Authoritative);
            network.shutdown().unwrap();
            let down = CallError::Node(NodeError::Down { node, cause: DownCause::ShutDown });
            for mined in mined {
                assert_eq!(mined.join().unwrap(), Err(down.clone()));
            }
        });
    });
}

/// A node with nothing to do is not woken by what others do, nor by any clock.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_node_is_not_woken() {
    let network = Network::with_config(quick(), patient());
    let idle = spawn(&network, "idle", 1)[0];
    let busy = spawn(&network, "busy", 4);
    register_all_with_all(&network, &busy);
    // It has handled something, too.
    network.mine(idle).unwrap();
    let [task] = &threads("idle")[..] else { panic!("one thread") };
    let switches = || {
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum::<u64>()
    };
    let work = || {
        for &node in &busy {
            network.mine(node).unwrap();
            network.resolve(node).unwrap();
        }
    };
    // It may still be on its way to its rest.
    let settled = (0..1000).any(|_| {
        let before = switches();
        work();
        switches() == before
    });
    assert!(settled, "it is woken all the time");
    let before = switches();
    (0..100).for_each(|_| work());
    assert_eq!(switches(), before);
    network.chain(idle).unwrap();
    assert!(switches() > before, "what it does is counted");
}
