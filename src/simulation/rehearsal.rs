//! Finding out how a block comes to all nodes that is told of by its hash and sent to whoever asks, without carrying it.
//!
//! It is what the nodes and the links do with such a block in a quiet network, and nothing else that they could do: a
//! node asks the first that tells it, who sends the block after what it sends already; it takes the block in after what
//! it takes in already, looks at it, and tells its own peers. Wherever a node might do anything else no answer is given,
//! and the block is carried.

use std::{sync::Arc, time::Duration};

use super::{
    lanes::{LOOKED_AT, Lane, Lanes, Sources, those_that},
    queue::{Arrival, Queue},
    records::Spread,
};
use crate::{
    message::{ANNOUNCEMENT_BYTES, NodeId},
    node::TELLINGS_MAX,
    time::Time,
    wire::{Bandwidth, Hosts, Load, writing_nanos},
};

/// What is sent, in the count of its arrival. In its slot is the link that it comes over, or for a request the way back of
/// that: the one over which whoever asks was told.
const ANNOUNCEMENT: u32 = 0;
const REQUEST: u32 = 1;
/// A block that was taken in and looked at.
const BLOCK: u32 = 2;

/// By whom a node is told first, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    at: Time,
    from: u32,
}

// So few tell a node, and so few it tells, that all are looked at together.
const _: () = assert!(TELLINGS_MAX as usize <= LOOKED_AT);

/// Stands for a node that nobody tells, as far as is known.
const NOT_YET: Told = Told { at: Time::MAX, from: u32::MAX };

/// A network in which nothing is drawn, as far as blocks that are told of by their hashes depend on it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// How long what fits into a packet takes over each link: a hash, or a question.
    lanes: Arc<Lanes>,
    /// How many nanoseconds that is there and back, by the place of the link.
    both_ways: Vec<[u64; 2]>,
    bandwidths: Vec<Bandwidth>,
    /// Whoever waits for so long asks another as well.
    patience: Duration,
    queue: Queue,
    /// Time goes on from one block to the next, so that all are idle when it comes.
    now: Time,
    hosts: Hosts,
    told: Vec<Told>,
}

impl Rehearsal {
    /// Makes one of links over which every packet takes the same time, if all that nodes do over them is known.
    pub(super) fn new(lanes: Arc<Lanes>, bandwidths: Vec<Bandwidth>, patience: Duration) -> Option<Self> {
        let nodes = lanes.nodes();
        // Over links that go both ways whoever tells a node is its peer, and as many tell it as it tells. Of so few it asks
        // the first, and no other while that one has time to answer. Over links that take no time one of a lower number might
        // tell it at the same moment, after it has asked.
        let has_few_tellers = |node: u32| lanes.of(node).1.len() < TELLINGS_MAX as usize;
        let is_known = lanes.are_both_ways() && lanes.take_time() && (0..nodes as u32).all(has_few_tellers);
        if !is_known {
            return None;
        }
        let there = (0..nodes as u32).flat_map(|node| {
            let (start, lanes) = lanes.of(node);
            lanes.iter().map(|lane| start.nanos_over(lane))
        });
        let back = Sources::new(&lanes);
        let both_ways = there.zip(back.all()).map(|(there, back)| [there, back.nanos]).collect();
        Some(Self {
            both_ways,
            lanes,
            bandwidths,
            patience,
            queue: Queue::new(Time::UNIX_EPOCH),
            now: Time::UNIX_EPOCH,
            hosts: Hosts::default(),
            told: vec![NOT_YET; nodes],
        })
    }

    /// Finds out how a block that takes so much on the wire comes from its finder to all others while nothing else happens;
    /// none if it does not, or somebody may ask for it twice.
    pub(super) fn spread(&mut self, finder: NodeId, load: Load) -> Option<Spread> {
        let (start, nodes, finder) = (self.now, self.lanes.nodes(), finder.index() as u32);
        self.told.fill(NOT_YET);
        let mut accepted = Vec::with_capacity(nodes);
        self.told[finder as usize] = Told { at: start, from: finder };
        let mut announcements = self.tell(start, finder, None);
        let mut is_in_time = true;
        while let Some(Arrival { at, to, from, count, slot }) = self.queue.pop_until(Time::MAX) {
            let [there, back] = self.both_ways[slot as usize];
            match count {
                ANNOUNCEMENT if self.told[to as usize] == (Told { at, from }) => {
                    self.push(at.after_nanos(back), (to, from), REQUEST, slot);
                }
                ANNOUNCEMENT => {}
                REQUEST => {
                    let upload = self.bandwidths[to as usize].upload();
                    let sent = self.hosts.send(at, NodeId::new(to), load.bytes, upload);
                    // It is the only block that comes to whoever asks.
                    let read = self.read_at(sent.after_nanos(there), (to, from), load);
                    self.push(read, (to, from), BLOCK, slot);
                }
                _ => {
                    is_in_time &= at - self.told[to as usize].at < self.patience;
                    accepted.push(at - start);
                    announcements += self.tell(at, to, Some(from));
                }
            }
        }
        let last = self.now - start;
        let are_told = accepted.len() + 1 == nodes && self.now < Time::from_nanos(u64::MAX / 2);
        let requests = accepted.len() as u64;
        (are_told && is_in_time).then(|| Spread {
            accepted,
            last,
            messages: announcements + 2 * requests,
            requests,
            bytes: Some(announcements * ANNOUNCEMENT_BYTES + requests * load.bytes),
        })
    }

    /// Has a node tell all peers but one; returns how many it tells.
    fn tell(&mut self, at: Time, from: u32, except: Option<u32>) -> u64 {
        let Self { lanes, queue, now, told, .. } = self;
        let (start, lanes) = lanes.of(from);
        let soonest = at.after_nanos(start.nanos);
        let comes_at = |lane: &Lane| soonest.after_nanos(u64::from(lane.more_nanos));
        if soonest.after_nanos(u64::from(start.most_more_nanos)) > *now {
            let others = lanes.iter().filter(|lane| Some(lane.to) != except);
            *now = others.map(comes_at).max().unwrap_or(at).max(*now);
        }
        for (place, lane) in those_that(lanes, |lane| comes_at(lane) <= told[lane.to as usize].at) {
            let (news, told) = (Told { at: comes_at(lane), from }, &mut told[lane.to as usize]);
            // Of those who tell it at one moment it asks the one of the lowest number. Whoever is left out was told before.
            if (news.at, news.from) < (told.at, told.from) {
                *told = news;
                let slot = start.at + place as u32;
                queue.push(Arrival { at: news.at, to: lane.to, from, count: ANNOUNCEMENT, slot });
            }
        }
        lanes.len() as u64 - u64::from(except.is_some())
    }

    /// Puts something on a link, which comes to its end at a time.
    fn push(&mut self, at: Time, (from, to): (u32, u32), count: u32, slot: u32) {
        self.now = self.now.max(at);
        self.queue.push(Arrival { at, to, from, count, slot });
    }

    /// Has a node take in a block whose last byte has come, and look at it; returns when it has.
    fn read_at(&mut self, at: Time, (from, to): (u32, u32), load: Load) -> Time {
        let [sender, receiver] = [from, to].map(|node| self.bandwidths[node as usize]);
        let writing_nanos = sender.upload().map_or(0, |upload| writing_nanos(load.bytes, upload));
        self.hosts.read(at, NodeId::new(to), Load { writing_nanos, ..load }, receiver.download())
    }
}
