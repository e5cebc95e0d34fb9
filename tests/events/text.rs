//! What a person reads.

use chainlab::{Event, Happening, NodeId, Time};
use proptest::prelude::*;

use super::{
    any::{event, every_happening},
    golden::assert_golden,
};

#[test]
fn every_event_has_its_text() {
    let at = |number: u64| Time::from_nanos(1_000_000 * number);
    let events =
        (1..).zip(every_happening()).map(|(n, what)| Event { time: at(n), node: NodeId::new(3), what });
    let lines: Vec<_> = events.map(|event| format!("{}\n", event.display_since(at(5)))).collect();
    assert_golden("events.txt", &lines.concat());
    assert_eq!(lines[1], "-0.003 s  node 3: mined block 7 496aca80 on e4712596\n");
}

proptest! {
    #[test]
    fn an_event_is_one_line(event in event(), start in any::<u64>()) {
        let line = event.display_since(Time::from_nanos(start)).to_string();
        prop_assert!(!line.contains(char::is_control), "{:?}", line);
    }
}

#[test]
fn times_are_since_the_start() {
    let event =
        |nanos| Event { time: Time::from_nanos(nanos), node: NodeId::new(0), what: Happening::Paused };
    for (nanos, expected) in [
        (10_000_000_000, "+0.000 s"),
        (10_000_999_999, "+0.000 s"),
        (22_345_000_000, "+12.345 s"),
        (9_999_000_000, "-0.001 s"),
        (u64::MAX, "+18446744063.709 s"),
    ] {
        let line = event(nanos).display_since(Time::from_secs(10)).to_string();
        assert_eq!(line.split_once("  ").unwrap().0, expected);
    }
}
