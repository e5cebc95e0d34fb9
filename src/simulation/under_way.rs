//! The messages under way, each kept where its arrival says.

use std::sync::Arc;

use super::{flood::FLOOD, queue::Arrival, slots::Slots};
use crate::{
    message::{Message, NodeId},
    time::Time,
    verbs::traffic::{OnLane, UnderWay},
    wire::Epoch,
};

/// Marks the slot of an arrival as that of a relayed message. With the mark of a [flood](FLOOD) it says something else.
const RELAYED: u32 = 1 << 30;

/// The messages under way: those that go to one node, and those that are relayed to many.
#[derive(Debug, Default)]
pub(super) struct MessagesUnderWay {
    alone: Slots<UnderWay>,
    relayed: Slots<Relayed>,
}

/// A message on its way to many nodes. It is kept once: one for each would lie in no cache when it arrives.
#[derive(Debug)]
struct Relayed {
    message: Arc<Message>,
    sent: Epoch,
    bytes: u64,
    /// The number of the first of them among its sender's, which the others follow without a gap.
    first: u32,
    /// Where each is counted, in their order.
    lanes: Vec<u32>,
    /// To how many it has yet to come.
    left: usize,
}

impl MessagesUnderWay {
    /// Keeps a message to one node, and returns its slot.
    pub(super) fn put(&mut self, message: UnderWay) -> u32 {
        self.alone.put(message)
    }

    /// Keeps a message of so many bytes that is sent in an epoch to so many nodes at most, and returns its slot. Each
    /// receiver is [added](Self::add_receiver), and then the relay [ends](Self::end_relay).
    pub(super) fn begin_relay(&mut self, message: Message, sent: Epoch, bytes: u64, most: usize) -> u32 {
        let (message, lanes) = (Arc::new(message), Vec::with_capacity(most));
        self.relayed.put(Relayed { message, sent, bytes, first: 0, lanes, left: 0 }) | RELAYED
    }

    /// Adds one to whom a relayed message comes, as the next of its sender's, and over a lane.
    #[inline]
    pub(super) fn add_receiver(&mut self, slot: u32, count: u32, lane: u32) {
        let relayed = self.relayed.get_mut(slot & !RELAYED);
        if relayed.left == 0 {
            relayed.first = count;
        }
        debug_assert_eq!(count, relayed.first.wrapping_add(relayed.lanes.len() as u32));
        relayed.lanes.push(lane);
        relayed.left += 1;
    }

    /// Forgets a relayed message if it comes to nobody.
    pub(super) fn end_relay(&mut self, slot: u32) {
        if self.relayed.get(slot & !RELAYED).left == 0 {
            self.relayed.take(slot & !RELAYED);
        }
    }

    /// Takes out what arrives.
    pub(super) fn take(&mut self, arrival: &Arrival) -> UnderWay {
        debug_assert_eq!(arrival.slot & FLOOD, 0, "{arrival:?}");
        match self.relayed(arrival) {
            None => self.alone.take(arrival.slot),
            Some(on_lane) => {
                let message = Arc::unwrap_or_clone(self.take_relayed(arrival));
                on_lane.by_itself(arrival.at, ends_of(arrival), message)
            }
        }
    }

    /// Returns what is known of a message on its lane, if it was relayed.
    #[inline]
    pub(super) fn relayed(&self, arrival: &Arrival) -> Option<OnLane> {
        let is_relayed = arrival.slot & RELAYED != 0;
        is_relayed.then(|| {
            let Relayed { sent, bytes, first, lanes, .. } = self.relayed.get(arrival.slot & !RELAYED);
            let lane = lanes[arrival.count.wrapping_sub(*first) as usize];
            OnLane { sent: *sent, bytes: *bytes, lane }
        })
    }

    /// Takes out a message that was relayed, for one of its receivers.
    #[inline]
    pub(super) fn take_relayed(&mut self, arrival: &Arrival) -> Arc<Message> {
        let place = arrival.slot & !RELAYED;
        let relayed = self.relayed.get_mut(place);
        relayed.left -= 1;
        match relayed.left {
            0 => self.relayed.take(place).message,
            _ => Arc::clone(&relayed.message),
        }
    }

    /// Tells whether what arrives counts as delivered by a moment.
    pub(super) fn has_come(&self, arrival: &Arrival, moment: Time) -> bool {
        match arrival.slot & RELAYED {
            0 => self.alone.get(arrival.slot).has_come(moment),
            _ => arrival.at <= moment,
        }
    }

    /// The lane that a message is counted in.
    pub(super) fn lane(&self, arrival: &Arrival) -> u32 {
        self.relayed(arrival).map_or_else(|| self.alone.get(arrival.slot).lane, |on_lane| on_lane.lane)
    }
}

/// From whom something arrives, and to whom.
#[inline]
pub(super) fn ends_of(arrival: &Arrival) -> (NodeId, NodeId) {
    (NodeId::new(arrival.from), NodeId::new(arrival.to))
}
