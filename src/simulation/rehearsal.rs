//! Finding out how a block comes to all nodes that is told of by its hash and sent to whoever asks, without carrying it.
//!
//! It is what the nodes and the links do with such a block in a quiet network, and nothing else that they could do: a
//! node asks the first that tells it, who sends the block after what it sends already; it takes the block in after what
//! it takes in already, looks at it, and tells its own peers. Wherever a node might do anything else no answer is given,
//! and the block is carried.

use std::{sync::Arc, time::Duration};

use super::{
    lanes::Lanes,
    queue::{Arrival, Queue},
    records::Spread,
};
use crate::{
    message::{ANNOUNCEMENT_BYTES, NodeId},
    node::TELLINGS_MAX,
    time::Time,
    wire::{Bandwidth, Hosts, Load, writing_nanos},
};

/// What is sent, in the slot of its arrival.
const ANNOUNCEMENT: u32 = 0;
const REQUEST: u32 = 1;
/// A block at the end of its link.
const BLOCK: u32 = 2;
/// A block that was taken in and looked at.
const READ: u32 = 3;

/// How far a node has got with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unaware,
    /// It has asked for it, at this time.
    Waits(Time),
    Has,
}

/// A network in which nothing is drawn, as far as blocks that are told of by their hashes depend on it.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// How long what fits into a packet takes over each link: a hash, or a question.
    lanes: Arc<Lanes>,
    bandwidths: Vec<Bandwidth>,
    /// Whoever waits for so long asks another as well.
    patience: Duration,
    queue: Queue,
    /// Time goes on from one block to the next, so that all are idle when it comes.
    now: Time,
    hosts: Hosts,
    /// When each node is told first, as far as is known.
    told: Vec<Time>,
    stages: Vec<Stage>,
}

impl Rehearsal {
    /// Makes one of links over which every packet takes the same time, if all that nodes do over them is known.
    pub(super) fn new(lanes: Arc<Lanes>, bandwidths: Vec<Bandwidth>, patience: Duration) -> Option<Self> {
        let nodes = lanes.nodes();
        // Over links that go both ways whoever tells a node is its peer, and as many tell it as it tells. Of so few it asks
        // the first, and no other while that one has time to answer.
        let has_few_tellers = |node: u32| lanes.of(node).1.len() < TELLINGS_MAX as usize;
        let is_known = lanes.are_both_ways() && (0..nodes as u32).all(has_few_tellers);
        is_known.then(|| Self {
            lanes,
            bandwidths,
            patience,
            queue: Queue::new(Time::UNIX_EPOCH),
            now: Time::UNIX_EPOCH,
            hosts: Hosts::default(),
            told: vec![Time::MAX; nodes],
            stages: vec![Stage::Unaware; nodes],
        })
    }

    /// Finds out how a block that takes so much on the wire comes from its finder to all others while nothing else happens;
    /// none if it does not, or somebody may ask for it twice.
    pub(super) fn spread(&mut self, finder: NodeId, load: Load) -> Option<Spread> {
        let (start, nodes) = (self.now, self.lanes.nodes());
        self.told.fill(Time::MAX);
        self.stages.fill(Stage::Unaware);
        let mut accepted = Vec::with_capacity(nodes);
        self.stages[finder.index()] = Stage::Has;
        let mut announcements = self.tell(start, finder.index() as u32, None);
        let mut is_in_time = true;
        while let Some(Arrival { at, to, from, slot, .. }) = self.queue.pop_until(Time::MAX) {
            match slot {
                ANNOUNCEMENT if self.stages[to as usize] == Stage::Unaware => {
                    self.stages[to as usize] = Stage::Waits(at);
                    self.send(at, to, from, REQUEST);
                }
                ANNOUNCEMENT => {}
                REQUEST => {
                    let upload = self.bandwidths[to as usize].upload();
                    let sent = self.hosts.send(at, NodeId::new(to), load.bytes, upload);
                    self.send(sent, to, from, BLOCK);
                }
                BLOCK if self.read_at(at, (from, to), load) > at => {}
                _ => {
                    let Stage::Waits(since) = self.stages[to as usize] else {
                        unreachable!("a node asks once for the block, and is sent it once")
                    };
                    is_in_time &= at - since < self.patience;
                    self.stages[to as usize] = Stage::Has;
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
        for lane in lanes.iter().filter(|lane| Some(lane.to) != except) {
            let at = at.after_nanos(start.nanos_over(lane));
            *now = at.max(*now);
            let told = &mut told[lane.to as usize];
            // Equal times are told apart by their senders only when they come.
            if at <= *told {
                *told = at;
                queue.push(Arrival { at, to: lane.to, from, count: 0, slot: ANNOUNCEMENT });
            }
        }
        lanes.len() as u64 - u64::from(except.is_some())
    }

    /// Puts something on a link.
    fn send(&mut self, at: Time, from: u32, to: u32, slot: u32) {
        let nanos = self.lanes.nanos(from, to).expect("all links go both ways");
        self.push(at.after_nanos(nanos), (from, to), slot);
    }

    fn push(&mut self, at: Time, (from, to): (u32, u32), slot: u32) {
        self.now = self.now.max(at);
        self.queue.push(Arrival { at, to, from, count: slot, slot });
    }

    /// Has a node take in a block whose last byte has come, and look at it; returns when it has.
    fn read_at(&mut self, at: Time, (from, to): (u32, u32), load: Load) -> Time {
        let [sender, receiver] = [from, to].map(|node| self.bandwidths[node as usize]);
        let writing_nanos = sender.upload().map_or(0, |upload| writing_nanos(load.bytes, upload));
        let load = Load { writing_nanos, ..load };
        let read = self.hosts.read(at, NodeId::new(to), load, receiver.download());
        if read > at {
            self.push(read, (from, to), READ);
        }
        read
    }
}
