//! `chainlab experiment`: rows, tables and errors.

use std::{
    fs::{self, OpenOptions},
    io::Write,
};

use chainlab::experiment::{Experiment, Format, RowFile};

use crate::{
    golden::assert_golden,
    program::{DELAYS, directory, fail, read, succeed, whole},
};

#[test]
fn rows_are_the_same_on_any_number_of_threads() {
    for threads in ["1", "2", "7"] {
        let directory = directory();
        succeed(directory.path(), &["experiment", "delays.json", "--threads", threads]);
        assert_eq!(read(directory.path(), "delays.csv"), whole(), "{threads} threads");
    }
    let experiment = Experiment::from_json(DELAYS).unwrap();
    let lines = experiment.run().unwrap();
    let lines = lines.iter().map(|row| Format::Csv.line(row, experiment.columns()));
    let rows = Format::Csv.header(experiment.columns()) + &lines.collect::<String>();
    assert_eq!(rows, whole(), "by the library alone");
}

/// Debug and release builds, and all machines, have the same file.
#[test]
fn rows_are_those_of_this_model() {
    assert_golden("rows-of-model-2.csv", whole());
}

#[test]
fn rows_may_be_json() {
    let directory = directory();
    let table = succeed(directory.path(), &["experiment", "delays.json"]);
    let other = succeed(directory.path(), &["experiment", "delays.json", "-o", "delays.jsonl"]);
    assert_eq!(table.replace("delays.csv", "delays.jsonl"), other, "the table is of the same numbers");
    let rows = read(directory.path(), "delays.jsonl");
    let columns: Vec<_> = whole().lines().next().unwrap().split(',').collect();
    for (line, row) in rows.lines().zip(whole().lines().skip(1)) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for (name, cell) in columns.iter().zip(row.split(',')) {
            match &line[name] {
                serde_json::Value::Null => assert_eq!(cell, "", "{name}"),
                serde_json::Value::String(text) => assert_eq!(cell, text, "{name}"),
                number => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{name}"),
            }
        }
    }
    assert_eq!(rows.lines().count(), 120);
}

/// Which columns there are follows from all points together, and the name of a run does not tell.
#[test]
fn json_rows_of_other_columns_are_not_gone_on_with() {
    let directory = directory();
    let write = |nodes: &str| {
        let json = format!(
            r#"{{"scenario": {{"stop": {{"blocks": 10}}}}, "grid": {{"nodes": {nodes}}}, "replicates": 2}}"#
        );
        fs::write(directory.path().join("few.json"), json).unwrap();
    };
    let arguments = ["experiment", "few.json", "-o", "rows.jsonl"];
    write("[5]");
    succeed(directory.path(), &arguments);
    let rows = read(directory.path(), "rows.jsonl");
    for more in ["[5, 20]", "[5, 8]"] {
        write(more);
        let error = fail(directory.path(), &arguments, 1);
        assert_eq!(error, "error: rows.jsonl: its columns are not those of this experiment\n");
        assert_eq!(read(directory.path(), "rows.jsonl"), rows);
    }
    write("[5, 3]");
    succeed(directory.path(), &arguments);
    assert_eq!(read(directory.path(), "rows.jsonl").lines().count(), 4);
}

/// As a process leaves it that found no room on the disk, and could not cut it off.
#[test]
fn what_is_no_row_is_left_out_of_a_whole_file() {
    let directory = directory();
    let path = directory.path().join("delays.csv");
    let experiment = Experiment::from_json(DELAYS).unwrap();
    let (columns, runs) = (experiment.columns(), experiment.runs());
    let mut rows = RowFile::open(&path, Format::Csv, columns, runs).unwrap().expect("there is none yet");
    for (run, line) in runs.iter().zip(whole().split_inclusive('\n').skip(1)) {
        rows.append(run.id, line).unwrap();
    }
    let mut part = OpenOptions::new().append(true).open(directory.path().join("delays.csv.part")).unwrap();
    part.write_all(b"half a row").unwrap();
    rows.finish().unwrap();
    assert_eq!(read(directory.path(), "delays.csv"), whole());
}

/// As on a file system without locks.
#[test]
fn what_another_process_adds_is_noticed() {
    let open = |path: &std::path::Path| {
        let experiment = Experiment::from_json(DELAYS).unwrap();
        let rows = RowFile::open(path, Format::Csv, experiment.columns(), experiment.runs());
        (rows.unwrap().expect("there is none yet"), experiment)
    };
    let lines: Vec<_> = whole().split_inclusive('\n').skip(1).collect();
    let directory = directory();
    let add = |name: &str, text: &str| {
        let part = directory.path().join(name);
        OpenOptions::new().append(true).open(part).unwrap().write_all(text.as_bytes()).unwrap();
    };
    let (mut rows, experiment) = open(&directory.path().join("one.csv"));
    let runs = experiment.runs();
    rows.append(runs[0].id, lines[0]).unwrap();
    add("one.csv.part", lines[1]);
    let error = rows.append(runs[2].id, lines[2]).unwrap_err().to_string();
    assert!(error.ends_with("one.csv.part: another process is writing it"), "{error}");
    assert_eq!(read(directory.path(), "one.csv.part").lines().skip(1).count(), 2);

    let (mut rows, _) = open(&directory.path().join("other.csv"));
    runs.iter().zip(&lines).for_each(|(run, line)| rows.append(run.id, line).unwrap());
    add("other.csv.part", lines[1]);
    let error = rows.finish().unwrap_err().to_string();
    assert!(error.ends_with("other.csv.part: another process is writing it"), "{error}");
    assert!(!directory.path().join("other.csv").exists());
    let (rows, _) = open(&directory.path().join("other.csv"));
    rows.finish().unwrap();
    assert_eq!(read(directory.path(), "other.csv"), whole());
}

#[test]
fn figures_are_chosen() {
    let directory = directory();
    let arguments = ["experiment", "delays.json", "--figures", "stale_rate,mined"];
    let table = succeed(directory.path(), &arguments);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "120 runs; their rows are in delays.csv");
    assert_eq!(lines.len(), 2 + 1 + 2 * 4, "{table}");
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    assert_eq!(words(lines[3])[1..3], ["stale_rate", "30"]);
    assert_eq!(words(lines[4]), ["1", "mined", "30", "200", "0", "200", "to", "200"]);

    let error = fail(directory.path(), &["experiment", "delays.json", "--figures", "luck"], 1);
    assert!(
        error.starts_with("error: \"luck\" is no figure; there are duration_seconds, mined, "),
        "{error}"
    );
}

#[test]
fn more_replicates_keep_the_rows_that_are_there() {
    let directory = directory();
    let fewer = DELAYS.replace("\"replicates\": 30", "\"replicates\": 10");
    fs::write(directory.path().join("delays.json"), fewer).unwrap();
    succeed(directory.path(), &["experiment", "delays.json"]);
    let some = read(directory.path(), "delays.csv");
    assert!(some.lines().all(|line| whole().contains(line)), "they are the first ten of each point");
    fs::write(directory.path().join("delays.json"), DELAYS).unwrap();
    succeed(directory.path(), &["experiment", "delays.json"]);
    assert_eq!(read(directory.path(), "delays.csv"), whole());
}

#[test]
fn no_file_of_somebody_elses_is_touched() {
    let directory = directory();
    let path = directory.path().join("delays.csv");
    let other = whole().lines().nth(1).unwrap().replacen(|digit: char| digit != '0', "0", 1);
    let header = whole().lines().next().unwrap();
    for (text, expected) in [
        ("name,value\na,1\n".to_owned(), "delays.csv: its columns are not those of this experiment"),
        (format!("{header}\nnot a row\n"), "delays.csv: line 2 is no row of a run"),
        (format!("{header}\n{other}\n"), "delays.csv: line 2 is of run 0"),
    ] {
        fs::write(&path, &text).unwrap();
        let error = fail(directory.path(), &["experiment", "delays.json"], 1);
        assert!(error.starts_with(&format!("error: {expected}")), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let error = fail(directory.path(), &["experiment", "delays.json", "-o", "delays.txt"], 1);
    assert_eq!(error, "error: delays.txt: rows are written to a file named .csv or .jsonl\n");
}

#[test]
fn what_is_wrong_is_named() {
    let directory = directory();
    let refused = |json: &str| {
        fs::write(directory.path().join("wrong.json"), json).unwrap();
        fail(directory.path(), &["experiment", "wrong.json"], 1)
    };
    for (json, expected) in [
        ("{", "wrong.json: .: EOF while parsing"),
        (r#"{"scenario": {}}"#, "wrong.json: .: missing field `replicates`"),
        (r#"{"scenario": {}, "replicates": 0}"#, "wrong.json: replicates: 0 is no number"),
        (r#"{"scenario": {}, "replicates": -1}"#, "wrong.json: replicates: invalid value: integer `-1`"),
        (r#"{"scenario": {}, "replicates": 1, "grids": {}}"#, "wrong.json: grids: unknown field `grids`"),
        (
            r#"{"scenario": {"nodes": 3, "nodes": 5, "stop": {"blocks": 1}}, "replicates": 1}"#,
            "wrong.json: scenario: duplicate field `nodes`",
        ),
        (
            r#"{"scenario": {"link": {"loss": 0, "loss": 0.5}, "stop": {"blocks": 1}}, "replicates": 1}"#,
            "wrong.json: scenario.link: duplicate field `loss`",
        ),
        (
            r#"{"scenario": {"stop": {"blocks": 1}}, "grid": {"nodes": [2], "nodes": [4]}, "replicates": 1}"#,
            "wrong.json: grid: duplicate field `nodes`",
        ),
        (
            r#"{"scenario": {"stop": {"blocks": 1}}, "grid": {"nodes": [2, 0]}, "replicates": 1}"#,
            "wrong.json: point 1 (nodes = 0): nodes: 0 is not",
        ),
        // With the scenario's own seed one does.
        (
            r#"{"scenario": {"nodes": 100, "seed": 1, "regions": "2019", "stop": {"blocks": 1},
                "hash_rates": {"by_region": {"japan": 1e6}}}, "replicates": 200}"#,
            "wrong.json: point 0 (as stated): hash_rates.by_region.japan: 1000000 hashes a second are nobody's",
        ),
        (
            r#"{"scenario": {"stop": {"blocks": 1}}, "grid": {"faults[3].nodes": [2]}, "replicates": 1}"#,
            "wrong.json: point 0 (faults[3].nodes = 2): faults[3].nodes: `faults` is not there, and has no item 3",
        ),
        (
            r#"{"scenario": {"stop": {"blocks": 1}}, "grid": {"nodes": [2, 3, 2]}, "replicates": 1}"#,
            "wrong.json: points 0 and 2 are the same scenario (nodes = 2)",
        ),
    ] {
        let error = refused(json);
        assert!(error.starts_with(&format!("error: {expected}")), "{json}: {error}");
    }
    let error = fail(directory.path(), &["experiment", "none.json"], 1);
    assert_eq!(error, "error: none.json: No such file or directory (os error 2)\n");
}
