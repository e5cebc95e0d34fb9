//! Drawn trees are read again: each block's line leads to its parent, and nothing is left out without being counted.

use std::collections::BTreeMap;

use chainlab::{BlockHash, Event, Happening, NodeId, Time};
use proptest::prelude::*;

use crate::{
    forks::Forks,
    tree::{self, Ink, Picture},
};

/// A block's number is that of its miner, so that it can be read; the genesis has none.
const GENESIS: usize = usize::MAX;

fn hash(block: usize) -> BlockHash {
    BlockHash::of(&block.to_be_bytes())
}

/// Blocks by the parents that they are to have, counted back from the one mined last, and their heights.
fn grow(parents: &[usize]) -> (Forks, BTreeMap<usize, (u64, usize)>) {
    let mut forks = Forks::new(hash(GENESIS));
    let mut known = vec![(GENESIS, 1)];
    let mut blocks = BTreeMap::from([(GENESIS, (1, GENESIS))]);
    for (block, back) in parents.iter().enumerate() {
        let (parent, height) = known[known.len() - 1 - back % known.len()];
        let what = Happening::Mined { block: hash(block), position: height + 1, parent: hash(parent) };
        forks.observe(&Event { time: Time::UNIX_EPOCH, node: NodeId::new(block as u32), what });
        known.push((block, height + 1));
        blocks.insert(block, (height + 1, parent));
    }
    (forks, blocks)
}

fn rows(picture: &Picture) -> Vec<String> {
    let rows = picture.rows.iter();
    rows.map(|row| row.iter().map(|(sign, _)| *sign).collect::<String>().trim_end().to_owned()).collect()
}

/// Where each block begins, by row and column.
fn read_blocks(picture: &Picture) -> BTreeMap<(usize, usize), usize> {
    let mut blocks = BTreeMap::new();
    for (y, row) in picture.rows.iter().enumerate() {
        let mut x = 0;
        while x < row.len() {
            let length = row[x..].iter().take_while(|(_, ink)| matches!(ink, Ink::Block(_))).count();
            if length > 0 {
                let mark: String = row[x..x + length].iter().map(|(sign, _)| *sign).collect();
                blocks.insert((y, x), mark.parse().unwrap_or(GENESIS));
            }
            x += length.max(1);
        }
    }
    blocks
}

/// Follows the line from a block to where the block before it begins, or to the left end of the picture.
fn follow(picture: &Picture, (mut y, mut x): (usize, usize)) -> Option<(usize, usize)> {
    loop {
        x = x.checked_sub(1)?;
        match picture.rows[y][x] {
            (_, Ink::Block(_)) => {
                while x > 0 && matches!(picture.rows[y][x - 1].1, Ink::Block(_)) {
                    x -= 1;
                }
                return Some((y, x));
            }
            (_, Ink::Standing) | ('─' | '┬', _) => {}
            ('╰' | '├', _) => {
                y -= 1;
                while matches!(picture.rows[y][x].0, '│' | '├') {
                    y -= 1;
                }
                assert_eq!(picture.rows[y][x].0, '┬', "{:#?}", rows(picture));
            }
            (' ', _) => return None,
            other => panic!("{other:?} is in no line: {:#?}", rows(picture)),
        }
    }
}

proptest! {
    #[test]
    fn each_line_leads_to_the_block_before(
        parents in prop::collection::vec(0..6_usize, 0..90),
        size in (0..150_usize, 0..10_usize),
        tips in prop::collection::vec(0..90_usize, 0..8),
    ) {
        let (forks, blocks) = grow(&parents);
        let mut standing = BTreeMap::<_, Vec<_>>::new();
        for (node, tip) in tips.iter().enumerate() {
            standing.entry(hash(*tip)).or_default().push(node);
        }
        let picture = tree::draw(&forks, &standing, tips.len(), size);
        prop_assert_eq!(picture.rows.len(), size.1);
        prop_assert!(picture.rows.iter().all(|row| row.len() == size.0));
        if size.0 < 30 || size.1 < 2 {
            // Not even one height may have room.
            return Ok(());
        }

        let drawn = read_blocks(&picture);
        let highest = blocks.values().map(|(height, _)| *height).max().unwrap();
        let lowest = drawn.values().map(|block| blocks[block].0).min().unwrap();
        let of_these_heights = blocks.values().filter(|(height, _)| *height >= lowest).count();
        prop_assert_eq!(drawn.len() + picture.hidden, of_these_heights, "{:#?}", rows(&picture));
        let first_lane = drawn.iter().filter(|((y, _), _)| *y == 1).map(|(_, block)| blocks[block].0);
        prop_assert!(first_lane.max() == Some(highest), "{:#?}", rows(&picture));

        let mut columns = BTreeMap::new();
        for (&(y, x), block) in &drawn {
            let (height, parent) = blocks[block];
            prop_assert_eq!(*columns.entry(x).or_insert(height), height, "{:#?}", rows(&picture));
            let expected = (height > lowest).then_some(parent);
            let read = follow(&picture, (y, x)).map(|place| drawn[&place]);
            prop_assert_eq!(read, expected, "the parent of {}: {:#?}", block, rows(&picture));
        }
    }
}

#[test]
fn branches_have_lanes() {
    // The parents, counted back: 1 and 2 on 0, 3 on 1, 4 on 2, 5 on 0, and 6 on 3.
    let (forks, _) = grow(&[0, 0, 1, 1, 1, 4, 2]);
    let standing = [(hash(6), vec![0, 1, 2, 4]), (hash(4), vec![3]), (hash(0), vec![5])].into();
    let picture = tree::draw(&forks, &standing, 6, (50, 4));
    let expected = [
        "  1   2      3   4      5",
        "  ·───0(5)─┬─1───3──────6(0-2 4)",
        "           ├─2───4(3)",
        "           ╰─5",
    ];
    assert_eq!((rows(&picture), picture.hidden), (expected.map(str::to_owned).to_vec(), 0));

    // Where there is less room, there are fewer heights, and then fewer lanes.
    let picture = tree::draw(&forks, &standing, 6, (20, 3));
    let expected = ["  4      5", "──3──────6(0-2 4)", "──4(3)"];
    assert_eq!((rows(&picture), picture.hidden), (expected.map(str::to_owned).to_vec(), 0));
    assert_eq!([1, 2, 3].map(|rows| tree::draw(&forks, &standing, 6, (50, rows)).hidden), [8, 3, 1]);
}

#[test]
fn who_stands_together_is_listed_shortly() {
    let listed = |nodes: &[usize], of| {
        let (forks, _) = grow(&[]);
        let picture = tree::draw(&forks, &[(hash(GENESIS), nodes.to_vec())].into(), of, (60, 2));
        rows(&picture)[1].clone()
    };
    assert_eq!(listed(&[3], 9), "  ·(3)");
    assert_eq!(listed(&[0, 1, 3, 4, 5, 8], 9), "  ·(0 1 3-5 8)");
    assert_eq!(listed(&[0, 1, 2], 3), "  ·(all)");
    assert_eq!(listed(&[0], 1), "  ·(0)");
    let every_second: Vec<_> = (0..40).step_by(2).collect();
    assert_eq!(listed(&every_second, 40), "  ·(20 nodes)");
}

#[test]
fn old_blocks_are_forgotten() {
    let (forks, _) = grow(&[0; 1000]);
    assert_eq!((forks.highest(), forks.at(801).count(), forks.at(802).count()), (1001, 0, 1));
}
