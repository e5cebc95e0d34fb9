//! The drawing of random graphs; edges come in any order, ends too, and may come twice.

use std::{collections::BTreeSet, mem};

use rand::{Rng, RngExt, seq::index};

pub(crate) type Edges = Vec<(u32, u32)>;

pub(crate) fn complete(nodes: u32) -> Edges {
    (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))).collect()
}

/// Each node chooses so many others; what is left apart is joined.
pub(crate) fn random(nodes: u32, links: usize, generator: &mut impl Rng) -> Edges {
    let others = nodes - 1;
    if links >= others as usize {
        return complete(nodes);
    }
    let mut edges = Edges::with_capacity(nodes as usize * links);
    for node in 0..nodes {
        // Numbers from the node's own on stand for the node after.
        let chosen = index::sample(generator, others as usize, links).into_iter();
        edges.extend(chosen.map(|other| other as u32).map(|other| (node, other + u32::from(other >= node))));
    }
    join_parts(nodes, &mut edges, generator);
    edges
}

/// Each node chooses so many others that still accept, in the order of the nodes; what is left apart is joined.
pub(crate) fn bounded(nodes: u32, links: usize, accepted_max: usize, generator: &mut impl Rng) -> Edges {
    let links = links.min(nodes as usize - 1);
    let mut edges = Edges::with_capacity(nodes as usize * links);
    let mut accepted = vec![0; nodes as usize];
    // Those that still accept, in no order.
    let mut open: Vec<u32> = (0..nodes).collect();
    for node in 0..nodes {
        // Itself may be among those that are drawn, and is passed over.
        let drawn = index::sample(generator, open.len(), open.len().min(links + 1));
        let mut chosen: Vec<_> = drawn.into_iter().filter(|at| open[*at] != node).take(links).collect();
        // The last place first, so that what is taken out moves none that is still to come.
        chosen.sort_unstable_by(|a, b| b.cmp(a));
        for at in chosen {
            let other = open[at];
            edges.push((node, other));
            accepted[other as usize] += 1;
            if accepted[other as usize] >= accepted_max {
                open.swap_remove(at);
            }
        }
    }
    join_parts(nodes, &mut edges, generator);
    edges
}

/// Joins the parts that hang apart by one edge more each.
fn join_parts(nodes: u32, edges: &mut Edges, generator: &mut impl Rng) {
    let mut parts = Parts::new(nodes, edges);
    for node in 1..nodes {
        // All nodes before this one are joined by now: any of them will do.
        if parts.find(node) != parts.find(0) {
            let other = generator.random_range(0..node);
            parts.join(node, other);
            edges.push((other, node));
        }
    }
}

/// How often a graph is drawn at most until it hangs together.
const DRAWINGS_MAX: usize = 20;

/// The graph of Watts and Strogatz, drawn until it hangs together; where that takes too long its parts are joined.
/// `neighbours` is even and less than `nodes`.
pub(crate) fn small_world(nodes: u32, neighbours: usize, rewiring: f64, generator: &mut impl Rng) -> Edges {
    let mut edges = Vec::new();
    for _ in 0..DRAWINGS_MAX {
        edges = rewired_ring(nodes, neighbours, rewiring, generator);
        if Parts::new(nodes, &edges).count == 1 {
            return edges;
        }
    }
    join_parts(nodes, &mut edges, generator);
    edges
}

fn rewired_ring(nodes: u32, neighbours: usize, rewiring: f64, generator: &mut impl Rng) -> Edges {
    let steps = 1..=neighbours as u32 / 2;
    // Positions around the ring, without an overflow near the end of the numbers.
    let after = |node: u32, step: u32| ((u64::from(node) + u64::from(step)) % u64::from(nodes)) as u32;
    // A node counts as joined to itself: no edge may lead there.
    let mut joined: Vec<BTreeSet<u32>> = (0..nodes).map(|node| [node].into()).collect();
    let join = |joined: &mut [BTreeSet<u32>], a: u32, b: u32| {
        joined[a as usize].insert(b);
        joined[b as usize].insert(a);
    };
    for step in steps.clone() {
        (0..nodes).for_each(|node| join(&mut joined, node, after(node, step)));
    }
    for step in steps {
        for node in 0..nodes {
            let free = nodes - joined[node as usize].len() as u32;
            if free == 0 || !generator.random_bool(rewiring) {
                continue;
            }
            let other = nth_not_joined(&joined[node as usize], generator.random_range(0..free));
            let old = after(node, step);
            joined[node as usize].remove(&old);
            joined[old as usize].remove(&node);
            join(&mut joined, node, other);
        }
    }
    let edges = (0..nodes).zip(&joined);
    edges.flat_map(|(a, others)| others.range(a + 1..).map(move |&b| (a, b))).collect()
}

/// Counts through the nodes that are not in the set.
fn nth_not_joined(joined: &BTreeSet<u32>, nth: u32) -> u32 {
    let mut other = nth;
    for &taken in joined {
        if other < taken {
            break;
        }
        other += 1;
    }
    other
}

/// The graph of Barabási and Albert, beginning with a complete one.
pub(crate) fn scale_free(nodes: u32, links: usize, generator: &mut impl Rng) -> Edges {
    let first = links.saturating_add(1).min(nodes as usize) as u32;
    let mut edges = complete(first);
    // Each node as often as it has neighbours.
    let mut ends: Vec<u32> = edges.iter().flat_map(|&(a, b)| [a, b]).collect();
    // The last node that was joined to each, so that none is joined twice.
    let mut joined_by = vec![0; nodes as usize];
    for node in first..nodes {
        let before = edges.len();
        while edges.len() < before + links {
            let other = ends[generator.random_range(0..ends.len())];
            if mem::replace(&mut joined_by[other as usize], node) != node {
                edges.push((other, node));
            }
        }
        ends.extend(edges[before..].iter().flat_map(|&(a, b)| [a, b]));
    }
    edges
}

/// The parts of a graph that hang together: a union-find with path halving.
struct Parts {
    parent: Vec<u32>,
    count: usize,
}

impl Parts {
    fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let mut parts = Self { parent: (0..nodes).collect(), count: nodes as usize };
        edges.iter().for_each(|&(a, b)| parts.join(a, b));
        parts
    }

    fn find(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            self.parent[a.max(b) as usize] = a.min(b);
            self.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_through_those_not_joined(joined: [bool; 12]) {
            let (taken, free): (Vec<u32>, Vec<u32>) = (0..12).partition(|&other| joined[other as usize]);
            let taken = BTreeSet::from_iter(taken);
            for (nth, other) in (0..).zip(free) {
                prop_assert_eq!(nth_not_joined(&taken, nth), other);
            }
        }
    }
}
