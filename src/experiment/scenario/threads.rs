//! Scenarios among threads, on the wall clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Problem, Scenario, ScenarioError,
    prepared::{Order, Prepared},
};
use crate::{
    event::{Event, Happening},
    message::NodeId,
    network::{Config, Network},
    report::Report,
    time::Time,
    verbs::drive::Drive,
};

impl Scenario {
    /// Starts the network of the scenario, whose nodes are threads that really hash: all of them mine.
    ///
    /// It is the network of the scenario's start, and stays as it is: [`Scenario::run_network`] also carries out what
    /// changes, pays, leaves out the warm-up and stops. A thread makes some tens of millions of attempts a second at
    /// most (`cargo run --release --example hash_rate` measures it), so state hash rates that the machine can make, under
    /// rules whose proofs are searched for.
    ///
    /// # Errors
    ///
    /// What the scenario says that cannot be, or a thread that could not be started.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{NodeId, experiment::Scenario};
    ///
    /// let scenario = Scenario::from_json(r#"{
    ///     "rules": {"preset": "sealed"}, "pace": {"block_seconds": 0.01},
    ///     "nodes": 2, "hash_rates": {"equal": {"total": 20000}}
    /// }"#)?;
    /// let network = scenario.network()?;
    /// network.wait_until(NodeId::new(1), Duration::from_secs(60), |chain| chain.len() >= 3)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network(&self) -> Result<Network, ScenarioError> {
        let prepared = self.prepare()?;
        let network = prepared.network()?;
        prepared.set_up(&network)?;
        Ok(network)
    }

    /// Runs the scenario among threads until it is to stop, and reports on what happened since the warm-up.
    ///
    /// It takes as long as it says: an hour is an hour. Changes and payments are carried out by the caller's thread,
    /// each as soon after its time as the machine comes to it. The nodes go on while the report is made, so that it may
    /// have a few blocks more than it was to stop at. It also ends where nobody can mine any more and nothing changes
    /// that.
    ///
    /// # Errors
    ///
    /// As [`Scenario::network`], or a change that could not be carried out.
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let scenario = Scenario::from_json(r#"{
    ///     "rules": {"preset": "sealed"}, "pace": {"block_seconds": 0.01},
    ///     "nodes": 2, "hash_rates": {"equal": {"total": 20000}},
    ///     "faults": [{"at_seconds": 0.02, "kind": "crash", "nodes": [1]}],
    ///     "stop": {"blocks": 20, "seconds": 60}
    /// }"#)?;
    /// let report = scenario.run_network()?;
    /// assert!(report.mined >= 20 && report.crashes <= 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_network(&self) -> Result<Report, ScenarioError> {
        let prepared = self.prepare()?;
        let network = prepared.network()?;
        // Before the first block.
        let events = network.events_with_capacity(usize::MAX);
        let start = network.driver.now();
        let mut agenda = Agenda::new(&prepared, start);
        prepared.set_up(&network)?;
        let stop = &self.stop;
        let until = stop.seconds.map_or(Time::MAX, |seconds| start + Duration::from_secs_f64(seconds));
        let mut seen = Seen::default();
        loop {
            while let Some(event) = events.try_next() {
                seen.see(&event);
            }
            // The warm-up passes in any case.
            let is_enough = stop.blocks.is_some_and(|blocks| seen.mined >= blocks)
                || stop.position.is_some_and(|position| seen.position >= position)
                || (until == Time::MAX && agenda.changes_left == 0 && prepared.miners.is_subset(&seen.ended));
            if is_enough && agenda.is_warm {
                return Ok(network.report());
            }
            let (now, next) = (network.driver.now(), agenda.next_time().min(until));
            if now < next {
                if let Some(event) = network.next_event(&events, next - now) {
                    seen.see(&event);
                }
                continue;
            }
            match agenda.pop(until) {
                None => return Ok(network.report()),
                Some(Job::CountFromNow) => {
                    network.count_from_now();
                    // What was mined before has been told of, and counts no more than in the report. What is mined
                    // meanwhile counts there alone, and the run may go on for a block more.
                    while let Some(event) = events.try_next() {
                        seen.see(&event);
                    }
                    seen.mined = 0;
                }
                Some(Job::Change(number)) => {
                    let due = &prepared.changes[number];
                    seen.ended.clear();
                    let done = due.act.carry_out(&network);
                    done.map_err(|problem| ScenarioError::new(due.path.clone(), problem))?;
                }
                // What the machine has not come to by the end is left out.
                Some(Job::Pay(_)) if now >= until => {}
                Some(Job::Pay(number)) => prepared.orders[number].carry_out(&network),
            }
        }
    }
}

impl Prepared<'_> {
    /// A network without nodes.
    fn network(&self) -> Result<Network, ScenarioError> {
        if self.scenario.finality.is_some() {
            return Err(ScenarioError::new("finality", Problem::KeepsAll));
        }
        let config = Config { seed: self.scenario.seed, ..Config::default() };
        Ok(Network::with_config(self.rules.clone(), config))
    }
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    /// The blocks mined since the warm-up.
    mined: u64,
    /// The highest position of a block.
    position: u64,
    /// The nodes that cannot mine any more, as of the last change.
    ended: BTreeSet<NodeId>,
}

impl Seen {
    fn see(&mut self, event: &Event) {
        match event.what {
            Happening::Mined { position, .. } => {
                self.mined += 1;
                self.position = self.position.max(position);
            }
            Happening::Accepted { position, .. } => self.position = self.position.max(position),
            Happening::MiningEnded { .. } | Happening::Panicked { .. } => drop(self.ended.insert(event.node)),
            _ => {}
        }
    }
}

/// Something to be done, by its place among all of its kind.
#[derive(Clone, Copy)]
enum Job {
    CountFromNow,
    Change(usize),
    Pay(usize),
}

/// What is to be done, and when; at equal times what was noted first.
struct Agenda<'a> {
    orders: &'a [Order],
    jobs: BTreeMap<(Time, usize), Job>,
    noted: usize,
    changes_left: usize,
    /// Whether the warm-up has passed.
    is_warm: bool,
}

impl<'a> Agenda<'a> {
    fn new(prepared: &'a Prepared<'_>, start: Time) -> Self {
        let Prepared { scenario, changes, orders, .. } = prepared;
        let mut agenda = Self {
            orders,
            jobs: BTreeMap::new(),
            noted: 0,
            changes_left: changes.len(),
            is_warm: scenario.warm_up.is_zero(),
        };
        if !agenda.is_warm {
            agenda.note(start + scenario.warm_up, Job::CountFromNow);
        }
        for (number, due) in changes.iter().enumerate() {
            agenda.note(start + due.at, Job::Change(number));
        }
        for (number, order) in orders.iter().enumerate() {
            agenda.note(start + order.payment.start, Job::Pay(number));
        }
        agenda
    }

    fn note(&mut self, moment: Time, job: Job) {
        self.jobs.insert((moment, self.noted), job);
        self.noted += 1;
    }

    fn next_time(&self) -> Time {
        self.jobs.first_key_value().map_or(Time::MAX, |((moment, _), _)| *moment)
    }

    /// Takes out what comes next, if that is not after a moment. A payment is noted anew for its next time.
    fn pop(&mut self, until: Time) -> Option<Job> {
        let entry = self.jobs.first_entry().filter(|entry| entry.key().0 <= until)?;
        let ((moment, _), job) = entry.remove_entry();
        match job {
            Job::CountFromNow => self.is_warm = true,
            Job::Change(_) => self.changes_left -= 1,
            Job::Pay(number) => self.note(moment + self.orders[number].payment.every, job),
        }
        Some(job)
    }
}
