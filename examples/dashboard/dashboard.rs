//! A network that runs, what is known of it, and what keys do to it.

use std::{error::Error, sync::Arc, time::Duration};

use chainlab::{
    Difficulty, Genesis, Network, NodeId, Report, Retarget, Rules, Time, Transaction,
    network::{Clock, Config, Events, HashRate, Panicked, RestartFrom},
    pow::Target,
    wire::{Latency, Link, Topology},
};

use crate::{keys::Act, model::Model};

/// How many attempts a second each node makes at first: little enough that a key can make it faster, and that what the
/// nodes find is by their rates on a busy machine, too.
pub(crate) const ATTEMPTS: f64 = 65_536.0;
/// The slowest and the fastest that keys make a node.
const ATTEMPTS_MIN: f64 = ATTEMPTS / 1024.0;
const ATTEMPTS_MAX: f64 = ATTEMPTS * 256.0;

/// How often nodes are looked at, and how often rates are taken.
const LOOK: Duration = Duration::from_millis(200);
const SAMPLE: Duration = Duration::from_secs(1);
/// How often somebody pays.
const PAYMENT: Duration = Duration::from_millis(500);
/// What each node's purse holds at first.
const PURSE: u64 = 1_000_000;

/// What a network is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) nodes: u32,
    /// The time from block to block that the difficulty keeps to.
    pub(crate) interval: Duration,
    /// The time that a message takes from a node to the next.
    pub(crate) latency: Duration,
}

/// A network that runs, with all that is shown of it.
pub(crate) struct Dashboard {
    pub(crate) network: Network,
    events: Events,
    clock: Clock,
    model: Model,
    next_look: Time,
    next_sample: Time,
    next_payment: Time,
    /// How many payments there were.
    payments: u32,
}

impl Dashboard {
    /// Starts a network of nodes in a ring, all of which mine.
    pub(crate) fn start(setting: Setting) -> Result<Self, Box<dyn Error>> {
        let clock = Clock::wall();
        let network =
            Network::with_config(rules(setting)?, Config { clock: clock.clone(), ..Config::default() });
        let events = network.events();
        network.set_default_link(Link::default().with_latency(Latency::fixed(setting.latency)));
        for _ in 0..setting.nodes {
            network.spawn()?;
        }
        network.join(&Topology::Ring)?;
        let nodes = network.nodes();
        let names = nodes.iter().map(|node| network.name(*node)).collect::<Result<Vec<_>, _>>()?;
        let start = clock.now(NodeId::new(0));
        let genesis = network.chain(NodeId::new(0))?.tip_hash();
        for node in nodes {
            network.start_mining(node, HashRate::per_second(ATTEMPTS)?)?;
        }
        let model = Model::new(start, genesis, names, ATTEMPTS);
        let (next_look, next_payment) = (start, start + PAYMENT);
        let mut dashboard = Self {
            network,
            events,
            clock,
            model,
            next_look,
            next_sample: start + SAMPLE,
            next_payment,
            payments: 0,
        };
        dashboard.advance();
        Ok(dashboard)
    }

    /// Returns what is shown.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// Takes in what happened by now, and does what is due by now.
    pub(crate) fn advance(&mut self) {
        let now = self.clock.now(NodeId::new(0));
        self.model.pass(now);
        if now >= self.next_payment {
            self.next_payment = now + PAYMENT;
            self.pay();
        }
        self.take_in_events();
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.look();
        }
        if now >= self.next_sample {
            self.next_sample = now + SAMPLE;
            self.model.report(&self.network.report());
        }
    }

    /// Waits for the next event, but no longer than a time, and advances.
    pub(crate) fn wait(&mut self, timeout: Duration) {
        if let Some(event) = self.events.next_timeout(timeout) {
            self.model.observe(&event);
        }
        self.advance();
    }

    /// Does what a key has been pressed for, and says so; or says why it could not.
    pub(crate) fn act(&mut self, act: Act) {
        if let Err(error) = self.try_to(act) {
            self.model.say(error.to_string());
        }
        self.take_in_events();
        self.look();
    }

    /// Ends the network, and reports on it.
    pub(crate) fn end(self) -> Result<Report, Panicked> {
        self.network.shutdown()?;
        Ok(self.network.report())
    }

    fn try_to(&mut self, act: Act) -> Result<(), Box<dyn Error>> {
        match act {
            Act::Up => self.model.choose(-1),
            Act::Down => self.model.choose(1),
            Act::Partition => self.cut_or_heal()?,
            Act::Hold => self.hold_or_release()?,
            Act::Crash => self.crash_or_restart()?,
            Act::Faster => self.mine_at(self.model.chosen().wanted * 2.0)?,
            Act::Slower => self.mine_at(self.model.chosen().wanted / 2.0)?,
            Act::Pause => self.pause_or_resume(),
            Act::Quit => {}
        }
        Ok(())
    }

    fn cut_or_heal(&mut self) -> Result<(), Box<dyn Error>> {
        if self.model.cut.take().is_some() {
            self.network.heal();
            self.model.say("the network is whole again".into());
            return Ok(());
        }
        let nodes = self.network.nodes();
        let [.., last_above, _] = *nodes else {
            return Err("one node alone cannot be cut in two".into());
        };
        let last_above = self.model.chosen.min(last_above.index());
        self.network.partition([&nodes[..=last_above], &nodes[last_above + 1..]])?;
        self.model.cut = Some(last_above);
        let (above, below) = (last_above, last_above + 1);
        self.model.say(format!("the network is cut in two between {} and {}", nodes[above], nodes[below]));
        Ok(())
    }

    fn hold_or_release(&mut self) -> Result<(), Box<dyn Error>> {
        let (one, other) = (self.model.chosen, self.model.after(self.model.chosen));
        if one == other {
            return Err("one node alone has no link to hold".into());
        }
        let [node, next] = [one, other].map(|number| self.network.nodes()[number]);
        let link = self.model.link();
        if self.model.held.remove(&link) {
            self.network.release(node, next);
            self.network.release(next, node);
            self.model.say(format!("the link between {node} and {next} is released"));
        } else {
            self.network.hold(node, next)?;
            self.network.hold(next, node)?;
            self.model.held.insert(link);
            self.model.say(format!("the link between {node} and {next} is held"));
        }
        Ok(())
    }

    fn crash_or_restart(&mut self) -> Result<(), Box<dyn Error>> {
        let node = self.chosen();
        if self.model.chosen().is_down() {
            self.network.restart(node, RestartFrom::Chain)?;
            self.network.start_mining(node, HashRate::per_second(self.model.chosen().wanted)?)?;
            if self.model.is_paused {
                self.network.pause(node)?;
            }
            self.model.say(format!("{node} is restarted with the chain on its disk"));
        } else {
            self.network.crash(node)?;
            self.model.say(format!("{node} is crashed"));
        }
        Ok(())
    }

    fn mine_at(&mut self, attempts: f64) -> Result<(), Box<dyn Error>> {
        let node = self.chosen();
        let attempts = attempts.clamp(ATTEMPTS_MIN, ATTEMPTS_MAX);
        self.network.start_mining(node, HashRate::per_second(attempts)?)?;
        self.model.chosen_mut().wanted = attempts;
        self.model.say(format!("{node} is to make {attempts} attempts a second"));
        Ok(())
    }

    /// Has all nodes stand still that are up, or go on.
    fn pause_or_resume(&mut self) {
        let is_paused = !self.model.is_paused;
        for node in self.network.nodes() {
            // One that is down has nothing to pause.
            let _ = if is_paused { self.network.pause(node) } else { self.network.resume(node) };
        }
        self.model.is_paused = is_paused;
        self.model.say(if is_paused { "all nodes are paused" } else { "all nodes go on" }.into());
    }

    fn chosen(&self) -> NodeId {
        self.network.nodes()[self.model.chosen]
    }

    fn take_in_events(&mut self) {
        while let Some(event) = self.events.try_next() {
            self.model.observe(&event);
        }
    }

    fn look(&mut self) {
        for (number, node) in self.network.nodes().into_iter().enumerate() {
            // One that is down stays as it was.
            if let Ok(snapshot) = self.network.snapshot(node) {
                self.model.look(number, &snapshot);
            }
        }
    }

    /// Has the next node's purse pay the one after it.
    fn pay(&mut self) {
        let nodes = self.network.nodes();
        let number = self.payments as usize % nodes.len();
        self.payments = self.payments.wrapping_add(1);
        let payment = Transaction::new(purse(number), purse(self.model.after(number)), 1);
        // A node that is down or paused takes none.
        let _ = self.network.submit(nodes[number], payment);
    }
}

fn rules(setting: Setting) -> Result<Rules, Box<dyn Error>> {
    let Setting { nodes, interval, .. } = setting;
    let purses = (0..nodes as usize).map(|number| (purse(number), PURSE)).collect();
    let easiest = Target::leading_zero_bits(8);
    let hashes = ATTEMPTS * f64::from(nodes) * interval.as_secs_f64();
    let first = Target::from_expected_hashes(hashes as u128).min(easiest);
    let retarget = Retarget::new(first, 32, interval)?.with_easiest_target(easiest)?.with_back_max(interval);
    Ok(Rules {
        difficulty: Difficulty::Retargeted(retarget),
        genesis: Genesis::Shared { time: None, allocations: purses },
        ..Rules::sealed()
    })
}

/// Returns the address from which a node's payments are made.
fn purse(node: usize) -> Arc<str> {
    format!("purse {node}").into()
}
