//! A network under either driver, whose time a script sets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chainlab::{
    Blockchain, Driver, Event, Happening, Limits, Network, NetworkOf, NodeId, Rules, Simulation, Time,
    network::{Clock, Config, Threads},
    simulation::Virtual,
};

/// Longer than anything takes on whatever machine. Nobody waits for so long but where a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Sets the clock of a network.
type SetClock<D> = Box<dyn Fn(&NetworkOf<D>, Time)>;

pub(crate) struct Lab<D: Driver> {
    pub(crate) network: NetworkOf<D>,
    set: SetClock<D>,
    /// How far the clock goes on in an attempt at a proof.
    attempt: Duration,
    events: D::Events,
    /// A subscription to wait by.
    passing: D::Events,
}

pub(crate) fn of_threads(rules: Rules) -> Lab<Threads> {
    let nanos = Arc::new(AtomicU64::new(0));
    let hand = Arc::clone(&nanos);
    let clock = Clock::given(move |_| Time::from_nanos(hand.load(Ordering::SeqCst)));
    // What is said again after some time is said again in time, and not as the machine is slow.
    let limits = Limits {
        resolve_timeout: PATIENCE,
        announce_again: PATIENCE,
        announce_again_max: PATIENCE,
        ..Limits::default()
    };
    let network = Network::with_config(rules, Config { clock, limits, ..Config::default() });
    Lab::new(network, Duration::ZERO, move |_, time| nanos.store(time.as_nanos(), Ordering::SeqCst))
}

pub(crate) fn simulated(rules: Rules) -> Lab<Virtual> {
    // What mines as fast as it can makes a million attempts a second.
    Lab::new(Simulation::hashed(rules, 1), Duration::from_micros(1), Simulation::run_until)
}

/// Runs a script under both drivers; what it returns must be the same, one by one.
macro_rules! assert_same {
    ($script:expr, $rules:expr) => {{
        let (threads, simulated) = ($crate::lab::of_threads($rules), $crate::lab::simulated($rules));
        let (threads, simulated) = ($script(&threads), $script(&simulated));
        // All of it together is too long to be shown.
        threads.iter().zip(&simulated).for_each(|(threads, simulated)| assert_eq!(threads, simulated));
        assert_eq!(threads.len(), simulated.len());
        threads
    }};
}
pub(crate) use assert_same;

impl<D: Driver> Lab<D> {
    fn new(network: NetworkOf<D>, attempt: Duration, set: impl Fn(&NetworkOf<D>, Time) + 'static) -> Self {
        let (events, passing) = (network.events(), network.events());
        Self { network, set: Box::new(set), attempt, events, passing }
    }

    /// Sets the clock. Under threads it stands still until it is set again; under the virtual clock time passes in a
    /// search, too.
    pub(crate) fn at(&self, time: Time) -> &NetworkOf<D> {
        (self.set)(&self.network, time);
        &self.network
    }

    /// Sets the clock so that a search of so many attempts ends at a time.
    pub(crate) fn found_at(&self, time: Time, attempts: u32) -> &NetworkOf<D> {
        let nanos = (self.attempt * attempts).as_nanos() as u64;
        self.at(Time::from_nanos(time.as_nanos() - nanos))
    }

    /// Waits until what nodes tell each other has come to rest: all that can reach each other agree, and have the same
    /// transactions pending. Returns the chains.
    pub(crate) fn rest(&self) -> Vec<Blockchain> {
        for _ in 0..6000 {
            let settled = self.network.settle(PATIENCE).unwrap_or_else(|unsettled| panic!("{unsettled}"));
            let pending =
                |node: &NodeId| -> BTreeSet<_> { self.network.pending(*node).unwrap().into_iter().collect() };
            let is_alike = |nodes: &[NodeId]| nodes.iter().all(|node| pending(node) == pending(&nodes[0]));
            if settled.groups.iter().all(|group| is_alike(&group.nodes)) {
                return settled.groups.into_iter().map(|group| group.chain).collect();
            }
            self.network.next_event(&self.passing, Duration::from_millis(10));
        }
        panic!("the nodes of a group have other transactions pending than each other");
    }

    /// Waits until all that was said has come and been read, where nodes need not agree. Sets the clock, as under the
    /// virtual one nothing comes without it.
    pub(crate) fn come_to_quiet(&self, time: Time) {
        self.at(time);
        let messages = || self.network.report().messages;
        for _ in 0..6000 {
            let before = messages();
            let lost: u64 = before.lost.values().sum();
            let have_come = before.delivered + before.dropped + before.missed + lost == before.sent;
            self.has_read();
            if have_come && messages() == before {
                return;
            }
            self.network.next_event(&self.passing, Duration::from_millis(10));
        }
        panic!("{:?}", messages());
    }

    /// Waits until each node that is up has read what had come to it.
    fn has_read(&self) {
        // Whoever answers has done all that came before.
        self.network.nodes().into_iter().for_each(|node| drop(self.network.snapshot(node)));
    }

    /// What has happened to each node, in no order and whenever it was. Who is the first to tell of a block is the
    /// threads' affair where several do.
    pub(crate) fn happened(&self) -> BTreeMap<NodeId, BTreeSet<String>> {
        self.has_read();
        let mut happened: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        while let Some(Event { node, what, .. }) = self.network.next_event(&self.events, Duration::ZERO) {
            let what = match what {
                Happening::Accepted { block, position, .. } => format!("accepted {position}: {block}"),
                what => format!("{what:?}"),
            };
            happened.entry(node).or_default().insert(what);
        }
        happened
    }
}
