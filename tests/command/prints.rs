//! What the command prints, and how it ends.

use std::{
    fs,
    process::{Command, Stdio},
};

use chainlab::{experiment::Scenario, report::Recorder};

use crate::program::{chainlab, directory, fail, succeed};

const SMALL: &str = r#"{"nodes": 2, "stop": {"blocks": 100}}"#;

#[test]
fn every_subcommand_has_help() {
    let directory = directory();
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["experiment", "--help"],
        &["scenarios", "--help"],
        &["draw", "--help"],
        &["validate", "--help"],
        &["draw", "tree", "--help"],
        &["draw", "space-time", "--help"],
        &["draw", "curves", "--help"],
        &["draw", "replay", "--help"],
        &["sweep", "--help"],
        &["sweep", "plan", "--help"],
        &["sweep", "run", "--help"],
        &["sweep", "merge", "--help"],
        &["sweep", "slurm", "--help"],
    ] {
        let help = succeed(directory.path(), arguments);
        assert!(help.contains("Usage: chainlab"), "{arguments:?}: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 120), "{arguments:?}: {help}");
        assert_examples_are_understood(&help);
    }
    let help = succeed(directory.path(), &["--help"]);
    assert!(help.contains("\n  draw ") && help.contains("\n  validate "), "{help}");
    assert_eq!(succeed(directory.path(), &["--version"]), "chainlab 0.1.0\n");
}

/// What the help tells to write is no wrong argument. With one word more nothing of it is carried out.
fn assert_examples_are_understood(help: &str) {
    let examples = help
        .lines()
        .filter_map(|line| line.split_once("  chainlab ").filter(|(before, _)| before.is_empty()));
    for (_, example) in examples {
        let end = ["  ", " > ", " && ", " | "].iter().filter_map(|end| example.find(end)).min();
        let words = example[..end.unwrap_or(example.len())].split(' ').chain(["--help"]);
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        assert!(succeed(directory().path(), &words).contains("Usage: chainlab"), "{example}");
    }
}

#[test]
fn published_figures_are_held_against() {
    let directory = directory();
    let printed = succeed(directory.path(), &["validate", "--quick", "two equal"]);
    assert!(printed.contains("  pass  stale of all mined  published 0.25000, simulated 0.2"), "{printed}");
    let last = printed.lines().last().unwrap();
    let (passed, all) = last.strip_suffix(" rows pass").and_then(|rest| rest.split_once(" of ")).unwrap();
    assert!(passed == all && printed.matches("  pass  ").count().to_string() == all, "{printed}");
    let error = fail(directory.path(), &["validate", "--quick", "three equal"], 1);
    assert_eq!(error, "error: no model's name holds \"three equal\"\n");
}

#[test]
fn wrong_arguments_are_explained() {
    let directory = directory();
    for (arguments, expected) in [
        (&[][..], "Usage: chainlab"),
        (&["rum"][..], "unrecognized subcommand 'rum'"),
        (&["run"], "<FILE>"),
        (&["run", "a", "--seed=-1"], "--seed"),
        (&["experiment", "a", "--threads", "0"], "--threads"),
        (&["sweep", "run", "plan", "-o", "rows", "--shard", "8/7"], "shards are 1/7 to 7/7"),
        (&["sweep", "slurm", "plan", "--tasks", "0"], "--tasks"),
    ] {
        let error = fail(directory.path(), arguments, 2);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn a_run_prints_its_report_and_intervals() {
    let directory = directory();
    fs::write(directory.path().join("small.json"), SMALL).unwrap();
    let printed = succeed(directory.path(), &["run", "small.json"]);
    let report = Scenario::from_json(SMALL).unwrap().run().unwrap();
    let rest = printed.strip_prefix(&report.to_string()).expect("the report comes first");
    assert!(rest.contains("stale_rate"), "{rest}");
    assert!(rest.contains("20 batches of 5"), "{rest}");
    let other = succeed(directory.path(), &["run", "small.json", "--seed", "7"]);
    assert_ne!(printed, other);
    let json = succeed(directory.path(), &["run", "small.json", "--json", "--batches", "4"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["report"], serde_json::to_value(&report).unwrap());
    assert_eq!(json["estimates"]["node_0_chain_share"]["batch"], 25);

    // Three batches of 33 leave none of the 99 intervals out.
    let json = succeed(directory.path(), &["run", "small.json", "--json", "--batches", "3"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let of_all = report.block_intervals.median.as_secs_f64();
    let median = json["estimates"]["block_interval_median_seconds"]["mean"].as_f64().unwrap();
    assert!((median - of_all).abs() < 0.001 * of_all, "{median} is not {of_all}");
}

#[test]
fn a_run_writes_its_events() {
    let directory = directory();
    fs::write(directory.path().join("small.json"), SMALL).unwrap();
    let printed = succeed(directory.path(), &["run", "small.json", "--events", "events.jsonl"]);
    let without_replays =
        |text: &str| text.lines().filter(|line| !line.contains("replayed")).collect::<String>();
    let unwatched = succeed(directory.path(), &["run", "small.json"]);
    assert_eq!(without_replays(&printed), without_replays(&unwatched), "who watches changes nothing");
    let events = fs::read(directory.path().join("events.jsonl")).unwrap();
    assert!(Recorder::read(&*events).is_ok());
    let lines = std::str::from_utf8(&events).unwrap().lines();
    let mined = lines.filter(|line| line.contains("\"mined\"")).count();
    assert_eq!(mined, 100, "the last block is there, too");
    // What is read is not written over.
    let error = fail(directory.path(), &["run", "small.json", "--events", "./small.json"], 1);
    assert_eq!(error, "error: small.json: it is read, and would be written over\n");
    assert_eq!(fs::read_to_string(directory.path().join("small.json")).unwrap(), SMALL);
}

#[test]
fn files_that_are_wrong_are_named() {
    let directory = directory();
    fs::write(directory.path().join("wrong.json"), r#"{"nodes": 0}"#).unwrap();
    let error = fail(directory.path(), &["run", "wrong.json"], 1);
    assert!(error.starts_with("error: wrong.json: nodes: 0 is not "), "{error}");
    let error = fail(directory.path(), &["run", "none.json"], 1);
    assert!(error.starts_with("error: none.json: "), "{error}");
}

/// `chainlab ... | head -1` is no failure.
#[test]
fn a_reader_may_go_away() {
    let directory = directory();
    fs::write(directory.path().join("small.json"), SMALL).unwrap();
    let mut child = chainlab(directory.path(), &["run", "small.json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");

    let experiment = format!("{{\"scenario\": {SMALL}, \"replicates\": 2}}");
    fs::write(directory.path().join("two.json"), experiment).unwrap();
    succeed(directory.path(), &["sweep", "plan", "two.json", "-o", "plan", "--pilots", "0"]);
    for arguments in [
        &["sweep", "run", "plan", "--shard", "1/1", "-o", "rows"][..],
        &["sweep", "merge", "rows", "plan", "-o", "all.csv"],
    ] {
        let mut child = chainlab(directory.path(), arguments);
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }
}

/// The library without the feature has none of what the command needs.
#[test]
fn the_library_alone_is_lean() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{lib}",
    ]);
    let output = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.lines().any(|name| name == "serde"), "{tree}");
    for absent in ["clap", "ctrlc", "indicatif", "rayon", "plotters", "ratatui", "roxmltree"] {
        assert!(!tree.lines().any(|name| name == absent), "{absent}");
    }
}

#[test]
fn ready_scenarios_are_listed_and_printed() {
    let directory = directory();
    let list = succeed(directory.path(), &["scenarios"]);
    let names: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"partition"), "{list}");
    for name in names {
        Scenario::from_json(&succeed(directory.path(), &["scenarios", name])).unwrap();
    }
    let error = fail(directory.path(), &["scenarios", "none"], 1);
    assert!(error.starts_with("error: \"none\" is no ready scenario; there are bitcoin_today, "), "{error}");
    assert!(succeed(directory.path(), &["run", "partition"]).contains("reorganisations"));
}
