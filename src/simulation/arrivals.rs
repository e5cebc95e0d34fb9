//! What comes next of what is on its way, and what comes of it.

use std::sync::Arc;

use super::{
    carry::Surroundings, flood::Wave, floods::Floods, queue::Arrival, under_way::ends_of, world::World,
};
use crate::{
    blockchain::Blockchain,
    message::{Message, NodeId, Told},
    node::Input,
    time::Time,
};

/// Of fewer nodes than these, what messages read mostly lies in the cache; and of fewer than these others, so do the tables
/// that have a number or a moment for each.
const FETCHED_FROM: usize = 3000;
pub(super) const TABLES_FETCHED_FROM: usize = 30_000;

impl World {
    /// Takes out what arrives next, unless that is later than a moment, and comes to its turn.
    #[inline]
    pub(super) fn next_arrival(&mut self, limit: Time) -> Option<Arrival> {
        let Surroundings { queue, floods, .. } = &mut self.around;
        let had_opened = !queue.opened().is_empty();
        let arrival = queue.pop_until_without(limit, |arrival| floods.drops(arrival))?;
        self.around.come_to(arrival.turn());
        if !had_opened {
            self.fetch_opened();
        }
        Some(arrival)
    }

    /// Lets something arrive; tells whether no more came of it than that its receiver had a block, asked for one or sent one,
    /// or took note of what another has.
    #[inline]
    pub(super) fn arrive(&mut self, arrival: Arrival) -> bool {
        match self.around.floods.arrive(&arrival) {
            Wave::First(number, chain) => {
                let [from, to] = [arrival.from, arrival.to].map(NodeId::new);
                match self.around.downloads.are_on {
                    true => self.is_told(number, (from, to), &chain),
                    false => self.block_comes(number, from, to, chain),
                }
            }
            Wave::Asked(chain) => self.is_asked(arrival, &chain),
            Wave::Sent(number, chain) => self.is_sent(number, arrival, chain),
            Wave::Message => self.message_comes(arrival),
            Wave::Repeat => true,
        }
    }

    /// Has all that the arrivals of a moment to come read fetched from memory, and does not wait for it. Of ten thousand
    /// nodes few lie in the cache: to wait for each when its turn comes took a quarter of all time. Where there are few, it
    /// is a twentieth in vain.
    #[inline]
    fn fetch_opened(&self) {
        if self.nodes.count() < FETCHED_FROM {
            return;
        }
        for arrival in self.around.queue.opened() {
            self.nodes.fetch(arrival.to);
            self.around.floods.lanes.fetch(arrival.to);
            self.around.downloads.fetch(arrival.to);
        }
        if self.nodes.count() >= TABLES_FETCHED_FROM {
            for arrival in self.around.queue.opened() {
                self.nodes.fetch_count(arrival.to);
                self.around.fetch_from_tables(arrival);
            }
        }
        for arrival in self.around.queue.opened() {
            if !Floods::is_of_flood(arrival) {
                self.around.traffic.fetch(self.around.under_way.lane(arrival));
            }
        }
    }

    /// A block comes to a node for the first time; tells whether it extended the node's tip or a rival of it, or was kept
    /// beside that, and that was all that there was to think about.
    #[inline]
    fn block_comes(&mut self, number: u32, from: NodeId, to: NodeId, chain: Blockchain) -> bool {
        self.around.hint = Some((number, from));
        let extended = self.nodes.extend(&mut self.around, to, from, chain);
        let is_all = match extended {
            Ok(()) => true,
            Err(chain) => self.other_block_comes(number, from, to, chain),
        };
        self.around.hint = None;
        is_all
    }

    /// A block comes to a node, and extends neither its tip nor a rival of that; tells whether the node only took note of it.
    #[inline(never)]
    fn other_block_comes(&mut self, number: u32, from: NodeId, to: NodeId, chain: Blockchain) -> bool {
        let is_noted = self.receive(to, from, Message::NewBlock(Told::Chain(chain.clone())));
        if !is_noted && !self.node(to).knows(&chain) {
            self.around.came_in_vain(number, to, &chain);
        }
        is_noted
    }

    /// A message comes to the end of its link; tells whether its receiver only took note of it.
    #[inline(never)]
    fn message_comes(&mut self, arrival: Arrival) -> bool {
        if let Some(message) = self.around.arrive_relayed(&arrival) {
            let (from, to) = ends_of(&arrival);
            let is_noted = self.nodes.take_note(&mut self.around, to, from, &message);
            if !is_noted {
                self.handle(to, Input::Message(from, Arc::unwrap_or_clone(message)));
            }
            return is_noted;
        }
        let Some((from, to, message)) = self.around.arrive(arrival) else { return false };
        self.receive(to, from, message)
    }

    /// A node gets a message; tells whether it only took note of it.
    #[inline]
    fn receive(&mut self, to: NodeId, from: NodeId, message: Message) -> bool {
        let Self { nodes, around, .. } = self;
        let is_noted = nodes.take_note(around, to, from, &message);
        if !is_noted {
            self.handle(to, Input::Message(from, message));
        }
        is_noted
    }
}
