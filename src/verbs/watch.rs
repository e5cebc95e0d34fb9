//! The verbs of watching and waiting: what happens, the report of what happened, and what is to become of chains.

use std::time::Duration;

use super::{
    agreement::{Agreeing, Settled, Unsettled, unsettled},
    drive::{Driver, Recorded},
    error::{NodeError, WaitError},
    front::NetworkOf,
    view::View,
};
use crate::{blockchain::Blockchain, event::Event, message::NodeId, report::Report};

/// How many unread events a subscription keeps unless it is told otherwise.
const CAPACITY: usize = 65_536;

impl<D: Driver> NetworkOf<D> {
    /// Subscribes to what happens from now on, with room for 65,536 unread events.
    ///
    /// Room costs memory only when it is used: some hundred bytes an event. After the network's end there is nothing to
    /// come, and the subscription has ended.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Happening, Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let events = network.events();
    /// network.mine(alice)?;
    /// let event = network.next_event(&events, Duration::from_secs(10)).expect("a block was mined");
    /// assert!(matches!(event.what, Happening::Mined { position: 2, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events(&self) -> D::Events {
        self.events_with_capacity(CAPACITY)
    }

    /// Subscribes to what happens from now on, with room for so many unread events; without any room all are lost, and
    /// counted.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let events = network.events_with_capacity(2);
    /// (0..5).try_for_each(|_| network.mine(alice).map(drop))?;
    /// network.shutdown()?;
    /// assert_eq!((events.lost(), events.count()), (3, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events_with_capacity(&self, capacity: usize) -> D::Events {
        self.driver.subscribe(capacity)
    }

    /// Has messages traced, or no longer; at first they are not. Of each message that is sent while they are, the
    /// subscriptions are told when it has arrived or was lost: a [`Happening::Message`](crate::Happening::Message).
    ///
    /// A trace is no part of a report, and changes nothing of what happens. It takes its time: each message becomes an
    /// event, for which subscriptions need the room, and a simulation carries each by itself, also where it would only
    /// [count](crate::Simulation::set_replays) most of them. What is still under way at the end is not told of.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Happening, MessageName, Rules, Simulation, wire::{Latency, Link}};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 7);
    /// let (alice, bob) = (simulation.spawn()?, simulation.spawn()?);
    /// simulation.set_default_link(Link::default().with_latency(Latency::fixed(Duration::from_millis(40))));
    /// simulation.connect(alice, bob)?;
    /// simulation.set_tracing(true);
    /// let mut events = simulation.events();
    /// simulation.mine(alice)?;
    /// simulation.settle(Duration::from_secs(60))?;
    ///
    /// let told = events.find_map(|event| match event.what {
    ///     Happening::Message(passage) if passage.kind == MessageName::NewBlock => Some((event.time, passage)),
    ///     _ => None,
    /// });
    /// let (arrived, passage) = told.expect("bob was told of the block");
    /// assert_eq!((passage.from, arrived - passage.sent), (alice, Duration::from_millis(40)));
    /// assert_eq!(passage.block, Some(simulation.chain(alice)?.tip_hash()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_tracing(&self, is_on: bool) {
        self.change_links(|traffic| traffic.set_tracing(is_on));
    }

    /// Waits for the next event of a subscription to this network; none if there is none in time, or there will be no
    /// more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Happening, Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// let events = network.events();
    /// network.pause(alice)?;
    /// let event = network.next_event(&events, Duration::from_secs(10)).expect("that happened");
    /// assert_eq!((event.node, event.what), (alice, Happening::Paused));
    /// assert_eq!(network.next_event(&events, Duration::ZERO), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_event(&self, events: &D::Events, timeout: Duration) -> Option<Event> {
        self.driver.next_event(events, self.driver.now() + timeout)
    }

    /// Reports on what happened since the network was started, or since the
    /// [warm-up](NetworkOf::count_from_now), by the best of all nodes' chains; a node that is down
    /// counts with the chain it has.
    ///
    /// It waits for no node: paused, down or shut down, they are reported on.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.mine(alice)?;
    /// assert_eq!((network.report().mined, network.report().in_chain), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&self) -> Report {
        // Of one moment: no block is reported as mined that is too new to be in the chains. Nobody waits for the report
        // but for the time of this copy.
        let Recorded { recorder, now, attempts, messages, seen: chains } =
            self.driver.recorded(|view| view.chains().cloned().collect::<Vec<_>>());
        let best = chains.into_iter().reduce(|best, chain| {
            let is_better = chain.is_better_than(&best, self.rules());
            if is_better { chain } else { best }
        });
        let best = best.unwrap_or_else(|| Blockchain::started(self.rules(), now));
        let attempts = |node: NodeId| attempts.get(node.index()).copied().unwrap_or(0);
        recorder.report(now, &best, attempts, messages)
    }

    /// Leaves out the warm-up: from now on a report counts only what happens from now on, and its duration begins now.
    ///
    /// Where now lies in the middle of a fork, its branches are cut here. A block that was mined before is neither mined,
    /// stale nor in the chain, and not followed when it is taken on later; the first interval is the one between the
    /// first two that are mined from now on. A message that is under way now was sent before, and arrives since.
    ///
    /// ```
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::notebook());
    /// let alice = network.spawn()?;
    /// network.mine(alice)?;
    /// network.count_from_now();
    /// network.mine(alice)?;
    /// assert_eq!((network.report().mined, network.chain(alice)?.len()), (1, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count_from_now(&self) {
        self.driver.count_from_now();
    }

    /// Waits, without polling, until all live nodes that can reach each other have the same chain.
    ///
    /// Two nodes reach each other if one is the other's peer and neither a partition, a hold nor a link that loses
    /// everything lies between them, either way; and so do all between whom there is a path of such pairs. Equally good
    /// chains may stand side by side for ever, since a tie keeps ours: mine one block more.
    ///
    /// # Errors
    ///
    /// Where the live nodes stand, if they do not agree in time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.mine(alice)?;
    /// let settled = network.settle(Duration::from_secs(60))?;
    /// assert_eq!(settled.groups[0].nodes, [alice, bob]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settle(&self, timeout: Duration) -> Result<Settled, Unsettled> {
        let mut agreeing = Agreeing::default();
        match self.driver.wait(self.driver.now() + timeout, |view, links| agreeing.look(view, links)) {
            Some(groups) => Ok(Settled { groups }),
            None => Err(self.driver.look(unsettled)),
        }
    }

    /// Waits, without polling, until a condition holds of a node's chain, and returns that chain.
    ///
    /// The condition is asked at once, and then of each new chain of the node, but not of one that was replaced before
    /// it could be asked. It is asked by the caller's thread, and may call the network. A paused node is waited for.
    ///
    /// # Errors
    ///
    /// The chain that the node has when the time is up; or the node is unknown, a puppet, or down, and the condition
    /// does not hold of the chain that it left.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Network, Rules, network::HashRate};
    ///
    /// let network = Network::new(Rules::sealed());
    /// let (alice, bob) = (network.spawn()?, network.spawn()?);
    /// network.connect(alice, bob)?;
    /// network.start_mining(alice, HashRate::UNLIMITED)?;
    /// let chain = network.wait_until(bob, Duration::from_secs(60), |chain| chain.len() >= 3)?;
    /// assert!(chain.len() >= 3);
    ///
    /// network.stop_mining(alice)?;
    /// let error = network.wait_until(bob, Duration::ZERO, |chain| chain.len() > 1_000_000).unwrap_err();
    /// assert!(error.to_string().starts_with("node 1 has only come to block "), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_until(
        &self,
        node: NodeId,
        timeout: Duration,
        mut holds: impl FnMut(&Blockchain) -> bool,
    ) -> Result<Blockchain, WaitError> {
        let until = self.driver.now() + timeout;
        let known = |view: &D::View| {
            let state = view.known(node)?;
            if state.is_puppet() {
                return Err(NodeError::Puppet { node });
            }
            Ok((view.chain(node).clone(), state.check_up(node)))
        };
        let (mut chain, mut is_up) = self.driver.look(known)?;
        loop {
            if holds(&chain) {
                return Ok(chain);
            }
            is_up?;
            let changed = self.driver.wait_at(node, until, |view| {
                let is_up = view.state(node).check_up(node);
                let is_new = !view.chain(node).is_same_copy(&chain) || is_up.is_err();
                is_new.then(|| (view.chain(node).clone(), is_up))
            });
            match changed {
                Some(changed) => (chain, is_up) = changed,
                None => return Err(WaitError::Late { node, chain }),
            }
        }
    }
}
