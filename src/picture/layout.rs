//! Where the blocks of a tree stand: a column for each height, a lane for each branch.

use super::{fork_tree::ForkTree, pack::pack};

/// How many plain columns in a row are folded, of which the first and the last still stand for themselves.
const FOLDED: usize = 6;

/// Where everything stands. Between a column and the next is a gap with tracks, in which branches go from the lane of
/// their parent to their own.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    /// Of each block.
    pub(super) places: Vec<Place>,
    pub(super) lanes: usize,
    /// The track of each block whose children have lanes of their own.
    pub(super) tracks: Vec<usize>,
}

/// One height, or a stretch of heights that is folded.
#[derive(Debug)]
pub(super) struct Column {
    /// The position, or the first of the stretch.
    pub(super) first: u64,
    pub(super) last: u64,
    /// The tracks of the gap after it.
    pub(super) tracks: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) column: usize,
    pub(super) lane: usize,
    /// Whether it follows its parent on the parent's lane.
    pub(super) is_straight: bool,
    pub(super) children: usize,
}

impl Column {
    pub(super) fn is_folded(&self) -> bool {
        self.last > self.first
    }

    /// The number of blocks of each lane that crosses it.
    pub(super) fn blocks(&self) -> u64 {
        self.last - self.first + 1
    }
}

impl Layout {
    pub(super) fn new(tree: &ForkTree) -> Self {
        let mut layout = Self {
            columns: Vec::new(),
            places: vec![Place::default(); tree.blocks.len()],
            lanes: 0,
            tracks: vec![0; tree.blocks.len()],
        };
        for parent in tree.blocks.iter().filter_map(|block| block.parent) {
            layout.places[parent].children += 1;
        }
        layout.fold(tree);
        let straight = layout.straighten(tree);
        layout.part(tree, &straight);
        layout.track(tree);
        layout
    }

    /// Gives each block its column.
    fn fold(&mut self, tree: &ForkTree) {
        let positions: Vec<_> = tree.blocks.chunk_by(|one, other| one.position == other.position).collect();
        let mut next = 0;
        let mut heights = Vec::new();
        for blocks in positions {
            let numbers = next..next + blocks.len();
            next = numbers.end;
            let is_plain = numbers.clone().all(|number| {
                let block = &tree.blocks[number];
                let is_told = block.standing.is_empty() && block.left == 0;
                block.parent.is_some() && self.places[number].children == 1 && is_told
            });
            heights.push((blocks[0].position, is_plain, numbers));
        }
        // Of plain columns each follows the one before, as its blocks have parents.
        for run in heights.chunk_by(|(_, is_plain, _), (_, other, _)| *is_plain && *other) {
            let is_folded = run.len() >= FOLDED;
            for (place, (position, _, numbers)) in run.iter().enumerate() {
                if is_folded && place > 1 && place + 1 < run.len() {
                    self.columns.last_mut().expect("the one before was added").last = *position;
                } else {
                    self.columns.push(Column { first: *position, last: *position, tracks: 0 });
                }
                for number in numbers.clone() {
                    self.places[number].column = self.columns.len() - 1;
                }
            }
        }
    }

    /// Decides which child of each block stays on its lane: the winning one, or else the one whose branch goes farthest.
    /// What was mined on the winning tip is another branch.
    fn straighten(&mut self, tree: &ForkTree) -> Vec<Option<usize>> {
        let mut straight: Vec<Option<usize>> = vec![None; tree.blocks.len()];
        let mut reaches: Vec<u64> = tree.blocks.iter().map(|block| block.position).collect();
        for (number, block) in tree.blocks.iter().enumerate().rev() {
            let Some(parent) = block.parent else { continue };
            reaches[parent] = reaches[parent].max(reaches[number]);
            let is_better = match straight[parent] {
                _ if tree.is_winning[number] => true,
                _ if tree.is_winning[parent] => false,
                // Of equally far ones the first: they come last here.
                Some(other) => reaches[number] >= reaches[other],
                None => true,
            };
            if is_better {
                straight[parent] = Some(number);
            }
        }
        for child in straight.iter().flatten() {
            self.places[*child].is_straight = true;
        }
        straight
    }

    /// Gives each branch its lane.
    fn part(&mut self, tree: &ForkTree, straight: &[Option<usize>]) {
        let mut branches = Vec::new();
        for (number, block) in tree.blocks.iter().enumerate() {
            let place = self.places[number];
            if place.is_straight {
                continue;
            }
            let mut last = number;
            while let Some(next) = straight[last] {
                last = next;
            }
            // From its parent's column on, so that it does not seem to go on from another that ends there.
            let start = block.parent.map_or(place.column, |parent| self.places[parent].column);
            branches.push((start, self.places[last].column, number));
        }
        let (winning, mut others): (Vec<_>, Vec<_>) =
            branches.into_iter().partition(|(.., number)| tree.is_winning[*number]);
        others.sort_by_key(|(start, ..)| *start);
        let (lanes, count) = pack(others.iter().map(|&(start, end, _)| (start, end)));
        self.lanes = if tree.blocks.is_empty() { 0 } else { 1 + count };
        let winning = winning.into_iter().map(|branch| (branch, 0));
        let others = others.into_iter().zip(lanes.into_iter().map(|lane| 1 + lane));
        for ((.., number), lane) in winning.chain(others) {
            let mut next = Some(number);
            while let Some(block) = next {
                self.places[block].lane = lane;
                next = straight[block];
            }
        }
    }

    /// Gives each block from which branches leave its track, so that no two that pass each other share one.
    fn track(&mut self, tree: &ForkTree) {
        let mut spans: Vec<Option<(usize, usize)>> = vec![None; tree.blocks.len()];
        for (number, block) in tree.blocks.iter().enumerate() {
            if let Some(parent) = block.parent.filter(|_| !self.places[number].is_straight) {
                let (lane, own) = (self.places[number].lane, self.places[parent].lane);
                let (top, bottom) = spans[parent].unwrap_or((own, own));
                spans[parent] = Some((top.min(lane), bottom.max(lane)));
            }
        }
        let mut forks: Vec<_> = spans
            .iter()
            .enumerate()
            .filter_map(|(number, span)| span.map(|span| (self.places[number].column, span, number)))
            .collect();
        forks.sort();
        for forks in forks.chunk_by(|one, other| one.0 == other.0) {
            let (tracks, count) = pack(forks.iter().map(|(_, span, _)| *span));
            self.columns[forks[0].0].tracks = count;
            for ((.., number), track) in forks.iter().zip(tracks) {
                self.tracks[*number] = track;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{BlockHash, Event, Happening, NodeId, Time};

    fn hash(block: usize) -> BlockHash {
        BlockHash::of(&block.to_be_bytes())
    }

    /// Events of a tree in which each block stands on one of those before it, or on one that nobody knows.
    fn events() -> impl Strategy<Value = Vec<Event>> {
        let step = (0..12_usize, 0..40_u8, 0..4_u32);
        prop::collection::vec(step, 1..120).prop_map(|steps| {
            let mut positions = vec![1_u64];
            let mut events = Vec::new();
            for (back, kind, node) in steps {
                // Most stand on the last one, so that there are long stretches.
                let back = if kind < 30 { 0 } else { back };
                let parent = positions.len().saturating_sub(1 + back);
                let (block, position) = (hash(positions.len()), positions[parent] + 1);
                let what = match kind {
                    38 => Happening::Accepted {
                        block: hash(parent),
                        position: position - 1,
                        from: NodeId::new(9),
                    },
                    39 => Happening::Mined { block, position: 5, parent: hash(1_000_000 + positions.len()) },
                    _ => Happening::Mined { block, position, parent: hash(parent) },
                };
                match kind {
                    38 => {}
                    39 => positions.push(5),
                    _ => positions.push(position),
                }
                events.push(Event { time: Time::UNIX_EPOCH, node: NodeId::new(node), what });
            }
            events
        })
    }

    proptest! {
        #[test]
        fn every_block_has_a_place_of_its_own_and_arrows_point_back(events in events()) {
            let tree = ForkTree::from_events(&events);
            let mut told = BTreeMap::new();
            for event in &events {
                match event.what {
                    Happening::Mined { block, position, parent } => {
                        told.insert(block, position);
                        told.entry(parent).or_insert(position - 1);
                    }
                    Happening::Accepted { block, position, .. } => {
                        told.insert(block, position);
                    }
                    _ => {}
                }
            }
            let blocks: Vec<_> = tree.blocks.iter().map(|block| (block.hash, block.position)).collect();
            prop_assert_eq!(blocks.len(), told.len(), "each once");
            prop_assert_eq!(blocks.into_iter().collect::<BTreeMap<_, _>>(), told);

            let layout = Layout::new(&tree);
            let mut taken = BTreeSet::new();
            for (number, block) in tree.blocks.iter().enumerate() {
                let place = layout.places[number];
                prop_assert!(taken.insert((block.position, place.lane)), "two at one place");
                let column = &layout.columns[place.column];
                prop_assert!((column.first..=column.last).contains(&block.position));
                prop_assert_eq!(tree.is_winning[number], place.lane == 0);
                if let Some(parent) = block.parent {
                    prop_assert_eq!(tree.blocks[parent].position + 1, block.position);
                    let from = layout.places[parent];
                    prop_assert_eq!(place.is_straight, place.lane == from.lane);
                    prop_assert!(from.column < place.column || column.is_folded());
                }
                if column.is_folded() {
                    prop_assert!(block.parent.is_some() && place.children == 1 && block.standing.is_empty());
                }
            }
            prop_assert!(layout.columns.windows(2).all(|pair| pair[0].last < pair[1].first));
        }

        #[test]
        fn lines_of_different_parents_share_no_stretch_of_a_track(events in events()) {
            let tree = ForkTree::from_events(&events);
            let layout = Layout::new(&tree);
            let mut owners = BTreeMap::new();
            for (number, block) in tree.blocks.iter().enumerate() {
                let place = layout.places[number];
                let Some(parent) = block.parent.filter(|_| !place.is_straight) else { continue };
                let from = layout.places[parent];
                prop_assert!(layout.tracks[parent] < layout.columns[from.column].tracks);
                for lane in from.lane.min(place.lane)..=from.lane.max(place.lane) {
                    let owner = owners.entry((from.column, layout.tracks[parent], lane)).or_insert(parent);
                    prop_assert_eq!(*owner, parent);
                }
            }
        }
    }
}
