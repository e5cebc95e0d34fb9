//! Scenarios under a driver.

use std::{rc::Rc, sync::Arc, time::Duration};

use super::{
    Scenario, ScenarioError,
    act::Due,
    prepared::{Order, Prepared},
};
use crate::{
    report::Report,
    simulation::{Goal, Simulation},
    time::Time,
    transaction::Transaction,
    verbs::{Driver, NetworkOf},
};

impl Scenario {
    /// Makes the simulation of the scenario at its start: all nodes mine, and all changes and payments are planned.
    ///
    /// Its [`report`](Simulation::report) leaves out the warm-up once that has passed. A change that what its caller does
    /// meanwhile rules out is left out, too.
    ///
    /// # Errors
    ///
    /// What the scenario says that cannot be.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::experiment::Scenario;
    ///
    /// let simulation = Scenario::from_json(r#"{"nodes": 4, "seed": 7}"#)?.simulation()?;
    /// simulation.run_for(Duration::from_secs(86_400));
    /// assert!((100..190).contains(&simulation.report().mined));
    /// # Ok::<(), chainlab::experiment::ScenarioError>(())
    /// ```
    pub fn simulation(&self) -> Result<Simulation, ScenarioError> {
        self.prepare()?.simulation()
    }

    /// Runs the scenario in a simulation until it is to stop, and reports on what happened since the warm-up.
    ///
    /// It also ends where nobody mines any more and nothing changes that.
    ///
    /// # Errors
    ///
    /// What the scenario says that cannot be.
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let scenario = Scenario::from_json(r#"{"nodes": 4, "stop": {"blocks": 100}}"#)?;
    /// assert_eq!(scenario.run()?.mined, 100);
    /// # Ok::<(), chainlab::experiment::ScenarioError>(())
    /// ```
    pub fn run(&self) -> Result<Report, ScenarioError> {
        let simulation = self.simulation()?;
        self.run_to_stop(&simulation, || true);
        Ok(simulation.report())
    }

    /// Lets time pass in a [simulation](Self::simulation) of the scenario, from its start until the scenario is to stop, and
    /// while a condition holds that is asked at the start and after everything that happens but the last. In one that is not
    /// at its start, what makes it stop is counted from now.
    ///
    /// While a block that was [replayed](Simulation::set_replays) is still on its way it is not asked.
    ///
    /// A condition that looks at the simulation each time has every block carried, and none
    /// [replayed](Simulation::set_replays).
    ///
    /// ```
    /// use chainlab::experiment::Scenario;
    ///
    /// let scenario = Scenario::from_json(r#"{"nodes": 2, "stop": {"blocks": 10}}"#)?;
    /// let simulation = scenario.simulation()?;
    /// let (mut events, mut count) = (simulation.events(), 0);
    /// scenario.run_to_stop(&simulation, || {
    ///     count += events.by_ref().count();
    ///     count < 10
    /// });
    /// assert_eq!(count, 10);
    /// assert!((1..10).contains(&simulation.report().mined), "each is mined, and comes to the other");
    /// # Ok::<(), chainlab::experiment::ScenarioError>(())
    /// ```
    pub fn run_to_stop(&self, simulation: &Simulation, mut goes_on: impl FnMut() -> bool) {
        let start = simulation.now();
        let last_change = self.faults.iter().map(|fault| fault.at).max();
        let last_change = start + last_change.unwrap_or_default();
        let mut has_ended = false;
        let mut goes_on = || {
            has_ended = has_ended || !goes_on();
            !has_ended
        };
        simulation.run_while(start + self.warm_up, Goal::NONE, |_| goes_on());
        let stop = &self.stop;
        let goal = Goal {
            mined: simulation.progress().mined.saturating_add(stop.blocks.unwrap_or(u64::MAX)),
            longest: stop.position.unwrap_or(u64::MAX),
        };
        let until = stop.seconds.map_or(Time::MAX, |seconds| start + Duration::from_secs_f64(seconds));
        simulation.run_while(until, goal, |progress| {
            // Of several changes at one moment each comes by itself.
            let changes = progress.next_plan.is_some_and(|next| next <= last_change);
            let is_live = progress.is_mining || changes || stop.seconds.is_some();
            goes_on() && is_live
        });
    }
}

impl Prepared<'_> {
    fn simulation(self) -> Result<Simulation, ScenarioError> {
        let simulation = Simulation::new(self.rules.clone(), self.scenario.seed);
        if let Some(depth) = self.scenario.finality {
            simulation.set_finality(depth);
        }
        self.set_up(&simulation)?;
        let start = simulation.now();
        if !self.scenario.warm_up.is_zero() {
            simulation.at(start + self.scenario.warm_up, Simulation::count_from_now);
        }
        for Due { at, act, .. } in self.changes {
            // It was checked: it fails only if the caller has done otherwise meanwhile, and then it is left out.
            simulation.at(start + at, move |simulation| drop(act.carry_out(simulation)));
        }
        for order in self.orders {
            plan(&simulation, start + order.payment.start, Rc::new(order));
        }
        Ok(simulation)
    }

    /// Starts the nodes, joins them, and has them mine.
    pub(super) fn set_up<D: Driver>(&self, network: &NetworkOf<D>) -> Result<(), ScenarioError> {
        let scenario = self.scenario;
        network.set_default_link(scenario.link);
        network.set_regions(scenario.regions.map(|table| table.regions()));
        network.set_block_cost(scenario.block_cost);
        let mut nodes = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let node =
                network.spawn_as(member.identity()).map_err(|error| ScenarioError::new("nodes", error))?;
            nodes.push(node);
        }
        network.join(&self.topology).map_err(|error| ScenarioError::new("topology", error))?;
        for (node, member) in nodes.into_iter().zip(&self.members) {
            if let Some(rate) = member.rate() {
                network.start_mining(node, rate).map_err(|error| ScenarioError::new("hash_rates", error))?;
            }
        }
        Ok(())
    }
}

impl Order {
    /// Makes the payment once; one that the node refuses is left out.
    pub(super) fn carry_out<D: Driver>(&self, network: &NetworkOf<D>) {
        let (sender, recipient) = (Arc::clone(&self.sender), Arc::clone(&self.recipient));
        let _ = network.submit(self.node, Transaction::new(sender, recipient, self.payment.amount));
    }
}

/// Plans a payment, and with it the next.
fn plan(simulation: &Simulation, moment: Time, order: Rc<Order>) {
    simulation.at(moment, move |simulation| {
        order.carry_out(simulation);
        // At the end of time there is no next.
        if let Some(next) = moment.checked_add(order.payment.every) {
            plan(simulation, next, order);
        }
    });
}
