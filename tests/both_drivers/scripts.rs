//! Scripts of commands.

use std::{fmt::Debug, iter, time::Duration};

use chainlab::{
    Block, Difficulty, Driver, Genesis, Inventory, Message, MessageKind, NodeId, ProofRule, RequestId,
    Retarget, Rules, Time, Told, Transaction,
    network::{HashRate, Identity, RestartFrom},
    pow::Target,
    wire::{Topology, Verdict},
};

use crate::lab::{Lab, PATIENCE, assert_same, of_threads, simulated};

pub(crate) const START: Time = Time::from_secs(1_600_000_000);
/// What each sender has from the start.
const COINS: u64 = 1000;

/// The sealed rules, with proofs that are found in a moment and a target that follows every five blocks.
pub(crate) fn sealed() -> Rules {
    let retarget = Retarget::new(Target::leading_zero_bits(8), 5, Duration::from_secs(100)).unwrap();
    let allocations = (0..4).map(|sender| (format!("sender-{sender}").into(), COINS)).collect();
    Rules {
        difficulty: Difficulty::Retargeted(retarget),
        genesis: Genesis::Shared { time: Some(START), allocations },
        ..Rules::sealed()
    }
}

/// The notebook's rules but for the proof, which covers the block: without that a block is stamped when it is found, and
/// a search takes no time by the clock of the threads, which stands still.
pub(crate) fn resolving() -> Rules {
    let rules = Rules::notebook().with_first_target(Target::leading_hex_zeros(2));
    Rules { proof: ProofRule::Sealed, ..rules }
}

/// Nodes with addresses of their own, started a second apart.
pub(crate) fn spawn<D: Driver>(lab: &Lab<D>, count: usize) -> Vec<NodeId> {
    let spawn = |number: usize| {
        let identity = Identity { address: Some(format!("miner-{number}")), ..Identity::default() };
        lab.at(START + Duration::from_secs(number as u64)).spawn_as(identity).unwrap()
    };
    (0..count).map(spawn).collect()
}

pub(crate) fn told(answer: impl Debug) -> String {
    format!("{answer:?}")
}

/// What errors say, and what is answered to a puppet.
fn errors_and_puppets<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let nodes = spawn(lab, 3);
    let (network, unknown) = (&lab.network, NodeId::new(9));
    let mut answers = vec![
        told(network.register(nodes[0], [unknown])),
        told(network.register(nodes[0], [nodes[0]])),
        told(network.mine(unknown)),
        told(network.restart(nodes[0], RestartFrom::Chain)),
        told(network.partition([[nodes[0]], [nodes[0]]])),
        told(network.submit(nodes[0], Transaction::new("0", "alice", 1))),
        told(network.submit(nodes[0], Transaction::new("nobody", "alice", 1))),
        told(network.start_mining(nodes[0], HashRate::per_second(0.0).unwrap())),
        told(network.spawn_named("node-1")),
        told(network.join(&Topology::SmallWorld { neighbours: 4, rewiring: 0.5 })),
        told(network.wait_until(nodes[0], Duration::ZERO, |chain| chain.len() > 1)),
    ];
    answers.push(told(network.disconnect(nodes[0], nodes[0])));
    answers.push(told(network.disconnect(nodes[0], unknown)));
    let puppet = network.puppet().unwrap();
    network.connect(nodes[0], puppet).unwrap();
    network.say(puppet, nodes[0], Message::ChainRequest { request: RequestId(7) }).unwrap();
    let heard = std::iter::from_fn(|| network.hear(puppet, PATIENCE).unwrap());
    let is_chain = |heard: &(NodeId, Message)| matches!(heard.1, Message::Chain { .. });
    answers.push(told(heard.take(100).find(is_chain)));
    answers.push(told(network.mine(puppet)));
    answers.push(told(network.say(nodes[0], puppet, Message::InventoryRequest)));
    network.pause(nodes[1]).unwrap();
    answers.push(told(network.mine(nodes[1])));
    answers.push(told(network.pause(nodes[1])));
    network.crash(nodes[1]).unwrap();
    answers.push(told(network.resume(nodes[1])));
    answers.push(told(network.submit(nodes[1], Transaction::new("sender-1", "alice", 1))));
    answers.push(told(lab.happened()));
    answers
}

#[test]
fn errors_and_answers_to_puppets_are_the_same() {
    let answers = assert_same!(errors_and_puppets, sealed());
    assert!(answers.iter().any(|answer| answer.contains("Chain {")), "{answers:?}");
}

/// Nodes that begin with chains of their own, and part.
fn chains_come_in<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let nodes = spawn(lab, 2);
    let network = &lab.network;
    network.connect(nodes[0], nodes[1]).unwrap();
    let start = network.chain(nodes[0]).unwrap();
    let second =
        |rules: &Rules| start.mine_next(rules, [], "branch", START + Duration::from_secs(5)).unwrap();
    let branch = second(network.rules()).mine_next(network.rules(), [], "branch", START).unwrap();
    let generous = Rules { reward: 51, ..network.rules().clone() };
    let spawn = |name: &str, chain| {
        let identity =
            Identity { name: Some(name.into()), address: Some(name.into()), ..Identity::default() };
        lab.at(START + Duration::from_secs(9)).spawn_with_chain(identity, chain)
    };
    let mut answers = vec![told(spawn("generous", second(&generous)).map_err(|error| error.to_string()))];
    let third = spawn("third", branch).unwrap();
    answers.push(told(network.chain(third)));
    network.connect(third, nodes[1]).unwrap();
    answers.push(told(lab.rest()));
    network.disconnect(nodes[0], nodes[1]).unwrap();
    answers.push(told((network.peers(nodes[0]), network.peers(nodes[1]))));
    answers.push(told(lab.at(START + Duration::from_secs(20)).mine(nodes[1])));
    answers.push(told(network.wait_until(third, PATIENCE, |chain| chain.len() == 4)));
    answers.push(told(network.chain(nodes[0])));
    answers.push(told(lab.happened()));
    answers
}

#[test]
fn chains_come_in_and_nodes_part_in_the_same_way() {
    let answers = assert_same!(chains_come_in, sealed());
    assert!(answers[0].contains("block 2: "), "{answers:?}");
    assert!(answers[3].contains("Ok([]), "), "{answers:?}");
}

/// A judge that drops what one node announces, and its end.
fn judged<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let nodes = spawn(lab, 3);
    lab.network.join(&Topology::Line).unwrap();
    let muted = nodes[0];
    lab.network.set_judge(move |from, _, _| if from == muted { Verdict::Drop } else { Verdict::Pass });
    let mut answers = vec![told(lab.at(START + Duration::from_secs(10)).mine(muted))];
    answers.push(told(lab.network.chain(nodes[2])));
    lab.network.clear_judge();
    answers.push(told(lab.rest()));
    answers.push(told(lab.happened()));
    answers
}

#[test]
fn a_judge_means_the_same() {
    assert_same!(judged, sealed());
}

/// Has the judge panic when one node speaks to another.
fn panic_between<D: Driver>(lab: &Lab<D>, one: NodeId, other: NodeId) {
    lab.network.set_judge(move |from, to, _| match (from, to) == (one, other) {
        true => panic!("no word from {from}"),
        false => Verdict::Pass,
    });
}

/// A judge that panics when one node speaks to another, and that node's return.
fn judge_panics<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let nodes = spawn(lab, 3);
    let network = &lab.network;
    network.join(&Topology::Line).unwrap();
    let [first, second] = [nodes[0], nodes[1]];
    panic_between(lab, first, second);
    let mut answers = vec![told(lab.at(START + Duration::from_secs(10)).mine(first))];
    answers.push(told(network.start_mining(first, HashRate::default())));
    answers.push(told(lab.at(START + Duration::from_secs(20)).mine(second)));
    answers.push(told(network.wait_until(nodes[2], PATIENCE, |chain| chain.len() == 2)));
    network.clear_judge();
    network.restart(first, RestartFrom::Chain).unwrap();
    answers.push(told(lab.at(START + Duration::from_secs(30)).mine(first)));
    answers.push(told(lab.rest()));
    answers.push(told(network.report().panics));
    answers.push(told(lab.happened()));
    answers
}

#[test]
fn a_judge_that_panics_takes_down_the_sender_alone() {
    let answers = assert_same!(judge_panics, sealed());
    assert!(answers[0].contains("Panicked(\"no word from node 0\")"), "{answers:?}");
    assert!(answers[2].contains("Ok("), "{answers:?}");
}

/// A judge that panics when one node, which tells all its peers of a block, speaks to the second of them: the first is told, or
/// what tells it is lost with the node. What was sent has all become of something.
fn judge_panics_midway<D: Driver>(lab: &Lab<D>) {
    let nodes = spawn(lab, 4);
    let network = &lab.network;
    network.join(&Topology::Complete).unwrap();
    let [first, third] = [nodes[0], nodes[2]];
    panic_between(lab, first, third);
    lab.at(START + Duration::from_secs(10)).mine(first).unwrap_err();
    lab.rest();
    let messages = network.report().messages;
    let arrived_or_not = messages.delivered + messages.dropped + messages.missed;
    assert_eq!(messages.sent, arrived_or_not + messages.lost.values().sum::<u64>(), "{messages:?}");
    assert!(messages.sent > 0);
}

#[test]
fn what_a_judge_panics_at_is_not_counted_as_sent() {
    judge_panics_midway(&of_threads(sealed()));
    judge_panics_midway(&simulated(sealed()));
}

/// What happens at a node's end and at its return, in order.
fn ends<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let (network, node) = (&lab.network, spawn(lab, 1)[0]);
    let pay = |amount| network.submit(node, Transaction::new("carol", "dave", amount)).unwrap();
    pay(1);
    network.mine(node).unwrap();
    (2..=3).for_each(|amount| drop(pay(amount)));
    let events = network.events();
    network.crash(node).unwrap();
    network.restart(node, RestartFrom::Genesis).unwrap();
    iter::from_fn(|| network.next_event(&events, Duration::ZERO))
        .map(|event| event.what.to_string())
        .collect()
}

#[test]
fn what_is_lost_with_a_node_comes_after_its_end_and_its_return() {
    let lost =
        |amount| format!("lost a transaction in a crash: {}", Transaction::new("carol", "dave", amount));
    let happened = assert_same!(ends, resolving());
    assert_eq!(happened, ["crashed".into(), lost(2), lost(3), "was restarted".into(), lost(1)]);
}

/// A payment that one node tells another of: what was sent about transactions.
fn payment<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let nodes = spawn(lab, 2);
    let network = &lab.network;
    network.connect(nodes[0], nodes[1]).unwrap();
    network.submit(nodes[0], Transaction::new("sender-0", "shop", 1)).unwrap();
    lab.rest();
    let volume = network.report().messages.kinds[&MessageKind::Transactions];
    vec![volume.messages.to_string(), volume.bytes.to_string()]
}

/// Told of by its hash, asked for, sent and acknowledged.
#[test]
fn messages_about_transactions_are_counted() {
    let sent = assert_same!(payment, sealed());
    let numbered = Transaction::new("sender-0", "shop", 1).with_nonce(0);
    let (request, hash) = (RequestId(1), numbered.hash());
    let messages = [
        Message::Inventory(Inventory { request, is_anew: true, acknowledge: Some(0), hashes: [hash].into() }),
        Message::TransactionsRequest { request, wanted: [hash].into() },
        Message::Transactions { request, transactions: [numbered].into() },
        Message::AcknowledgeInventory { request },
    ];
    let bytes: u64 = messages.iter().map(Message::size).sum();
    assert_eq!(sent, ["4".to_owned(), bytes.to_string()]);
}

/// Long messages from one puppet to another, over a link that is held and into an inbox: how many megabytes are heard.
fn long_messages<D: Driver>(lab: &Lab<D>) -> Vec<Vec<u64>> {
    let network = &lab.network;
    let (one, other) = (network.puppet().unwrap(), network.puppet().unwrap());
    let [ten, half, more_than_half, all] = [10, 32, 33, 65]
        .map(|megabytes| Message::NewBlock(Told::Document("x".repeat(megabytes * 1_000_000).into())));
    let mut now = START;
    let mut say = |message: &Message| {
        lab.at(now).say(one, other, message.clone()).unwrap();
        // What takes no time has come.
        now += Duration::from_secs(1);
        lab.at(now);
    };
    let hear = |count: usize| -> Vec<u64> {
        let heard = std::iter::from_fn(|| network.hear(other, PATIENCE).unwrap()).take(count);
        let heard = heard.map(|(_, message)| message.size() / 1_000_000).collect();
        assert!(network.hear(other, Duration::ZERO).unwrap().is_none(), "there is no more");
        heard
    };
    let mut answers = Vec::new();
    for is_held in [false, true] {
        for said in [&[&all, &ten][..], &[&more_than_half, &half, &ten, &all, &ten]] {
            if is_held {
                network.hold(one, other).unwrap();
            }
            said.iter().for_each(|message| say(message));
            let dropped = network.report().messages.dropped;
            network.release(one, other);
            answers.push(hear(if said.len() == 2 { 1 } else { 3 }));
            answers.push(vec![dropped]);
        }
    }
    answers
}

/// Of what waits a message may be of any length if it is alone, and else 64 MB of each sender wait at most.
#[test]
fn long_messages_find_as_much_room() {
    let heard = assert_same!(long_messages, sealed());
    let each = [[65].to_vec(), [33, 10, 10].to_vec()];
    let dropped = [1, 3, 4, 6].map(|count| vec![count]);
    let expected: Vec<_> =
        each.iter().cycle().zip(dropped).flat_map(|(heard, dropped)| [heard.clone(), dropped]).collect();
    assert_eq!(heard, expected);
}

/// One mines block after block, slowly, as fast as it can, and no more: the proofs of the first blocks, as how many more
/// there are is the threads' affair, and whether any came afterwards.
fn mines_on<D: Driver>(lab: &Lab<D>) -> Vec<String> {
    let (network, node) = (&lab.network, spawn(lab, 1)[0]);
    let a_few = |until| network.wait_until(node, until, |chain| chain.len() >= 7);
    let mut answers = vec![told(network.stop_mining(node))];
    network.start_mining(node, HashRate::per_second(1e-9).unwrap()).unwrap();
    answers.push(told(a_few(Duration::ZERO)));
    network.start_mining(node, HashRate::UNLIMITED).unwrap();
    let chain = a_few(PATIENCE).unwrap();
    answers.extend((1..=7).map(|position| told(chain.block(position).map(Block::proof))));
    network.stop_mining(node).unwrap();
    let chain = network.chain(node);
    lab.at(START + Duration::from_secs(1000));
    answers.push(told(network.chain(node) == chain));
    network.crash(node).unwrap();
    answers.push(told((network.start_mining(node, HashRate::UNLIMITED), network.stop_mining(node))));
    answers
}

/// The notebook's proofs follow from each other, whenever they are found.
#[test]
fn mining_on_means_the_same() {
    let answers = assert_same!(mines_on, Rules::notebook().with_first_target(Target::leading_hex_zeros(2)));
    assert_eq!(answers.len(), 2 + 7 + 2);
    assert_eq!(answers[9], "true", "nothing is mined after the end");
}
