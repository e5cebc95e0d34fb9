//! Mining: what to search for, and what becomes of a proof.

use std::{collections::VecDeque, sync::Arc};

use super::{
    effects::{Effect, Effects},
    extend::LATE_MICROS,
    machine::{Node, SearchId, Template},
};
use crate::{
    block::Block,
    blockchain::{Blockchain, MineError},
    command::{Answer, Forged, Placement, Ticket},
    event::Happening,
    pow::{Exhausted, Target},
    rules::ProofRule,
    time::{Time, Timestamp},
    transaction::Transaction,
};

/// The most bytes that a later block's index and timestamp take: 20 digits, and a point and 17 digits or an exponent.
const INDEX_AND_TIMESTAMP_MAX: usize = 20 + 24;

/// Who waits for a block, and what is searched for. What a new tip changes comes first, close together.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(super) struct Mining {
    searches: u64,
    current: Option<SearchId>,
    /// Once a driver has asked for the template of the current search.
    prepared: Option<Box<Prepared>>,
    /// Whether it goes on without tickets.
    pub(super) continuous: bool,
    /// One block for each.
    tickets: VecDeque<Ticket>,
}

#[derive(Debug, Clone)]
struct Prepared {
    template: Template,
    /// What the proof will complete, if the proof covers it; else the block is made when the proof is found.
    sealed: Option<Block>,
}

impl Mining {
    fn is_wanted(&self) -> bool {
        self.continuous || !self.tickets.is_empty()
    }

    /// Answers whoever waits for a block that was mined, the last of a chain.
    #[inline]
    pub(super) fn answer(&mut self, chain: &Blockchain, effects: &mut Effects) {
        if let Some(ticket) = self.tickets.pop_front() {
            effects.push(Effect::Answer(ticket, Answer::Mine(Ok(Forged::from(chain.last_block())))));
        }
    }
}

impl Node {
    pub(super) fn mine(&mut self, ticket: Ticket, effects: &mut Effects) {
        self.mining.tickets.push_back(ticket);
        if self.mining.current.is_none() {
            self.search(effects);
        }
    }

    pub(super) fn start_mining(&mut self, effects: &mut Effects) {
        self.mining.continuous = true;
        if self.mining.current.is_none() {
            self.search(effects);
        }
    }

    pub(super) fn stop_mining(&mut self, effects: &mut Effects) {
        self.end_mining(MineError::Stopped, effects);
    }

    /// Answers whoever waits for a block but has no more time.
    pub(super) fn give_up_block(&mut self, ticket: Ticket, effects: &mut Effects) {
        let Some(place) = self.mining.tickets.iter().position(|waiting| *waiting == ticket) else { return };
        self.mining.tickets.remove(place);
        effects.push(Effect::Answer(ticket, Answer::Mine(Err(MineError::TimedOut))));
        if !self.mining.is_wanted() && self.mining.current.take().is_some() {
            effects.push(Effect::StopSearch);
        }
    }

    /// Ends mining, as no block is to be had.
    fn give_up_mining(&mut self, error: MineError, effects: &mut Effects) {
        effects.happened(Happening::MiningEnded { error: error.clone() });
        self.end_mining(error, effects);
    }

    fn end_mining(&mut self, error: MineError, effects: &mut Effects) {
        self.mining.continuous = false;
        if self.mining.current.take().is_some() {
            effects.push(Effect::StopSearch);
        }
        for ticket in self.mining.tickets.drain(..) {
            effects.push(Effect::Answer(ticket, Answer::Mine(Err(error.clone()))));
        }
    }

    /// Searches on the tip, if anybody wants a block.
    pub(super) fn search(&mut self, effects: &mut Effects) {
        if !self.mining.is_wanted() {
            return;
        }
        self.begin_attack(effects);
        self.ask_for_lost_branch(effects);
        // Neither the median nor the start of a window comes after the tip.
        let may_end = self.mined_on().tip_micros() > LATE_MICROS;
        if may_end && self.mined_on().next_timestamp(&self.rules, Time::UNIX_EPOCH).is_none() {
            return self.give_up_mining(MineError::NoTimestampLeft, effects);
        }
        let target = self.mined_on().next_target(&self.rules);
        effects.push(Effect::Search(self.begin_search(), target));
    }

    /// Makes the next search of a node that holds nothing back, on a tip that leaves a timestamp for a block, if anybody
    /// wants a block.
    #[inline(always)]
    pub(super) fn next_search(&mut self) -> Option<(SearchId, Target)> {
        self.begin_wanted_search().map(|search| (search, self.chain.next_target(&self.rules)))
    }

    /// Begins a search, if the node mines.
    #[inline]
    pub(super) fn begin_wanted_search(&mut self) -> Option<SearchId> {
        let is_wanted = self.mining.is_wanted();
        is_wanted.then(|| self.begin_search())
    }

    #[inline]
    fn begin_search(&mut self) -> SearchId {
        self.mining.searches += 1;
        let id = SearchId(self.mining.searches);
        self.mining.current = Some(id);
        self.mining.prepared = None;
        id
    }

    /// Returns the search that the node is in.
    pub(crate) fn current_search(&self) -> Option<SearchId> {
        self.mining.current
    }

    /// Searches anew if the block that is searched for leaves out what has just become pending.
    pub(super) fn renew_search(&mut self, effects: &mut Effects) {
        if self.mining.prepared.as_ref().is_some_and(|prepared| prepared.sealed.is_some()) {
            self.search(effects);
        }
    }

    /// Returns what a search is for; nothing, if the search is over.
    ///
    /// A driver asks when it begins to try proofs, however long after the search was told. What the proof covers is
    /// chosen then, in proportion to the block or, where all of it does not fit, to what is pending, and stays until
    /// another search takes its place. A driver that tries none, as it draws when they are found, never asks, and the
    /// block is made when its proof is found.
    pub fn template(&mut self, now: Time, search: SearchId) -> Option<Template> {
        if self.mining.current != Some(search) {
            return None;
        }
        if let Some(prepared) = &self.mining.prepared {
            return Some(prepared.template);
        }
        let block = self.next_block(now);
        let parent = self.mined_on();
        let target = parent.next_target(&self.rules);
        let challenge = self.rules.challenge(&block, parent.last_block(), parent.tip_hash());
        let template = Template { challenge, target };
        let is_covered = matches!(self.rules.proof, ProofRule::Sealed | ProofRule::Drawn);
        let sealed = is_covered.then_some(block);
        self.mining.prepared = Some(Box::new(Prepared { template, sealed }));
        Some(template)
    }

    /// Makes the next block of what is pending now, or of what it has in mind in the place of that, without its proof.
    fn next_block(&self, now: Time) -> Block {
        let parent = self.mined_on();
        let timestamp = parent.next_timestamp(&self.rules, now);
        let timestamp = timestamp.expect("a search begins only where a timestamp is left");
        let payments = self.own_transactions().unwrap_or_else(|| self.select_payments(timestamp));
        let transactions: Arc<[_]> = match payments.is_empty() {
            true => Arc::clone(&self.reward) as _,
            false => payments.into_iter().chain(self.reward.iter().cloned()).collect(),
        };
        parent.next_block(transactions, timestamp)
    }

    /// Picks out those pending payments that the next block will hold beside its reward.
    fn select_payments(&self, timestamp: Timestamp) -> Vec<Transaction> {
        if self.mempool.is_empty() {
            return Vec::new();
        }
        let (most, bytes_left) = (self.rules.payments_max, self.bytes_left(timestamp));
        self.mempool.select(most, bytes_left, &self.reward[0], &self.rules, self.mined_on().accounts())
    }

    /// How many bytes of payments the next block may hold beside its reward.
    fn bytes_left(&self, timestamp: Timestamp) -> usize {
        // Whatever the proof will be, there is room for the longest.
        let empty =
            self.chain.next_block(Arc::clone(&self.reward) as Arc<[_]>, timestamp).with_proof(u64::MAX);
        self.rules.block_bytes_max.saturating_sub(empty.size())
    }

    /// Tells when a transaction will be mined, if it is pending.
    pub(super) fn placement(&self, transaction: &Transaction) -> Option<Placement> {
        if let Some(nonce) = self.mempool.missing_nonce(transaction, self.chain.accounts()) {
            return Some(Placement::AwaitsNonce { nonce });
        }
        let bytes_left = self.bytes_left(Timestamp::integer(0));
        let bytes_left = bytes_left.saturating_sub(INDEX_AND_TIMESTAMP_MAX);
        let before = self.mempool.blocks_before(transaction, self.rules.payments_max, bytes_left)?;
        Some(Placement::InBlock { position: self.chain.len() + 1 + before })
    }

    pub(super) fn found(&mut self, now: Time, search: SearchId, proof: u64, effects: &mut Effects) {
        if let Some(chain) = self.complete(now, search, proof, effects) {
            self.has_mined(now, chain.clone(), effects);
            self.mining.answer(&chain, effects);
            self.search(effects);
        }
    }

    /// Makes the block whose proof was found, and returns the chain that ends with it; none if the proof comes too late, or if
    /// the rules refuse the block, which ends mining.
    #[inline]
    pub(super) fn complete(
        &mut self,
        now: Time,
        search: SearchId,
        proof: u64,
        effects: &mut Effects,
    ) -> Option<Blockchain> {
        // A proof of a search that was given up comes too late.
        self.mining.current.take_if(|current| *current == search)?;
        let sealed = self.mining.prepared.take().and_then(|prepared| prepared.sealed);
        let block = sealed.unwrap_or_else(|| self.next_block(now)).with_proof(proof);
        let parent = self.mined_on();
        let chain = match parent.append_under(block, &self.rules, self.fingerprint) {
            Ok(chain) => chain,
            Err(invalid) => {
                self.give_up_mining(MineError::Refused(invalid), effects);
                return None;
            }
        };
        let (block, parent) = (chain.tip_hash(), parent.tip_hash());
        let happening = Happening::Mined { block, position: chain.len(), parent };
        effects.happened(happening);
        Some(chain)
    }

    pub(super) fn exhausted(&mut self, search: SearchId, exhausted: Exhausted, effects: &mut Effects) {
        if self.mining.current.take_if(|current| *current == search).is_some() {
            self.give_up_mining(MineError::Exhausted(exhausted), effects);
        }
    }
}

impl From<&Block> for Forged {
    fn from(block: &Block) -> Self {
        Self {
            position: block.index(),
            transactions: block.transactions().to_vec(),
            proof: block.proof(),
            previous_hash: block.previous_hash(),
        }
    }
}
