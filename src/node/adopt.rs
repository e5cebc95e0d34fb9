//! Taking on another chain, and turning bad ones down.

use super::{effects::Effects, machine::Node};
use crate::{
    block::Block,
    blockchain::{Blockchain, ChainError},
    event::Happening,
    message::NodeId,
    rules::Checks,
    time::Time,
};

impl Node {
    /// Tells whether the node would rather have another chain than its own: a better one, or one as good that its
    /// tie-break is for.
    pub(super) fn prefers(&self, other: &Blockchain) -> bool {
        self.prefers_to(&self.chain, other)
    }

    /// Tells whether the node would rather have a chain than one that it has, or is about to have.
    pub(super) fn prefers_to(&self, own: &Blockchain, other: &Blockchain) -> bool {
        other.is_better_than(own, &self.rules)
            || !own.is_better_than(other, &self.rules) && self.tie_break.prefers(self.id, other, own)
    }

    /// Makes a chain the node's own. What abandoned blocks held goes back to the mempool, mining goes on on the new
    /// tip, and the peers are told. `from` is who the chain came from, if it is not the node's work.
    pub(super) fn adopt(
        &mut self,
        now: Time,
        chain: Blockchain,
        from: Option<NodeId>,
        effects: &mut Effects,
    ) {
        let old = std::mem::replace(&mut self.chain, chain);
        let common = old.common_ancestor(&self.chain).map_or(0, |common| common.len());
        let (abandoned, adopted) = (old.iter_after(common), self.chain.iter_after(common));
        if let Some(from) = from {
            let happening =
                Happening::Accepted { block: self.chain.tip_hash(), position: self.chain.len(), from };
            effects.happened(happening);
        }
        if abandoned.len() > 0 {
            effects.happened(Happening::Reorganised {
                abandoned: abandoned.len() as u64,
                adopted: adopted.len() as u64,
                old_tip: old.tip_hash(),
            });
        }
        let has_gap = adopted.len() as u64 + common < self.chain.len();
        let accounts = self.chain.accounts();
        let mut changes = self.mempool.change_chain(
            abandoned.flat_map(Block::transactions),
            adopted.flat_map(Block::transactions),
            from.is_none(),
            &self.rules,
            accounts,
        );
        if has_gap {
            // What blocks held that were let go, nobody can tell.
            changes.lost.extend(self.mempool.judge_all(accounts));
        }
        self.payments_on_new_tip(changes.returned, changes.lost, effects);
        if self.rules.relay.is_on() {
            self.gossip.has_news = true;
            self.announce(now, &old, common, from, effects);
        }
        if from.is_some() {
            self.search(effects);
        }
    }

    /// The moment from which all blocks after a position are near enough to our clock.
    pub(super) fn acceptable_from(&self, chain: &Blockchain, after: u64) -> Time {
        if self.rules.checks == Checks::LinksAndProofs {
            return Time::UNIX_EPOCH;
        }
        let times = chain.iter_after(after).rev().map(|block| self.rules.acceptable_from(block));
        times.max().unwrap_or(Time::UNIX_EPOCH)
    }

    /// Records a bad block or document, and counts it against its sender.
    pub(super) fn reject(&mut self, from: NodeId, error: ChainError, effects: &mut Effects) {
        effects.happened(match error {
            ChainError::Document(error) => Happening::RejectedDocument { from, error },
            ChainError::Invalid(invalid) => Happening::Rejected { from, invalid },
        });
        if self.gossip.count_bad_block(from, self.limits.bad_blocks) {
            self.payments.forget(from);
            effects.happened(Happening::Banned { peer: from });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Command, Difficulty, Genesis, Input, ProofRule, Rules, Ticket, Transaction, blockchain::Cut,
        pow::Target,
    };

    const START: Time = Time::from_secs(1_000_000);

    /// Which payments the blocks held that were let go of, nobody can tell; but the accounts after them can.
    #[test]
    fn what_a_chain_with_a_gap_has_spent_is_pending_no_more() {
        let genesis = Genesis::Shared { time: Some(START), allocations: [("alice".into(), 10)].into() };
        let difficulty = Difficulty::Fixed(Target::EASIEST);
        let rules = Rules { proof: ProofRule::Drawn, difficulty, genesis, ..Rules::sealed() };
        let pay = |to: &str, nonce| Transaction::new("alice", to, 1).with_nonce(nonce);
        let mut node = Node::new(NodeId::new(0), Arc::new(rules.clone()), "bob", START).unwrap();
        for nonce in [0, 1] {
            let submit = Command::Submit(pay("bob", nonce));
            node.handle(START, Input::Command(Ticket(nonce), submit), &mut Effects::default());
        }
        let spent = node.chain().mine_next(&rules, [pay("carol", 0)], "miner", START).unwrap();
        let chain =
            (0..8).fold(spent, |chain, _| chain.mine_next(&rules, [], "miner", START).expect("it may go on"));
        let shortened = Cut::before_tip_of(&chain.at(6).unwrap()).shortened(&chain).unwrap();

        let mut effects = Effects::default();
        node.adopt(START, shortened, Some(NodeId::new(1)), &mut effects);
        let pending: Vec<_> = node.mempool().iter().cloned().collect();
        assert_eq!(pending, [pay("bob", 1)]);
        let lost = effects.happened.iter().filter_map(|what| match what {
            Happening::Lost { transaction, .. } => Some(transaction.clone()),
            _ => None,
        });
        assert_eq!(lost.collect::<Vec<_>>(), [pay("bob", 0)]);
    }
}
