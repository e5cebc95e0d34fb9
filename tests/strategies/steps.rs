//! A node that follows a strategy, step by step: what it says, and to whom, when it or others find a block.

use std::sync::Arc;

use chainlab::{
    Answer, Blockchain, Command, Effect, Effects, Happening, Input, Message, Node, NodeId, Rules, SearchId,
    Ticket, Time, Told, Transaction,
    strategy::{Behaviour, Optimal, Strategy, Stubborn, TieBreak},
};

use super::lab::{START, node};

const PEERS: [NodeId; 2] = [NodeId::new(1), NodeId::new(2)];

/// A miner with two peers over links that lose nothing.
struct Miner {
    node: Node,
    rules: Arc<Rules>,
    search: Option<SearchId>,
    now: Time,
    tickets: u64,
}

/// What a step has come to: the positions of the blocks that all peers are told of, and what happened.
#[derive(Debug, PartialEq)]
struct Step {
    told: Vec<(u64, String)>,
    happenings: Vec<&'static str>,
}

impl Miner {
    fn new(strategy: Strategy, tie_break: TieBreak) -> Self {
        let (node, rules) = node(Behaviour { strategy, tie_break });
        let mut miner = Self { node, rules, search: None, now: START, tickets: 0 };
        for peer in PEERS {
            miner.tell(Input::LinkLoses(peer, false));
        }
        miner.command(Command::Register(PEERS.to_vec()));
        miner.command(Command::StartMining);
        miner
    }

    fn tell(&mut self, input: Input) -> Step {
        let mut effects = Effects::default();
        self.now += std::time::Duration::from_secs(1);
        self.node.handle(self.now, input, &mut effects);
        let happenings = effects.happened.iter().filter_map(|what| match what {
            Happening::Mined { .. } => Some("mined"),
            Happening::Accepted { .. } => Some("accepted"),
            Happening::Reorganised { .. } => Some("reorganised"),
            _ => None,
        });
        let (mut told, happenings) = (Vec::new(), happenings.collect());
        for effect in effects.to_do {
            match effect {
                Effect::Search(search, _) => self.search = Some(search),
                Effect::Relay { message: Message::NewBlock(Told::Chain(chain)), .. } => {
                    told.push((chain.len(), miner_of(&chain)));
                }
                _ => {}
            }
        }
        Step { told, happenings }
    }

    fn command(&mut self, command: Command) -> Step {
        self.tickets += 1;
        self.tell(Input::Command(Ticket(self.tickets), command))
    }

    /// The miner finds a block.
    fn finds(&mut self) -> Step {
        let search = self.search.expect("it mines");
        self.tell(Input::Found(search, 0))
    }

    /// The first peer tells of a block of the others', after a chain.
    fn hears(&mut self, after: &Blockchain) -> (Blockchain, Step) {
        let miner = format!("other-{}", self.tickets);
        self.tickets += 1;
        let chain = after.mine_next(&self.rules, [], miner, self.now).unwrap();
        let told = Message::NewBlock(Told::Chain(chain.clone()));
        let step = self.tell(Input::Message(PEERS[0], told));
        (chain, step)
    }
}

fn miner_of(chain: &Blockchain) -> String {
    let recipient = chain.last_block().transactions().last().unwrap().recipient();
    recipient.split('-').next().unwrap().to_owned()
}

fn told(blocks: &[(u64, &str)]) -> Vec<(u64, String)> {
    blocks.iter().map(|(position, miner)| (*position, (*miner).to_owned())).collect()
}

#[test]
fn a_selfish_miner_shows_a_lead_of_two_at_the_others_first_block() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    let genesis = miner.node.chain().clone();
    for _ in 0..2 {
        assert_eq!(miner.finds(), Step { told: vec![], happenings: vec!["mined"] });
        assert_eq!(miner.node.chain().len(), 1, "what it holds back is not its chain");
    }
    let (_, step) = miner.hears(&genesis);
    assert_eq!(step, Step { told: told(&[(2, "mallory"), (3, "mallory")]), happenings: vec![] });
    assert_eq!(miner.node.chain().len(), 3);
}

#[test]
fn a_tie_is_decided_by_the_next_block() {
    for wins in [true, false] {
        let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
        let genesis = miner.node.chain().clone();
        miner.finds();
        let (theirs, step) = miner.hears(&genesis);
        assert_eq!(step, Step { told: told(&[(2, "mallory")]), happenings: vec![] });
        if wins {
            let step = miner.finds();
            assert_eq!(step, Step { told: told(&[(3, "mallory")]), happenings: vec!["mined"] });
        } else {
            let (_, step) = miner.hears(&theirs);
            let happenings = vec!["accepted", "reorganised"];
            assert_eq!(step, Step { told: told(&[(3, "other")]), happenings });
        }
        assert_eq!(miner.node.chain().len(), 3);
    }
}

/// Its table ends at leads of three: what it must show then is a part of its branch, and it goes on with the rest.
#[test]
fn what_is_left_of_a_branch_is_held_back_on() {
    let optimal = Optimal::new(0.45, 0.5, 3).unwrap();
    let mut miner = Miner::new(Strategy::Optimal(optimal), TieBreak::FirstSeen);
    for shown in [&[][..], &[], &[(2, "mallory")], &[(3, "mallory")]] {
        assert_eq!(miner.finds(), Step { told: told(shown), happenings: vec!["mined"] });
    }
    assert_eq!(miner.node.chain().len(), 3);
}

#[test]
fn a_long_lead_is_shown_block_by_block() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    let mut theirs = miner.node.chain().clone();
    for _ in 0..5 {
        miner.finds();
    }
    for position in 2..=4 {
        let (chain, step) = miner.hears(&theirs);
        assert_eq!(step, Step { told: told(&[(position, "mallory")]), happenings: vec![] });
        theirs = chain;
    }
    let (_, step) = miner.hears(&theirs);
    assert_eq!(step, Step { told: told(&[(5, "mallory"), (6, "mallory")]), happenings: vec![] });
    assert_eq!(miner.node.chain().balance("mallory"), 250);
}

/// Some of the others may go on from what it has shown: then the race goes on from there.
#[test]
fn a_block_on_what_was_shown_makes_the_race_shorter() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    let genesis = miner.node.chain().clone();
    for _ in 0..3 {
        miner.finds();
    }
    let _ = miner.hears(&genesis);
    let shown = miner.node.chain().clone();
    assert_eq!((shown.len(), miner_of(&shown).as_str()), (2, "mallory"));
    let (_, step) = miner.hears(&shown);
    assert_eq!(step, Step { told: told(&[(3, "mallory"), (4, "mallory")]), happenings: vec![] });
}

#[test]
fn it_gives_up_when_the_others_are_ahead() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    let (chain, step) = miner.hears(&miner.node.chain().clone());
    assert_eq!(step, Step { told: told(&[(2, "other")]), happenings: vec!["accepted"] });
    assert_eq!(miner.node.chain(), &chain);
    // And mines on theirs.
    miner.finds();
    let (_, step) = miner.hears(&chain);
    assert_eq!(step.told, told(&[(3, "mallory")]));
}

/// A trailing miner tells on what others show, and is as quiet about its own as any.
#[test]
fn a_trailing_miner_shows_all_once_it_is_ahead() {
    let stubborn = Stubborn { trail: 1, ..Stubborn::default() };
    let mut miner = Miner::new(Strategy::Stubborn(stubborn), TieBreak::FirstSeen);
    let genesis = miner.node.chain().clone();
    miner.finds();
    let (theirs, _) = miner.hears(&genesis);
    let (theirs, step) = miner.hears(&theirs);
    let happenings = vec!["accepted", "reorganised"];
    assert_eq!(step, Step { told: told(&[(3, "other")]), happenings });
    assert_eq!(miner.node.chain(), &theirs);
    assert_eq!(miner.finds(), Step { told: vec![], happenings: vec!["mined"] });
    let step = miner.finds();
    let happenings = vec!["mined", "reorganised"];
    assert_eq!(step, Step { told: told(&[(3, "mallory"), (4, "mallory")]), happenings });
}

/// What is pending follows the chain that is shown, and goes into the first block that is held back.
#[test]
fn what_is_mined_on_a_secret_block_holds_a_reward_alone() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    let genesis = miner.node.chain().clone();
    // The first three blocks bring mallory its coins.
    for _ in 0..3 {
        miner.finds();
    }
    let _ = miner.hears(&genesis);
    let shown = miner.node.chain().clone();
    let _ = miner.hears(&shown);
    assert_eq!(miner.node.chain().len(), 4);
    miner.command(Command::Submit(Transaction::new("mallory", "alice", 5)));
    miner.finds();
    miner.finds();
    assert_eq!(miner.node.mempool().len(), 1, "it is pending as long as its block is not shown");
    let (_, step) = miner.hears(&miner.node.chain().clone());
    assert_eq!(step.told, told(&[(5, "mallory"), (6, "mallory")]));
    let chain = miner.node.chain();
    let payments = [5, 6].map(|position| chain.block(position).unwrap().transactions().len() - 1);
    assert_eq!((payments, miner.node.mempool().len()), ([1, 0], 0));
}

/// An honest node's tie-break: the same of two chains, whichever comes first.
#[test]
fn ties_are_broken_the_same_way_whichever_comes_first() {
    for tie_break in [TieBreak::LowestHash, TieBreak::Random] {
        let chosen = [false, true].map(|is_reversed| {
            let mut miner = Miner::new(Strategy::Honest, tie_break.clone());
            miner.command(Command::StopMining);
            let genesis = miner.node.chain().clone();
            let grown = |name: &str| genesis.mine_next(&miner.rules, [], name, START).unwrap();
            let mut chains = [grown("alice"), grown("bob")];
            if is_reversed {
                chains.reverse();
            }
            for chain in chains {
                miner.tell(Input::Message(PEERS[1], Message::NewBlock(Told::Chain(chain))));
            }
            miner.node.chain().tip_hash()
        });
        assert_eq!(chosen[0], chosen[1], "{tie_break:?}");
    }
}

/// Its answers are about what it has shown.
#[test]
fn nobody_is_told_of_what_is_held_back() {
    let mut miner = Miner::new(Strategy::Selfish, TieBreak::FirstSeen);
    miner.finds();
    let mut effects = Effects::default();
    miner.node.handle(miner.now, Input::Command(Ticket(99), Command::Chain), &mut effects);
    assert!(matches!(&effects.to_do[..], [Effect::Answer(_, Answer::Chain(chain))] if chain.len() == 1));
    effects.clear();
    let mined = Input::Message(PEERS[0], Message::ChainRequest { request: chainlab::RequestId(1) });
    miner.node.handle(miner.now, mined, &mut effects);
    let [Effect::Send(_, Message::Chain { chain: Told::Chain(chain), .. })] = &effects.to_do[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(chain.len(), 1);
}
