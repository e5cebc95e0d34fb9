//! The examples as programs: how they take arguments, a reader who goes away, and Ctrl-C.
#![cfg(unix)]

mod built;

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
    sync::{
        LazyLock,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

static BUILT: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| built::build(&["--examples"]));

/// Arguments with which each example takes longer than anybody waits.
const ENDLESS: [(&str, &[&str]); 8] = [
    ("century", &["--nodes", "10", "--days", "4000000000"]),
    ("dashboard", &["--frames", "4000000000"]),
    ("hash_rate", &["--turns", "4000000000"]),
    ("notebook_server", &["--ports", "0"]),
    ("partition", &["--zeros", "16"]),
    ("race", &["--seconds", "100000000", "--interval", "0.1"]),
    ("simulate", &["--nodes", "10", "--blocks", "1000000000000"]),
    ("three_nodes", &["--zeros", "16"]),
];

/// How long anything may take that a healthy machine does in a moment.
const PATIENCE: Duration = Duration::from_secs(120);

fn example(name: &str) -> Command {
    Command::new(&BUILT[name])
}

/// Sends a signal. Every shell can do it; a program for it is not everywhere.
fn send(signal: &str, process: u32) {
    let kill = format!("kill -s {signal} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// An example under way, which is killed if it takes too long or the test fails meanwhile.
struct Running {
    child: Child,
    has_ended: Sender<()>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (process, (has_ended, ends)) = (child.id(), channel());
        thread::Builder::new()
            .spawn(move || ends.recv_timeout(PATIENCE).unwrap_or_else(|_| send("KILL", process)))
            .unwrap();
        Self { child, has_ended }
    }

    fn wait(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        self.has_ended.send(()).expect("it was not killed");
        output
    }
}

fn output(command: &mut Command) -> Output {
    Running::start(command.stdout(Stdio::piped())).wait()
}

/// Waits for the end of a process, which is to say nothing on its standard error and to be no failure.
#[track_caller]
fn assert_quiet(name: &str, output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "", "{name}");
    assert!(output.status.success(), "{name}: {}", output.status);
}

/// Starts an example that takes long, and reads its first line. Whoever holds the reader reads on.
fn start(name: &str, arguments: &[&str]) -> (Running, BufReader<impl Read>) {
    let mut running = Running::start(example(name).args(arguments).stdout(Stdio::piped()));
    let mut out = BufReader::new(running.child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_ne!(line, "", "{name} ends without a word");
    (running, out)
}

#[test]
fn every_example_is_tried_here() {
    let mut built: Vec<_> = BUILT.keys().map(String::as_str).collect();
    built.sort_unstable();
    assert_eq!(built, ENDLESS.map(|(name, _)| name));
}

#[test]
fn help_tells_every_argument() {
    for (name, arguments) in ENDLESS {
        let output = output(example(name).arg("--help"));
        assert_quiet(name, &output);
        let help = String::from_utf8(output.stdout).unwrap();
        for argument in arguments.iter().filter(|argument| argument.starts_with("--")) {
            assert!(help.contains(argument), "{name}: {help}");
        }
    }
}

#[test]
fn a_wrong_argument_is_explained() {
    let wrong: [(&str, &[&str], &str); 15] = [
        ("dashboard", &["--frames", "0"], "0 is not in 1.."),
        ("dashboard", &["--nodes", "101"], "101 is not in 1..=100"),
        ("hash_rate", &["--turns", "0"], "0 is not in 1.."),
        ("hash_rate", &["--chekc"], "'--check'"),
        ("notebook_server", &["--ports", "99999"], "99999 is not in 0..=65535"),
        ("partition", &["--nodes", "1"], "1 is not in 2.."),
        ("partition", &["--zeros", "33"], "33 is not in 0..=32"),
        ("partition", &["--right", "0"], "0 is not in 1.."),
        ("partition", &["--left", "3"], "neither gives way"),
        ("race", &["--seconds", "long"], "it is to be a number of seconds"),
        ("race", &["--latency=-1"], "negative"),
        ("race", &["20"], "unexpected argument '20'"),
        ("simulate", &["--nodes", "0"], "0 is not in 1.."),
        ("simulate", &["--scenario", "h"], "possible values: g"),
        ("three_nodes", &["--amount", "-5"], "unexpected argument '-5'"),
    ];
    for (name, arguments, reason) in wrong {
        let output = output(example(name).args(arguments));
        assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.starts_with("error: ") && errors.contains(reason), "{name} {arguments:?}: {errors}");
    }
}

/// What the arguments' parser cannot see, the library does.
#[test]
fn an_argument_that_the_library_refuses_is_an_error() {
    for (name, arguments, reason) in [
        ("dashboard", ["--frames=1", "--interval=0"], "spacing is 0ns"),
        ("race", ["--interval", "0"], "spacing is 0ns"),
        ("simulate", ["--interval", "0"], "spacing is 0ns"),
        ("simulate", ["--interval", "1e15"], "spacing is "),
    ] {
        let output = output(example(name).args(arguments));
        assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        let is_line = errors.starts_with("error: ") && errors.lines().count() == 1;
        assert!(is_line && errors.contains(reason), "{name} {arguments:?}: {errors}");
    }
}

/// The dashboard has nothing to draw on, and says what to do about it.
#[test]
fn the_dashboard_without_a_terminal() {
    let output = output(&mut example("dashboard"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: standard output is no terminal; `--frames 3` prints three pictures as text\n"
    );
}

#[test]
fn nobody_reads() {
    for (name, arguments) in ENDLESS {
        for arguments in [arguments, &["--help"]] {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            assert_quiet(name, &Running::start(example(name).args(arguments).stdout(writer)).wait());
        }
    }
}

#[test]
fn a_simulation_prints_what_the_readme_shows() {
    let (_, shown) = include_str!("../README.md").split_once("lets a thousand nodes mine").unwrap();
    let (_, shown) = shown.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let printed = String::from_utf8(example("simulate").output().unwrap().stdout).unwrap();
    // All but how long it took.
    let same = |text: &str| {
        let (before, took) = text.rsplit_once("It took ").unwrap();
        let (_, after) = took.split_once(" million ").unwrap();
        (before.to_owned(), after.to_owned())
    };
    assert_eq!(same(&printed), same(shown));
}

#[test]
fn a_reader_goes_away() {
    // So many blocks that some are given up, with a line for each.
    let (running, out) = start("race", &["--seconds", "100000000", "--interval", "0.01"]);
    drop(out);
    assert_quiet("race", &running.wait());
}

#[test]
fn ctrl_c_ends_each_with_what_it_knows() {
    let known = [
        ("century", " blocks replayed."),
        ("dashboard", " blocks were mined in "),
        ("hash_rate", "two searches on two threads together: "),
        ("notebook_server", "Ending."),
        ("partition", "6 nodes in "),
        ("race", " blocks were mined, and "),
        ("simulate", " million blocks delivered a second, "),
        ("three_nodes", "3 nodes in "),
    ];
    for ((name, arguments), (same, known)) in ENDLESS.into_iter().zip(known) {
        assert_eq!(name, same);
        let (running, mut out) = start(name, arguments);
        send("INT", running.child.id());
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_quiet(name, &running.wait());
        assert!(rest.contains(known), "{name}: {rest}");
    }
}
