//! What it costs to mine at a limited rate, and to wait for something to do or to happen.

use std::{
    fs, process,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use chainlab::{Network, Rules, network::HashRate, pow::Target};
use criterion::Criterion;

use crate::is_measured;

/// The attempts a second of a miner.
const RATE: f64 = 1e3;
/// What a thousand of them may take of one core.
const MINING_MAX: f64 = 0.1;
/// What those that wait may: nobody is woken for nothing.
const WAITING_MAX: f64 = 0.001;

/// The processor time of a network's threads over the time that passes: of a busy machine too, as nobody else's counts.
pub(crate) fn processor_time(_: &mut Criterion) {
    let (nodes, time) = match is_measured() {
        true => (1_000, Duration::from_secs(5)),
        false => (10, Duration::from_millis(20)),
    };
    let network = Network::new(Rules::notebook().with_first_target(Target::HARDEST));
    for _ in 0..nodes {
        network.spawn().expect("a thread starts");
    }
    let shares = [
        share_of_callers(&network, nodes / 10, time),
        share_of_miners(&network, f64::MIN_POSITIVE, time),
        share_of_miners(&network, RATE, time),
    ];
    let [Some(waiting), Some(slowest), Some(mining)] = shares else { return };
    let followed = mining.attempts / (f64::from(nodes) * RATE);
    println!(
        "{nodes} nodes without work, and {} callers that wait for blocks: {waiting}\n\
         {nodes} miners whose first attempt is never due: {slowest}\n\
         {nodes} miners of {RATE} attempts a second: {mining}; {:.1} % of the attempts were made",
        nodes / 10,
        100.0 * followed
    );
    if is_measured() {
        assert!(waiting.of_a_core <= WAITING_MAX && slowest.of_a_core <= WAITING_MAX, "those that wait poll");
        // On a machine that has no time for them they make fewer attempts, and may take as much less.
        assert!(mining.of_a_core <= MINING_MAX * followed, "mining takes {mining}");
    }
}

/// What all threads take while so many callers wait for the blocks of a node that finds none, and the nodes for work.
fn share_of_callers(network: &Network, callers: u32, time: Duration) -> Option<Share> {
    let node = network.spawn().expect("a thread starts");
    let (asked, all_asked) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..callers {
            let asked = asked.clone();
            scope.spawn(move || {
                let until = network.wait_until(node, Duration::MAX, |_| {
                    asked.send(()).expect("they are counted");
                    false
                });
                until.expect_err("the node goes down");
            });
        }
        (0..callers).for_each(|_| all_asked.recv().expect("each asks once"));
        let share = share_of_a_core(network, time);
        network.crash(node).expect("it is up");
        share
    })
}

/// What all threads take while the nodes mine at a rate.
fn share_of_miners(network: &Network, rate: f64, time: Duration) -> Option<Share> {
    let rate = HashRate::per_second(rate).expect("it is finite");
    // One was crashed.
    for node in network.nodes().into_iter().filter(|node| network.chain(*node).is_ok()) {
        network.start_mining(node, rate).expect("the nodes are up");
    }
    share_of_a_core(network, time)
}

/// What threads took in a time.
struct Share {
    of_a_core: f64,
    /// How often one of them was given a core, a second.
    wake_ups: f64,
    /// The attempts a second at proofs that have become due.
    attempts: f64,
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} % of a core, {:.1} wake-ups a second", 100.0 * self.of_a_core, self.wake_ups)
    }
}

/// What the other threads of this process take of a core in this time, where the system tells.
fn share_of_a_core(network: &Network, time: Duration) -> Option<Share> {
    let made = || network.report().nodes.iter().map(|node| node.attempts).sum::<u64>();
    let ((core_before, turns_before), start, made_before) = (taken()?, Instant::now(), made());
    thread::sleep(time);
    let (made, elapsed) = (made() - made_before, start.elapsed().as_secs_f64());
    let (core, turns) = taken()?;
    Some(Share {
        of_a_core: core.saturating_sub(core_before).as_secs_f64() / elapsed,
        wake_ups: turns.saturating_sub(turns_before) as f64 / elapsed,
        attempts: made as f64 / elapsed,
    })
}

/// The processor time that the other threads of this process have taken, and how often each was given a core. Linux tells.
fn taken() -> Option<(Duration, u64)> {
    let own = process::id().to_string();
    let mut taken = (Duration::ZERO, 0);
    for task in fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?;
        // The first thread has the number of the process, and measures.
        if task.file_name().to_str() == Some(&own) {
            continue;
        }
        // One that has ended meanwhile takes nothing more.
        let Ok(stat) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let mut numbers = stat.split_whitespace().map(|number| number.parse().ok());
        let (core, _waited, turns) = (numbers.next()??, numbers.next()??, numbers.next()??);
        taken = (taken.0 + Duration::from_nanos(core), taken.1 + turns);
    }
    Some(taken)
}
