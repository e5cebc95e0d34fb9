//! A peer that lies: junk, blocks that break a rule, answers to questions never asked, silence.

use std::{sync::Arc, time::Duration};

use chainlab::{
    Block, BlockHash, Blockchain, Difficulty, Driver, Inventory, Message, NetworkOf, NodeId, PreviousHash,
    RequestId, Rules, Timestamp, Told, Transaction, TransactionHash,
    pow::{Search, Target},
};

use crate::{
    random::Random,
    rules::{SENDERS, address},
};

pub(crate) struct Liar {
    pub(crate) puppet: NodeId,
}

/// The liar's own coins; nothing that the storm submits is from here.
pub(crate) const ADDRESS: &str = "mallory";

impl Liar {
    /// Tells a node a lie, or for once the truth, about what follows a chain. Returns what it was.
    pub(crate) fn tell<D: Driver>(
        &self,
        network: &NetworkOf<D>,
        random: &mut Random,
        to: NodeId,
        chain: &Blockchain,
        rules: &Rules,
    ) -> &'static str {
        let (draw, kind) = (random.next(), random.below(28));
        let request = RequestId(draw % 8);
        let back = chain.len().saturating_sub(draw % 4).max(1);
        let older = chain.at(back).expect("the chain is as long as that");
        let fair = || forge(&older, rules, vec![], |_| {});
        let new = |block: Block| Message::NewBlock(block.into());
        let (what, message) = match kind {
            0 => ("junk", Message::NewBlock(Told::Document("{\"junk\": [".into()))),
            1 => ("a document of no block", Message::NewBlock(Told::Document("{\"index\": -1}".into()))),
            2 => ("a proof that is not met", {
                let block = fair();
                let other = (1..).map(|step| block.clone().with_proof(block.proof() + step));
                new(other.into_iter().find(|block| !is_met(block, &older, rules)).expect("most are not met"))
            }),
            3 => ("a proof of other content", {
                let block = fair();
                let other =
                    forge_with(&older, rules, vec![Transaction::reward("mallory's mother", rules.reward)]);
                let transactions = other.transactions().to_vec();
                new(Block::new(
                    block.index(),
                    block.timestamp(),
                    transactions,
                    block.proof(),
                    block.previous_hash(),
                ))
            }),
            4 => ("a reward that is too high", {
                new(forge_with(&older, rules, vec![Transaction::reward(ADDRESS, rules.reward + 1)]))
            }),
            5 => ("no reward", new(forge_with(&older, rules, vec![]))),
            6 => ("an overdraft", {
                let nonce = older.account(ADDRESS).nonce;
                let spend = Transaction::new(ADDRESS, "drain", u64::MAX / 2).with_nonce(nonce);
                new(forge(&older, rules, vec![spend], |_| {}))
            }),
            7 => ("a nonce used twice", {
                let nonce = older.account(ADDRESS).nonce;
                let spend = Transaction::new(ADDRESS, "drain", 1).with_nonce(nonce);
                new(forge(&older, rules, vec![spend.clone(), spend], |_| {}))
            }),
            8 => ("a time not after the median", {
                new(forge(&older, rules, vec![], |micros| *micros -= 1 + draw % 1000))
            }),
            9 => ("an orphan", {
                let parent = PreviousHash::Hash(BlockHash::of(&draw.to_be_bytes()));
                new(Block::new(chain.len() + 5, Timestamp::integer(1), [], draw, parent))
            }),
            10 => ("a chain never asked for", Message::Chain { request, chain: chain.clone().into() }),
            11 => ("blocks never asked for", {
                Message::Blocks { request, after: back, blocks: chain.clone().into() }
            }),
            12 => ("that it has a block", Message::Acknowledge { block: chain.tip_hash() }),
            13 => ("a chain by easier rules", {
                let easier = Rules { difficulty: Difficulty::Fixed(Target::EASIEST), ..rules.clone() };
                let start =
                    Blockchain::start(&easier, chain.block(1).map_or_else(Default::default, time)).unwrap();
                let longer = (0..3).fold(start, |chain, _| {
                    chain.append(forge(&chain, &easier, vec![], |_| {}), &easier).expect("it is easy")
                });
                Message::NewBlock(Told::Chain(longer))
            }),
            14 => ("a transaction, another to each", {
                let spend = drain(chain, draw);
                tells(request, draw, [spend.hash()].into())
            }),
            15 => ("transactions that there are not", {
                let hashes = (0..draw % 300).map(|number| drain(chain, number).with_nonce(draw).hash());
                tells(request, draw, hashes.collect())
            }),
            16 => ("transactions never asked for", {
                Message::Transactions { request, transactions: [drain(chain, draw)].into() }
            }),
            17 => ("that it has judged all", Message::AcknowledgeInventory { request }),
            18 => ("that it wants to be told", Message::InventoryRequest),
            19 => ("of a tip whose parents it does not send", Message::NewBlock(chain.clone().into())),
            20 => ("of a block that there is not", {
                Message::Announce {
                    block: BlockHash::of(&draw.to_be_bytes()),
                    position: chain.len() + draw % 9,
                }
            }),
            21 => {
                ("of a tip by its hash", Message::Announce { block: chain.tip_hash(), position: chain.len() })
            }
            22 => ("a compact block of what nobody has", {
                Message::CompactBlock(forge(&older, rules, vec![drain(&older, draw)], |_| {}).into())
            }),
            23 => ("a compact block that holds", Message::CompactBlock(fair().into())),
            24 => ("a block that takes too many bytes", {
                let nonce = older.account(ADDRESS).nonce;
                let spend = |nonce| Transaction::new(ADDRESS, "drain".repeat(16), 0).with_nonce(nonce);
                let fat = forge(&older, rules, (nonce..nonce + 15).map(spend).collect(), |_| {});
                if draw.is_multiple_of(2) { new(fat) } else { Message::CompactBlock(fat.into()) }
            }),
            25 => ("an orphan with work", new(orphan(&older, rules, draw))),
            26 => ("payments far ahead in others' names", {
                let hashes = (0..AHEAD).map(|number| ahead(number).hash()).collect();
                tells(request, draw, hashes)
            }),
            // A fork, if it is not on the tip.
            _ => ("a block that holds", new(fair())),
        };
        network.say(self.puppet, to, message).unwrap();
        what
    }

    /// Tells a node of the last block of a chain, which it may not have heard of yet.
    pub(crate) fn tell_of_tip<D: Driver>(&self, network: &NetworkOf<D>, to: NodeId, chain: &Blockchain) {
        network.say(self.puppet, to, Message::NewBlock(chain.clone().into())).unwrap();
    }

    /// Reads what it was told, and answers some of the questions wrongly and some not at all. It never waits.
    pub(crate) fn answer<D: Driver>(&self, network: &NetworkOf<D>, chain: &Blockchain) {
        // Not more than were there already: the nodes go on asking.
        for _ in 0..1000 {
            let Some((from, message)) = network.hear(self.puppet, Duration::ZERO).unwrap() else {
                return;
            };
            let answer = match message {
                Message::ChainRequest { request } if request.0.is_multiple_of(2) => {
                    Message::Chain { request, chain: Told::Document("[]".into()) }
                }
                Message::ChainRequest { request } if request.0.is_multiple_of(3) => {
                    Message::Chain { request, chain: chain.clone().into() }
                }
                Message::BlocksRequest { request, locator, .. } => {
                    let Some((after, blocks)) = blocks_for(request, &locator, chain) else { continue };
                    Message::Blocks { request, after, blocks }
                }
                Message::TransactionsRequest { request, wanted } if !request.0.is_multiple_of(3) => {
                    let all = (0..90).map(|amount| drain(chain, amount)).chain((0..AHEAD).map(ahead));
                    let transactions = all.filter(|spend| wanted.contains(&spend.hash())).collect();
                    Message::Transactions { request, transactions }
                }
                Message::Inventory(Inventory { request, .. }) if request.0.is_multiple_of(2) => {
                    Message::AcknowledgeInventory { request }
                }
                _ => continue,
            };
            network.say(self.puppet, from, answer).unwrap();
        }
    }
}

fn tells(request: RequestId, draw: u64, hashes: Arc<[TransactionHash]>) -> Message {
    let (is_anew, acknowledge) = (draw.is_multiple_of(2), (draw % 4).checked_sub(1));
    Message::Inventory(Inventory { request, is_anew, acknowledge, hashes })
}

/// One of many ways to spend the liar's next nonce.
fn drain(chain: &Blockchain, amount: u64) -> Transaction {
    Transaction::new(ADDRESS, "drain", amount % 90).with_nonce(chain.account(ADDRESS).nonce)
}

/// How many payments the liar makes up in others' names.
const AHEAD: u64 = 200;

/// A payment in a sender's name, with a nonce so far ahead that it is never mined.
fn ahead(number: u64) -> Transaction {
    let sender = address(number as usize % SENDERS);
    Transaction::new(sender, ADDRESS, number).with_nonce(1_000_000 - number)
}

/// A block on nothing, as much work as the next of a chain.
fn orphan(chain: &Blockchain, rules: &Rules, draw: u64) -> Block {
    let parent = PreviousHash::Hash(BlockHash::of(&draw.to_be_bytes()));
    let reward = Transaction::reward(ADDRESS, rules.reward);
    let timestamp = Timestamp::from_micros(earliest(chain, rules));
    proven(chain, rules, Block::new(chain.len() + draw % 9, timestamp, [reward], 0, parent))
}

/// What is answered to a question for blocks: nothing, junk of all kinds, little, or the truth.
fn blocks_for(request: RequestId, locator: &[(u64, BlockHash)], chain: &Blockchain) -> Option<(u64, Told)> {
    let known = locator.iter().find(|(position, hash)| chain.holds(*hash, *position));
    let after = known.map_or(1, |(position, _)| *position);
    let part = |len: u64| chain.at(len.min(chain.len())).map(Told::from);
    let blocks = match request.0 % 8 {
        0 => Told::Blocks([].into()),
        1 => chain.last_block().clone().with_proof(request.0).into(),
        2 => part(after + 1)?,
        3 => part(after)?,
        4 => return Some((after + 7, chain.clone().into())),
        5 => Told::Document("[]".into()),
        6 => chain.clone().into(),
        _ => return None,
    };
    Some((after, blocks))
}

fn time(block: &Block) -> chainlab::Time {
    chainlab::Time::from_nanos(block.timestamp().rounded_micros() * 1000)
}

fn is_met(block: &Block, parent: &Blockchain, rules: &Rules) -> bool {
    let challenge = rules.challenge(block, parent.last_block(), parent.tip_hash());
    challenge.is_met(block.proof(), parent.next_target(rules))
}

/// A block of transactions and the right reward on top of a chain, its proof met.
fn forge(
    chain: &Blockchain,
    rules: &Rules,
    mut transactions: Vec<Transaction>,
    change: impl FnOnce(&mut u64),
) -> Block {
    transactions.push(Transaction::reward(ADDRESS, rules.reward));
    let mut micros = earliest(chain, rules);
    change(&mut micros);
    with_proof(chain, rules, transactions, micros)
}

/// A block of just these transactions.
fn forge_with(chain: &Blockchain, rules: &Rules, transactions: Vec<Transaction>) -> Block {
    with_proof(chain, rules, transactions, earliest(chain, rules))
}

/// The earliest time that the rules allow.
fn earliest(chain: &Blockchain, rules: &Rules) -> u64 {
    let context = chain.context(rules);
    context.window_micros.unwrap_or(0).max(context.median_micros + 1)
}

fn with_proof(chain: &Blockchain, rules: &Rules, transactions: Vec<Transaction>, micros: u64) -> Block {
    let previous_hash = PreviousHash::Hash(chain.tip_hash());
    let timestamp = Timestamp::from_micros(micros);
    proven(chain, rules, Block::new(chain.len() + 1, timestamp, transactions, 0, previous_hash))
}

/// A block with a proof that the next of a chain would need.
fn proven(chain: &Blockchain, rules: &Rules, block: Block) -> Block {
    let challenge = rules.challenge(&block, chain.last_block(), chain.tip_hash());
    let proof = Search::new(challenge, chain.next_target(rules)).run(u64::MAX).expect("the target is easy");
    block.with_proof(proof.expect("the search runs to its end"))
}
