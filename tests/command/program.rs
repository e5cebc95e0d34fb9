//! The program under test, and where it runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use tempfile::TempDir;

use crate::built;

/// A test that is built with the feature has its program built as well.
static PROGRAM: LazyLock<String> = LazyLock::new(|| match option_env!("CARGO_BIN_EXE_chainlab") {
    Some(path) => path.to_owned(),
    None => built::build(&["--bin", "chainlab", "--features", "cli"])["chainlab"].clone(),
});

/// An experiment of 120 runs, each of a few milliseconds.
pub(crate) const DELAYS: &str = r#"{
    "scenario": {"nodes": 3, "stop": {"blocks": 200}},
    "grid": {"link.latency.fixed.seconds": [1, 10, 30, 60]},
    "replicates": 30
}"#;

/// Makes the program's command, to run in a directory.
pub(crate) fn chainlab(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(&*PROGRAM);
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for variable in ["ID", "COUNT", "MIN", "MAX", "STEP"] {
        command.env_remove(format!("SLURM_ARRAY_TASK_{variable}"));
    }
    command
}

/// Runs the program, which is to succeed and to say nothing on its standard error; returns what it prints.
#[track_caller]
pub(crate) fn succeed(directory: &Path, arguments: &[&str]) -> String {
    let output = chainlab(directory, arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program, which is to fail with a code; returns what it says on its standard error.
#[track_caller]
pub(crate) fn fail(directory: &Path, arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = chainlab(directory, arguments).output().unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{arguments:?}\n{errors}");
    errors
}

/// Makes a directory with the experiment.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("delays.json"), DELAYS).unwrap();
    directory
}

pub(crate) fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

/// Returns the rows of the experiment that was never interrupted.
pub(crate) fn whole() -> &'static str {
    static WHOLE: LazyLock<String> = LazyLock::new(|| {
        let directory = directory();
        succeed(directory.path(), &["experiment", "delays.json"]);
        read(directory.path(), "delays.csv")
    });
    &WHOLE
}

/// Returns the length of a file, and of one that is not there.
pub(crate) fn length(path: &PathBuf) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
