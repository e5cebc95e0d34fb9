//! Faults that meet each other, and closures that break: each verb does what it says, or says that it did not.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use chainlab::{
    Event, Happening, Limits, Message, MineError, Network, NodeId, RequestId, Rules, Time,
    network::{CallError, Clock, Config, DownCause, HashRate, NodeError, RestartError, RestartFrom},
    pow::Target,
    wire::{Latency, Link, Verdict},
};

use crate::{
    common::*,
    ending::{assert_panicked, fragile},
};

/// Nothing waits for it unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn crashed(node: NodeId) -> NodeError {
    NodeError::Down { node, cause: DownCause::Crashed }
}

fn happened(events: impl Iterator<Item = Event>) -> Vec<Happening> {
    events.map(|event| event.what).collect()
}

#[test]
fn a_node_whose_clock_breaks_in_its_restart_stays_down() {
    finishes(|| {
        let (network, victim) = fragile(quick(), Limits::default());
        let node = network.spawn().unwrap();
        network.mine(node).unwrap();
        let events = network.events();
        network.crash(node).unwrap();
        victim.store(0, Ordering::SeqCst);
        for _ in 0..2 {
            let restart = AssertUnwindSafe(|| network.restart(node, RestartFrom::Genesis));
            assert!(catch_unwind(restart).is_err(), "the clock is the caller's");
            assert_eq!(network.chain(node).unwrap_err(), crashed(node));
        }
        victim.store(u32::MAX, Ordering::SeqCst);
        network.restart(node, RestartFrom::Chain).unwrap();
        assert_eq!(network.chain(node).unwrap().len(), 2);
        network.shutdown().unwrap();
        assert_eq!(happened(events), [Happening::Crashed, Happening::Restarted]);
    });
}

fn ask(network: &Network, puppet: NodeId, to: NodeId) {
    network.say(puppet, to, Message::ChainRequest { request: RequestId(1) }).unwrap();
}

#[test]
fn a_node_whose_clock_breaks_in_its_pause_goes_down() {
    finishes(|| {
        let (network, victim) = fragile(quick(), Limits::default());
        let nodes = spawn(&network, "breaks", 2);
        network.pause(nodes[0]).unwrap();
        for (node, number) in nodes.into_iter().zip(0..) {
            victim.store(number, Ordering::SeqCst);
            let verb = if number == 0 { Network::resume } else { Network::pause };
            assert_panicked(&verb(&network, node).unwrap_err(), node);
            assert_panicked(&network.crash(node).unwrap_err(), node);
        }
        assert_eq!(network.shutdown().unwrap_err().nodes.len(), 2);
    });
}

/// It is read for a message that is one too many, by whoever delivers that.
#[test]
fn a_clock_that_breaks_ends_nobody_but_its_own_node() {
    for is_late in [false, true] {
        finishes(move || {
            let (network, victim) = fragile(quick(), Limits::default());
            let [other, broken] = [network.spawn().unwrap(), network.spawn().unwrap()];
            let puppet = network.puppet().unwrap();
            let latency = Latency::fixed(Duration::from_millis(u64::from(is_late)));
            network.set_default_link(Link::default().with_latency(latency));
            network.pause(broken).unwrap();
            victim.store(1, Ordering::SeqCst);
            (0..1030).for_each(|_| ask(&network, puppet, broken));
            while network.report().messages.dropped < 6 {
                thread::yield_now();
            }
            ask(&network, puppet, other);
            assert!(network.hear(puppet, PATIENCE).unwrap().is_some(), "messages arrive as before");
            victim.store(u32::MAX, Ordering::SeqCst);
            network.resume(broken).unwrap();
            assert!(network.hear(puppet, PATIENCE).unwrap().is_some());
            assert_eq!(network.shutdown(), Ok(()));
        });
    }
}

#[test]
fn a_paused_node_that_is_looked_at_stands_still() {
    finishes(|| {
        let seconds = Arc::new(AtomicU64::new(1));
        let reader = Arc::clone(&seconds);
        let clock = Clock::given(move |_| Time::from_secs(reader.load(Ordering::SeqCst)));
        let network = Network::with_config(quick(), Config { clock, ..patient() });
        let node = network.spawn().unwrap();
        let silent = network.puppet().unwrap();
        network.register(node, [silent]).unwrap();
        let events = network.events();
        thread::scope(|scope| {
            let resolved = scope.spawn(|| network.resolve(node).unwrap());
            assert!(network.hear(silent, PATIENCE).unwrap().is_some(), "the node asks its peer");
            network.pause(node).unwrap();
            seconds.store(1_000_000, Ordering::SeqCst);
            assert_eq!(network.snapshot(node).unwrap().peers, [silent]);
            assert_eq!(events.try_next().map(|event| event.what), Some(Happening::Paused));
            assert_eq!(events.try_next(), None, "the time for answers is not over while it is paused");
            network.resume(node).unwrap();
            // Any input shows the node the time.
            let _ = network.chain(node).unwrap();
            assert_eq!(resolved.join().unwrap().silent, [silent]);
        });
    });
}

/// Two threads at once, a thousand times: what each is told fits one order of the two.
#[test]
fn a_crash_that_meets_a_restart_is_before_it_or_after_it() {
    finishes(|| {
        let network = Network::new(quick());
        let node = network.spawn().unwrap();
        let mut is_up = true;
        for _ in 0..1000 {
            let start = Barrier::new(2);
            let (crash, restart) = thread::scope(|scope| {
                let crash = scope.spawn(|| {
                    start.wait();
                    network.crash(node)
                });
                start.wait();
                let restart = network.restart(node, RestartFrom::Chain);
                (crash.join().unwrap(), restart)
            });
            is_up = match (is_up, crash, restart) {
                // The crash first, or the restart first.
                (true, Ok(()), Ok(())) => true,
                (true, Ok(()), Err(RestartError::NotDown { .. })) => false,
                (false, Ok(()), Ok(())) => false,
                (false, Err(error), Ok(())) => {
                    assert_eq!(error, crashed(node));
                    true
                }
                unexpected => panic!("{unexpected:?}"),
            };
            assert_eq!(network.chain(node).is_ok(), is_up);
        }
    });
}

/// It comes as soon as the node can be crashed at all.
#[test]
fn a_crash_in_the_midst_of_a_restart_ends_the_new_thread() {
    finishes(|| {
        let network = Network::new(quick());
        let node = network.spawn().unwrap();
        // What all can see at once, as no question to the node waits for its end.
        let is_live = || !network.settle(Duration::ZERO).unwrap().groups.is_empty();
        network.crash(node).unwrap();
        for _ in 0..200 {
            thread::scope(|scope| {
                let restart = scope.spawn(|| network.restart(node, RestartFrom::Chain));
                while let Err(error) = network.crash(node) {
                    assert_eq!(error, crashed(node));
                    thread::yield_now();
                }
                assert!(!is_live(), "the crash is over when it returns");
                restart.join().unwrap().unwrap();
            });
        }
    });
}

#[test]
fn a_pause_that_meets_a_resume_is_before_it_or_after_it() {
    finishes(|| {
        let network = Network::new(quick());
        let node = network.spawn().unwrap();
        for _ in 0..1000 {
            let start = Barrier::new(2);
            let resumed = thread::scope(|scope| {
                let resume = scope.spawn(|| {
                    start.wait();
                    network.resume(node)
                });
                start.wait();
                network.pause(node).unwrap();
                resume.join().unwrap()
            });
            resumed.unwrap();
            if let Err(error) = network.chain(node) {
                assert_eq!(error, NodeError::Paused { node });
                network.resume(node).unwrap();
            }
            let _ = network.chain(node).unwrap();
        }
    });
}

/// The node is up again before they look why nobody answered.
#[test]
fn those_who_wait_for_a_node_that_crashes_hear_of_the_crash() {
    finishes(|| {
        let network = Network::with_config(quick(), patient());
        let node = network.spawn().unwrap();
        let silent = network.puppet().unwrap();
        network.register(node, [silent]).unwrap();
        for _ in 0..100 {
            thread::scope(|scope| {
                let waiting = [(); 3].map(|()| scope.spawn(|| network.resolve(node)));
                // For each of them the node asks its peer.
                waiting.iter().for_each(|_| assert!(network.hear(silent, PATIENCE).unwrap().is_some()));
                network.crash(node).unwrap();
                network.restart(node, RestartFrom::Chain).unwrap();
                for waiting in waiting {
                    assert_eq!(waiting.join().unwrap().unwrap_err(), crashed(node));
                }
            });
        }
    });
}

/// A node mines at the rate that it was started with last, or not at all, whoever stops it meanwhile.
#[test]
fn a_stop_takes_no_others_hash_rate() {
    finishes(|| {
        let network = Network::new(hopeless());
        let node = network.spawn().unwrap();
        for _ in 0..300 {
            let before = network.report();
            let start = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    network.stop_mining(node).unwrap();
                });
                start.wait();
                network.start_mining(node, HashRate::per_second(1e3).unwrap()).unwrap();
            });
            // If it mines it makes an attempt between two of these.
            (0..3).for_each(|_| drop(network.chain(node).unwrap()));
            let after = network.report();
            let made = after.nodes[0].attempts - before.nodes[0].attempts;
            let most = (after.duration - before.duration).as_millis() + 20;
            assert!(u128::from(made) <= most, "{made} attempts where {most} were to be made");
            network.stop_mining(node).unwrap();
        }
    });
}

#[test]
fn a_node_does_not_mine_at_no_rate() {
    finishes(|| {
        let network = Network::new(hopeless());
        let node = network.spawn().unwrap();
        let error = network.start_mining(node, HashRate::per_second(0.0).unwrap()).unwrap_err();
        assert_eq!(error, CallError::Refused(MineError::NoHashRate));
        assert_eq!(error.to_string(), "a node that mines at a hash rate of 0 finds nothing");
        assert_eq!(network.report().nodes[0].attempts, 0);
    });
}

#[test]
fn mining_that_ends_by_itself_says_so() {
    finishes(|| {
        // Nobody can be paid so much twice.
        let rules = Rules { reward: u64::MAX, ..Rules::sealed() };
        let rules = rules.with_first_target(Target::EASIEST);
        let network = Network::new(rules);
        let node = network.spawn().unwrap();
        let events = network.events();
        network.start_mining(node, HashRate::UNLIMITED).unwrap();
        let ended = events.map(|event| event.what).find(|what| !matches!(what, Happening::Mined { .. }));
        let Some(Happening::MiningEnded { error: MineError::Refused(_) }) = ended else {
            panic!("{ended:?}")
        };
    });
}

/// Each call would wait for the closure that makes it, or for a node that waits for the closure.
#[test]
fn a_closure_that_calls_the_network_is_told_so() {
    let calls: [fn(&Network, NodeId); 8] = [
        |network, node| drop(network.wait_until(node, Duration::MAX, |chain| chain.len() > 1)),
        |network, _| drop(network.hear(NodeId::new(1), Duration::MAX)),
        |network, _| network.heal(),
        |network, node| drop(network.chain(node)),
        |network, node| drop(network.crash(node)),
        |network, _| drop(network.settle(Duration::ZERO)),
        |network, _| drop(network.spawn()),
        |network, _| drop(network.shutdown()),
    ];
    for call in calls {
        finishes(move || {
            let network = Arc::new(Network::new(quick()));
            let (node, puppet) = (network.spawn().unwrap(), network.puppet().unwrap());
            let weak: Weak<Network> = Arc::downgrade(&network);
            network.set_judge(move |_, _, _| {
                call(&weak.upgrade().unwrap(), node);
                Verdict::Pass
            });
            let panic = catch_unwind(AssertUnwindSafe(|| ask(&network, puppet, node))).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            assert_eq!(message, "the judge calls the network, which waits for the judge");
            // All else goes on.
            network.clear_judge();
            ask(&network, puppet, node);
            assert!(network.hear(puppet, PATIENCE).unwrap().is_some());
        });
    }
}
