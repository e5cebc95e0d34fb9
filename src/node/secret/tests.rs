//! Branches that are held back, step by step.

use super::{
    super::lab::{START, node, rules},
    *,
};
use crate::{Command, Input, Message, NodeId, SearchId, Ticket, Told, strategy::DoubleSpend};

/// What is held back would else keep the memory of all that the others have let go of.
#[test]
fn a_branch_and_what_it_competes_with_let_go_of_final_blocks() {
    let (rules, mut node) = (rules(), node(Strategy::Selfish));
    let mut tell = |input| node.handle(START, input, &mut Effects::default());
    tell(Input::Command(Ticket(1), Command::StartMining));
    let mut chain = Blockchain::started(&rules, START);
    for _ in 0..8 {
        chain = chain.mine_next(&rules, [], "others", START).unwrap();
        tell(Input::Message(NodeId::new(1), Message::NewBlock(Told::Chain(chain.clone()))));
    }
    // The first search is on the genesis, and each block of the others began another.
    for search in 9..=10 {
        tell(Input::Found(SearchId(search), 0));
    }
    node.shorten(&mut Cut::before_tip_of(&chain.at(7).unwrap()));
    let Some(Scheme::Secret(Secret { branch: Some(branch), .. })) = node.scheme.as_deref() else {
        panic!("{:?}", node.scheme)
    };
    assert_eq!((branch.tip.len(), branch.others.len()), (11, 9));
    for chain in [&branch.tip, &branch.others] {
        assert!(chain.has_let_go(6) && !chain.has_let_go(7));
    }
}

/// A double spender that mines by itself, as its thread would have it.
struct Spender {
    node: Node,
    search: SearchId,
}

impl Spender {
    fn new() -> Self {
        let strategy = DoubleSpend::new("merchant", 1, 1, 5).expect("these are in range");
        let mut spender = Self { node: node(Strategy::DoubleSpend(strategy)), search: SearchId(0) };
        spender.tell(Input::Command(Ticket(1), Command::StartMining));
        spender
    }

    fn tell(&mut self, input: Input) {
        let mut effects = Effects::default();
        self.node.handle(START, input, &mut effects);
        let begun = effects.to_do.iter().rev().find_map(|effect| match effect {
            Effect::Search(search, _) => Some(*search),
            _ => None,
        });
        self.search = begun.unwrap_or(self.search);
    }

    fn finds(&mut self) {
        self.tell(Input::Found(self.search, 0));
    }

    fn is_told(&mut self, chain: &Blockchain) {
        self.tell(Input::Message(NodeId::new(1), Message::NewBlock(Told::Chain(chain.clone()))));
    }

    /// How long its chain is, and how long the branch that it holds back.
    fn lengths(&self) -> (u64, Option<u64>) {
        (self.node.chain().len(), self.node.held_back().map(Blockchain::len))
    }
}

/// A block of somebody else's.
fn next(chain: &Blockchain) -> Blockchain {
    chain.mine_next(&rules(), [], "others", START).expect("any proof will do")
}

/// Until others have found a block, the payment may still come to stand in it; if it does not, the branch is given up.
#[test]
fn a_double_spend_waits_for_its_payment_to_be_mined() {
    let mut spender = Spender::new();
    // Its first block brings it the coins to spend.
    spender.finds();
    assert_eq!(spender.lengths(), (2, None));
    for length in 3..=4 {
        spender.finds();
        assert_eq!(spender.lengths(), (2, Some(length)));
    }
    let others = next(spender.node.chain());
    spender.is_told(&others);
    assert_eq!((spender.node.chain(), spender.lengths()), (&others, (3, None)));
}

/// What it mines then it shows, until that has brought it coins again.
#[test]
fn a_double_spend_whose_coins_are_gone_begins_anew() {
    let mut spender = Spender::new();
    let genesis = spender.node.chain().clone();
    spender.finds();
    assert_eq!((spender.lengths(), spender.node.mempool().iter().count()), ((2, None), 1));
    spender.is_told(&next(&genesis));
    spender.is_told(&next(&next(&genesis)));
    assert_eq!((spender.lengths(), spender.node.mempool().iter().count()), ((3, None), 0));
    spender.finds();
    assert_eq!((spender.lengths(), spender.node.mempool().iter().count()), ((4, None), 1));
    spender.finds();
    assert_eq!(spender.lengths(), (4, Some(5)));
}
