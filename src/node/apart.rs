//! Keeping a victim apart from the network: what it is shown, and what becomes of what it says.

use super::{
    machine::{Effect, Node, ignore},
    secret::Plan,
};
use crate::{
    blockchain::{Blockchain, Cut},
    event::IgnoreReason,
    message::{Message, NodeId, Told},
    strategy::Eclipse,
};

/// A victim, and the branch that is kept for it.
#[derive(Debug, Clone)]
pub(super) struct Apart {
    eclipse: Eclipse,
    branch: Blockchain,
}

impl Apart {
    pub(super) fn new(eclipse: Eclipse, chain: &Blockchain) -> Self {
        let branch = chain.at(1).expect("a chain has its genesis");
        Self { eclipse, branch }
    }

    /// Lets go of the blocks that a cut leaves out, if the branch is one that goes on from there.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        if let Some(branch) = cut.shortened(&self.branch) {
            self.branch = branch;
        }
    }

    /// What is mined on for the victim, if it is fed.
    pub(super) fn mined_on(&self) -> Option<&Blockchain> {
        self.eclipse.feeds.then_some(&self.branch)
    }

    /// Has the branch grow; returns who is to be told.
    pub(super) fn grow(&mut self, branch: Blockchain) -> NodeId {
        self.branch = branch;
        self.eclipse.victim
    }
}

impl Node {
    /// Tells whether the node keeps another apart.
    pub(super) fn keeps_apart(&self, other: NodeId) -> bool {
        matches!(self.plan.as_deref(), Some(Plan::Apart(apart)) if apart.eclipse.victim == other)
    }

    /// Answers the victim from its branch, takes what it has mined there, and tells nobody of anything.
    pub(super) fn victim_says(&mut self, from: NodeId, message: Message, effects: &mut Vec<Effect>) {
        let Some(Plan::Apart(apart)) = self.plan.as_deref_mut() else { return };
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
                let follows = chain.parent().is_some_and(|parent| parent.is_start_of(&apart.branch));
                let is_better = chain.is_better_than(&apart.branch, &self.rules);
                let block = chain.tip_hash();
                if follows && is_better && chain.is_verified_under(self.fingerprint) {
                    apart.branch = chain;
                    if apart.eclipse.feeds {
                        self.search(effects);
                    }
                }
                effects.push(Effect::Send(from, Message::Acknowledge { block }));
            }
            Message::Acknowledge { .. } => {}
            _ => ignore(from, IgnoreReason::Stranger, effects),
        }
    }
}
