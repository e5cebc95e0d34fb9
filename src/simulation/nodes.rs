//! The nodes, where they stand, and the blocks that all of them have taken on at once.
//!
//! A block that is [replayed](super::replays) comes to all nodes at once and is kept here once. Into a node of whom more comes
//! than that it extends its chain, it is written at once; into any other, like a block that this
//! [downloads](super::downloads), when it is next to do or to say something: the node's own code makes the step then. So all
//! ways to a node lead through here, and none of them finds it behind, but for whoever asks for it as it was before its
//! download, or for what it keeps beside its chain.

use std::{hint, sync::Arc};

use super::{
    carry::{GivenEffects, NodeEffects, Surroundings},
    longest::Longest,
};
use crate::{
    blockchain::{Blockchain, Cut},
    message::{Message, NodeId, Told},
    node::{Effect, Effects, Input, Node},
    pow::Target,
    time::Time,
};

/// All nodes.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// By their numbers; a puppet has none.
    list: Vec<Option<Node>>,
    /// The block that came to all nodes at once, the last such, and the target of a search on top of it.
    given: Option<(Blockchain, Target)>,
    /// How many blocks have come to all nodes at once, and how many of these each node knows of.
    given_count: u64,
    known_counts: Vec<u64>,
    longest: Longest,
    /// How many have more on their minds than their chains, and which of them was the last to be counted.
    busy: usize,
    last_busy: usize,
}

impl Nodes {
    /// Returns how many there are, puppets among them.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Adds the next node, or a puppet, which has none.
    pub(super) fn add(&mut self, node: Option<Node>) {
        self.list.push(node);
        self.known_counts.push(self.given_count);
        self.count_in(NodeId::new(self.list.len() as u32 - 1));
    }

    /// Puts a node in the place of the one that was there.
    pub(super) fn replace(&mut self, around: &mut Surroundings, id: NodeId, node: Node) {
        self.bring_up(around, id);
        self.count_out(id);
        self.list[id.index()] = Some(node);
        self.count_in(id);
    }

    /// A node's chain, if it is there and no puppet.
    pub(super) fn chain(&self, id: NodeId) -> Option<&Blockchain> {
        let node = self.list.get(id.index())?.as_ref()?;
        let given = self.given.as_ref().filter(|_| self.is_behind(id));
        Some(given.map_or_else(|| node.chain(), |(given, _)| given))
    }

    /// The branch that a node holds back, if it does.
    pub(super) fn held_back(&self, id: NodeId) -> Option<&Blockchain> {
        self.list.get(id.index())?.as_ref()?.held_back()
    }

    /// A node as it stands; a puppet has none.
    #[inline]
    pub(super) fn at(&mut self, around: &mut Surroundings, id: NodeId) -> Option<&mut Node> {
        self.bring_up(around, id);
        self.list[id.index()].as_mut()
    }

    /// A node as it was before it downloads a block, if it does.
    #[inline]
    pub(super) fn before_download(&mut self, around: &mut Surroundings, id: NodeId) -> &Node {
        if self.is_behind(id) {
            self.hear_of_given(around, id);
        }
        self.list[id.index()].as_ref().expect("blocks flow while all nodes are live")
    }

    /// Notes that a node has more on its mind than it knows of: a block that it downloads.
    pub(super) fn add_busy(&mut self) {
        self.busy += 1;
    }

    /// Has what a block reads of a node fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch(&self, number: u32) {
        if let Some(node) = &self.list[number as usize] {
            node.fetch();
        }
    }

    /// Has the count of what a node knows of fetched from memory, and does not wait for it.
    #[inline]
    pub(super) fn fetch_count(&self, number: u32) {
        if self.given_count > 0 {
            hint::black_box(self.known_counts[number as usize]);
        }
    }

    /// Hands a node an input, and returns the node, and whether it has another tip now; a puppet takes none.
    pub(super) fn handle(
        &mut self,
        around: &mut Surroundings,
        id: NodeId,
        input: Input,
        effects: &mut Effects,
    ) -> Option<(&mut Node, bool)> {
        let now = around.now;
        let tips = self.at(around, id)?.tips();
        self.count_out(id);
        self.list[id.index()].as_mut()?.handle(now, input, effects);
        self.count_in(id);
        let node = self.list[id.index()].as_mut()?;
        let has_new_tip = node.tips() != tips;
        Some((node, has_new_tip))
    }

    /// Hands a node a message, if it [takes note](Node::takes_note) of that and nothing else; tells whether it does.
    #[inline]
    pub(super) fn take_note(
        &mut self,
        around: &mut Surroundings,
        id: NodeId,
        from: NodeId,
        message: &Message,
    ) -> bool {
        self.bring_up(around, id);
        let Self { list, longest, .. } = self;
        let Some(node) = &mut list[id.index()] else { return false };
        let had_longest = longest.is_of(node);
        let forgets = matches!(message, Message::NewBlock(_)) && around.may_forget(node);
        if !node.takes_note(around.now, from, message) {
            return false;
        }
        // It may have taken another's copy of its chain in place of its own.
        longest.holders = longest.holders + usize::from(longest.is_of(node)) - usize::from(had_longest);
        around.look_at_what_it_heard(node);
        if forgets {
            around.look_at_what_it_forgot(node);
        }
        true
    }

    /// Has a node take on a block that extends its tip, or a rival of that, if that is all that there is to think about; gives
    /// the chain back if it is not. Both ends were told that nothing is lost between them, so that none acknowledges it.
    #[inline]
    pub(super) fn extend(
        &mut self,
        around: &mut Surroundings,
        id: NodeId,
        from: NodeId,
        chain: Blockchain,
    ) -> Result<(), Blockchain> {
        self.bring_up(around, id);
        let Self { list, longest, .. } = self;
        let node = list[id.index()].as_mut().expect("blocks flow while all nodes are live");
        if node.extends(around.now, &chain) {
            node.extend(from, chain, false, &mut NodeEffects { around, node: id });
        } else if node.reorganises(around.now, &chain) {
            let forgets = around.may_forget(node);
            node.reorganise(from, chain, false, &mut NodeEffects { around, node: id });
            if forgets {
                around.look_at_what_it_forgot(node);
            }
        } else {
            return Err(chain);
        }
        has_taken_on(around, node, longest);
        Ok(())
    }

    /// Has a node take on a block that it has downloaded.
    pub(super) fn take_on_asked(
        &mut self,
        around: &mut Surroundings,
        id: NodeId,
        from: NodeId,
        chain: Blockchain,
    ) {
        self.busy -= 1;
        let Self { list, longest, .. } = self;
        let node = list[id.index()].as_mut().expect("it has asked for the block");
        node.has_asked();
        node.extend(from, chain, false, &mut NodeEffects { around, node: id });
        has_taken_on(around, node, longest);
    }

    /// Tells whether all nodes have one chain, in the same copy.
    pub(super) fn are_together(&self) -> bool {
        self.longest.holders == self.list.len()
    }

    /// Tells whether no node has anything on its mind but its chain.
    pub(super) fn rest(&self) -> bool {
        self.busy == 0
    }

    /// Returns the node that has more on its mind than its chain, if there is one and no other.
    pub(super) fn only_busy(&mut self) -> Option<NodeId> {
        if self.busy != 1 {
            return None;
        }
        let is_busy = |node: &Option<Node>| node.as_ref().is_some_and(|node| !node.rests());
        if !is_busy(&self.list[self.last_busy]) {
            self.last_busy = self.list.iter().position(is_busy)?;
        }
        Some(NodeId::new(self.last_busy as u32))
    }

    /// Tells whether a node [keeps a rival](Node::keeps_rival) of a block beside that, once it has the block.
    pub(super) fn keeps_rival(
        &self,
        id: NodeId,
        (now, from): (Time, NodeId),
        (rival, block): (&Blockchain, &Blockchain),
    ) -> bool {
        self.list[id.index()].as_ref().is_some_and(|node| node.keeps_rival(now, from, rival, block))
    }

    /// Returns to whom a block that a node has found comes on top of a rival of their tip, and who gives up what it holds back
    /// for it, one at the most, if that is all that there is to think about, and all others had the chain that it was found
    /// on. The target is that of a search on top of it, and of the search that each of them is in.
    pub(super) fn reorganising(
        &mut self,
        around: &mut Surroundings,
        finder: NodeId,
        (chain, target): (&Blockchain, Target),
    ) -> Option<Vec<NodeId>> {
        let (now, rules) = (around.now, Arc::clone(&around.rules));
        let busy = self.only_busy();
        if busy.map_or(self.busy > 0, |busy| busy == finder) {
            return None;
        }
        if let Some(busy) = busy
            && !self.at(around, busy)?.yields(now, chain)
        {
            return None;
        }
        let mut reorganising = Vec::new();
        for id in (0..self.list.len() as u32).map(NodeId::new).filter(|id| *id != finder) {
            let node = self.at(around, id)?;
            if node.extends(now, chain) {
                continue;
            }
            let takes_on = busy == Some(id) || node.reorganises(now, chain);
            if !takes_on || node.mined_on().next_target(&rules) != target {
                return None;
            }
            reorganising.push(id);
        }
        Some(reorganising)
    }

    /// Gives all nodes a block that one of them has found. It is on the chain that all had but those that
    /// [reorganise](Self::reorganising), or give up what they hold back. The target is that of a search on top of it.
    pub(super) fn give(
        &mut self,
        around: &mut Surroundings,
        finder: NodeId,
        (chain, target): (Blockchain, Target),
        reorganising: &[NodeId],
    ) {
        self.given_count += 1;
        self.known_counts[finder.index()] += 1;
        for &id in reorganising {
            self.known_counts[id.index()] += 1;
            let node = self.list[id.index()].as_mut().expect("it has been looked at");
            let (chain, effects) = (chain.clone(), &mut GivenEffects { around, node: id });
            match node.rests() {
                true => node.reorganise(finder, chain, false, effects),
                false => {
                    node.yield_to(finder, chain, effects);
                    self.busy -= 1;
                }
            }
        }
        self.longest = Longest { chain: Some(chain.clone()), holders: self.list.len() };
        self.given = Some((chain, target));
    }

    /// Gives all nodes but one a block that one of them has found, on the chain that all had: the other
    /// [shows](Node::rival_to_show) its peers a rival of the block instead. The target is that of a search on top of the block.
    pub(super) fn give_contested(
        &mut self,
        around: &Surroundings,
        (finder, chain, target): (NodeId, &Blockchain, Target),
        (miner, rival): (NodeId, &Blockchain),
    ) {
        self.given_count += 1;
        for id in [finder, miner] {
            self.known_counts[id.index()] += 1;
        }
        let mut effects = Effects::default();
        let message = Message::NewBlock(Told::Chain(chain.clone()));
        let node = self.list[miner.index()].as_mut().expect("it holds back the rival");
        // Nothing that comes of it depends on the time: the miner waits for nothing, has nothing pending, and its search goes on.
        node.handle(around.now, Input::Message(finder, message), &mut effects);
        debug_assert!(matches!(effects.to_do[..], [Effect::Relay { except: None, .. }]), "{effects:?}");
        debug_assert!(node.chain() == rival && effects.happened.is_empty(), "{effects:?}");
        for peer in &around.peers[miner.index()] {
            let node = self.list[peer.index()].as_mut().expect("it has been looked at");
            node.keep_rival(miner, rival.clone());
        }
        self.longest = Longest { chain: Some(chain.clone()), holders: self.list.len() - 1 };
        self.given = Some((chain.clone(), target));
    }

    /// Has all nodes let go of blocks.
    pub(super) fn shorten(&mut self, around: &mut Surroundings, cut: &mut Cut) {
        for place in 0..self.list.len() as u32 {
            if let Some(node) = self.at(around, NodeId::new(place)) {
                node.shorten(cut);
                // It may have forgotten a block that it was told of.
                around.look_at_what_it_heard(node);
            }
        }
        let given = self.given.take();
        self.given = given.and_then(|(given, target)| Some((cut.shortened(&given)?, target)));
        let Self { list, longest, .. } = self;
        longest.chain = longest.chain.take().and_then(|longest| cut.shortened(&longest));
        // Of two copies of the same blocks there is one now.
        longest.holders = list.iter().flatten().filter(|node| longest.is_of(node)).count();
    }

    /// Has a node know all that has come to it.
    #[inline]
    fn bring_up(&mut self, around: &mut Surroundings, id: NodeId) {
        if self.is_behind(id) {
            self.hear_of_given(around, id);
        }
        if around.downloads.is_unheard_by(id) {
            self.hear_of_download(around, id);
        }
    }

    /// Tells a node of the block that it downloads, which goes on as a message.
    #[cold]
    fn hear_of_download(&mut self, around: &mut Surroundings, id: NodeId) {
        let unheard = around.take_unheard(id);
        self.busy -= 1;
        self.count_out(id);
        let node = self.list[id.index()].as_mut().expect("it downloads a block");
        unheard.tell(node, &mut around.downloads.effects);
        self.count_in(id);
    }

    /// Tells a node of what has come to all.
    #[inline(never)]
    fn hear_of_given(&mut self, around: &mut Surroundings, id: NodeId) {
        let missed = self.given_count - self.known_counts[id.index()];
        self.known_counts[id.index()] = self.given_count;
        if let (Some(node), Some((given, target))) = (&mut self.list[id.index()], &self.given)
            && let Some(search) = node.extend_unheard(missed, given.clone())
        {
            around.search(id, search, *target);
        }
    }

    /// Tells whether a node has yet to hear of what has come to all.
    #[inline]
    fn is_behind(&self, id: NodeId) -> bool {
        // Where no block ever came to all at once, the counts of many nodes would be fetched from memory in vain.
        self.given_count > 0 && self.known_counts[id.index()] < self.given_count
    }

    fn count_out(&mut self, id: NodeId) {
        let Some(node) = &self.list[id.index()] else { return };
        self.longest.count_out(node);
        self.busy -= usize::from(!node.rests());
    }

    fn count_in(&mut self, id: NodeId) {
        let Some(node) = &self.list[id.index()] else { return };
        if !node.rests() {
            self.busy += 1;
            self.last_busy = id.index();
        }
        self.longest.count_in(node);
    }
}

/// Has a node search on a block that it has just taken on.
#[inline]
fn has_taken_on(around: &mut Surroundings, node: &mut Node, longest: &mut Longest) {
    if let Some(search) = around.to_hash.take() {
        around.hash(node, search);
    }
    // Whoever told it has a longer chain than it had, so that it did not have the longest before.
    longest.count_in(node);
}
