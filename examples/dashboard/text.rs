//! The dashboard as plain text, where there is no terminal to draw on.

use std::convert::Infallible;

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use crate::{model::Model, panels};

/// Draws the dashboard as lines of text, without what is left blank at their ends.
pub(crate) fn drawn(model: &Model, (width, height): (u16, u16)) -> String {
    let drawn = || -> Result<String, Infallible> {
        let mut terminal = Terminal::new(TestBackend::new(width, height))?;
        terminal.draw(|frame| panels::draw(frame, model))?;
        Ok(lines(terminal.backend().buffer()))
    };
    let Ok(text) = drawn();
    text
}

/// Returns what stands in a buffer.
fn lines(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    let lines = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.map(|line| line.trim_end().to_owned() + "\n").collect()
}
