//! Letting time pass.

use std::{sync::Arc, time::Duration};

use super::{
    Simulation,
    carry::{Settings, Surroundings},
    drive::Virtual,
    shared::{Goal, Progress, Shared},
    world::World,
};
use crate::{
    node::Limits,
    rules::{Genesis, ProofRule, Rules},
    time::Time,
    verbs::drive::Drive,
    wire::Room,
};

/// When a simulation begins whose rules do not say when their chain does: on 3 January 2009, when Bitcoin's did.
const START: Time = Time::from_secs(1_231_006_505);

impl Simulation {
    /// Makes a simulation without nodes whose proofs are drawn.
    ///
    /// Nobody searches for proofs: when a node finds one is drawn from the distribution that a search follows, at the
    /// node's hash rate and the difficulty of its tip. All other rules hold; [`ProofRule::Drawn`] takes the place of the
    /// rules' own. All randomness follows from the seed, and the same calls give the same run, on any machine.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// simulation.run_for(Duration::from_secs(86_400));
    /// assert!((100..190).contains(&simulation.report().mined), "a block in ten minutes or so");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self::with_proofs(Rules { proof: ProofRule::Drawn, ..rules }, seed, false)
    }

    /// Makes a simulation without nodes that really searches for proofs, as a network of threads does.
    ///
    /// The attempts that a search takes, over the node's hash rate, are the time that passes in it; on the computer's
    /// clock they take what they take. So a script of calls gives the same chain as in a
    /// [`Network`](crate::Network) whose clock tells the same times.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation};
    ///
    /// let simulation = Simulation::hashed(Rules::sealed(), 42);
    /// let node = simulation.spawn()?;
    /// let before = simulation.now();
    /// simulation.mine(node)?;
    /// assert!(simulation.now() > before, "the search has taken its time");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hashed(rules: Rules, seed: u64) -> Self {
        Self::with_proofs(rules, seed, true)
    }

    /// Sets how long nodes wait and how much they keep, of those that are started from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Limits, Rules, Simulation};
    ///
    /// // Whoever asks for a block of a megabyte over a slow line waits for it for a minute.
    /// let limits = Limits { resolve_timeout: Duration::from_secs(60), ..Limits::default() };
    /// let simulation = Simulation::new(Rules::bitcoin(), 42);
    /// simulation.set_limits(limits);
    /// let node = simulation.spawn()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_limits(&self, limits: Limits) {
        self.driver.world.borrow_mut().set_limits(limits);
    }

    fn with_proofs(rules: Rules, seed: u64, is_hashed: bool) -> Self {
        let start = match rules.genesis {
            Genesis::Shared { time: Some(time), .. } => time,
            _ => START,
        };
        let settings = Settings {
            seed,
            is_hashed,
            limits: Limits::default(),
            inbox_room: Room::INBOX,
            link_room: Room::LINK,
        };
        let world = World::new(Surroundings::new(rules.started_at(start), start, settings));
        let rules = Arc::clone(&world.around.rules);
        Self { driver: Virtual { world: Shared::new(world), rules, genesis: Arc::default() } }
    }

    /// Returns the moment that has been reached. It begins with the genesis of the rules or, where they do not say when
    /// that is, on 3 January 2009.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, Time};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin(), 42);
    /// assert_eq!(simulation.now(), Time::from_secs(1_231_006_505));
    /// ```
    pub fn now(&self) -> Time {
        self.driver.now()
    }

    /// Lets the next thing happen, however far ahead it lies; tells whether there was one. Messages that come to
    /// nothing are left out of the queue and are no step, unless nothing else is to come: then the last of them is one.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation};
    ///
    /// assert!(!Simulation::new(Rules::bitcoin(), 42).step(), "nobody is there to do anything");
    /// ```
    pub fn step(&self) -> bool {
        self.driver.step_until(Time::MAX, None)
    }

    /// Lets time pass.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin(), 42);
    /// let before = simulation.now();
    /// simulation.run_for(Duration::from_secs(60));
    /// assert_eq!(simulation.now(), before + Duration::from_secs(60));
    /// ```
    pub fn run_for(&self, duration: Duration) {
        self.run_until(self.now() + duration);
    }

    /// Lets time pass until a moment; one that has passed changes nothing.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, Time};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin(), 42);
    /// let moment = Time::from_secs(1_300_000_000);
    /// simulation.run_until(moment);
    /// simulation.run_until(Time::UNIX_EPOCH);
    /// assert_eq!(simulation.now(), moment);
    /// ```
    pub fn run_until(&self, moment: Time) {
        while self.driver.step_until(moment, Some(Goal::NONE)) {}
        self.driver.world.advance(moment);
    }

    /// Lets time pass until some node's chain has, or has had, a block at a position. Returns whether it came to that:
    /// not, if nothing is left that could happen.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// assert!(simulation.run_to_position(10));
    /// assert_eq!(simulation.chain(node)?.len(), 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_to_position(&self, position: u64) -> bool {
        self.run_to(Goal { longest: position, ..Goal::NONE })
    }

    /// Lets time pass until so many blocks more have been mined, whatever becomes of them. Returns whether it came to
    /// that: not, if nothing is left that could happen.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// assert!(simulation.run_blocks(10));
    /// assert_eq!(simulation.chain(node)?.len(), 11, "the genesis and ten more");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_blocks(&self, blocks: u64) -> bool {
        let mined = self.progress().mined.saturating_add(blocks);
        self.run_to(Goal { mined, ..Goal::NONE })
    }

    /// Lets time pass until a condition holds, which is asked after everything that happens. Returns whether it came to
    /// that: not, if nothing is left that could happen.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// let late = simulation.now() + Duration::from_secs(3600);
    /// assert!(simulation.run_until_true(|simulation| simulation.now() > late));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_until_true(&self, mut condition: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if condition(self) {
                return true;
            }
            if !self.step() {
                return false;
            }
        }
    }

    /// Has something happen at a moment: the closure is called when it comes, after what arrives at the same moment. One
    /// that has passed comes at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// let noon = simulation.now() + Duration::from_secs(43_200);
    /// simulation.at(noon, move |simulation| simulation.crash(node).unwrap());
    /// simulation.run_for(Duration::from_secs(86_400));
    /// assert!(!simulation.step(), "nobody mines any more");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(&self, moment: Time, plan: impl FnOnce(&Self) + 'static) {
        self.driver.world.borrow_mut().plan(moment, Box::new(plan));
    }

    /// Has blocks replayed, or each carried from node to node; at first they are replayed.
    ///
    /// How a block comes to all nodes depends on who found it and how large it is, and on nothing else, where
    ///
    /// - no link loses a message, or draws a latency for each,
    /// - every link takes some time, or leads both ways,
    /// - no drawn part of a compact block has to be asked for, and
    /// - nothing else happens until all nodes have it. Where no message's time depends on its size the next block may
    ///   be found meanwhile, by a node that has this one, if no third is; and a block may be replayed that decides a fork,
    ///   if each node has one side of that and knows the other, or one that a selfish miner answers with the only block
    ///   that it holds back.
    ///
    /// [`run_for`](Self::run_for), [`run_until`](Self::run_until), [`run_blocks`](Self::run_blocks) and
    /// [`run_to_position`](Self::run_to_position) find that out once for each miner and size, which takes some
    /// kilobytes, and then give all nodes such a block at once: it costs what making it costs, however many nodes there
    /// are. All other blocks are carried, and so are those in the midst of which time is to stop, or somebody looks at
    /// single steps or events.
    ///
    /// To find it out costs
    ///
    /// - less than half of what carrying the block does, where no message's time depends on its size;
    /// - half of that, where blocks are announced and nobody asks twice for one: each node has it within a
    ///   quarter of the shortest [`Limits::resolve_timeout`] after it has asked, and fewer than 32 peers, over links
    ///   both ways without bandwidths of their own;
    /// - else as much as carrying it.
    ///
    /// To find out whether a node has a block may cost a part of what carrying it costs.
    ///
    /// What a run comes to is the same; [`Report::replayed`](crate::Report::replayed) says how many were replayed. Nodes
    /// number neither the questions that they would have asked meanwhile nor the searches that they would have begun.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let reports = [true, false].map(|replays| {
    ///     let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
    ///     simulation.set_replays(replays);
    ///     let (alice, bob) = (simulation.spawn().unwrap(), simulation.spawn().unwrap());
    ///     simulation.connect(alice, bob).unwrap();
    ///     simulation.start_mining(alice, HashRate::default()).unwrap();
    ///     simulation.run_for(Duration::from_secs(86_400));
    ///     simulation.report()
    /// });
    /// assert!(reports[0].replayed > 100 && reports[1].replayed == 0);
    /// assert_eq!(reports[0].propagation, reports[1].propagation);
    /// ```
    pub fn set_replays(&self, are_on: bool) {
        self.driver.world.borrow_mut().around.replays.are_on = are_on;
    }

    /// Lets time pass until a moment or until a goal is reached, while a condition holds that is asked after everything
    /// that happens, but not while a block that was replayed is still on its way, or one only goes on from node to node.
    pub(crate) fn run_while(&self, moment: Time, goal: Goal, mut goes_on: impl FnMut(Progress) -> bool) {
        loop {
            let progress = self.progress();
            let Progress { mined, longest, .. } = progress;
            if progress.is_settled && (goal.is_reached(mined, longest) || !goes_on(progress)) {
                return;
            }
            if !self.driver.step_until(moment, Some(goal)) {
                if moment < Time::MAX {
                    self.driver.world.advance(moment);
                }
                return;
            }
        }
    }

    /// Tells how far the run has come.
    pub(crate) fn progress(&self) -> Progress {
        self.driver.world.progress()
    }

    fn run_to(&self, goal: Goal) -> bool {
        self.run_while(Time::MAX, goal, |_| true);
        let Progress { mined, longest, .. } = self.progress();
        goal.is_reached(mined, longest)
    }
}
