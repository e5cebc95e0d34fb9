//! The tree of all blocks: its values, and where they come from.

use std::{borrow::Borrow, io::BufRead, sync::Arc};

use super::growth::Growth;
use crate::{
    blockchain::Blockchain,
    event::{Event, EventReader, ReadEventError},
    hash::BlockHash,
};

/// Which blocks were mined on which, by whom, which of them won, and where the nodes stand.
///
/// Height grows to the right; each branch has a lane of its own, and the winning chain is straight. As text it is made
/// for a terminal: a block is its miner's mark, with those who stand on it in brackets; a branch that nobody stands on
/// ends with a cross, and so many nodes gave it up. A long stretch in which nothing happens but block after block is
/// folded.
///
/// ```
/// use chainlab::{Network, Rules, picture::ForkTree};
///
/// let network = Network::new(Rules::sealed());
/// let events = network.events();
/// let (alice, bob) = (network.spawn_named("alice")?, network.spawn_named("bob")?);
/// network.mine(alice)?;
/// network.mine(bob)?;
/// network.mine(bob)?;
/// network.shutdown()?;
/// let tree = ForkTree::from_events(events);
/// assert_eq!(tree.to_string(), "\
/// 1   2          3
/// ·◂┬─b◂─────────b(bob)
///   ╰─a(alice)
///
/// a alice: 1 block, stale
/// b bob: 2 blocks
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A node stands on the block that it was last seen to mine or to accept. The chain that wins is the one up to the
/// highest block that a node stands on; of several the one on which most do, and then the one that was there first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ForkTree {
    /// In the order of their positions, so that a parent is before its children.
    pub(super) blocks: Vec<TreeBlock>,
    pub(super) miners: Vec<Miner>,
    pub(super) standing: Vec<Standing>,
    pub(super) reorganisations: Vec<Reorganisation>,
    /// Whether each block is on the winning chain.
    pub(super) is_winning: Vec<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeBlock {
    pub(super) hash: BlockHash,
    pub(super) position: u64,
    /// The block right before it, if it is known.
    pub(super) parent: Option<usize>,
    pub(super) miner: Option<usize>,
    /// Who stands on it.
    pub(super) standing: Vec<usize>,
    /// How often a node gave up a branch of which it was the tip.
    pub(super) left: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miner {
    pub(super) name: String,
    pub(super) mark: String,
}

/// A node that stands on some block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reorganisation {
    pub(super) name: Arc<str>,
    pub(super) abandoned: u64,
    pub(super) adopted: u64,
    pub(super) old: usize,
    pub(super) new: usize,
}

impl ForkTree {
    /// Makes the tree of all blocks that events tell of.
    ///
    /// A block is told of when it is mined, accepted or given up. One that nobody was seen to mine, as the genesis or a
    /// liar's, has neither a miner nor a known parent. What contradicts itself, as a block right before which its parent
    /// does not stand, is not joined. It costs O(n log n) for n events.
    ///
    /// ```
    /// use chainlab::{BlockHash, Event, Happening, NodeId, Time, picture::ForkTree};
    ///
    /// let [genesis, one, other] = ["genesis", "one", "other"].map(|text| BlockHash::of(text.as_bytes()));
    /// let mined = |node, block| {
    ///     let what = Happening::Mined { block, position: 2, parent: genesis };
    ///     Event { time: Time::UNIX_EPOCH, node: NodeId::new(node), what }
    /// };
    /// let tree = ForkTree::from_events([mined(0, one), mined(1, other)]);
    /// assert_eq!((tree.blocks(), tree.stale()), (3, 1));
    /// ```
    pub fn from_events<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> Self {
        let mut growth = Growth::default();
        events.into_iter().for_each(|event| growth.observe(event.borrow()));
        growth.finish()
    }

    /// Makes the tree of the events that lines tell of, as an [`EventWriter`](crate::EventWriter) has written them.
    ///
    /// # Errors
    ///
    /// The first line that cannot be read, and why.
    pub fn read(lines: impl BufRead) -> Result<Self, ReadEventError> {
        let mut growth = Growth::default();
        EventReader::new(lines)?.try_for_each(|event| event.map(|event| growth.observe(&event)))?;
        Ok(growth.finish())
    }

    /// Makes the tree of the blocks of several chains, each with the name of who has it.
    ///
    /// Chains tell no names of miners: a block's is the address that it rewards. What all have abandoned is in no chain,
    /// and so not in this tree; it is in that of the [events](ForkTree::from_events). The chain of most work wins, and of
    /// several the first. It costs O(n log n) for n different blocks.
    ///
    /// ```
    /// use chainlab::{Blockchain, Rules, Time, picture::ForkTree, pow::Target};
    ///
    /// let rules = Rules::notebook().with_first_target(Target::leading_zero_bits(4));
    /// let start = Blockchain::start(&rules, Time::UNIX_EPOCH)?;
    /// let ours = start.mine_next(&rules, [], "alice", Time::from_secs(1))?;
    /// let theirs = start.mine_next(&rules, [], "bob", Time::from_secs(1))?;
    /// let theirs = theirs.mine_next(&rules, [], "bob", Time::from_secs(2))?;
    /// let tree = ForkTree::from_chains([("Ann", ours), ("Ben", theirs)]);
    /// assert_eq!(tree.to_string().lines().nth(1), Some("·◂┬─b◂───────b(Ben)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_chains<N: Into<Arc<str>>>(chains: impl IntoIterator<Item = (N, Blockchain)>) -> Self {
        let mut growth = Growth::default();
        chains.into_iter().for_each(|(name, chain)| growth.add_chain(name.into(), &chain));
        growth.finish()
    }

    /// Makes the tree of the chains of nodes, each with its name and the address of its rewards.
    pub(crate) fn of_nodes(nodes: Vec<(Arc<str>, Arc<str>, Blockchain)>) -> Self {
        let mut growth = Growth::default();
        for (name, address, _) in &nodes {
            growth.name_address(Arc::clone(address), Arc::clone(name));
        }
        nodes.into_iter().for_each(|(name, _, chain)| growth.add_chain(name, &chain));
        growth.finish()
    }

    /// Returns how many blocks there are, the genesis counted if it was told of.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Returns how many blocks are not on the winning chain.
    pub fn stale(&self) -> usize {
        self.is_winning.iter().filter(|is_winning| !**is_winning).count()
    }

    pub(super) fn grown(
        blocks: Vec<TreeBlock>,
        miners: Vec<Miner>,
        standing: Vec<Standing>,
        reorganisations: Vec<Reorganisation>,
        winner: Option<usize>,
    ) -> Self {
        let mut is_winning = vec![false; blocks.len()];
        let mut next = winner;
        while let Some(block) = next {
            is_winning[block] = true;
            next = blocks[block].parent;
        }
        Self { blocks, miners, standing, reorganisations, is_winning }
    }

    pub(super) fn mark(&self, block: usize) -> &str {
        self.blocks[block].miner.map_or("·", |miner| &self.miners[miner].mark)
    }

    /// Returns the numbers of the miners that mined any blocks, how many each mined, and how many of them are stale.
    pub(super) fn shares(&self) -> Vec<(usize, &Miner, u64, u64)> {
        let mut counts = vec![(0, 0); self.miners.len()];
        for (block, is_winning) in self.blocks.iter().zip(&self.is_winning) {
            if let Some(miner) = block.miner {
                counts[miner].0 += 1;
                counts[miner].1 += u64::from(!is_winning);
            }
        }
        let counts = self.miners.iter().zip(counts).enumerate();
        let shares = counts.map(|(number, (miner, (mined, stale)))| (number, miner, mined, stale));
        shares.filter(|(.., mined, _)| *mined > 0).collect()
    }
}
