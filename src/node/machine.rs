//! The node: its state and its inputs.

use std::sync::Arc;

use super::{
    Limits, NodeConfig,
    effects::{Effect, Effects},
    memory::Gossip,
    mining::Mining,
    payments::Payments,
    questions::Wanted,
    resolve::Resolves,
    secret::Scheme,
};
use crate::{
    blockchain::Blockchain,
    command::{Answer, Command, Snapshot, Submitted, Ticket},
    event::{Happening, IgnoreReason},
    mempool::{LossReason, Mempool, SubmitError},
    message::{Message, NodeId, RequestId, Told},
    pow::{Challenge, Exhausted, Target},
    rules::{Checks, Fingerprint, Relay, Rules, RulesError},
    strategy::{Behaviour, TieBreak},
    time::Time,
    transaction::Transaction,
};

/// What goes into a node.
#[derive(Debug, Clone)]
pub enum Input {
    /// Somebody who holds the node tells it to do something.
    Command(Ticket, Command),
    /// Another node says something.
    Message(NodeId, Message),
    /// A search has found its proof.
    Found(SearchId, u64),
    /// A search has tried every proof in vain.
    Exhausted(SearchId, Exhausted),
    /// A link to a peer has come up: what was said before may have been lost.
    LinkUp(NodeId),
    /// Whoever waits for the answer to a command has no more time: it is to be given at once, whatever it is.
    GiveUp(Ticket),
    /// Whether something may be lost on the way between the node and another, either way. If nothing can, neither
    /// acknowledges what it gets; a node that is not told takes it that something may.
    LinkLoses(NodeId, bool),
    /// The time that the node asked to be woken at has come.
    Wake,
}

/// Tells one search from another, so that a proof that comes too late is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchId(pub u64);

/// What to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// What the proof is sought for.
    pub challenge: Challenge,
    /// What it must meet.
    pub target: Target,
}

/// A node of the network: its chain, its pending transactions and what it is waiting for.
///
/// What a block that extends its tip reads and writes comes first, in two lines of the cache: in a network of ten
/// thousand nodes most of the time is spent on fetching them.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Node {
    pub(super) chain: Blockchain,
    pub(super) fingerprint: Fingerprint,
    /// The blocks of the longest side branch; while an input is handled, at least so many.
    pub(super) longest_branch: u64,
    /// How far ahead of our clock a timestamp may be, in microseconds; where they are not checked, as far as it likes.
    pub(super) ahead_micros: u64,
    /// How often the tip has changed.
    pub(super) tips: u64,
    pub(super) rules: Arc<Rules>,
    pub(super) id: NodeId,
    /// Whether it has nothing on its mind but its chain, since its last input.
    pub(super) is_quiet: bool,
    /// Whether it has nothing on its mind but its chain and the blocks that it lacks.
    pub(super) only_lacks_blocks: bool,
    /// Whether it has nothing on its mind but its chain and a strategy that is not at rest.
    pub(super) only_holds_back: bool,
    /// Whether it sends its peers each new block as a whole.
    pub(super) pushes: bool,
    pub(super) mining: Mining,
    pub(super) limits: Limits,
    /// What its blocks hold beside payments, alone: its reward.
    pub(super) reward: Arc<[Transaction; 1]>,
    pub(super) mempool: Mempool,
    /// In the order in which they were registered.
    pub(super) peers: Vec<NodeId>,
    /// The others between whom and it nothing is lost, in order.
    pub(super) lossless: Vec<NodeId>,
    /// How many peers are not among those.
    pub(super) lossy_peers: usize,
    pub(super) resolves: Resolves,
    pub(super) gossip: Gossip,
    pub(super) payments: Payments,
    pub(super) tie_break: TieBreak,
    /// What it holds back, unless it is honest.
    pub(super) scheme: Option<Box<Scheme>>,
    next_request: u64,
    /// The wake-up that the driver knows of.
    pub(super) wake_at: Option<Time>,
}

impl Node {
    /// Makes a node with a genesis of the rules at a moment and the default [`Limits`]; its rewards go to `address`.
    ///
    /// # Errors
    ///
    /// What of the rules cannot be kept together with the rest.
    pub fn new(
        id: NodeId,
        rules: Arc<Rules>,
        address: impl Into<Arc<str>>,
        now: Time,
    ) -> Result<Self, RulesError> {
        let (limits, behaviour) = (Limits::default(), Behaviour::default());
        let config = NodeConfig { id, rules, address: address.into(), limits, behaviour };
        Self::with_config(config, now)
    }

    /// Makes a node with a genesis of the rules at a moment.
    ///
    /// # Errors
    ///
    /// What of the rules cannot be kept together with the rest.
    pub fn with_config(config: NodeConfig, now: Time) -> Result<Self, RulesError> {
        let chain = Blockchain::start(&config.rules, now)?;
        Ok(Self::on_chain(config, chain))
    }

    /// Makes a node that has a chain, verified under the same rules, and nothing else.
    pub(crate) fn on_chain(config: NodeConfig, chain: Blockchain) -> Self {
        let (node, _) = Self::restored(config, Snapshot { chain, pending: Vec::new(), peers: Vec::new() });
        node
    }

    /// Makes a node that goes on with what one has left, whose chain was verified under the same rules. Returns it with
    /// the pending transactions that it has to refuse, each with the reason.
    pub(crate) fn restored(config: NodeConfig, left: Snapshot) -> (Self, Vec<(Transaction, LossReason)>) {
        let NodeConfig { id, rules, address, limits, behaviour } = config;
        let Snapshot { chain, pending, peers } = left;
        let (fingerprint, pushes) = (rules.fingerprint(), rules.relay == Relay::Push);
        let ahead_micros = match rules.checks {
            Checks::LinksAndProofs => u64::MAX,
            Checks::WholeBlocks => u64::try_from(rules.ahead_max.as_micros()).unwrap_or(u64::MAX),
        };
        debug_assert!(chain.is_verified_under(fingerprint));
        let reward = Arc::new([Transaction::reward(address, rules.reward).written()]);
        let scheme = Scheme::of(behaviour.strategy, &chain);
        let mut mempool = Mempool::new(limits.mempool);
        let lost = mempool.restore(pending, &rules, chain.accounts());
        // Nothing is known of any yet.
        let lossy_peers = peers.len();
        let mut node = Self {
            id,
            rules,
            fingerprint,
            limits,
            reward,
            chain,
            mempool,
            peers,
            lossless: Vec::new(),
            lossy_peers,
            is_quiet: false,
            only_lacks_blocks: false,
            only_holds_back: false,
            pushes,
            longest_branch: 0,
            tips: 0,
            ahead_micros,
            resolves: Resolves::default(),
            mining: Mining::default(),
            gossip: Gossip::default(),
            payments: Payments::default(),
            tie_break: behaviour.tie_break,
            scheme: scheme.map(Box::new),
            next_request: 0,
            wake_at: None,
        };
        // Its peers are told of it again, like of all that it takes in.
        let pending: Vec<_> = node.mempool.iter().cloned().collect();
        for transaction in pending {
            node.has_news(transaction, None);
        }
        (node, lost)
    }

    /// Returns the node's number.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Returns the address that the node's rewards go to.
    pub fn address(&self) -> &Arc<str> {
        self.reward[0].recipient_address()
    }

    /// Returns the node's chain.
    pub fn chain(&self) -> &Blockchain {
        &self.chain
    }

    /// Returns the pending transactions.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// Returns the peers, in the order in which they were registered.
    pub fn peers(&self) -> &[NodeId] {
        &self.peers
    }

    /// Returns what of the node is saved.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let pending = self.mempool.iter().cloned().collect();
        Snapshot { chain: self.chain.clone(), pending, peers: self.peers.clone() }
    }

    /// Handles an input at a moment, and adds what comes of it to `effects`.
    ///
    /// Times should not go back; one that does delays the node's deadlines, and nothing worse. What is due is done at the
    /// wake-up that was [asked for](Effect::WakeAt), if no input before it has the node do it.
    pub fn handle(&mut self, now: Time, input: Input, effects: &mut Effects) {
        match input {
            Input::Message(from, Message::NewBlock(Told::Chain(chain))) if self.extends(now, &chain) => {
                let acknowledges = !self.loses_nothing(from);
                self.extend(from, chain, acknowledges, effects);
            }
            Input::Message(from, Message::NewBlock(Told::Chain(chain))) if self.reorganises(now, &chain) => {
                let acknowledges = !self.loses_nothing(from);
                self.reorganise(from, chain, acknowledges, effects);
            }
            Input::Message(from, ref message) if self.takes_note(now, from, message) => {}
            Input::Found(search, proof) if self.only_grows() => {
                self.grow(now, (search, proof), effects);
            }
            Input::Message(from, Message::Announce { block, position })
                if self.only_asks(from, block, position) =>
            {
                self.wants(from, Wanted { hash: block, position });
                self.ask_for_blocks(now, effects);
                self.rest(now, None, effects);
            }
            Input::Message(from, Message::BlocksRequest { request, wanted, locator })
                if self.only_answers(now, from) =>
            {
                self.asked_for_blocks(from, request, wanted, &locator, effects);
            }
            Input::Message(from, Message::Blocks { request, after, blocks: Told::Chain(chain) })
                if self.is_all_that_it_lacks(now, (from, request), after, &chain) =>
            {
                let acknowledges = !self.loses_nothing(from);
                self.gossip.questions.end();
                self.extend(from, chain, acknowledges, effects);
                self.rest(now, None, effects);
            }
            input => self.handle_at_length(now, input, effects),
        }
    }

    /// Handles an input, whatever it is, and looks at all that may be due.
    pub(super) fn handle_at_length(&mut self, now: Time, input: Input, effects: &mut Effects) {
        match input {
            Input::Command(ticket, command) => self.command(now, ticket, command, effects),
            Input::Message(from, message) => self.message(now, from, message, effects),
            Input::Found(search, proof) => self.found(now, search, proof, effects),
            Input::Exhausted(search, exhausted) => self.exhausted(search, exhausted, effects),
            Input::LinkUp(peer) => {
                self.gossip.doubt(peer);
                self.announce_to(now, peer, effects);
                self.tell_anew(now, peer, effects);
            }
            Input::GiveUp(ticket) => {
                self.give_up_block(ticket, effects);
                self.give_up_resolve(now, ticket, effects);
            }
            Input::LinkLoses(other, loses) => self.link_loses(now, other, loses, effects),
            Input::Wake => {
                // The driver's wake-up is spent.
                self.wake_at = None;
            }
        }
        self.end_overdue_resolves(now, effects);
        self.take_up_waiting(now, effects);
        self.ask_for_blocks(now, effects);
        self.announce_again(now, effects);
        self.tell_of_payments(now, effects);
        let deadlines = [self.resolves.deadline(), self.gossip.deadline(now), self.payments.deadline()];
        self.rest(now, deadlines.into_iter().flatten().min(), effects);
        self.longest_branch = self.gossip.longest_branch();
    }

    fn command(&mut self, now: Time, ticket: Ticket, command: Command, effects: &mut Effects) {
        let answer = match command {
            Command::Register(peers) => self.register(now, peers, effects),
            Command::Unregister(peers) => self.unregister(&peers),
            Command::Submit(transaction) => Answer::Submit(self.submit(transaction, effects)),
            Command::Chain => Answer::Chain(self.chain.clone()),
            Command::Pending => Answer::Pending(self.mempool.iter().cloned().collect()),
            Command::Snapshot => Answer::Snapshot(self.snapshot()),
            Command::StartMining => {
                self.start_mining(effects);
                Answer::StartMining
            }
            Command::StopMining => {
                self.stop_mining(effects);
                Answer::StopMining
            }
            Command::Mine => return self.mine(ticket, effects),
            Command::Resolve => return self.resolve(now, ticket, effects),
        };
        effects.push(Effect::Answer(ticket, answer));
    }

    pub(super) fn message(&mut self, now: Time, from: NodeId, message: Message, effects: &mut Effects) {
        if self.gossip.is_banned(from) {
            return ignore(from, IgnoreReason::Banned, effects);
        }
        if self.meets_victim(from) {
            return self.victim_says(from, message, effects);
        }
        match message {
            Message::ChainRequest { request } => {
                let chain = Told::Chain(self.chain.clone());
                effects.push(Effect::Send(from, Message::Chain { request, chain }));
            }
            Message::Chain { request, chain } => self.chain_answered(now, from, request, chain, effects),
            _ if !self.rules.relay.is_on() => ignore(from, IgnoreReason::NoGossip, effects),
            Message::NewBlock(told) => self.told_of_block(now, from, told, effects),
            Message::Announce { block, position } => self.told_of_hash(from, block, position, effects),
            Message::CompactBlock(told) => self.told_of_compact_block(now, from, told, effects),
            Message::BlocksRequest { request, wanted, locator } => {
                self.asked_for_blocks(from, request, wanted, &locator, effects);
            }
            Message::Blocks { request, after, blocks } => {
                self.blocks_answered(now, from, request, after, blocks, effects);
            }
            Message::Acknowledge { block } => self.acknowledged(from, block),
            // Without accounts nobody can tell a transaction from its copy.
            _ if !self.rules.accounts => ignore(from, IgnoreReason::NoGossip, effects),
            Message::Inventory(inventory) => self.told_of_inventory(now, from, &inventory, effects),
            Message::TransactionsRequest { request, wanted } => {
                self.asked_for_transactions(from, request, &wanted, effects);
            }
            Message::Transactions { request, transactions } => {
                self.transactions_answered(now, from, request, &transactions, effects);
            }
            Message::AcknowledgeInventory { request } => {
                self.inventory_acknowledged(now, from, request, effects);
            }
            Message::InventoryRequest => self.asked_for_inventory(now, from, effects),
        }
    }

    fn register(&mut self, now: Time, peers: Vec<NodeId>, effects: &mut Effects) -> Answer {
        for peer in peers {
            if peer != self.id && !self.peers.contains(&peer) && !self.meets_victim(peer) {
                self.peers.push(peer);
                self.lossy_peers += usize::from(!self.loses_nothing(peer));
                self.announce_to(now, peer, effects);
                self.tell_anew(now, peer, effects);
            }
        }
        Answer::Register(self.peers.clone())
    }

    /// Has peers no longer for peers: they are told nothing more, and count as strangers. What they were asked they may
    /// still answer.
    fn unregister(&mut self, peers: &[NodeId]) -> Answer {
        for &peer in peers {
            if let Some(place) = self.peers.iter().position(|kept| *kept == peer) {
                self.peers.remove(place);
                self.lossy_peers -= usize::from(!self.loses_nothing(peer));
            }
            self.gossip.confirm(peer);
            self.gossip.questions.became_stranger(peer);
            self.payments.forget(peer);
        }
        Answer::Unregister(self.peers.clone())
    }

    pub(super) fn submit(
        &mut self,
        transaction: Transaction,
        effects: &mut Effects,
    ) -> Result<Submitted, SubmitError> {
        let transaction = self.mempool.numbered(transaction, &self.rules, self.chain.accounts());
        match self.take_in(transaction.clone(), None, effects) {
            // Its owner may well tell of it again: then so does the node.
            Err(SubmitError::AlreadyPending { .. }) => self.has_news(transaction.clone(), None),
            taken => taken?,
        }
        match self.placement(&transaction) {
            Some(placement) => Ok(Submitted { transaction, placement }),
            // It left at once, with what it counted on.
            None => Err(SubmitError::Full { capacity: self.limits.mempool }),
        }
    }

    /// Returns how many questions and inventories the node has numbered.
    pub(crate) fn requests(&self) -> u64 {
        self.next_request
    }

    /// Numbers them from here on: what is late of an earlier life of the node is not taken for what follows.
    #[must_use]
    pub(crate) fn numbering_from(mut self, requests: u64) -> Self {
        self.next_request = requests;
        self
    }

    /// Returns the number of the next question.
    pub(crate) fn next_request(&self) -> RequestId {
        RequestId(self.next_request + 1)
    }

    pub(super) fn new_request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }
}

/// Drops a message, and says so.
pub(super) fn ignore(from: NodeId, reason: IgnoreReason, effects: &mut Effects) {
    effects.happened(Happening::Ignored { from, reason });
}
