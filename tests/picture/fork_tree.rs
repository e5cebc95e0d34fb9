//! Trees of blocks.

use std::collections::BTreeSet;

use chainlab::{Happening, picture::ForkTree};
use proptest::prelude::*;

use crate::{
    golden::assert_golden,
    reading::check,
    runs::{any_run, partition},
};

#[test]
fn a_partition_has_its_text() {
    let tree = ForkTree::from_events(&partition().events);
    assert_golden("fork_tree.txt", &tree.to_string());
}

#[test]
fn a_partition_has_its_svg() {
    let svg = ForkTree::from_events(&partition().events).to_svg();
    check(&svg);
    assert_golden("fork_tree.svg", &svg);
}

#[test]
fn a_partition_has_its_dot() {
    assert_golden("fork_tree.dot", &ForkTree::from_events(&partition().events).to_dot());
}

proptest! {
    #[test]
    fn no_input_makes_an_unreadable_picture(events in any_run()) {
        check(&ForkTree::from_events(&events).to_svg());
    }

    #[test]
    fn every_block_of_the_events_is_in_the_tree_once(events in any_run()) {
        let mut blocks = BTreeSet::new();
        let mut has_tip = BTreeSet::new();
        for event in &events {
            match event.what {
                Happening::Mined { block, position, parent } => {
                    blocks.insert(block);
                    has_tip.insert(event.node);
                    // Before the first position there is nothing.
                    if position > 1 {
                        blocks.insert(parent);
                    }
                }
                Happening::Accepted { block, .. } => {
                    blocks.insert(block);
                    has_tip.insert(event.node);
                }
                _ => {}
            }
        }
        let tree = ForkTree::from_events(&events);
        // What was given up is where no block of another event says so only if it was mentioned in no other.
        prop_assert!(tree.blocks() >= blocks.len());
        let given_up = events.iter().filter(|event| matches!(event.what, Happening::Reorganised { .. })).count();
        prop_assert!(tree.blocks() <= blocks.len() + given_up);
        prop_assert!(tree.stale() < tree.blocks().max(1));
        prop_assert_eq!(&tree, &ForkTree::from_events(&events));
    }
}
