//! What the tests of the network have in common.

use std::{sync::mpsc, thread, time::Duration};

use chainlab::{
    Limits, Network, NodeId, Rules,
    network::{Config, Identity},
    pow::Target,
};

/// The notebook's rules with two hexadecimal zeros: 256 attempts a block.
pub(crate) fn quick() -> Rules {
    with_target(Target::leading_hex_zeros(2))
}

/// The notebook's rules at a target that no search meets.
pub(crate) fn hopeless() -> Rules {
    with_target(Target::leading_zero_bits(120))
}

pub(crate) fn with_target(target: Target) -> Rules {
    Rules::notebook().with_first_target(target)
}

/// Peers have all the time that they need on a loaded machine.
pub(crate) fn patient() -> Config {
    let limits = Limits { resolve_timeout: Duration::from_secs(600), ..Limits::default() };
    Config { limits, ..Config::default() }
}

/// Starts nodes whose threads are named after a prefix, so that they can be counted.
pub(crate) fn spawn(network: &Network, prefix: &str, count: usize) -> Vec<NodeId> {
    let identity = |number| Identity { name: Some(format!("{prefix}-{number}")), ..Identity::default() };
    (0..count).map(|number| network.spawn_as(identity(number)).unwrap()).collect()
}

pub(crate) fn register_all_with_all(network: &Network, nodes: &[NodeId]) {
    for &node in nodes {
        network.register(node, nodes.iter().copied().filter(|peer| *peer != node)).unwrap();
    }
}

/// Runs what must come to an end, and fails instead of waiting for ever.
pub(crate) fn finishes<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let run = thread::Builder::new().spawn(move || sender.send(what()).unwrap()).unwrap();
    match receiver.recv_timeout(Duration::from_secs(120)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(run.join().unwrap_err()),
    }
}

/// The threads of this process whose names begin with a prefix, which must not be a test's own, as their directories
/// below `/proc`.
#[cfg(target_os = "linux")]
pub(crate) fn threads(prefix: &str) -> Vec<std::path::PathBuf> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    // A thread may end while it is looked at.
    let name = |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).unwrap_or_default();
    tasks.filter(|task| name(task).starts_with(prefix)).collect()
}

/// A joined thread stays listed for a moment, until the kernel has cleared up after it.
#[cfg(target_os = "linux")]
pub(crate) fn assert_no_thread_is_left(prefix: &str) {
    let left = (0..100_000).map(|_| {
        thread::yield_now();
        threads(prefix).len()
    });
    assert!(left.into_iter().any(|left| left == 0), "{} threads are left", threads(prefix).len());
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn assert_no_thread_is_left(_prefix: &str) {}
