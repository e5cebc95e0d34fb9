//! How threads carry out the acts.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use super::{
    clock::instant,
    life,
    mailbox::{Control, Member},
    nodes::Table,
    threads::Threads,
    watch::Events,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command},
    event::{Event, Happening},
    message::{Message, NodeId},
    node::{Node, NodeConfig},
    rules::Rules,
    time::Time,
    verbs::{
        HashRate, Identity, NodeError, RestartError, RestartFrom, SpawnError, closure,
        drive::{Drive, Recorded},
        links_up::CameUp,
        state::State,
        traffic::Traffic,
        view::View,
    },
    wire::Links,
};

impl Drive for Threads {
    type View = Table;
    type Events = Events;

    fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    fn genesis(&self) -> &OnceLock<Blockchain> {
        &self.shared.genesis
    }

    fn seed(&self) -> u64 {
        self.shared.seed
    }

    fn now(&self) -> Time {
        self.shared.delivery.now()
    }

    fn look<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        self.shared.nodes.look(look)
    }

    fn look_at_links<T>(&self, look: impl FnOnce(&Table, &Links) -> T) -> T {
        let traffic = self.shared.delivery.traffic();
        self.shared.nodes.look(|table| look(table, traffic.links()))
    }

    fn wait<T>(&self, until: Time, mut look: impl FnMut(&Table, &Links) -> Option<T>) -> Option<T> {
        self.shared.nodes.wait(self.deadline(until), || self.look_at_links(&mut look))
    }

    fn wait_at<T>(&self, node: NodeId, until: Time, look: impl FnMut(&Table) -> Option<T>) -> Option<T> {
        closure::assert_outside();
        self.shared.nodes.wait_at(node, self.deadline(until), look)
    }

    fn ask(&self, node: NodeId, command: Command, until: Time) -> Result<Answer, NodeError> {
        match self.deadline(until) {
            None => self.shared.command(node, command)?.answer(),
            Some(deadline) => self.shared.answer_by(node, command, deadline),
        }
    }

    fn start_mining(&self, node: NodeId, rate: HashRate) -> Result<(), NodeError> {
        let start = |reply| Control::StartMining(rate, reply);
        self.shared.ask(node, State::check_live, start)?.answer()?;
        Ok(())
    }

    fn add_node(
        &self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError> {
        self.start_node(identity, make)
    }

    fn add_puppet(&self, identity: Identity) -> Result<NodeId, SpawnError> {
        self.start_puppet(identity)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Traffic) -> T) -> T {
        change(&mut self.shared.delivery.change())
    }

    fn release(&self, from: NodeId, to: NodeId) -> Option<CameUp> {
        let now = self.now();
        let mut links = self.shared.delivery.traffic();
        let (came_up, due) = links.release(now, from, to);
        due.into_iter().for_each(|message| links.queue(message));
        came_up
    }

    fn links_up(&self, node: NodeId, peers: Vec<NodeId>) {
        // One that is not live is not told.
        let _ = self.shared.tell(node, State::check_live, Control::LinksUp(peers));
    }

    fn links_changed(&self) {
        self.shared.nodes.links_changed();
    }

    fn happened(&self, what: impl Fn(NodeId) -> Happening) {
        let nodes: Vec<_> = self.shared.nodes.look(|table| table.nodes().collect());
        nodes.into_iter().for_each(|node| self.shared.happened(node, what(node)));
    }

    fn crash(&self, node: NodeId) -> Result<(), NodeError> {
        life::crash(&self.shared, node)
    }

    fn restart(&self, node: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        life::restart(&self.shared, node, from)
    }

    fn pause(&self, node: NodeId) -> Result<(), NodeError> {
        life::pause(&self.shared, node)
    }

    fn resume(&self, node: NodeId) -> Result<bool, NodeError> {
        life::resume(&self.shared, node)
    }

    fn say(&self, puppet: NodeId, to: NodeId, message: Message) {
        self.shared.send(puppet, to, message);
    }

    fn hear(&self, puppet: NodeId, until: Time) -> Option<(NodeId, Message)> {
        closure::assert_outside();
        let member = self.shared.member(puppet).ok()?;
        member.mailbox.as_ref()?.hear(self.deadline(until))
    }

    fn subscribe(&self, capacity: usize) -> Events {
        self.shared.watch.subscribe(capacity)
    }

    fn next_event(&self, events: &Events, until: Time) -> Option<Event> {
        closure::assert_outside();
        events.next_timeout(until - self.now())
    }

    fn count_from_now(&self) {
        let shared = &self.shared;
        let members = shared.nodes.look(|table| table.members.clone());
        let now = shared.clock.now(NodeId::new(0));
        shared.watch.count_from(now, attempts(&members), shared.counters.sums());
    }

    fn recorded<T>(&self, look: impl FnOnce(&Table) -> T) -> Recorded<T> {
        let shared = &self.shared;
        let (recorder, (members, seen)) =
            shared.watch.recorded_with(|| shared.nodes.look(|table| (table.members.clone(), look(table))));
        let attempts = attempts(&members);
        let now = shared.clock.now(NodeId::new(0));
        Recorded { recorder, now, attempts, messages: shared.counters.sums(), seen }
    }
}

/// The attempts at proofs that each node has made.
fn attempts(members: &[Arc<Member>]) -> Vec<u64> {
    let at = instant();
    members.iter().map(|member| member.effort.lock().attempts(at)).collect()
}

impl Threads {
    /// When a moment has come; none if that is beyond the end of the clock.
    fn deadline(&self, until: Time) -> Option<Instant> {
        (until < Time::MAX).then(|| self.shared.delivery.instant_of(until)).flatten()
    }
}
