//! Reads pictures again, as a browser would.

use roxmltree::{Document, Node};

/// Where something is on the paper: left, top, right and bottom, in pixels.
pub(crate) type Area = [f64; 4];

/// The size of the paper.
pub(crate) fn size(svg: &Document<'_>) -> [f64; 2] {
    ["width", "height"].map(|name| number(svg.root_element(), name))
}

/// The texts of a picture, and where they are.
pub(crate) fn texts(svg: &Document<'_>) -> Vec<(String, Area)> {
    let texts = svg.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| {
            let (x, y, length) = (number(node, "x"), number(node, "y"), number(node, "textLength"));
            let left = match node.attribute("text-anchor") {
                Some("start") => x,
                Some("middle") => x - length / 2.0,
                Some("end") => x - length,
                other => panic!("{other:?} is no anchor"),
            };
            // Letters of 12 pixels reach 9 above their line and 3 below it.
            (node.text().unwrap_or_default().to_owned(), [left, y - 9.0, left + length, y + 3.0])
        })
        .collect()
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    let value = node.attribute(name).unwrap_or_else(|| panic!("{name} is missing: {node:?}"));
    value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
}

/// Panics unless the picture can be read, every coordinate lies on its paper, and no two texts touch.
#[track_caller]
pub(crate) fn check(svg: &str) {
    let document = Document::parse(svg).unwrap();
    let [width, height] = size(&document);
    for node in document.descendants().filter(Node::is_element) {
        for (name, most) in [("x", width), ("cx", width), ("x1", width), ("x2", width)] {
            check_within(node, name, most);
        }
        for (name, most) in [("y", height), ("cy", height), ("y1", height), ("y2", height)] {
            check_within(node, name, most);
        }
        if let Some(path) = node.attribute("d") {
            check_path(path, width, height);
        }
    }
    let mut texts = texts(&document);
    for (text, [left, top, right, bottom]) in &texts {
        let is_within = *left >= 0.0 && *top >= 0.0 && *right <= width && *bottom <= height;
        assert!(is_within, "{text:?} is at {left} {top} to {right} {bottom} of {width} {height}");
    }
    texts.sort_by(|(_, one), (_, other)| one[0].total_cmp(&other[0]));
    for (number, (text, area)) in texts.iter().enumerate() {
        for (other, there) in texts[number + 1..].iter().take_while(|(_, there)| there[0] < area[2]) {
            let is_apart = there[1] >= area[3] || there[3] <= area[1];
            assert!(is_apart, "{text:?} at {area:?} and {other:?} at {there:?} touch");
        }
    }
}

fn check_within(node: Node<'_, '_>, name: &str, most: f64) {
    if node.has_attribute(name) {
        let value = number(node, name);
        assert!((0.0..=most).contains(&value), "{name} is {value} of {most}: {node:?}");
    }
}

/// Checks a path of absolute commands.
fn check_path(path: &str, width: f64, height: f64) {
    let mut command = ' ';
    let mut place = 0;
    let spaced: String = path
        .chars()
        .flat_map(|letter| if letter.is_ascii_alphabetic() { vec![' ', letter, ' '] } else { vec![letter] })
        .collect();
    for word in spaced.split_whitespace() {
        match word.parse::<f64>() {
            Ok(value) => {
                let is_x = command == 'H' || (command != 'V' && place % 2 == 0);
                let most = if is_x { width } else { height };
                assert!((0.0..=most).contains(&value), "{value} of {most}: {path}");
                place += 1;
            }
            Err(_) => (command, place) = (word.chars().next().unwrap(), 0),
        }
    }
}
