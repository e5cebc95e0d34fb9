//! Ways beside messages that are all carried.

use super::*;
use crate::simulation::flood::NOBODY;
use proptest::{collection::vec, prelude::*};

const NODES: u32 = 12;

/// Links from the nodes, and the nanoseconds that each takes: many alike, some none, some much longer than others.
fn links() -> impl Strategy<Value = Vec<(u32, u32, u64)>> {
    let nanos = || prop_oneof![0..4_u64, 50_000_000..150_000_000_u64, Just(70_000_000), 0..3_000_000_000_u64];
    // Of these no bucket is as wide as any takes.
    let alike = vec((0..NODES, 0..NODES, 50_000_000..150_000_000_u64), 20..60);
    let any_way = prop_oneof![vec((0..NODES, 0..NODES, nanos()), 0..60), alike];
    let both_ways = any_way.clone().prop_map(|links| {
        links
            .into_iter()
            .flat_map(|(one, other, nanos)| [(one, other, nanos), (other, one, nanos - nanos / 4)])
            .collect()
    });
    prop_oneof![any_way, both_ways]
}

fn lanes(nodes: u32, mut links: Vec<(u32, u32, u64)>) -> Lanes {
    links.retain(|(from, to, _)| from != to);
    links.sort_unstable();
    links.dedup_by_key(|(from, to, _)| (*from, *to));
    let mut lanes = Lanes::default();
    for node in 0..nodes {
        let of_node = links.iter().filter(|(from, ..)| *from == node);
        let of_node: Vec<_> = of_node.map(|(_, to, nanos)| (NodeId::new(*to), *nanos)).collect();
        assert!(lanes.add_node(&of_node));
    }
    lanes.find_ways_back();
    lanes
}

/// Every message, from the first to the last, in the order of their turns: how long each node waits, and who tells it.
fn carried(lanes: &Lanes, finder: u32) -> (Vec<Option<u64>>, u64) {
    let (mut accepted, mut messages) = (vec![None; lanes.nodes()], 0);
    let mut under_way = std::collections::BTreeSet::new();
    let mut next = Some((0, finder, NOBODY));
    while let Some((at, node, from)) = next {
        if accepted[node as usize].is_none() {
            accepted[node as usize] = Some(at);
            for lane in lanes.of(node).1.iter().filter(|lane| lane.to != from) {
                under_way.insert((at + lanes.nanos(node, lane.to).unwrap(), lane.to, node));
                messages += 1;
            }
        }
        next = under_way.pop_first();
    }
    (accepted, messages)
}

/// Most nodes have the block soon, and a few look for the shortest way to them; but each of those has it from the one
/// before.
#[test]
fn the_last_are_told_one_by_one() {
    let (last, nodes, fast, slow) = (9, 40, 50_000_000, 900_000_000);
    let to_all = (1..nodes).map(|to| (0, to, if to > last { fast } else { slow }));
    let one_by_one = (1..=last).map(|to| (to + 1, to, fast));
    let lanes = lanes(nodes, to_all.chain(one_by_one).collect());
    let (accepted, _) = carried(&lanes, 0);
    let nanos: Vec<_> = accepted.into_iter().flatten().collect();
    let links = (&lanes, &Sources::new(&lanes));
    assert_eq!(Ways::default().all_from(links, NodeId::new(0)), nanos);
    assert_eq!(nanos[1], 10 * fast);
}

/// Links are looked at in parts.
#[test]
fn blocks_come_over_each_of_many_links() {
    let nodes = 150;
    let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
    let nanos =
        |(from, to): (u32, u32)| 50_000_000 + u64::from(from * 7919 + to * 104_729) * 6_101 % 100_000_000;
    let lanes = lanes(nodes, pairs.map(|(from, to)| (from, to, nanos((from, to)))).collect());
    let (accepted, messages) = carried(&lanes, 3);
    let mut others: Vec<_> = accepted.into_iter().flatten().map(Duration::from_nanos).collect();
    others.sort_unstable();
    let spread =
        Ways::default().spread((&lanes, &Sources::new(&lanes)), NodeId::new(3)).expect("all know all");
    assert_eq!((spread.accepted.as_slice(), spread.messages), (&others[1..], messages));
}

proptest! {
    #[test]
    fn blocks_come_as_if_carried(links in links(), finder in 0..NODES, to in 0..NODES, within in 0..500_000_000_u64) {
        let lanes = lanes(NODES, links);
        let (accepted, messages) = carried(&lanes, finder);
        let (mut ways, sources) = (Ways::default(), Sources::new(&lanes));
        let within = Duration::from_nanos(within);
        let comes = accepted[to as usize].is_some_and(|at| Duration::from_nanos(at) < within);
        prop_assert_eq!(ways.comes_within((&lanes, &sources), within, (NodeId::new(finder), NodeId::new(to))), comes);
        // Memory of what was not looked for to the end does not matter.
        let spread = ways.spread((&lanes, &sources), NodeId::new(finder));
        let is_told = accepted.iter().all(Option::is_some) && (lanes.are_both_ways() || lanes.take_time());
        prop_assert_eq!(spread.is_some(), is_told);
        if let Some(spread) = spread {
            let told_at: Vec<_> = accepted.into_iter().flatten().collect();
            let mut others: Vec<_> = told_at.iter().copied().map(Duration::from_nanos).collect();
            others.sort_unstable();
            prop_assert_eq!(&spread.accepted, &others[1..]);
            prop_assert_eq!(spread.messages, messages);
            let last_told = |node: u32| {
                let to_each = lanes.of(node).1.iter().map(|lane| lanes.nanos(node, lane.to).unwrap());
                told_at[node as usize] + to_each.max().unwrap_or(0)
            };
            let last = (0..NODES).map(last_told).max().unwrap();
            prop_assert_eq!(spread.last, Duration::from_nanos(last));
        }
    }
}
