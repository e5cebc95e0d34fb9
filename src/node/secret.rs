//! Holding blocks back: what a miner with a strategy mines on, and what it shows when.
//!
//! Its chain is what it has shown and what others have, as of any node. Beside that it may have a branch, which nobody
//! else knows of. Whenever it has found a block, or others have come with a chain that it would otherwise take, its
//! strategy decides what becomes of the branch.

use std::mem;

use super::{
    apart::Apart,
    effects::{Effect, Effects},
    extend::Extended,
    machine::Node,
};
use crate::{
    accounts::Account,
    blockchain::{Blockchain, Cut},
    event::Happening,
    message::NodeId,
    strategy::{Act, DoubleSpend, Fork, Race, Strategy},
    time::Time,
    transaction::Transaction,
};

/// What a node has in mind that is not honest.
#[derive(Debug, Clone)]
pub(super) enum Scheme {
    /// It holds blocks back.
    Secret(Secret),
    /// It keeps a victim apart.
    Apart(Apart),
}

/// What a miner holds back.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    strategy: Strategy,
    /// Whether it takes what others have found on the chain of all as any node does.
    follows: bool,
    /// Where it does not mine on its chain.
    branch: Option<Branch>,
    attempt: Option<Attempt>,
    /// The blocks mined in vain since the last double spend came to an end.
    wasted: u64,
}

/// A branch that is not shown, or not all of it.
#[derive(Debug, Clone)]
struct Branch {
    /// What is mined on.
    tip: Blockchain,
    /// The best chain of the others.
    others: Blockchain,
    /// The position of the last block that the others know.
    shown: u64,
    fork: Fork,
}

/// A double spend under way.
#[derive(Debug, Clone)]
struct Attempt {
    /// What the merchant sees.
    paid: Transaction,
    /// What takes it back.
    kept: Transaction,
}

impl Scheme {
    /// What a strategy begins with, on a chain; nothing if it is honest.
    pub(super) fn of(strategy: Strategy, chain: &Blockchain) -> Option<Self> {
        match strategy {
            Strategy::Honest => None,
            Strategy::Eclipse(eclipse) => Some(Self::Apart(Apart::new(eclipse, chain))),
            strategy => {
                let follows = match strategy {
                    // It begins its attacks by itself.
                    Strategy::DoubleSpend(_) => false,
                    _ => strategy.act(Race { secret: 0, others: 1, fork: Fork::Fresh }) == Act::Adopt,
                };
                Some(Self::Secret(Secret { strategy, follows, branch: None, attempt: None, wasted: 0 }))
            }
        }
    }

    /// Tells whether a block that comes on top of the node's chain is taken as any node takes it.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self, Self::Secret(Secret { follows: true, branch: None, .. }))
    }

    /// Lets go of the blocks that a cut leaves out. A branch that leaves the others' chain among those has lost.
    pub(super) fn shorten(&mut self, cut: &mut Cut) {
        match self {
            Self::Secret(secret) => {
                let branch = secret.branch.take();
                secret.branch = branch.and_then(|branch| {
                    let (tip, others) = (cut.shortened(&branch.tip)?, cut.shortened(&branch.others)?);
                    Some(Branch { tip, others, ..branch })
                });
            }
            Self::Apart(apart) => apart.shorten(cut),
        }
    }
}

impl Branch {
    /// One that has no blocks yet.
    fn on(chain: &Blockchain) -> Self {
        Self { tip: chain.clone(), others: chain.clone(), shown: chain.len(), fork: Fork::Stale }
    }

    /// The position of the last block that is the others' as well.
    fn base(&self) -> u64 {
        self.tip.common_ancestor(&self.others).map_or(0, |common| common.len())
    }

    fn race(&self) -> Race {
        let base = self.base();
        Race { secret: self.tip.len() - base, others: self.others.len() - base, fork: self.fork }
    }
}

/// What becomes of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It is given up.
    Adopt,
    /// It is shown up to a position, so that it is the best; or as good as the others', and the race goes on.
    Show { position: u64, ties: bool },
    /// It grows on.
    Wait,
}

impl Node {
    /// Returns what the node mines on: its chain, unless it has a branch.
    pub(crate) fn mined_on(&self) -> &Blockchain {
        self.held_back().unwrap_or(&self.chain)
    }

    /// Returns the branch that the node mines on instead of its chain, if it has one.
    pub(crate) fn held_back(&self) -> Option<&Blockchain> {
        match self.scheme.as_deref()? {
            Scheme::Secret(secret) => secret.branch.as_ref().map(|branch| &branch.tip),
            Scheme::Apart(apart) => apart.mined_on(),
        }
    }

    /// Returns what the next block holds instead of what is pending, if it is to hold that.
    pub(super) fn own_transactions(&self) -> Option<Vec<Transaction>> {
        let parent = self.mined_on();
        if let Some(Scheme::Secret(Secret { attempt: Some(attempt), .. })) = self.scheme.as_deref() {
            let Account { nonce, balance, .. } = parent.account(self.address());
            let kept = &attempt.kept;
            let fits = kept.nonce() == Some(nonce) && balance >= kept.amount();
            return Some(if fits { vec![kept.clone()] } else { Vec::new() });
        }
        // What is pending follows the node's chain.
        (parent != &self.chain).then(Vec::new)
    }

    /// Goes on with a block that the node has mined, at the end of a chain.
    pub(super) fn has_mined(&mut self, now: Time, chain: Blockchain, effects: &mut Effects) {
        match self.scheme.as_deref_mut() {
            Some(Scheme::Secret(secret)) => {
                let branch = secret.branch.get_or_insert_with(|| Branch::on(&self.chain));
                branch.tip = chain;
                if branch.fork == Fork::Fresh {
                    branch.fork = Fork::Stale;
                }
                self.race_on(now, None, effects);
            }
            Some(Scheme::Apart(apart)) if apart.mined_on().is_some() => {
                if let Some(victim) = apart.grow(chain.clone()) {
                    effects.push(Effect::Send(victim, self.news(&chain)));
                }
            }
            _ => self.adopt(now, chain, None, effects),
        }
    }

    /// Goes on with another's chain that the node would rather have than its own.
    pub(super) fn take_on(&mut self, now: Time, chain: Blockchain, from: NodeId, effects: &mut Effects) {
        let Some(Scheme::Secret(secret)) = self.scheme.as_deref_mut() else {
            return self.adopt(now, chain, Some(from), effects);
        };
        let branch = secret.branch.get_or_insert_with(|| Branch::on(&self.chain));
        branch.others = chain;
        branch.fork = Fork::Fresh;
        self.race_on(now, Some(from), effects);
    }

    /// Tells whether a chain that a peer has makes the node give up what it holds back, and it then takes that on as an honest
    /// node would, with no other effect.
    pub(crate) fn yields(&self, now: Time, chain: &Blockchain) -> bool {
        self.act_on(chain) == Some(Act::Adopt)
            && (self.is_extended_by(now, chain) || self.only_reorganises(now, chain))
    }

    /// Returns the rival of a block that the node holds back, if it shows that and keeps the block beside it once the block has
    /// come to it, and no more comes of it.
    pub(crate) fn rival_to_show(&self, now: Time, block: &Blockchain) -> Option<&Blockchain> {
        let shows_it = self.act_on(block) == Some(Act::Match)
            && self.is_extended_by(now, block)
            && self.has_room_for_rival(block);
        self.held_back().filter(|rival| shows_it && rival.is_sibling_of(block))
    }

    /// Tells what becomes of the branch that the node holds back once others have come with a chain, if it has nothing else on
    /// its mind.
    fn act_on(&self, others: &Blockchain) -> Option<Act> {
        match self.scheme.as_deref()? {
            Scheme::Secret(secret) if self.only_holds_back && self.pushes => secret.act_on(others),
            _ => None,
        }
    }

    /// Takes on a chain that it [yields](Self::yields) to.
    pub(crate) fn yield_to(&mut self, from: NodeId, chain: Blockchain, effects: &mut impl Extended) {
        if let Some(Scheme::Secret(secret)) = self.scheme.as_deref_mut() {
            secret.branch = None;
        }
        (self.is_quiet, self.only_holds_back) = (true, false);
        match chain.is_child_of(&self.chain) {
            true => self.extend(from, chain, false, effects),
            false => self.reorganise(from, chain, false, effects),
        }
    }

    /// Has the strategy decide what becomes of the branch; `from` is who the others' last block came from, if it has just
    /// come.
    fn race_on(&mut self, now: Time, from: Option<NodeId>, effects: &mut Effects) {
        let Some(Scheme::Secret(secret)) = self.scheme.as_deref_mut() else { return };
        let step = secret.next_step();
        let ended = secret.end_attempt(step, self.rules.reward);
        let Some(branch) = &mut secret.branch else { return };
        let others = branch.others.clone();
        match step {
            Step::Adopt => secret.branch = None,
            Step::Wait => {}
            Step::Show { position, ties } => {
                let tip = branch.tip.clone();
                let unseen = branch.shown + 1..position;
                branch.shown = position;
                let shown = tip.at(position).expect("a branch has what it shows");
                if ties {
                    branch.fork = Fork::Split;
                } else if position == tip.len() {
                    secret.branch = None;
                } else {
                    branch.fork = Fork::Stale;
                    branch.others = shown.clone();
                }
                if let Some(from) = from {
                    self.keep_beside(from, others.clone());
                }
                self.show(now, &tip, unseen, shown, effects);
            }
        }
        if let (Some(from), Step::Adopt | Step::Wait) = (from, step) {
            self.adopt(now, others, Some(from), effects);
        }
        effects.happened.extend(ended);
    }

    /// Makes a part of a branch the node's chain, and tells of it block by block, as far as the others do not know it.
    fn show(
        &mut self,
        now: Time,
        tip: &Blockchain,
        unseen: std::ops::Range<u64>,
        shown: Blockchain,
        effects: &mut Effects,
    ) {
        if self.rules.relay.is_on() {
            for chain in unseen.filter_map(|position| tip.at(position)) {
                effects.push(Effect::Relay { except: None, message: self.news(&chain) });
            }
        }
        self.adopt(now, shown, None, effects);
    }

    /// Begins what the strategy begins by itself: a double spend, where there are coins for one.
    pub(super) fn begin_attack(&mut self, effects: &mut Effects) {
        let Some(Scheme::Secret(secret)) = self.scheme.as_deref_mut() else { return };
        let (Strategy::DoubleSpend(double_spend), None) = (&secret.strategy, &secret.branch) else { return };
        if let Some(Attempt { paid, .. }) = &secret.attempt {
            if self.mempool.holds(paid) || self.chain.confirmations(paid) > 0 {
                return;
            }
            // The coins are gone, as the block that brought them is: the payment will stand in no block.
            secret.attempt = None;
        }
        let (address, amount) = (self.reward[0].recipient_address(), double_spend.amount());
        if self.chain.balance(address) < amount {
            return;
        }
        let pay = |to| Transaction::new(address.clone(), to, amount);
        let paid = pay(double_spend.merchant().clone());
        let paid = self.mempool.numbered(paid, &self.rules, self.chain.accounts());
        let next = self.chain.account(address).nonce;
        let Some(nonce) = paid.nonce().filter(|nonce| *nonce == next) else {
            // Only what is next can be taken back: it waits for what is pending of its own.
            return;
        };
        let kept = pay(address.clone()).with_nonce(nonce);
        secret.attempt = Some(Attempt { paid: paid.clone(), kept });
        if self.submit(paid, effects).is_err() {
            // Another time: it will be asked again when the next search begins.
            if let Some(Scheme::Secret(secret)) = self.scheme.as_deref_mut() {
                secret.attempt = None;
            }
        }
    }
}

impl Secret {
    /// Tells what becomes of its branch once the others have come with a chain, if it has one and goes by the race alone.
    fn act_on(&self, others: &Blockchain) -> Option<Act> {
        let branch = self.branch.as_ref().filter(|_| self.follows)?;
        let race = Branch { others: others.clone(), fork: Fork::Fresh, ..branch.clone() }.race();
        Some(self.strategy.act(race))
    }

    fn next_step(&self) -> Step {
        let Some(branch) = &self.branch else { return Step::Wait };
        let race = branch.race();
        match &self.strategy {
            Strategy::DoubleSpend(double_spend) => self.double_spend_step(double_spend, branch, race),
            strategy => {
                let act = strategy.act(race);
                debug_assert!(race.allows(act), "{act:?} in {race:?}");
                let others = branch.others.len();
                match act {
                    Act::Adopt => Step::Adopt,
                    Act::Override => Step::Show { position: others + 1, ties: false },
                    Act::Match => Step::Show { position: others, ties: true },
                    Act::Wait => Step::Wait,
                }
            }
        }
    }

    fn double_spend_step(&self, double_spend: &DoubleSpend, branch: &Branch, race: Race) -> Step {
        let all = Step::Show { position: branch.tip.len(), ties: false };
        let Some(attempt) = &self.attempt else {
            // Without coins it is honest.
            return if race.secret > race.others { all } else { Step::Adopt };
        };
        let confirmations = branch.others.confirmations(&attempt.paid);
        if confirmations == 0 {
            return if race.others == 0 { Step::Wait } else { Step::Adopt };
        }
        if race.secret > race.others && confirmations >= double_spend.confirmations() {
            all
        } else if race.others >= race.secret.saturating_add(double_spend.give_up()) {
            Step::Adopt
        } else {
            Step::Wait
        }
    }

    /// Ends a double spend with a step that ends it, and tells what came of it.
    fn end_attempt(&mut self, step: Step, reward: u64) -> Option<Happening> {
        let (Strategy::DoubleSpend(double_spend), Some(branch), Some(attempt)) =
            (&self.strategy, &self.branch, &self.attempt)
        else {
            return None;
        };
        let confirmations = branch.others.confirmations(&attempt.paid);
        let (won, blocks) = match step {
            Step::Wait => return None,
            Step::Show { .. } => (true, 0),
            Step::Adopt => (false, branch.race().secret),
        };
        self.wasted += blocks;
        if confirmations == 0 {
            return None;
        }
        let stale = mem::take(&mut self.wasted);
        let paid = if won { 0 } else { double_spend.amount() };
        let cost = stale.saturating_mul(reward).saturating_add(paid);
        self.attempt = None;
        Some(Happening::DoubleSpent { won, confirmations, stale, cost })
    }
}

#[cfg(test)]
mod tests;
