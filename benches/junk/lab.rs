//! An honest node, and a liar that it listens to.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use chainlab::{
    Block, BlockHash, Blockchain, Command, Difficulty, Effect, Effects, Genesis, Input, Limits, Message,
    Node, NodeConfig, NodeId, PreviousHash, RequestId, Rules, Ticket, Time, Timestamp, Transaction,
    pow::{Challenge, Search, Target},
};

use crate::{ALLOCATOR, messages::FULL};

pub(crate) const START: Time = Time::from_secs(1_000_000);
const LIAR: NodeId = NodeId::new(1);
const FRIEND: NodeId = NodeId::new(2);
/// How many blocks the node has.
pub(crate) const BLOCKS: u64 = 500;
const BRANCHES: usize = 10;

pub(crate) fn rules() -> Rules {
    let target = Target::leading_zero_bits(4);
    Rules {
        difficulty: Difficulty::Fixed(target),
        genesis: Genesis::Shared { time: Some(START), allocations: [("alice".into(), 1_000_000)].into() },
        ..Rules::sealed()
    }
}

/// A block that names its parent, with a proof that is met, or one that is not.
pub(crate) fn block(index: u64, parent: BlockHash, transactions: Vec<Transaction>, is_met: bool) -> Block {
    block_at(START + Duration::from_millis(index), index, parent, transactions, is_met)
}

pub(crate) fn block_at(
    time: Time,
    index: u64,
    parent: BlockHash,
    transactions: Vec<Transaction>,
    is_met: bool,
) -> Block {
    let block = Block::new(index, Timestamp::from(time), transactions, 0, PreviousHash::Hash(parent));
    let challenge = Challenge::Sealed { digest: block.digest() };
    let target = rules().difficulty.first_target();
    let proof = match is_met {
        true => {
            Search::new(challenge, target).run(u64::MAX).expect("it is soon met").expect("it is soon met")
        }
        false => (0..).find(|proof| !challenge.is_met(*proof, target)).expect("most are not"),
    };
    block.with_proof(proof)
}

fn grown(chain: &Blockchain, rules: &Rules, miner: &str, blocks: u64) -> Blockchain {
    (0..blocks).fold(chain.clone(), |chain, _| {
        let reward = vec![Transaction::reward(miner, rules.reward)];
        chain
            .append(block(chain.len() + 1, chain.tip_hash(), reward, true), rules)
            .expect("it keeps the rules")
    })
}

/// A hash that no block has.
pub(crate) fn nowhere(number: u64) -> BlockHash {
    BlockHash::of(&number.to_be_bytes())
}

pub(crate) fn payment(sender: &str, nonce: u64) -> Transaction {
    Transaction::new(sender, "bob", 1).with_nonce(nonce)
}

pub(crate) struct Lab {
    node: Node,
    pub(crate) chain: Blockchain,
    /// Branches from the genesis on that are two blocks shorter.
    pub(crate) worse: Vec<Blockchain>,
    /// As many that are as long, verified under other rules.
    pub(crate) foreign: Vec<Blockchain>,
    /// A full block on the genesis, verified under other rules.
    pub(crate) full: Blockchain,
}

/// What is asked before a message that answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// For the chain, in a resolve.
    Chains,
    /// For what leads to a block that there is nowhere.
    Blocks,
    /// The messages come in pairs: an inventory, upon which the node asks, and the answer.
    ByInventory,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let rules = Arc::new(rules());
        let start = Blockchain::start(&rules, START).unwrap();
        let chain = grown(&start, &rules, "miner", BLOCKS - 1);
        let branches = |start: &Blockchain, rules: &Rules, miner: &str, blocks| {
            (0..BRANCHES).map(|number| grown(start, rules, &format!("{miner}-{number}"), blocks)).collect()
        };
        let worse = branches(&start, &rules, "liar", BLOCKS - 3);
        let lenient = Rules { payments_max: 1, ..Rules::clone(&rules) };
        let elsewhere = start.verify(&lenient).expect("they are kept");
        let foreign = branches(&elsewhere, &lenient, "foreigner", BLOCKS - 1);
        let lavish = Rules { payments_max: 2 * FULL as usize, ..Rules::clone(&rules) };
        let full =
            (0..FULL - 1).map(|nonce| payment("alice", nonce)).chain([Transaction::reward("miner", 50)]);
        let full = block(2, start.tip_hash(), full.collect(), true);
        let full =
            start.verify(&lavish).and_then(|start| start.append(full, &lavish)).expect("it keeps the rules");
        let limits = Limits { bad_blocks: u32::MAX, ..Limits::default() };
        let address = "miner".into();
        let config = NodeConfig { id: NodeId::new(0), rules, address, limits, behaviour: Default::default() };
        let mut node = Node::with_config(config, START).unwrap();
        let mut tell = |input| node.handle(now(), input, &mut Effects::default());
        tell(Input::Command(Ticket(1), Command::Register(vec![LIAR, FRIEND])));
        for position in 2..=BLOCKS {
            let told = chain.at(position).expect("it is that long");
            tell(Input::Message(FRIEND, Message::NewBlock(told.into())));
        }
        // What the questions for transactions are about.
        for nonce in 0..256 {
            tell(Input::Command(Ticket(2), Command::Submit(payment("alice", nonce))));
        }
        assert_eq!(node.chain(), &chain);
        Self { node, chain, worse, foreign, full }
    }

    /// Hands a node the messages, which answer what it asked; returns the median time that one of them took, as those
    /// that were interrupted took far more.
    pub(crate) fn time(&self, asked: Asked, messages: Vec<Message>) -> Duration {
        let times = feed(&mut self.node.clone(), asked, messages);
        // Of a pair each message takes half of what both do.
        let at_once = if asked == Asked::ByInventory { 2 } else { 1 };
        let mut times: Vec<_> = times.chunks(at_once).map(|each| each.iter().sum::<Duration>()).collect();
        times.sort_unstable();
        times[times.len() / 2] / at_once as u32
    }

    /// Hands a node the messages; returns the bytes of memory that it has taken by them. They must be held by nobody else.
    pub(crate) fn kept(&self, asked: Asked, messages: Vec<Message>) -> usize {
        let before = ALLOCATOR.current_usage();
        let mut node = self.node.clone();
        let own = ALLOCATOR.current_usage() - before;
        feed(&mut node, asked, messages);
        let with_all = ALLOCATOR.current_usage();
        drop(node);
        (with_all - ALLOCATOR.current_usage()).saturating_sub(own)
    }
}

/// Hands a node messages of the liar, each after what it answers; returns how long each took.
fn feed(node: &mut Node, asked: Asked, messages: Vec<Message>) -> Vec<Duration> {
    let mut effects = Effects::default();
    let mut times = Vec::with_capacity(messages.len());
    for (number, mut message) in (0..).zip(messages) {
        match (asked, &mut message) {
            (Asked::Chains, Message::Chain { request, .. }) => {
                node.handle(now(), Input::Command(Ticket(3), Command::Resolve), &mut effects);
                *request = effects.to_do.iter().find_map(question).expect("it asks its peers");
            }
            (Asked::Blocks, Message::Blocks { request, .. }) => {
                let told = Message::Announce { block: nowhere(1000 + number), position: 2 * BLOCKS };
                node.handle(now(), Input::Message(LIAR, told), &mut effects);
                // It may be reading the answer before.
                for _ in 0..10 {
                    node.handle(now(), Input::Wake, &mut effects);
                }
                *request = effects.to_do.iter().find_map(question).expect("it asks whoever tells");
            }
            _ => {}
        }
        effects.clear();
        let start = Instant::now();
        node.handle(now(), Input::Message(LIAR, message), &mut effects);
        black_box(&effects);
        effects.clear();
        times.push(start.elapsed());
    }
    times
}

fn question(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::Relay { message: Message::ChainRequest { request }, .. }
        | Effect::Send(LIAR, Message::BlocksRequest { request, .. }) => Some(*request),
        _ => None,
    }
}

fn now() -> Time {
    START + Duration::from_secs(100)
}
