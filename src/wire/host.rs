//! What a node sends and takes in at once, and what blocks cost it.

use std::{num::NonZeroU64, time::Duration};

use serde::{Deserialize, Serialize};

use super::{LinkError, lane::writing_nanos};
use crate::{NodeId, Time, time::seconds};

/// How fast a node sends and takes in, in bytes a second; by default without a limit.
///
/// It is the node's own, whoever it talks to: it sends one message after the other, and takes in one after the other. A
/// message comes in while it is sent, so that the slower of the two counts, not their sum. What is no longer than a packet,
/// 1,500 bytes, goes between the packets of others: it takes no time, and waits for nothing.
///
/// ```
/// use chainlab::wire::Bandwidth;
///
/// let home = Bandwidth::new(2_500_000, 12_500_000)?;
/// assert_eq!((home.upload(), home.download()), (Some(2_500_000), Some(12_500_000)));
/// assert!(Bandwidth::new(0, 1).is_err());
/// # Ok::<(), chainlab::wire::LinkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Bandwidth {
    upload: Option<NonZeroU64>,
    download: Option<NonZeroU64>,
}

impl Bandwidth {
    /// Bounds both ways, in bytes a second.
    ///
    /// # Errors
    ///
    /// If one of them is zero: nothing would ever arrive.
    pub fn new(upload: u64, download: u64) -> Result<Self, LinkError> {
        let of = |bytes| NonZeroU64::new(bytes).ok_or(LinkError::Bandwidth).map(Some);
        Ok(Self { upload: of(upload)?, download: of(download)? })
    }

    /// Returns the bytes a second that the node sends, nothing if that is unlimited.
    pub fn upload(&self) -> Option<u64> {
        self.upload.map(NonZeroU64::get)
    }

    /// Returns the bytes a second that the node takes in, nothing if that is unlimited.
    pub fn download(&self) -> Option<u64> {
        self.download.map(NonZeroU64::get)
    }

    pub(super) fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }
}

/// What a block takes on the wire, and the time in which its receiver looks at it; by default its own bytes, and none.
///
/// ```
/// use std::time::Duration;
/// use chainlab::{Network, Rules, wire::BlockCost};
///
/// // Blocks count as a megabyte each, whatever they hold, and a megabyte takes 50 ms to be looked at.
/// let network = Network::new(Rules::sealed());
/// network.set_block_cost(BlockCost { bytes: Some(1_000_000), validation: Duration::from_millis(50) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockCost {
    /// The bytes that every block counts as; without, those of its canonical JSON.
    pub bytes: Option<u64>,
    /// How long a block of a megabyte, 10^6 bytes, takes to be looked at when it has come in; others in proportion. What
    /// comes meanwhile does not wait for it.
    #[serde(rename = "validation_seconds_per_megabyte", with = "seconds")]
    pub validation: Duration,
}

/// A message of so few bytes is one packet, which goes between those of others: it neither waits for its turn at the ends
/// nor has others wait.
const PACKET_BYTES: u64 = 1500;

/// Tells whether a message of so many bytes takes a node no time and waits for nothing, however narrow the node's line.
pub(crate) fn is_packet(bytes: u64) -> bool {
    bytes <= PACKET_BYTES
}

/// What a message takes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// The bytes that are sent.
    pub(crate) bytes: u64,
    /// Its own bytes, whatever its blocks are said to have: what it takes in memory.
    pub(crate) own_bytes: u64,
    /// How long its receiver looks at its blocks, in nanoseconds.
    pub(crate) validation_nanos: u64,
    /// How long it takes from its first byte to its last, as its sender and its link were when it was sent, in
    /// nanoseconds.
    pub(crate) writing_nanos: u64,
}

impl Load {
    /// Tells whether it takes its receiver no time.
    #[inline]
    pub(crate) fn is_light(&self) -> bool {
        is_packet(self.bytes) && self.validation_nanos == 0
    }
}

impl BlockCost {
    /// How long it takes to look at blocks of so many bytes, in nanoseconds.
    pub(crate) fn validation_nanos(&self, block_bytes: u64) -> u64 {
        if self.validation.is_zero() || block_bytes == 0 {
            return 0;
        }
        let nanos = self.validation.as_nanos().saturating_mul(u128::from(block_bytes)) / 1_000_000;
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// A node as the wire knows it.
#[derive(Debug, Clone, Copy, Default)]
struct Host {
    /// Its own bandwidth, if it has one beside its region's.
    bandwidth: Option<Bandwidth>,
    /// When all that it has to send is sent.
    sent_at: Time,
    /// When all that has come so far is taken in.
    taken_in_at: Time,
}

/// The nodes whose bandwidth was set, or was used up.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// By their numbers.
    of: Vec<Host>,
    /// When all of them have sent and taken in everything.
    idle_at: Time,
}

impl Hosts {
    pub(super) fn set(&mut self, node: NodeId, bandwidth: Bandwidth) {
        self.of_mut(node).bandwidth = Some(bandwidth);
    }

    /// A node's own bandwidth, if one was set.
    pub(super) fn bandwidth(&self, node: NodeId) -> Option<Bandwidth> {
        self.of.get(node.index())?.bandwidth
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Tells whether no node is sending or taking in.
    pub(super) fn are_idle(&self, now: Time) -> bool {
        self.idle_at <= now
    }

    /// Has a node that may have a bound to what it sends in a second send so many bytes after what it sends already; tells
    /// when they are out.
    #[inline]
    pub(crate) fn send(&mut self, now: Time, from: NodeId, bytes: u64, upload: Option<u64>) -> Time {
        let Some(upload) = upload.filter(|_| !is_packet(bytes)) else { return now };
        let host = self.of_mut(from);
        host.sent_at = now.max(host.sent_at).after_nanos(writing_nanos(bytes, upload));
        let sent_at = host.sent_at;
        self.idle_at = sent_at.max(self.idle_at);
        sent_at
    }

    /// Has a node that may have a bound to what it takes in in a second take in what has come to its last byte, and look at
    /// it; tells when it has.
    pub(crate) fn read(&mut self, now: Time, to: NodeId, load: Load, download: Option<u64>) -> Time {
        let taken_in = match download.filter(|_| !is_packet(load.bytes)) {
            Some(download) => {
                let first = Time::from_nanos(now.as_nanos().saturating_sub(load.writing_nanos));
                self.take_in(to, (first, now), load.bytes, download)
            }
            None => now,
        };
        taken_in.after_nanos(load.validation_nanos)
    }

    /// Takes in so many bytes, of which the first is there at one time and the last at another; tells when all are in.
    fn take_in(&mut self, to: NodeId, (first, last): (Time, Time), bytes: u64, download: u64) -> Time {
        let host = self.of_mut(to);
        host.taken_in_at = first.max(host.taken_in_at).after_nanos(writing_nanos(bytes, download)).max(last);
        let taken_in_at = host.taken_in_at;
        self.idle_at = taken_in_at.max(self.idle_at);
        taken_in_at
    }

    fn of_mut(&mut self, node: NodeId) -> &mut Host {
        if self.of.len() <= node.index() {
            self.of.resize_with(node.index() + 1, Host::default);
        }
        &mut self.of[node.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: u64 = 1_000_000;

    fn at(millis: u64) -> Time {
        Time::from_nanos(1_000_000 * millis)
    }

    #[test]
    fn a_node_sends_one_message_after_the_other() {
        let mut hosts = Hosts::default();
        let node = NodeId::new(3);
        let upload = Some(MEGABYTE);
        assert_eq!(hosts.send(at(0), node, MEGABYTE, upload), at(1000));
        assert_eq!(hosts.send(at(500), node, MEGABYTE, upload), at(2000));
        assert_eq!(hosts.send(at(5000), node, MEGABYTE / 2, upload), at(5500));
        assert_eq!(hosts.send(at(0), NodeId::new(2), MEGABYTE, upload), at(1000));
        // A packet waits for nothing, and nothing waits where nothing is bounded.
        assert_eq!(hosts.send(at(5100), node, PACKET_BYTES, upload), at(5100));
        assert_eq!(hosts.send(at(5100), node, MEGABYTE, None), at(5100));
    }

    #[test]
    fn a_message_comes_in_while_it_is_sent() {
        let mut hosts = Hosts::default();
        let node = NodeId::new(0);
        // The receiver is faster than the sender: it waits for the last byte alone.
        assert_eq!(hosts.take_in(node, (at(0), at(1000)), MEGABYTE, 10 * MEGABYTE), at(1000));
        // It is slower: it begins with the first byte.
        assert_eq!(hosts.take_in(node, (at(2000), at(2100)), MEGABYTE, MEGABYTE), at(3000));
        // What comes meanwhile waits.
        assert_eq!(hosts.take_in(node, (at(2500), at(2600)), MEGABYTE, MEGABYTE), at(4000));
    }

    #[test]
    fn validation_is_in_proportion_to_the_bytes() {
        let cost = BlockCost { bytes: None, validation: Duration::from_millis(50) };
        assert_eq!(cost.validation_nanos(MEGABYTE), 50_000_000);
        assert_eq!(cost.validation_nanos(1), 50);
        assert_eq!(cost.validation_nanos(0), 0);
        let endless = BlockCost { validation: Duration::MAX, ..cost };
        assert_eq!(endless.validation_nanos(u64::MAX), u64::MAX);
    }
}
