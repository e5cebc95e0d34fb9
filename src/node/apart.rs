//! Keeping a victim apart from the network: what it is shown, and what becomes of what it says.

use super::{
    effects::{Effect, Effects},
    machine::{Node, ignore},
    secret::Scheme,
};
use crate::{
    blockchain::{Blockchain, Cut},
    event::IgnoreReason,
    hash::BlockHash,
    message::{Inventory, Message, NodeId, RequestId, Told},
    strategy::Eclipse,
};

/// A victim, and the branch that is kept for it.
#[derive(Debug, Clone)]
pub(super) struct Apart {
    eclipse: Eclipse,
    branch: Blockchain,
    /// The victim was asked for its chain.
    asked: Option<RequestId>,
    /// The victim was registered, or has said something: it is there.
    has_met: bool,
    /// The branch was lost in a crash, and the victim has yet to say on what it stands.
    has_lost_branch: bool,
}

impl Apart {
    pub(super) fn new(eclipse: Eclipse, chain: &Blockchain) -> Self {
        let branch = chain.at(1).expect("a chain has its genesis");
        Self { eclipse, branch, asked: None, has_met: false, has_lost_branch: false }
    }

    /// Lets go of the blocks that a cut leaves out, if the branch is one that goes on from there.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        cut.shorten(&mut self.branch);
    }

    /// What is mined on for the victim, if it is fed.
    pub(super) fn mined_on(&self) -> Option<&Blockchain> {
        self.eclipse.feeds.then_some(&self.branch)
    }

    /// Has the branch grow; returns who is to be told, if anybody is there.
    pub(super) fn grow(&mut self, branch: Blockchain) -> Option<NodeId> {
        self.branch = branch;
        self.has_met.then_some(self.eclipse.victim)
    }
}

impl Node {
    /// Tells whether the node keeps another apart that it knows to be there.
    pub(crate) fn has_met_victim(&self) -> bool {
        matches!(self.scheme.as_deref(), Some(Scheme::Apart(apart)) if apart.has_met)
    }

    /// Has a restarted node know whether its victim is there, as it knows its peers; the branch that it kept for it is lost.
    #[must_use]
    pub(crate) fn having_met_victim(mut self, has_met: bool) -> Self {
        if let Some(Scheme::Apart(apart)) = self.scheme.as_deref_mut() {
            (apart.has_met, apart.has_lost_branch) = (has_met, has_met);
        }
        self
    }

    /// Asks the victim for its chain where its branch was lost: what is mined from the genesis on again would be worse than
    /// what the victim has. Where the question may be lost, too, it asks again with each search.
    pub(super) fn ask_for_lost_branch(&mut self, effects: &mut Effects) {
        match self.scheme.as_deref() {
            Some(Scheme::Apart(apart)) if apart.has_lost_branch && apart.eclipse.feeds => {
                let victim = apart.eclipse.victim;
                if apart.asked.is_none() || !self.loses_nothing(victim) {
                    self.ask_victim(victim, effects);
                }
            }
            _ => {}
        }
    }

    /// Tells whether the node keeps another apart that it now knows to be there.
    pub(super) fn meets_victim(&mut self, other: NodeId) -> bool {
        match self.scheme.as_deref_mut() {
            Some(Scheme::Apart(apart)) if apart.eclipse.victim == other => {
                apart.has_met = true;
                true
            }
            _ => false,
        }
    }

    /// Tells whether the node keeps another apart.
    pub(super) fn is_victim(&self, other: NodeId) -> bool {
        matches!(self.scheme.as_deref(), Some(Scheme::Apart(apart)) if apart.eclipse.victim == other)
    }

    /// Answers the victim from its branch, takes what it has mined there, and tells nobody of anything.
    pub(super) fn victim_says(&mut self, from: NodeId, message: Message, effects: &mut Effects) {
        let Some(Scheme::Apart(apart)) = self.scheme.as_deref_mut() else { return };
        match message {
            Message::ChainRequest { request } => {
                let chain = Told::Chain(apart.branch.clone());
                effects.push(Effect::Send(from, Message::Chain { request, chain }));
            }
            Message::BlocksRequest { request, locator, .. } => {
                let answer = Self::blocks_after(&apart.branch, request, &locator);
                effects.push(Effect::Send(from, answer));
            }
            Message::NewBlock(Told::Chain(chain)) | Message::CompactBlock(Told::Chain(chain)) => {
                let (block, position) = (chain.tip_hash(), chain.len());
                if chain.parent().is_some_and(|parent| parent.is_start_of(&apart.branch)) {
                    self.take_from_victim(chain, effects);
                }
                self.victim_has(from, block, position, effects);
            }
            Message::Announce { block, position } => self.victim_has(from, block, position, effects),
            Message::Chain { request, chain: Told::Chain(chain) }
                if apart.asked == Some(request) || apart.has_lost_branch =>
            {
                (apart.asked, apart.has_lost_branch) = (None, false);
                let (block, position) = (chain.tip_hash(), chain.len());
                self.take_from_victim(chain, effects);
                self.victim_has(from, block, position, effects);
            }
            // Its payments go no further.
            Message::Inventory(Inventory { request, acknowledge: Some(_), .. }) => {
                effects.push(Effect::Send(from, Message::AcknowledgeInventory { request }));
            }
            Message::Inventory(_) | Message::Acknowledge { .. } | Message::AcknowledgeInventory { .. } => {}
            _ => ignore(from, IgnoreReason::Unwanted, effects),
        }
    }

    /// Takes a better chain of the victim's for its branch.
    fn take_from_victim(&mut self, chain: Blockchain, effects: &mut Effects) {
        let Some(Scheme::Apart(apart)) = self.scheme.as_deref_mut() else { return };
        if chain.is_verified_under(self.fingerprint) && chain.is_better_than(&apart.branch, &self.rules) {
            apart.branch = chain;
            if apart.eclipse.feeds {
                self.search(effects);
            }
        }
    }

    /// Asks the victim for its chain where that is longer than its branch; else it need not tell of the block again.
    fn victim_has(&mut self, from: NodeId, block: BlockHash, position: u64, effects: &mut Effects) {
        let Some(Scheme::Apart(apart)) = self.scheme.as_deref() else { return };
        if position <= apart.branch.len() {
            return effects.push(Effect::Send(from, Message::Acknowledge { block }));
        }
        self.ask_victim(from, effects);
    }

    fn ask_victim(&mut self, victim: NodeId, effects: &mut Effects) {
        let request = self.new_request();
        effects.push(Effect::Send(victim, Message::ChainRequest { request }));
        if let Some(Scheme::Apart(apart)) = self.scheme.as_deref_mut() {
            apart.asked = Some(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::lab::{START, node, rules},
        *,
    };
    use crate::{Command, Input, Ticket, strategy::Strategy};

    const VICTIM: NodeId = NodeId::new(1);

    fn attacker() -> Node {
        node(Strategy::Eclipse(Eclipse { victim: VICTIM, feeds: true }))
    }

    fn told(node: &mut Node, input: Input) -> Vec<Effect> {
        let mut effects = Effects::default();
        node.handle(START, input, &mut effects);
        effects.to_do
    }

    /// Each search is one more occasion to ask, and all but the first are for questions that may not have come through.
    #[test]
    fn a_lost_branch_is_asked_for_again_where_the_question_may_be_lost() {
        for loses in [false, true] {
            let mut node = attacker().having_met_victim(true);
            told(&mut node, Input::LinkLoses(VICTIM, loses));
            let mut asks = || {
                let effects = told(&mut node, Input::Command(Ticket(1), Command::StartMining));
                told(&mut node, Input::Command(Ticket(2), Command::StopMining));
                let question =
                    |effect: &&Effect| matches!(effect, Effect::Send(VICTIM, Message::ChainRequest { .. }));
                effects.iter().filter(question).count()
            };
            assert_eq!([asks(), asks()], [1, usize::from(loses)], "loses: {loses}");
        }
    }

    #[test]
    fn the_branch_lets_go_of_final_blocks() {
        let mut node = attacker();
        let mut chain = node.chain().clone();
        for _ in 0..9 {
            chain = chain.mine_next(&rules(), [], "victim", START).unwrap();
            told(&mut node, Input::Message(VICTIM, Message::NewBlock(Told::Chain(chain.clone()))));
        }
        assert_eq!(node.held_back(), Some(&chain));
        node.shorten(&mut Cut::before_tip_of(&chain.at(7).unwrap()));
        let branch = node.held_back().unwrap();
        assert_eq!(branch, &chain);
        assert!(branch.has_let_go(6) && !branch.has_let_go(7));
    }
}
