//! Topologies: counts of edges, degrees, connectedness, and the errors.

use std::collections::BTreeSet;

use chainlab::{
    NodeId,
    wire::{Topology, TopologyError},
};
use proptest::prelude::*;

fn edges(topology: &Topology, nodes: usize, seed: u64) -> Vec<(usize, usize)> {
    let edges = topology.edges(nodes, seed).unwrap();
    edges.into_iter().map(|(a, b)| (a.index(), b.index())).collect()
}

fn degrees(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut degrees = vec![0; nodes];
    for &(a, b) in edges {
        degrees[a] += 1;
        degrees[b] += 1;
    }
    degrees
}

fn neighbours(nodes: usize, edges: &[(usize, usize)]) -> Vec<BTreeSet<usize>> {
    let mut neighbours = vec![BTreeSet::new(); nodes];
    for &(a, b) in edges {
        neighbours[a].insert(b);
        neighbours[b].insert(a);
    }
    neighbours
}

/// The distances from a node to all that can be reached, breadth first.
fn distances(neighbours: &[BTreeSet<usize>], from: usize) -> Vec<usize> {
    let mut seen = BTreeSet::from([from]);
    let (mut ring, mut distances) = (vec![from], vec![]);
    for distance in 0.. {
        distances.extend(ring.iter().map(|_| distance));
        let next: BTreeSet<usize> = ring.iter().flat_map(|&node| &neighbours[node]).copied().collect();
        ring = next.into_iter().filter(|&node| seen.insert(node)).collect();
        if ring.is_empty() {
            break;
        }
    }
    distances
}

fn is_connected(nodes: usize, edges: &[(usize, usize)]) -> bool {
    nodes == 0 || distances(&neighbours(nodes, edges), 0).len() == nodes
}

/// How likely two neighbours of a node are joined, averaged over the nodes.
fn clustering(neighbours: &[BTreeSet<usize>]) -> f64 {
    let of = |joined: &BTreeSet<usize>| {
        let pairs = joined.len() * (joined.len() - 1) / 2;
        let closed: usize =
            joined.iter().map(|&a| neighbours[a].range(a..).filter(|b| joined.contains(b)).count()).sum();
        closed as f64 / pairs as f64
    };
    neighbours.iter().map(of).sum::<f64>() / neighbours.len() as f64
}

fn any_topology() -> impl Strategy<Value = Topology> {
    prop_oneof![
        Just(Topology::Complete),
        Just(Topology::Ring),
        Just(Topology::Line),
        Just(Topology::Star),
        (1..12_usize).prop_map(|links| Topology::Random { links }),
        (1..12_usize, 0..9_usize)
            .prop_map(|(links, more)| Topology::Bounded { links, accepted_max: links + more }),
        (1..12_usize).prop_map(|links| Topology::ScaleFree { links }),
        (1..6_usize, 0.0..=1.0)
            .prop_map(|(half, rewiring)| Topology::SmallWorld { neighbours: 2 * half, rewiring }),
        proptest::collection::vec((0..20_u32, 0..20_u32), 0..40).prop_map(Topology::Edges),
    ]
}

proptest! {
    #[test]
    fn edges_are_clean_join_all_and_follow_from_the_seed(topology in any_topology(), nodes in 0..40_usize, seed: u64) {
        let Ok(edges) = topology.edges(nodes, seed) else { return Ok(()) };
        prop_assert!(edges.is_sorted_by(|a, b| a < b), "ascending, each once");
        prop_assert!(edges.iter().all(|(a, b)| a < b && b.index() < nodes));
        prop_assert_eq!(&Ok(edges.clone()), &topology.edges(nodes, seed));
        if !matches!(topology, Topology::Edges(_)) {
            let edges: Vec<_> = edges.into_iter().map(|(a, b)| (a.index(), b.index())).collect();
            prop_assert!(is_connected(nodes, &edges));
        }
        let document = serde_json::to_string(&topology).unwrap();
        prop_assert_eq!(serde_json::from_str::<Topology>(&document).unwrap(), topology);
    }

    #[test]
    fn plain_shapes_have_their_degrees(nodes in 3..40_usize) {
        let degrees_of = |topology| degrees(nodes, &edges(&topology, nodes, 0));
        prop_assert_eq!(degrees_of(Topology::Complete), vec![nodes - 1; nodes]);
        prop_assert_eq!(degrees_of(Topology::Ring), vec![2; nodes]);
        let mut line = vec![2; nodes];
        (line[0], line[nodes - 1]) = (1, 1);
        prop_assert_eq!(degrees_of(Topology::Line), line);
        let mut star = vec![1; nodes];
        star[0] = nodes - 1;
        prop_assert_eq!(degrees_of(Topology::Star), star);
    }

    #[test]
    fn random_nodes_have_at_least_their_links(nodes in 2..200_usize, links in 1..20_usize, seed: u64) {
        let edges = edges(&Topology::Random { links }, nodes, seed);
        let least = links.min(nodes - 1);
        prop_assert!(degrees(nodes, &edges).into_iter().all(|degree| degree >= least));
        // Each choice is an edge, or half of one; with one link a node, parts that hang apart are joined.
        prop_assert!(2 * edges.len() >= nodes * least && edges.len() <= nodes * least + nodes / 2);
    }

    #[test]
    fn small_worlds_keep_their_number_of_edges(
        nodes in 3..100_usize, half in 1..6_usize, rewiring in 0.0..=1.0, seed: u64,
    ) {
        prop_assume!(2 * half < nodes);
        let edges = edges(&Topology::SmallWorld { neighbours: 2 * half, rewiring }, nodes, seed);
        prop_assert_eq!(edges.len(), nodes * half);
        prop_assert!(degrees(nodes, &edges).into_iter().all(|degree| degree >= half), "an edge keeps one end");
    }

    #[test]
    fn scale_free_networks_have_as_many_edges_as_said(nodes in 2..200_usize, links in 1..20_usize, seed: u64) {
        let edges = edges(&Topology::ScaleFree { links }, nodes, seed);
        let expected = match nodes > links {
            true => links * (links + 1) / 2 + (nodes - links - 1) * links,
            false => nodes * (nodes - 1) / 2,
        };
        prop_assert_eq!(edges.len(), expected);
        prop_assert!(degrees(nodes, &edges).into_iter().all(|degree| degree >= links.min(nodes - 1)));
    }
}

#[test]
fn tiny_networks_have_what_they_can() {
    let topologies = [
        Topology::Complete,
        Topology::Ring,
        Topology::Line,
        Topology::Star,
        Topology::Random { links: 8 },
        Topology::ScaleFree { links: 8 },
    ];
    for topology in topologies {
        assert_eq!(edges(&topology, 0, 1), []);
        assert_eq!(edges(&topology, 1, 1), []);
        assert_eq!(edges(&topology, 2, 1), [(0, 1)], "{topology:?}");
        if topology != Topology::Line && topology != Topology::Star {
            assert_eq!(edges(&topology, 3, 1), [(0, 1), (0, 2), (1, 2)], "{topology:?}");
        }
    }
    let small_world = Topology::SmallWorld { neighbours: 2, rewiring: 0.5 };
    assert_eq!(edges(&small_world, 1, 1), []);
    assert_eq!(edges(&small_world, 3, 1), [(0, 1), (0, 2), (1, 2)]);
}

#[test]
fn bad_topologies_are_named() {
    let error = |topology: Topology, nodes| topology.edges(nodes, 1).unwrap_err();
    let small_world = |neighbours, rewiring| Topology::SmallWorld { neighbours, rewiring };
    assert_eq!(error(Topology::Random { links: 0 }, 5), TopologyError::NoLinks);
    assert_eq!(error(Topology::Bounded { links: 0, accepted_max: 9 }, 5), TopologyError::NoLinks);
    assert_eq!(
        error(Topology::Bounded { links: 8, accepted_max: 7 }, 5).to_string(),
        "8 links a node, but only 7 accepted: all would be full too soon"
    );
    let one_way = Topology::OneWay(vec![(0, 5)]);
    assert_eq!(one_way.peers(5, 0), Err(TopologyError::UnknownNode { node: 5, nodes: 5 }));
    assert_eq!(error(Topology::ScaleFree { links: 0 }, 5), TopologyError::NoLinks);
    assert_eq!(error(small_world(3, 0.1), 5), TopologyError::OddNeighbours { neighbours: 3 });
    assert_eq!(error(small_world(0, 0.1), 5), TopologyError::OddNeighbours { neighbours: 0 });
    assert_eq!(error(small_world(6, 0.1), 6), TopologyError::TooManyNeighbours { neighbours: 6, nodes: 6 });
    assert_eq!(error(small_world(2, 1.5), 6), TopologyError::Rewiring { rewiring: 1.5 });
    assert!(error(small_world(2, f64::NAN), 6).to_string().contains("NaN"));
    let unknown = error(Topology::Edges(vec![(0, 1), (7, 2)]), 5);
    assert_eq!(unknown, TopologyError::UnknownNode { node: 7, nodes: 5 });
    assert_eq!(unknown.to_string(), "an edge names node 7, but there are only 5 nodes");
    assert_eq!(error(Topology::Edges(vec![(3, 3)]), 5), TopologyError::SelfLoop { node: 3 });
    let nodes = usize::MAX;
    assert_eq!(error(Topology::Ring, nodes), TopologyError::TooManyNodes { nodes });
}

#[test]
fn the_thinnest_networks_hang_together() {
    for nodes in 3..300 {
        let small_world = edges(&Topology::SmallWorld { neighbours: 2, rewiring: 1.0 }, nodes, 1);
        assert!(small_world.len() == nodes && is_connected(nodes, &small_world), "{nodes} nodes");
        let random = edges(&Topology::Random { links: 1 }, nodes, 1);
        assert!(is_connected(nodes, &random), "{nodes} nodes");
    }
}

/// So large a ring falls apart nearly each time that it is rewired.
#[test]
fn what_falls_apart_time_and_again_is_joined() {
    let nodes = 20_000;
    let joined =
        (0..20).map(|seed| edges(&Topology::SmallWorld { neighbours: 2, rewiring: 1.0 }, nodes, seed));
    let counts: Vec<_> = joined
        .map(|edges| {
            assert!(is_connected(nodes, &edges));
            edges.len()
        })
        .collect();
    assert!(counts.iter().any(|count| *count > nodes), "{counts:?}");
}

#[test]
fn a_seed_gives_the_same_edges_for_ever() {
    assert_eq!(
        edges(&Topology::Random { links: 2 }, 6, 42),
        [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 4), (1, 5), (2, 3), (2, 5), (3, 5)]
    );
    assert_eq!(edges(&Topology::ScaleFree { links: 1 }, 6, 42), [(0, 1), (0, 3), (0, 5), (1, 2), (1, 4)]);
    assert_eq!(
        edges(&Topology::SmallWorld { neighbours: 2, rewiring: 0.5 }, 6, 42),
        [(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (3, 4)]
    );
}

#[test]
fn given_edges_count_once() {
    let topology = Topology::Edges(vec![(3, 1), (1, 3), (0, 1), (3, 1)]);
    assert_eq!(
        topology.edges(4, 0).unwrap(),
        [(0, 1), (1, 3)].map(|(a, b)| (NodeId::new(a), NodeId::new(b)))
    );
}

#[test]
fn ten_thousand_nodes_choose_eight_others_evenly() {
    let edges = edges(&Topology::Random { links: 8 }, 10_000, 5);
    // Of 80,000 choices, some 80,000 * 8 / 9,999 / 2 = 32 are met by one the other way round; five standard errors.
    assert!((80_000 - edges.len()).abs_diff(32) <= 29, "{}", edges.len());
    let degrees = degrees(10_000, &edges);
    assert!(is_connected(10_000, &edges));
    // A degree is 8 and about a Poisson number of mean 8: above 40 is all but impossible.
    assert!(degrees.iter().all(|degree| (8..=40).contains(degree)));
    let of_degree = |wanted| degrees.iter().filter(|&&degree| degree == wanted).count() as f64 / 1e4;
    // e^-8 8^8 / 8! = 0.1396 are chosen by eight, with a standard error of 0.0035.
    assert!((of_degree(16) - 0.1396).abs() < 0.0175, "{}", of_degree(16));
}

#[test]
fn small_worlds_are_clustered_and_have_short_paths() {
    // The figures of the paper's figure 2, for 1000 nodes of 10 neighbours: an unwired ring has a clustering of
    // 3 (k - 2) / (4 (k - 1)) = 2/3 and paths of about n / 2k = 50; rewiring a hundredth of the edges shortens the
    // paths to about a fifth and leaves the clustering, by (1 - p)^3, as it was.
    let measure = |rewiring| {
        let edges = edges(&Topology::SmallWorld { neighbours: 10, rewiring }, 1000, 3);
        let neighbours = neighbours(1000, &edges);
        let from: Vec<usize> = (0..1000).step_by(50).collect();
        let total: usize = from.iter().map(|&node| distances(&neighbours, node).iter().sum::<usize>()).sum();
        (clustering(&neighbours), total as f64 / (from.len() * 999) as f64)
    };
    let (ring_clustering, ring_path) = measure(0.0);
    assert!((ring_clustering - 2.0 / 3.0).abs() < 1e-9, "{ring_clustering}");
    assert!((ring_path - 50.45).abs() < 0.1, "{ring_path}");
    let (clustering, path) = measure(0.01);
    assert!((clustering / ring_clustering - 0.99_f64.powi(3)).abs() < 0.015, "{clustering}");
    assert!((0.1..0.3).contains(&(path / ring_path)), "{path}");
    let (clustering, path) = measure(1.0);
    assert!(clustering < 0.03 && path < 4.0, "{clustering} {path}");
}

#[test]
fn scale_free_degrees_follow_the_power_law() {
    let (nodes, links) = (10_000, 4);
    let degrees = degrees(nodes, &edges(&Topology::ScaleFree { links }, nodes, 3));
    // Dorogovtsev, Mendes and Samukhin (2000) and Bollobás et al. (2001): a share of
    // 2 m (m + 1) / (k (k + 1) (k + 2)) of the nodes has the degree k; summed from k up, m (m + 1) / (k (k + 1)).
    for least in [4, 5, 8, 16, 32] {
        let share = degrees.iter().filter(|&&degree| degree >= least).count() as f64 / nodes as f64;
        let expected = (links * (links + 1)) as f64 / (least * (least + 1)) as f64;
        let tolerance = 5.0 * (expected * (1.0 - expected) / nodes as f64).sqrt() + 0.002;
        assert!((share - expected).abs() < tolerance, "{share} have {least} neighbours, expected {expected}");
    }
    // The largest hub grows as m √n = 400.
    let hub = degrees.into_iter().max().unwrap();
    assert!((150..1500).contains(&hub), "{hub}");
}

#[test]
fn nobody_accepts_more_than_the_bound() {
    let most = usize::MAX;
    for (links, accepted_max, nodes) in
        [(8, 8, 1000), (8, 12, 1000), (3, 117, 1000), (8, 8, 5), (most, most, 10)]
    {
        let found = edges(&Topology::Bounded { links, accepted_max }, nodes, 7);
        let degrees = degrees(nodes, &found);
        assert!(
            degrees.iter().all(|degree| *degree <= links.saturating_add(accepted_max)),
            "{links} {accepted_max}"
        );
        assert!(is_connected(nodes, &found));
        // Where there is room, everybody has opened all of its links.
        let fewer = degrees.iter().filter(|degree| **degree < links.min(nodes - 1)).count();
        assert!(fewer * 100 <= nodes, "{fewer} of {nodes}");
    }
    // Without a bound a few accept far more than they open.
    let random = degrees(1000, &edges(&Topology::Random { links: 8 }, 1000, 7));
    assert!(random.iter().any(|degree| *degree > 24));
}

#[test]
fn links_go_both_ways_unless_they_are_told_to_go_one() {
    let peers = |topology: &Topology| {
        let peers = topology.peers(4, 0).unwrap();
        peers.into_iter().map(|(a, b)| (a.index(), b.index())).collect::<Vec<_>>()
    };
    assert_eq!(peers(&Topology::Edges(vec![(3, 1), (1, 3), (0, 1)])), [(0, 1), (1, 0), (1, 3), (3, 1)]);
    let one_way = Topology::OneWay(vec![(3, 1), (3, 1), (0, 1), (1, 0)]);
    assert_eq!(peers(&one_way), [(0, 1), (1, 0), (3, 1)]);
    assert_eq!(edges(&one_way, 4, 0), [(0, 1), (1, 3)]);
}
