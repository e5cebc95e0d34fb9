//! The examples, built: `cargo test` has done so already unless it was told which test to run.

use std::{
    collections::BTreeMap,
    env,
    process::{Command, Stdio},
};

use serde_json::Value;

/// Builds some of the examples, as `cargo build` is told, and returns where each stands.
pub(crate) fn build(which: &[&str]) -> BTreeMap<String, String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--locked", "--message-format=json"]).args(which);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if cfg!(feature = "cli") {
        // The library is built already with what the command needs.
        command.args(["--features", "cli"]);
    }
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "an example does not compile");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let built = messages.filter_map(|message| {
        let executable = message["executable"].as_str()?.to_owned();
        Some((message["target"]["name"].as_str()?.to_owned(), executable))
    });
    built.collect()
}
