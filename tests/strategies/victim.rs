//! A node that keeps a victim apart, step by step: what it says to the victim, and what it makes of what that says.

use std::sync::Arc;

use chainlab::{
    Blockchain, Command, Effect, Effects, Happening, IgnoreReason, Input, Inventory, Message, Node, NodeId,
    RequestId, Rules, Ticket, Told, Transaction, TransactionHash,
    strategy::{Behaviour, Eclipse, Strategy},
};

use super::lab::{START, node};

const PEER: NodeId = NodeId::new(1);
const VICTIM: NodeId = NodeId::new(2);

/// A node with a peer, and a victim that it does not feed, over links that lose nothing.
struct Attacker {
    node: Node,
    rules: Arc<Rules>,
}

impl Attacker {
    fn new() -> Self {
        let strategy = Strategy::Eclipse(Eclipse { victim: VICTIM, feeds: false });
        let (node, rules) = node(Behaviour { strategy, ..Behaviour::default() });
        let mut attacker = Self { node, rules };
        for other in [PEER, VICTIM] {
            attacker.tell(Input::LinkLoses(other, false));
        }
        attacker.tell(Input::Command(Ticket(1), Command::Register(vec![PEER, VICTIM])));
        attacker
    }

    fn tell(&mut self, input: Input) -> Effects {
        let mut effects = Effects::default();
        self.node.handle(START, input, &mut effects);
        effects
    }

    fn hears(&mut self, from: NodeId, message: Message) -> Effects {
        self.tell(Input::Message(from, message))
    }

    /// A chain and so many blocks more, by a miner.
    fn grown(&self, chain: &Blockchain, blocks: usize, miner: &str) -> Blockchain {
        (0..blocks).fold(chain.clone(), |chain, _| chain.mine_next(&self.rules, [], miner, START).unwrap())
    }

    /// What the victim is shown when it asks for the chain.
    fn branch(&mut self) -> Blockchain {
        let asked = RequestId(99);
        let answer = self.hears(VICTIM, Message::ChainRequest { request: asked });
        let [Effect::Send(VICTIM, Message::Chain { request, chain: Told::Chain(chain) })] = &answer.to_do[..]
        else {
            panic!("{answer:?}")
        };
        assert_eq!(*request, asked);
        chain.clone()
    }

    /// The victim tells of a block by its hash, and is asked for its chain.
    fn is_told_of(&mut self, chain: &Blockchain) -> RequestId {
        let announced = Message::Announce { block: chain.tip_hash(), position: chain.len() };
        question(&self.hears(VICTIM, announced).to_do)
    }
}

/// The question for the victim's chain, if nothing else has come of a step.
fn question(effects: &[Effect]) -> RequestId {
    match effects {
        [Effect::Send(VICTIM, Message::ChainRequest { request })] => *request,
        other => panic!("{other:?}"),
    }
}

fn block(chain: &Blockchain) -> Message {
    Message::NewBlock(Told::Chain(chain.clone()))
}

#[test]
fn a_victim_that_asks_for_the_chain_is_shown_its_own() {
    let mut attacker = Attacker::new();
    let genesis = attacker.node.chain().clone();
    let ours = attacker.grown(&genesis, 1, "alice");
    attacker.hears(PEER, block(&ours));
    assert_eq!(attacker.node.chain(), &ours);
    assert_eq!(attacker.branch(), genesis);

    let theirs = attacker.grown(&genesis, 1, "victim");
    attacker.hears(VICTIM, block(&theirs));
    assert_eq!(attacker.branch(), theirs);
    assert_eq!(attacker.node.chain(), &ours);
}

#[test]
fn what_a_victim_pays_is_acknowledged_and_goes_no_further() {
    let mut attacker = Attacker::new();
    let hashes: Arc<[TransactionHash]> = [Transaction::new("victim", "bob", 5).hash()].into();
    let request = RequestId(7);
    let inventory = Inventory { request, is_anew: true, acknowledge: Some(0), hashes };
    let answer = attacker.hears(VICTIM, Message::Inventory(inventory));
    assert!(
        matches!(
            answer.to_do[..],
            [Effect::Send(VICTIM, Message::AcknowledgeInventory { request: RequestId(7) })]
        ),
        "{answer:?}"
    );
}

/// As it may have been told of a block, or of payments, before it was kept apart.
#[test]
fn what_a_victim_acknowledges_is_not_unwanted() {
    let mut attacker = Attacker::new();
    let block = attacker.node.chain().tip_hash();
    for message in [Message::Acknowledge { block }, Message::AcknowledgeInventory { request: RequestId(7) }] {
        let effects = attacker.hears(VICTIM, message);
        assert!(effects.happened.is_empty() && effects.to_do.is_empty(), "{effects:?}");
    }
}

#[test]
fn a_chain_that_a_victim_was_not_asked_for_is_not_taken() {
    let mut attacker = Attacker::new();
    let genesis = attacker.node.chain().clone();
    let theirs = attacker.grown(&genesis, 3, "victim");
    let asked = attacker.is_told_of(&theirs);
    let answer = |request| Message::Chain { request, chain: Told::Chain(theirs.clone()) };
    let effects = attacker.hears(VICTIM, answer(RequestId(asked.0 + 1)));
    let unwanted = Happening::Ignored { from: VICTIM, reason: IgnoreReason::Unwanted };
    assert_eq!(effects.happened, [unwanted]);
    assert!(effects.to_do.is_empty(), "{effects:?}");
    assert_eq!(attacker.branch(), genesis);
    attacker.hears(VICTIM, answer(asked));
    assert_eq!(attacker.branch(), theirs);
}

/// What the victim has it is shown again: not less than that, nor what breaks the rules.
#[test]
fn a_victim_is_shown_nothing_worse_than_it_has() {
    let mut attacker = Attacker::new();
    let genesis = attacker.node.chain().clone();
    let theirs = attacker.grown(&genesis, 2, "victim");
    let shorter = attacker.grown(&genesis, 1, "another");
    let other_rules = Rules { reward: 1 + attacker.rules.reward, ..Rules::clone(&attacker.rules) };
    let foreign = genesis.verify(&other_rules).unwrap();
    let foreign = (0..9).fold(foreign, |chain, _| chain.mine_next(&other_rules, [], "x", START).unwrap());
    let longer = attacker.grown(&theirs, 1, "victim");
    for (answer, kept) in [(&theirs, &theirs), (&shorter, &theirs), (&foreign, &theirs), (&longer, &longer)] {
        let request = attacker.is_told_of(&longer);
        attacker.hears(VICTIM, Message::Chain { request, chain: Told::Chain(answer.clone()) });
        assert_eq!(&attacker.branch(), kept);
    }
}

/// Somebody has told it what it was to be kept from: that it knows the block itself is no answer.
#[test]
fn a_victim_that_has_come_by_a_block_of_all_is_asked_for_its_chain() {
    let mut attacker = Attacker::new();
    let ours = attacker.grown(&attacker.node.chain().clone(), 2, "alice");
    for position in 2..=3 {
        attacker.hears(PEER, block(&ours.at(position).unwrap()));
    }
    assert_eq!(attacker.node.chain(), &ours);
    let request = question(&attacker.hears(VICTIM, block(&ours)).to_do);
    attacker.hears(VICTIM, Message::Chain { request, chain: Told::Chain(ours.clone()) });
    assert_eq!(attacker.branch(), ours);
}
