//! What links take from the nodes at their ends: their regions, their bandwidths, and the time to look at blocks.

use super::{
    Bandwidth, BlockCost, Link, Links, Region, Regions,
    host::{Load, is_packet},
    lane::writing_nanos,
};
use crate::{NodeId, Time};

impl Links {
    /// Sets how fast a node sends and takes in, in place of its region's bandwidth.
    pub fn set_bandwidth(&mut self, node: NodeId, bandwidth: Bandwidth) {
        self.hosts.set(node, bandwidth);
    }

    /// Returns how fast a node sends and takes in.
    pub fn bandwidth(&self, node: NodeId) -> Bandwidth {
        let own = self.hosts.bandwidth(node);
        own.or_else(|| Some(self.region(node)?.bandwidth)).unwrap_or_default()
    }

    /// Has nodes lie in regions, or nowhere: what latency a link has that has no setting of its own, and what bandwidth a
    /// node that has none of its own, is its regions'.
    pub fn set_regions(&mut self, regions: Option<Regions>) {
        self.regions = regions;
        self.places.clear();
    }

    /// Returns the region that a node lies in, if there are any.
    pub fn region(&self, node: NodeId) -> Option<&Region> {
        let regions = self.regions.as_ref()?;
        Some(regions.region(self.place_of(regions, node)))
    }

    fn place_of(&self, regions: &Regions, node: NodeId) -> usize {
        let known = self.places.get(node.index());
        known.map_or_else(|| regions.place_of(node, self.seed), |place| *place as usize)
    }

    /// Draws the regions of all nodes up to one, to be looked up from then on.
    fn place_up_to(&mut self, node: NodeId) {
        if let Some(regions) = &self.regions {
            for number in self.places.len()..=node.index() {
                let place = regions.place_of(NodeId::new(number as u32), self.seed);
                self.places.push(place as u32);
            }
        }
    }

    /// Sets what blocks take on the wire, and the time to look at them.
    pub fn set_block_cost(&mut self, cost: BlockCost) {
        self.block_cost = cost;
    }

    /// Returns what blocks take on the wire, and the time to look at them.
    pub const fn block_cost(&self) -> BlockCost {
        self.block_cost
    }

    /// What a directed link is like that has no setting of its own.
    #[inline]
    pub(super) fn unset_link(&self, from: NodeId, to: NodeId) -> Link {
        match &self.regions {
            None => self.default,
            Some(regions) => self.link_of_regions(regions, from, to),
        }
    }

    fn link_of_regions(&self, regions: &Regions, from: NodeId, to: NodeId) -> Link {
        let latency = regions.latency(self.place_of(regions, from), self.place_of(regions, to));
        latency.map_or(self.default, |latency| self.default.with_latency(latency))
    }

    /// Has a node send so many bytes after what it sends already; tells when they are out.
    #[inline]
    pub(crate) fn sent_at(&mut self, now: Time, from: NodeId, bytes: u64) -> Time {
        if self.regions.is_some() {
            self.place_up_to(from);
        }
        let upload = self.upload(from, bytes);
        self.hosts.send(now, from, bytes, upload)
    }

    /// How long a message of so many bytes takes from its first byte to its last, in nanoseconds.
    pub(crate) fn writing_nanos(&self, from: NodeId, to: NodeId, bytes: u64) -> u64 {
        if !self.bandwidth_matters(bytes) {
            return 0;
        }
        let of_link = self.link(from, to).bandwidth().map_or(0, |bandwidth| writing_nanos(bytes, bandwidth));
        of_link.max(self.uploading_nanos(from, bytes))
    }

    /// How long a node takes to send so many bytes, in nanoseconds.
    pub(crate) fn uploading_nanos(&self, from: NodeId, bytes: u64) -> u64 {
        self.upload(from, bytes).map_or(0, |upload| writing_nanos(bytes, upload))
    }

    /// How many bytes a second a node sends, if that may count for so many.
    #[inline]
    fn upload(&self, from: NodeId, bytes: u64) -> Option<u64> {
        self.bandwidth_matters(bytes).then(|| self.bandwidth(from).upload()).flatten()
    }

    /// Has a node take in what has come to it; tells when it has, and has looked at what blocks there are.
    pub(crate) fn taken_in_at(&mut self, now: Time, to: NodeId, load: Load) -> Time {
        let download = self.bandwidth_matters(load.bytes).then(|| self.bandwidth(to).download()).flatten();
        self.hosts.read(now, to, load, download)
    }

    /// How long every block takes over a link beside its latency, in nanoseconds; nothing if that is not always the same.
    pub(crate) fn steady_block_nanos(&self, from: NodeId, to: NodeId) -> Option<u64> {
        let is_idle = |node| !self.bandwidth_matters(u64::MAX) || self.bandwidth(node).is_unlimited();
        if !(is_idle(from) && is_idle(to)) {
            return None;
        }
        match self.block_cost {
            BlockCost { validation, .. } if validation.is_zero() => Some(0),
            BlockCost { bytes, .. } => Some(self.block_cost.validation_nanos(bytes?)),
        }
    }

    /// Tells whether somebody's bandwidth may count for so many bytes.
    #[inline]
    fn bandwidth_matters(&self, bytes: u64) -> bool {
        !(is_packet(bytes) || self.hosts.is_empty() && self.regions.is_none())
    }
}
