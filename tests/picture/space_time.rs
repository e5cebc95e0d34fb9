//! Space-time diagrams.

use std::time::Duration;

use chainlab::{
    Event, Happening, NodeId, Time,
    picture::{SpaceTime, SpaceTimeError, Span},
};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::{
    golden::assert_golden,
    reading::check,
    runs::{Run, any_run, simulated},
};

fn nodes(count: u32) -> impl Iterator<Item = NodeId> {
    (0..count).map(NodeId::new)
}

fn all(events: &[Event], start: Time) -> Span {
    Span { from: start, to: events.last().map_or(start, |event| event.time) }
}

/// How many elements there are of a name and a class.
fn count(svg: &str, name: &str, class: &str) -> usize {
    let document = Document::parse(svg).unwrap();
    let has_class = |node: &Node<'_, '_>| {
        node.attribute("class").is_some_and(|classes| classes.split(' ').any(|each| each == class))
    };
    document.descendants().filter(|node| node.has_tag_name(name) && has_class(node)).count()
}

#[test]
fn a_simulation_with_faults_has_its_diagram() {
    let (events, start) = simulated(true);
    let svg = SpaceTime::from_events(&events, all(&events, start), nodes(4)).unwrap().to_svg();
    check(&svg);
    assert_golden("space_time.svg", &svg);
    let lost = events
        .iter()
        .filter(|event| matches!(&event.what, Happening::Message(passage) if passage.lost.is_some()));
    let lost = lost.count();
    assert!(lost > 0, "links lose messages");
    assert_eq!(count(&svg, "path", "bold"), lost, "a cross each");
    let accepted = events.iter().filter(|event| matches!(event.what, Happening::Accepted { .. })).count();
    assert_eq!(count(&svg, "circle", "block"), accepted, "a dot each");
    assert_eq!(count(&svg, "rect", "shade"), 4 + 1 + 1, "four were cut off, one crashed and one was paused");
}

#[test]
fn what_is_not_traced_is_guessed_from_acceptances() {
    let (events, start) = simulated(false);
    let svg = SpaceTime::from_events(&events, all(&events, start), nodes(4)).unwrap().to_svg();
    check(&svg);
    assert_golden("space_time_guessed.svg", &svg);
    let accepted = events.iter().filter(|event| matches!(event.what, Happening::Accepted { .. })).count();
    assert_eq!(count(&svg, "path", "dashed"), accepted, "a line each");
}

#[test]
fn some_nodes_for_some_time_have_less() {
    let (events, start) = simulated(true);
    let span = Span { from: start + Duration::from_secs(600), to: start + Duration::from_secs(1200) };
    let svg = SpaceTime::from_events(&events, span, [3, 2].map(NodeId::new)).unwrap().to_svg();
    check(&svg);
    assert_golden("space_time_detail.svg", &svg);
}

/// What crashes while it is paused comes back as a node that goes on.
#[test]
fn a_crash_ends_a_pause() {
    let mut run = Run::named(&["alice"]);
    for what in [Happening::Paused, Happening::Crashed, Happening::Restarted] {
        run.happens(0, what);
    }
    run.mines(0, 2, "block", "genesis");
    let svg =
        SpaceTime::from_events(&run.events, all(&run.events, Time::UNIX_EPOCH), nodes(1)).unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let shade = |told: &str| {
        let is_told = |node: &Node<'_, '_>| node.has_tag_name("title") && node.text() == Some(told);
        let title = document.descendants().find(is_told).unwrap();
        let rect = title.next_sibling_element().unwrap();
        ["x", "width"].map(|name| rect.attribute(name).unwrap().parse::<f64>().unwrap())
    };
    let ([paused, pause], [down, _]) = (shade("alice was paused"), shade("alice was down"));
    assert!((paused + pause - down).abs() < 0.2, "paused from {paused} for {pause}, down from {down}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_a_number_and_a_hint() {
    let second = Time::from_secs(1);
    let from_events =
        |events: &[Event], span, nodes: Vec<NodeId>| SpaceTime::from_events(events, span, nodes).unwrap_err();
    let span = Span { from: Time::UNIX_EPOCH, to: Time::MAX };
    assert_eq!(from_events(&[], span, vec![]), SpaceTimeError::NoNodes);
    let error = from_events(&[], Span { from: second, to: second }, nodes(1).collect());
    assert_eq!(error, SpaceTimeError::EmptySpan { from: second, to: second });
    let error = from_events(&[], span, nodes(201).collect());
    assert_eq!(error.to_string(), "201 nodes are more than there is room for, 200: choose some of them");

    let mut run = Run::default();
    (0..3000).for_each(|number| run.accepts(1, number, &number.to_string(), 0));
    let error = from_events(&run.events, span, nodes(2).collect());
    assert_eq!(
        error.to_string(),
        "6000 messages, blocks and shades are more than can be told apart, 5000: choose a shorter span or fewer nodes"
    );
    let span = Span { from: Time::UNIX_EPOCH, to: Time::from_secs(2000) };
    assert!(SpaceTime::from_events(&run.events, span, nodes(2)).is_ok(), "a shorter span");
    let span = Span { from: Time::UNIX_EPOCH, to: Time::MAX };
    assert!(SpaceTime::from_events(&run.events, span, [NodeId::new(1)]).is_ok(), "fewer nodes");
}

proptest! {
    #[test]
    fn no_input_makes_an_unreadable_diagram(
        events in any_run(),
        from in 0..60_u64,
        length in prop_oneof![1..100_000_000_000_u64, Just(u64::MAX)],
    ) {
        let from = Time::from_secs(from);
        let span = Span { from, to: from + Duration::from_nanos(length) };
        let diagram = SpaceTime::from_events(&events, span, nodes(7)).unwrap();
        check(&diagram.to_svg());
        prop_assert_eq!(diagram, SpaceTime::from_events(&events, span, nodes(7)).unwrap());
    }
}
