//! How a tree grows: the blocks that are mentioned, and who stands where.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use super::{
    fork_tree::{ForkTree, Miner, Reorganisation, Standing, TreeBlock},
    names::{marks, shown},
};
use crate::{
    blockchain::Blockchain,
    event::{Event, Happening},
    hash::BlockHash,
    message::NodeId,
    pow::Work,
};

/// A tree under way. Blocks are numbered in the order in which they are first mentioned.
#[derive(Default)]
pub(super) struct Growth {
    blocks: Vec<Mentioned>,
    by_hash: BTreeMap<BlockHash, usize>,
    /// What names of miners were told, by which the blocks know them.
    miners: Vec<Arc<str>>,
    by_node: BTreeMap<NodeId, Known>,
    by_address: BTreeMap<Arc<str>, usize>,
    standing: Vec<(Arc<str>, usize)>,
    reorganisations: Vec<Reorganisation>,
    /// The tip of the best chain, and its work.
    best: Option<(Work, usize)>,
}

struct Mentioned {
    hash: BlockHash,
    position: u64,
    parent: Option<usize>,
    miner: Option<usize>,
}

/// What is known of a node.
#[derive(Default)]
struct Known {
    name: Option<Arc<str>>,
    miner: Option<usize>,
    tip: Option<usize>,
}

impl Growth {
    pub(super) fn observe(&mut self, event: &Event) {
        let Event { node, what, .. } = event;
        match what {
            Happening::Joined { name } => {
                self.by_node.entry(*node).or_default().name = Some(Arc::clone(name));
            }
            Happening::Mined { block, position, parent } => {
                let before = position.checked_sub(1).filter(|before| *before > 0);
                let parent = before.map(|before| self.mention(*parent, before));
                let block = self.mention(*block, *position);
                self.link(block, parent);
                let miner = self.miner_at(*node);
                self.blocks[block].miner.get_or_insert(miner);
                self.by_node.entry(*node).or_default().tip = Some(block);
            }
            Happening::Accepted { block, position, .. } => {
                let block = self.mention(*block, *position);
                self.by_node.entry(*node).or_default().tip = Some(block);
            }
            Happening::Reorganised { abandoned, adopted, old_tip } => {
                self.reorganised(*node, *abandoned, *adopted, *old_tip);
            }
            _ => {}
        }
    }

    /// Adds the blocks of a chain that are not there yet, and who stands on it.
    pub(super) fn add_chain(&mut self, name: Arc<str>, chain: &Blockchain) {
        let mut child = None;
        let mut next = Some(chain.clone());
        while let Some(chain) = next.take() {
            let is_known = self.by_hash.contains_key(&chain.tip_hash());
            let block = self.mention(chain.tip_hash(), chain.len());
            if let Some(child) = child {
                self.link(child, Some(block));
            }
            if !is_known {
                self.blocks[block].miner = self.rewarded(&chain);
                next = chain.parent();
            }
            child = Some(block);
        }
        let tip = self.by_hash[&chain.tip_hash()];
        self.standing.push((name, tip));
        // Of two equally good chains the first stays the best.
        if self
            .best
            .is_none_or(|(work, best)| (chain.work(), chain.len()) > (work, self.blocks[best].position))
        {
            self.best = Some((chain.work(), tip));
        }
    }

    /// Tells the name of whom an address belongs to.
    pub(super) fn name_address(&mut self, address: Arc<str>, name: Arc<str>) {
        self.by_address.insert(address, self.miners.len());
        self.miners.push(name);
    }

    /// Returns whom the last block of a chain rewards.
    fn rewarded(&mut self, chain: &Blockchain) -> Option<usize> {
        let reward = chain.last_block().transactions().last()?;
        if !reward.is_reward() || chain.len() == 1 {
            return None;
        }
        let address = reward.recipient_address();
        if let Some(miner) = self.by_address.get(address) {
            return Some(*miner);
        }
        self.name_address(Arc::clone(address), Arc::clone(address));
        self.by_address.get(address).copied()
    }

    /// Returns the number of a block, which it is given when it is first mentioned.
    fn mention(&mut self, hash: BlockHash, position: u64) -> usize {
        match self.by_hash.entry(hash) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                entry.insert(self.blocks.len());
                self.blocks.push(Mentioned { hash, position, parent: None, miner: None });
                self.blocks.len() - 1
            }
        }
    }

    /// Puts a block on its parent, unless it stands on one or they do not follow each other: lines may be wrong.
    fn link(&mut self, block: usize, parent: Option<usize>) {
        let parent = parent.filter(|parent| {
            self.blocks[*parent].position.checked_add(1) == Some(self.blocks[block].position)
        });
        let own = &mut self.blocks[block].parent;
        *own = own.or(parent);
    }

    fn miner_at(&mut self, node: NodeId) -> usize {
        let known = self.by_node.entry(node).or_default();
        *known.miner.get_or_insert_with(|| {
            self.miners.push(known.name.clone().unwrap_or_else(|| node.to_string().into()));
            self.miners.len() - 1
        })
    }

    fn reorganised(&mut self, node: NodeId, abandoned: u64, adopted: u64, old_tip: BlockHash) {
        let Some(new) = self.by_node.get(&node).and_then(|known| known.tip) else {
            return;
        };
        let fork = self.blocks[new].position.checked_sub(adopted);
        let Some(position) = fork.and_then(|fork| fork.checked_add(abandoned)) else {
            return;
        };
        let old = self.mention(old_tip, position);
        self.reorganisations.push(Reorganisation { name: self.name(node), abandoned, adopted, old, new });
    }

    fn name(&self, node: NodeId) -> Arc<str> {
        let known = self.by_node.get(&node).and_then(|known| known.name.clone());
        known.unwrap_or_else(|| node.to_string().into())
    }

    /// Returns the tree: its blocks in the order of their positions, and each that was first mentioned first.
    pub(super) fn finish(mut self) -> ForkTree {
        for (node, known) in &self.by_node {
            if let Some(tip) = known.tip {
                let name = known.name.clone().unwrap_or_else(|| node.to_string().into());
                self.standing.push((name, tip));
            }
        }
        let winner = self.best.map(|(_, tip)| tip).or_else(|| self.highest());
        let mut order: Vec<usize> = (0..self.blocks.len()).collect();
        order.sort_by_key(|number| self.blocks[*number].position);
        let mut places = vec![0; order.len()];
        for (place, number) in order.iter().enumerate() {
            places[*number] = place;
        }
        let mut blocks: Vec<_> = order
            .iter()
            .map(|number| {
                let &Mentioned { hash, position, parent, miner } = &self.blocks[*number];
                let parent = parent.map(|parent| places[parent]);
                TreeBlock { hash, position, parent, miner, standing: Vec::new(), left: 0 }
            })
            .collect();
        for (number, (_, block)) in self.standing.iter().enumerate() {
            blocks[places[*block]].standing.push(number);
        }
        for reorganisation in &mut self.reorganisations {
            reorganisation.old = places[reorganisation.old];
            reorganisation.new = places[reorganisation.new];
            blocks[reorganisation.old].left += 1;
        }
        // A name that was told after its bearer's first block counts as well.
        for known in self.by_node.values() {
            if let (Some(name), Some(miner)) = (&known.name, known.miner) {
                self.miners[miner] = Arc::clone(name);
            }
        }
        let names: Vec<_> = self.miners.iter().map(|name| shown(name)).collect();
        let marks = marks(names.iter().map(String::as_str));
        let miners = names.into_iter().zip(marks).map(|(name, mark)| Miner { name, mark }).collect();
        let standing = self.standing.iter().map(|(name, _)| Standing { name: shown(name) }).collect();
        let winner = winner.map(|tip| places[tip]);
        ForkTree::grown(blocks, miners, standing, self.reorganisations, winner)
    }

    /// Returns the highest of the blocks that nodes stand on; of those the one that most stand on, and the one that was
    /// mentioned first. Where nobody stands anywhere, the highest block.
    fn highest(&self) -> Option<usize> {
        let mut counts = BTreeMap::new();
        for (_, block) in &self.standing {
            *counts.entry(*block).or_insert(0_u64) += 1;
        }
        let better =
            |(block, count): (usize, u64)| (self.blocks[block].position, count, std::cmp::Reverse(block));
        let stood_on = counts.into_iter().max_by_key(|entry| better(*entry));
        let any = || (0..self.blocks.len()).map(|block| (block, 0)).max_by_key(|entry| better(*entry));
        stood_on.or_else(any).map(|(block, _)| block)
    }
}
