//! The recorder: events in, a report out.

use std::{collections::BTreeMap, io::BufRead, sync::Arc};

use super::{
    classes::Classes,
    figures::{DoubleSpends, Messages, NodeReport, Report, share},
    mined::{MinedBlock, MinedBlocks},
    nodes::Nodes,
    pattern::Pattern,
    propagation::Followed,
    ranked::Ranked,
    tally::Tally,
    verdict::{InOrder, Verdict},
};
use crate::{
    blockchain::Blockchain,
    event::{Event, EventReader, Happening, IgnoreReason, ReadEventError},
    hash::BlockHash,
    mempool::LossReason,
    message::{MessageKind, NodeId},
    time::Time,
};

/// Observes the events of a run and reports on it.
///
/// A node's events must come in order, and a block's mining before others accept it. Its memory is some hundred bytes
/// for each node and for each mined block that is not [final](Recorder::finalise), a tenth of what the block itself takes
/// in a chain; 8 bytes for each stale block; one bit for each node and each of at most 4096 blocks that some node lacks;
/// and a megabyte for counts. So where blocks become final, it does not grow with the run but for the stale ones.
#[derive(Debug, Clone)]
#[must_use]
pub struct Recorder {
    start: Time,
    last_time: Time,
    nodes: Nodes,
    mined: u64,
    replayed: u64,
    /// What is not final; shared with the copies that reports are made of.
    blocks: Arc<MinedBlocks>,
    finals: Verdict,
    /// The last position whose blocks are final.
    final_until: u64,
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
    double_spends: DoubleSpends,
    /// What happened before is not counted.
    counted_from: Time,
    /// What each node had tried, and what had become of messages, before what is counted.
    attempts_before: Vec<u64>,
    messages_before: Messages,
}

impl Recorder {
    /// Makes a recorder of a run that starts at a moment.
    pub fn new(start: Time) -> Self {
        Self {
            start,
            last_time: start,
            nodes: Nodes::default(),
            mined: 0,
            replayed: 0,
            blocks: Arc::default(),
            finals: Verdict::new(),
            final_until: 0,
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
            double_spends: DoubleSpends::default(),
            counted_from: Time::UNIX_EPOCH,
            attempts_before: Vec::new(),
            messages_before: Messages::default(),
        }
    }

    /// Leaves out the warm-up: counts nothing that happens before a moment, by the clock of the node where it happens,
    /// and reports on the time since; but who joins has joined.
    ///
    /// Where the moment lies in the middle of a fork, its branches are cut there. A block that was mined before is
    /// neither mined, stale nor in the chain, and not followed when it is taken on later; one mined since is counted by
    /// itself, whatever it stands on; the first interval is the one between the first two that are counted. A
    /// reorganisation since then counts with all that it gave up.
    pub fn counting_from(self, moment: Time) -> Self {
        Self { start: self.start.max(moment), counted_from: moment, ..self }
    }

    /// Counts nothing of what was observed so far any longer, nor of what nodes have tried and what has become of messages
    /// until now: but who has joined has joined.
    pub(crate) fn count_from(&mut self, now: Time, attempts: Vec<u64>, messages: Messages) {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.forget_blocks();
        let last_time = self.last_time;
        *self =
            Self { nodes, last_time, attempts_before: attempts, messages_before: messages, ..Self::new(now) };
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

    /// Adds a node, which counts for the propagation of the blocks mined from now on; or gives one that is there
    /// another name.
    ///
    /// A node that was not added and did not [join](Happening::Joined) is at its first event, by its number.
    pub fn add_node(&mut self, node: NodeId, name: impl Into<Arc<str>>) {
        self.nodes.add(node, name.into());
    }

    /// Takes an event into account; traces of messages and partitions count for nothing. It costs O(log n) for n blocks
    /// that are not final, O(1) if it is the acceptance of the block that was accepted last, and for a node that
    /// catches up O(the blocks) more.
    pub fn observe(&mut self, event: &Event) {
        let Event { time, node, ref what } = *event;
        if let Happening::Accepted { block, .. } = what {
            return self.accepted(time, node, block);
        }
        if let Happening::Message(_)
        | Happening::Dropped { .. }
        | Happening::Partitioned { .. }
        | Happening::Healed = what
        {
            // Puppets have these, too, and are no nodes to report on.
            return;
        }
        if let Happening::Joined { name } = what {
            self.nodes.add(node, Arc::clone(name));
        }
        let place = self.place(node);
        if !self.counts(time) {
            return;
        }
        match what {
            Happening::Mined { block, position, parent } => {
                self.mined(time, place, *block, *position, *parent)
            }
            Happening::Reorganised { abandoned, .. } => count(&mut self.reorganisations, *abandoned),
            Happening::Rejected { invalid, .. } => count(&mut self.rejections, invalid.violation.name()),
            Happening::RejectedDocument { .. } => self.rejected_documents += 1,
            Happening::Ignored { reason, .. } => count(&mut self.ignored, *reason),
            Happening::Banned { .. } => self.banned += 1,
            Happening::DoubleSpent { won, stale, cost, .. } => self.double_spends.count(*won, *stale, *cost),
            Happening::Lost { reason, .. } => count(&mut self.transactions_lost, *reason),
            Happening::Crashed => self.crashes += 1,
            Happening::Restarted => self.restarts += 1,
            Happening::Panicked { .. } => self.panics += 1,
            // Drivers count messages themselves, and nothing that is reported depends on the others.
            Happening::Joined { .. }
            | Happening::Accepted { .. }
            | Happening::Dropped { .. }
            | Happening::MiningEnded { .. }
            | Happening::Resolved { .. }
            | Happening::Waits { .. }
            | Happening::Paused
            | Happening::Resumed
            | Happening::Partitioned { .. }
            | Happening::Healed
            | Happening::Message(_) => {}
        }
    }

    /// Takes into account that a node has accepted a block, of which a run has by far the most.
    #[inline(always)]
    pub(crate) fn accepted(&mut self, time: Time, node: NodeId, block: &BlockHash) {
        let place = self.place(node);
        if self.counts(time) {
            self.followed.accepted(time, place, block);
        }
    }

    /// Takes into account that nodes have accepted the block mined last, each at a time of its own, the first of them first:
    /// as they do of one that was replayed.
    pub(crate) fn accepted_in_turn(&mut self, block: &BlockHash, times: &[(Time, NodeId)]) {
        times.iter().for_each(|(time, node)| self.accepted(*time, *node, block));
        self.replayed += 1;
    }

    /// Takes into account that all nodes have accepted the block mined last, by a moment and in a pattern, and some of them
    /// with it, each at a time of its own, the one before it; the pattern is to be [added](Recorder::add) once for all such
    /// blocks. Tells whether it could: if not, nothing has changed, and the acceptances are to be told one by one.
    pub(crate) fn accepted_by_all(
        &mut self,
        by: Time,
        block: &BlockHash,
        pattern: &Pattern,
        with_parent: &[(Time, NodeId)],
    ) -> bool {
        let with_parent: Vec<_> = with_parent.iter().map(|(at, node)| (*at, self.place(*node))).collect();
        let is_counted = self.followed.accepted_by_all(block, pattern, &with_parent);
        if is_counted {
            self.last_time = self.last_time.max(by);
            self.replayed += 1;
        }
        is_counted
    }

    /// What the run has come to so far, with the messages so far; patterns that are still to be added are left out.
    pub(crate) fn tally(&self, messages: &Messages) -> Tally {
        let messages = messages.clone().since(&self.messages_before);
        let about = |kind| messages.kinds.get(&kind).copied().unwrap_or_default();
        let [chains, blocks, transactions] =
            [MessageKind::Chains, MessageKind::Blocks, MessageKind::Transactions].map(about);
        let DoubleSpends { tried, won, stale, cost } = self.double_spends;
        let given_up = self.reorganisations.iter().map(|(depth, count)| depth * count).sum();
        let counts = vec![
            ("reorganisations_a_block", self.reorganisations.values().sum()),
            ("blocks_given_up_a_block", given_up),
            ("messages_a_block", messages.sent),
            ("bytes_a_block", messages.kinds.values().map(|volume| volume.bytes).sum()),
            ("messages_about_chains_a_block", chains.messages),
            ("bytes_about_chains_a_block", chains.bytes),
            ("messages_about_blocks_a_block", blocks.messages),
            ("bytes_about_blocks_a_block", blocks.bytes),
            ("messages_about_transactions_a_block", transactions.messages),
            ("bytes_about_transactions_a_block", transactions.bytes),
            ("messages_delivered_a_block", messages.delivered),
            ("messages_dropped_a_block", messages.dropped),
            ("messages_missed_a_block", messages.missed),
            ("messages_lost_a_block", messages.lost.values().sum()),
            ("rejections_a_block", self.rejections.values().sum()),
            ("rejected_documents_a_block", self.rejected_documents),
            ("ignored_a_block", self.ignored.values().sum()),
            ("banned_a_block", self.banned),
            ("transactions_lost_a_block", self.transactions_lost.values().sum()),
            ("double_spends_tried_a_block", tried),
            ("double_spends_won_a_block", won),
            ("double_spends_stale_a_block", stale),
            ("double_spends_cost_a_block", cost),
        ];
        Tally { mined: self.mined, propagation: self.followed.sums(), counts }
    }

    /// Counts so many blocks that all nodes have accepted in a pattern as recent ones.
    pub(crate) fn add_recent(&mut self, pattern: &Pattern, blocks: u64) {
        self.followed.add_recent(pattern, blocks);
    }

    /// Keeps from now on how long blocks took since that was last taken out.
    pub(crate) fn keep_recent(&mut self) {
        self.followed.keep_recent();
    }

    /// Takes out how long blocks took, since this was last done, to come to each node, to half of them, to nine tenths and
    /// to all: how many lie in each bin.
    pub(crate) fn take_recent(&mut self) -> [Classes; 4] {
        self.followed.take_recent()
    }

    /// How long all blocks took to come to each node, to half of them, to nine tenths and to all, in their order, with so
    /// many more of each pattern.
    pub(crate) fn ranked<'a>(&self, more: impl Iterator<Item = (&'a Pattern, u64)>) -> [Ranked; 4] {
        let mut followed = self.followed.clone();
        more.for_each(|(pattern, blocks)| followed.add(pattern, blocks));
        followed.ranked()
    }

    /// Counts so many blocks that all nodes have accepted in a pattern.
    pub(crate) fn add(&mut self, pattern: &Pattern, blocks: u64) {
        self.followed.add(pattern, blocks);
    }

    fn mined(&mut self, time: Time, miner: usize, hash: BlockHash, position: u64, parent: BlockHash) {
        let block = MinedBlock { number: self.mined + 1, miner, time };
        if !Arc::make_mut(&mut self.blocks).insert((position, hash), block) {
            // Mined again, as after a restart by a clock that stands still: its second miner merely has it from now on.
            return self.followed.accepted(time, miner, &hash);
        }
        self.mined += 1;
        self.nodes.get_mut(miner).mined += 1;
        // What is final was forgotten. A hash tells the position, too, so that it is at no other.
        let may_be_repeat = position <= self.final_until;
        self.followed.mined(time, (miner, self.nodes.len()), (hash, parent), may_be_repeat);
    }

    #[inline]
    fn place(&mut self, node: NodeId) -> usize {
        self.nodes.place(node).unwrap_or_else(|| self.add_unknown(node))
    }

    #[cold]
    fn add_unknown(&mut self, node: NodeId) -> usize {
        self.nodes.add(node, node.to_string().into())
    }

    /// Notes an event's time; tells whether it is not before what is counted.
    #[inline]
    fn counts(&mut self, time: Time) -> bool {
        self.last_time = self.last_time.max(time);
        time >= self.counted_from
    }

    /// Decides which of the blocks at the positions of a chain are in the chain: those that it holds. Nothing of them is
    /// kept but counts.
    ///
    /// Hand over what no reorganisation will change: the best chain without its last blocks, as many as the deepest fork
    /// may have. Reports are then what they would have been. A deeper reorganisation would go unseen; a final block that is
    /// mined again is another, and one that is mined later at a final position has no interval. It costs O(log n) a block.
    pub fn finalise(&mut self, chain: &Blockchain) {
        self.final_until = self.final_until.max(chain.len());
        let (blocks, mut in_order) = (Arc::make_mut(&mut self.blocks), InOrder::new(chain));
        while let Some((place, block)) = blocks.pop_until(chain.len()) {
            self.finals.judge(place, block, &mut in_order);
        }
    }

    /// Reports on the run from its start until a moment.
    ///
    /// `best` is the best of the nodes' chains, `attempts` what each node has tried, and `messages` what became of those.
    /// Ask for the chains only after the last event was observed: a block that was mined in between would be in no chain
    /// and count as stale. So does, in the middle of a fork, each block of a branch that is not the best, until it wins.
    /// It costs O(n log n) for n mined blocks that are not final.
    pub fn report(
        &self,
        now: Time,
        best: &Blockchain,
        attempts: impl Fn(NodeId) -> u64,
        messages: Messages,
    ) -> Report {
        let (mut verdict, mut in_order) = (self.finals.clone(), InOrder::new(best));
        for (place, block) in self.blocks.iter() {
            verdict.judge(place, block, &mut in_order);
        }
        let attempts = |node: NodeId| {
            let before = self.attempts_before.get(node.index()).copied().unwrap_or(0);
            attempts(node).saturating_sub(before)
        };
        let nodes: Vec<_> = self
            .nodes
            .by_number()
            .into_iter()
            .map(|(place, observed)| (observed, verdict.in_chain(place), attempts(observed.node)))
            .collect();
        let in_chain = nodes.iter().map(|(_, in_chain, _)| in_chain).sum();
        // In floating point, as each is a count of its own that may be as large as it likes.
        let all_attempts: f64 = nodes.iter().map(|&(.., attempts)| attempts as f64).sum();
        let nodes = nodes.into_iter().map(|(observed, own, attempts)| NodeReport {
            node: observed.node,
            name: Arc::clone(&observed.name),
            mined: observed.mined,
            in_chain: own,
            chain_share: share(own as f64, in_chain as f64),
            attempts,
            attempts_share: share(attempts as f64, all_attempts),
        });
        Report {
            duration: now - self.start,
            nodes: nodes.collect(),
            mined: self.mined,
            replayed: self.replayed,
            in_chain,
            stale: self.mined - in_chain,
            stale_rate: share((self.mined - in_chain) as f64, self.mined as f64),
            block_intervals: verdict.intervals().spread(),
            stale_blocks: verdict.into_stale(),
            reorganisations: self.reorganisations.clone(),
            rejections: self.rejections.clone(),
            rejected_documents: self.rejected_documents,
            ignored: self.ignored.clone(),
            banned: self.banned,
            transactions_lost: self.transactions_lost.clone(),
            crashes: self.crashes,
            restarts: self.restarts,
            panics: self.panics,
            double_spends: self.double_spends,
            propagation: self.followed.figures(),
            messages: messages.since(&self.messages_before),
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}
