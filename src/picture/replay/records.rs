//! Events as a page keeps them: numbers, with nodes, blocks and texts in tables beside them.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{
    event::{Event, Happening, LossCause, MessageName},
    hash::BlockHash,
    message::NodeId,
    picture::names::cut,
};

/// How many different texts are kept. What comes later has the text of its kind.
const TEXTS_MAX: usize = 10_000;
/// How many characters of a text are kept, and of a name.
const TEXT_LONGEST: usize = 120;
const NAME_LONGEST: usize = 32;

/// What happened, and what it is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    pub(super) all: Vec<Record>,
    /// In the order in which they were first told of, until [`Records::put_in_order`].
    pub(super) nodes: Vec<NodeRow>,
    pub(super) blocks: Vec<BlockRow>,
    pub(super) texts: Vec<String>,
    numbers: Numbers,
    /// Messages, by their places, about blocks that were not told of before them: others may tell of them yet.
    about_unknown: Vec<(usize, BlockHash)>,
}

/// The places of what is in the tables.
#[derive(Debug, Clone, Default)]
struct Numbers {
    nodes: BTreeMap<NodeId, u32>,
    blocks: BTreeMap<BlockHash, u32>,
    texts: BTreeMap<String, u32>,
}

#[derive(Debug, Clone)]
pub(super) struct NodeRow {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) region: Option<String>,
    /// Whether it is left out of the picture, as most of what happened to it is left out.
    pub(super) is_hidden: bool,
}

#[derive(Debug, Clone)]
pub(super) struct BlockRow {
    pub(super) hash: BlockHash,
    pub(super) position: u64,
    /// The block at the position before that it stands on, if that is known.
    pub(super) parent: Option<u32>,
    pub(super) miner: Option<u32>,
}

/// An event; nodes, blocks and texts by their places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// In nanoseconds since the epoch.
    pub(super) time: u64,
    pub(super) node: u32,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Joined,
    Mined { block: u32 },
    Accepted { block: u32, from: u32 },
    Reorganised { abandoned: u64, adopted: u64 },
    Message { from: u32, sent: u64, kind: u8, lost: u8, block: Option<u32>, transactions: u32 },
    Crashed,
    Restarted,
    Paused,
    Resumed,
    Partitioned { group: u32 },
    Healed,
    Panicked { text: u32 },
    Other { text: u32 },
}

impl Records {
    pub(super) fn observe(&mut self, event: &Event) {
        let node = self.node(event.node);
        let what = match &event.what {
            Happening::Joined { name } => {
                self.nodes[node as usize].name = cut(name, NAME_LONGEST);
                What::Joined
            }
            Happening::Mined { block, position, parent } => {
                let parent = self.block(*parent, position.saturating_sub(1));
                let block = self.block(*block, *position);
                let stands_on = self.blocks[parent as usize].position.checked_add(1);
                let row = &mut self.blocks[block as usize];
                if stands_on == Some(row.position) {
                    row.parent = Some(parent);
                }
                row.miner.get_or_insert(node);
                What::Mined { block }
            }
            Happening::Accepted { block, position, from } => {
                What::Accepted { block: self.block(*block, *position), from: self.node(*from) }
            }
            Happening::Reorganised { abandoned, adopted, .. } => {
                What::Reorganised { abandoned: *abandoned, adopted: *adopted }
            }
            Happening::Message(passage) => {
                let block = passage.block.and_then(|block| {
                    let known = self.numbers.blocks.get(&block).copied();
                    if known.is_none() {
                        self.about_unknown.push((self.all.len(), block));
                    }
                    known
                });
                What::Message {
                    from: self.node(passage.from),
                    sent: passage.sent.as_nanos(),
                    kind: passage.kind as u8,
                    lost: passage.lost.map_or(0, |cause| cause as u8 + 1),
                    block,
                    transactions: passage.transactions.len() as u32,
                }
            }
            Happening::Crashed => What::Crashed,
            Happening::Restarted => What::Restarted,
            Happening::Paused => What::Paused,
            Happening::Resumed => What::Resumed,
            Happening::Partitioned { group } => What::Partitioned { group: *group },
            Happening::Healed => What::Healed,
            what @ Happening::Panicked { .. } => What::Panicked { text: self.text(what) },
            what => What::Other { text: self.text(what) },
        };
        self.all.push(Record { time: event.time.as_nanos(), node, what });
    }

    /// Orders events by their time, those of one moment as they came; nodes by their numbers, and blocks by when they
    /// are first told of, so that as many as there are at a moment come first.
    pub(super) fn put_in_order(&mut self) {
        // A block that no node has is not drawn.
        for (place, hash) in std::mem::take(&mut self.about_unknown) {
            if let What::Message { block, .. } = &mut self.all[place].what {
                *block = self.numbers.blocks.get(&hash).copied();
            }
        }
        self.all.sort_by_key(|record| record.time);
        let mut by_number: Vec<_> = (0..self.nodes.len()).collect();
        by_number.sort_by_key(|place| self.nodes[*place].id);
        let nodes = places(&by_number);
        let mut first_told = Vec::with_capacity(self.blocks.len());
        let mut is_told = vec![false; self.blocks.len()];
        let mut tell = |block: u32| {
            if !std::mem::replace(&mut is_told[block as usize], true) {
                first_told.push(block as usize);
            }
        };
        for record in &self.all {
            let Some(block) = record.what.block() else { continue };
            self.blocks[block as usize].parent.into_iter().for_each(&mut tell);
            tell(block);
        }
        // What stands before a block that is at an impossible position is told of by nothing else.
        (0..self.blocks.len() as u32).for_each(&mut tell);
        let blocks = places(&first_told);
        self.nodes = by_number.iter().map(|place| self.nodes[*place].clone()).collect();
        self.blocks = first_told.iter().map(|place| self.blocks[*place].clone()).collect();
        for row in &mut self.blocks {
            row.parent = row.parent.map(|parent| blocks[parent as usize]);
            row.miner = row.miner.map(|miner| nodes[miner as usize]);
        }
        for record in &mut self.all {
            record.node = nodes[record.node as usize];
            record.what.renumber(&nodes, &blocks);
        }
        self.numbers.nodes.values_mut().for_each(|node| *node = nodes[*node as usize]);
        self.numbers.blocks.values_mut().for_each(|block| *block = blocks[*block as usize]);
    }

    pub(super) fn node(&mut self, id: NodeId) -> u32 {
        let next = self.nodes.len() as u32;
        match self.numbers.nodes.entry(id) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.nodes.push(NodeRow { id, name: id.to_string(), region: None, is_hidden: false });
                next
            }
        }
    }

    /// Tells whether the messages are traced that bring blocks.
    pub(super) fn are_blocks_traced(&self) -> bool {
        self.all.iter().any(|record| matches!(record.what, What::Message { block: Some(_), .. }))
    }

    /// The place of a node that something has happened to.
    pub(super) fn known_node(&self, id: NodeId) -> Option<u32> {
        self.numbers.nodes.get(&id).copied()
    }

    fn block(&mut self, hash: BlockHash, position: u64) -> u32 {
        let next = self.blocks.len() as u32;
        match self.numbers.blocks.entry(hash) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                entry.insert(next);
                self.blocks.push(BlockRow { hash, position, parent: None, miner: None });
                next
            }
        }
    }

    fn text(&mut self, what: &Happening) -> u32 {
        let mut text = cut(&what.to_string(), TEXT_LONGEST);
        if self.texts.len() >= TEXTS_MAX && !self.numbers.texts.contains_key(&text) {
            text = kind(what).into();
        }
        let next = self.texts.len() as u32;
        *self.numbers.texts.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            next
        })
    }
}

impl What {
    /// The block that it tells of, which is there from then on.
    pub(super) fn block(self) -> Option<u32> {
        match self {
            Self::Mined { block } | Self::Accepted { block, .. } => Some(block),
            Self::Message { block, .. } => block,
            _ => None,
        }
    }

    fn renumber(&mut self, nodes: &[u32], blocks: &[u32]) {
        match self {
            Self::Mined { block } => *block = blocks[*block as usize],
            Self::Accepted { block, from } => {
                (*block, *from) = (blocks[*block as usize], nodes[*from as usize]);
            }
            Self::Message { from, block, .. } => {
                *from = nodes[*from as usize];
                *block = block.map(|block| blocks[block as usize]);
            }
            _ => {}
        }
    }
}

/// Where each comes in an order.
fn places(order: &[usize]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, which) in (0..).zip(order) {
        places[*which] = place;
    }
    places
}

/// What happened, without what it is about.
fn kind(what: &Happening) -> &'static str {
    match what {
        Happening::MiningEnded { .. } => "ended mining",
        Happening::Resolved { .. } => "asked its peers",
        Happening::Rejected { .. } => "rejected a block",
        Happening::RejectedDocument { .. } => "rejected a document",
        Happening::Ignored { .. } => "ignored a message",
        Happening::Waits { .. } => "keeps a block until its time",
        Happening::Banned { .. } => "no longer listens to a peer",
        Happening::Dropped { .. } => "dropped a message",
        Happening::Panicked { .. } => "panicked",
        Happening::Lost { .. } => "lost a transaction",
        _ => "something else",
    }
}

/// The names of messages and causes, by the numbers that records give them.
pub(super) fn message_names() -> Vec<String> {
    const ALL: [MessageName; 13] = [
        MessageName::ChainRequest,
        MessageName::Chain,
        MessageName::NewBlock,
        MessageName::Announce,
        MessageName::CompactBlock,
        MessageName::BlocksRequest,
        MessageName::Blocks,
        MessageName::Acknowledge,
        MessageName::Inventory,
        MessageName::TransactionsRequest,
        MessageName::Transactions,
        MessageName::AcknowledgeInventory,
        MessageName::InventoryRequest,
    ];
    ALL.iter().map(ToString::to_string).collect()
}

pub(super) fn loss_causes() -> Vec<String> {
    const ALL: [LossCause; 6] = [
        LossCause::Link,
        LossCause::Judge,
        LossCause::Partition,
        LossCause::Crash,
        LossCause::Full,
        LossCause::Down,
    ];
    ALL.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::iter::successors;

    use super::*;

    /// A variant that is new has to be named here, and so in the page's list. A page's byte has room for 16 of each.
    #[test]
    fn every_message_and_every_cause_has_its_name_at_its_place() {
        let next = |name: &MessageName| match name {
            MessageName::ChainRequest => Some(MessageName::Chain),
            MessageName::Chain => Some(MessageName::NewBlock),
            MessageName::NewBlock => Some(MessageName::Announce),
            MessageName::Announce => Some(MessageName::CompactBlock),
            MessageName::CompactBlock => Some(MessageName::BlocksRequest),
            MessageName::BlocksRequest => Some(MessageName::Blocks),
            MessageName::Blocks => Some(MessageName::Acknowledge),
            MessageName::Acknowledge => Some(MessageName::Inventory),
            MessageName::Inventory => Some(MessageName::TransactionsRequest),
            MessageName::TransactionsRequest => Some(MessageName::Transactions),
            MessageName::Transactions => Some(MessageName::AcknowledgeInventory),
            MessageName::AcknowledgeInventory => Some(MessageName::InventoryRequest),
            MessageName::InventoryRequest => None,
        };
        let names: Vec<_> = successors(Some(MessageName::ChainRequest), next).collect();
        assert!(names.iter().enumerate().all(|(place, name)| *name as usize == place) && names.len() <= 16);
        assert_eq!(message_names(), names.iter().map(ToString::to_string).collect::<Vec<_>>());

        let next = |cause: &LossCause| match cause {
            LossCause::Link => Some(LossCause::Judge),
            LossCause::Judge => Some(LossCause::Partition),
            LossCause::Partition => Some(LossCause::Crash),
            LossCause::Crash => Some(LossCause::Full),
            LossCause::Full => Some(LossCause::Down),
            LossCause::Down => None,
        };
        let causes: Vec<_> = successors(Some(LossCause::Link), next).collect();
        // None is a cause as well.
        assert!(
            causes.iter().enumerate().all(|(place, cause)| *cause as usize == place) && causes.len() < 16
        );
        assert_eq!(loss_causes(), causes.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
}
