//! All that a simulation is at a moment: the nodes, and what comes next.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    Simulation, carry::Surroundings, finality::Finality, nodes::Nodes, replays::Found, samples::Samples,
    shared::Goal,
};
use crate::{
    command::{Answer, Command, Ticket},
    message::NodeId,
    node::{Effect, Effects, Input, Node},
    time::Time,
    verbs::{DownCause, NodeError, view::View},
};

/// A network at a moment of virtual time.
///
/// At equal times arrivals come first, by destination, source and the source's count; then wake-ups, by node; then what
/// was planned, in the order of planning; then proofs, by node.
pub struct World {
    pub(super) nodes: Nodes,
    pub(super) around: Surroundings,
    pub(super) finality: Finality,
    pub(super) samples: Samples,
    /// Memory for what comes of inputs.
    effects: Effects,
    plans: BTreeMap<(Time, u64), Plan>,
    next_plan: u64,
    next_ticket: u64,
    /// The commands that nobody waits for any more, of nodes that stand still and are to hear of it when they go on.
    pub(super) given_up: Vec<(NodeId, Ticket)>,
}

/// Something that a user wants to happen at a time.
pub(super) type Plan = Box<dyn FnOnce(&Simulation)>;

/// What has happened in a step.
pub(super) enum Step {
    /// Nothing: nothing comes until the limit.
    Nothing,
    /// Something inside.
    Done,
    /// It is time for this; whoever drives the world does it.
    Due(Plan),
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (now, nodes) = (self.around.now, self.nodes.count());
        f.debug_struct("World").field("now", &now).field("nodes", &nodes).finish_non_exhaustive()
    }
}

/// The earlier of two moments that there may be.
#[inline]
fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}

impl World {
    pub(super) fn new(around: Surroundings) -> Self {
        let (nodes, finality, samples) = (Nodes::default(), Finality::default(), Samples::default());
        let (effects, plans, given_up) = (Effects::default(), BTreeMap::new(), Vec::new());
        Self { nodes, around, finality, samples, effects, plans, next_plan: 0, next_ticket: 0, given_up }
    }

    /// Lets the next thing happen, unless it comes later than a limit. Time then is what it was, or that thing's.
    /// `unseen_until` is the goal of a run that nobody looks at before: a block that was found may have come to all then
    /// before the next thing happens, and one on its way to many. Without one every block is carried, step by step.
    #[inline(never)]
    pub(super) fn step(&mut self, limit: Time, unseen_until: Option<Goal>) -> Step {
        if unseen_until.is_none() {
            self.carry_found();
        }
        self.tell_of_losses();
        let plan = self.next_plan();
        let others = earlier(self.next_wake(), plan);
        let mut first = earlier(others, self.next_proof());
        if let Some(found) = self.around.replays.take_found() {
            // Where nothing is to come it is carried, so that time ends with its messages. Else the step goes on to what
            // comes next: nobody is to see that all have the block before its time.
            let but_proofs = others.map_or(limit, |other| other.min(limit));
            let is_replayed = first.is_some_and(|first| {
                self.around.replay(&mut self.nodes, &found, first.min(limit))
                    || unseen_until.is_some_and(|goal| self.may_be_followed(&found, but_proofs, goal))
                        && self.around.replay(&mut self.nodes, &found, but_proofs)
            });
            if !is_replayed {
                self.around.carry_found(&mut self.nodes, &found);
            }
            // It may have changed how long searches take.
            first = earlier(others, self.next_proof());
        }
        let (mut has_come, longest) = (false, self.around.longest);
        while let Some(arrival) = self.next_arrival(first.map_or(limit, |first| first.min(limit))) {
            has_come = true;
            // A block on its way, and what is only noted, leave plans as they are: only a proof or a wake-up may come sooner.
            if !self.arrive(arrival) || unseen_until.is_none() || self.around.longest > longest {
                break;
            }
            first = earlier(earlier(self.next_wake(), plan), self.next_proof());
        }
        if has_come {
            return Step::Done;
        }
        let Some(now) = first.filter(|first| *first <= limit) else {
            return if first.is_none() { self.let_the_last_come(limit) } else { Step::Nothing };
        };
        let wake = self.next_wake();
        // Nobody waited for anything when the block was found: a wake-up is of it.
        if wake != first {
            self.end_recording(now);
        }
        self.around.advance(now);
        if wake == first {
            let node = self.around.pop_wake();
            self.handle(node, Input::Wake);
        } else if plan == first {
            let (_, plan) = self.plans.pop_first().expect("it is the next to come");
            return Step::Due(plan);
        } else if let Some((_, node)) = self.around.searches.next() {
            self.let_go();
            self.samples.look(&mut self.around);
            // Its search may begin anew with what has come to it.
            self.nodes.at(&mut self.around, node);
            let (node, proof) = self.around.searches.pop().expect("no search ends but by its proof");
            let search = self.node(node).current_search().expect("whoever has found a proof has searched");
            self.handle(node, Input::Found(search, proof));
        }
        Step::Done
    }

    /// Where nothing happens any more, has time come to the last message that is not in the queue, if that comes until a
    /// limit.
    #[cold]
    fn let_the_last_come(&mut self, limit: Time) -> Step {
        match self.around.last_unqueued() {
            Some(last) if self.around.now < last && last <= limit => {
                self.around.advance(last);
                Step::Done
            }
            _ => Step::Nothing,
        }
    }

    /// Tells whether the next block is found before a moment by one who [has](Surroundings::has_heir) a block that was just
    /// found, and nobody looks before that has come to all.
    fn may_be_followed(&mut self, found: &Found, before: Time, goal: Goal) -> bool {
        let Surroundings { mined, longest, ref searches, .. } = self.around;
        searches.next().is_some_and(|(proof, _)| proof < before)
            && !goal.is_reached(mined + 1, longest + 1)
            && !self.samples.are_due(mined)
            && self.around.has_heir(found)
    }

    /// Has the finder of a block that waits to be replayed tell its peers.
    pub(super) fn carry_found(&mut self) {
        if let Some(found) = self.around.replays.take_found() {
            self.around.carry_found(&mut self.nodes, &found);
        }
    }

    /// Ends the recording of a block before something happens at a time that is not of it.
    pub(super) fn end_recording(&mut self, before: Time) {
        self.around.end_recording(&self.nodes, before);
    }

    /// Plans something for a time; for one that is past it is due at once.
    pub(super) fn plan(&mut self, at: Time, plan: Plan) {
        self.plans.insert((at.max(self.around.now), self.next_plan), plan);
        self.next_plan += 1;
    }

    /// When the next node is to be woken.
    #[inline]
    fn next_wake(&self) -> Option<Time> {
        self.around.wakes.first().map(|(at, _)| at)
    }

    /// When the next proof is found.
    fn next_proof(&self) -> Option<Time> {
        self.around.searches.next().map(|(end, _)| end)
    }

    /// When the next of what is planned is due.
    pub(super) fn next_plan(&self) -> Option<Time> {
        self.plans.first_key_value().map(|((at, _), _)| *at)
    }

    /// Gives a node a command, whose answer [`World::answer`] returns once it is there.
    pub(super) fn command(&mut self, node: NodeId, command: Command) -> Ticket {
        self.tell_of_losses();
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        match command {
            // Whoever saves the network looks at what stands still too, which does nothing meanwhile.
            Command::Snapshot if !self.is_live(node) => {
                let snapshot = Answer::Snapshot(self.node(node).snapshot());
                self.around.answers.insert(ticket, snapshot);
            }
            command => self.handle(node, Input::Command(ticket, command)),
        }
        ticket
    }

    /// Gives up a command whose time is up. A node that stands still says that, and hears of it when it goes on.
    pub(super) fn give_up(&mut self, node: NodeId, ticket: Ticket) -> Result<Answer, NodeError> {
        if let Err(error) = self.state(node).check_live(node) {
            self.given_up.push((node, ticket));
            return Err(error);
        }
        self.handle(node, Input::GiveUp(ticket));
        let answer = self.answer(ticket);
        // If there is none, a judge has taken it down.
        let down = || self.state(node).check_live(node).expect_err("whoever is told to give up answers");
        answer.ok_or_else(down)
    }

    pub(super) fn answer(&mut self, ticket: Ticket) -> Option<Answer> {
        self.around.answers.remove(&ticket)
    }

    /// A node that is there, up or down.
    ///
    /// # Panics
    ///
    /// If it is unknown or a puppet.
    pub(super) fn node(&mut self, node: NodeId) -> &Node {
        self.nodes.at(&mut self.around, node).expect("only nodes are asked for, not puppets")
    }

    /// Hands a node an input, and carries out its effects.
    pub(super) fn handle(&mut self, id: NodeId, input: Input) {
        let Self { nodes, around, effects, .. } = self;
        debug_assert!(around.states[id.index()].is_live(), "{input:?}");
        let is_command = matches!(input, Input::Command(..));
        let is_found = matches!(input, Input::Found(..))
            && nodes.at(around, id).is_some_and(|node| node.rests() || node.only_holds_back());
        // Nobody has been on a branch that its finder has held back.
        let were_together = is_found && nodes.are_together() && nodes.held_back(id).is_none();
        let Some((node, has_new_tip)) = nodes.handle(around, id, input, effects) else { return };
        let notices = around.notices_repeats(node);
        if has_new_tip {
            around.changes += 1;
            around.longest = around.longest.max(node.chain().len());
        }
        around.look_at_what_it_heard(node);
        // Only a command changes them, and of many nodes the lists lie in no cache.
        debug_assert!(is_command || around.peers[id.index()] == node.peers());
        if is_command && around.peers[id.index()] != node.peers() {
            // Blocks flow by the peers that there were.
            around.spell_out();
            around.changes += 1;
            around.untold.add(id);
            around.peers[id.index()] = node.peers().to_vec();
        }
        for what in effects.happened.drain(..) {
            around.record(id, what);
        }
        // What is shown that was held back may be more than one block.
        let relays = |effect: &&Effect| matches!(effect, Effect::Relay { .. });
        let shows_one = is_found && effects.to_do.iter().filter(relays).count() == 1;
        let is_judged = around.traffic.is_judged();
        let mut carry_out = || {
            for effect in effects.to_do.drain(..) {
                let effect = match effect {
                    Effect::Relay { except: None, message } if shows_one => {
                        match around.keep_for_replay(nodes, (id, were_together), message) {
                            Ok(()) => continue,
                            Err(message) => Effect::Relay { except: None, message },
                        }
                    }
                    effect => effect,
                };
                around.carry_out(id, nodes.chain(id).expect("it is no puppet"), effect);
            }
        };
        if is_judged {
            // The closure that judges is the caller's: if it panics, it takes this node down, and no other.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(carry_out)) {
                return self.end(id, DownCause::panicked(&*payload));
            }
        } else {
            carry_out();
        }
        if let Some(search) = around.to_hash.take()
            && let Some(node) = nodes.at(around, id)
        {
            around.hash(node, search);
        }
        around.note_noticing(id, notices);
    }
}
