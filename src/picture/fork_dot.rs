//! A tree of blocks in the language of Graphviz.

use std::fmt::{self, Write};

use super::{fork_tree::ForkTree, layout::Layout, svg::fill};
use crate::text::blocks;

impl ForkTree {
    /// Writes the tree in DOT, the language of Graphviz: what was mined on what, from the left to the right.
    ///
    /// A block's node is named by its hash; a folded stretch's by that of its first block. Miners have their colours and
    /// marks, and blocks that were given up their crosses, as [in SVG](ForkTree::to_svg).
    ///
    /// ```
    /// use chainlab::{BlockHash, Event, Happening, NodeId, Time, picture::ForkTree};
    ///
    /// let [block, parent] = ["block", "genesis"].map(|text| BlockHash::of(text.as_bytes()));
    /// let what = Happening::Mined { block, position: 2, parent };
    /// let event = Event { time: Time::UNIX_EPOCH, node: NodeId::new(0), what };
    /// let dot = ForkTree::from_events([event]).to_dot();
    /// assert!(dot.contains(&format!("\"{block}\" -> \"{parent}\"")), "{dot}");
    /// ```
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut dot = String::new();
        self.write_dot(&mut dot).expect("a string takes everything");
        dot
    }

    fn write_dot(&self, dot: &mut String) -> fmt::Result {
        let layout = Layout::new(self);
        writeln!(dot, "digraph blocks {{")?;
        writeln!(dot, "  rankdir=RL")?;
        writeln!(dot, "  node [shape=box]")?;
        // The node that stands for each block: its own, or that of the first of its stretch.
        let mut shown: Vec<usize> = (0..self.blocks.len()).collect();
        for (number, block) in self.blocks.iter().enumerate() {
            let place = layout.places[number];
            let column = &layout.columns[place.column];
            let parent = block.parent;
            if let Some(parent) = parent.filter(|parent| layout.places[*parent].column == place.column) {
                shown[number] = shown[parent];
                continue;
            }
            let (hash, lane) = (block.hash, place.lane);
            let style = if self.is_winning[number] { "" } else { ",dashed" };
            if column.is_folded() {
                let label = blocks(column.blocks());
                writeln!(
                    dot,
                    "  \"{hash}\" [label=\"{label}\", group=\"{lane}\", style=\"rounded{style}\"]"
                )?;
            } else {
                let mut label = format!("{} {}", block.position, self.mark(number));
                let cross = self.cross(number, &place);
                if !cross.is_empty() {
                    write!(label, " {cross}")?;
                }
                if !block.standing.is_empty() {
                    write!(label, "\n{}", self.listed(number))?;
                }
                let (label, told) = (Quoted(&label), self.told(number));
                write!(
                    dot,
                    "  \"{hash}\" [label=\"{label}\", tooltip=\"{}\", group=\"{lane}\"",
                    Quoted(&told)
                )?;
                match block.miner {
                    Some(miner) => {
                        let (fill, ink) = fill(miner);
                        writeln!(
                            dot,
                            ", style=\"rounded,filled{style}\", fillcolor=\"{fill}\", fontcolor=\"{ink}\"]"
                        )?;
                    }
                    None => writeln!(dot, ", style=\"rounded{style}\"]")?,
                }
            }
            if let Some(parent) = parent {
                let parent = self.blocks[shown[parent]].hash;
                let style = if self.is_winning[number] { "" } else { " [style=dashed]" };
                writeln!(dot, "  \"{hash}\" -> \"{parent}\"{style}")?;
            }
        }
        writeln!(dot, "}}")
    }
}

/// A text as it stands between quotes, its lines apart.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\n' => f.write_str("\\n")?,
                '"' | '\\' => write!(f, "\\{character}")?,
                // Graphviz reads a label's entities as HTML's.
                '&' => f.write_str("&amp;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}
