//! Nobody waits for ever, and nobody is woken for nothing.

use std::{
    env, hint,
    sync::{Barrier, mpsc},
    thread,
    time::Duration,
};

use chainlab::{
    MineError, Network, NodeId, Outcome, Time, Transaction,
    network::{CallError, Clock, Config, DownCause, NodeError, WaitError},
    pow::Target,
};

use crate::common::*;

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
            network.mine(node).unwrap().position
        };
        let mut positions = thread::scope(|scope| {
            let (one, other) = (scope.spawn(mine), scope.spawn(mine));
            [one.join().unwrap(), other.join().unwrap()]
        });
        positions.sort_unstable();
        assert_eq!(positions, [2, 3]);
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
        let network = Network::with_config(hopeless(), Config { clock, ..patient() });
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
        // While it waits for a core it is counted no more than while it sleeps.
        (0..20).for_each(|_| work());
        switches() == before
    });
    assert!(settled, "it is woken all the time");
    let before = switches();
    (0..100).for_each(|_| work());
    assert_eq!(switches(), before);
    let _ = network.chain(idle).unwrap();
    // It is counted once it rests again, which may be after its answer has come.
    let is_counted = (0..1000).any(|_| {
        work();
        switches() > before
    });
    assert!(is_counted, "what it does is counted");
}

/// The block may come before whoever waits for it looks, between the look and the wait, or long after: a wake-up that is
/// lost leaves both waiting for ever.
#[test]
fn whoever_waits_for_a_chain_misses_no_wake_up() {
    finishes(|| {
        let network = Network::new(with_target(Target::leading_zero_bits(0)));
        let node = network.spawn().unwrap();
        let runs: u64 = if env::var_os("CHAINLAB_LONG").is_some() { 10_000 } else { 1000 };
        let spin = |count| (0..count % 4096).for_each(|_| hint::spin_loop());
        let (sender, seen) = mpsc::channel();
        thread::scope(|scope| {
            let network = &network;
            scope.spawn(move || {
                for len in 2..runs + 2 {
                    spin(len.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
                    let chain = network.wait_until(node, Duration::MAX, |chain| chain.len() >= len).unwrap();
                    assert_eq!(chain.len(), len);
                    sender.send(len).unwrap();
                }
            });
            for len in 2..runs + 2 {
                spin(len.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40);
                network.mine(node).unwrap();
                assert_eq!(seen.recv().unwrap(), len);
            }
        });
    });
}

#[test]
fn a_condition_is_asked_of_each_new_chain_of_its_node_and_of_no_other() {
    finishes(|| {
        let network = Network::new(quick());
        let nodes = spawn(&network, "until", 2);
        let (asked, seen) = mpsc::channel();
        let waits = |len| {
            let (network, asked) = (&network, asked.clone());
            move |node: NodeId| {
                network.wait_until(node, Duration::MAX, |chain| {
                    asked.send(chain.len()).unwrap();
                    // It may call the network.
                    assert_eq!(network.peers(node), Ok(Vec::new()));
                    chain.len() >= len
                })
            }
        };
        thread::scope(|scope| {
            let waiting = scope.spawn(|| waits(3)(nodes[0]));
            assert_eq!(seen.recv(), Ok(1));
            (0..5).for_each(|_| drop(network.mine(nodes[1]).unwrap()));
            for len in 2..4 {
                network.mine(nodes[0]).unwrap();
                assert_eq!(seen.recv(), Ok(len));
            }
            assert_eq!(waiting.join().unwrap().unwrap().len(), 3);
            assert!(seen.try_recv().is_err(), "the other node's blocks are no reason to ask");
            // A node that goes down brings nothing any more, but what it has counts.
            let waiting = scope.spawn(|| waits(9)(nodes[0]));
            assert_eq!(seen.recv(), Ok(3));
            network.crash(nodes[0]).unwrap();
            let down = NodeError::Down { node: nodes[0], cause: DownCause::Crashed };
            assert_eq!(waiting.join().unwrap(), Err(WaitError::Node(down)));
            assert_eq!(waits(3)(nodes[0]).unwrap().len(), 3);
        });
        let late = network.wait_until(nodes[1], Duration::ZERO, |chain| chain.len() > 6);
        let chain = network.chain(nodes[1]).unwrap();
        assert_eq!(late, Err(WaitError::Late { node: nodes[1], chain }));
        let puppet = network.puppet().unwrap();
        let refused = network.wait_until(puppet, Duration::MAX, |_| true);
        assert_eq!(refused, Err(WaitError::Node(NodeError::Puppet { node: puppet })));
    });
}

#[test]
fn a_block_that_is_not_found_in_time_is_no_longer_searched_for() {
    finishes(|| {
        let network = Network::new(hopeless());
        let node = network.spawn().unwrap();
        let late = network.mine_within(node, Duration::from_millis(1));
        assert_eq!(late, Err(CallError::Refused(MineError::TimedOut)));
        // Of a node that is paused meanwhile one is told that.
        thread::scope(|scope| {
            let waiting = scope.spawn(|| network.mine_within(node, Duration::from_millis(200)));
            network.pause(node).unwrap();
            // Whether it was asked just before the pause, in it or after it has timed out.
            let answer = waiting.join().unwrap();
            let paused = CallError::Node(NodeError::Paused { node });
            assert!([paused, CallError::Refused(MineError::TimedOut)].contains(&answer.unwrap_err()));
        });
        network.resume(node).unwrap();
        let late = network.mine_within(node, Duration::from_millis(1));
        assert_eq!(late, Err(CallError::Refused(MineError::TimedOut)));
    });
}
