//! A tree of blocks as a text for a terminal.

use std::fmt;

use super::{
    fork_tree::{ForkTree, TreeBlock},
    grid::{DOWN, Grid, LEFT, RIGHT, UP},
    layout::{Layout, Place},
    names::{listed, shown, width},
};
use crate::text::blocks;

/// How many lanes are shown: a terminal has no room for more, and each costs a line as long as the tree.
const LANES: usize = 100;
/// How many lines there are of one kind below the tree.
const LINES: usize = 20;

impl fmt::Display for ForkTree {
    /// Writes the tree, the miners with their blocks, and the reorganisations. Of more than a hundred lanes it shows the
    /// first hundred, and of long lists the beginning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocks.is_empty() {
            return writeln!(f, "no blocks");
        }
        let layout = Layout::new(self);
        write!(f, "{}", Text::new(self, &layout).drawn())?;
        if layout.lanes > LANES {
            writeln!(f, "... and {} lanes more", layout.lanes - LANES)?;
        }
        let shares = self.shares();
        if !shares.is_empty() {
            writeln!(f)?;
        }
        for (_, miner, mined, stale) in shares.iter().take(LINES) {
            let stale = match stale {
                0 => String::new(),
                stale if stale == mined => ", stale".into(),
                stale => format!(", {stale} of them stale"),
            };
            writeln!(f, "{} {}: {}{stale}", miner.mark, miner.name, blocks(*mined))?;
        }
        if shares.len() > LINES {
            writeln!(f, "... and {} miners more", shares.len() - LINES)?;
        }
        self.write_reorganisations(f)
    }
}

impl ForkTree {
    fn write_reorganisations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.reorganisations;
        if !all.is_empty() {
            writeln!(f)?;
        }
        for each in all.iter().take(LINES) {
            writeln!(
                f,
                "{} gave up {} for {}: from block {} to block {}",
                shown(&each.name),
                blocks(each.abandoned),
                each.adopted,
                self.named(each.old),
                self.named(each.new),
            )?;
        }
        if all.len() > LINES {
            writeln!(f, "... and {} reorganisations more", all.len() - LINES)?;
        }
        Ok(())
    }

    /// Returns a block's position and its miner's mark, if that is known.
    fn named(&self, block: usize) -> String {
        let TreeBlock { position, miner, .. } = self.blocks[block];
        match miner {
            Some(_) => format!("{position} by {}", self.mark(block)),
            None => position.to_string(),
        }
    }

    /// Returns what is beside a block on which a branch ends that nobody is on any more, or which nodes gave up.
    pub(super) fn cross(&self, block: usize, place: &Place) -> String {
        let is_left =
            place.children == 0 && self.blocks[block].standing.is_empty() && !self.is_winning[block];
        match self.blocks[block].left {
            0 if is_left => "×".into(),
            0 => String::new(),
            left => format!("×{left}"),
        }
    }

    pub(super) fn listed(&self, block: usize) -> String {
        listed(self.blocks[block].standing.iter().map(|number| self.standing[*number].name.as_str()))
    }
}

/// A tree with the places of its columns on a terminal.
struct Text<'a> {
    tree: &'a ForkTree,
    layout: &'a Layout,
    /// Where each column begins, and where the one after the last would.
    starts: Vec<usize>,
    /// What is written at each block.
    cells: Vec<String>,
}

impl<'a> Text<'a> {
    fn new(tree: &'a ForkTree, layout: &'a Layout) -> Self {
        let cells: Vec<_> = (0..tree.blocks.len()).map(|block| cell(tree, layout, block)).collect();
        let mut widths = vec![0; layout.columns.len()];
        for (cell, place) in cells.iter().zip(&layout.places) {
            widths[place.column] = width(cell).max(widths[place.column]);
        }
        let mut starts = vec![0];
        for (column, width) in layout.columns.iter().zip(widths) {
            let start = starts.last().expect("there is a first");
            // An arrow, the tracks and a line.
            starts.push(start + width + 2 + column.tracks.max(1));
        }
        Self { tree, layout, starts, cells }
    }

    fn drawn(&self) -> Grid {
        // The heights are above the lanes.
        let mut grid = Grid::new(1 + self.layout.lanes.min(LANES));
        self.write_heights(&mut grid);
        for (number, block) in self.tree.blocks.iter().enumerate() {
            let place = self.layout.places[number];
            if place.lane >= LANES {
                continue;
            }
            let is_in_column = |parent: usize| self.layout.places[parent].column == place.column;
            if block.parent.is_some_and(is_in_column) {
                // Of a folded stretch the first block stands for all.
                continue;
            }
            grid.write(1 + place.lane, self.starts[place.column], &self.cells[number]);
            if let Some(parent) = block.parent {
                self.join(&mut grid, number, parent);
            }
        }
        grid
    }

    fn write_heights(&self, grid: &mut Grid) {
        let mut free = 0;
        for (column, start) in self.layout.columns.iter().zip(&self.starts) {
            if !column.is_folded() && *start >= free {
                let height = column.first.to_string();
                grid.write(0, *start, &height);
                free = start + height.len() + 1;
            }
        }
    }

    /// Draws the arrow from a block to its parent.
    fn join(&self, grid: &mut Grid, block: usize, parent: usize) {
        let (place, from) = (self.layout.places[block], self.layout.places[parent]);
        let start = self.starts[place.column];
        let end = self.starts[from.column] + width(&self.cells[parent]);
        if from.lane < LANES {
            grid.write(1 + from.lane, end, "◂");
        }
        if place.is_straight {
            return grid.across(1 + place.lane, end + 1, start - 1);
        }
        let tracks = self.layout.columns[from.column].tracks;
        let x = start - 1 - tracks + self.layout.tracks[parent];
        let is_below = place.lane > from.lane;
        if from.lane < LANES {
            grid.across(1 + from.lane, end + 1, x - 1);
            grid.line(1 + from.lane, x, LEFT | if is_below { DOWN } else { UP });
        }
        for lane in from.lane.min(place.lane) + 1..from.lane.max(place.lane).min(LANES) {
            grid.line(1 + lane, x, UP | DOWN);
        }
        grid.line(1 + place.lane, x, RIGHT | if is_below { UP } else { DOWN });
        grid.across(1 + place.lane, x + 1, start - 1);
    }
}

/// Returns what is written at a block, and for each of a folded stretch how many there are.
fn cell(tree: &ForkTree, layout: &Layout, block: usize) -> String {
    let place = &layout.places[block];
    let column = &layout.columns[place.column];
    if column.is_folded() {
        return format!("({})", blocks(column.blocks()));
    }
    let mut cell = tree.mark(block).to_owned();
    let cross = tree.cross(block, place);
    if !cross.is_empty() {
        cell += &format!(" {cross}");
    }
    if !tree.blocks[block].standing.is_empty() {
        cell += &format!("({})", tree.listed(block));
    }
    cell
}
