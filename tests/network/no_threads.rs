//! A process that can start no further thread.
//!
//! It is this test binary, run by a shell that bounds its address space: a thread takes two megabytes of it.

use std::{
    env,
    hint::black_box,
    iter,
    process::Command,
    sync::mpsc::{self, Sender},
    thread::{Builder, JoinHandle},
};

use chainlab::{
    Network,
    network::{DownCause, NodeError, RestartError, RestartFrom, SpawnError},
};

use crate::common::quick;

const CHILD: &str = "CHAINLAB_NO_THREADS_CHILD";
const KIBIBYTES: u32 = 150_000;
const DONE: &str = "it came through";

#[test]
fn what_no_thread_can_be_started_for_is_as_it_was() {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {KIBIBYTES}; exec \"$@\""), "sh"]);
    command.arg(env::current_exe().unwrap());
    command.args(["no_threads::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    // An arena of its own for each thread would take as much as thirty more.
    let output = command
        .env_remove("RUST_MIN_STACK")
        .envs([(CHILD, "1"), ("MALLOC_ARENA_MAX", "1")])
        .output()
        .unwrap();
    let [out, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && out.contains(DONE), "{}: {out}{errors}", output.status);
}

/// What is run.
#[test]
#[ignore = "another test runs it, as a process of its own"]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let network = Network::new(quick());
    let node = network.spawn().unwrap();
    network.mine(node).unwrap();
    network.crash(node).unwrap();
    let down = NodeError::Down { node, cause: DownCause::Crashed };

    let full = Full::new();
    for from in [RestartFrom::Genesis, RestartFrom::Chain] {
        let refused = network.restart(node, from).unwrap_err();
        assert!(matches!(refused, RestartError::Thread(_)), "{refused}");
        assert!(refused.to_string().starts_with("no thread could be started: "), "{refused}");
        assert_eq!(network.chain(node), Err(down.clone()));
    }
    let refused = network.spawn_named("late").unwrap_err();
    assert!(matches!(refused, SpawnError::Thread(_)), "{refused}");
    assert_eq!((network.nodes(), network.find_node("late")), (vec![node], None));
    let events = network.events();
    full.end();

    network.restart(node, RestartFrom::Chain).unwrap();
    assert_eq!(network.chain(node).unwrap().len(), 2);
    let late = network.spawn_named("late").unwrap();
    assert_eq!(network.chain(late).unwrap().len(), 1);
    network.shutdown().unwrap();
    assert_eq!(events.count(), 2, "a restart and a join");
    println!("{DONE}");
}

/// What fills the address space, so that it has no room for the stack of a node's thread.
struct Full {
    memory: Vec<Vec<u8>>,
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Full {
    fn new() -> Self {
        let block = || {
            let mut block = Vec::new();
            block.try_reserve_exact(900 << 10).map(|()| black_box(block))
        };
        let mut memory: Vec<_> = iter::from_fn(|| block().ok()).collect();
        // What is small finds room.
        memory.pop().expect("the bound leaves room for some");
        // The stacks of threads that have ended are kept, to be used again.
        let thread = || {
            let (sender, receiver) = mpsc::channel();
            let wait = move || receiver.recv().unwrap_or_default();
            Some((sender, Builder::new().spawn(wait).ok()?))
        };
        let threads = iter::from_fn(thread).collect();
        Self { memory, threads }
    }

    fn end(self) {
        drop(self.memory);
        for (sender, thread) in self.threads {
            drop(sender);
            thread.join().unwrap();
        }
    }
}
