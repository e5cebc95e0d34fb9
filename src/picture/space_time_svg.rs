//! A space-time diagram as SVG.

use std::collections::BTreeMap;

use super::{
    clock::Clock,
    space_time::{Sent, Shade, ShadeKind, SpaceTime, Taken},
    svg::{Anchor, Drawing, LINE, colour, length},
};
use crate::{event::MessageName, time::Time};

/// The room around everything.
const MARGIN: f64 = 16.0;
/// How long the nodes' lines are.
const LENGTH: f64 = 860.0;
/// How far the paper goes on behind them: the label of the last moment has to have room.
const BEYOND: f64 = 40.0;
/// From the line of a node to that of the next.
const ROW: f64 = 56.0;
/// Half of the height of a shade.
const SHADE: f64 = 22.0;
/// The height and the width of a block.
const BLOCK: f64 = 12.0;
/// How far the end of a message that was lost stays away from its receiver.
const SHORT: f64 = 0.8;

impl SpaceTime {
    /// Draws the diagram as an SVG document, for light and dark paper.
    ///
    /// What carries blocks is drawn in ink, and what is said about them and all that is about transactions is faint.
    /// Beside a block or a dot is the block's position, where there is room. Pointed at, each of them tells what it is.
    #[must_use]
    pub fn to_svg(&self) -> String {
        Sheet::new(self).draw()
    }
}

struct Sheet<'a> {
    diagram: &'a SpaceTime,
    /// Where the nodes' lines begin.
    left: f64,
    drawing: Drawing,
}

impl<'a> Sheet<'a> {
    fn new(diagram: &'a SpaceTime) -> Self {
        let longest = diagram.names.iter().map(|name| length(name)).fold(0.0, f64::max);
        Self { diagram, left: MARGIN + longest + 12.0, drawing: Drawing::default() }
    }

    fn draw(mut self) -> String {
        let diagram = self.diagram;
        let bottom = self.y(diagram.names.len()) - ROW / 2.0 + 8.0;
        self.draw_time(bottom);
        diagram.shades.iter().for_each(|shade| self.draw_shade(shade));
        for (node, name) in diagram.names.iter().enumerate() {
            let (left, right, y) = (self.left, self.left + LENGTH, self.y(node));
            self.drawing.text(left - 8.0, y, Anchor::End, "", name);
            self.drawing.shape("path", format_args!(r#"class="line" d="M{left:.1} {y:.1}H{right:.1}""#));
        }
        // The faint ones below the others.
        for is_faint in [true, false] {
            let messages = diagram.messages.iter().filter(|message| is_quiet(message.kind) == is_faint);
            messages.for_each(|message| self.draw_message(message));
        }
        diagram.accepted.iter().for_each(|accepted| self.draw_accepted(accepted));
        diagram.blocks.iter().for_each(|block| self.draw_block(block));
        self.write_positions();
        self.write_groups();
        let height = self.draw_legend(bottom + 2.0 * LINE + 12.0);
        let width = self.left + LENGTH + BEYOND;
        let title = format!("{} nodes, {} messages", diagram.names.len(), diagram.messages.len());
        self.drawing.finish(width, height, &title)
    }

    fn x(&self, time: Time) -> f64 {
        let span = self.diagram.span;
        let (after, all) = (time - span.from, span.to - span.from);
        self.left + LENGTH * (after.as_nanos() as f64 / all.as_nanos() as f64).min(1.0)
    }

    fn y(&self, node: usize) -> f64 {
        MARGIN + ROW / 2.0 + node as f64 * ROW
    }

    fn draw_time(&mut self, bottom: f64) {
        let span = self.diagram.span;
        let clock = Clock::new(span.to - span.from);
        for (after, label) in clock.ticks() {
            let x = self.x(span.from + after);
            self.drawing.shape("path", format_args!(r#"class="grid" d="M{x:.1} {MARGIN:.1}V{bottom:.1}""#));
            self.drawing.text(x, bottom + LINE / 2.0 + 3.0, Anchor::Middle, "quiet", &label);
        }
        let since = format!("since {} s after the epoch", span.from);
        let y = bottom + LINE * 1.5 + 6.0;
        self.drawing.text(self.left + LENGTH, y, Anchor::End, "quiet", &since);
    }

    fn draw_shade(&mut self, shade: &Shade) {
        let (from, to, y) = (self.x(shade.span.from), self.x(shade.span.to), self.y(shade.node));
        let name = &self.diagram.names[shade.node];
        let (told, half, class) = match shade.kind {
            ShadeKind::Down => (format!("{name} was down"), SHADE / 3.0, "shade deep"),
            ShadeKind::Paused => (format!("{name} was paused"), SHADE / 3.0, "shade edge dashed"),
            ShadeKind::CutOff { group: 0 } => (format!("{name} was cut off, in no group"), SHADE, "shade"),
            ShadeKind::CutOff { group } => (format!("{name} was cut off, in group {group}"), SHADE, "shade"),
        };
        let (top, width, height) = (y - half, to - from, 2.0 * half);
        self.drawing.told(&told, |drawing| {
            drawing.shape(
                "rect",
                format_args!(
                    r#"class="{class}" x="{from:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}""#
                ),
            );
        });
    }

    fn draw_message(&mut self, message: &Sent) {
        let diagram = self.diagram;
        let (from, to) = (self.y(message.from), self.y(message.to));
        let end = match message.lost {
            None => to,
            Some(_) if message.sent == message.came => from + (to - from) / 2.0,
            Some(_) => from + (to - from) * SHORT,
        };
        let [start, stop] = self.clipped((message.sent, from), (message.came, end));
        let class = match (is_quiet(message.kind), diagram.is_traced) {
            (true, _) => "faint",
            (false, true) => "line",
            (false, false) => "line dashed",
        };
        let what = if diagram.is_traced { message.kind.to_string() } else { "a block".into() };
        let block = message.block.map_or(String::new(), |block| format!(" {block:.8}"));
        let lost = message.lost.map_or(String::new(), |cause| format!(", lost {cause}"));
        let names = (&diagram.names[message.from], &diagram.names[message.to]);
        let told = format!("{what}{block} from {} to {}{lost}", names.0, names.1);
        let ([x1, y1], [x2, y2]) = (start, stop);
        let is_there = message.came <= diagram.span.to;
        self.drawing.told(&told, |drawing| {
            drawing.shape("path", format_args!(r#"class="{class}" d="M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}""#));
            if message.lost.is_some() && is_there {
                let (left, right, top, bottom) = (x2 - 4.0, x2 + 4.0, y2 - 4.0, y2 + 4.0);
                drawing.shape(
                    "path",
                    format_args!(
                        r#"class="line bold" d="M{left:.1} {top:.1}L{right:.1} {bottom:.1}M{left:.1} {bottom:.1}L{right:.1} {top:.1}""#
                    ),
                );
            }
        });
    }

    /// Returns as much of a line between two moments, each at a height, as lies in the stretch that is drawn.
    fn clipped(&self, (sent, from): (Time, f64), (came, to): (Time, f64)) -> [[f64; 2]; 2] {
        let span = self.diagram.span;
        let all = (came - sent).as_nanos() as f64;
        let at = |time: Time| {
            let share = if all > 0.0 { (time - sent).as_nanos() as f64 / all } else { 1.0 };
            [self.x(time), from + (to - from) * share]
        };
        let start = if sent < span.from { at(span.from) } else { [self.x(sent), from] };
        let stop = if came > span.to { at(span.to) } else { [self.x(came), to] };
        [start, stop]
    }

    fn draw_accepted(&mut self, taken: &Taken) {
        let (x, y, colour) = (self.x(taken.time), self.y(taken.node), colour(taken.miner));
        self.drawing.told(&self.diagram.told(taken, "accepted"), |drawing| {
            drawing.shape("circle", format_args!(r#"class="block {colour}" cx="{x:.1}" cy="{y:.1}" r="4""#));
        });
    }

    fn draw_block(&mut self, taken: &Taken) {
        let (x, y, colour) = (self.x(taken.time), self.y(taken.node), colour(taken.miner));
        let (left, top) = (x - BLOCK / 2.0, y - BLOCK / 2.0);
        self.drawing.told(&self.diagram.told(taken, "mined"), |drawing| {
            drawing.shape(
                "rect",
                format_args!(
                    r#"class="block {colour}" x="{left:.1}" y="{top:.1}" width="{BLOCK:.1}" height="{BLOCK:.1}" rx="2""#
                ),
            );
        });
    }

    /// Writes the positions of blocks above them, where there is room: those of mined ones first.
    fn write_positions(&mut self) {
        for node in 0..self.diagram.names.len() {
            let mut room = Vec::new();
            let kinds = [&self.diagram.blocks, &self.diagram.accepted];
            for taken in kinds.into_iter().flatten().filter(|taken| taken.node == node) {
                room.push((self.x(taken.time), taken.position.to_string()));
            }
            let y = self.y(node) - BLOCK / 2.0 - LINE / 2.0;
            for (x, label) in self.with_room(room) {
                self.drawing.text(x, y, Anchor::Middle, "halo", &label);
            }
        }
    }

    /// Writes the numbers of groups below the lines of those that are cut off.
    fn write_groups(&mut self) {
        for node in 0..self.diagram.names.len() {
            let mut room = Vec::new();
            for shade in self.diagram.shades.iter().filter(|shade| shade.node == node) {
                if let ShadeKind::CutOff { group: group @ 1.. } = shade.kind {
                    let label = format!("group {group}");
                    let (from, to) = (self.x(shade.span.from), self.x(shade.span.to));
                    if to - from > length(&label) + 8.0 {
                        room.push((from + length(&label) / 2.0 + 4.0, label));
                    }
                }
            }
            let y = self.y(node) + SHADE - LINE / 2.0;
            for (x, label) in self.with_room(room) {
                self.drawing.text(x, y, Anchor::Middle, "", &label);
            }
        }
    }

    /// Returns as many labels, each around its place, as lie on the paper and do not touch each other, those that come
    /// first before others.
    fn with_room(&self, labels: Vec<(f64, String)>) -> Vec<(f64, String)> {
        // By the pixel at which each begins, how far it reaches: they are apart, so that the one before reaches farthest.
        let mut taken = BTreeMap::new();
        let has_room = |(x, label): &(f64, String)| {
            let half = length(label) / 2.0 + 2.0;
            let (from, to) = ((x - half).floor() as i64, (x + half).ceil() as i64);
            let before = taken.range(..=to).next_back();
            let is_free = before.is_none_or(|(_, end)| *end < from);
            let is_on_paper = x - half >= 0.0 && x + half <= self.left + LENGTH + BEYOND;
            if is_free && is_on_paper {
                taken.insert(from, to);
            }
            is_free && is_on_paper
        };
        labels.into_iter().filter(has_room).collect()
    }

    /// Tells what the marks mean, those that there are; returns the height of all.
    fn draw_legend(&mut self, y: f64) -> f64 {
        let diagram = self.diagram;
        let mut x = MARGIN;
        let has = |is_shaded: fn(ShadeKind) -> bool| diagram.shades.iter().any(|shade| is_shaded(shade.kind));
        let is_lost = diagram.messages.iter().any(|message| message.lost.is_some());
        let entries = [
            (!diagram.blocks.is_empty(), "■", "mined"),
            (!diagram.accepted.is_empty(), "●", "accepted"),
            (is_lost, "×", "lost"),
            (!diagram.is_traced && !diagram.messages.is_empty(), "┄", "block, sent at an unknown time"),
            (has(|kind| kind == ShadeKind::Down), "▬", "down"),
            (has(|kind| kind == ShadeKind::Paused), "▭", "paused"),
            (has(|kind| matches!(kind, ShadeKind::CutOff { .. })), "░", "cut off by a partition"),
        ];
        for (_, sign, text) in entries.into_iter().filter(|(is_there, ..)| *is_there) {
            let text = format!("{sign} {text}");
            self.drawing.text(x, y, Anchor::Start, "quiet", &text);
            x += length(&text) + 24.0;
        }
        y + LINE / 2.0 + MARGIN
    }
}

impl SpaceTime {
    fn told(&self, taken: &Taken, verb: &str) -> String {
        let Taken { node, time, position, block, .. } = taken;
        format!("{} {verb} block {position} at {time} s: {block}", self.names[*node])
    }
}

/// Tells whether a message carries no block.
fn is_quiet(kind: MessageName) -> bool {
    !matches!(
        kind,
        MessageName::NewBlock | MessageName::CompactBlock | MessageName::Blocks | MessageName::Chain
    )
}
