//! The acts of a virtual clock: what waits advances it.

use std::sync::{Arc, OnceLock};

use super::{
    Simulation,
    carry::Surroundings,
    events::SimulationEvents,
    shared::{Goal, Shared},
    world::{Step, World},
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command},
    event::{Event, Happening},
    message::{Message, NodeId},
    node::{Input, Node, NodeConfig},
    rules::Rules,
    time::Time,
    verbs::{
        HashRate, Identity, Names, NodeError, RestartError, RestartFrom, SpawnError, closure,
        drive::{Drive, Recorded},
        links_up::CameUp,
        state::State,
        traffic::Traffic,
        view::View,
    },
    wire::Links,
};

/// What drives a [`Simulation`]: one thread, on a virtual clock.
#[derive(Debug, Clone)]
pub struct Virtual {
    pub(super) world: Shared,
    /// The rules, which never change.
    pub(super) rules: Arc<Rules>,
    pub(super) genesis: Arc<OnceLock<Blockchain>>,
}

/// The attempts a second of a node that mines as fast as it can: there are no threads whose speed it could be.
pub(super) const UNLIMITED: f64 = 1e6;

impl Virtual {
    /// Lets the next thing happen that comes until a moment; tells whether there was one. Where nobody looks before a goal is
    /// reached, that may be a whole flood.
    pub(super) fn step_until(&self, limit: Time, unseen_until: Option<Goal>) -> bool {
        closure::assert_outside();
        // A plan may call anything: nothing is borrowed meanwhile.
        let step = self.world.step(limit, unseen_until);
        match step {
            Step::Nothing => false,
            Step::Done => true,
            Step::Due(plan) => {
                plan(&Simulation { driver: self.clone() });
                true
            }
        }
    }

    /// Lets things happen until there is an answer, or nothing comes until a moment; that moment has come then, unless it
    /// is the end of time.
    fn until<T>(&self, until: Time, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        loop {
            if let Some(answer) = look() {
                return Some(answer);
            }
            if !self.step_until(until, None) {
                if until < Time::MAX {
                    self.world.advance(until);
                }
                return None;
            }
        }
    }

    fn act<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        closure::assert_outside();
        act(&mut self.world.borrow_mut())
    }
}

/// The attempts a second of a rate.
fn per_second(rate: HashRate) -> f64 {
    rate.attempts_per_second().unwrap_or(UNLIMITED)
}

impl Drive for Virtual {
    type View = World;
    type Events = SimulationEvents;

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn genesis(&self) -> &OnceLock<Blockchain> {
        &self.genesis
    }

    fn seed(&self) -> u64 {
        self.world.borrow().around.seed
    }

    fn now(&self) -> Time {
        self.world.now()
    }

    fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        closure::assert_outside();
        look(&self.world.borrow())
    }

    fn look_at_links<T>(&self, look: impl FnOnce(&World, &Links) -> T) -> T {
        self.look(|world| look(world, world.around.traffic.links()))
    }

    fn wait<T>(&self, until: Time, mut look: impl FnMut(&World, &Links) -> Option<T>) -> Option<T> {
        let mut seen = None;
        self.until(until, || {
            let world = self.world.borrow();
            let changes = Some(world.around.changes);
            if std::mem::replace(&mut seen, changes) == changes {
                return None;
            }
            look(&world, world.around.traffic.links())
        })
    }

    fn wait_at<T>(&self, node: NodeId, until: Time, mut look: impl FnMut(&World) -> Option<T>) -> Option<T> {
        let mut seen: Option<(Option<Blockchain>, bool)> = None;
        self.until(until, || {
            let world = self.world.borrow();
            let now = (world.nodes.chain(node).cloned(), world.is_live(node));
            if seen.as_ref() == Some(&now) {
                return None;
            }
            seen = Some(now);
            look(&world)
        })
    }

    fn ask(&self, node: NodeId, command: Command, until: Time) -> Result<Answer, NodeError> {
        let ticket = self.act(|world| {
            State::check_of(&command)(world.known(node)?, node)?;
            let stops = matches!(command, Command::StopMining);
            let ticket = world.command(node, command);
            if stops {
                world.around.set_rate(node, UNLIMITED);
            }
            Ok(ticket)
        })?;
        let answer = self.until(until, || {
            let mut world = self.world.borrow_mut();
            let answer = world.answer(ticket).map(Ok);
            answer.or_else(|| world.state(node).check_up(node).err().map(Err))
        });
        answer.unwrap_or_else(|| self.world.borrow_mut().give_up(node, ticket))
    }

    fn start_mining(&self, node: NodeId, rate: HashRate) -> Result<(), NodeError> {
        self.act(|world| {
            world.known(node)?.check_live(node)?;
            world.around.set_rate(node, per_second(rate));
            let ticket = world.command(node, Command::StartMining);
            world.answer(ticket);
            // A judge may have taken it down.
            world.known(node)?.check_up(node)
        })
    }

    fn add_node(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError> {
        self.act(|world| world.add(identity, make))
    }

    fn add_puppet(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        self.act(|world| world.add_puppet(identity))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Traffic) -> T) -> T {
        self.act(|world| world.change(change))
    }

    fn release(&self, from: NodeId, to: NodeId) -> Option<CameUp> {
        self.act(|world| {
            let now = world.around.now;
            let (came_up, due) = world.change(|traffic| traffic.release(now, from, to));
            due.into_iter().for_each(|message| world.around.bring_later(message));
            came_up
        })
    }

    fn links_up(&self, node: NodeId, peers: Vec<NodeId>) {
        self.act(|world| {
            world.tell_of_losses();
            for peer in peers {
                if world.is_live(node) {
                    world.handle(node, Input::LinkUp(peer));
                }
            }
        });
    }

    fn links_changed(&self) {
        self.act(|world| world.around.changes += 1);
    }

    fn happened(&self, what: impl Fn(NodeId) -> Happening) {
        self.act(|world| {
            let nodes: Vec<_> = world.nodes().collect();
            nodes.into_iter().for_each(|node| world.around.record(node, what(node)));
        });
    }

    fn crash(&self, node: NodeId) -> Result<(), NodeError> {
        self.act(|world| world.crash(node))
    }

    fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        self.act(|world| world.restart(node, from))
    }

    fn pause(&self, node: NodeId) -> Result<(), NodeError> {
        self.act(|world| world.pause(node))
    }

    fn resume(&self, node: NodeId) -> Result<bool, NodeError> {
        self.act(|world| world.resume(node))
    }

    fn say(&self, puppet: NodeId, to: NodeId, message: Message) {
        self.act(|world| world.around.send(puppet, to, message));
    }

    fn hear(&self, puppet: NodeId, until: Time) -> Option<(NodeId, Message)> {
        self.until(until, || self.world.borrow_mut().around.read(puppet))
    }

    fn subscribe(&self, capacity: usize) -> SimulationEvents {
        self.act(|world| world.around.subscribers.add(capacity))
    }

    fn next_event(&self, events: &SimulationEvents, until: Time) -> Option<Event> {
        self.until(until, || events.try_next())
    }

    fn count_from_now(&self) {
        self.act(|world| {
            let attempts = world.attempts();
            let around = &mut world.around;
            let messages = around.counted();
            around.replays.records.count_from_now();
            around.recorder.count_from(around.now, attempts, messages);
            world.samples.restart(around);
        });
    }

    fn recorded<T>(&self, look: impl FnOnce(&World) -> T) -> Recorded<T> {
        self.look(|world| {
            let (around, attempts, seen) = (&world.around, world.attempts(), look(world));
            let (mut recorder, messages) = (around.recorder.clone(), around.counted());
            around.replays.records.add_to(&mut recorder);
            Recorded { recorder, now: around.now, attempts, messages, seen }
        })
    }
}

impl World {
    /// The attempts at proofs that each node has made.
    fn attempts(&self) -> Vec<u64> {
        let Surroundings { searches, now, .. } = &self.around;
        self.nodes().map(|node| searches.attempts(*now, node)).collect()
    }
}

impl View for World {
    fn count(&self) -> usize {
        self.nodes.count()
    }

    fn state(&self, node: NodeId) -> &State {
        &self.around.states[node.index()]
    }

    fn chain(&self, node: NodeId) -> &Blockchain {
        self.nodes.chain(node).expect("only nodes are asked for, not puppets")
    }

    fn peers(&self, node: NodeId) -> &[NodeId] {
        &self.around.peers[node.index()]
    }

    fn address(&self, node: NodeId) -> &Arc<str> {
        &self.around.addresses[node.index()]
    }

    fn names(&self) -> &Names {
        &self.around.names
    }
}
