//! The common cases: a block that extends the tip of a node which waits for nothing, or that such a node has found itself, one
//! that is a [rival](super::rival) of the tip or extends one, and one that the node knows; where blocks are announced, news of
//! one that it lacks or has asked another for, a question, and the answer that brings all that it lacks.
//!
//! They do what the general case does, effect for effect, and look at nothing that cannot matter then; what is due at the
//! same moment waits for the wake-up. Most of what a simulation of many nodes does is this.

use std::{hint, time::Duration};

use super::{
    effects::{Effect, Effects},
    machine::{Node, SearchId},
    questions::{Wanted, time_alone},
    secret::Scheme,
};
use crate::{
    blockchain::Blockchain,
    event::Happening,
    hash::BlockHash,
    message::{Message, NodeId, RequestId, Told},
    pow::Target,
    rules::Relay,
    time::Time,
};

/// Up to here, some ten thousand years away, there are timestamps left for the next block.
pub(super) const LATE_MICROS: u64 = u64::MAX >> 6;

/// What comes of a block that extends the tip, or a [rival](super::rival) of it, in this order: as [`Effects`], or as calls
/// of a driver that has no time for a list.
pub(crate) trait Extended {
    /// An event: the block is the node's tip.
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId);
    /// An event: the block and its parent have taken the place of the old tip.
    fn reorganised(&mut self, old_tip: BlockHash);
    /// A message to all peers but one: the new tip, as nodes tell of it.
    fn relay(&mut self, except: NodeId, tip: &Blockchain, by: Relay);
    /// A search in place of the one before.
    fn search(&mut self, search: SearchId, target: Target);
    /// A message: the block has come.
    fn acknowledge(&mut self, to: NodeId, block: BlockHash);
}

impl Extended for Effects {
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId) {
        self.happened(Happening::Accepted { block, position, from });
    }

    fn reorganised(&mut self, old_tip: BlockHash) {
        self.happened(Happening::to_rival(old_tip));
    }

    fn relay(&mut self, except: NodeId, tip: &Blockchain, by: Relay) {
        self.push(Effect::Relay { except: Some(except), message: Message::news(tip, by) });
    }

    fn search(&mut self, search: SearchId, target: Target) {
        self.push(Effect::Search(search, target));
    }

    fn acknowledge(&mut self, to: NodeId, block: BlockHash) {
        self.push(Effect::Send(to, Message::Acknowledge { block }));
    }
}

impl Node {
    /// Notes when it is to be woken, by what is due beside the questions for blocks, and what is on its mind.
    ///
    /// If that is nothing but its chain, a block on top of it makes the node tell its peers and search anew, and
    /// nothing else: it waits for no answer, no time and no block, has nothing pending, holds nothing back, and has no
    /// peer that it would have to tell again.
    pub(super) fn rest(&mut self, now: Time, due: Option<Time>, effects: &mut Effects) {
        debug_assert_eq!(
            self.lossy_peers,
            self.peers.iter().filter(|peer| !self.loses_nothing(**peer)).count()
        );
        let questions = &self.gossip.questions;
        // Nobody can be woken earlier than now: what was due before, and could not be done, is due at once.
        let wake_at = due.into_iter().chain(questions.deadline()).min().map(|at| at.max(now));
        // Nobody asks for what is sent as a whole.
        let lacks_nothing = questions.are_forgotten() || self.pushes && questions.deadline().is_none();
        let has_nothing_else = self.rules.relay.is_on()
            // Whatever has its time would wake it: a round, an answer in pieces, a block of the future, a repetition.
            && due.is_none()
            && self.gossip.is_quiet()
            && self.mempool.is_empty()
            && self.payments.is_quiet()
            && self.lossy_peers == 0;
        let holds_nothing_back = self.scheme.as_deref().is_none_or(Scheme::is_at_rest);
        self.is_quiet = has_nothing_else && lacks_nothing && holds_nothing_back;
        self.only_holds_back = has_nothing_else && lacks_nothing && !holds_nothing_back;
        self.only_lacks_blocks = has_nothing_else && holds_nothing_back && !self.pushes;
        if wake_at != self.wake_at {
            self.wake_at = wake_at;
            effects.push(Effect::WakeAt(wake_at));
        }
    }

    /// Tells whether a chain is the node's and one block more, verified, in time, and all that there is to think about.
    #[inline]
    pub(crate) fn extends(&self, now: Time, chain: &Blockchain) -> bool {
        self.is_quiet && self.pushes && self.is_extended_by(now, chain)
    }

    /// Tells whether a chain is the node's and one block more, verified, in time, and not known.
    #[inline]
    pub(super) fn is_extended_by(&self, now: Time, chain: &Blockchain) -> bool {
        chain.is_child_of(&self.chain)
            && chain.is_verified_under(self.fingerprint)
            // A longer branch may hold the block.
            && chain.len() > self.longest_branch
            && self.is_in_time(now, chain)
    }

    /// The latest timestamp that is near enough to our clock, in microseconds; of links alone, any.
    #[inline]
    fn latest_micros(&self, now: Time) -> u64 {
        now.as_micros().saturating_add(self.ahead_micros)
    }

    /// Tells whether a block that the node finds becomes its tip, and there is nothing else to think about. Whoever holds
    /// blocks back may do so with this one, too.
    pub(super) fn only_grows(&self) -> bool {
        self.is_quiet && self.scheme.is_none()
    }

    /// Makes the block whose proof the node has found its tip, if the proof does not come too late.
    pub(super) fn grow(&mut self, now: Time, (search, proof): (SearchId, u64), effects: &mut Effects) {
        if let Some(chain) = self.complete(now, search, proof, effects) {
            self.tips += 1;
            self.chain = chain;
            effects.push(Effect::Relay { except: None, message: self.news(&self.chain) });
            self.mining.answer(&self.chain, effects);
            self.search(effects);
        }
    }

    /// Takes on a chain that extends the node's, and acknowledges it if it is to.
    #[inline(always)]
    pub(crate) fn extend(
        &mut self,
        from: NodeId,
        chain: Blockchain,
        acknowledges: bool,
        effects: &mut impl Extended,
    ) {
        effects.accepted(chain.tip_hash(), chain.len(), from);
        self.go_on_from(from, chain, acknowledges, effects);
    }

    /// Goes on from a new tip.
    #[inline(always)]
    pub(super) fn go_on_from(
        &mut self,
        from: NodeId,
        chain: Blockchain,
        acknowledges: bool,
        effects: &mut impl Extended,
    ) {
        self.tips += 1;
        self.chain = chain;
        effects.relay(from, &self.chain, self.rules.relay);
        if let Some((search, target)) = self.next_search() {
            effects.search(search, target);
        }
        if acknowledges {
            effects.acknowledge(from, self.chain.tip_hash());
        }
    }

    /// Takes on so many blocks, the last of which a chain ends with, as [`Node::extend`] does one by one, after all has
    /// come of them but the searches, of which only the last is begun: it is returned.
    #[inline]
    pub(crate) fn extend_unheard(&mut self, blocks: u64, chain: Blockchain) -> Option<SearchId> {
        self.tips += blocks;
        self.chain = chain;
        self.begin_wanted_search()
    }

    /// Returns how often the tip has changed.
    #[inline]
    pub(crate) fn tips(&self) -> u64 {
        self.tips
    }

    /// Tells whether the node has nothing on its mind but its chain, since its last input.
    #[inline]
    pub(crate) fn rests(&self) -> bool {
        self.is_quiet
    }

    /// Tells whether the node has nothing on its mind but its chain and a strategy that is not at rest, since its last input.
    #[inline]
    pub(crate) fn only_holds_back(&self) -> bool {
        self.only_holds_back
    }

    /// Reads the two lines of the cache that a block on top of the chain reads, and nothing depends on what is there.
    #[inline]
    pub(crate) fn fetch(&self) {
        hint::black_box((self.is_quiet, self.mining.continuous));
    }

    /// Tells whether a chain's last timestamp is near enough to our clock.
    #[inline]
    pub(crate) fn is_in_time(&self, now: Time, chain: &Blockchain) -> bool {
        chain.tip_micros() <= self.latest_micros(now).min(LATE_MICROS)
    }

    /// Tells whether the node knows a chain's last block.
    pub(crate) fn knows(&self, chain: &Blockchain) -> bool {
        self.is_known(chain.tip_hash(), chain.len())
    }

    /// Takes note of a message of which nothing else comes, not even what is due at the same moment, and tells whether it is
    /// one; if not, nothing has changed. It is one that tells of a block which the node knows, by a peer that it need not
    /// answer, of one to be kept beside its tip, or of one that others are asked for; or an acknowledgement, but for the last
    /// that is waited for.
    #[inline]
    pub(crate) fn takes_note(&mut self, now: Time, from: NodeId, message: &Message) -> bool {
        match *message {
            Message::NewBlock(Told::Chain(ref chain)) if self.is_rivalled(now, from, chain) => {
                self.keep_rival(from, chain.clone());
                true
            }
            Message::NewBlock(Told::Chain(ref chain)) | Message::CompactBlock(Told::Chain(ref chain)) => {
                let is_own = chain.is_same_copy(&self.chain);
                let is_noted = self.listens_to(from)
                    && (is_own || self.knows(chain))
                    && self.need_not_answer(from, chain.tip_hash());
                if is_noted && !is_own {
                    self.share_copy(chain);
                }
                is_noted
            }
            Message::Announce { block, position } => {
                let is_known = self.listens_to(from) && self.is_known(block, position);
                if is_known {
                    return self.need_not_answer(from, block);
                }
                let is_hearsay = self.is_hearsay(now, from, block, position);
                if is_hearsay {
                    self.gossip.questions.note_hearsay(from, Wanted { hash: block, position });
                }
                is_hearsay
            }
            Message::Acknowledge { block } => {
                self.listens_to(from)
                    && (block != self.chain.tip_hash()
                        || !self.gossip.unconfirmed.contains(&from)
                        || self.gossip.confirm_but_the_last(from))
            }
            Message::Inventory(ref inventory) => {
                self.rules.accounts && self.listens_to(from) && self.takes_note_of(now, from, inventory)
            }
            _ => false,
        }
    }

    /// Tells whether a peer that has a block, which the node has, too, needs no answer to that: nothing is lost between them,
    /// or it is one of several that are not known to have the tip, and is noted to have it.
    #[inline]
    fn need_not_answer(&mut self, peer: NodeId, block: BlockHash) -> bool {
        self.loses_nothing(peer) || block == self.chain.tip_hash() && self.gossip.confirm_but_the_last(peer)
    }

    /// Tells whether a message tells of a block at a position that the node lacks, and nothing comes of it but that its
    /// sender may be asked if those who are asked now do not answer in time.
    pub(crate) fn is_hearsay(&self, now: Time, from: NodeId, block: BlockHash, position: u64) -> bool {
        self.gossip.questions.are_enough_asked(now)
            && self.peers.contains(&from)
            && self.listens_to(from)
            && !self.is_within_reach(Wanted { hash: block, position })
    }

    /// Tells whether nothing comes of news of a block at a position but that its sender is asked for it.
    pub(super) fn only_asks(&self, from: NodeId, block: BlockHash, position: u64) -> bool {
        self.is_quiet && !self.pushes && self.listens_to(from) && !self.is_known(block, position)
    }

    /// Tells whether nothing comes of a question for blocks but its answer.
    pub(crate) fn only_answers(&self, now: Time, from: NodeId) -> bool {
        (self.is_quiet || self.only_lacks_blocks && !self.gossip.questions.are_due(now))
            && self.listens_to(from)
    }

    /// Tells whether an answer extends the tip by one block, and nothing is missing any more then.
    pub(super) fn is_all_that_it_lacks(
        &self,
        now: Time,
        (from, request): (NodeId, RequestId),
        after: u64,
        chain: &Blockchain,
    ) -> bool {
        let wanted = Wanted { hash: chain.tip_hash(), position: chain.len() };
        self.only_lacks_blocks
            && self.listens_to(from)
            && after == self.chain.len()
            && self.is_extended_by(now, chain)
            && self.gossip.questions.end_with(wanted, (from, request))
    }

    /// Tells whether nothing comes of it that some peer tells of a chain's last block by its hash but that it is asked for
    /// that, with the next question, and no other for a [while](Self::asks_alone_for).
    #[inline]
    pub(crate) fn asks_for(&self, chain: &Blockchain) -> bool {
        let is_new = || chain.is_child_of(&self.chain) && chain.len() > self.longest_branch;
        self.is_quiet && !self.pushes && (is_new() || !self.knows(chain))
    }

    /// For how long nobody else is asked when one is.
    pub(crate) fn asks_alone_for(&self) -> Duration {
        time_alone(self.limits.resolve_timeout)
    }

    /// Tells whether a chain's last block, which [was asked for](Self::asks_for), extends the tip once it is there, and nothing
    /// is missing any more.
    #[inline]
    pub(crate) fn takes_on(&self, now: Time, chain: &Blockchain) -> bool {
        debug_assert!(self.is_quiet && !self.pushes);
        self.is_extended_by(now, chain)
    }

    /// Counts a question that the node [has asked](Self::asks_for) without having been told to, once the block that extends
    /// its tip is there: nothing else of it matters any more.
    #[inline]
    pub(crate) fn has_asked(&mut self) {
        self.new_request();
    }

    /// Notes that a peer told of a block, of which [nothing else](Self::is_hearsay) comes.
    pub(crate) fn hear(&mut self, at: Time, from: NodeId, block: BlockHash, position: u64) {
        debug_assert!(self.loses_nothing(from) && self.is_hearsay(at, from, block, position));
        self.gossip.questions.note_hearsay(from, Wanted { hash: block, position });
    }

    /// Tells whether the node makes of another's news what it makes of anybody's.
    pub(super) fn listens_to(&self, other: NodeId) -> bool {
        self.rules.relay.is_on() && !self.gossip.is_banned(other) && !self.is_victim(other)
    }

    /// Tells whether it could show if a message did not come that tells of a block which the node has heard of: it
    /// would be ignored with an event, or it tells what a victim has, or the block was forgotten, as side branches make
    /// room for others. `misses` tells whether such a message may still come of a block that is not one that the node
    /// remembers.
    pub(crate) fn notices_repeats(&self, misses: impl FnOnce(&Self) -> bool) -> bool {
        !self.gossip.banned.is_empty() || self.is_apart() || misses(self)
    }

    /// Tells whether it keeps a victim apart, of whom it makes something else than of others.
    fn is_apart(&self) -> bool {
        matches!(self.scheme.as_deref(), Some(Scheme::Apart(_)))
    }

    /// Tells whether the node knows a chain's last block, or keeps it until it can be judged.
    pub(crate) fn remembers(&self, chain: &Blockchain) -> bool {
        self.knows(chain)
            || self.gossip.orphans.iter().any(|orphan| orphan.hash == chain.tip_hash())
            || self.gossip.early.iter().any(|early| early.chain == *chain)
    }

    /// Tells whether nothing is lost between the node and another, so that neither needs to acknowledge what it gets.
    pub(crate) fn loses_nothing(&self, other: NodeId) -> bool {
        self.lossless.binary_search(&other).is_ok()
    }

    /// Notes whether something may be lost between the node and another. It is told of the tip again if it may not have
    /// got it, or from now on may not get what it is told.
    pub(super) fn link_loses(&mut self, now: Time, other: NodeId, loses: bool, effects: &mut Effects) {
        match (self.lossless.binary_search(&other), loses) {
            (Err(place), false) => {
                self.lossless.insert(place, other);
                self.lossy_peers -= usize::from(self.peers.contains(&other));
                if self.gossip.confirm(other) {
                    // For the last time: nobody acknowledges it any more.
                    self.announce_to(now, other, effects);
                }
            }
            (Ok(place), true) => {
                self.lossless.remove(place);
                self.lossy_peers += usize::from(self.peers.contains(&other));
                self.announce_to(now, other, effects);
                self.payments.may_miss(other);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
