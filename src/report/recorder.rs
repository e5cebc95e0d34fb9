//! The recorder: events in, a report out.

use std::{collections::BTreeMap, io::BufRead, sync::Arc};

use super::{
    figures::{Messages, NodeReport, Report},
    propagation::Followed,
};
use crate::{
    blockchain::Blockchain,
    event::{Event, EventReader, Happening, IgnoreReason, ReadEventError},
    hash::BlockHash,
    mempool::LossReason,
    message::NodeId,
    time::Time,
};

/// Observes the events of a run and reports on it.
///
/// A node's events must come in order, and a block's mining before others accept it. It keeps some hundred bytes for
/// each mined block and each node, one bit for each node and each of at most 4096 blocks that some node lacks, and
/// counts.
#[derive(Debug, Clone)]
pub struct Recorder {
    start: Time,
    last_time: Time,
    nodes: BTreeMap<NodeId, Observed>,
    /// In the order in which they were mined.
    blocks: Vec<MinedBlock>,
    by_hash: BTreeMap<BlockHash, usize>,
    followed: Followed,
    reorganisations: BTreeMap<u64, u64>,
    rejections: BTreeMap<&'static str, u64>,
    rejected_documents: u64,
    ignored: BTreeMap<IgnoreReason, u64>,
    banned: u64,
    transactions_lost: BTreeMap<LossReason, u64>,
    crashes: u64,
    restarts: u64,
    panics: u64,
}

#[derive(Debug, Clone)]
struct Observed {
    name: Arc<str>,
    /// The number of nodes that joined before it.
    place: usize,
}

#[derive(Debug, Clone)]
struct MinedBlock {
    hash: BlockHash,
    position: u64,
    miner: NodeId,
    time: Time,
    /// The number of the block before it, if that was mined under our eyes.
    parent: Option<usize>,
}

impl Recorder {
    /// Makes a recorder of a run that starts at a moment.
    pub fn new(start: Time) -> Self {
        Self {
            start,
            last_time: start,
            nodes: BTreeMap::new(),
            blocks: Vec::new(),
            by_hash: BTreeMap::new(),
            followed: Followed::new(),
            reorganisations: BTreeMap::new(),
            rejections: BTreeMap::new(),
            rejected_documents: 0,
            ignored: BTreeMap::new(),
            banned: 0,
            transactions_lost: BTreeMap::new(),
            crashes: 0,
            restarts: 0,
            panics: 0,
        }
    }

    /// Adds a node, which counts for the propagation of the blocks mined from now on; or gives one that is there
    /// another name.
    ///
    /// A node that was not added is at its first event, by its number.
    pub fn add_node(&mut self, node: NodeId, name: impl Into<Arc<str>>) {
        let (name, place) = (name.into(), self.nodes.len());
        let observed = self.nodes.entry(node).or_insert_with(|| Observed { name: Arc::clone(&name), place });
        observed.name = name;
    }

    /// Reads the lines that an [`EventWriter`](crate::EventWriter) has written, as a recorder that observed the events.
    ///
    /// # Errors
    ///
    /// The first line that cannot be read, and why.
    pub fn read(lines: impl BufRead) -> Result<Self, ReadEventError> {
        let mut events = EventReader::new(lines)?;
        let mut recorder = Self::new(events.start());
        events.try_for_each(|event| event.map(|event| recorder.observe(&event)))?;
        Ok(recorder)
    }

    /// Returns the latest time of an event; the start if there was none.
    pub fn last_time(&self) -> Time {
        self.last_time
    }

    /// Takes an event into account, in O(log n), and for a node that catches up O(the blocks) more.
    pub fn observe(&mut self, event: &Event) {
        let Event { time, node, ref what } = *event;
        self.last_time = self.last_time.max(time);
        if !self.nodes.contains_key(&node) {
            self.add_node(node, node.to_string());
        }
        match what {
            Happening::Joined { name } => self.add_node(node, Arc::clone(name)),
            Happening::Mined { block, position, parent } => {
                self.mined(time, node, *block, *position, *parent)
            }
            Happening::Accepted { block, .. } => {
                if let Some(&block) = self.by_hash.get(block) {
                    self.accepted(time, node, block);
                }
            }
            Happening::Reorganised { abandoned, .. } => count(&mut self.reorganisations, *abandoned),
            Happening::Rejected { invalid, .. } => count(&mut self.rejections, invalid.violation.name()),
            Happening::RejectedDocument { .. } => self.rejected_documents += 1,
            Happening::Ignored { reason, .. } => count(&mut self.ignored, *reason),
            Happening::Banned { .. } => self.banned += 1,
            Happening::Lost { reason, .. } => count(&mut self.transactions_lost, *reason),
            Happening::Crashed => self.crashes += 1,
            Happening::Restarted => self.restarts += 1,
            Happening::Panicked { .. } => self.panics += 1,
            // Drivers count messages themselves, and nothing that is reported depends on the others.
            Happening::Dropped { .. }
            | Happening::MiningEnded { .. }
            | Happening::Resolved { .. }
            | Happening::Waits { .. }
            | Happening::Paused
            | Happening::Resumed => {}
        }
    }

    fn mined(&mut self, time: Time, miner: NodeId, hash: BlockHash, position: u64, parent: BlockHash) {
        if let Some(&known) = self.by_hash.get(&hash) {
            // Mined again, as after a restart by a clock that stands still: its second miner merely has it from now on.
            return self.accepted(time, miner, known);
        }
        let block = self.blocks.len();
        let parent = self.by_hash.get(&parent).copied();
        self.blocks.push(MinedBlock { hash, position, miner, time, parent });
        self.by_hash.insert(hash, block);
        self.followed.mined(block, self.nodes[&miner].place, self.nodes.len());
        if let Some(parent) = parent {
            self.accepted(time, miner, parent);
        }
    }

    /// Notes that a node has a block and all before it.
    fn accepted(&mut self, time: Time, node: NodeId, block: usize) {
        let place = self.nodes[&node].place;
        let mut next = Some(block);
        while let Some(block) = next {
            let mined = &self.blocks[block];
            if !self.followed.accepted(block, place, time - mined.time) {
                break;
            }
            next = mined.parent;
        }
    }

    /// Reports on the run from its start until a moment.
    ///
    /// `best` is the best of the nodes' chains, `attempts` what each node has tried, and `messages` what became of those.
    /// Ask for the chains only after the last event was observed: a block that was mined in between would be in no chain
    /// and count as stale. It costs O(n log n) for n mined blocks.
    pub fn report(
        &self,
        now: Time,
        best: &Blockchain,
        attempts: impl Fn(NodeId) -> u64,
        messages: Messages,
    ) -> Report {
        let mut mined_and_in_chain = vec![(0, 0); self.nodes.len()];
        for block in &self.blocks {
            let (mined, in_chain) = &mut mined_and_in_chain[self.nodes[&block.miner].place];
            *mined += 1;
            *in_chain += u64::from(best.holds(block.hash, block.position));
        }
        let (mined, in_chain) = (self.blocks.len() as u64, mined_and_in_chain.iter().map(|(_, n)| n).sum());
        let attempts: Vec<_> = self.nodes.keys().map(|&node| attempts(node)).collect();
        // In floating point, as each is a count of its own that may be as large as it likes.
        let all_attempts: f64 = attempts.iter().map(|&attempts| attempts as f64).sum();
        let nodes = self.nodes.iter().zip(attempts).map(|((&node, observed), attempts)| {
            let (mined, own) = mined_and_in_chain[observed.place];
            NodeReport {
                node,
                name: Arc::clone(&observed.name),
                mined,
                in_chain: own,
                chain_share: share(own as f64, in_chain as f64),
                attempts,
                attempts_share: share(attempts as f64, all_attempts),
            }
        });
        Report {
            duration: now - self.start,
            nodes: nodes.collect(),
            mined,
            in_chain,
            stale: mined - in_chain,
            stale_rate: share((mined - in_chain) as f64, mined as f64),
            reorganisations: self.reorganisations.clone(),
            rejections: self.rejections.clone(),
            rejected_documents: self.rejected_documents,
            ignored: self.ignored.clone(),
            banned: self.banned,
            transactions_lost: self.transactions_lost.clone(),
            crashes: self.crashes,
            restarts: self.restarts,
            panics: self.panics,
            propagation: self.followed.figures(),
            messages,
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
