//! Whether blocks flow without a message for each link.

use std::sync::Arc;

use super::{carry::Surroundings, lanes::Lanes, rehearsal::Rehearsal};
use crate::{message::NodeId, node::time_alone, rules::Relay, time::Time, verbs::state::State};

/// Whether blocks that are pushed may flow without a message for each link: whether all nodes are live and all links whole,
/// each taking the same time for every message, and no node would notice that a repeat did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Something has changed.
    Unknown,
    Free,
    /// They may not, as a message's time depends on its size, or blocks are asked for. But nothing is drawn, and all else
    /// holds.
    Steady {
        /// Whether it depends on the size of every message, as links have bandwidths of their own.
        by_all_sizes: bool,
    },
    /// They may not, before this moment at least.
    Blocked(Time),
}

impl Surroundings {
    /// Tells whether blocks that are pushed may flow without a message for each link.
    #[inline]
    pub(super) fn flows(&mut self) -> bool {
        match self.flow {
            Flow::Free => true,
            Flow::Steady { .. } => false,
            Flow::Blocked(until) if self.now < until => false,
            _ => self.look_whether_it_flows(),
        }
    }

    /// Tells whether how a block spreads, while nothing else happens, depends on who found it and on sizes alone.
    pub(super) fn is_steady(&mut self) -> bool {
        self.flows() || matches!(self.flow, Flow::Steady { .. })
    }

    #[cold]
    fn look_whether_it_flows(&mut self) -> bool {
        let (links, now) = (self.traffic.links(), self.now);
        let relay = self.rules.relay;
        let is_whole = self.skips
            && !relay.draws()
            && self.noticing.is_empty()
            && !self.traffic.is_traced()
            && links.are_whole()
            && self.states.iter().all(State::is_live);
        self.flow = Flow::Blocked(Time::MAX);
        if !is_whole {
            return false;
        }
        let mut lanes = (relay == Relay::Push).then(Lanes::default);
        // How long what fits into packets takes, by which announced blocks are rehearsed and downloaded.
        let mut packets = (relay == Relay::Announce).then(Lanes::default);
        let (mut is_drawn, mut by_all_sizes) = (false, false);
        let mut busy_until = vec![Time::UNIX_EPOCH; self.peers.len()];
        for (from, peers) in (0..).map(NodeId::new).zip(&self.peers) {
            let mut of_node = Vec::with_capacity(peers.len());
            let mut packets_of_node = Vec::new();
            for &to in peers {
                // A judge may have it lost. What is lost on the way back is acknowledged as well: the receiver may not
                // have us for a peer.
                if self.traffic.may_lose(from, to) {
                    return false;
                }
                // It may be that what comes next is dropped.
                if self.traffic.is_half_full(links.place(from, to)) {
                    self.flow = Flow::Blocked(links.last_arrival(from, to));
                    return false;
                }
                // And what is asked for comes that way.
                let there = links.link(from, to);
                for link in [there, links.link(to, from)] {
                    is_drawn |= link.draws();
                    by_all_sizes |= link.bandwidth().is_some();
                }
                if packets.is_some() {
                    let busy = &mut busy_until[from.index()];
                    *busy = links.last_arrival(from, to).max(*busy);
                    packets_of_node.extend(there.latency().steady_nanos().map(|nanos| (to, nanos)));
                }
                match links.steady_nanos(now, from, to) {
                    Ok(nanos) => of_node.push((to, nanos)),
                    Err(until) if lanes.is_some() && until < Time::MAX => {
                        self.flow = Flow::Blocked(until);
                        return false;
                    }
                    Err(_) => lanes = None,
                }
            }
            if lanes.as_mut().is_some_and(|lanes| !lanes.add_node(&of_node)) {
                lanes = None;
            }
            if packets.as_mut().is_some_and(|packets| !packets.add_node(&packets_of_node)) {
                packets = None;
            }
            if lanes.is_none() && is_drawn {
                return false;
            }
        }
        let Some(mut lanes) = lanes else {
            self.flow = Flow::Steady { by_all_sizes };
            self.replays.forget(&mut self.recorder);
            // Over links with bandwidths of their own packets wait, too.
            let mut packets = packets.filter(|_| !by_all_sizes).unwrap_or_default();
            packets.find_ways_back();
            let packets = Arc::new(packets);
            self.floods.set_lanes(Arc::clone(&packets), true, None);
            self.replays.rehearsal = None;
            if packets.nodes() > 0 {
                self.replays.rehearsal = self.rehearsal(Arc::clone(&packets));
                if packets.are_both_ways() && packets.take_time() {
                    self.downloads.begin(busy_until);
                }
            }
            return false;
        };
        lanes.find_ways_back();
        let block_bytes = self.traffic.links().block_cost().bytes;
        if self.floods.set_lanes(Arc::new(lanes), false, block_bytes) {
            self.replays.forget(&mut self.recorder);
        }
        self.flow = Flow::Free;
        true
    }

    /// Makes the rehearsal of a network of links over which packets take so long, if it can be told what its nodes do.
    fn rehearsal(&self, packets: Arc<Lanes>) -> Option<Rehearsal> {
        let links = self.traffic.links();
        let bandwidths = (0..packets.nodes() as u32).map(|node| links.bandwidth(NodeId::new(node))).collect();
        Rehearsal::new(packets, bandwidths, time_alone(self.patience))
    }
}
