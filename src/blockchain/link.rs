//! A link of a chain: a block, what follows from all blocks up to it, and the way back.
//!
//! Besides its parent each link points to one ancestor farther back, by Myers's skew-binary scheme ("An applicative
//! random-access stack", Information Processing Letters 17, 1983): appending stays O(1), and any ancestor is
//! O(log n) away. Where a jump leads depends on the position alone, so that two chains jump in step.
//!
//! A chain may have [let go](super::final_part) of blocks: then there is a gap after its first link, and the next one
//! that is there has the first for its parent. Chains with other gaps do not jump in step.

use std::{
    cell::Cell,
    cmp::Reverse,
    iter::successors,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    accounts::Accounts,
    block::Block,
    hash::BlockHash,
    pow::{Target, Work},
    rules::{Fingerprint, MEDIAN_OF},
};

/// Of the bits of a link's number, so many count the links of one thread; those above are the thread's.
const COUNT_BITS: u32 = 40;

thread_local! {
    /// The number of the next link that this thread makes.
    static NEXT_NUMBER: Cell<u64> = {
        static THREADS: AtomicU64 = AtomicU64::new(0);
        Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) << COUNT_BITS)
    };
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) block: Block,
    pub(super) hash: BlockHash,
    /// The bytes of the canonical JSON of all blocks up to here.
    pub(super) size: u64,
    /// Where the block stands, counted from 1; its own `index` may say otherwise.
    pub(super) position: u64,
    /// The block's timestamp in whole microseconds, rounded.
    pub(super) micros: u64,
    /// The median of the last timestamps up to here.
    pub(super) median_micros: u64,
    /// The target that the block was held to.
    pub(super) target: Target,
    /// The expected hashes of the chain up to here.
    pub(super) work: Work,
    /// The accounts after the block.
    pub(super) accounts: Accounts,
    /// The rules that this link and all before it were verified under.
    pub(super) fingerprint: Fingerprint,
    /// Tells links with the same block apart: of those that one thread made, the first has the lowest.
    pub(super) number: u64,
    parent: Option<Arc<Link>>,
    /// An ancestor; the first link has none and stands for its own. It comes after `parent`, as fields are dropped in their
    /// order: while it holds the link that it leads to, dropping the parent frees only what lies between, so that freeing n
    /// links nests O(log n) calls.
    jump: Option<Arc<Link>>,
}

/// What is derived from the chain up to a new link.
pub(super) struct Derived {
    pub(super) target: Target,
    pub(super) work: Work,
    pub(super) accounts: Accounts,
    pub(super) fingerprint: Fingerprint,
}

impl Link {
    pub(super) fn new(block: Block, derived: Derived, parent: Option<Arc<Link>>) -> Arc<Self> {
        let (hash, size) = block.hash_and_size();
        let Derived { target, work, accounts, fingerprint } = derived;
        let micros = block.timestamp().rounded_micros();
        Arc::new(Self {
            micros,
            median_micros: median(micros, parent.as_ref()),
            hash,
            size: parent.as_ref().map_or(0, |parent| parent.size) + size as u64,
            position: parent.as_ref().map_or(1, |parent| parent.position + 1),
            jump: parent.as_ref().map(|parent| Arc::clone(jump_of_child(parent))),
            block,
            target,
            work,
            accounts,
            fingerprint,
            number: NEXT_NUMBER.with(|next| next.replace(next.get().wrapping_add(1))),
            parent,
        })
    }

    /// Makes a copy of the link that stands on another copy of its parent, or after the gap behind which that stands.
    pub(super) fn copied_on(&self, parent: &Arc<Link>) -> Arc<Self> {
        Arc::new(Self {
            block: self.block.clone(),
            accounts: self.accounts.clone(),
            jump: Some(Arc::clone(jump_of_child(parent))),
            parent: Some(Arc::clone(parent)),
            ..*self
        })
    }

    /// The link before; after a gap, the one before the gap.
    pub(super) fn parent(&self) -> Option<&Arc<Link>> {
        self.parent.as_ref()
    }

    /// The link of the block before, unless that was let go.
    #[inline]
    pub(super) fn previous(&self) -> Option<&Arc<Link>> {
        self.parent.as_ref().filter(|parent| parent.position + 1 == self.position)
    }
}

/// The median of the last 11 timestamps, the last of which comes after a link's.
fn median(last: u64, parent: Option<&Arc<Link>>) -> u64 {
    let before = successors(parent, |link| link.previous()).map(|link| link.micros);
    // The last first: mostly each is later than those after it.
    let (mut micros, mut count, mut are_in_order) = ([last; MEDIAN_OF], 1, true);
    for next in before.take(MEDIAN_OF - 1) {
        are_in_order &= next <= micros[count - 1];
        micros[count] = next;
        count += 1;
    }
    if !are_in_order {
        micros[..count].sort_unstable_by_key(|micros| Reverse(*micros));
    }
    micros[(count - 1) / 2]
}

/// Where a link's jump leads; the first link's to itself.
fn jump(link: &Arc<Link>) -> &Arc<Link> {
    link.jump.as_ref().unwrap_or(link)
}

/// Where the jump of a new child leads: twice as far where two jumps of one length lie behind, else to the parent.
fn jump_of_child(parent: &Arc<Link>) -> &Arc<Link> {
    let near = jump(parent);
    let far = jump(near);
    if parent.position - near.position == near.position - far.position { far } else { parent }
}

/// Finds the link at a position, in O(log n); none where there is no block, or it was let go.
pub(super) fn ancestor(link: &Arc<Link>, position: u64) -> Option<&Arc<Link>> {
    if position == 0 || position > link.position {
        return None;
    }
    Some(last_until(link, position)).filter(|link| link.position == position)
}

/// Finds the last link until a position after 0, in O(log n): in a gap, the one before it.
fn last_until(mut link: &Arc<Link>, position: u64) -> &Arc<Link> {
    while link.position > position {
        let far = jump(link);
        link = if far.position >= position {
            far
        } else {
            link.parent().expect("a link after the first has a parent")
        };
    }
    link
}

/// Finds the positions of a chain, from one on, whose blocks were let go, in O(log n).
pub(super) fn gap(tip: &Arc<Link>, from: u64) -> Range<u64> {
    if from > 1 && (from > tip.position || ancestor(tip, from).is_some()) {
        // There is one gap at most, and it lies behind.
        return from..from;
    }
    let end = first_that(tip, |link| link.position > 1).map_or(2, |link| link.position);
    from.max(2)..end.max(from)
}

/// Finds the first link of a chain that meets a condition, in O(log n); the condition must hold for all links after one
/// that meets it.
pub(super) fn first_that(mut link: &Arc<Link>, is_met: impl Fn(&Link) -> bool) -> Option<&Arc<Link>> {
    if !is_met(link) {
        return None;
    }
    while let Some(parent) = link.parent() {
        let far = jump(link);
        link = if is_met(far) {
            far
        } else if is_met(parent) {
            parent
        } else {
            break;
        };
    }
    Some(link)
}

/// Finds the last link at which two chains hold the same block, in O(log n); the first chain's.
pub(super) fn common_ancestor<'a>(one: &'a Arc<Link>, other: &'a Arc<Link>) -> Option<&'a Arc<Link>> {
    let (mut one, mut other) = level(one, other);
    while one.hash != other.hash {
        let parents = level(one.parent()?, other.parent()?);
        // Chains with other gaps do not jump in step: mostly, both can make the nearer of the two jumps.
        let far = jump(one).position.max(jump(other).position);
        let jumps = (last_until(one, far), last_until(other, far));
        // A jump to the same block may lead past the last common one, and so may one into a gap.
        let are_apart = jumps.0.position == jumps.1.position && jumps.0.hash != jumps.1.hash;
        (one, other) = if are_apart { jumps } else { parents };
    }
    Some(one)
}

/// Finds the last links at one position of two chains; each has a first one.
fn level<'a>(mut one: &'a Arc<Link>, mut other: &'a Arc<Link>) -> (&'a Arc<Link>, &'a Arc<Link>) {
    while one.position != other.position {
        let position = one.position.min(other.position);
        (one, other) = (last_until(one, position), last_until(other, position));
    }
    (one, other)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, thread};

    use super::*;
    use crate::{PreviousHash, Rules, Timestamp};

    const LENGTH: u64 = 1 << 12;

    /// The last of so many links.
    fn tip() -> Arc<Link> {
        let rules = Rules::notebook();
        let link = |parent: Option<Arc<Link>>| {
            let derived = Derived {
                target: rules.difficulty.first_target(),
                work: Work::ZERO,
                accounts: Accounts::default(),
                fingerprint: rules.fingerprint(),
            };
            let block = Block::new(1, Timestamp::integer(0), [], 100, PreviousHash::NumberOne);
            Link::new(block, derived, parent)
        };
        (1..LENGTH).fold(link(None), |parent, _| link(Some(parent)))
    }

    /// Beside the two counts of those who hold it; of what takes a little more, some allocators make it 320.
    #[test]
    fn a_link_takes_no_more_than_256_bytes() {
        assert!(size_of::<Link>() + 2 * size_of::<usize>() <= 256);
    }

    /// A stack of 16 bytes a link would not do for a call each.
    #[test]
    fn freeing_a_chain_nests_few_calls() {
        let small = thread::Builder::new().stack_size(16 * LENGTH as usize);
        let tip = tip();
        small.spawn(move || drop(tip)).expect("there is room for it").join().expect("it is freed");
    }

    /// Myers's bound is some 2 log2(n); a chain whose jumps lead to the parent takes n.
    #[test]
    fn every_ancestor_is_a_logarithm_away() {
        let tip = tip();
        for position in 1..=LENGTH {
            let (mut at, mut steps) = (&tip, 0);
            while at.position > position {
                at = if jump(at).position >= position {
                    jump(at)
                } else {
                    at.parent().expect("not the first")
                };
                steps += 1;
            }
            assert!(steps <= 2 * 12, "{steps} steps to position {position}");

            let looks = Cell::new(0);
            let first = first_that(&tip, |link| {
                looks.set(looks.get() + 1);
                link.position >= position
            });
            assert_eq!(first.map(|link| link.position), Some(position));
            let looks = looks.get();
            assert!(looks <= 4 * 12 + 1, "{looks} looks to position {position}");
        }
    }
}
