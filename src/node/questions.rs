//! Questions for missing blocks: who is asked, what is answered, and what becomes of the answers.

use std::time::Duration;

use super::{
    machine::{Effect, Node, ignore},
    memory::{Gossip, first_to_leave},
};
use crate::{
    block::{Block, PreviousHash},
    blockchain::Blockchain,
    event::IgnoreReason,
    hash::BlockHash,
    message::{Message, NodeId, RequestId, Told},
    time::Time,
};

/// How much of a locator is read.
const LOCATOR_MAX: usize = 64;
/// How many questions are remembered.
const QUESTIONS_MAX: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) peer: NodeId,
    pub(super) wanted: BlockHash,
    pub(super) at: Time,
    pub(super) is_open: bool,
}

impl Node {
    /// Asks for what leads to a block that a peer told of, unless somebody has been asked just now.
    pub(super) fn ask_for_blocks(
        &mut self,
        now: Time,
        peer: NodeId,
        wanted: BlockHash,
        effects: &mut Vec<Effect>,
    ) {
        let Some(peer) = self.gossip.whom_to_ask(wanted, peer, now, self.limits.resolve_timeout) else {
            return;
        };
        let request = self.new_request();
        self.gossip.keep_question(request, Question { peer, wanted, at: now, is_open: true });
        let locator = self.chain.locator();
        effects.push(Effect::Send(peer, Message::BlocksRequest { request, wanted, locator }));
    }

    /// Anyone is answered: with the branch of the wanted block if it is kept, else with our chain.
    pub(super) fn asked_for_blocks(
        &self,
        from: NodeId,
        request: RequestId,
        wanted: BlockHash,
        locator: &[(u64, BlockHash)],
        effects: &mut Vec<Effect>,
    ) {
        let branch = self.gossip.side_branches.iter().find(|branch| branch.tip_hash() == wanted);
        let chain = branch.unwrap_or(&self.chain);
        let common = locator.iter().take(LOCATOR_MAX).find(|(position, hash)| chain.holds(*hash, *position));
        let after = common.map_or(0, |(position, _)| *position);
        let blocks = Told::Chain(chain.clone());
        effects.push(Effect::Send(from, Message::Blocks { request, after, blocks }));
    }

    pub(super) fn blocks_answered(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        after: u64,
        blocks: Told,
        effects: &mut Vec<Effect>,
    ) {
        let question = self.gossip.asked.get_mut(&request);
        match question.filter(|question| question.is_open && question.peer == from) {
            Some(question) => question.is_open = false,
            None => return ignore(from, IgnoreReason::Unasked, effects),
        }
        let (base, verdict) = match blocks {
            Told::Chain(chain) => {
                let Some(base) = chain.at(after).and_then(|base| self.known(base.tip_hash(), after)) else {
                    let first = chain.block(1).filter(|_| after == 0);
                    return self.unconnected(from, first, effects);
                };
                // More may be known than the answer says.
                let ours = self.chain.common_ancestor(&chain);
                let base = ours.filter(|ours| ours.len() > after).unwrap_or(base);
                let verdict = match chain.is_verified_under(self.fingerprint) {
                    true => Ok(chain),
                    false => self.appended(&base, chain.iter_after(base.len()).cloned()),
                };
                (base, verdict)
            }
            Told::Blocks(blocks) => {
                let named = match blocks.first().map(Block::previous_hash) {
                    Some(PreviousHash::Hash(hash)) => self.known(hash, after),
                    _ => None,
                };
                let Some(base) = named.or_else(|| self.chain.at(after)) else {
                    return self.unconnected(from, blocks.first(), effects);
                };
                let verdict = self.appended(&base, blocks.iter().cloned());
                (base, verdict)
            }
            Told::Document(text) => {
                let verdict = Blockchain::from_json(&text, &self.rules);
                let verdict = verdict.map(|chain| chain.shared_with(&self.chain));
                let common = verdict.as_ref().ok().and_then(|chain| chain.common_ancestor(&self.chain));
                match (common, verdict) {
                    (Some(base), verdict) => (base, verdict),
                    (None, Ok(_)) => return ignore(from, IgnoreReason::Unconnected, effects),
                    (None, Err(error)) => return self.reject(from, error, effects),
                }
            }
        };
        self.judged(now, from, verdict, base.len(), effects);
    }
}

impl Gossip {
    /// Chooses whom to ask for a block that a peer told of; nobody, if somebody has been asked just now. Of all who told of
    /// it whoever was asked least is asked: one that never answers must not keep us from those who would.
    pub(super) fn whom_to_ask(
        &self,
        wanted: BlockHash,
        peer: NodeId,
        now: Time,
        patience: Duration,
    ) -> Option<NodeId> {
        let mut about_it = self.asked.values().filter(|question| question.wanted == wanted);
        if about_it.any(|question| question.is_open && now - question.at < patience) {
            return None;
        }
        let tellers = self.orphans.iter().filter(|orphan| orphan.hash == wanted).map(|orphan| orphan.from);
        let least_asked = tellers.min_by_key(|&teller| {
            let asked = self.asked.values().filter(|question| question.peer == teller);
            (asked.clone().filter(|question| question.wanted == wanted).count(), asked.count())
        });
        Some(least_asked.unwrap_or(peer))
    }

    pub(super) fn keep_question(&mut self, request: RequestId, question: Question) {
        self.asked.insert(request, question);
        if self.asked.len() > QUESTIONS_MAX {
            let peers = self.asked.values().map(|question| question.peer);
            let leaves = self.asked.keys().nth(first_to_leave(peers)).copied();
            self.asked.remove(&leaves.expect("one leaves of those that are there"));
        }
    }
}
