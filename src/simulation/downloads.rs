//! What nodes download: blocks that they have asked for, without a message for each question and answer.
//!
//! A node that has nothing on its mind [asks](super::asking) the first that tells it of a block that it lacks, who sends the
//! block, and the node takes it on, if it is on top of its chain. Until then all that comes of others who tell it as well is
//! that they are remembered, in case that the block does not come. So the node is told of all that only if it matters: if
//! anything else comes to it first, or somebody looks at it. Its own code makes the steps then, later, and what is under way
//! becomes a message.

use std::{collections::BTreeMap, hint};

use super::queue::Arrival;
use crate::{
    blockchain::{Blockchain, Locator},
    hash::BlockHash,
    message::{Message, NodeId, RequestId, Told},
    node::{Effects, Input, Node},
    time::Time,
    verbs::traffic::Traffic,
    wire::Load,
};

/// How far a download has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The question is on its way.
    Asked,
    /// The block is on its way.
    Sent,
    /// The block is there, and is taken in and looked at.
    Read,
}

/// A block on its way to a node that has asked for it.
#[derive(Debug, Clone)]
pub(super) struct Download {
    /// The number of the block's flood.
    pub(super) flood: u32,
    /// Who told of it first, and when.
    pub(super) from: NodeId,
    pub(super) since: Time,
    pub(super) request: RequestId,
    /// The chain of whoever asks, if the block is not on top of that.
    pub(super) aside: Option<Blockchain>,
    /// The position of the last block that both have, once the block is sent, and whether it takes time to look at it.
    pub(super) after: u64,
    pub(super) is_looked_at: bool,
    pub(super) stage: Stage,
    /// When the stage is over, and the number of its message among its sender's.
    pub(super) due: Time,
    pub(super) count: u32,
}

/// What a node was told of a block, and has yet to hear: who told it and when, in that order.
#[derive(Debug)]
pub(super) struct Unheard {
    pub(super) block: BlockHash,
    pub(super) position: u64,
    pub(super) told: Vec<(Time, NodeId)>,
}

/// All downloads.
#[derive(Debug, Default)]
pub(super) struct Downloads {
    /// Whether there may be any.
    pub(super) are_on: bool,
    /// What each node downloads.
    pub(super) of: Vec<Option<Download>>,
    /// How many do.
    pub(super) count: usize,
    /// What nodes have yet to hear of downloads that became messages.
    pub(super) unheard: BTreeMap<NodeId, Unheard>,
    /// Until when something is under way, over any of its links, that each node has sent as a message and that what it sends
    /// next might overtake; and until when a block that it sends without one. Past that no link is looked at.
    pub(super) busy_until: Vec<Time>,
    pub(super) sends_until: Vec<Time>,
    /// Memory for what comes of hearing of a download, and for what questions name.
    pub(super) effects: Effects,
    /// What the last block takes on the wire that was sent alone.
    load: Option<(Blockchain, Load)>,
}

impl Downloads {
    /// From now on blocks may be downloaded by nodes; `busy_until` tells of each until when what it has sent is under way.
    pub(super) fn begin(&mut self, busy_until: Vec<Time>) {
        debug_assert!(self.count == 0);
        self.are_on = true;
        self.of.resize(busy_until.len(), None);
        self.sends_until = vec![Time::UNIX_EPOCH; busy_until.len()];
        self.busy_until = busy_until;
        self.load = None;
    }

    /// Has what something that comes to a node reads fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, node: u32) {
        if self.are_on {
            hint::black_box(self.of[node as usize].is_some());
        }
    }

    /// Tells whether a node has yet to hear of a download.
    #[inline]
    pub(super) fn is_unheard_by(&self, node: NodeId) -> bool {
        self.count + self.unheard.len() > 0
            && (self.of.get(node.index()).is_some_and(Option::is_some) || self.unheard.contains_key(&node))
    }

    /// Notes that what a node sends may have to wait for something else until a moment.
    #[inline]
    pub(super) fn keep_busy(&mut self, node: NodeId, until: Time) {
        if let Some(busy) = self.busy_until.get_mut(node.index()) {
            *busy = until.max(*busy);
        }
    }

    /// When the block comes that is on its way over a link, if there is one.
    #[inline]
    pub(super) fn on_link(&self, from: NodeId, to: NodeId) -> Option<Time> {
        let download = self.of.get(to.index())?.as_ref()?;
        (download.from == from && download.stage == Stage::Sent).then_some(download.due)
    }

    /// Returns how many of their messages will be under way still at a moment, if nothing else comes until then.
    pub(super) fn under_way(&self, moment: Time) -> u64 {
        let is_under_way = |download: &&Download| {
            download.due > moment || download.stage == Stage::Sent && download.is_looked_at
        };
        self.of.iter().flatten().filter(is_under_way).count() as u64
    }

    /// Lets go of blocks. No node downloads any.
    pub(super) fn shorten(&mut self) {
        debug_assert!(self.count == 0);
        self.load = None;
    }

    /// What is named in a question by whoever has a chain.
    pub(super) fn locator(&mut self, chain: &Blockchain) -> &Locator {
        self.effects.locators.of(chain)
    }

    /// What an answer takes on the wire that ends with a block, and begins after a position.
    pub(super) fn load(&mut self, block: &Blockchain, after: u64, traffic: &Traffic) -> Load {
        let load = || traffic.load(answer(RequestId(0), after, block).measured());
        if after + 1 < block.len() {
            return load();
        }
        match &self.load {
            Some((known, load)) if known.is_same_copy(block) => *load,
            _ => self.load.insert((block.clone(), load())).1,
        }
    }

    /// The download that something which arrives is of: none if that became a message meanwhile.
    pub(super) fn at(&mut self, node: NodeId, arrival: &Arrival) -> Option<&mut Download> {
        let download = self.of.get_mut(node.index())?.as_mut()?;
        ((download.due, download.count) == (arrival.at, arrival.count)).then_some(download)
    }

    pub(super) fn end(&mut self, node: NodeId) -> Option<Download> {
        let ended = self.of.get_mut(node.index())?.take();
        self.count -= usize::from(ended.is_some());
        ended
    }
}

/// The answer with a block, and those before it that come after a position.
pub(super) fn answer(request: RequestId, after: u64, block: &Blockchain) -> Message {
    Message::Blocks { request, after, blocks: Told::Chain(block.clone()) }
}

impl Unheard {
    /// Has a node hear of it: it asks the first, which is under way, and remembers the others.
    pub(super) fn tell(self, node: &mut Node, effects: &mut Effects) {
        let Self { block, position, told } = self;
        effects.clear();
        for (at, from) in told {
            node.handle(at, Input::Message(from, Message::Announce { block, position }), effects);
        }
        debug_assert_eq!(effects.to_do.len(), 2, "it asks the first, and waits: {effects:?}");
    }
}
