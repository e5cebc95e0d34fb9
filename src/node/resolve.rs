//! Resolving: a node asks all its peers for their chains and takes the best.
//!
//! It goes on handling its inbox meanwhile, so that nodes which ask each other all finish, where the notebook's servers
//! would wait for each other for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    effects::{Effect, Effects},
    machine::{Node, ignore},
    reading::{Asked, Reading, Unread},
};
use crate::{
    block::Block,
    blockchain::{Blockchain, ChainError, read_blocks},
    command::{Answer, Outcome, Resolution, Ticket},
    document::DocumentError,
    event::{Happening, IgnoreReason},
    message::{Message, NodeId, RequestId, Told},
    time::Time,
};

/// How many ended rounds are remembered, to tell a late answer from one to no question.
const ENDED_MAX: usize = 64;

/// The rounds of questions under way, by request.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolves {
    rounds: BTreeMap<RequestId, Round>,
    /// The peers that an ended round did not hear.
    silent: BTreeMap<RequestId, BTreeSet<NodeId>>,
}

#[derive(Debug, Clone)]
struct Round {
    ticket: Ticket,
    deadline: Time,
    /// The peers that have not answered, in the order in which they were registered.
    waiting: Vec<(usize, NodeId)>,
    best: Option<Best>,
}

/// The best valid chain so far.
#[derive(Debug, Clone)]
struct Best {
    chain: Blockchain,
    from: NodeId,
    /// Its peer's place in the order in which they were registered.
    place: usize,
}

impl Resolves {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.rounds.values().map(|round| round.deadline).min()
    }
}

impl Node {
    pub(super) fn resolve(&mut self, now: Time, ticket: Ticket, effects: &mut Effects) {
        let request = self.new_request();
        // Those that are no longer listened to would always be silent.
        let heard = self.peers.iter().copied().enumerate().filter(|(_, peer)| !self.gossip.is_banned(*peer));
        let waiting: Vec<_> = heard.collect();
        let is_alone = waiting.is_empty();
        let deadline = now + self.limits.resolve_timeout;
        self.resolves.rounds.insert(request, Round { ticket, deadline, waiting, best: None });
        if is_alone {
            return self.end_resolve(now, request, effects);
        }
        effects.push(Effect::Relay { except: None, message: Message::ChainRequest { request } });
    }

    pub(super) fn chain_answered(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        told: Told,
        effects: &mut Effects,
    ) {
        if !self.awaits(from, request) || self.is_reading(from, request) {
            return ignore(from, self.why_unexpected(from, request), effects);
        }
        match self.chain_to_read(told) {
            Ok(Some(blocks)) => {
                self.begin_reading(now, Reading { from, asked: Asked::Chain(request), blocks }, effects);
            }
            Ok(None) => self.chain_read(now, from, request, Ok(None), effects),
            Err(error) => self.chain_read(now, from, request, Err(error), effects),
        }
    }

    /// Tells whether a round under way has not heard a peer.
    fn awaits(&self, from: NodeId, request: RequestId) -> bool {
        let round = self.resolves.rounds.get(&request);
        round.is_some_and(|round| round.waiting.iter().any(|(_, peer)| *peer == from))
    }

    /// Goes on with an answer that has been read: with the chain, if it can be better than ours.
    pub(super) fn chain_read(
        &mut self,
        now: Time,
        from: NodeId,
        request: RequestId,
        verdict: Result<Option<Blockchain>, ChainError>,
        effects: &mut Effects,
    ) {
        let round = self.resolves.rounds.get_mut(&request);
        let place = round.and_then(|round| round.waiting.extract_if(.., |(_, peer)| *peer == from).next());
        let (place, _) = place.expect("what is read when its round ends is read no more");
        let valid = self.acceptable(now, from, verdict, effects);
        if let Some(chain) = &valid {
            self.share_copy(chain);
        }
        let rules = &self.rules;
        let round = self.resolves.rounds.get_mut(&request).expect("the round was found above");
        if let Some(chain) = valid {
            let is_best = round.best.as_ref().is_none_or(|best| {
                chain.is_better_than(&best.chain, rules)
                    || (!best.chain.is_better_than(&chain, rules) && place < best.place)
            });
            if is_best {
                round.best = Some(Best { chain, from, place });
            }
        }
        if round.waiting.is_empty() {
            self.end_resolve(now, request, effects);
        }
    }

    fn why_unexpected(&mut self, from: NodeId, request: RequestId) -> IgnoreReason {
        if self.resolves.silent.get_mut(&request).is_some_and(|silent| silent.remove(&from)) {
            IgnoreReason::Late
        } else if self.peers.contains(&from) {
            IgnoreReason::Unasked
        } else {
            IgnoreReason::Stranger
        }
    }

    /// Looks at a whole chain that was asked for: only what comes after the last block in common with ours is to be
    /// verified. Nothing of one that is no better than ours, valid or not.
    fn chain_to_read(&self, told: Told) -> Result<Option<Unread>, ChainError> {
        match told {
            Told::Chain(chain) if chain.is_verified_under(self.fingerprint) => {
                Ok(Some(Unread::verified(chain.clone(), chain)))
            }
            Told::Chain(chain) => {
                let common = self.chain.common_ancestor(&chain);
                let after = common.as_ref().map_or(0, Blockchain::len);
                self.unread_if_better(common, chain.iter_after(after).cloned().collect())
            }
            Told::Blocks(blocks) => self.unread_if_better(None, blocks),
            Told::Document(text) => self.unread_if_better(None, read_blocks(&text, &self.rules)?.into()),
        }
    }

    /// Takes a chain that was asked for, unless it breaks a rule or its time has not come.
    fn acceptable(
        &mut self,
        now: Time,
        from: NodeId,
        verdict: Result<Option<Blockchain>, ChainError>,
        effects: &mut Effects,
    ) -> Option<Blockchain> {
        let chain = match verdict {
            Ok(chain) => chain?,
            Err(error) => {
                self.reject(from, error, effects);
                return None;
            }
        };
        let common = self.chain.common_ancestor(&chain).map_or(0, |common| common.len());
        match self.acceptable_from(&chain, common) {
            until if until > now => {
                effects.happened(Happening::Waits { from, until });
                None
            }
            _ => Some(chain),
        }
    }

    /// The blocks after a part of ours, or from the first on, if they can make a chain that is better than ours.
    fn unread_if_better(
        &self,
        common: Option<Blockchain>,
        blocks: Arc<[Block]>,
    ) -> Result<Option<Unread>, ChainError> {
        let after = common.as_ref().map_or(0, Blockchain::len);
        let known = self.chain.count_known(after, &blocks);
        let unread = match self.chain.at(after + known as u64) {
            Some(base) => Unread::new(base, blocks, known),
            None => {
                let first = blocks.first().ok_or(DocumentError::EmptyChain)?;
                Unread::new(Blockchain::with_genesis(first.clone(), &self.rules)?, blocks, 1)
            }
        };
        Ok(unread.base.would_be_better(unread.rest(), &self.chain, &self.rules).then_some(unread))
    }

    pub(super) fn end_overdue_resolves(&mut self, now: Time, effects: &mut Effects) {
        if self.resolves.rounds.is_empty() {
            return;
        }
        let overdue = self.resolves.rounds.iter().filter(|(_, round)| round.deadline <= now);
        let overdue: Vec<_> = overdue.map(|(&request, _)| request).collect();
        for request in overdue {
            self.end_resolve(now, request, effects);
        }
    }

    /// Ends the round that a command has begun, if it is under way.
    pub(super) fn give_up_resolve(&mut self, now: Time, ticket: Ticket, effects: &mut Effects) {
        let round = self.resolves.rounds.iter().find(|(_, round)| round.ticket == ticket);
        if let Some((&request, _)) = round {
            self.end_resolve(now, request, effects);
        }
    }

    fn end_resolve(&mut self, now: Time, request: RequestId, effects: &mut Effects) {
        let round = self.resolves.rounds.remove(&request).expect("only rounds under way are ended");
        let silent: Vec<_> = round.waiting.iter().map(|&(_, peer)| peer).collect();
        if !silent.is_empty() {
            self.resolves.silent.insert(request, silent.iter().copied().collect());
            if self.resolves.silent.len() > ENDED_MAX {
                self.resolves.silent.pop_first();
            }
        }
        let outcome = match round.best {
            Some(Best { chain, from, .. }) if chain.is_better_than(&self.chain, &self.rules) => {
                self.take_on(now, chain, from, effects);
                Outcome::Replaced
            }
            _ => Outcome::Authoritative,
        };
        let replaced = outcome == Outcome::Replaced;
        effects.happened(Happening::Resolved { replaced, silent: silent.len() });
        let resolution = Resolution { outcome, chain: self.chain.clone(), silent };
        effects.push(Effect::Answer(round.ticket, Answer::Resolve(resolution)));
        for from in self.stop_reading(request) {
            ignore(from, self.why_unexpected(from, request), effects);
        }
    }
}
