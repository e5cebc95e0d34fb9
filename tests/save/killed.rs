//! Processes that are killed while they save.
//!
//! The child is this test binary, told by an environment variable to load what is there, to change it and to save it,
//! over and over; on its standard error it says which state it is about to save, and that it has. The parent kills it a
//! random while after such a line, as long at most as a save takes and a bit, and loads.

use std::{
    env, hint,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, TryRecvError, channel},
    thread,
};

use chainlab::{
    Network, Transaction,
    network::{Config, LoadError},
};

use crate::state::{State, forked, is_tidy, load, names, node, quick_notebook};

const DIRECTORY: &str = "CHAINLAB_SAVE_CHILD";

#[test]
fn killed_at_any_moment() {
    kill(if env::var_os("CHAINLAB_LONG").is_some() { 1000 } else { 50 });
}

/// What is killed.
#[test]
#[ignore = "the other tests run it, as a process of its own"]
fn child() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let dir = Path::new(&dir);
    let network = match Network::load(dir, Config::default()) {
        Err(LoadError::NothingSaved { .. }) => {
            let network = Network::new(quick_notebook());
            let (one, other) = (network.spawn().unwrap(), network.spawn().unwrap());
            network.connect(one, other).unwrap();
            network
        }
        loaded => loaded.unwrap(),
    };
    for amount in 0.. {
        network.mine(node(0)).unwrap();
        network.submit(node(1), Transaction::new("rich", "poor", amount)).unwrap();
        if amount % 5 == 0 {
            network.resolve(node(1)).unwrap();
        }
        eprintln!("saving {}", State::of(&network).digest());
        if let Err(error) = network.save(dir) {
            return eprintln!("error {error}");
        }
        eprintln!("saved");
    }
}

/// Starts this test binary as a child that saves, by way of a shell's commands if there are any.
fn start(dir: &Path, shell: Option<&str>) -> Child {
    let binary = env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(binary),
        Some(script) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{script}; exec \"$@\""), "sh"]).arg(binary);
            command
        }
    };
    command.args(["killed::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, dir).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What the parent knows from the child's lines.
#[derive(Debug, Default)]
struct Progress {
    /// The state that was saved last, and the one whose save has begun, if one has.
    saved: Option<String>,
    saving: Option<String>,
    saves: u64,
    error: Option<String>,
}

impl Progress {
    fn note(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("saving", digest)) => self.saving = Some(digest.to_owned()),
            Some(("error", error)) => self.error = Some(error.to_owned()),
            _ if line == "saved" => {
                self.saved = self.saving.take();
                self.saves += 1;
            }
            _ => panic!("the child says: {line}"),
        }
    }

    /// Reads on until something is so, or the child says no more.
    fn read_until(&mut self, lines: &Receiver<String>, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            let Ok(line) = lines.recv() else { break };
            self.note(&line);
        }
    }

    /// Reads what has come already from a child that goes on.
    fn read(&mut self, lines: &Receiver<String>) {
        loop {
            match lines.try_recv() {
                Ok(line) => self.note(&line),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => panic!("the child has ended by itself: {self:?}"),
            }
        }
    }
}

/// A child that is killed when the test is done with it, or fails.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Hands a child and its lines to `parent`, and kills it afterwards.
fn with_child<T>(mut child: Child, parent: impl FnOnce(&mut Killed, &Receiver<String>) -> T) -> T {
    let (sender, lines) = channel();
    let output = BufReader::new(child.stderr.take().unwrap());
    thread::scope(|scope| {
        // It ends with the child, which must have an end whatever becomes of `parent`.
        scope.spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut child = Killed(child);
        parent(&mut child, &lines)
    })
}

fn kill(kills: u32) {
    let dir = tempfile::tempdir().unwrap();
    let mut random = 0x00c0_ffee_u64;
    let mut progress = Progress::default();
    let (mut in_the_midst, mut found_new) = (0, 0);
    // How often we look around while one save is made.
    let mut looks_per_save = 1000_u64;
    for _ in 0..kills {
        with_child(start(dir.path(), None), |child, lines| {
            // One save is watched, the next one may be cut off.
            let before = progress.saves;
            progress.read_until(lines, |progress| progress.saving.is_some());
            let mut looks = 0;
            while progress.saves == before {
                progress.read(lines);
                hint::spin_loop();
                looks += 1;
            }
            looks_per_save = (looks_per_save + looks) / 2;
            progress.read_until(lines, |progress| progress.saving.is_some());
            // A linear congruential generator's upper bits (Knuth's MMIX) are random enough.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let longest = looks_per_save + looks_per_save / 4;
            for _ in 0..((random >> 32) * longest) >> 32 {
                progress.read(lines);
                hint::spin_loop();
            }
            child.kill();
            progress.read_until(lines, |_| false);
        });
        in_the_midst += u32::from(!is_tidy(dir.path()));
        let found = load(dir.path()).digest().to_string();
        let (saved, saving) = (progress.saved.take(), progress.saving.take());
        assert!(
            [&saved, &saving].contains(&&Some(found.clone())),
            "found {found}, neither the old {saved:?} nor the new {saving:?}; left over: {:?}",
            names(dir.path())
        );
        found_new += u32::from(saving.as_ref() == Some(&found));
        progress.saved = Some(found);
    }
    eprintln!(
        "{kills} kills, {in_the_midst} of them in the midst of writing or removing; {found_new} found the new state"
    );
    assert!(in_the_midst > 0, "no save was cut off: the test has shown nothing");
}

/// The system lets the child write only so much into a file: a disk that is full, as far as the child can tell.
#[test]
#[cfg(unix)]
fn a_full_disk_leaves_the_old_state() {
    let dir = tempfile::tempdir().unwrap();
    let progress = with_child(start(dir.path(), Some("trap '' XFSZ; ulimit -f 16")), |_, lines| {
        let mut progress = Progress::default();
        progress.read_until(lines, |_| false);
        progress
    });
    let (error, saved) = (progress.error.expect("the disk is full at last"), progress.saved.unwrap());
    assert!(error.contains(&dir.path().join("generation-").display().to_string()), "{error}");
    assert_eq!(load(dir.path()).digest().to_string(), saved);
    assert!(is_tidy(dir.path()), "what could not be used takes up room: {:?}", names(dir.path()));
}

/// Another process saves to the same directory all the while.
#[test]
fn two_processes_do_not_disturb_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let ours = forked(quick_notebook());
    let state = State::of(&ours);
    with_child(start(dir.path(), None), |_, lines| {
        let mut progress = Progress::default();
        progress.read_until(lines, |progress| progress.saves == 1);
        while progress.saves < 10 {
            ours.save(dir.path()).unwrap();
            let found = load(dir.path());
            assert!(found == state || found.nodes.len() == 2, "{found:?}");
            progress.read(lines);
            assert_eq!(progress.error, None);
        }
    });
    ours.save(dir.path()).unwrap();
    assert_eq!(load(dir.path()), state);
    assert!(is_tidy(dir.path()));
}
