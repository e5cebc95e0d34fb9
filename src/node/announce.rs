//! Announcing: how peers are told of a new tip, and what a node makes of being told of one by less than the block.

use super::{
    effects::{Effect, Effects},
    machine::Node,
    memory::Gossip,
    questions::Wanted,
};
use crate::{
    block::Block,
    blockchain::Blockchain,
    hash::BlockHash,
    message::{Message, NodeId, Told},
    rules::Relay,
    time::Time,
};

impl Node {
    /// Tells all peers of a new tip, but the one that it came from.
    pub(super) fn announce(
        &mut self,
        now: Time,
        old: &Blockchain,
        common: u64,
        from: Option<NodeId>,
        effects: &mut Effects,
    ) {
        if old.len() > common {
            self.keep_side_branch(self.id, old.clone(), (common, 0));
        }
        let tip = &self.chain;
        // None was a part of the old chain, so that none can be of what both have in common.
        self.gossip.side_branches.retain(|branch| branch.len <= common || !branch.chain.is_start_of(tip));
        debug_assert!(!self.gossip.side_branches.iter().any(|branch| branch.chain.is_start_of(tip)));
        self.gossip.unconfirmed.clear();
        if self.lossy_peers > 0 {
            let Gossip { unconfirmed, banned, .. } = &mut self.gossip;
            let lossless = &self.lossless;
            let others = self.peers.iter().filter(|peer| {
                Some(**peer) != from && !banned.contains(peer) && lossless.binary_search(peer).is_err()
            });
            unconfirmed.extend(others);
        }
        self.gossip.announced = 0;
        let is_awaited = !self.gossip.unconfirmed.is_empty();
        self.gossip.announce_at = self.announce_at(now).filter(|_| is_awaited);
        effects.push(Effect::Relay { except: from, message: self.news(&self.chain) });
    }

    /// Tells one peer of the tip, which it may have missed. Nobody misses a genesis.
    pub(super) fn announce_to(&mut self, now: Time, peer: NodeId, effects: &mut Effects) {
        if !self.rules.relay.is_on() || self.chain.len() == 1 || !self.peers.contains(&peer) {
            return;
        }
        if !self.loses_nothing(peer) {
            if !self.gossip.unconfirmed.contains(&peer) {
                self.gossip.unconfirmed.push(peer);
            }
            self.gossip.announced = 0;
            self.gossip.announce_at = self.announce_at(now);
        }
        effects.push(Effect::Send(peer, self.news(&self.chain)));
    }

    /// Tells the peers again that are not known to have the tip, ever less often.
    pub(super) fn announce_again(&mut self, now: Time, effects: &mut Effects) {
        if self.gossip.announce_at.is_none_or(|at| at > now) {
            return;
        }
        self.gossip.announced += 1;
        self.gossip.announce_at = self.announce_at(now);
        for &peer in &self.gossip.unconfirmed {
            effects.push(Effect::Send(peer, self.news(&self.chain)));
        }
    }

    /// When the tip is announced again. At the end of time that is never: a moment that has come already would keep the
    /// node announcing for ever.
    fn announce_at(&self, now: Time) -> Option<Time> {
        now.checked_add(self.limits.announce_after(self.gossip.announced))
    }

    pub(super) fn acknowledged(&mut self, from: NodeId, block: BlockHash) {
        if block == self.chain.tip_hash() {
            self.gossip.confirm(from);
        }
    }

    /// What tells of a tip.
    pub(crate) fn news(&self, tip: &Blockchain) -> Message {
        Message::news(tip, self.rules.relay)
    }

    /// A peer tells of a new block by its hash.
    pub(super) fn told_of_hash(
        &mut self,
        from: NodeId,
        block: BlockHash,
        position: u64,
        effects: &mut Effects,
    ) {
        if self.is_known(block, position) {
            self.already_known(from, block, effects);
        } else {
            self.wants(from, Wanted { hash: block, position });
        }
    }

    /// A peer tells of a new block by what somebody lacks of it who has its transactions pending.
    pub(super) fn told_of_compact_block(
        &mut self,
        now: Time,
        from: NodeId,
        told: Told,
        effects: &mut Effects,
    ) {
        let wanted = match &told {
            // A pointer pays for a part of its block: no more of it is looked at than is pending here.
            Told::Chain(chain) => {
                let wanted = Wanted { hash: chain.tip_hash(), position: chain.len() };
                let is_here = self.is_known(wanted.hash, wanted.position)
                    || self.can_make(chain.last_block(), wanted.hash);
                (!is_here).then_some(wanted)
            }
            Told::Blocks(blocks) => match blocks.last().filter(|block| self.known_block(block).is_none()) {
                Some(block) if self.may_stand(from, block, false, effects) => {
                    let wanted = Wanted { hash: block.hash(), position: block.index() };
                    (!self.can_make(block, wanted.hash)).then_some(wanted)
                }
                Some(_) => return,
                None => None,
            },
            // Whoever reads it has the whole block.
            Told::Document(_) => None,
        };
        match wanted {
            Some(wanted) => self.wants(from, wanted),
            None => self.told_of_block(now, from, told, effects),
        }
    }

    /// Tells whether the node has all that a compact block leaves out, and it is none of those that fall back.
    fn can_make(&self, block: &Block, hash: BlockHash) -> bool {
        let falls_back = match self.rules.relay {
            Relay::Compact { fallback_percent } => {
                let drawn = BlockHash::of(format!("{hash} {}", self.id).as_bytes());
                let (bits, _) = drawn.as_bytes().split_first_chunk().expect("a hash is longer");
                u64::from_be_bytes(*bits) % 100 < fallback_percent.into()
            }
            _ => false,
        };
        let mut payments = block.transactions().iter().filter(|transaction| !transaction.is_reward());
        !falls_back && payments.all(|transaction| self.mempool.holds(transaction))
    }
}
