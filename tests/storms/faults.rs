//! What storms have shown, each by itself: crashes, restarts and pauses beside messages that are under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chainlab::{
    Blockchain, Driver, Genesis, Happening, Inventory, Limits, LossReason, Message, Network, NetworkOf,
    NodeId, RequestId, Rules, Simulation, Transaction,
    network::{Config, Events, RestartFrom, Settled},
    pow::Target,
    wire::{self, Link, Verdict},
};

use crate::watchdog::finishes;

const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing is announced twice within a test: what settles does so without luck.
fn network() -> Network {
    let never = Duration::from_secs(3600);
    let limits = Limits { announce_again: never, announce_again_max: never, ..Limits::default() };
    let target = Target::leading_zero_bits(4);
    let genesis = Genesis::Shared { time: None, allocations: [("alice".into(), 100)].into() };
    let rules = Rules { genesis, ..Rules::sealed().with_first_target(target) };
    Network::with_config(rules, Config { limits, ..Config::default() })
}

fn two_nodes(network: &Network) -> [NodeId; 2] {
    let nodes = [network.spawn().unwrap(), network.spawn().unwrap()];
    network.connect(nodes[0], nodes[1]).unwrap();
    nodes
}

fn agreed(network: &Network) -> Blockchain {
    let settled: Settled = network.settle(PATIENCE).unwrap();
    assert_eq!(settled.groups.len(), 1);
    settled.chain().unwrap().clone()
}

fn payment(amount: u64) -> Transaction {
    Transaction::new("alice", "bob", amount).with_nonce(0)
}

/// Ends the network; returns what it recorded as lost.
fn lost(network: &Network, events: Events) -> Vec<(NodeId, Transaction, LossReason)> {
    network.shutdown().unwrap();
    let lost = events.filter_map(|event| match event.what {
        Happening::Lost { transaction, reason } => Some((event.node, transaction, reason)),
        _ => None,
    });
    lost.collect()
}

#[test]
fn a_link_that_comes_up_during_a_pause_is_heard_of_afterwards() {
    let network = network();
    let [one, other] = two_nodes(&network);
    network.partition([[one]]).unwrap();
    network.mine(one).unwrap();
    network.pause(one).unwrap();
    network.heal();
    network.resume(one).unwrap();
    assert_eq!(agreed(&network).len(), 2);
    assert_eq!(network.chain(other).unwrap().len(), 2);
}

#[test]
fn what_is_under_way_to_a_node_that_crashes_is_lost() {
    let network = network();
    let [node, _] = two_nodes(&network);
    let puppet = network.puppet().unwrap();
    network.hold(puppet, node).unwrap();
    let inventory = |amount| {
        Message::Inventory(Inventory {
            request: RequestId(amount),
            is_anew: false,
            acknowledge: Some(0),
            hashes: [payment(amount).hash()].into(),
        })
    };
    network.say(puppet, node, inventory(5)).unwrap();
    network.crash(node).unwrap();
    network.restart(node, RestartFrom::Chain).unwrap();
    network.say(puppet, node, inventory(6)).unwrap();
    network.release(puppet, node);
    let heard = network.hear(puppet, PATIENCE).unwrap().map(|(_, message)| message);
    assert!(
        matches!(heard, Some(Message::TransactionsRequest { request: RequestId(6), .. })),
        "only what was said since is heard: {heard:?}"
    );
    let lost = network.report().messages.lost;
    assert_eq!(lost.into_iter().collect::<Vec<_>>(), [(wire::MessageLoss::Crash, 1)]);
}

/// A flood over a slow or held link is bounded as one into an inbox is.
#[test]
fn what_is_too_much_for_a_link_is_dropped_and_counted() {
    let network = Network::with_config(Rules::notebook(), Config { under_way_max: 10, ..Config::default() });
    let node = network.spawn().unwrap();
    let puppet = network.puppet().unwrap();
    network.hold(puppet, node).unwrap();
    for request in (0..25).map(RequestId) {
        network.say(puppet, node, Message::ChainRequest { request }).unwrap();
    }
    assert_eq!(network.report().messages.dropped, 15);
    network.release(puppet, node);
    for expected in (0..10).map(RequestId) {
        let answer = network.hear(puppet, PATIENCE).unwrap().map(|(_, answer)| answer);
        assert!(matches!(answer, Some(Message::Chain { request, .. }) if request == expected), "{answer:?}");
    }
    assert_eq!(network.report().messages.dropped, 15);
    // What has arrived makes room.
    network.say(puppet, node, Message::ChainRequest { request: RequestId(30) }).unwrap();
    assert!(network.hear(puppet, PATIENCE).unwrap().is_some());
}

#[test]
fn what_nobody_hears_waits_up_to_the_bound() {
    let network = Network::with_config(Rules::notebook(), Config { unread_max: 3, ..Config::default() });
    let (deaf, sender) = (network.puppet().unwrap(), network.puppet().unwrap());
    let asked = |request| Message::ChainRequest { request: RequestId(request) };
    (0..9).for_each(|request| network.say(sender, deaf, asked(request)).unwrap());
    let messages = network.report().messages;
    assert_eq!((messages.delivered, messages.dropped), (3, 6));
    let heard = std::iter::from_fn(|| network.hear(deaf, Duration::ZERO).unwrap());
    assert_eq!(heard.map(|(from, _)| from).collect::<Vec<_>>(), [sender; 3]);
}

/// What only one of two can tell the other is no agreement that they could reach.
#[test]
fn nodes_of_which_one_cannot_speak_need_not_agree() {
    let network = network();
    let [one, other] = two_nodes(&network);
    network.hold(one, other).unwrap();
    network.mine(one).unwrap();
    assert_eq!(network.settle(PATIENCE).unwrap().groups.len(), 2);
    network.release(one, other);
    assert_eq!(agreed(&network).len(), 2);
}

/// Whoever waited for an agreement finds in the report what it took.
#[test]
fn the_report_knows_what_the_agreement_took() {
    for _ in 0..50 {
        let network = network();
        let [one, other] = two_nodes(&network);
        network.partition([[one]]).unwrap();
        network.mine(one).unwrap();
        network.mine(other).unwrap();
        network.mine(other).unwrap();
        network.heal();
        assert_eq!(agreed(&network).len(), 3);
        assert_eq!(network.report().reorganisations, [(1, 1)].into());
    }
}

/// Its peer would believe that it has what it told of.
#[test]
fn a_node_does_not_tell_of_what_it_lost_in_a_crash() {
    let network = network();
    let [one, other] = two_nodes(&network);
    let puppet = network.puppet().unwrap();
    network.hold(one, other).unwrap();
    network.mine(one).unwrap();
    network.crash(one).unwrap();
    network.restart(one, RestartFrom::Genesis).unwrap();
    network.release(one, other);
    network.say(puppet, other, Message::ChainRequest { request: RequestId(1) }).unwrap();
    assert!(
        network.hear(puppet, PATIENCE).unwrap().is_some(),
        "the question is answered after what was said before it"
    );
    assert_eq!(agreed(&network).len(), 1);
}

#[test]
fn a_node_that_lost_its_disk_gets_back_what_it_told_of() {
    for pause in [false, true] {
        let network = network();
        let [one, other] = two_nodes(&network);
        // What the other is told waits unread.
        network.pause(other).unwrap();
        network.mine(one).unwrap();
        network.crash(one).unwrap();
        if pause {
            network.restart(one, RestartFrom::Genesis).unwrap();
            network.resume(other).unwrap();
        } else {
            network.resume(other).unwrap();
            network.restart(one, RestartFrom::Genesis).unwrap();
        }
        assert_eq!(network.chain(other).unwrap().len(), 2);
        assert_eq!(agreed(&network).len(), 2);
    }
}

#[test]
fn what_only_a_lost_disk_held_is_reported() {
    let network = network();
    let node = network.spawn().unwrap();
    let events = network.events();
    network.submit(node, payment(5)).unwrap();
    network.mine(node).unwrap();
    network.crash(node).unwrap();
    network.restart(node, RestartFrom::Genesis).unwrap();
    assert_eq!(lost(&network, events), [(node, payment(5), LossReason::Crashed)]);
}

#[test]
fn what_others_have_too_is_not_lost_with_a_disk() {
    for from in [RestartFrom::Genesis, RestartFrom::Chain] {
        let network = network();
        let [one, other] = two_nodes(&network);
        let events = network.events();
        network.submit(one, payment(5)).unwrap();
        network.mine(one).unwrap();
        let _ = agreed(&network);
        // One that is down has its disk.
        network.crash(other).unwrap();
        network.crash(one).unwrap();
        network.restart(one, from).unwrap();
        assert_eq!(lost(&network, events), []);
    }
}

/// What is late of before the crash, an acknowledgement say, would be taken for news.
#[test]
fn a_restarted_node_numbers_on() {
    fn numbers<D: Driver>(network: &NetworkOf<D>) {
        let (node, spy) = (network.spawn().unwrap(), network.puppet().unwrap());
        network.connect(node, spy).unwrap();
        let mut last = RequestId(0);
        for from in [RestartFrom::Chain, RestartFrom::Genesis, RestartFrom::Chain] {
            network.submit(node, payment(5)).unwrap();
            let heard = std::iter::from_fn(|| network.hear(spy, PATIENCE).unwrap());
            let told = heard.into_iter().find_map(|(_, message)| match message {
                Message::Inventory(Inventory { request, .. }) => Some(request),
                _ => None,
            });
            assert!(told > Some(last), "{told:?} comes after {last:?}");
            last = told.unwrap();
            network.crash(node).unwrap();
            network.restart(node, from).unwrap();
        }
    }
    let network = network();
    numbers(&network);
    numbers(&Simulation::hashed(network.rules().clone(), 1));
}

/// Whoever waits hears of a link that begins to lose everything: the two need not agree any longer.
#[test]
fn a_link_that_is_cut_by_loss_ends_the_waiting() {
    let network = network();
    let [one, other] = two_nodes(&network);
    network.set_judge(|_, _, _| Verdict::Drop);
    network.mine(one).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| network.settle(PATIENCE));
        assert!(network.settle(Duration::ZERO).is_err(), "the links are up, and they do not agree");
        network.set_link(other, one, Link::default().with_loss(1.0).unwrap()).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().groups.len(), 2);
    });
}

/// What was lost is said again once less is lost, and not only after the backoff.
#[test]
fn a_link_that_gets_better_is_heard_of() {
    let network = network();
    let [one, other] = two_nodes(&network);
    let all_but_cut = Link::default().with_loss(1.0 - 1e-9).unwrap();
    network.set_link(one, other, all_but_cut).unwrap();
    network.mine(one).unwrap();
    assert!(network.settle(Duration::ZERO).is_err(), "the other has not heard of the block");
    network.set_link(one, other, Link::default()).unwrap();
    assert_eq!(agreed(&network).len(), 2);
}

#[test]
fn the_longest_wait_has_no_end_and_does_not_panic() {
    let network = network();
    two_nodes(&network);
    assert_eq!(network.settle(Duration::MAX).unwrap().groups.len(), 1);
}

/// Carrying messages, adding nodes and settling take the same locks.
#[test]
fn nodes_are_added_while_others_talk_and_settle() {
    finishes("crowd", 0, |_, log| {
        let network = Arc::new(network());
        log.watch(&network);
        let [one, other] = two_nodes(&network);
        network.set_default_link(Link::default().with_order(false));
        let done = AtomicBool::new(false);
        let until_done = |work: &dyn Fn()| {
            while !done.load(Ordering::Relaxed) {
                work();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| until_done(&|| drop(network.settle(Duration::ZERO))));
            scope.spawn(|| until_done(&|| drop(network.mine(one).unwrap())));
            scope.spawn(|| until_done(&|| drop(network.resolve(other).unwrap())));
            (0..1000).for_each(|_| drop(network.puppet()));
            done.store(true, Ordering::Relaxed);
        });
    });
}
