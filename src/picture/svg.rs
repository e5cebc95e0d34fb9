//! An SVG drawing under way, in its own words: shapes, and texts whose boxes are known.

use std::fmt::{self, Write};

use super::names::width;

/// The size of every text, in pixels.
pub(super) const TEXT: f64 = 12.0;
/// The height of a text's box.
pub(super) const LINE: f64 = 15.0;
/// How far the letters of a text of that size go on, those of a monospaced font. Each text says how long it is, so that
/// it is as long with any font.
const LETTER: f64 = 7.2;

/// The colours of miners, told apart by the colour-blind: Okabe and Ito's, "Color Universal Design" (2008), without
/// black; and whether black or white is read on each.
const MINERS: [(&str, &str); 7] = [
    ("#56b4e9", "black"),
    ("#e69f00", "black"),
    ("#009e73", "black"),
    ("#f0e442", "black"),
    ("#0072b2", "white"),
    ("#d55e00", "black"),
    ("#cc79a7", "black"),
];

/// What all else looks like. Its colours stand in it themselves: not all who read SVG know variables.
fn style(paper: &Paper) -> String {
    let Paper { ink, paper, faint, shade } = paper;
    format!(
        "\
.chainlab{{color:{ink};background:{paper}}}\
.chainlab text{{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:{ink}}}\
.chainlab .paper{{fill:{paper}}}\
.chainlab .line{{stroke:{ink};stroke-width:1.5;fill:none}}\
.chainlab .faint{{stroke:{faint};stroke-width:1;fill:none}}\
.chainlab .bold{{stroke-width:2}}\
.chainlab .dashed{{stroke-dasharray:4 3}}\
.chainlab .ink{{fill:{ink}}}\
.chainlab text.quiet{{fill:{faint}}}\
.chainlab text.halo{{paint-order:stroke;stroke:{paper};stroke-width:3px;stroke-linejoin:round}}\
.chainlab .grid{{stroke:{shade}}}\
.chainlab .shade{{fill:{shade}}}\
.chainlab .deep{{fill:{faint}}}\
.chainlab .edge{{stroke:{faint}}}\
.chainlab .block{{stroke:{ink};stroke-width:1}}\
.chainlab .stale{{fill-opacity:.3;stroke:{ink};stroke-width:1;stroke-dasharray:4 2}}"
    )
}

struct Paper {
    ink: &'static str,
    paper: &'static str,
    faint: &'static str,
    shade: &'static str,
}

const LIGHT: Paper = Paper { ink: "#1a1a1a", paper: "#ffffff", faint: "#707070", shade: "#dddddd" };
const DARK: Paper = Paper { ink: "#e8e8e8", paper: "#15171a", faint: "#9a9a9a", shade: "#3a3d42" };

/// Returns the class of a miner's colour, of which there are seven: after that they come again, and marks tell who is who.
pub(super) fn colour(miner: Option<usize>) -> String {
    miner.map_or("nobody".into(), |miner| format!("m{}", miner % MINERS.len()))
}

/// Returns that colour, and the one that is read on it.
pub(super) fn fill(miner: usize) -> (&'static str, &'static str) {
    MINERS[miner % MINERS.len()]
}

/// Where a text's x lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Returns how long a text is, in pixels.
pub(super) fn length(text: &str) -> f64 {
    width(text) as f64 * LETTER
}

/// A coordinate, written to a tenth of a pixel. Floats are written to any digit, which takes most of a drawing's time;
/// this is nothing but two whole numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) f64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        let (whole, rest) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
        if rest == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{rest}") }
    }
}

/// A drawing under way.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    body: String,
}

impl Drawing {
    /// Adds an element without content, of attributes that hold nothing that needs to be escaped.
    pub(super) fn shape(&mut self, name: &str, attributes: fmt::Arguments<'_>) {
        writeln!(self.body, "<{name} {attributes}/>").expect("a string takes everything");
    }

    /// Adds elements that are written already.
    #[cfg(feature = "plot")]
    pub(super) fn add(&mut self, elements: &str) {
        self.body.push_str(elements);
    }

    /// Adds what is told of the shape that `draw` draws when it is pointed at.
    pub(super) fn told(&mut self, told: &str, draw: impl FnOnce(&mut Self)) {
        writeln!(self.body, "<g><title>{}</title>", Escaped(told)).expect("a string takes everything");
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// Adds a line of text, `y` the middle of its height.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, length, text) = (At(x), At(y + TEXT * 0.35), At(length(text)), Escaped(text));
        writeln!(
            self.body,
            r#"<text x="{x}" y="{y}" text-anchor="{anchor}" textLength="{length}" class="{class}">{text}</text>"#
        )
        .expect("a string takes everything");
    }

    /// Returns the whole document, of a size in pixels.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let mut svg = String::with_capacity(self.body.len() + 8192);
        let (title, body) = (Escaped(title), self.body);
        let (light, dark) = (style(&LIGHT), style(&DARK));
        write!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="chainlab" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}">
<title>{title}</title>
<style>{light}@media(prefers-color-scheme:dark){{{dark}}}.chainlab .nobody{{fill:none}}"#
        )
        .expect("a string takes everything");
        for (number, (fill, ink)) in MINERS.iter().enumerate() {
            write!(svg, ".chainlab .m{number}{{fill:{fill}}}.chainlab text.t{number}{{fill:{ink}}}")
                .expect("a string takes everything");
        }
        write!(
            svg,
            "</style>\n<rect class=\"paper\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n{body}</svg>\n"
        )
        .expect("a string takes everything");
        svg
    }
}

/// A text as XML has it. What XML cannot have in any way is shown as a replacement character; lines stay apart.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(is_special) {
            f.write_str(&rest[..at])?;
            let character = rest[at..].chars().next().expect("one was found there");
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(char::REPLACEMENT_CHARACTER)?,
            }
            rest = &rest[at + character.len_utf8()..];
        }
        f.write_str(rest)
    }
}

fn is_special(character: char) -> bool {
    matches!(
        character,
        '&' | '<' | '>' | '"' | '\''
            | '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
}
