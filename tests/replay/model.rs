//! What the nodes are like after so many events, in the plainest way; and a run to look at.

use std::{collections::BTreeMap, time::Duration};

use chainlab::{
    Event, Happening, NodeId, Rules, Simulation,
    network::{HashRate, RestartFrom},
    wire::{Latency, Link},
};
use serde_json::{Value, json};

/// The nodes as the page tells of them after the first so many events, which are in order.
pub(crate) fn nodes(events: &[Event], count: usize) -> Value {
    let mut names = BTreeMap::new();
    let mut states = BTreeMap::new();
    for event in events {
        let others = match &event.what {
            Happening::Accepted { from, .. } => vec![*from],
            Happening::Message(passage) => vec![passage.from],
            _ => Vec::new(),
        };
        for node in others.into_iter().chain([event.node]) {
            names.entry(node).or_insert_with(|| node.to_string());
            states.entry(node).or_insert("up");
        }
        if let Happening::Joined { name } = &event.what {
            names.insert(event.node, name.to_string());
            states.insert(event.node, "not there yet");
        }
    }
    let mut tips = BTreeMap::new();
    let mut groups = BTreeMap::new();
    for Event { node, what, .. } in &events[..count] {
        let state = match what {
            Happening::Joined { .. } | Happening::Restarted | Happening::Resumed => "up",
            Happening::Paused => "paused",
            Happening::Crashed | Happening::Panicked { .. } => "down",
            Happening::Mined { block, .. } | Happening::Accepted { block, .. } => {
                tips.insert(*node, block.to_string()[..16].to_owned());
                continue;
            }
            Happening::Partitioned { group } => {
                groups.insert(*node, *group);
                continue;
            }
            Happening::Healed => {
                groups.remove(node);
                continue;
            }
            _ => continue,
        };
        states.insert(*node, state);
    }
    let node = |node: &NodeId| {
        json!({
            "number": node.index(), "name": names[node], "state": states[node], "tip": tips.get(node),
            "group": groups.get(node),
        })
    };
    names.keys().map(node).collect()
}

/// The events of some minutes of a network in which much goes wrong.
pub(crate) fn run(nodes: u32, minutes: u64) -> Vec<Event> {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(f64::from(nodes) * 10e3), 11);
    let events = simulation.events_with_capacity(usize::MAX);
    simulation.set_tracing(true);
    simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_secs(8))));
    let names = ["alice", "</script><script>alert()", "بوب", "Ålesund", "<b>&amp;\"'`"].map(String::from);
    let all: Vec<_> = (0..nodes)
        .map(|number| match names.get(number as usize) {
            Some(name) => simulation.spawn_named(name).unwrap(),
            None => simulation.spawn().unwrap(),
        })
        .collect();
    for (place, &node) in all.iter().enumerate() {
        simulation.connect(node, all[(place + 1) % all.len()]).unwrap();
        simulation.connect(node, all[(place + 2) % all.len()]).unwrap();
        simulation.start_mining(node, HashRate::per_second(100e3).unwrap()).unwrap();
    }
    let part = Duration::from_secs(60 * minutes / 6);
    simulation.run_for(part);
    simulation.partition([&all[..2]]).unwrap();
    simulation.run_for(part);
    simulation.crash(all[3]).unwrap();
    simulation.pause(all[2]).unwrap();
    simulation.run_for(part);
    simulation.heal();
    simulation.resume(all[2]).unwrap();
    simulation.run_for(part);
    simulation.restart(all[3], RestartFrom::Chain).unwrap();
    simulation.set_link(all[0], all[1], Link::default().with_loss(0.5).unwrap()).unwrap();
    simulation.run_for(2 * part);
    events.collect()
}
