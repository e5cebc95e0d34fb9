//! What it costs to mine at a limited rate, and to wait for something to do.

use std::{
    thread,
    time::{Duration, Instant},
};

use chainlab::{Network, Rules, network::HashRate, pow::Target};
use criterion::Criterion;

use crate::is_measured;

/// What a thousand miners of an attempt a millisecond may take of one core.
const MINING_MAX: f64 = 0.1;
/// What a thousand nodes without work may: nobody is woken for nothing.
const WAITING_MAX: f64 = 0.001;

/// The processor time of this process over the time that passes: of a busy machine too, as nobody else's counts.
pub(crate) fn processor_time(_: &mut Criterion) {
    let (nodes, time) = match is_measured() {
        true => (1_000, Duration::from_secs(5)),
        false => (10, Duration::from_millis(20)),
    };
    let network = Network::new(Rules::notebook().with_first_target(Target::HARDEST));
    for _ in 0..nodes {
        network.spawn().expect("a thread starts");
    }
    let waiting = share_of_a_core(time);
    let rate = HashRate::per_second(1e3).expect("it is finite");
    for node in network.nodes() {
        network.start_mining(node, rate).expect("the nodes are up");
    }
    let made = || network.report().nodes.iter().map(|node| node.attempts).sum::<u64>();
    let (before, start) = (made(), Instant::now());
    let mining = share_of_a_core(time);
    let wanted = f64::from(nodes) * 1_000.0 * start.elapsed().as_secs_f64();
    let followed = (made() - before) as f64 / wanted;
    let (Some(waiting), Some(mining)) = (waiting, mining) else { return };
    println!(
        "{nodes} nodes: {:.2} % of a core while they wait, {:.2} % while each makes 1,000 attempts a second \
         ({:.1} % of those were made)",
        100.0 * waiting,
        100.0 * mining,
        100.0 * followed
    );
    if is_measured() {
        assert!(waiting <= WAITING_MAX, "waiting takes {waiting} of a core");
        assert!(mining <= MINING_MAX, "mining takes {mining} of a core");
        assert!((0.9..1.1).contains(&followed), "{followed} of the attempts were made");
    }
}

/// What the process takes of a core in this time, where the system tells.
fn share_of_a_core(time: Duration) -> Option<f64> {
    let (before, start) = (ticks()?, Instant::now());
    thread::sleep(time);
    let taken = (ticks()? - before) as f64 / TICKS_A_SECOND;
    Some(taken / start.elapsed().as_secs_f64())
}

/// What Linux counts processor time in, on every architecture that Rust's standard library runs on.
const TICKS_A_SECOND: f64 = 100.0;

/// The processor time that the process has taken, its own and the system's for it.
fn ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold blanks.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    Some(ticks.next()? + ticks.next()?)
}
