//! Pictures, drawn by the command of what it has written itself.

use std::{fs, io::BufWriter, path::Path, time::Duration};

use chainlab::{
    BlockHash, Event, EventReader, EventWriter, Happening, NodeId, Time,
    picture::{ForkTree, Replay, SpaceTime, Span},
};
use tempfile::TempDir;

use crate::{
    golden::assert_golden,
    program::{directory, fail, read, succeed},
};

/// A directory with the events of a ready scenario, messages and all.
fn drawn_from() -> TempDir {
    let directory = directory();
    succeed(directory.path(), &["run", "forks", "--events", "events.jsonl", "--trace"]);
    directory
}

/// The events that lie in a directory, and when their run started.
fn events(directory: &Path) -> (Vec<Event>, Time) {
    let lines = fs::read(directory.join("events.jsonl")).unwrap();
    let reader = EventReader::new(&*lines).unwrap();
    let start = reader.start();
    (reader.map(Result::unwrap).collect(), start)
}

fn starts_with(directory: &Path, name: &str, start: &str) {
    let text = read(directory, name);
    assert!(text.starts_with(start), "{name}: {}", text.lines().next().unwrap_or_default());
}

/// What the README shows at its top.
#[test]
fn the_readmes_picture_is_what_the_command_draws() {
    let directory = drawn_from();
    succeed(directory.path(), &["draw", "tree", "events.jsonl", "-o", "forks.svg"]);
    assert_golden("forks.svg", &read(directory.path(), "forks.svg"));
    let readme = include_str!("../../README.md");
    assert!(readme.contains("](tests/golden/forks.svg)"));
    for words in ["run forks --events events.jsonl --trace", "draw tree events.jsonl -o forks.svg"] {
        assert!(readme.contains(&format!("`chainlab {words}`")), "{words}");
    }
}

#[test]
fn a_tree_is_drawn_as_its_files_ending_says() {
    let directory = drawn_from();
    let path = directory.path();
    let tree = ForkTree::from_events(events(path).0);
    assert_eq!(succeed(path, &["draw", "tree", "events.jsonl"]), tree.to_string());
    for (name, expected) in [
        ("tree.svg", tree.to_svg()),
        ("tree.SVG", tree.to_svg()),
        ("tree.dot", tree.to_dot()),
        ("tree.gv", tree.to_dot()),
        ("tree.txt", tree.to_string()),
        ("tree", tree.to_string()),
    ] {
        assert_eq!(succeed(path, &["draw", "tree", "events.jsonl", "-o", name]), "");
        assert_eq!(read(path, name), expected, "{name}");
    }
}

#[test]
fn other_pictures_are_drawn_to_files_and_to_standard_output() {
    let directory = drawn_from();
    let path = directory.path();
    for (verb, name, start) in [
        ("space-time", "all.svg", "<svg "),
        ("curves", "curve.svg", "<svg "),
        ("replay", "replay.html", "<!DOCTYPE html>"),
    ] {
        assert_eq!(succeed(path, &["draw", verb, "events.jsonl", "-o", name]), "");
        starts_with(path, name, start);
        assert_eq!(succeed(path, &["draw", verb, "events.jsonl"]), read(path, name), "{verb}");
    }
    let traced = Replay::read(&*fs::read(path.join("events.jsonl")).unwrap()).unwrap();
    assert_eq!(read(path, "replay.html"), traced.to_html().unwrap());

    let words = ["draw", "space-time", "events.jsonl", "--from", "0.5", "--to", "3000", "--nodes", "3,1"];
    let (events, start) = events(path);
    let [from, to] = [500, 3_000_000].map(|millis| start + Duration::from_millis(millis));
    let span = Span { from, to };
    let diagram = SpaceTime::from_events(&events, span, [3, 1].map(NodeId::new)).unwrap();
    assert_eq!(succeed(path, &words), diagram.to_svg());
}

#[test]
fn what_cannot_be_drawn_is_told_with_a_hint() {
    let directory = drawn_from();
    let path = directory.path();
    for (words, expected) in [
        (
            &["tree", "events.jsonl", "-o", "t.png"][..],
            "t.png: its ending tells how it is drawn, and is to be .txt, .svg, .dot, .gv",
        ),
        (
            &["space-time", "events.jsonl", "-o", "t.txt"],
            "t.txt: its ending tells how it is drawn, and is to be .svg",
        ),
        (&["curves", "events.jsonl", "-o", "t"], "t: its ending tells how it is drawn, and is to be .svg"),
        (
            &["replay", "events.jsonl", "-o", "t.svg"],
            "t.svg: its ending tells how it is drawn, and is to be .html",
        ),
        (
            &["space-time", "events.jsonl", "--nodes", "5,6,70"],
            "events.jsonl: of node 6, node 70 no event tells",
        ),
        (
            &["space-time", "events.jsonl", "--from", "20", "--to", "10.5"],
            "events.jsonl: no time lies between 20 s and 10.5 s after the start of the run",
        ),
        (&["tree", "delays.json"], "delays.json: "),
        (&["curves", "none.jsonl"], "none.jsonl: "),
    ] {
        let error = fail(path, &[&["draw"], words].concat(), 1);
        assert!(error.starts_with(&format!("error: {expected}")), "{words:?}: {error}");
    }
    assert!(!path.join("t.png").exists());
    let events = fs::read(path.join("events.jsonl")).unwrap();
    fs::write(path.join("events.txt"), &events).unwrap();
    let error = fail(path, &["draw", "tree", "events.txt", "-o", "./events.txt"], 1);
    assert_eq!(error, "error: events.txt: it is read, and would be written over\n");
    assert_eq!(fs::read(path.join("events.txt")).unwrap(), events);
    let error = fail(path, &["draw", "space-time", "events.jsonl", "--from", "soon"], 2);
    assert!(error.contains("--from"), "{error}");
}

#[test]
fn a_replay_of_too_much_is_thinned_when_it_is_asked_for() {
    let directory = directory();
    let path = directory.path();
    let file = BufWriter::new(fs::File::create(path.join("many.jsonl")).unwrap());
    let mut writer = EventWriter::new(file, Time::UNIX_EPOCH).unwrap();
    let at =
        |number: usize, what| Event { time: Time::from_nanos(number as u64), node: NodeId::new(0), what };
    let [block, parent] = ["block", "genesis"].map(|text| BlockHash::of(text.as_bytes()));
    writer.write(&at(0, Happening::Mined { block, position: 2, parent })).unwrap();
    for number in 1..=Replay::EVENTS_MAX {
        writer.write(&at(number, Happening::Paused)).unwrap();
    }
    writer.flush().unwrap();
    let error = fail(path, &["draw", "replay", "many.jsonl", "-o", "replay.html"], 1);
    assert!(error.ends_with("have it thinned, by --thinned\n"), "{error}");
    assert!(!path.join("replay.html").exists());
    assert_eq!(succeed(path, &["draw", "replay", "many.jsonl", "-o", "replay.html", "--thinned"]), "");
    assert!(read(path, "replay.html").contains("what came later"));
}
