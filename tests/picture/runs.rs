//! Runs to make pictures of.

use std::time::Duration;

use chainlab::{
    BlockHash, Event, Happening, LossCause, MessageName, NodeId, Passage, Rules, Simulation, Time,
    Transaction,
    network::{HashRate, RestartFrom},
    wire::{Latency, Link, Topology},
};
use proptest::prelude::*;

pub(crate) fn hash(text: &str) -> BlockHash {
    BlockHash::of(text.as_bytes())
}

/// Events of a run that is written down: an event a second.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) events: Vec<Event>,
}

impl Run {
    pub(crate) fn named(names: &[&str]) -> Self {
        let mut run = Self::default();
        for (node, name) in names.iter().enumerate() {
            run.happens(node as u32, Happening::Joined { name: (*name).into() });
        }
        run
    }

    pub(crate) fn happens(&mut self, node: u32, what: Happening) {
        let time = Time::from_secs(self.events.len() as u64);
        self.events.push(Event { time, node: NodeId::new(node), what });
    }

    /// A node mines the block of a name, on that of another.
    pub(crate) fn mines(&mut self, node: u32, position: u64, block: &str, parent: &str) {
        self.happens(node, Happening::Mined { block: hash(block), position, parent: hash(parent) });
    }

    pub(crate) fn accepts(&mut self, node: u32, position: u64, block: &str, from: u32) {
        self.happens(node, Happening::Accepted { block: hash(block), position, from: NodeId::new(from) });
    }

    pub(crate) fn gives_up(&mut self, node: u32, old_tip: &str, abandoned: u64, adopted: u64) {
        self.happens(node, Happening::Reorganised { abandoned, adopted, old_tip: hash(old_tip) });
    }
}

/// Four nodes, of which two are cut off for a while after a long quiet stretch; one lags behind.
pub(crate) fn partition() -> Run {
    let mut run = Run::named(&["alice", "bob", "carol", "anna"]);
    let main = |position: u64| format!("main {position}");
    for position in 2..=124 {
        run.mines((position % 2) as u32, position, &main(position), &main(position - 1));
        run.accepts(3, position, &main(position), 0);
        if position <= 122 {
            run.accepts(2, position, &main(position), 0);
        }
    }
    run.mines(2, 123, "carol 123", "main 122");
    run.mines(2, 124, "carol 124", "carol 123");
    run.mines(3, 125, "anna 125", "main 124");
    run.mines(0, 125, &main(125), &main(124));
    run.mines(1, 126, &main(126), &main(125));
    run.accepts(0, 126, &main(126), 1);
    run.accepts(2, 126, &main(126), 1);
    run.gives_up(2, "carol 124", 2, 4);
    run
}

/// Four nodes of a simulation, whose messages are traced or not: one is cut off for a while, one crashes and comes back,
/// one is paused; links lose messages. With the moment at which it began.
pub(crate) fn simulated(is_traced: bool) -> (Vec<Event>, Time) {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(4e6), 11);
    let link = Link::default().with_latency(Latency::uniform(seconds(20), seconds(60)).unwrap());
    simulation.set_default_link(link.with_loss(0.05).unwrap());
    simulation.set_tracing(is_traced);
    let events = simulation.events();
    let start = simulation.now();
    let nodes = ["alice", "bob", "carol", "dave"].map(|name| simulation.spawn_named(name).unwrap());
    simulation.join(&Topology::Ring).unwrap();
    for node in nodes {
        simulation.start_mining(node, HashRate::per_second(1e6).unwrap()).unwrap();
    }
    simulation.submit(nodes[0], Transaction::new("nobody", "alice", 0)).ok();
    simulation.run_for(seconds(900));
    simulation.partition([&nodes[..3], &nodes[3..]]).unwrap();
    simulation.run_for(seconds(1000));
    simulation.crash(nodes[1]).unwrap();
    simulation.run_for(seconds(600));
    simulation.heal();
    simulation.run_for(seconds(300));
    simulation.restart(nodes[1], RestartFrom::Chain).unwrap();
    simulation.pause(nodes[2]).unwrap();
    simulation.run_for(seconds(400));
    simulation.resume(nodes[2]).unwrap();
    simulation.run_for(seconds(800));
    drop(simulation);
    (events.collect(), start)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Any run, with names that mean no good and lines that contradict each other now and then.
pub(crate) fn any_run() -> impl Strategy<Value = Vec<Event>> {
    let name = prop_oneof![
        3 => "[a-z]{1,8}",
        1 => Just("<script>alert('\"&')</script>".to_owned()),
        1 => Just("\u{202e}\u{200f}live\u{2066}".to_owned()),
        1 => Just("x".repeat(10_000)),
        1 => Just("村の鉱夫たち、とても長い名前".to_owned()),
        1 => any::<String>(),
    ];
    // Each step mines on one of the latest blocks, accepts one, or says something that may be wrong.
    let step = (0..6_u32, 0..6_usize, 0..20_u8, any::<u64>());
    (prop::collection::vec(name, 6), prop::collection::vec(step, 0..120)).prop_map(|(names, steps)| {
        let mut run = Run::named(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut blocks = vec![("genesis".to_owned(), 1_u64)];
        for (number, (node, back, kind, any)) in steps.into_iter().enumerate() {
            let (parent, position) = blocks[blocks.len().saturating_sub(1 + back)].clone();
            let from = node + 1;
            match kind {
                0..6 => {
                    let block = format!("block {number}");
                    run.mines(node, position + 1, &block, &parent);
                    blocks.push((block, position + 1));
                }
                6..9 => run.accepts(node, position, &parent, from),
                9 => run.gives_up(node, &parent, any % 3, any % 4),
                12 => run.happens(node, Happening::Crashed),
                13 => run.happens(node, Happening::Restarted),
                14 => run.happens(node, Happening::Paused),
                15 => run.happens(node, Happening::Resumed),
                16 => run.happens(node, Happening::Partitioned { group: (any % 3) as u32 }),
                17 => run.happens(node, Happening::Healed),
                18.. => run.happens(node, Happening::Message(any_passage(from, run.events.len(), any))),
                10 => run.mines(node, any % 8, &parent, &format!("block {}", any % 16)),
                _ => run.accepts(node, any, &format!("stranger {}", any % 4), from),
            }
        }
        run.events
    })
}

pub(crate) fn any_passage(from: u32, now: usize, any: u64) -> Passage {
    let sent = Time::from_secs((now as u64 + 2).saturating_sub(any % 16));
    let kind = [MessageName::NewBlock, MessageName::Announce, MessageName::Inventory][(any % 3) as usize];
    let lost = [None, Some(LossCause::Link), Some(LossCause::Partition)][(any / 3 % 3) as usize];
    let block = Some(hash(&format!("block {}", any % 16)));
    Passage { from: NodeId::new(from), sent, kind, block, transactions: Vec::new(), lost }
}
