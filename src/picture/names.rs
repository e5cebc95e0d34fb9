//! Names that others chose, cut to what a picture has room for, and the marks of miners.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::once,
};

/// How many characters of a name are shown.
const LONGEST: usize = 16;
/// How many names are shown of those who stand on one block.
const LISTED: usize = 3;

/// Returns a name as it is shown: its first 16 characters, and nothing that moves, hides or turns round what stands
/// beside it.
pub(super) fn shown(name: &str) -> String {
    cut(name, LONGEST)
}

/// Returns a text as it is shown, its first so many characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(longest).map(plain).collect();
    if characters.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    if shown.trim().is_empty() { "?".into() } else { shown }
}

fn plain(character: char) -> char {
    match character {
        // What breaks lines, joins, hides or turns the direction of writing, and what XML does not allow.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fffe}'..='\u{ffff}'
        | '\u{e0000}'..='\u{e0fff}' => char::REPLACEMENT_CHARACTER,
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// Returns the places that a text takes on a terminal: East Asian characters and pictures take two. It is what they
/// take nearly everywhere; what joins with the character before it is counted all the same.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(places).sum()
}

pub(super) fn places(character: char) -> usize {
    match character {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Returns the names of those who stand on one block, as one label: the first three, and how many more there are.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let others = names.len().saturating_sub(LISTED);
    let names: Vec<_> = names.take(LISTED).collect();
    let names = names.join(", ");
    if others == 0 { names } else { format!("{names} +{others}") }
}

/// Gives each of several names a mark of its own: its number if it ends with one, as `node 7` does, or else its initial;
/// a second of the same mark has a 2 after it.
pub(super) fn marks<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    // How far each mark's numbers are taken: looked for from there, many of one initial cost no more than few.
    let mut next = BTreeMap::new();
    let mark = |name: &str| {
        let base = base_mark(name);
        let number = next.entry(base.clone()).or_insert(2_usize);
        let mut mark = base.clone();
        while !taken.insert(mark.clone()) {
            mark = format!("{base}.{number}");
            *number += 1;
        }
        mark
    };
    names.map(mark).collect()
}

fn base_mark(name: &str) -> String {
    let last = name.rsplit([' ', '-', '_', '#']).next().unwrap_or(name);
    if last.len() <= 4 && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return last.into();
    }
    let initial = name.chars().find(|character| character.is_alphanumeric());
    once(initial.unwrap_or('?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_cannot_hide() {
        assert_eq!(shown("Ålesund"), "Ålesund");
        assert_eq!(shown(&"x".repeat(10_000)), format!("{}…", "x".repeat(15)));
        assert_eq!(shown("a\u{202e}b\nc\u{0}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!((shown(""), shown("   ")), ("?".into(), "?".into()));
    }

    #[test]
    fn marks_tell_miners_apart() {
        let names = ["alice", "bob", "anna", "node 12", "node 12", "12", "…", "", "a2", "Ålesund"];
        let expected = ["a", "b", "a.2", "12", "12.2", "12.3", "?", "?.2", "a.3", "Å"];
        assert_eq!(marks(names.into_iter()), expected);
    }

    #[test]
    fn those_who_stand_together_are_listed() {
        assert_eq!(listed(["a", "b", "c"].into_iter()), "a, b, c");
        assert_eq!(listed(["a", "b", "c", "d", "e"].into_iter()), "a, b, c +2");
    }
}
