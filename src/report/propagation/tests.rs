//! Blocks that all have, that some have with the next, and that were mined again.

use std::time::Duration;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn hash(number: u8) -> BlockHash {
    format!("{number:064x}").parse().expect("64 hexadecimal digits")
}

fn mined(followed: &mut Followed, nodes: usize, number: u8) {
    followed.mined(Time::from_secs(number.into()), (0, nodes), (hash(number), hash(number - 1)), true);
}

/// One by one or by a pattern, the figures are the same, and nothing is left.
#[test]
fn what_all_accept_in_a_pattern_is_what_they_accept_one_by_one() {
    for nodes in 2..40 {
        let elapsed: Vec<_> = (1..nodes).map(|place| SECOND * place as u32 / 7).collect();
        let pattern = Pattern::of(&elapsed);
        let [mut one_by_one, mut at_once] = [(); 2].map(|()| Followed::new());
        for number in 1..4 {
            mined(&mut one_by_one, nodes, number);
            for (place, elapsed) in (1..).zip(&elapsed) {
                one_by_one.accepted(Time::from_secs(number.into()) + *elapsed, place, &hash(number));
            }
            mined(&mut at_once, nodes, number);
            assert!(at_once.accepted_by_all(&hash(number), &pattern, &[]));
        }
        at_once.add(&pattern, 3);
        assert_eq!(at_once.figures(), one_by_one.figures(), "{nodes} nodes");
        assert!(at_once.blocks.is_empty() && at_once.numbers.is_empty());
    }
}

/// Those who get a block with the next one have it from then on.
#[test]
fn what_some_accept_with_the_next_they_accept_when_that_comes() {
    for nodes in 3..40 {
        let elapsed = |place: usize| SECOND * place as u32 / 7;
        let pattern = Pattern::of(&(1..nodes).map(elapsed).collect::<Vec<_>>());
        let late = 2 * nodes / 3..nodes;
        let [mut one_by_one, mut at_once] = [(); 2].map(|()| {
            let mut followed = Followed::new();
            mined(&mut followed, nodes, 1);
            for place in 1..late.start {
                followed.accepted(Time::from_secs(1) + elapsed(place), place, &hash(1));
            }
            mined(&mut followed, nodes, 2);
            followed
        });
        for place in 1..nodes {
            one_by_one.accepted(Time::from_secs(2) + elapsed(place), place, &hash(2));
        }
        let late: Vec<_> = late.map(|place| (Time::from_secs(2) + elapsed(place), place)).collect();
        let before = format!("{at_once:?}");
        assert!(!at_once.accepted_by_all(&hash(2), &pattern, &late[1..]), "one lacks the first still");
        assert_eq!(format!("{at_once:?}"), before);
        assert!(at_once.accepted_by_all(&hash(2), &pattern, &late));
        at_once.add(&pattern, 1);
        assert_eq!(at_once.figures(), one_by_one.figures(), "{nodes} nodes");
        assert!(at_once.blocks.is_empty() && at_once.numbers.is_empty());
    }
}

/// Neither the block nor the one that it took the place of is followed any longer.
#[test]
fn what_was_mined_again_goes_with_the_last() {
    let mut followed = Followed::new();
    mined(&mut followed, 5, 3);
    mined(&mut followed, 5, 3);
    assert!(followed.accepted_by_all(&hash(3), &Pattern::of(&[SECOND; 4]), &[]));
    mined(&mut followed, 5, 4);
    followed.accepted(Time::from_secs(9), 1, &hash(3));
    assert_eq!(followed.figures().to_each.count, 0);
}

/// Whoever mines on it has it, too: whether the first has gone before or after it was mined again.
#[test]
fn what_was_mined_again_is_the_parent_of_what_comes_after() {
    for (is_last, has_gone) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut followed = Followed::new();
        mined(&mut followed, 2, 1);
        if !is_last {
            mined(&mut followed, 2, 2);
        }
        if has_gone {
            followed.let_go(0);
        }
        mined(&mut followed, 2, 1);
        let newer = followed.next_number - 1;
        if !has_gone {
            followed.let_go(0);
        }
        mined(&mut followed, 2, 2);
        assert_eq!(followed.blocks.back().unwrap().parent, Some(newer));
    }
}

/// A block that another node has, that not all count for, that is not the last, or whose parent some node lacks.
#[test]
fn what_not_all_lack_is_not_accepted_by_all() {
    let pattern = Pattern::of(&[SECOND; 4]);
    let acts: [&dyn Fn(&mut Followed); 4] = [
        &|followed| followed.accepted(Time::from_secs(9), 1, &hash(1)),
        &|followed| mined(followed, 6, 1),
        &|followed| mined(followed, 5, 9),
        &|followed| mined(followed, 5, 2),
    ];
    for (act, asked) in acts.into_iter().zip([1, 1, 1, 2]) {
        let mut followed = Followed::new();
        mined(&mut followed, 5, 1);
        act(&mut followed);
        let before = format!("{followed:?}");
        assert!(!followed.accepted_by_all(&hash(asked), &pattern, &[]));
        assert_eq!(format!("{followed:?}"), before);
    }
}
