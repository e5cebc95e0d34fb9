//! How the dashboard is drawn: panels one above the other, as far as there is room for them.

use std::iter;

use ratatui::{
    Frame,
    layout::{Constraint, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table, TableState},
};

use crate::{
    keys,
    model::{Condition, Model, Shown},
    rates::Rate,
    tree::{self, Ink},
};

/// From this height on panels have titles, and what the last key did has a line of its own.
const TALL: u16 = 16;
/// From this width on the table of nodes has all its columns.
const WIDE: u16 = 64;
/// The colours of miners; further ones begin again.
const COLOURS: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::Red];

/// Draws all of it.
pub(crate) fn draw(frame: &mut Frame, model: &Model) {
    let area = frame.area();
    let is_tall = area.height >= TALL;
    let keys = keys_lines(model, area.width);
    let mut rest = Rows { area };
    let keys_area = rest.bottom(keys.len());
    frame.render_widget(Paragraph::new(keys), keys_area);
    if is_tall {
        let notice = rest.bottom(1);
        frame.render_widget(Line::from(&*model.notice).italic(), notice);
    }
    let title = rest.top(1);
    frame.render_widget(title_line(model, is_tall), title);

    let chrome = if is_tall { 2 } else { 1 };
    let height = usize::from(rest.area.height);
    let nodes = rest.top((model.nodes.len() + chrome).min((height / 2).max(3)));
    draw_nodes(frame, model, nodes, is_tall);
    let height = usize::from(rest.area.height);
    let rates = rest.bottom(if height >= 9 { 3 } else { 0 });
    let height = usize::from(rest.area.height);
    let events = rest.bottom(if height >= 6 { height * 2 / 5 } else { 0 });
    draw_tree(frame, model, rest.area, is_tall);
    draw_events(frame, model, events);
    draw_rates(frame, model, rates);
}

/// Rows that are not given away yet.
struct Rows {
    area: Rect,
}

impl Rows {
    /// Takes so many rows from the top, or as many as there are.
    fn top(&mut self, rows: usize) -> Rect {
        let height = self.area.height.min(rows.try_into().unwrap_or(u16::MAX));
        let taken = Rect { height, ..self.area };
        self.area = Rect { y: self.area.y + height, height: self.area.height - height, ..self.area };
        taken
    }

    /// Takes so many rows from the bottom, or as many as there are.
    fn bottom(&mut self, rows: usize) -> Rect {
        let height = self.area.height.min(rows.try_into().unwrap_or(u16::MAX));
        self.area.height -= height;
        Rect { y: self.area.y + self.area.height, height, ..self.area }
    }
}

fn title_line(model: &Model, is_tall: bool) -> Line<'_> {
    // Without a line of its own, what the last key did is told here.
    if !is_tall && !model.notice.is_empty() {
        return Line::from(&*model.notice).bold();
    }
    let mut spans = vec![
        "chainlab".bold(),
        format!("  {} nodes, {} s", model.nodes.len(), model.elapsed.as_secs()).into(),
    ];
    if model.is_paused {
        spans.push("  paused".yellow());
    }
    if let Some(cut) = model.cut {
        spans.push(format!("  cut {cut} | {}", cut + 1).red());
    }
    for node in &model.held {
        spans.push(format!("  held {node} - {}", model.after(*node)).magenta());
    }
    Line::from(spans)
}

/// Takes a panel's title off the top of its area.
fn titled(frame: &mut Frame, area: Rect, title: String) -> Rect {
    let block = Block::new().borders(Borders::TOP).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

fn draw_nodes(frame: &mut Frame, model: &Model, area: Rect, is_tall: bool) {
    let area = if is_tall { titled(frame, area, " nodes ".into()) } else { area };
    let is_wide = area.width >= WIDE;
    // Where it is narrow, the columns are as wide as their titles, and tips have a digit less.
    let [height, tip] = if is_wide { [7, 8] } else { [6, 7] };
    let rows = model.nodes.iter().enumerate().map(|(number, node)| {
        let mut cells = vec![
            Cell::from(&*node.name).style(colour(number)),
            right(node.height.to_string(), height),
            Cell::from(format!("{:.8}", node.tip)),
            hash_rate(node),
            right(node.pending.to_string(), 7),
        ];
        if is_wide {
            cells.push(right(node.mined.to_string(), 6));
            cells.push(peers(model, number).into());
        }
        Row::new(cells)
    });
    let mut header =
        vec!["node".into(), right("height", height), "tip".into(), right("hash/s", 8), right("pending", 7)];
    let lengths = [height, tip, 8, 7].map(Constraint::Length);
    let mut widths: Vec<_> = iter::once(Constraint::Fill(1)).chain(lengths).collect();
    if is_wide {
        header.extend([right("mined", 6), "peers".into()]);
        widths.extend([Constraint::Length(6), Constraint::Fill(2)]);
    }
    let table = Table::new(rows, widths)
        .header(Row::new(header).dim())
        .column_spacing(if is_wide { 2 } else { 1 })
        .highlight_symbol(">")
        .row_highlight_style(Modifier::BOLD);
    let mut state = TableState::new().with_selected(model.chosen);
    frame.render_stateful_widget(table, area, &mut state);
}

fn right<'a>(text: impl Into<String>, width: u16) -> Cell<'a> {
    Cell::from(format!("{:>width$}", text.into(), width = width.into()))
}

/// Returns how fast a node was over the last seconds, or why it is not.
fn hash_rate<'a>(node: &Shown) -> Cell<'a> {
    match node.condition {
        Condition::Crashed => right("down", 8).red(),
        Condition::Panicked => right("panicked", 8).red(),
        Condition::Paused => right("paused", 8).yellow(),
        Condition::Up => right(node.attempts.per_second(3).map_or("-".into(), in_thousands), 8),
    }
}

/// Writes a number by its first three digits.
fn in_thousands(number: f64) -> String {
    let (number, unit) = match number {
        1e9.. => (number / 1e9, " G"),
        1e6.. => (number / 1e6, " M"),
        1e3.. => (number / 1e3, " k"),
        _ => (number, ""),
    };
    let digits = if number < 9.995 && !unit.is_empty() { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$}{unit}")
}

/// Lists a node's peers, those behind a cut and behind a held link told from the others.
fn peers<'a>(model: &Model, number: usize) -> Line<'a> {
    let peers = model.nodes[number].peers.iter().map(|peer| {
        let peer = peer.index();
        let is_cut = model.cut.is_some_and(|cut| (number <= cut) != (peer <= cut));
        let is_held = model.held.iter().any(|held| {
            let link = [*held, model.after(*held)];
            link == [number, peer] || link == [peer, number]
        });
        match (is_cut, is_held) {
            (true, _) => format!("{peer} cut").red(),
            (_, true) => format!("{peer} held").magenta(),
            _ => peer.to_string().into(),
        }
    });
    let mut spans = Vec::new();
    for peer in peers {
        if !spans.is_empty() {
            spans.push(Span::from(", "));
        }
        spans.push(peer);
    }
    Line::from(spans)
}

fn draw_tree(frame: &mut Frame, model: &Model, area: Rect, is_tall: bool) {
    let inner = Rect {
        y: area.y + u16::from(is_tall),
        height: area.height.saturating_sub(u16::from(is_tall)),
        ..area
    };
    let size = (usize::from(inner.width), usize::from(inner.height));
    let picture = tree::draw(&model.forks, &model.standing(), model.nodes.len(), size);
    if is_tall {
        let hidden = match picture.hidden {
            0 => String::new(),
            hidden => format!("({hidden} blocks more than there is room for) "),
        };
        titled(frame, area, format!(" the last heights {hidden}"));
    }
    for (row, y) in picture.rows.iter().zip(inner.y..) {
        for (&(sign, ink), x) in row.iter().zip(inner.x..) {
            frame.buffer_mut()[(x, y)].set_char(sign).set_style(style(ink));
        }
    }
}

fn style(ink: Ink) -> Style {
    match ink {
        Ink::Blank => Style::new(),
        Ink::Height | Ink::Line(_) | Ink::Earlier => Style::new().dim(),
        Ink::Block(miner) => miner.map_or(Style::new(), |miner| colour(miner.index())).bold(),
        Ink::Standing => Style::new().bold(),
    }
}

fn colour(node: usize) -> Style {
    Style::new().fg(COLOURS[node % COLOURS.len()])
}

fn draw_events(frame: &mut Frame, model: &Model, area: Rect) {
    if area.is_empty() {
        return;
    }
    let area = titled(frame, area, " events ".into());
    let lines = model.log.iter().skip(model.log.len().saturating_sub(area.height.into()));
    frame.render_widget(Paragraph::new(lines.map(|line| Line::from(&**line)).collect::<Vec<_>>()), area);
}

fn draw_rates(frame: &mut Frame, model: &Model, area: Rect) {
    if area.is_empty() {
        return;
    }
    let mut rows = Rows { area: titled(frame, area, " rates ".into()) };
    let messages = model.messages.per_second(3).unwrap_or_default();
    draw_rate(frame, rows.top(1), format!("messages {messages:.1} a second"), &model.messages);
    let reorganisations = 60.0 * model.reorganisations.per_second(60).unwrap_or_default();
    let text = format!("reorganisations {reorganisations:.1} a minute");
    draw_rate(frame, rows.top(1), text, &model.reorganisations);
}

fn draw_rate(frame: &mut Frame, area: Rect, text: String, rate: &Rate) {
    /// As much as the longest text takes.
    const TEXT: u16 = 48;
    let width = area.width.min(TEXT);
    let text = Line::from(vec![text.into(), format!(", {} in all", rate.total()).dim()]);
    frame.render_widget(text, Rect { width, ..area });
    let area = Rect { x: area.x + width, width: area.width - width, ..area };
    frame.render_widget(Sparkline::default().data(rate.last(area.width.into())), area);
}

/// Lays the keys out on as many lines as the longest of what they ever do takes, so that nothing jumps.
fn keys_lines(model: &Model, width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    let mut used = 0;
    for shown in keys::shown(model) {
        let longest = shown.key.chars().count() + 1 + shown.longest;
        if used > 0 && used + longest > usize::from(width) {
            lines.push(Line::default());
            used = 0;
        }
        used += longest + 2;
        let line = lines.last_mut().expect("there is a first");
        line.spans.extend([shown.key.reversed(), format!(" {}  ", shown.now).into()]);
    }
    lines
}
