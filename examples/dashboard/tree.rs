//! The last heights as a tree: time goes to the right, and each branch has a lane.
//!
//! ```text
//!   12  13  14  15
//! ──0───1─┬─0───2(0-2 4)
//!         ╰─3───3(3)
//! ```
//!
//! A block is the number of its miner, with the nodes that stand on it. What goes on the furthest is on the first lane.

use std::{cmp::Reverse, collections::BTreeMap};

use chainlab::{BlockHash, NodeId};

use crate::forks::Forks;

/// The most characters of a list of nodes.
const LISTED_MAX: usize = 16;
/// The cells from a block to the next: a line, where branches leave, and a line.
const GAP: usize = 3;

/// What a cell shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Blank,
    Height,
    /// A line from this block of the picture to those after it.
    Line(usize),
    /// A line from what is further left than the picture.
    Earlier,
    /// A block, and its miner.
    Block(Option<NodeId>),
    /// Who stands on a block.
    Standing,
}

/// The picture, its first row being the heights.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<Vec<(char, Ink)>>,
    /// How many blocks of these heights there is no room for.
    pub(crate) hidden: usize,
}

/// Draws as many of the last heights as there is room for. `standing` tells who stands on a block, of so many nodes.
pub(crate) fn draw(
    forks: &Forks,
    standing: &BTreeMap<BlockHash, Vec<usize>>,
    nodes: usize,
    (width, height): (usize, usize),
) -> Picture {
    let rows = vec![vec![(' ', Ink::Blank); width]; height];
    let mut drawing =
        Drawing { tree: Tree::new(forks, standing, nodes, width), picture: Picture { rows, hidden: 0 } };
    drawing.write_heights();
    for root in drawing.tree.best_first(None) {
        drawing.place(root, None);
    }
    drawing.picture
}

/// Lists numbers, those that follow each other as a range.
fn listed(numbers: &[usize], of: usize) -> String {
    if numbers.len() == of && of > 1 {
        return "all".into();
    }
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let runs = runs.map(|run| match run {
        [first, _, .., last] => format!("{first}-{last}"),
        few => few.iter().map(usize::to_string).collect::<Vec<_>>().join(" "),
    });
    let text = runs.collect::<Vec<_>>().join(" ");
    if text.len() > LISTED_MAX { format!("{} nodes", numbers.len()) } else { text }
}

/// The blocks of the heights that are shown.
struct Tree {
    /// In the order of their positions.
    blocks: Vec<Shown>,
    /// Where each height begins, and how high it is.
    columns: Vec<(usize, u64)>,
}

struct Shown {
    column: usize,
    parent: Option<usize>,
    miner: Option<NodeId>,
    mark: String,
    standing: String,
    /// The highest position among it and what follows it, and how many nodes stand there.
    reach: (u64, usize),
}

impl Shown {
    fn width(&self) -> usize {
        self.mark.chars().count() + self.standing.len()
    }
}

impl Tree {
    fn new(forks: &Forks, standing: &BTreeMap<BlockHash, Vec<usize>>, nodes: usize, width: usize) -> Self {
        let texts = |position| {
            let texts = forks.at(position).map(|(hash, block)| {
                let mark = block.miner.map_or("·".into(), |miner| miner.index().to_string());
                let here = standing.get(&hash).map_or(&[][..], Vec::as_slice);
                let list = if here.is_empty() { String::new() } else { format!("({})", listed(here, nodes)) };
                (hash, block, mark, list, here.len())
            });
            texts.collect::<Vec<_>>()
        };
        let mut heights = Vec::new();
        let mut used = 0;
        for position in (1..=forks.highest()).rev() {
            let texts = texts(position);
            let Some(widest) =
                texts.iter().map(|(_, _, mark, list, _)| mark.chars().count() + list.len()).max()
            else {
                break;
            };
            used += GAP + widest;
            if used > width && !heights.is_empty() {
                break;
            }
            heights.push((position, widest, texts));
        }
        let mut tree = Self { blocks: Vec::new(), columns: Vec::new() };
        let mut before = BTreeMap::new();
        let mut start = GAP - 1;
        for (column, (position, widest, texts)) in heights.into_iter().rev().enumerate() {
            let mut these = BTreeMap::new();
            for (hash, block, mark, standing, count) in texts {
                these.insert(hash, tree.blocks.len());
                let parent = block.parent.and_then(|parent| before.get(&parent).copied());
                let reach = (position, count);
                tree.blocks.push(Shown { column, parent, miner: block.miner, mark, standing, reach });
            }
            tree.columns.push((start, position));
            start += widest + GAP;
            before = these;
        }
        for block in (0..tree.blocks.len()).rev() {
            if let Some(parent) = tree.blocks[block].parent {
                tree.blocks[parent].reach = tree.blocks[parent].reach.max(tree.blocks[block].reach);
            }
        }
        tree
    }

    /// Returns the blocks right after one, or those without one before, that which goes on the furthest first.
    fn best_first(&self, parent: Option<usize>) -> Vec<usize> {
        let of_parent = (0..self.blocks.len()).filter(|block| self.blocks[*block].parent == parent);
        let mut blocks: Vec<_> = of_parent.collect();
        blocks.sort_by_key(|block| Reverse(self.blocks[*block].reach));
        blocks
    }

    fn start(&self, block: usize) -> usize {
        self.columns[self.blocks[block].column].0
    }

    fn end(&self, block: usize) -> usize {
        self.start(block) + self.blocks[block].width()
    }

    fn size(&self, block: usize) -> usize {
        1 + self.best_first(Some(block)).into_iter().map(|next| self.size(next)).sum::<usize>()
    }
}

/// A picture that comes to be.
struct Drawing {
    tree: Tree,
    picture: Picture,
}

impl Drawing {
    fn write_heights(&mut self) {
        let mut free = 0;
        for (start, position) in &self.tree.columns {
            if *start >= free {
                let text = position.to_string();
                write(&mut self.picture, 0, *start, &text, Ink::Height);
                free = start + text.len() + 1;
            }
        }
    }

    /// Draws a branch on the first free lane below that of its parent, then what leaves it, the latest first: so what
    /// leaves a branch crosses nothing that left it later.
    fn place(&mut self, first: usize, from: Option<(usize, usize)>) {
        let mut path = vec![first];
        while let Some(next) = self.tree.best_first(path.last().copied()).first() {
            path.push(*next);
        }
        let last = path[path.len() - 1];
        let lanes = from.map_or(1, |(_, lane)| lane + 1)..self.picture.rows.len();
        let Some(lane) = lanes.into_iter().find(|lane| self.is_free(*lane, first, last, from)) else {
            self.picture.hidden += self.tree.size(first);
            return;
        };
        self.draw_start(lane, first, from);
        for pair in path.windows(2) {
            let (end, start) = (self.tree.end(pair[0]), self.tree.start(pair[1]));
            write(&mut self.picture, lane, end, &"─".repeat(start - end), Ink::Line(pair[0]));
        }
        for block in &path {
            let start = self.tree.start(*block);
            let Shown { mark, standing, miner, .. } = &self.tree.blocks[*block];
            write(&mut self.picture, lane, start, mark, Ink::Block(*miner));
            write(&mut self.picture, lane, start + mark.chars().count(), standing, Ink::Standing);
        }
        for block in path.into_iter().rev() {
            for branch in self.tree.best_first(Some(block)).into_iter().skip(1) {
                self.place(branch, Some((block, lane)));
            }
        }
    }

    /// Tells whether a branch from one block to another has room on a lane, and the line to it above.
    fn is_free(&self, lane: usize, first: usize, last: usize, from: Option<(usize, usize)>) -> bool {
        let rows = &self.picture.rows;
        let turn = self.tree.start(first) + 1 - GAP;
        let has_line = from.is_none_or(|(parent, above)| {
            (above + 1..=lane).all(|row| {
                rows[row]
                    .get(turn)
                    .is_none_or(|(_, ink)| matches!(*ink, Ink::Blank) || *ink == Ink::Line(parent))
            })
        });
        // A cell more, so that no other branch begins right behind it.
        let mut cells =
            rows[lane].iter().take(self.tree.end(last) + 1).skip(turn + usize::from(from.is_some()));
        has_line && cells.all(|(_, ink)| *ink == Ink::Blank)
    }

    /// Draws the line to the first block of a branch.
    fn draw_start(&mut self, lane: usize, first: usize, from: Option<(usize, usize)>) {
        let start = self.tree.start(first);
        let turn = start + 1 - GAP;
        let Some((parent, above)) = from else {
            if self.tree.columns[self.tree.blocks[first].column].1 > 1 {
                write(&mut self.picture, lane, turn, "──", Ink::Earlier);
            }
            return;
        };
        write(&mut self.picture, above, turn, "┬", Ink::Line(parent));
        for row in above + 1..=lane {
            let before = self.picture.rows[row].get(turn).map_or(' ', |(sign, _)| *sign);
            let sign = match (before, row == lane) {
                (' ', true) => "╰",
                (' ' | '│', false) => "│",
                // Another branch of the same block turns here, or passes.
                _ => "├",
            };
            write(&mut self.picture, row, turn, sign, Ink::Line(parent));
        }
        write(&mut self.picture, lane, turn + 1, "─", Ink::Line(parent));
    }
}

/// Writes a text where there is room for it.
fn write(picture: &mut Picture, row: usize, start: usize, text: &str, ink: Ink) {
    if let Some(row) = picture.rows.get_mut(row) {
        for (cell, sign) in row.iter_mut().skip(start).zip(text.chars()) {
            *cell = (sign, ink);
        }
    }
}
