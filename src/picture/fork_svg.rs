//! A tree of blocks as SVG.

use super::{
    fork_tree::ForkTree,
    layout::{Layout, Place},
    names::shown,
    svg::{Anchor, At, Drawing, LINE, colour, length},
};
use crate::text::blocks;

/// The height of a block.
const BLOCK: f64 = 24.0;
/// From the middle of a lane to that of the next: a block, and below it who stands there.
const LANE: f64 = 54.0;
/// The room around everything.
const MARGIN: f64 = 16.0;
/// The room of an arrow's head and of each line beside a track.
const ARROW: f64 = 12.0;
/// The distance of tracks from each other.
const TRACK: f64 = 8.0;
/// The least width, so that miners have room below.
const NARROWEST: f64 = 320.0;
/// How many miners are named below.
const MINERS: usize = 40;
/// How many of those who gave up a branch are told of.
const LEAVERS: usize = 20;

impl ForkTree {
    /// Draws the tree as an SVG document, for light and dark paper.
    ///
    /// A block is a box with its miner's mark and colour, and an arrow to its parent; what is not on the winning chain is
    /// dashed. Below a block are those who stand on it; a branch that nobody stands on ends with a cross, beside which is
    /// how many nodes gave it up. Pointed at, a block tells its hash, and a cross who gave it up.
    ///
    /// ```
    /// use chainlab::{Event, picture::ForkTree};
    ///
    /// let svg = ForkTree::from_events::<Event>([]).to_svg();
    /// assert!(svg.starts_with("<svg ") && svg.contains("no blocks"));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        let layout = Layout::new(self);
        Sheet::new(self, &layout).draw()
    }

    pub(super) fn told(&self, block: usize) -> String {
        let each = &self.blocks[block];
        let miner =
            each.miner.map_or(String::new(), |miner| format!(", mined by {}", self.miners[miner].name));
        format!("block {}{miner}: {}", each.position, each.hash)
    }
}

/// A tree with the places of its columns on paper.
struct Sheet<'a> {
    tree: &'a ForkTree,
    layout: &'a Layout,
    /// Where each column begins, and where the one after the last would.
    starts: Vec<f64>,
    width: f64,
    drawing: Drawing,
}

impl<'a> Sheet<'a> {
    fn new(tree: &'a ForkTree, layout: &'a Layout) -> Self {
        let mut widths = vec![BLOCK; layout.columns.len()];
        for (block, place) in layout.places.iter().enumerate() {
            let column = &layout.columns[place.column];
            let needed = if column.is_folded() {
                length(&blocks(column.blocks())) + 12.0
            } else {
                let row = box_width(tree.mark(block)) + beside(tree, block, place);
                row.max(length(&tree.listed(block))).max(length(&column.first.to_string()))
            };
            widths[place.column] = needed.max(widths[place.column]);
        }
        let mut starts = vec![MARGIN];
        for (column, width) in layout.columns.iter().zip(widths) {
            let start = starts.last().expect("there is a first");
            starts.push(start + width + 2.0 * ARROW + TRACK * column.tracks as f64);
        }
        let last = starts.last().expect("there is a first");
        let width = (last - ARROW + MARGIN).max(NARROWEST);
        Self { tree, layout, starts, width, drawing: Drawing::default() }
    }

    fn draw(mut self) -> String {
        let tree = self.tree;
        for (column, start) in self.layout.columns.iter().zip(&self.starts) {
            if !column.is_folded() {
                let height = column.first.to_string();
                self.drawing.text(*start, MARGIN, Anchor::Start, "quiet", &height);
            }
        }
        if tree.blocks.is_empty() {
            self.drawing.text(MARGIN, MARGIN, Anchor::Start, "quiet", "no blocks");
        }
        // The arrows first, so that they end below the boxes.
        for block in 0..tree.blocks.len() {
            self.draw_arrow(block);
        }
        let crosses = self.who_left();
        for (block, who) in crosses.iter().enumerate() {
            self.draw_block(block, who);
        }
        let end = MARGIN + LINE + self.layout.lanes as f64 * LANE;
        let height = self.draw_miners(end);
        let title = format!("{}, {} of them stale", blocks(tree.blocks() as u64), tree.stale());
        self.drawing.finish(self.width, height, &title)
    }

    /// The middle of a lane.
    fn y(&self, lane: usize) -> f64 {
        MARGIN + LINE + 18.0 + lane as f64 * LANE
    }

    fn draw_arrow(&mut self, block: usize) {
        let Some(parent) = self.tree.blocks[block].parent else {
            return;
        };
        let (place, from) = (self.layout.places[block], self.layout.places[parent]);
        if from.column == place.column {
            return;
        }
        let (start, y, top) = (self.starts[place.column], self.y(place.lane), self.y(from.lane));
        let folded = &self.layout.columns[from.column];
        let end = self.starts[from.column]
            + if folded.is_folded() {
                length(&blocks(folded.blocks())) + 12.0
            } else {
                box_width(self.tree.mark(parent)) + beside(self.tree, parent, &from)
            };
        let dashed = if self.tree.is_winning[block] { "" } else { " dashed" };
        let (left, right, own, parents) = (At(end + 6.0), At(start), At(y), At(top));
        if place.is_straight {
            self.drawing.shape("path", format_args!(r#"class="line{dashed}" d="M{right} {own}H{left}""#));
        } else {
            let tracks = self.layout.columns[from.column].tracks;
            let x = start - ARROW - TRACK * (tracks - 1 - self.layout.tracks[parent]) as f64;
            let round = if place.lane > from.lane { -6.0 } else { 6.0 };
            let (bend, x, turned) = (At(x + 6.0), At(x), At(y + round));
            self.drawing.shape(
                "path",
                format_args!(
                    r#"class="line{dashed}" d="M{right} {own}H{bend}Q{x} {own} {x} {turned}V{parents}H{left}""#
                ),
            );
        }
        let (tip, back, above, below) = (At(end + 1.0), At(end + 8.0), At(top - 4.0), At(top + 4.0));
        self.drawing
            .shape("path", format_args!(r#"class="ink" d="M{tip} {parents}L{back} {above}V{below}Z""#));
    }

    fn draw_block(&mut self, block: usize, who: &[String]) {
        let (tree, place) = (self.tree, self.layout.places[block]);
        let column = &self.layout.columns[place.column];
        let each = &tree.blocks[block];
        let (x, y) = (self.starts[place.column], self.y(place.lane));
        if column.is_folded() {
            if each.position == column.first {
                let label = blocks(column.blocks());
                let width = length(&label) + 12.0;
                self.draw_box(x, y, width, "stale nobody");
                self.drawing.text(x + width / 2.0, y, Anchor::Middle, "", &label);
            }
            return;
        }
        let width = box_width(tree.mark(block));
        let colour = colour(each.miner);
        let (class, ink) = match (&colour[..], tree.is_winning[block]) {
            ("nobody", _) => ("stale nobody".to_owned(), String::new()),
            (colour, true) => (format!("block {colour}"), colour.replace('m', "t")),
            (colour, false) => (format!("stale {colour}"), String::new()),
        };
        self.drawing.told(&tree.told(block), |drawing| {
            draw_box(drawing, x, y, width, &class);
            drawing.text(x + width / 2.0, y, Anchor::Middle, &ink, tree.mark(block));
        });
        let cross = tree.cross(block, &place);
        if !cross.is_empty() {
            let told = if who.is_empty() { "nobody stands on it".into() } else { who.join("\n") };
            self.drawing.told(&told, |drawing| {
                drawing.text(x + width + 4.0, y, Anchor::Start, "", &cross);
            });
        }
        if !each.standing.is_empty() {
            let listed = tree.listed(block);
            self.drawing.text(x, y + BLOCK / 2.0 + LINE / 2.0 + 1.0, Anchor::Start, "", &listed);
        }
    }

    fn draw_box(&mut self, x: f64, y: f64, width: f64, class: &str) {
        draw_box(&mut self.drawing, x, y, width, class);
    }

    /// Returns who gave up the branch that each block was the tip of, the first of them by name.
    fn who_left(&self) -> Vec<Vec<String>> {
        let mut who = vec![Vec::new(); self.tree.blocks.len()];
        let mut counts = vec![0_usize; self.tree.blocks.len()];
        for each in &self.tree.reorganisations {
            counts[each.old] += 1;
            if counts[each.old] <= LEAVERS {
                let (name, abandoned) = (shown(&each.name), blocks(each.abandoned));
                let new = self.tree.blocks[each.new].position;
                let told = format!("{name} gave up {abandoned} for {}, up to block {new}", each.adopted);
                who[each.old].push(told);
            }
        }
        for (who, count) in who.iter_mut().zip(counts) {
            if count > LEAVERS {
                who.push(format!("and {} more", count - LEAVERS));
            }
        }
        who
    }

    /// Names the miners below the tree, as many in a line as there is room for; returns the height of all.
    fn draw_miners(&mut self, top: f64) -> f64 {
        let (mut x, mut y) = (MARGIN, top + BLOCK / 2.0 + 4.0);
        let shares = self.tree.shares();
        let mut entries: Vec<_> = shares
            .iter()
            .take(MINERS)
            .map(|(number, miner, mined, stale)| {
                let stale = if *stale > 0 { format!(", {stale} stale") } else { String::new() };
                (Some((*number, miner.mark.as_str())), format!("{}: {}{stale}", miner.name, blocks(*mined)))
            })
            .collect();
        if shares.len() > MINERS {
            entries.push((None, format!("and {} miners more", shares.len() - MINERS)));
        }
        for (mark, text) in entries {
            let own = mark.map_or(0.0, |(_, mark)| box_width(mark) + 6.0);
            let needed = own + length(&text);
            if x > MARGIN && x + needed > self.width - MARGIN {
                (x, y) = (MARGIN, y + BLOCK + 6.0);
            }
            if let Some((number, mark)) = mark {
                let colour = colour(Some(number));
                self.draw_box(x, y, own - 6.0, &format!("block {colour}"));
                self.drawing.text(x + (own - 6.0) / 2.0, y, Anchor::Middle, &colour.replace('m', "t"), mark);
            }
            self.drawing.text(x + own, y, Anchor::Start, "", &text);
            x += needed + 24.0;
            // One that is longer than the tree is wide makes the paper wider.
            self.width = self.width.max(x - 24.0 + MARGIN);
        }
        y + BLOCK / 2.0 + MARGIN
    }
}

fn draw_box(drawing: &mut Drawing, x: f64, y: f64, width: f64, class: &str) {
    let (x, top, width) = (At(x), At(y - BLOCK / 2.0), At(width));
    drawing.shape(
        "rect",
        format_args!(r#"class="{class}" x="{x}" y="{top}" width="{width}" height="{BLOCK}" rx="4""#),
    );
}

fn box_width(mark: &str) -> f64 {
    (length(mark) + 10.0).max(BLOCK)
}

/// Returns the room that it takes.
fn beside(tree: &ForkTree, block: usize, place: &Place) -> f64 {
    match tree.cross(block, place) {
        cross if cross.is_empty() => 0.0,
        cross => length(&cross) + 4.0,
    }
}
