//! Iterating over a chain's blocks, both ways.

use std::{iter::FusedIterator, ops::Range, sync::Arc};

use super::{
    chain::Blockchain,
    link::{Link, ancestor, gap},
};
use crate::block::Block;

/// The blocks of a chain in order, or with `rev()` from the tip back.
#[derive(Debug, Clone)]
#[must_use = "an iterator does nothing unless it is asked"]
pub struct Blocks<'a> {
    /// The position of the next block from the front.
    front: u64,
    /// The positions from the front on whose blocks were let go.
    gap: Range<u64>,
    /// The next link from the back.
    back: Option<&'a Arc<Link>>,
    /// The next links from the front, the last of them first: links point backwards, so a stretch is walked at a time.
    stretch: Vec<&'a Link>,
}

/// How many links are walked at a time; jumping ahead costs O(log n) once for so many.
const STRETCH: u64 = 256;

impl<'a> Blocks<'a> {
    pub(super) fn new(tip: &'a Arc<Link>, after: u64) -> Self {
        let mut front = after.saturating_add(1);
        let gap = gap(tip, front);
        if gap.contains(&front) {
            front = gap.end;
        }
        Self { front, gap, back: Some(tip), stretch: Vec::new() }
    }

    fn remaining(&self) -> u64 {
        let Some(back) = self.back else { return 0 };
        let all = (back.position + 1).saturating_sub(self.front);
        let is_around_gap = self.front < self.gap.start && back.position >= self.gap.end;
        all - if is_around_gap { self.gap.end - self.gap.start } else { 0 }
    }

    /// Moves the front on by so many blocks.
    fn advance(&mut self, blocks: u64) {
        let before = self.front;
        self.front = self.front.saturating_add(blocks);
        if before < self.gap.start && self.front >= self.gap.start {
            self.front = self.front.saturating_add(self.gap.end - self.gap.start);
        }
    }

    fn walk_stretch(&mut self, back: &'a Arc<Link>) {
        let mut end = back.position.min(self.front.saturating_add(STRETCH - 1));
        if self.gap.contains(&end) {
            end = self.gap.start - 1;
        }
        let mut link = ancestor(back, end);
        while let Some(next) = link.filter(|link| link.position >= self.front) {
            self.stretch.push(next);
            link = next.parent();
        }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a Block;

    fn next(&mut self) -> Option<&'a Block> {
        let back = self.back.filter(|back| back.position >= self.front)?;
        if self.stretch.is_empty() {
            self.walk_stretch(back);
        }
        self.advance(1);
        self.stretch.pop().map(|link| &link.block)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = usize::try_from(self.remaining()).ok();
        (remaining.unwrap_or(usize::MAX), remaining)
    }

    fn nth(&mut self, n: usize) -> Option<&'a Block> {
        // `skip` comes here: it must not walk what it skips.
        if n >= self.stretch.len() {
            self.stretch.clear();
        } else {
            self.stretch.truncate(self.stretch.len() - n);
        }
        self.advance(n as u64);
        self.next()
    }
}

impl DoubleEndedIterator for Blocks<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let link = self.back.filter(|back| back.position >= self.front)?;
        self.back = link.parent();
        Some(&link.block)
    }
}

impl ExactSizeIterator for Blocks<'_> {}
impl FusedIterator for Blocks<'_> {}

impl<'a> IntoIterator for &'a Blockchain {
    type Item = &'a Block;
    type IntoIter = Blocks<'a>;

    fn into_iter(self) -> Blocks<'a> {
        self.iter()
    }
}
