//! What the command shows in a terminal, which a pipe does not get.

use std::process::{Command, Stdio};

use crate::{
    program::{chainlab, directory, read, whole},
    tools,
};

/// An experiment in a terminal of a hundred columns shows how far it is and how long it takes, and ends with its table.
#[test]
fn a_terminal_shows_how_long_it_takes() {
    if !tools::has_tool("script", Command::new("script").arg("--version")) {
        return;
    }
    let directory = directory();
    let program = chainlab(directory.path(), &[]);
    let run = format!("stty cols 100; {:?} experiment delays.json", program.get_program());
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &run, "/dev/null"]);
    let output = terminal.current_dir(directory.path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains(" of 120 runs, ") && shown.contains(" left"), "{shown}");
    assert!(shown.contains("120 runs; their rows are in delays.csv"), "{shown}");
    assert_eq!(read(directory.path(), "delays.csv"), whole());
}
