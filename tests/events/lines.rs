//! Lines of JSON.

use std::io;

use chainlab::{Event, EventReader, EventWriter, Happening, NodeId, ReadEventError, Time};
use proptest::prelude::*;

use super::{
    any::{event, every_happening},
    golden::assert_golden,
};

const START: Time = Time::from_secs(1_000);

fn write(events: &[Event]) -> String {
    let mut lines = Vec::new();
    let mut writer = EventWriter::new(&mut lines, START).unwrap();
    events.iter().for_each(|event| writer.write(event).unwrap());
    String::from_utf8(lines).unwrap()
}

fn read(lines: &str) -> Result<Vec<Event>, String> {
    let events = EventReader::new(lines.as_bytes()).map_err(|error| error.to_string())?;
    assert_eq!(events.start(), START);
    events.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn every_event() -> Vec<Event> {
    let at = |number: u64| Time::from_nanos(START.as_nanos() + 1_000_000 * number);
    (1..).zip(every_happening()).map(|(n, what)| Event { time: at(n), node: NodeId::new(0), what }).collect()
}

proptest! {
    #[test]
    fn events_read_back_equal(events in prop::collection::vec(event(), 0..20)) {
        let lines = write(&events);
        prop_assert_eq!(lines.lines().count(), 1 + events.len(), "one line each");
        prop_assert_eq!(read(&lines), Ok(events));
    }

    /// Never a panic, and never an event made up: what is cut off is refused.
    #[test]
    fn a_line_cut_off_is_an_error(event in event(), cut in any::<prop::sample::Index>()) {
        let lines = write(&[event]);
        let header = lines.find('\n').unwrap() + 1;
        let cut = header + 1 + cut.index(lines.len() - header - 2);
        prop_assume!(lines.is_char_boundary(cut));
        let error = read(&lines[..cut]).unwrap_err();
        prop_assert!(error.starts_with("line 2: "), "{}", error);
    }
}

#[test]
fn every_event_has_its_line() {
    let lines = write(&every_event());
    assert_golden("events-1.jsonl", &lines);
    assert_eq!(read(&lines), Ok(every_event()));
}

#[test]
fn what_is_no_event_is_named_by_line_and_field() {
    let good = write(&every_event()[..2]);
    for (from, to, expected) in [
        (r#""node":0,"what":{"mined""#, r#""what":{"mined""#, "line 3: .: missing field `node`"),
        (
            r#""position":7"#,
            r#""position":"7""#,
            "line 3: what.mined.position: invalid type: string \"7\", expected u64",
        ),
        ("\"mined\"", "\"found\"", "line 3: what: unknown variant `found`"),
        (
            r#""position":7"#,
            r#""position":7,"height":7"#,
            "line 3: what.mined.height: unknown field `height`",
        ),
        ("Ålesund\"}}}", "Ålesund\"}}} {}", "line 2: .: trailing characters"),
        (
            "{\"time_ns\":1000001000000",
            "\n{\"time_ns\":1000001000000",
            "line 2: .: EOF while parsing a value",
        ),
        ("\"start_ns\":1000000000000", "\"start_ns\":-1", "line 1: start_ns: invalid value: integer `-1`"),
        ("\"version\":1,", "", "line 1: .: missing field `version`"),
        ("\"version\":1,", "\"version\":\"2\",", "line 1: version: invalid type: string \"2\", expected u64"),
        (
            "\"version\":1,",
            "\"version\":2,\"nodes\":[],",
            "version 2 of the format is not known here; version 1 is",
        ),
        (
            "chainlab events",
            "chainlab",
            "the first line does not name the format \"chainlab events\", but is: {",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from} is there");
        let error = read(&bad).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let long = "long".repeat(10_000);
    for to in [format!("\"{long}\":{{\"mined\""), format!("\"what\":{{\"{long}\"")] {
        let error = read(&good.replacen("\"what\":{\"mined\"", &to, 1)).unwrap_err();
        assert!(error.chars().count() < 1_300, "{error}");
    }
    for other in ["", "\n", "[]", "a text", &"x".repeat(1_000)] {
        let error = read(other).unwrap_err();
        assert!(error.starts_with("the first line does not name the format") && error.len() < 200, "{error}");
    }
}

#[test]
fn it_ends_after_an_error() {
    let lines = write(&every_event()[..3]).replace("mined", "found");
    let mut events = EventReader::new(lines.as_bytes()).unwrap();
    assert!(matches!(events.next(), Some(Ok(Event { what: Happening::Joined { .. }, .. }))));
    assert!(matches!(events.next(), Some(Err(ReadEventError::Line { line: 3, .. }))));
    assert!(events.next().is_none() && events.next().is_none());
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    #[derive(Debug)]
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("torn"))
        }
    }
    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(EventReader::new(io::BufReader::new(Broken)).unwrap_err().to_string(), "line 1: torn");
    let lines = write(&[]);
    let torn = io::Read::chain(lines.as_bytes(), io::BufReader::new(Broken));
    let error = EventReader::new(torn).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "line 2: torn");
    let utf8 = [write(&[]).as_bytes(), b"\xff\n"].concat();
    let error = EventReader::new(&*utf8).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("line 2: "), "{error}");
    assert_eq!(EventWriter::new(Broken, START).unwrap_err().to_string(), "full");
}
