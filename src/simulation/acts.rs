//! What is done to a world from outside: nodes come, end and begin again, stand still and go on, and links change.

use std::{sync::Arc, time::Duration};

use super::{carry::Untold, world::World};
use crate::{
    event::Happening,
    message::NodeId,
    node::{Input, Limits, Node, NodeConfig},
    strategy::Behaviour,
    time::Time,
    verbs::{
        DownCause, Identity, NodeError, RestartError, RestartFrom, SpawnError, ending, state::State,
        traffic::Traffic, view::View,
    },
    wire::{Key, Purpose},
};

impl World {
    /// Adds the node that `make` makes at its moment.
    pub(super) fn add(
        &mut self,
        identity: Identity,
        make: impl FnOnce(NodeConfig, Time) -> Node,
    ) -> Result<NodeId, SpawnError> {
        let id = self.add_member(identity, State::Live)?;
        let node = make(self.config(id), self.around.now);
        self.around.peers[id.index()] = node.peers().to_vec();
        self.around.longest = self.around.longest.max(node.chain().len());
        self.nodes.add(Some(node));
        self.around.untold.add(id);
        let name = self.around.names.of(id);
        self.around.record(id, Happening::Joined { name });
        Ok(id)
    }

    /// Adds a puppet, which has no node.
    pub(super) fn add_puppet(&mut self, identity: Identity) -> Result<NodeId, SpawnError> {
        let id = self.add_member(identity, State::Puppet)?;
        self.nodes.add(None);
        Ok(id)
    }

    fn add_member(&mut self, identity: Identity, state: State) -> Result<NodeId, SpawnError> {
        let id =
            NodeId::new(u32::try_from(self.nodes.count()).expect("fewer than 2^32 nodes fit into memory"));
        let around = &mut self.around;
        around.names.check(id, identity.name.as_deref())?;
        around.names.give(id, identity.name.as_deref());
        if identity.behaviour != Behaviour::default() {
            around.behaviours.insert(id, identity.behaviour);
        }
        let address = identity.address.unwrap_or_else(|| address(around.seed, id));
        around.add_member(state, address.into());
        Ok(id)
    }

    /// What a node is made of.
    fn config(&self, id: NodeId) -> NodeConfig {
        let around = &self.around;
        let (rules, address) = (Arc::clone(&around.rules), Arc::clone(&around.addresses[id.index()]));
        let behaviour = around.behaviours.get(&id).cloned().unwrap_or_default();
        NodeConfig { id, rules, address, limits: around.limits, behaviour }
    }

    /// Crashes a node.
    pub(super) fn crash(&mut self, id: NodeId) -> Result<(), NodeError> {
        self.known(id)?.check_up(id)?;
        self.end(id, DownCause::Crashed);
        Ok(())
    }

    /// Ends a node that is up.
    pub(super) fn end(&mut self, id: NodeId, cause: DownCause) {
        let (state, happenings) = ending::end(self.node(id), cause);
        let around = &mut self.around;
        around.spell_out();
        happenings.into_iter().for_each(|what| around.record(id, what));
        around.traffic.crash(id);
        around.forget(id);
        around.set_state(id, state);
        self.given_up.retain(|(node, _)| *node != id);
    }

    /// Begins a node again that is down.
    pub(super) fn restart(&mut self, id: NodeId, from: RestartFrom) -> Result<(), RestartError> {
        ending::check_restart(self.known(id)?, id)?;
        let node = ending::restarted(self, self.config(id), self.around.now, from);
        let happenings = ending::restart(self, id, from);
        let around = &mut self.around;
        around.spell_out();
        happenings.into_iter().for_each(|what| around.record(id, what));
        around.set_state(id, State::Live);
        // It has forgotten what it was told of its links.
        around.untold = Untold::All;
        self.nodes.replace(&mut self.around, id, node);
        Ok(())
    }

    /// Has a node stand still: what comes to it waits, and so do its search and its deadlines.
    pub(super) fn pause(&mut self, id: NodeId) -> Result<(), NodeError> {
        self.known(id)?.check_live(id)?;
        self.around.spell_out();
        self.around.stand_still(id);
        self.around.set_state(id, State::Paused);
        self.around.record(id, Happening::Paused);
        Ok(())
    }

    /// Has a node go on, and tells whether it stood still.
    pub(super) fn resume(&mut self, id: NodeId) -> Result<bool, NodeError> {
        self.known(id)?.check_up(id)?;
        if self.state(id).is_live() {
            return Ok(false);
        }
        self.around.spell_out();
        self.around.set_state(id, State::Live);
        self.around.go_on(id);
        self.around.record(id, Happening::Resumed);
        // It was told of no link that has changed meanwhile.
        self.around.untold = Untold::All;
        self.tell_of_losses();
        for (_, ticket) in self.given_up.extract_if(.., |(node, _)| *node == id).collect::<Vec<_>>() {
            // A judge may have taken it down meanwhile.
            if self.is_live(id) {
                self.handle(id, Input::GiveUp(ticket));
                self.answer(ticket);
            }
        }
        while let Some((from, message)) = self.around.read(id) {
            self.handle(id, Input::Message(from, message));
        }
        Ok(true)
    }

    /// Sets the limits of all nodes that are made from now on.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        let shortest = if self.nodes.count() == 0 { Duration::MAX } else { self.around.patience };
        self.around.patience = shortest.min(limits.resolve_timeout);
        self.around.limits = limits;
        // A block that is rehearsed is asked for once only by nodes that wait for long enough.
        self.around.spell_out();
    }

    /// Changes the links.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Traffic) -> T) -> T {
        self.around.spell_out();
        self.around.untold = Untold::All;
        self.around.changes += 1;
        change(&mut self.around.traffic)
    }

    /// Tells all nodes whether anything may be lost between them and their peers, where that has changed.
    #[inline]
    pub(super) fn tell_of_losses(&mut self) {
        if !matches!(self.around.untold, Untold::None) {
            self.tell_of_changed_losses();
        }
    }

    #[cold]
    fn tell_of_changed_losses(&mut self) {
        match std::mem::take(&mut self.around.untold) {
            Untold::None => {}
            Untold::Of(nodes) => nodes.into_iter().for_each(|node| self.tell_of_losses_of(node)),
            Untold::All => {
                (0..self.nodes.count() as u32).for_each(|node| self.tell_of_losses_of(NodeId::new(node)))
            }
        }
    }

    fn tell_of_losses_of(&mut self, node: NodeId) {
        for place in 0..self.around.peers[node.index()].len() {
            self.tell_of_loss(node, self.around.peers[node.index()][place]);
        }
    }

    /// Tells two nodes whether anything may be lost between them, if that has changed.
    pub(super) fn tell_of_loss(&mut self, one: NodeId, other: NodeId) {
        let loses = self.around.traffic.may_lose(one, other);
        for (node, other) in [(one, other), (other, one)] {
            if self.is_live(node) && self.node(node).loses_nothing(other) == loses {
                self.handle(node, Input::LinkLoses(other, loses));
            }
        }
    }
}

/// An address as the notebook makes them, 32 hexadecimal digits and four of a number, by the seed.
pub(super) fn address(seed: u64, node: NodeId) -> String {
    let key = Key::new(seed).and(Purpose::Address as u64).and(node.index() as u64);
    let [high, low] = [0, 1].map(|half| key.and(half).bits());
    format!("{high:016x}{low:016x}{:04}", node.index())
}
