//! Where lies are made and told: drafts of blocks that are spoilt in exactly one thing, and an honest node that is
//! handed them by hand.

use std::{sync::Arc, time::Duration};

use chainlab::{
    Block, BlockHash, Blockchain, Command, Difficulty, Effect, Effects, Genesis, Happening, Input, Limits,
    Message, Node, NodeConfig, NodeId, PreviousHash, RequestId, Retarget, Rules, Ticket, Time, Timestamp,
    Told, Transaction,
    pow::{Challenge, Target},
};

/// When the chains start.
pub(crate) const START: Time = Time::from_secs(1_000_000);
/// When the lies are told: long after.
pub(crate) const NOW: Time = Time::from_secs(1_000_100);
/// The honest node, and those who talk to it.
pub(crate) const HONEST: NodeId = NodeId::new(0);
pub(crate) const LIAR: NodeId = NodeId::new(1);
pub(crate) const FRIEND: NodeId = NodeId::new(2);

/// How far time may go back from one window to the next.
pub(crate) const BACK_MAX: Duration = Duration::from_millis(200);

/// The sealed rules at a target that one in 256 hashes meets, with a retarget every four blocks and room for three
/// payments in a block. Alice and Bob have 100 coins each, and Rich nearly all that can be counted.
pub(crate) fn rules() -> Rules {
    let retarget = Retarget::new(Target::leading_zero_bits(8), 4, Duration::from_secs(1)).unwrap();
    let allocations = [("alice", 100), ("bob", 100), ("rich", u64::MAX - 10)];
    Rules {
        difficulty: Difficulty::Retargeted(retarget.with_back_max(BACK_MAX)),
        genesis: Genesis::Shared {
            time: Some(START),
            allocations: allocations.map(|(address, amount)| (address.into(), amount)).into(),
        },
        payments_max: 3,
        ..Rules::sealed()
    }
}

pub(crate) fn spend(sender: &str, nonce: u64, amount: u64) -> Transaction {
    Transaction::new(sender, "someone", amount).with_nonce(nonce)
}

pub(crate) fn reward() -> Transaction {
    Transaction::reward("miner", 50)
}

/// A block without its proof, to be spoilt.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) index: u64,
    pub(crate) timestamp: Timestamp,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) previous_hash: PreviousHash,
}

impl Draft {
    /// The next block of a chain with its reward alone, a tenth of a second after the last.
    pub(crate) fn next(chain: &Blockchain) -> Self {
        let micros = chain.last_block().timestamp().rounded_micros() + 100_000;
        Self {
            index: chain.len() + 1,
            timestamp: Timestamp::from_micros(micros),
            transactions: vec![reward()],
            previous_hash: PreviousHash::Hash(chain.tip_hash()),
        }
    }

    /// Puts transactions before the reward.
    pub(crate) fn with(mut self, transactions: impl IntoIterator<Item = Transaction>) -> Self {
        self.transactions.splice(0..0, transactions);
        self
    }

    pub(crate) fn spoilt(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    pub(crate) fn with_proof(&self, proof: u64) -> Block {
        Block::new(self.index, self.timestamp, self.transactions.clone(), proof, self.previous_hash)
    }

    /// Completes the block with the first proof whose hash is as wanted.
    pub(crate) fn sealed_if(&self, is_wanted: impl Fn(&BlockHash) -> bool) -> Block {
        let challenge = self.challenge();
        let proof = (0..).find(|&proof| is_wanted(&challenge.hash(proof)));
        self.with_proof(proof.expect("it is found long before the numbers end"))
    }

    /// Completes the block with a proof for a target.
    pub(crate) fn sealed(&self, target: Target) -> Block {
        self.sealed_if(|hash| target.is_met_by(hash))
    }

    pub(crate) fn challenge(&self) -> Challenge {
        Challenge::Sealed { digest: self.with_proof(0).digest() }
    }
}

/// Mines a block on a chain, so many seconds after the last.
pub(crate) fn grown(
    chain: &Blockchain,
    rules: &Rules,
    seconds: f64,
    transactions: &[Transaction],
) -> Blockchain {
    let micros = chain.last_block().timestamp().rounded_micros() + (seconds * 1e6) as u64;
    let draft = Draft::next(chain).with(transactions.iter().cloned());
    let draft = draft.spoilt(|draft| draft.timestamp = Timestamp::from_micros(micros));
    chain.append(draft.sealed(chain.next_target(rules)), rules).unwrap()
}

/// Mines so many blocks on a chain, all so many seconds apart.
pub(crate) fn grown_by(chain: &Blockchain, rules: &Rules, seconds: f64, blocks: usize) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| grown(&chain, rules, seconds, &[]))
}

/// The chain of the honest: seven blocks after the genesis, made so fast that the next is to meet a target 16 times as
/// hard as the first. In the second block Bob spent 60 of his 100 coins.
pub(crate) fn honest(rules: &Rules) -> Blockchain {
    let first = grown(&Blockchain::start(rules, START).unwrap(), rules, 0.1, &[spend("bob", 0, 60)]);
    let chain = grown_by(&first, rules, 0.1, 6);
    assert_eq!(chain.next_target(rules), Target::leading_zero_bits(12));
    chain
}

/// The blocks of a chain after a position, bare.
pub(crate) fn bare(chain: &Blockchain, after: u64) -> Told {
    Told::Blocks(chain.iter_after(after).cloned().collect())
}

pub(crate) fn document(chain: &Blockchain) -> Told {
    Told::Document(chain.to_json().into())
}

/// An honest node, its clock, and the effects of its last input.
#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) node: Node,
    pub(crate) rules: Arc<Rules>,
    pub(crate) now: Time,
    pub(crate) effects: Effects,
}

impl Lab {
    /// A node that knows the genesis alone, with the liar and a friend for peers.
    pub(crate) fn new(rules: &Rules, limits: Limits) -> Self {
        let rules = Arc::new(rules.clone());
        let config = NodeConfig {
            id: HONEST,
            rules: Arc::clone(&rules),
            address: "miner-0".into(),
            limits,
            behaviour: Default::default(),
        };
        let node = Node::with_config(config, START).unwrap();
        let mut lab = Self { node, rules, now: NOW, effects: Effects::default() };
        lab.tell(Input::Command(Ticket(1), Command::Register(vec![LIAR, FRIEND])));
        lab
    }

    /// A node that has a chain already, of a friend's.
    pub(crate) fn on(chain: &Blockchain, rules: &Rules) -> Self {
        Self::with_limits(chain, rules, Limits::default())
    }

    pub(crate) fn with_limits(chain: &Blockchain, rules: &Rules, limits: Limits) -> Self {
        let mut lab = Self::new(rules, limits);
        for position in 2..=chain.len() {
            lab.announce(FRIEND, chain.at(position).unwrap());
        }
        assert_eq!(lab.chain(), *chain);
        lab
    }

    pub(crate) fn chain(&self) -> Blockchain {
        self.node.chain().clone()
    }

    /// Hands the node an input, and returns what happened there.
    pub(crate) fn tell(&mut self, input: Input) -> Vec<Happening> {
        let before = self.chain();
        self.effects.clear();
        self.node.handle(self.now, input, &mut self.effects);
        assert!(!before.is_better_than(&self.chain(), &self.rules), "the chain got worse");
        let is_past = |effect: &Effect| matches!(effect, Effect::WakeAt(Some(at)) if *at < self.now);
        assert!(!self.effects.to_do.iter().any(is_past), "nobody can be woken before now");
        self.effects.happened.clone()
    }

    pub(crate) fn hear(&mut self, from: NodeId, message: Message) -> Vec<Happening> {
        self.tell(Input::Message(from, message))
    }

    pub(crate) fn announce(&mut self, from: NodeId, told: impl Into<Told>) -> Vec<Happening> {
        self.hear(from, Message::NewBlock(told.into()))
    }

    /// Has the node ask its peers for their chains; returns its question.
    pub(crate) fn resolve(&mut self) -> RequestId {
        self.tell(Input::Command(Ticket(2), Command::Resolve));
        let question = self.effects.to_do.iter().find_map(|effect| match effect {
            Effect::Relay { message: Message::ChainRequest { request }, .. } => Some(*request),
            _ => None,
        });
        question.expect("it asks its peers")
    }

    /// Whom the node asked last for blocks, in which request.
    pub(crate) fn asked(&self) -> Option<(NodeId, RequestId)> {
        self.effects.to_do.iter().find_map(|effect| match effect {
            Effect::Send(to, Message::BlocksRequest { request, .. }) => Some((*to, *request)),
            _ => None,
        })
    }

    /// Announces a block, and answers with `blocks` if the node asks for what leads to it.
    pub(crate) fn insist(&mut self, told: impl Into<Told>, after: u64, blocks: Told) -> Vec<Happening> {
        let happenings = self.announce(LIAR, told);
        match self.asked() {
            Some((to, request)) => {
                assert_eq!((to, happenings), (LIAR, vec![]), "an unknown block is nothing that happened");
                self.hear(LIAR, Message::Blocks { request, after, blocks })
            }
            None => happenings,
        }
    }

    /// Lets time pass, and wakes the node.
    pub(crate) fn pass(&mut self, duration: Duration) -> Vec<Happening> {
        self.now += duration;
        self.tell(Input::Wake)
    }
}
