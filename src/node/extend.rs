//! The common cases: a block that extends the tip of a node which waits for nothing, one that it knows, and one that it has
//! asked another for.
//!
//! They do what the general case does, effect for effect, and look at nothing that cannot matter then; what is due at the
//! same moment waits for the wake-up. Most of what a simulation of many nodes does is this.

use std::hint;

use super::{
    effects::{Effect, Effects},
    machine::{Node, SearchId},
    questions::Wanted,
    secret::Scheme,
};
use crate::{
    blockchain::Blockchain,
    event::Happening,
    hash::BlockHash,
    message::{Message, NodeId, Told},
    pow::Target,
    time::Time,
};

/// Up to here, some ten thousand years away, there are timestamps left for the next block.
const LATE_MICROS: u64 = u64::MAX >> 6;

/// What comes of a block that extends the tip, in this order: as [`Effects`], or as calls of a driver that has no
/// time for a list.
pub(crate) trait Extended {
    /// An event: the block is the node's tip.
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId);
    /// A message to all peers but one: the new tip.
    fn relay(&mut self, except: NodeId, tip: &Blockchain);
    /// A search in place of the one before.
    fn search(&mut self, search: SearchId, target: Target);
    /// A message: the block has come.
    fn acknowledge(&mut self, to: NodeId, block: BlockHash);
}

impl Extended for Effects {
    fn accepted(&mut self, block: BlockHash, position: u64, from: NodeId) {
        self.happened(Happening::Accepted { block, position, from });
    }

    fn relay(&mut self, except: NodeId, tip: &Blockchain) {
        let message = Message::NewBlock(Told::Chain(tip.clone()));
        self.push(Effect::Relay { except: Some(except), message });
    }

    fn search(&mut self, search: SearchId, target: Target) {
        self.push(Effect::Search(search, target));
    }

    fn acknowledge(&mut self, to: NodeId, block: BlockHash) {
        self.push(Effect::Send(to, Message::Acknowledge { block }));
    }
}

impl Node {
    /// Tells whether the node has nothing on its mind but its chain, so that a block on top of it makes it tell its
    /// peers and search anew, and nothing else: it waits for no answer, no time and no block, has nothing pending, holds
    /// nothing back, and has no peer that it would have to tell again.
    pub(super) fn is_quiet(&self) -> bool {
        debug_assert_eq!(
            self.lossy_peers,
            self.peers.iter().filter(|peer| !self.loses_nothing(**peer)).count()
        );
        self.rules.relay.is_on()
            // Nobody asks for what is sent as a whole.
            && (self.pushes || self.gossip.questions.are_forgotten())
            // Whatever has its time would wake it: a round, an answer in pieces, a block of the future, a repetition.
            && self.wake_at.is_none()
            && self.gossip.is_quiet()
            && self.mempool.is_empty()
            && self.payments.is_quiet()
            && self.lossy_peers == 0
            && self.scheme.as_deref().is_none_or(Scheme::is_at_rest)
    }

    /// Tells whether a chain is the node's and one block more, verified, in time, and all that there is to think about.
    #[inline]
    pub(crate) fn extends(&self, now: Time, chain: &Blockchain) -> bool {
        self.is_quiet
            && self.pushes
            && chain.is_child_of(&self.chain)
            && chain.is_verified_under(self.fingerprint)
            // A longer branch may hold the block.
            && chain.len() > self.longest_branch
            && self.is_in_time(now, chain)
    }

    /// The latest timestamp that is near enough to our clock, in microseconds; of links alone, any.
    #[inline]
    fn latest_micros(&self, now: Time) -> u64 {
        now.as_micros().saturating_add(self.ahead_micros)
    }

    /// Takes on a chain that extends the node's, and acknowledges it if it is to.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        from: NodeId,
        chain: Blockchain,
        acknowledges: bool,
        effects: &mut impl Extended,
    ) {
        effects.accepted(chain.tip_hash(), chain.len(), from);
        self.tips += 1;
        self.chain = chain;
        effects.relay(from, &self.chain);
        if let Some((search, target)) = self.next_search() {
            effects.search(search, target);
        }
        if acknowledges {
            effects.acknowledge(from, self.chain.tip_hash());
        }
    }

    /// Takes on so many blocks, the last of which a chain ends with, as [`Node::extend`] does one by one, after all has
    /// come of them but the searches, of which only the last is begun: it is returned.
    #[inline]
    pub(crate) fn extend_unheard(&mut self, blocks: u64, chain: Blockchain) -> Option<(SearchId, Target)> {
        self.tips += blocks;
        self.chain = chain;
        self.next_search()
    }

    /// Returns how often the tip has changed.
    #[inline]
    pub(crate) fn tips(&self) -> u64 {
        self.tips
    }

    /// Tells whether the node has nothing on its mind but its chain, since its last input.
    #[inline]
    pub(crate) fn rests(&self) -> bool {
        self.is_quiet
    }

    /// Reads the two lines of the cache that a block on top of the chain reads, and nothing depends on what is there.
    #[inline]
    pub(crate) fn fetch(&self) {
        hint::black_box((self.is_quiet, self.mining.continuous));
    }

    /// Tells whether a chain's last timestamp is near enough to our clock.
    #[inline]
    pub(crate) fn is_in_time(&self, now: Time, chain: &Blockchain) -> bool {
        chain.tip_micros() <= self.latest_micros(now).min(LATE_MICROS)
    }

    /// Tells whether the node knows a chain's last block.
    pub(crate) fn knows(&self, chain: &Blockchain) -> bool {
        self.is_known(chain.tip_hash(), chain.len())
    }

    /// Tells whether a message tells of a block at a position that the node knows, over a link that loses nothing: nothing
    /// comes of it, not even what is due at the same moment. So a driver need not bring a block.
    pub(super) fn is_repeat(&self, from: NodeId, block: BlockHash, position: u64) -> bool {
        self.loses_nothing(from) && self.listens_to(from) && self.is_known(block, position)
    }

    /// Tells whether a message tells of a block at a position that the node lacks, and nothing comes of it but that its
    /// sender may be asked if those who are asked now do not answer in time.
    pub(super) fn is_hearsay(&self, now: Time, from: NodeId, block: BlockHash, position: u64) -> bool {
        self.gossip.questions.are_enough_asked(now)
            && self.peers.contains(&from)
            && self.listens_to(from)
            && !self.is_within_reach(Wanted { hash: block, position })
    }

    /// Tells whether the node makes of another's news what it makes of anybody's.
    fn listens_to(&self, other: NodeId) -> bool {
        self.rules.relay.is_on() && !self.gossip.is_banned(other) && !self.is_victim(other)
    }

    /// Tells whether it could show if a message did not come that tells of a block which the node has heard of: it would
    /// be ignored with an event, or the block was forgotten, as side branches make room for others. `misses` tells
    /// whether such a message may still come of a block that is not one that the node remembers.
    pub(crate) fn notices_repeats(&self, misses: impl FnOnce(&Self) -> bool) -> bool {
        !self.gossip.banned.is_empty() || misses(self)
    }

    /// Tells whether the node knows a chain's last block, or keeps it until it can be judged.
    pub(crate) fn remembers(&self, chain: &Blockchain) -> bool {
        self.knows(chain)
            || self.gossip.orphans.iter().any(|orphan| orphan.hash == chain.tip_hash())
            || self.gossip.early.iter().any(|early| early.chain == *chain)
    }

    /// Tells whether nothing is lost between the node and another, so that neither needs to acknowledge what it gets.
    pub(crate) fn loses_nothing(&self, other: NodeId) -> bool {
        self.lossless.binary_search(&other).is_ok()
    }

    /// Notes whether something may be lost between the node and another. It is told of the tip again if it may not have
    /// got it, or from now on may not get what it is told.
    pub(super) fn link_loses(&mut self, now: Time, other: NodeId, loses: bool, effects: &mut Effects) {
        match (self.lossless.binary_search(&other), loses) {
            (Err(place), false) => {
                self.lossless.insert(place, other);
                self.lossy_peers -= usize::from(self.peers.contains(&other));
                if self.gossip.confirm(other) {
                    // For the last time: nobody acknowledges it any more.
                    self.announce_to(now, other, effects);
                }
            }
            (Ok(place), true) => {
                self.lossless.remove(place);
                self.lossy_peers += usize::from(self.peers.contains(&other));
                self.announce_to(now, other, effects);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc, time::Duration};

    use proptest::{collection::vec, prelude::*};

    use super::{
        super::lab::{START, rules},
        *,
    };
    use crate::{Block, Command, Input, PreviousHash, Rules, Ticket, Timestamp, Transaction};

    /// The chain and one block more, by a miner, so many milliseconds later.
    fn grown(chain: &Blockchain, miner: u8, millis: u64) -> Blockchain {
        let micros = chain.tip_micros() + 1 + 1000 * millis;
        let reward = Transaction::reward(format!("miner-{miner}"), 50);
        let parent = PreviousHash::Hash(chain.tip_hash());
        let block = Block::new(chain.len() + 1, Timestamp::from_micros(micros), [reward], 0, parent);
        chain.append(block, &rules()).expect("any proof will do")
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// One of three peers, or a stranger, tells of a block on top of one of those before, the latest at 0.
        Tell {
            from: u32,
            on: usize,
            miner: u8,
            millis: u64,
        },
        /// One of the four tells of one of those before, by the block, its hash or what of it is not pending.
        Repeat {
            from: u32,
            which: usize,
            by: u8,
        },
        /// One of the four tells by its hash of a block on top of the chain that nobody else brings.
        Announce {
            from: u32,
            miner: u8,
        },
        /// One of them answers what it was asked last, with such a block or with nothing.
        Answer {
            from: u32,
            miner: Option<u8>,
        },
        Mine,
        Stop,
        LinkLoses {
            other: u32,
            loses: bool,
        },
        Submit,
        /// One of the four is a peer no more.
        Unregister {
            peer: u32,
        },
        /// One of the four says what nobody may: after the second time it is banned.
        Lie {
            from: u32,
        },
        Pass {
            millis: u64,
        },
    }

    fn step() -> impl Strategy<Value = Step> {
        let tell = (
            1..5_u32,
            prop_oneof![6 => Just(0), 1 => 0..9_usize],
            0..3_u8,
            prop_oneof![0..9_u64, Just(20_000)],
        );
        prop_oneof![
            12 => tell.prop_map(|(from, on, miner, millis)| Step::Tell { from, on, miner, millis }),
            4 => (1..5_u32, 0..9_usize, 0..3_u8)
                .prop_map(|(from, which, by)| Step::Repeat { from, which, by }),
            8 => (1..5_u32, 3..5_u8).prop_map(|(from, miner)| Step::Announce { from, miner }),
            2 => (1..5_u32, prop::option::of(3..5_u8))
                .prop_map(|(from, miner)| Step::Answer { from, miner }),
            1 => Just(Step::Mine),
            1 => Just(Step::Stop),
            1 => (1..4_u32, any::<bool>()).prop_map(|(other, loses)| Step::LinkLoses { other, loses }),
            1 => Just(Step::Submit),
            1 => (1..5_u32).prop_map(|peer| Step::Unregister { peer }),
            1 => (1..5_u32).prop_map(|from| Step::Lie { from }),
            2 => prop_oneof![0..400_u64, 0..30_000_u64].prop_map(|millis| Step::Pass { millis }),
        ]
    }

    /// A node with three peers, to and from whom nothing is lost.
    fn node(rules: &Arc<Rules>) -> Node {
        node_with_peers(rules, 3)
    }

    fn node_with_peers(rules: &Arc<Rules>, count: u32) -> Node {
        let mut node = Node::new(NodeId::new(0), Arc::clone(rules), "miner-9", START).unwrap();
        let peers: Vec<_> = (1..=count).map(NodeId::new).collect();
        node.handle(
            START,
            Input::Command(Ticket(0), Command::Register(peers.clone())),
            &mut Effects::default(),
        );
        for peer in peers {
            node.handle(START, Input::LinkLoses(peer, false), &mut Effects::default());
        }
        node
    }

    /// What is fetched ahead of a block that comes is all that it reads, and not one line twice.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn what_a_block_reads_lies_in_two_lines_of_the_cache() {
        let node = Node::new(NodeId::new(0), Arc::new(rules()), "miner", START).unwrap();
        let line = |address: usize| (address - &raw const node as usize) / 64;
        assert_eq!(line(&raw const node.is_quiet as usize), 0);
        assert_eq!(line(&raw const node.mining.continuous as usize), 1);
    }

    #[test]
    fn a_block_on_top_of_the_chain_is_the_common_case() {
        let mut node = node(&Arc::new(rules()));
        let [block, rival] = [1, 2].map(|miner| grown(node.chain(), miner, 0));
        assert!(node.extends(START, &block) && node.extends(START, &rival));
        node.handle(
            START,
            Input::Message(NodeId::new(1), Message::NewBlock(Told::Chain(block.clone()))),
            &mut Effects::default(),
        );
        assert!(!node.extends(START, &rival) && node.extends(START, &grown(&block, 3, 0)));
    }

    /// So many tell of a missing block that more of them are asked, and that the last of them find no room.
    #[test]
    fn hearsay_of_many_peers_is_the_general_case() {
        let mut node = node_with_peers(&Arc::new(rules()), 100);
        let mut general = node.clone();
        let chain = grown(node.chain(), 1, 0);
        let mut asked = Vec::new();
        for from in (1..=100).map(NodeId::new) {
            let announcement = Message::Announce { block: chain.tip_hash(), position: chain.len() };
            let (mut effects, mut expected) = (Effects::default(), Effects::default());
            node.handle(START, Input::Message(from, announcement.clone()), &mut effects);
            general.handle_at_length(START, Input::Message(from, announcement), &mut expected);
            assert_eq!(format!("{effects:?}"), format!("{expected:?}"), "{from}");
            assert_eq!(format!("{node:?}"), format!("{general:?}"), "{from}");
            let is_question =
                |effect: &Effect| matches!(effect, Effect::Send(_, Message::BlocksRequest { .. }));
            asked.extend(effects.to_do.iter().any(is_question).then_some(from.index()));
        }
        assert_eq!(asked, [1, 32, 96]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        /// Effect for effect but for when the node is to be woken, and in all that it remembers.
        #[test]
        fn the_common_cases_are_the_general_one(steps in vec(step(), 0..60)) {
            let rules = Arc::new(rules());
            let mut node = node(&rules);
            node.limits.bad_blocks = 2;
            let (mut now, mut asked) = (START, BTreeMap::new());
            let mut told = vec![node.chain().clone()];
            for (step, ticket) in steps.into_iter().zip(1..) {
                let says = |from, message| Input::Message(NodeId::new(from), message);
                let tells = |from, chain: &Blockchain| says(from, Message::NewBlock(Told::Chain(chain.clone())));
                let announces = |from, chain: &Blockchain| {
                    says(from, Message::Announce { block: chain.tip_hash(), position: chain.len() })
                };
                let input = match step {
                    Step::Tell { from, on, miner, millis } => {
                        let chain = grown(&told[told.len().saturating_sub(1 + on)], miner, millis);
                        told.push(chain.clone());
                        tells(from, &chain)
                    }
                    Step::Repeat { from, which, by } => {
                        let chain = &told[told.len().saturating_sub(1 + which)];
                        match by {
                            0 => tells(from, chain),
                            1 => announces(from, chain),
                            _ => says(from, Message::CompactBlock(Told::Chain(chain.clone()))),
                        }
                    }
                    Step::Announce { from, miner } => announces(from, &grown(node.chain(), miner, 0)),
                    Step::Answer { from, miner } => {
                        let Some(request) = asked.remove(&NodeId::new(from)) else { continue };
                        let blocks = match miner {
                            Some(miner) => Told::Chain(grown(node.chain(), miner, 0)),
                            None => Told::Blocks([].into()),
                        };
                        says(from, Message::Blocks { request, after: node.chain().len(), blocks })
                    }
                    Step::Mine => Input::Command(Ticket(ticket), Command::StartMining),
                    Step::Stop => Input::Command(Ticket(ticket), Command::StopMining),
                    Step::LinkLoses { other, loses } => Input::LinkLoses(NodeId::new(other), loses),
                    Step::Submit => {
                        Input::Command(Ticket(ticket), Command::Submit(Transaction::new("miner-0", "x", 1)))
                    }
                    Step::Unregister { peer } => {
                        Input::Command(Ticket(ticket), Command::Unregister(vec![NodeId::new(peer)]))
                    }
                    Step::Lie { from } => says(from, Message::NewBlock(Told::Document("{}".into()))),
                    Step::Pass { millis } => {
                        now += Duration::from_millis(millis);
                        Input::Wake
                    }
                };
                let mut general = node.clone();
                let (mut effects, mut expected) = (Effects::default(), Effects::default());
                node.handle(now, input.clone(), &mut effects);
                general.handle_at_length(now, input, &mut expected);
                // What is due at this moment, a driver has it do now.
                for (node, effects) in [(&mut node, &mut effects), (&mut general, &mut expected)] {
                    if node.wake_at.is_some_and(|at| at <= now) {
                        node.handle(now, Input::Wake, effects);
                    }
                    effects.to_do.retain(|effect| !matches!(effect, Effect::WakeAt(_)));
                }
                prop_assert_eq!(format!("{effects:?}"), format!("{expected:?}"));
                prop_assert_eq!(format!("{node:?}"), format!("{general:?}"));
                for effect in effects.to_do {
                    if let Effect::Send(to, Message::BlocksRequest { request, .. }) = effect {
                        asked.insert(to, request);
                    }
                }
            }
        }
    }
}
