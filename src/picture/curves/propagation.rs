//! How blocks spread.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::curve::{Curve, Point, Shape};
use crate::{
    event::{Event, Happening},
    hash::BlockHash,
    message::NodeId,
    time::Time,
};

/// How many steps the curve has.
const STEPS: usize = 100;

impl Curve {
    /// Makes the curve of the share of the nodes that have a block against the time since it was mined: the median over
    /// all blocks, and the band in which the middle 80 % of them are.
    ///
    /// A node has a block once it has taken it on, as its tip or below its tip; the miner has it at once. Blocks that never
    /// came to all, as those of a branch that lost, count with the share they came to. The curve ends when 99 % of all
    /// arrivals are over. What no event tells of but of its messages and links, as of a peer that a test plays, is no node.
    /// It takes some 30 bytes for each arrival of a block at a node, half of that again at the end, and sorts each block's
    /// arrivals.
    ///
    /// ```
    /// use chainlab::{BlockHash, Event, Happening, NodeId, Time, picture::Curve};
    ///
    /// let [block, parent] = ["block", "genesis"].map(|text| BlockHash::of(text.as_bytes()));
    /// let at = |seconds, node, what| Event { time: Time::from_secs(seconds), node: NodeId::new(node), what };
    /// let curve = Curve::propagation([
    ///     at(1, 0, Happening::Mined { block, position: 2, parent }),
    ///     at(3, 1, Happening::Accepted { block, position: 2, from: NodeId::new(0) }),
    /// ]);
    /// let last = curve.points().last().expect("a block was mined");
    /// assert_eq!((last.x, last.mean), (2.0, 1.0));
    /// ```
    pub fn propagation<E: Borrow<Event>>(events: impl IntoIterator<Item = E>) -> Self {
        let mut spread = Spread::default();
        events.into_iter().for_each(|event| spread.observe(event.borrow()));
        Self {
            title: "how blocks spread".into(),
            x: "seconds since a block was mined".into(),
            y: "share of the nodes that have it".into(),
            shape: Shape::Line,
            points: spread.points(),
            published: None,
        }
    }
}

#[derive(Default)]
struct Spread {
    nodes: BTreeMap<NodeId, usize>,
    by_hash: BTreeMap<BlockHash, usize>,
    blocks: Vec<Mined>,
}

struct Mined {
    time: Time,
    parent: Option<usize>,
    /// Which nodes have it.
    holders: BTreeSet<usize>,
    /// When the others had it.
    arrivals: Vec<Duration>,
}

impl Spread {
    fn observe(&mut self, event: &Event) {
        // These happen to whatever is linked, be it a node or not.
        if matches!(event.what, Happening::Message(_) | Happening::Partitioned { .. } | Happening::Healed) {
            return;
        }
        let next = self.nodes.len();
        let node = *self.nodes.entry(event.node).or_insert(next);
        match &event.what {
            Happening::Mined { block, parent, .. } if !self.by_hash.contains_key(block) => {
                let parent = self.by_hash.get(parent).copied();
                self.by_hash.insert(*block, self.blocks.len());
                let holders = [node].into();
                self.blocks.push(Mined { time: event.time, parent, holders, arrivals: Vec::new() });
            }
            Happening::Mined { block, .. } | Happening::Accepted { block, .. } => {
                let mut next = self.by_hash.get(block).copied();
                // A parent was mined before, so that this ends.
                while let Some(block) = next.map(|block| &mut self.blocks[block])
                    && block.holders.insert(node)
                {
                    block.arrivals.push(event.time - block.time);
                    next = block.parent;
                }
            }
            _ => {}
        }
    }

    fn points(mut self) -> Vec<Point> {
        self.blocks.iter_mut().for_each(|block| block.arrivals.sort_unstable());
        let mut all: Vec<_> = self.blocks.iter().flat_map(|block| &block.arrivals).copied().collect();
        if all.is_empty() {
            return Vec::new();
        }
        let at = (all.len() * 99).div_ceil(100) - 1;
        let last = *all.select_nth_unstable(at).1;
        let nodes = self.nodes.len() as f64;
        let mut shares = Vec::with_capacity(self.blocks.len());
        let point = |step: usize| {
            let time = last.mul_f64(step as f64 / STEPS as f64);
            let share = |block: &Mined| {
                let count = 1 + block.arrivals.partition_point(|arrival| *arrival <= time);
                count as f64 / nodes
            };
            shares.clear();
            shares.extend(self.blocks.iter().map(share));
            shares.sort_unstable_by(f64::total_cmp);
            let at = |tenths: usize| shares[(shares.len() - 1) * tenths / 10];
            Point { x: time.as_secs_f64(), mean: at(5), low: at(1), high: at(9) }
        };
        (0..=STEPS).map(point).collect()
    }
}
