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
