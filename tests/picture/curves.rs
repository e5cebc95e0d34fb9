//! Curves.

use std::time::Duration;

use chainlab::{
    Blockchain, Event, Happening, Rules, Simulation, Time,
    network::HashRate,
    picture::{Curve, CurveError, Point},
    pow::Target,
};
use proptest::prelude::*;
use roxmltree::Document;

use crate::{
    golden::assert_golden,
    runs::{Run, any_passage, any_run, simulated},
};

/// Panics unless the picture can be read, and its texts lie on the paper and apart from each other.
#[track_caller]
fn check(svg: &str) {
    let document = Document::parse(svg).unwrap();
    let mut areas: Vec<(String, [f64; 4])> = Vec::new();
    for node in document.descendants().filter(|node| node.has_tag_name("text")) {
        let number = |name| node.attribute(name).map(|value: &str| value.parse::<f64>().unwrap());
        let text = node.text().unwrap_or_default().trim().to_owned();
        let (x, y) = (number("x").unwrap(), number("y").unwrap());
        let length = number("textLength").unwrap_or(7.2 * text.chars().count() as f64);
        let left = match node.attribute("text-anchor") {
            Some("middle") => x - length / 2.0,
            Some("end") => x - length,
            _ => x,
        };
        // Labels of ticks hang or stand by their `dy`, in ems.
        let dy = node
            .attribute("dy")
            .map_or(0.0, |dy| dy.trim_end_matches("ex").trim_end_matches("em").parse().unwrap());
        let bottom = y + 12.0 * dy + 3.0;
        let area = [left, bottom - 12.0, left + length, bottom];
        let is_on_paper = left >= 0.0 && area[1] >= 0.0 && area[2] <= 720.0 && bottom <= 440.0;
        assert!(is_on_paper, "{text:?} is at {area:?}");
        for (other, there) in &areas {
            let is_apart =
                there[0] >= area[2] || there[2] <= area[0] || there[1] >= area[3] || there[3] <= area[1];
            assert!(is_apart || text.is_empty(), "{text:?} at {area:?} and {other:?} at {there:?} touch");
        }
        areas.push((text, area));
    }
}

fn point(x: f64, mean: f64, half: f64) -> Point {
    Point { x, mean, low: mean - half, high: mean + half }
}

#[test]
fn how_blocks_spread_has_its_curve() {
    let (events, _) = simulated(false);
    let svg = Curve::propagation(&events).to_svg().unwrap();
    check(&svg);
    assert_golden("curve_propagation.svg", &svg);
}

#[test]
fn a_sweep_has_its_curve_beside_the_published_one() {
    let points =
        [(1.0, 0.0017), (2.0, 0.0033), (5.0, 0.0084), (10.0, 0.0161), (20.0, 0.0325), (40.0, 0.0617)];
    let curve = Curve::swept("delay in seconds", "stale rate", points.map(|(x, y)| point(x, y, 0.003)));
    let published = (0..=40).map(|delay| (f64::from(delay), f64::from(delay) / 600.0));
    let svg = curve.with_published("delay over interval", published).to_svg().unwrap();
    check(&svg);
    assert_golden("curve_sweep.svg", &svg);
}

/// A chain that is mined twice as fast after a while, so that its difficulty follows.
fn retargeted() -> Blockchain {
    let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 5);
    let nodes = [simulation.spawn().unwrap(), simulation.spawn().unwrap()];
    simulation.connect(nodes[0], nodes[1]).unwrap();
    for node in nodes {
        simulation.start_mining(node, HashRate::per_second(1e6).unwrap()).unwrap();
        simulation.run_for(Duration::from_secs(30 * 86_400));
    }
    simulation.chain(nodes[0]).unwrap()
}

#[test]
fn a_chain_has_its_curves() {
    let chain = retargeted();
    let difficulty = Curve::difficulty(&chain);
    assert!(difficulty.points().len() < 30, "steps alone: {}", difficulty.points().len());
    let svg = difficulty.to_svg().unwrap();
    check(&svg);
    assert_golden("curve_difficulty.svg", &svg);

    let intervals = Curve::block_intervals(&chain);
    let blocks: f64 = intervals.points().iter().map(|point| point.mean).sum();
    assert_eq!(blocks, (chain.len() - 2) as f64);
    let svg = intervals.to_svg().unwrap();
    check(&svg);
    assert_golden("curve_intervals.svg", &svg);
}

#[test]
fn where_there_is_nothing_nothing_is_drawn() {
    let rules = Rules::notebook().with_first_target(Target::EASIEST);
    let chain = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    let curves = [
        Curve::propagation::<Event>([]),
        Curve::difficulty(&chain),
        Curve::block_intervals(&chain),
        Curve::swept("x", "y", []),
    ];
    for curve in curves {
        assert_eq!(curve.to_svg(), Err(CurveError::NoPoints));
    }
    let many = (0..100_001).map(|x| point(f64::from(x), 1.0, 0.0));
    assert_eq!(Curve::swept("x", "y", many).to_svg(), Err(CurveError::TooManyPoints { found: 100_001 }));
}

/// The share of the nodes that have a block so many seconds after it was mined, by looking through all events.
fn slow_share(events: &[Event], block: usize, seconds: f64) -> f64 {
    let mined: Vec<_> = events
        .iter()
        .filter_map(|event| match event.what {
            Happening::Mined { block, parent, .. } => Some((block, parent, event.time)),
            _ => None,
        })
        .collect();
    let nodes: std::collections::BTreeSet<_> = events.iter().map(|event| event.node).collect();
    let has = |node| {
        let own = events.iter().filter(|event| event.node == node);
        let tips = own.filter_map(|event| match event.what {
            Happening::Mined { block, .. } | Happening::Accepted { block, .. } => Some((block, event.time)),
            _ => None,
        });
        let mut in_time = tips.filter(|(_, time)| (*time - mined[block].2).as_secs_f64() <= seconds);
        in_time.any(|(tip, _)| {
            let mut next = Some(tip);
            std::iter::from_fn(|| {
                let tip = next?;
                next = mined.iter().find(|each| each.0 == tip).map(|each| each.1);
                Some(tip)
            })
            .any(|hash| hash == mined[block].0)
        })
    };
    nodes.iter().filter(|node| has(**node)).count() as f64 / nodes.len() as f64
}

#[test]
fn the_curve_of_propagation_is_that_of_a_plain_count() {
    let (events, _) = simulated(false);
    let blocks = events.iter().filter(|event| matches!(event.what, Happening::Mined { .. })).count();
    assert!(blocks > 3);
    for point in Curve::propagation(&events).points() {
        let mut shares: Vec<_> = (0..blocks).map(|block| slow_share(&events, block, point.x)).collect();
        shares.sort_by(f64::total_cmp);
        assert_eq!(point.mean, shares[(blocks - 1) / 2], "after {} s", point.x);
    }
}

/// A peer that a test plays has links, but never a chain.
#[test]
fn what_is_no_node_does_not_count() {
    let mut run = Run::named(&["alice", "bob"]);
    run.mines(0, 2, "block", "genesis");
    run.accepts(1, 2, "block", 0);
    let alone = Curve::propagation(&run.events);
    assert_eq!(alone.points().last().unwrap().mean, 1.0);
    let message = run.events.len();
    run.happens(2, Happening::Partitioned { group: 1 });
    run.happens(2, Happening::Healed);
    run.happens(2, Happening::Message(any_passage(0, message, 0)));
    assert_eq!(Curve::propagation(&run.events), alone);
}

proptest! {
    #[test]
    fn any_values_are_drawn_or_refused(
        values in prop::collection::vec((any::<f64>(), -1e3..1e3_f64, 0.0..1.0_f64, -40..40_i32), 1..20),
        is_wild in any::<bool>(),
        name in prop_oneof![any::<String>(), Just("<script>\u{202e}\"&'".repeat(1000))],
    ) {
        let points = values.into_iter().map(|(wild, value, share, power)| {
            let value = if is_wild { wild } else { value * 10_f64.powi(power) };
            point(value, share, share / 2.0)
        });
        let curve = Curve::swept(name.clone(), name.clone(), points).with_published(name, [(0.0, 1.0)]);
        if let Ok(svg) = curve.to_svg() {
            check(&svg);
        }
    }

    #[test]
    fn any_events_have_a_curve_or_none(events in any_run()) {
        if let Ok(svg) = Curve::propagation(&events).to_svg() {
            check(&svg);
        }
    }
}
