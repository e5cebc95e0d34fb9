//! Gossip: telling peers of new blocks, and asking for what is missing.
//!
//! A node looks at the blocks that a message pays for and at no others, though a pointer leads to them: a block that it
//! was not sent is unknown to it. Known is what its own chain holds, or one of a few side branches.

use super::{
    effects::{Effect, Effects},
    machine::{Node, ignore},
    memory::{Branch, Early, Orphan},
    questions::Wanted,
};
use crate::{
    block::{Block, PreviousHash},
    blockchain::{Blockchain, ChainError, InvalidBlock},
    event::{Happening, IgnoreReason},
    hash::BlockHash,
    message::{Message, NodeId, Told},
    rules::Violation,
    time::Time,
};

/// How many bytes of what waits are taken up at once, and at least one block; the rest has its turn at the wake-up: a
/// block that many wait for, or a long answer, must not make one input long.
pub(super) const PIECE_BYTES: u64 = 100_000;
/// How far behind a tip the parent of a block is looked for whose index does not lead to it.
const RECENT: usize = 32;

impl Node {
    /// A peer tells of a new block.
    pub(super) fn told_of_block(&mut self, now: Time, from: NodeId, told: Told, effects: &mut Effects) {
        match &told {
            Told::Chain(chain) => {
                if self.knows(chain) {
                    self.already_known(from, chain.tip_hash(), effects);
                    return self.share_copy(chain);
                }
                let is_verified = chain.is_verified_under(self.fingerprint);
                let block = chain.last_block();
                let verdict = match self.parent_of(chain) {
                    Some(_) if is_verified => Ok(chain.clone()),
                    Some(parent) => self.appended(&parent, [block.clone()]),
                    // What only others have verified is kept without what its pointers lead to.
                    None => {
                        let parent = chain.len() - 1;
                        let orphan = || Orphan {
                            from,
                            hash: chain.tip_hash(),
                            parent,
                            bytes: chain.size_after(parent),
                            told: if is_verified { told.clone() } else { Told::from(block.clone()) },
                            is_doubtful: false,
                        };
                        return self.parent_is_unknown(from, block, is_verified, orphan, effects);
                    }
                };
                self.judged(now, from, verdict, chain.len() - 1, effects);
            }
            Told::Blocks(blocks) => match blocks.last() {
                Some(block) => self.told_of_bare_block(now, from, block, effects),
                None => ignore(from, IgnoreReason::Unconnected, effects),
            },
            Told::Document(text) => match Block::from_json(text) {
                Ok(block) => self.told_of_bare_block(now, from, &block, effects),
                Err(error) => self.reject(from, error.into(), effects),
            },
        }
    }

    fn told_of_bare_block(&mut self, now: Time, from: NodeId, block: &Block, effects: &mut Effects) {
        if let Some(hash) = self.known_block(block) {
            return self.already_known(from, hash, effects);
        }
        match self.parent_of_bare(block) {
            Some(parent) => {
                let verdict = self.appended(&parent, [block.clone()]);
                self.judged(now, from, verdict, parent.len(), effects);
            }
            None => {
                let orphan = || {
                    let (hash, bytes) = block.hash_and_size();
                    let (parent, told) = (block.index().saturating_sub(1), Told::from(block.clone()));
                    Orphan { from, hash, parent, bytes: bytes as u64, told, is_doubtful: false }
                };
                self.parent_is_unknown(from, block, false, orphan, effects);
            }
        }
    }

    /// Returns the hash of a block if it is known. What it holds is compared, and its proof is checked, before its own
    /// hash is made: for a block without work all is written out and hashed once.
    pub(super) fn known_block(&self, block: &Block) -> Option<BlockHash> {
        self.known_chains().find_map(|chain| {
            let there = chain.at(block.index())?;
            (there.last_block() == block).then(|| there.tip_hash())
        })
    }

    /// Keeps a block whose parent is not known, until what leads to it has been asked for, unless it could stand nowhere.
    fn parent_is_unknown(
        &mut self,
        from: NodeId,
        block: &Block,
        is_verified: bool,
        orphan: impl FnOnce() -> Orphan,
        effects: &mut Effects,
    ) {
        if !self.may_stand(from, block, is_verified, effects) {
            return;
        }
        let orphan = orphan();
        let (hash, position) = (orphan.hash, orphan.parent.saturating_add(1));
        self.gossip.keep_orphan(orphan, &self.limits);
        self.wants(from, Wanted { hash, position });
    }

    /// Tells whether a block could stand somewhere, whatever its parent is; turns down one that could not.
    pub(super) fn may_stand(
        &mut self,
        from: NodeId,
        block: &Block,
        is_verified: bool,
        effects: &mut Effects,
    ) -> bool {
        let PreviousHash::Hash(_) = block.previous_hash() else {
            self.unconnected(from, Some(block), effects);
            return false;
        };
        let verdict = if is_verified { Ok(()) } else { self.rules.check_alone(block) };
        let Err(violation) = verdict else { return true };
        self.reject(from, InvalidBlock { position: block.index(), violation }.into(), effects);
        false
    }

    /// Has a block asked for that somebody told of.
    pub(super) fn wants(&mut self, from: NodeId, wanted: Wanted) {
        let is_stranger = !self.peers.contains(&from);
        self.gossip.questions.told(from, is_stranger, wanted);
    }

    /// Turns down blocks that follow none that is known. If the first of them is a genesis, they are another network's.
    pub(super) fn unconnected(&mut self, from: NodeId, first: Option<&Block>, effects: &mut Effects) {
        let named = first.map(Block::previous_hash);
        let ours = self.chain.at(1).expect("a chain has its genesis").tip_hash();
        match first.filter(|_| !matches!(named, Some(PreviousHash::Hash(_)))).map(Block::hash) {
            Some(found) if found != ours && self.rules.names_one_genesis() => {
                let violation = Violation::ForeignGenesis { expected: ours, found };
                self.reject(from, InvalidBlock { position: 1, violation }.into(), effects);
            }
            _ => ignore(from, IgnoreReason::Unconnected, effects),
        }
    }

    /// Takes a peer's copy of our chain in place of ours, if it is the one to keep.
    pub(super) fn share_copy(&mut self, copy: &Blockchain) {
        if copy.is_copy_to_keep(&self.chain) {
            self.chain = copy.clone();
        }
    }

    /// Takes note that a peer has a block that the node has too, and lets the peer know unless our own announcement of it
    /// is on its way.
    pub(super) fn already_known(&mut self, from: NodeId, block: BlockHash, effects: &mut Effects) {
        if !(self.loses_nothing(from) || block == self.chain.tip_hash() && self.gossip.confirm(from)) {
            effects.push(Effect::Send(from, Message::Acknowledge { block }));
        }
    }

    pub(super) fn known_chains(&self) -> impl Iterator<Item = &Blockchain> {
        let branches = self.gossip.side_branches.iter().map(|branch| &branch.chain);
        std::iter::once(&self.chain).chain(branches)
    }

    /// The known chain that ends with the block of a hash at a position.
    pub(super) fn known(&self, hash: BlockHash, position: u64) -> Option<Blockchain> {
        if self.chain.holds(hash, position) {
            return self.chain.at(position);
        }
        let mut branches = self.gossip.side_branches.iter();
        let holds = |branch: &&Branch| branch.len >= position && branch.chain.holds(hash, position);
        branches.find(holds)?.chain.at(position)
    }

    fn parent_of(&self, chain: &Blockchain) -> Option<Blockchain> {
        let parent = chain.parent()?;
        self.known(parent.tip_hash(), parent.len())
    }

    /// The known chain that ends with the parent of a bare block, if its index leads there or that is near a tip.
    fn parent_of_bare(&self, block: &Block) -> Option<Blockchain> {
        let PreviousHash::Hash(parent) = block.previous_hash() else { return None };
        let by_index = block.index().checked_sub(1).and_then(|position| self.known(parent, position));
        by_index.or_else(|| self.recent(parent))
    }

    /// The known chain that ends with the block of a hash, if that is near a tip.
    fn recent(&self, hash: BlockHash) -> Option<Blockchain> {
        self.known_chains().find_map(|chain| {
            std::iter::successors(Some(chain.clone()), Blockchain::parent)
                .take(RECENT)
                .find(|chain| chain.tip_hash() == hash)
        })
    }

    pub(super) fn appended(
        &self,
        parent: &Blockchain,
        blocks: impl IntoIterator<Item = Block>,
    ) -> Result<Blockchain, ChainError> {
        blocks.into_iter().try_fold(parent.clone(), |chain, block| {
            Ok(chain.append_under(block, &self.rules, self.fingerprint)?)
        })
    }

    /// Goes on with a chain whose blocks after a position are new: rejected, early, better or beside ours.
    pub(super) fn judged(
        &mut self,
        now: Time,
        from: NodeId,
        verdict: Result<Blockchain, ChainError>,
        after: u64,
        effects: &mut Effects,
    ) {
        let chain = match verdict {
            Ok(chain) => chain,
            Err(error) => return self.reject(from, error, effects),
        };
        let until = self.acceptable_from(&chain, after);
        if until <= now {
            return self.take_up(now, from, chain, effects);
        }
        let bytes = chain.size_after(after);
        if self.gossip.keep_early(Early { until, from, chain, bytes, is_doubtful: false }, &self.limits) {
            // Who told of it need not be asked for it.
            self.gossip.questions.blocks_came();
            effects.happened(Happening::Waits { from, until });
        }
    }

    fn take_up(&mut self, now: Time, from: NodeId, chain: Blockchain, effects: &mut Effects) {
        let block = chain.tip_hash();
        if self.prefers(&chain) {
            self.take_on(now, chain, from, effects);
        } else {
            self.keep_beside(from, chain);
        }
        if !self.loses_nothing(from) {
            effects.push(Effect::Send(from, Message::Acknowledge { block }));
        }
    }

    /// Keeps a chain that another has beside the node's own, unless it is a part of that.
    pub(super) fn keep_beside(&mut self, from: NodeId, chain: Blockchain) {
        if !chain.is_start_of(&self.chain) {
            let common = self.chain.common_ancestor(&chain).map_or(0, |common| common.len());
            let bytes = chain.size_after(common);
            self.keep_side_branch(from, chain, (common, bytes));
        }
    }

    /// Keeps a chain beside the node's own, of which the blocks after a position, so many bytes, are not the node's.
    pub(super) fn keep_side_branch(&mut self, from: NodeId, chain: Blockchain, (common, bytes): (u64, u64)) {
        // A longer branch takes the place of its own beginning, and counts as that did: whoever goes on with another's
        // must not take it along when its own leave. No branch ends among what is the node's as well: a new tip sees to that.
        let may_be_there = self.longest_branch > common;
        let beginning = if may_be_there { self.gossip.take_beginnings(&chain, common) } else { None };
        let (from, len) = (beginning.unwrap_or(from), chain.len());
        // At least as long as that: which branches are kept is looked at when the input ends.
        self.longest_branch = self.longest_branch.max(len);
        self.gossip.keep_side_branch(Branch { from, len, bytes, chain }, &self.limits);
    }

    /// Takes up what is left of long answers, the blocks whose time has come, and the orphans whose parents have become
    /// known.
    pub(super) fn take_up_waiting(&mut self, now: Time, effects: &mut Effects) {
        let mut bytes_left = PIECE_BYTES;
        self.go_on_reading(now, &mut bytes_left, effects);
        while bytes_left > 0
            && self.gossip.early.front().is_some_and(|early| early.until <= now)
            && let Some(Early { from, chain, bytes, is_doubtful, .. }) = self.gossip.early.remove(0)
        {
            bytes_left = bytes_left.saturating_sub(bytes);
            self.take_up(now, from, chain, effects);
            if is_doubtful {
                self.announce_to(now, from, effects);
            }
        }
        // Looking through the orphans costs more than most messages.
        if self.gossip.has_news {
            self.gossip.questions.blocks_came();
        }
        while bytes_left > 0 && self.gossip.has_news {
            let connected = self.gossip.orphans.iter().position(|orphan| self.is_connected(orphan));
            self.gossip.has_news = connected.is_some();
            if let Some(Orphan { from, told, bytes, is_doubtful, .. }) =
                connected.and_then(|at| self.gossip.orphans.remove(at))
            {
                bytes_left = bytes_left.saturating_sub(bytes);
                self.told_of_block(now, from, told, effects);
                if is_doubtful {
                    // It may have to wait for its time.
                    self.gossip.doubt(from);
                    self.announce_to(now, from, effects);
                }
            }
        }
    }

    fn is_connected(&self, orphan: &Orphan) -> bool {
        let block = match &orphan.told {
            Told::Chain(chain) => Some(chain.last_block()),
            Told::Blocks(blocks) => blocks.last(),
            // A document is parsed before it is kept.
            Told::Document(_) => None,
        };
        match block.map(Block::previous_hash) {
            Some(PreviousHash::Hash(parent)) => self.known(parent, orphan.parent).is_some(),
            _ => false,
        }
    }
}
