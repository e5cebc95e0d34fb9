//! Random steps of a driver, beside a model that remembers everything and looks it all up again each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chainlab::{
    NodeId, Time,
    wire::{Arrival, Epoch, Fate, Latency, Link, Links, MessageLoss, Partition},
};
use proptest::prelude::*;

const NODES: u32 = 4;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Send(u32, u32, u64),
    Set(u32, u32, u64, Option<u64>),
    Partition([u32; NODES as usize]),
    Heal,
    Hold(u32, u32),
    Release(u32, u32),
    Crash(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let pair =
        || (0..NODES, 0..NODES - 1).prop_map(|(from, to)| (from, if to >= from { to + 1 } else { to }));
    prop_oneof![
        4 => (1..40_u64).prop_map(Step::Wait),
        12 => (pair(), 0..40_u64).prop_map(|((from, to), bytes)| Step::Send(from, to, bytes)),
        1 => (pair(), 0..60_u64, proptest::option::of(500..5000_u64))
            .prop_map(|((from, to), latency, bandwidth)| Step::Set(from, to, latency, bandwidth)),
        1 => proptest::array::uniform4(0..3_u32).prop_map(Step::Partition),
        1 => Just(Step::Heal),
        1 => pair().prop_map(|(from, to)| Step::Hold(from, to)),
        2 => pair().prop_map(|(from, to)| Step::Release(from, to)),
        1 => (0..NODES).prop_map(Step::Crash),
    ]
}

struct Model {
    links: Links,
    now: Time,
    sent: Vec<Sent>,
    /// By arrival and number: what is under way.
    queue: BTreeSet<(Time, usize)>,
    /// The numbers of the messages that wait, in order.
    held: Vec<usize>,
    delivered: Vec<usize>,
    lost: Vec<usize>,
    /// All partitions ever, each as the group of every node, and whether the last still lasts.
    partitions: Vec<[u32; NODES as usize]>,
    partitioned: bool,
    /// All crashes ever: of whom, and how many messages had been sent.
    crashes: Vec<(u32, usize)>,
    holds: Vec<(u32, u32)>,
    settings: BTreeMap<(u32, u32), (u64, Option<u64>)>,
    /// For each link, when the last message is written out, and all arrivals.
    written: BTreeMap<(u32, u32), Time>,
    arrivals: Vec<((u32, u32), Time)>,
}

struct Sent {
    pair: (u32, u32),
    epoch: Epoch,
    partitions: usize,
}

fn separates(groups: &[u32; NODES as usize], (a, b): (u32, u32)) -> bool {
    groups[a as usize] != groups[b as usize]
}

fn ids((from, to): (u32, u32)) -> (NodeId, NodeId) {
    (NodeId::new(from), NodeId::new(to))
}

impl Model {
    fn latest_arrival(&self, pair: (u32, u32)) -> Time {
        self.arrivals
            .iter()
            .filter(|arrival| arrival.0 == pair)
            .map(|arrival| arrival.1)
            .max()
            .unwrap_or_default()
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Wait(millis) => self.now += ms(millis),
            Step::Send(from, to, bytes) => self.send((from, to), bytes),
            Step::Set(from, to, latency, bandwidth) => {
                let mut link = Link::default().with_latency(Latency::fixed(ms(latency)));
                if let Some(bandwidth) = bandwidth {
                    link = link.with_bandwidth(bandwidth).unwrap();
                }
                self.settings.insert((from, to), (latency, bandwidth));
                self.links.set_link(NodeId::new(from), NodeId::new(to), link);
            }
            Step::Partition(groups) => {
                // Those of group 0 are named nowhere.
                let group =
                    |number| (0..NODES).filter(move |&node| groups[node as usize] == number).map(NodeId::new);
                self.links.partition(
                    Partition::new([group(1), group(2)].map(Iterator::collect::<Vec<_>>)).unwrap(),
                );
                self.partitions.push(groups);
                self.partitioned = true;
            }
            Step::Heal => {
                self.links.heal();
                self.partitioned = false;
            }
            Step::Hold(from, to) => {
                self.links.hold(NodeId::new(from), NodeId::new(to));
                self.holds.push((from, to));
            }
            Step::Release(from, to) => self.release((from, to)),
            Step::Crash(node) => {
                self.links.crash(NodeId::new(node));
                self.crashes.push((node, self.sent.len()));
            }
        }
        self.deliver();
    }

    fn send(&mut self, pair: (u32, u32), bytes: u64) {
        let (from, to) = ids(pair);
        let number = self.sent.len();
        self.sent.push(Sent { pair, epoch: self.links.epoch(), partitions: self.partitions.len() });
        let separated =
            self.partitioned && self.partitions.last().is_some_and(|groups| separates(groups, pair));
        assert_eq!(self.links.is_reachable(from, to), !separated && !self.holds.contains(&pair));
        let expected = if separated {
            self.lost.push(number);
            Fate::Lost(MessageLoss::Partition)
        } else {
            let (latency, bandwidth) = self.settings.get(&pair).copied().unwrap_or_default();
            let mut written = self.now;
            if let Some(bandwidth) = bandwidth {
                written = written.max(self.written.get(&pair).copied().unwrap_or_default());
                written += Duration::from_nanos((bytes * 1_000_000_000).div_ceil(bandwidth));
                self.written.insert(pair, written);
            }
            let arrival = (written + ms(latency)).max(self.latest_arrival(pair));
            self.arrivals.push((pair, arrival));
            self.queue.insert((arrival, number));
            Fate::Deliver(arrival)
        };
        assert_eq!(self.links.send(self.now, from, to, bytes), expected);
    }

    fn release(&mut self, pair: (u32, u32)) {
        let (from, to) = ids(pair);
        assert_eq!(self.links.release(from, to), self.holds.contains(&pair));
        self.holds.retain(|&held| held != pair);
        let (released, still): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|&number| self.sent[number].pair == pair);
        self.held = still;
        self.queue.extend(released.into_iter().map(|number| (self.now, number)));
    }

    fn deliver(&mut self) {
        while self.queue.first().is_some_and(|due| due.0 <= self.now) {
            let Some((_, number)) = self.queue.pop_first() else { break };
            let Sent { pair, epoch, partitions } = self.sent[number];
            let cut = self.partitions[partitions..].iter().any(|groups| separates(groups, pair));
            let crashed =
                |(node, sent): &(u32, usize)| *sent > number && (*node == pair.0 || *node == pair.1);
            let (into, expected) = if self.crashes.iter().any(crashed) {
                (&mut self.lost, Arrival::Lost(MessageLoss::Crash))
            } else if cut {
                (&mut self.lost, Arrival::Lost(MessageLoss::Partition))
            } else if self.holds.contains(&pair) {
                (&mut self.held, Arrival::Held)
            } else {
                (&mut self.delivered, Arrival::Arrived)
            };
            into.push(number);
            let (from, to) = ids(pair);
            assert_eq!(self.links.arrival(from, to, epoch), expected);
        }
    }
}

proptest! {
    #[test]
    fn links_do_as_an_obvious_model(steps in proptest::collection::vec(step(), 0..200)) {
        let mut model = Model {
            links: Links::new(1),
            now: Time::from_nanos(1_000_000),
            sent: Vec::new(),
            queue: BTreeSet::new(),
            held: Vec::new(),
            delivered: Vec::new(),
            lost: Vec::new(),
            partitions: Vec::new(),
            partitioned: false,
            crashes: Vec::new(),
            holds: Vec::new(),
            settings: BTreeMap::new(),
            written: BTreeMap::new(),
            arrivals: Vec::new(),
        };
        steps.iter().for_each(|step| model.take(step));
        for from in 0..NODES {
            for to in (0..NODES).filter(|&to| to != from) {
                model.take(&Step::Release(from, to));
            }
        }
        model.take(&Step::Wait(1_000_000));

        // Each message has one fate, and links that keep order have kept it.
        let mut all: Vec<usize> = model.delivered.iter().chain(&model.lost).copied().collect();
        all.sort_unstable();
        prop_assert!(all.into_iter().eq(0..model.sent.len()));
        for from in 0..NODES {
            for to in 0..NODES {
                let of_pair = |&&number: &&usize| model.sent[number].pair == (from, to);
                prop_assert!(model.delivered.iter().filter(of_pair).is_sorted());
            }
        }
    }
}
