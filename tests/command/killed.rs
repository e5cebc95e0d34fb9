//! Processes that are killed while they write rows.

use std::{
    fs, hint,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use chainlab::{Rules, Simulation, report::Recorder};
use tempfile::TempDir;

use crate::program::{chainlab, directory, fail, length, read, succeed, whole};

/// What `kill` sends.
const SIGKILL: i32 = 9;

/// Random numbers: a linear congruential generator's upper bits (Knuth's MMIX) are random enough.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 32) * bound) >> 32
    }
}

/// Starts a process, and gives it back once a file has grown by so much, or the process has ended.
pub(crate) fn start_until(command: &mut Command, file: &PathBuf, growth: u64) -> Child {
    let before = length(file);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while length(file) < before + growth && child.try_wait().unwrap().is_none() {
        hint::spin_loop();
    }
    child
}

/// Runs a command and kills it at random moments, so many times before its end. Where it comes to its end first, it begins
/// anew.
pub(crate) fn kill(make: impl Fn() -> Command, part: &PathBuf, times: u64, random: &mut Random) {
    let share = 2 * whole().len() as u64 / (times + 10);
    let mut killed = 0;
    for _ in 0..100 * times {
        let mut child = start_until(&mut make(), part, random.below(share));
        for _ in 0..random.below(100_000) {
            hint::spin_loop();
        }
        // One that has ended already cannot be killed.
        let _ = child.kill();
        let ended = child.wait().unwrap();
        if ended.signal() == Some(SIGKILL) {
            killed += 1;
            if killed == times {
                return;
            }
        } else {
            assert!(ended.success(), "{ended}");
            fs::remove_file(part.with_extension("")).unwrap();
        }
    }
    panic!("it was killed {killed} times before its end, and not {times}");
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_file() {
    let directory = directory();
    let part = directory.path().join("delays.csv.part");
    let make = || chainlab(directory.path(), &["experiment", "delays.json"]);
    kill(make, &part, 50, &mut Random(0x00c0_ffee));
    succeed(directory.path(), &["experiment", "delays.json"]);
    assert_eq!(read(directory.path(), "delays.csv"), whole());
    assert_eq!(names(directory.path()), ["delays.csv", "delays.json"], "nothing is left over");
}

#[test]
fn a_line_that_was_cut_off_is_made_again() {
    let directory = directory();
    let header = whole().lines().next().unwrap().len() + 1;
    for kept in [1, header - 1, header, header + 1, header + 40, whole().len() / 2, whole().len() - 1] {
        fs::write(directory.path().join("delays.csv.part"), &whole()[..kept]).unwrap();
        succeed(directory.path(), &["experiment", "delays.json"]);
        assert_eq!(read(directory.path(), "delays.csv"), whole(), "{kept} bytes were kept");
        fs::remove_file(directory.path().join("delays.csv")).unwrap();
    }
}

/// Ctrl-C and SIGTERM end it at once, and what was finished is kept.
#[test]
fn signals_keep_what_is_finished() {
    for (arguments, part, code) in [
        (&["experiment", "delays.json"][..], "delays.csv.part", 130),
        (&["sweep", "run", "plan", "--shard", "1/1", "-o", "."], "shard-1-of-1.csv.part", 75),
    ] {
        for signal in ["INT", "TERM"] {
            let (directory, part, output) = interrupted(arguments, part, signal);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{errors}");

            let kept = fs::read_to_string(&part).unwrap().lines().count() - 1;
            let expected = format!(
                "interrupted: {kept} of 120 runs are finished and kept, {} are left; to go on: ",
                120 - kept
            );
            assert!(errors.starts_with(&expected), "{errors}");
            assert!(errors.trim_end().ends_with(&arguments.join(" ")), "{errors}");
            succeed(directory.path(), arguments);
            let rows = part.with_extension("");
            assert_eq!(fs::read_to_string(rows).unwrap(), whole());
        }
    }
}

/// How often something is begun that may come to its end before it is interrupted.
const TRIES: u32 = 100;

/// Runs a command in a directory of its own and sends it a signal before its end.
fn interrupted(arguments: &[&str], part: &str, signal: &str) -> (TempDir, PathBuf, Output) {
    for _ in 0..TRIES {
        let directory = directory();
        succeed(directory.path(), &["sweep", "plan", "delays.json", "-o", "plan", "--pilots", "0"]);
        let part = directory.path().join(part);
        let mut command = chainlab(directory.path(), arguments);
        let child = start_until(&mut command, &part, whole().len() as u64 / 8);
        send(signal, child.id());
        let output = child.wait_with_output().unwrap();
        if !output.status.success() {
            return (directory, part, output);
        }
    }
    panic!("{arguments:?} always came to its end first");
}

/// Two at once would write each other's rows.
#[test]
fn one_process_writes_at_a_time() {
    let directory = directory();
    let part = directory.path().join("delays.csv.part");
    let stopped = (0..TRIES).find_map(|_| {
        let mut command = chainlab(directory.path(), &["experiment", "delays.json"]);
        let mut child = start_until(&mut command, &part, 1);
        send("STOP", child.id());
        if part.exists() {
            return Some(child);
        }
        // It has come to its end.
        send("CONT", child.id());
        child.wait().unwrap();
        fs::remove_file(part.with_extension("")).unwrap();
        None
    });
    let mut child = stopped.expect("one of so many is stopped before its end");
    let error = fail(directory.path(), &["experiment", "delays.json"], 1);
    assert_eq!(error, "error: delays.csv.part: another process is writing it\n");
    send("CONT", child.id());
    assert!(child.wait().unwrap().success());
    assert_eq!(read(directory.path(), "delays.csv"), whole());
}

/// Sends a signal. Every shell can do it; a program for it is not everywhere.
fn send(signal: &str, process: u32) {
    let kill = format!("kill -s {signal} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A run that would not end in a lifetime: what has happened so far is in the file, and nothing of it waits in memory.
#[test]
fn events_are_written_while_a_run_goes_on() {
    let directory = directory();
    let path = directory.path().join("events.jsonl");
    fs::write(directory.path().join("endless.json"), r#"{"stop": {"blocks": 1000000000000}}"#).unwrap();
    let arguments = ["run", "endless.json", "--events", "events.jsonl"];
    let mut child = start_until(&mut chainlab(directory.path(), &arguments), &path, 1_000_000);
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL));
    let text = read(directory.path(), "events.jsonl");
    let (lines, _) = text.rsplit_once('\n').unwrap();
    let recorder = Recorder::read(format!("{lines}\n").as_bytes()).unwrap();
    assert!(recorder.last_time() > Simulation::new(Rules::bitcoin(), 1).now());

    // What cannot be written ends it at once.
    if Path::new("/dev/full").exists() {
        let error = fail(directory.path(), &["run", "endless.json", "--events", "/dev/full"], 1);
        assert!(error.starts_with("error: /dev/full: "), "{error}");
    }
}
