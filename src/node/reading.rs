//! Reading long answers: blocks that were asked for are verified some at a time, so that commands, other messages and the
//! search have their turn in between.
//!
//! Of each sender at most one answer about missing blocks is kept, as it is not asked again before that is read, and one
//! for each resolve under way.

use std::{collections::VecDeque, sync::Arc};

use super::{effects::Effects, gossip::PIECE_BYTES, machine::Node, questions::Question};
use crate::{
    block::Block,
    blockchain::{Blockchain, ChainError},
    message::{NodeId, RequestId},
    rules::{Fingerprint, Rules},
    time::Time,
};

/// An answer whose blocks are being verified.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) from: NodeId,
    pub(super) asked: Asked,
    pub(super) blocks: Unread,
}

/// What an answer answers.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// A question for missing blocks.
    Blocks(Question),
    /// A question of a resolve.
    Chain(RequestId),
}

impl Asked {
    fn request(&self) -> RequestId {
        match self {
            Self::Blocks(question) => question.request(),
            Self::Chain(request) => *request,
        }
    }
}

/// Blocks after a chain, of which some have been verified.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    /// The known chain that they go on from.
    pub(super) base: Blockchain,
    /// The base with all that is verified.
    verified: Blockchain,
    blocks: Arc<[Block]>,
    /// How many of the blocks are known or verified.
    done: usize,
}

impl Unread {
    /// Begins with blocks of which so many are known already: those that the base ends with.
    pub(super) fn new(base: Blockchain, blocks: Arc<[Block]>, known: usize) -> Self {
        Self { verified: base.clone(), base, blocks, done: known }
    }

    /// Takes a chain that was verified before.
    pub(super) fn verified(base: Blockchain, verified: Blockchain) -> Self {
        Self { base, verified, blocks: [].into(), done: 0 }
    }

    /// The blocks that are neither known nor verified.
    pub(super) fn rest(&self) -> &[Block] {
        &self.blocks[self.done..]
    }

    /// Verifies the next blocks, until so many bytes are used up. Returns the verdict on all of them once there is one.
    fn verify(
        &mut self,
        rules: &Rules,
        fingerprint: Fingerprint,
        bytes_left: &mut u64,
    ) -> Option<Result<Blockchain, ChainError>> {
        while let Some(block) = self.blocks.get(self.done) {
            if *bytes_left == 0 {
                return None;
            }
            match self.verified.append_under(block.clone(), rules, fingerprint) {
                Ok(chain) => self.verified = chain,
                Err(invalid) => return Some(Err(invalid.into())),
            }
            *bytes_left = bytes_left.saturating_sub(self.verified.tip_size());
            self.done += 1;
        }
        Some(Ok(self.verified.clone()))
    }
}

impl Node {
    /// Tells whether an answer is being read already.
    pub(super) fn is_reading(&self, from: NodeId, request: RequestId) -> bool {
        let is_it = |reading: &Reading| reading.from == from && reading.asked.request() == request;
        self.gossip.readings.iter().any(is_it)
    }

    /// Tells whether a peer's answer about missing blocks is being read.
    pub(super) fn is_reading_blocks_of(&self, peer: NodeId) -> bool {
        let is_it = |reading: &Reading| reading.from == peer && matches!(reading.asked, Asked::Blocks(_));
        self.gossip.readings.iter().any(is_it)
    }

    /// Reads an answer: a piece of it at once, the rest by and by.
    pub(super) fn begin_reading(&mut self, now: Time, reading: Reading, effects: &mut Effects) {
        let rest = self.read_on(now, reading, &mut { PIECE_BYTES }, effects);
        self.gossip.readings.extend(rest);
    }

    /// Stops reading the answers to a question whose time is up; returns whose they were.
    pub(super) fn stop_reading(&mut self, request: RequestId) -> Vec<NodeId> {
        let readings = std::mem::take(&mut self.gossip.readings);
        let (late, rest): (VecDeque<_>, _) =
            readings.into_iter().partition(|reading| reading.asked.request() == request);
        self.gossip.readings = rest;
        late.into_iter().map(|reading| reading.from).collect()
    }

    /// Goes on with the answers that are unfinished, the oldest first, until so many bytes are used up.
    pub(super) fn go_on_reading(&mut self, now: Time, bytes_left: &mut u64, effects: &mut Effects) {
        while *bytes_left > 0
            && let Some(reading) = self.gossip.readings.pop_front()
        {
            if let Some(rest) = self.read_on(now, reading, bytes_left, effects) {
                self.gossip.readings.push_front(rest);
            }
        }
    }

    /// Reads on, and does what comes of the answer at its end. Returns what is unfinished.
    fn read_on(
        &mut self,
        now: Time,
        mut reading: Reading,
        bytes_left: &mut u64,
        effects: &mut Effects,
    ) -> Option<Reading> {
        let Some(verdict) = reading.blocks.verify(&self.rules, self.fingerprint, bytes_left) else {
            return Some(reading);
        };
        let Reading { from, asked, blocks } = reading;
        match asked {
            Asked::Blocks(question) => {
                self.blocks_read(now, from, question, Some((blocks.base, verdict)), effects);
            }
            Asked::Chain(request) => self.chain_read(now, from, request, verdict.map(Some), effects),
        }
        None
    }
}
