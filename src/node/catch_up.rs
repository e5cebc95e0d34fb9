//! Catching up: asking for the blocks that lead to one that was told of, and answering those who ask.

use std::sync::Arc;

use super::{
    effects::{Effect, Effects},
    machine::{Node, ignore},
    questions::{Led, Question, Wanted},
    reading::{Asked, Reading, Unread},
};
use crate::{
    block::{Block, PreviousHash},
    blockchain::{Blockchain, ChainError, read_blocks},
    event::IgnoreReason,
    hash::BlockHash,
    message::{Message, NodeId, RequestId, Told},
    time::Time,
};

/// How much of a locator is read.
const LOCATOR_MAX: usize = 64;

impl Node {
    /// Asks whose turn it is for what leads to the blocks that peers told of, if there is news of them or it is time.
    pub(super) fn ask_for_blocks(&mut self, now: Time, effects: &mut Effects) {
        if !self.gossip.questions.are_due(now) {
            return;
        }
        let patience = self.limits.resolve_timeout;
        let mut questions = std::mem::take(&mut self.gossip.questions);
        questions.look_through(now, patience, |wanted| self.is_within_reach(wanted));
        while let Some((peer, wanted)) =
            questions.next_to_ask(now, patience, |peer| self.is_reading_blocks_of(peer))
        {
            let request = self.new_request();
            let locator = effects.locators.of(&self.chain).clone();
            let chain = self.chain.clone();
            questions.asked(peer, Question::new(request, wanted, chain, now));
            let wanted = wanted.hash;
            effects.push(Effect::Send(peer, Message::BlocksRequest { request, wanted, locator }));
        }
        questions.rest(now, patience);
        self.gossip.questions = questions;
    }

    /// Tells whether a block is known, or waits for its time.
    pub(super) fn is_within_reach(&self, Wanted { hash, position }: Wanted) -> bool {
        let waits = || self.gossip.early.iter().any(|early| early.chain.holds(hash, position));
        self.is_known(hash, position) || waits()
    }

    /// Anyone is answered: with the branch of the wanted block if it is kept, else with our chain.
    pub(super) fn asked_for_blocks(
        &self,
        from: NodeId,
        request: RequestId,
        wanted: BlockHash,
        locator: &[(u64, BlockHash)],
        effects: &mut Effects,
    ) {
        let mut chains = self.known_chains();
        let chain = chains.find(|chain| chain.tip_hash() == wanted).unwrap_or(&self.chain);
        effects.push(Effect::Send(from, Self::blocks_after(chain, request, locator)));
    }

    /// The answer with the blocks of a chain that whoever asks does not have.
    pub(super) fn blocks_after(
        chain: &Blockchain,
        request: RequestId,
        locator: &[(u64, BlockHash)],
    ) -> Message {
        let after = Self::last_in_common(chain, locator);
        Message::Blocks { request, after, blocks: Told::Chain(chain.clone()) }
    }

    /// The position of the last block of a chain that whoever asks has, as far as the question tells; 0 if it has none.
    pub(crate) fn last_in_common(chain: &Blockchain, locator: &[(u64, BlockHash)]) -> u64 {
        let common = locator.iter().take(LOCATOR_MAX).find(|(position, hash)| chain.holds(*hash, *position));
        common.map_or(0, |(position, _)| *position)
    }

    pub(super) fn blocks_answered(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        after: u64,
        blocks: Told,
        effects: &mut Effects,
    ) {
        let open = self.gossip.questions.open(from, request).cloned();
        let Some(question) = open.filter(|_| !self.is_reading(from, request)) else {
            return ignore(from, IgnoreReason::Unasked, effects);
        };
        match self.read_answer(from, &question, after, blocks, effects) {
            Some(blocks) => {
                self.begin_reading(now, Reading { from, asked: Asked::Blocks(question), blocks }, effects);
            }
            None => self.blocks_read(now, from, question, None, effects),
        }
    }

    /// Goes on with an answer that has been read: the known chain that it goes on from, and what comes of it. Nothing if
    /// it follows none.
    pub(super) fn blocks_read(
        &mut self,
        now: Time,
        from: NodeId,
        question: Question,
        read: Option<(Blockchain, Result<Blockchain, ChainError>)>,
        effects: &mut Effects,
    ) {
        let valid = read.as_ref().and_then(|(base, verdict)| Some((base, verdict.as_ref().ok()?)));
        let led = match valid {
            Some((_, chain)) if chain.holds(question.wanted.hash, question.wanted.position) => Led::There,
            // It may have given up the branch that it told of for a better one, and we ours since it was asked.
            // But what has to wait for its time would be the answer again and again.
            Some((base, chain))
                if chain.is_better_than(&question.chain, &self.rules)
                    && self.acceptable_from(chain, base.len()) <= now =>
            {
                Led::Closer
            }
            _ => Led::Nowhere,
        };
        self.gossip.questions.answered(from, question, led);
        if let Some((base, verdict)) = read {
            self.judged(now, from, verdict, base.len(), effects);
        }
    }

    /// Looks at an answer: the known chain that it goes on from, and the blocks after it. Nothing if it follows none.
    fn read_answer(
        &mut self,
        from: NodeId,
        question: &Question,
        after: u64,
        blocks: Told,
        effects: &mut Effects,
    ) -> Option<Unread> {
        match blocks {
            Told::Chain(chain) => {
                let base =
                    chain.at(after).and_then(|base| self.known_or_was(question, base.tip_hash(), after));
                let Some(base) = base else {
                    let first = chain.block(1).filter(|_| after == 0);
                    self.unconnected(from, first, effects);
                    return None;
                };
                // More may be known than the answer says.
                let ours = self.chain.common_ancestor(&chain);
                let base = ours.filter(|ours| ours.len() > after).unwrap_or(base);
                Some(match chain.is_verified_under(self.fingerprint) {
                    true => Unread::verified(base, chain),
                    false => {
                        let blocks = chain.iter_after(base.len()).cloned().collect();
                        Unread::new(base, blocks, 0)
                    }
                })
            }
            Told::Blocks(blocks) => {
                let named = match blocks.first().map(Block::previous_hash) {
                    Some(PreviousHash::Hash(hash)) => self.known_or_was(question, hash, after),
                    _ => None,
                };
                let Some(base) = named.or_else(|| self.chain.at(after)) else {
                    self.unconnected(from, blocks.first(), effects);
                    return None;
                };
                Some(self.unread_after(base, blocks, 0))
            }
            Told::Document(text) => {
                let blocks = match read_blocks(&text, &self.rules) {
                    Ok(blocks) => blocks,
                    Err(error) => {
                        self.reject(from, error.into(), effects);
                        return None;
                    }
                };
                let genesis = self.chain.at(1).expect("a chain has its genesis");
                match blocks.first() {
                    Some(first) if first == genesis.last_block() => {
                        Some(self.unread_after(genesis, blocks.into(), 1))
                    }
                    first => {
                        self.unconnected(from, first, effects);
                        None
                    }
                }
            }
        }
    }

    /// The chain that ends with the block of a hash at a position, which is known, or was when a question was asked: the
    /// answer goes on from there, though the branch may have been forgotten meanwhile.
    fn known_or_was(&self, question: &Question, hash: BlockHash, position: u64) -> Option<Blockchain> {
        let was_known = || question.chain.at(position).filter(|chain| chain.tip_hash() == hash);
        self.known(hash, position).or_else(was_known)
    }

    /// Looks which of the blocks are known that follow a known chain, after so many that it ends with.
    fn unread_after(&self, base: Blockchain, blocks: Arc<[Block]>, done: usize) -> Unread {
        let (mut known, mut done) = (base, done);
        for chain in self.known_chains() {
            if known.is_start_of(chain) {
                let count = chain.count_known(known.len(), &blocks[done..]);
                known = chain.at(known.len() + count as u64).expect("so many were counted in it");
                done += count;
            }
        }
        Unread::new(known, blocks, done)
    }
}
