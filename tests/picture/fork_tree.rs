//! Trees of blocks.

use std::collections::BTreeSet;

use chainlab::{Blockchain, Event, Happening, NodeId, Rules, Time, picture::ForkTree, pow::Target};
use proptest::prelude::*;
use roxmltree::Document;

use crate::{
    golden::assert_golden,
    reading::check,
    runs::{Run, any_run, partition},
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

/// The tooltip of the only cross, its lines apart.
fn told_of_the_cross(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let cross: Vec<_> = texts.filter(|node| node.text().is_some_and(|text| text.starts_with('×'))).collect();
    assert_eq!(cross.len(), 1);
    let title = cross[0].parent().unwrap().children().find(|node| node.has_tag_name("title")).unwrap();
    title.text().unwrap().lines().map(str::to_owned).collect()
}

/// So many nodes give up one block for two.
fn given_up_by(nodes: u32) -> String {
    let mut run = Run::default();
    run.mines(0, 2, "old", "genesis");
    run.mines(nodes, 2, "other", "genesis");
    run.mines(nodes, 3, "new", "other");
    (1..nodes).for_each(|node| run.accepts(node, 2, "old", 0));
    for node in 0..nodes {
        run.accepts(node, 3, "new", nodes);
        run.gives_up(node, "old", 1, 2);
    }
    ForkTree::from_events(&run.events).to_svg()
}

#[test]
fn who_gave_up_a_branch_is_told_in_lines_of_which_there_are_few() {
    let gave_up = |node: u32| format!("node {node} gave up 1 block for 2, up to block 3");
    let both = given_up_by(2);
    check(&both);
    assert_eq!(told_of_the_cross(&both), [gave_up(0), gave_up(1)]);
    let many = told_of_the_cross(&given_up_by(517));
    assert_eq!(many[..20], (0..20).map(gave_up).collect::<Vec<_>>());
    assert_eq!(many[20..], ["and 497 more"]);
}

proptest! {
    #[test]
    fn no_input_makes_an_unreadable_picture(events in any_run()) {
        check(&ForkTree::from_events(&events).to_svg());
    }

    #[test]
    fn every_block_of_the_events_is_in_the_tree(events in any_run()) {
        let mut blocks = BTreeSet::new();
        let mut given_up = 0;
        for event in &events {
            match event.what {
                // Before the first position there is nothing.
                Happening::Mined { block, position, parent } if position > 1 => blocks.extend([block, parent]),
                Happening::Mined { block, .. } | Happening::Accepted { block, .. } => blocks.extend([block]),
                // Of what was given up the position follows from the next tip, if that is known.
                Happening::Reorganised { .. } => given_up += 1,
                _ => {}
            }
        }
        let tree = ForkTree::from_events(&events);
        prop_assert!((blocks.len()..=blocks.len() + given_up).contains(&tree.blocks()));
        let dot = tree.to_dot();
        prop_assert!(blocks.iter().all(|block| dot.contains(&block.to_string())) || dot.contains(" blocks\""));
        prop_assert_eq!(&tree, &ForkTree::from_events(&events));
    }

    #[test]
    fn chains_have_the_tree_of_the_events_that_made_them(
        steps in prop::collection::vec((0..3_usize, any::<bool>()), 1..20),
    ) {
        let rules = Rules::notebook().with_first_target(Target::EASIEST);
        let names = ["ann", "ben", "cid"];
        let start = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
        let mut chains = [start.clone(), start.clone(), start];
        let mut run = Run::named(&names);
        for (number, (node, takes_over)) in (1..).zip(steps) {
            if takes_over {
                // Whoever is behind takes the chain of the one after, which has a better one.
                let other = chains[(node + 1) % 3].clone();
                if other.len() > chains[node].len() {
                    let (block, position) = (other.tip_hash(), other.len());
                    run.happens(node as u32, Happening::Accepted { block, position, from: NodeId::new(0) });
                    chains[node] = other;
                }
                continue;
            }
            let parent = chains[node].tip_hash();
            chains[node] = chains[node].mine_next(&rules, [], names[node], Time::from_secs(number)).unwrap();
            let (block, position) = (chains[node].tip_hash(), chains[node].len());
            run.happens(node as u32, Happening::Mined { block, position, parent });
        }
        let of_chains = ForkTree::from_chains(names.into_iter().zip(chains.clone()));
        let blocks: BTreeSet<_> = chains
            .iter()
            .flat_map(|chain| (1..=chain.len()).map(|len| chain.at(len).unwrap().tip_hash()))
            .collect();
        prop_assert_eq!(of_chains.blocks(), blocks.len());
        let is_kept = |event: &&Event| match event.what {
            Happening::Mined { block, .. } | Happening::Accepted { block, .. } => blocks.contains(&block),
            _ => true,
        };
        let of_events = ForkTree::from_events(run.events.iter().filter(is_kept));
        let best = chains.iter().map(Blockchain::len).max().unwrap() as usize;
        prop_assert_eq!(of_chains.blocks() - of_chains.stale(), best);
        let arrows = |tree: &ForkTree| -> BTreeSet<String> {
            let dot = tree.to_dot();
            let lines = dot.lines().filter(|line| line.contains(" -> "));
            lines.filter_map(|line| line.split(" [").next()).map(str::to_owned).collect()
        };
        prop_assert_eq!(arrows(&of_chains), arrows(&of_events));
    }
}
