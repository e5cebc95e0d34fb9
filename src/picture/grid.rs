//! A grid of characters, on which lines meet.

use std::fmt;

use super::names::places;

/// The ways out of a place: left, right, up and down.
pub(super) const LEFT: u8 = 1;
pub(super) const RIGHT: u8 = 2;
pub(super) const UP: u8 = 4;
pub(super) const DOWN: u8 = 8;

/// What each set of ways looks like.
const LINES: [char; 16] = [' ', '─', '─', '─', '│', '╯', '╰', '┴', '│', '╮', '╭', '┬', '│', '┤', '├', '┼'];

/// Rows of characters, each as long as what was written to it.
#[derive(Debug, Default)]
pub(super) struct Grid {
    rows: Vec<Vec<Glyph>>,
}

#[derive(Debug, Clone, Copy)]
enum Glyph {
    Line(u8),
    Character(char),
    /// The second place of a wide character.
    Covered,
}

impl Grid {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows: vec![Vec::new(); rows] }
    }

    /// Writes a text over whatever is there.
    pub(super) fn write(&mut self, row: usize, mut x: usize, text: &str) {
        for character in text.chars() {
            *self.at(row, x) = Glyph::Character(character);
            for covered in x + 1..x + places(character) {
                *self.at(row, covered) = Glyph::Covered;
            }
            x += places(character);
        }
    }

    /// Adds ways out of a place to those that are there.
    pub(super) fn line(&mut self, row: usize, x: usize, ways: u8) {
        if let Glyph::Line(line) = self.at(row, x) {
            *line |= ways;
        }
    }

    /// Draws a line from one place to another of the same row, both included.
    pub(super) fn across(&mut self, row: usize, from: usize, to: usize) {
        (from..=to).for_each(|x| self.line(row, x, LEFT | RIGHT));
    }

    fn at(&mut self, row: usize, x: usize) -> &mut Glyph {
        let row = &mut self.rows[row];
        if row.len() <= x {
            row.resize(x + 1, Glyph::Line(0));
        }
        &mut row[x]
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for row in &self.rows {
            line.clear();
            line.extend(row.iter().filter_map(|glyph| match glyph {
                Glyph::Line(ways) => Some(LINES[usize::from(*ways)]),
                Glyph::Character(character) => Some(*character),
                Glyph::Covered => None,
            }));
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
