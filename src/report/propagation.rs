//! Who has which block, and since when.

use std::{cmp::Ordering, collections::VecDeque};

use super::{
    bins::Bins,
    classes::Classes,
    figures::Propagation,
    pattern::{Pattern, half_of, nine_tenths_of},
    ranked::Ranked,
    spread::{Durations, nanos_of},
    tally::Sum,
};
use crate::{hash::BlockHash, lookup::Lookup, time::Time};

/// How many blocks are followed that some node lacks.
const FOLLOWED_MAX: usize = 4096;

/// Follows blocks, by their numbers in the order in which they were mined, until every node has them. Nodes are told
/// apart by their places.
///
/// A block's ancestors always have smaller numbers: what is let go is the oldest, and who has a block has all before it.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    /// The oldest first.
    blocks: VecDeque<Block>,
    /// The one that was mined last, unless it has gone: mostly it goes before there is another.
    youngest: Option<(BlockHash, u64)>,
    /// The numbers of all others.
    numbers: Lookup<BlockHash, u64>,
    /// One that is followed no longer, mostly the one that went last: the next block stands on it.
    gone: Option<BlockHash>,
    /// The block that was last asked for: one after the other, all nodes take on the same.
    last: Option<(BlockHash, u64)>,
    next_number: u64,
    /// The bits of a block that every node has, for the next.
    spare_bits: Vec<u64>,
    pairs: u64,
    to_each: Passages,
    to_half: Passages,
    to_90_percent: Passages,
    to_all: Passages,
}

/// How long blocks took: all of them, and, if they are kept, those since these were last taken out.
#[derive(Debug, Clone)]
struct Passages {
    all: Durations,
    recent: Option<Bins>,
}

impl Passages {
    fn new() -> Self {
        Self { all: Durations::default(), recent: None }
    }

    #[inline]
    fn record(&mut self, nanos: u64) {
        self.all.record(nanos);
        if let Some(recent) = &mut self.recent {
            recent.record(nanos);
        }
    }
}

/// A block, and the nodes that have it.
#[derive(Debug, Clone)]
struct Block {
    number: u64,
    hash: BlockHash,
    /// Whether it may have been mined before.
    may_be_repeat: bool,
    /// The number of the block before it, if that was followed.
    parent: Option<u64>,
    /// When it was mined.
    time: Time,
    /// One bit for each node that had joined by then.
    bits: Vec<u64>,
    nodes: usize,
    /// How many of them have it.
    count: usize,
    half: usize,
    nine_tenths: usize,
}

/// A block that a node has just got.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// Whether all nodes have it now.
    by_all: bool,
    /// How long it took to come.
    nanos: u64,
    /// The number of the block before it, if that was followed.
    parent: Option<u64>,
}

impl Block {
    /// Notes that a node has the block; tells whether that is news, and of a node that counts.
    #[inline]
    fn insert(&mut self, place: usize) -> bool {
        let is_new = self.is_lacked_by(place);
        if is_new {
            self.bits[place / 64] |= 1 << (place % 64);
            self.count += 1;
        }
        is_new
    }

    /// Tells whether a node that counts has yet to get the block.
    #[inline]
    fn is_lacked_by(&self, place: usize) -> bool {
        place < self.nodes && self.bits[place / 64] & 1 << (place % 64) == 0
    }
}

impl Followed {
    pub(super) fn new() -> Self {
        let [to_each, to_half, to_90_percent, to_all] = [(); 4].map(|()| Passages::new());
        Self {
            blocks: VecDeque::new(),
            youngest: None,
            numbers: Lookup::default(),
            gone: None,
            last: None,
            next_number: 0,
            spare_bits: Vec::new(),
            pairs: 0,
            to_each,
            to_half,
            to_90_percent,
            to_all,
        }
    }

    /// Begins to follow a block that one of so many nodes has mined; that one has all before it, too. `may_be_repeat` tells
    /// whether it may have been mined before.
    pub(super) fn mined(
        &mut self,
        time: Time,
        (miner, nodes): (usize, usize),
        (hash, parent): (BlockHash, BlockHash),
        may_be_repeat: bool,
    ) {
        let number = self.next_number;
        self.next_number += 1;
        self.gone.take_if(|gone| *gone == hash);
        let parent = if self.gone == Some(parent) { None } else { self.number_of(&parent) };
        let mut bits = std::mem::take(&mut self.spare_bits);
        bits.clear();
        bits.resize(nodes.div_ceil(64), 0);
        let (half, nine_tenths) = (half_of(nodes), nine_tenths_of(nodes));
        if let Some((before, number)) = self.youngest.replace((hash, number)) {
            self.numbers.insert(before, number);
        }
        let count = 0;
        self.blocks.push_back(Block {
            number,
            hash,
            may_be_repeat,
            parent,
            time,
            bits,
            nodes,
            count,
            half,
            nine_tenths,
        });
        self.last = Some((hash, number));
        self.pairs += nodes as u64 - 1;
        let youngest = self.blocks.len() - 1;
        if self.hold(youngest, miner, time).is_some_and(|held| held.by_all) {
            self.let_go(youngest);
        }
        if self.blocks.len() > FOLLOWED_MAX {
            self.let_go(0);
        }
        if let Some(parent) = parent {
            self.take_on(time, miner, parent);
        }
    }

    /// Notes that a node has taken on a block, and so has all before it.
    #[inline(always)]
    pub(super) fn accepted(&mut self, time: Time, place: usize, hash: &BlockHash) {
        let number = match self.last {
            Some((last, number)) if last == *hash => number,
            _ => {
                let Some(number) = self.number_of(hash) else { return };
                self.last = Some((*hash, number));
                number
            }
        };
        self.take_on(time, place, number);
    }

    #[inline(always)]
    fn take_on(&mut self, time: Time, place: usize, number: u64) {
        let mut next = self.find(number);
        let (mut by_all, mut last) = (0, 0);
        while let Some(at) = next
            && let Some(held) = self.hold(at, place, time)
        {
            if held.by_all {
                (by_all, last) = (by_all + 1, at);
            }
            self.to_each.record(held.nanos);
            next = held.parent.and_then(|parent| self.find(parent));
        }
        match by_all {
            0 => {}
            1 => self.let_go(last),
            _ => self.let_go_of_all_held(last),
        }
    }

    fn number_of(&self, hash: &BlockHash) -> Option<u64> {
        let youngest = self.youngest.filter(|(youngest, _)| youngest == hash);
        youngest.map(|(_, number)| number).or_else(|| self.numbers.get(hash).copied())
    }

    /// Where a block stands among those that are followed: mostly it is the last, or before the first.
    #[inline(always)]
    fn find(&self, number: u64) -> Option<usize> {
        let behind = self.blocks.back()?.number.checked_sub(number)?;
        if behind == 0 {
            return Some(self.blocks.len() - 1);
        }
        if number < self.blocks.front()?.number {
            return None;
        }
        // No two have one number, so that few stand behind one that is little less than the last.
        let end = self.blocks.len() - 1;
        let (mut from, mut to) = (end - end.min(usize::try_from(behind).unwrap_or(end)), end);
        while from < to {
            let middle = from + (to - from) / 2;
            match self.blocks[middle].number.cmp(&number) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// Notes that a node has a block from a moment on; nothing if that is no news.
    #[inline(always)]
    fn hold(&mut self, at: usize, place: usize, time: Time) -> Option<Held> {
        let block = &mut self.blocks[at];
        if !block.insert(place) {
            return None;
        }
        let &mut Block { parent, time: mined, count, nodes, half, nine_tenths, .. } = block;
        let (nanos, by_all) = (time.nanos_since(mined), count >= nodes);
        if count == half {
            self.to_half.record(nanos);
        }
        if count == nine_tenths {
            self.to_90_percent.record(nanos);
        }
        if by_all {
            self.to_all.record(nanos);
        }
        Some(Held { by_all, nanos, parent })
    }

    fn let_go(&mut self, at: usize) {
        // Mostly it is the last: to take one out from within takes longer.
        let is_last = at + 1 == self.blocks.len();
        let block = if is_last { self.blocks.pop_back() } else { self.blocks.remove(at) };
        if let Some(block) = block {
            self.forget(block);
        }
    }

    /// Lets go of all blocks from a place on that every node has, together: whoever comes from a long branch makes many such
    /// at once, and to close the gap that each leaves would take more than all else.
    #[cold]
    fn let_go_of_all_held(&mut self, first: usize) {
        for block in self.blocks.split_off(first) {
            match block.count == block.nodes {
                true => self.forget(block),
                false => self.blocks.push_back(block),
            }
        }
    }

    fn forget(&mut self, Block { hash, number, may_be_repeat, bits, .. }: Block) {
        let was_youngest = self.youngest.take_if(|(_, youngest)| *youngest == number).is_some();
        // Under its hash another may be followed: one that it was mined before as, or again. To look takes long where many are.
        let may_be_there = !was_youngest || may_be_repeat;
        let other = if may_be_there { self.numbers.get(&hash).copied() } else { None };
        if other.is_some_and(|other| other <= number) {
            self.numbers.remove(&hash);
        }
        let is_youngest = self.youngest.is_some_and(|(youngest, _)| youngest == hash);
        if !is_youngest && other.is_none_or(|other| other <= number) {
            self.gone = Some(hash);
        }
        self.spare_bits = bits;
    }

    /// Notes that all nodes have taken on the block mined last, in a pattern that is [added](Followed::add) once for all
    /// such blocks, and some of them with it, each at a time of its own, the one before it. Tells whether it is followed, no
    /// node but its miner had it, and none lacks then what is before it: if not, nothing has changed.
    pub(super) fn accepted_by_all(
        &mut self,
        hash: &BlockHash,
        pattern: &Pattern,
        with_parent: &[(Time, usize)],
    ) -> bool {
        let Some(Block { hash: last, parent, nodes, count: 1, .. }) = self.blocks.back() else {
            return false;
        };
        if last != hash || *nodes != pattern.nodes {
            return false;
        }
        if let Some(parent) = *parent {
            let Some(before) = self.find(parent).map(|at| &self.blocks[at]) else { return false };
            let news = with_parent.iter().filter(|(_, place)| before.is_lacked_by(*place)).count();
            if before.count + news < before.nodes {
                return false;
            }
            with_parent.iter().for_each(|(time, place)| self.take_on(*time, *place, parent));
        }
        self.let_go(self.blocks.len() - 1);
        true
    }

    /// Counts so many blocks that all nodes have taken on in a pattern.
    pub(super) fn add(&mut self, pattern: &Pattern, blocks: u64) {
        self.to_each.all.add(&pattern.to_each, blocks);
        for (passages, nanos) in self.added_once(pattern) {
            passages.all.record_times(nanos, blocks);
        }
    }

    /// Counts so many blocks of a pattern as recent ones.
    pub(super) fn add_recent(&mut self, pattern: &Pattern, blocks: u64) {
        if let Some(recent) = &mut self.to_each.recent {
            recent.add(&pattern.to_each_binned, blocks);
        }
        for (passages, nanos) in self.added_once(pattern) {
            if let Some(recent) = &mut passages.recent {
                recent.record_times(nanos, blocks);
            }
        }
    }

    /// What a block of a pattern adds to once, and how many nanoseconds it took.
    fn added_once(&mut self, pattern: &Pattern) -> impl Iterator<Item = (&mut Passages, u64)> {
        let to_some = [
            (&mut self.to_half, pattern.to_half),
            (&mut self.to_90_percent, pattern.to_90_percent),
            (&mut self.to_all, pattern.to_all),
        ];
        to_some.into_iter().filter_map(|(passages, elapsed)| Some((passages, nanos_of(elapsed?))))
    }

    /// Keeps from now on how long blocks took since that was last taken out.
    pub(super) fn keep_recent(&mut self) {
        self.passages_mut().into_iter().for_each(|passages| passages.recent = Some(Bins::new()));
    }

    /// Takes out how long blocks took since this was last done, by the bins of their spreads; nothing if it is not kept.
    pub(super) fn take_recent(&mut self) -> [Classes; 4] {
        self.passages_mut().map(|passages| passages.recent.as_mut().map(Bins::take).unwrap_or_default())
    }

    fn passages_mut(&mut self) -> [&mut Passages; 4] {
        [&mut self.to_each, &mut self.to_half, &mut self.to_90_percent, &mut self.to_all]
    }

    fn passages(&self) -> [&Passages; 4] {
        [&self.to_each, &self.to_half, &self.to_90_percent, &self.to_all]
    }

    /// How long all blocks took, in their order.
    pub(super) fn ranked(&self) -> [Ranked; 4] {
        self.passages().map(|passages| passages.all.ranked())
    }

    /// How long blocks took so far to come to each node, to half of the nodes, to nine tenths and to all.
    pub(super) fn sums(&self) -> [Sum; 4] {
        self.passages().map(|passages| passages.all.sum())
    }

    pub(super) fn figures(&self) -> Propagation {
        Propagation {
            pairs: self.pairs,
            to_each: self.to_each.all.spread(),
            to_half: self.to_half.all.spread(),
            to_90_percent: self.to_90_percent.all.spread(),
            to_all: self.to_all.all.spread(),
        }
    }
}

#[cfg(test)]
mod tests;
