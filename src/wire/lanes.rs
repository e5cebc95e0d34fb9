//! Where the lanes of all links stand.

use super::lane::Lane;
use crate::NodeId;

/// The lanes of a network, each in a place of its own for as long as it is there.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// The places of each sender's, by the receiver. They lie flat, as every message looks for its lane.
    of: Vec<Vec<(NodeId, u32)>>,
    /// By place.
    lanes: Vec<Lane>,
    free: Vec<u32>,
}

impl Lanes {
    /// The place of a directed link's lane, if there is one.
    #[inline]
    pub(super) fn place(&self, from: NodeId, to: NodeId) -> Option<u32> {
        let of_sender = self.of.get(from.index())?;
        let at = of_sender.binary_search_by_key(&to, |(to, _)| *to).ok()?;
        Some(of_sender[at].1)
    }

    /// The place of a directed link's lane, which is there from now on.
    pub(super) fn place_or_add(&mut self, from: NodeId, to: NodeId) -> u32 {
        if self.of.len() <= from.index() {
            self.of.resize_with(from.index() + 1, Vec::new);
        }
        let of_sender = &mut self.of[from.index()];
        match of_sender.binary_search_by_key(&to, |(to, _)| *to) {
            Ok(at) => of_sender[at].1,
            Err(at) => {
                let place = self.free.pop().unwrap_or_else(|| {
                    self.lanes.push(Lane::default());
                    u32::try_from(self.lanes.len() - 1).expect("fewer than 2^32 lanes fit into memory")
                });
                of_sender.insert(at, (to, place));
                place
            }
        }
    }

    #[inline]
    pub(super) fn at(&self, place: u32) -> &Lane {
        &self.lanes[place as usize]
    }

    #[inline]
    pub(super) fn at_mut(&mut self, place: u32) -> &mut Lane {
        &mut self.lanes[place as usize]
    }

    pub(super) fn get(&self, from: NodeId, to: NodeId) -> Option<&Lane> {
        self.place(from, to).map(|place| self.at(place))
    }

    /// Lets go of a directed link's lane.
    pub(super) fn remove(&mut self, from: NodeId, to: NodeId) {
        let of_sender = &mut self.of[from.index()];
        if let Ok(at) = of_sender.binary_search_by_key(&to, |(to, _)| *to) {
            let (_, place) = of_sender.remove(at);
            self.lanes[place as usize] = Lane::default();
            self.free.push(place);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.len() - self.free.len()
    }

    /// Calls a function with each directed link that has a lane.
    pub(super) fn for_each(&mut self, mut look: impl FnMut(NodeId, NodeId, &mut Lane)) {
        for (from, places) in (0..).map(NodeId::new).zip(&self.of) {
            for &(to, place) in places {
                look(from, to, &mut self.lanes[place as usize]);
            }
        }
    }
}
