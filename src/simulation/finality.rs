//! Letting go of final blocks, so that a long run takes memory for its nodes and not for its blocks.

use super::{Simulation, world::World};
use crate::{
    blockchain::{Blockchain, Cut},
    message::NodeId,
    verbs::view::View,
};

/// Which blocks are final, and when it is looked next.
#[derive(Debug)]
pub(super) struct Finality {
    depth: u64,
    /// The first block that is kept.
    base: u64,
    /// The blocks that the longest chain is to have then.
    due: u64,
}

impl Default for Finality {
    fn default() -> Self {
        Self { depth: u64::MAX, base: 1, due: u64::MAX }
    }
}

impl Simulation {
    /// Has blocks let go of that are final: all nodes have them, and so many blocks and more come after them in the longest
    /// chain, at least one. So a run of millions of blocks takes memory for its nodes, and not for its blocks. At first no
    /// block is final.
    ///
    /// As long as no fork is deeper and no node farther behind than that, the run comes to the same, and its
    /// [report](Self::report) is the same. What is lost is the sight of what was let go of: chains find neither such a
    /// [block](crate::Blockchain::block) nor a transaction in it, and there is no document from the genesis on. The genesis
    /// is kept, as are balances and the numbers of blocks.
    ///
    /// While a node stands on an older block, live or down, nothing after that is let go of, so that memory grows until it
    /// has caught up. When it does, the bytes of what it asks for may be others. Where blocks are announced, every question
    /// for one takes fewer bytes, as whoever asks has fewer blocks to name. What no node stands on is forgotten where it
    /// branches off among final blocks: if a puppet or a held link brings such a block so late, it is taken for one that is
    /// known, and a longer branch for one from the genesis.
    ///
    /// It is looked only now and then what has become final, which costs next to nothing: up to ten times as many blocks are
    /// kept, and five times those that the next difficulty is derived from; or as many as there are nodes, if that is more.
    /// Chains that somebody else holds stay as they are, in memory of their own.
    ///
    /// ```
    /// use chainlab::{Rules, Simulation, network::HashRate};
    ///
    /// let simulation = Simulation::new(Rules::sealed(), 42);
    /// simulation.set_finality(100);
    /// let node = simulation.spawn()?;
    /// simulation.start_mining(node, HashRate::default())?;
    /// assert!(simulation.run_blocks(10_000));
    ///
    /// let chain = simulation.chain(node)?;
    /// assert_eq!((chain.len(), simulation.report().in_chain), (10_001, 10_000));
    /// assert!(chain.block(1).is_some() && chain.block(9_901).is_some());
    /// assert!(chain.block(2).is_none() && chain.iter().len() < 5_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_finality(&self, depth: u64) {
        let finality = &mut self.driver.world.borrow_mut().finality;
        (finality.depth, finality.due) = (depth.max(1), 0);
    }
}

impl World {
    /// Lets go of final blocks, if it is time to look for some.
    #[inline]
    pub(super) fn let_go(&mut self) {
        if self.around.longest >= self.finality.due {
            self.look_for_final_blocks();
        }
    }

    #[cold]
    fn look_for_final_blocks(&mut self) {
        let Finality { depth, base: before, .. } = self.finality;
        // Whoever asks for the blocks of a branch may go back twice as far as he has to.
        let deepest = depth.saturating_mul(2);
        let looks_back = self.around.rules.looks_back();
        // To look costs in proportion to the nodes, and to let go to what is kept: for each block, next to nothing.
        let pause = deepest.saturating_add(looks_back).saturating_mul(4).max(self.nodes.count() as u64);
        let longest = self.around.longest;
        self.finality.due = longest.saturating_add(pause);
        let Some(common) = self.common_part() else { return };
        // A block on top of what all have in common is judged by those before.
        let last = longest.saturating_sub(deepest).min(common.len()).saturating_sub(looks_back);
        let Some(base) = common.at(last).filter(|_| last >= before.saturating_add(pause)) else { return };
        self.finality.base = last;
        self.around.recorder.finalise(&base);
        let mut cut = Cut::before_tip_of(&base);
        self.nodes.shorten(&mut self.around, &mut cut);
        self.around.floods.shorten(&mut cut);
        self.around.downloads.shorten();
        self.around.replays.shorten(&mut cut);
    }

    /// What the chains of all nodes begin with, and the branches that they hold back.
    fn common_part(&self) -> Option<Blockchain> {
        let shown = self.nodes().filter_map(|node: NodeId| self.nodes.chain(node));
        let held_back = self.nodes().filter_map(|node: NodeId| self.nodes.held_back(node));
        let mut chains = shown.chain(held_back);
        let first = chains.next()?.clone();
        chains.try_fold(first, |common, chain| match common.is_same_copy(chain) {
            true => Some(common),
            false => common.common_ancestor(chain),
        })
    }
}
