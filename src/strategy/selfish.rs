//! Selfish mining.

use super::race::{Act, Fork, Race};

/// Tells what a selfish miner does in a race: it keeps its lead secret, shows a block for each of the others', and all
/// that it has when its lead is down to one.
///
/// Source: Eyal and Sirer, *Majority is not Enough: Bitcoin Mining is Vulnerable* (2014), algorithm 1.
pub fn selfish(race: Race) -> Act {
    let Race { secret, others, fork } = race;
    match secret.checked_sub(others) {
        // The others have won.
        None => Act::Adopt,
        // Its first block is all that it has: now is the time to show it, and then to see who finds the next.
        Some(0) if fork == Fork::Fresh => Act::Match,
        // One ahead after the others' block, or after its own that decides a tie: all is shown, and wins.
        Some(1) if others > 0 => Act::Override,
        // The lead is more than that, and a block of the others' is answered by one of its own.
        Some(2..) if others > 0 && fork == Fork::Fresh => Act::Match,
        Some(_) => Act::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(secret: u64, others: u64, fork: Fork) -> Act {
        selfish(Race { secret, others, fork })
    }

    /// The cases of algorithm 1, in its order. There the lead is that before the block was found.
    #[test]
    fn every_transition_is_the_paper_s() {
        // "My pool found a block", with a lead of 0 and no branch, then with a lead of 1 and more: it is kept.
        assert_eq!(act(1, 0, Fork::Stale), Act::Wait);
        for secret in 2..9 {
            assert_eq!(act(secret, 0, Fork::Stale), Act::Wait);
        }
        // With a lead of 0 and a branch of one, which was shown: "was tie with branch of 1, publish all".
        assert_eq!(act(2, 1, Fork::Split), Act::Override);
        // "Others found a block", with a lead of 0: "they win".
        assert_eq!(act(1, 2, Fork::Fresh), Act::Adopt);
        assert_eq!(act(0, 1, Fork::Fresh), Act::Adopt);
        // With a lead of 1: "now same length, try our luck".
        assert_eq!(act(1, 1, Fork::Fresh), Act::Match);
        // With a lead of 2: "pool wins due to the lead of 1".
        assert_eq!(act(2, 1, Fork::Fresh), Act::Override);
        for others in 1..9 {
            assert_eq!(act(others + 1, others, Fork::Fresh), Act::Override);
        }
        // With more: "publish first unpublished block".
        for (secret, others) in [(3, 1), (4, 1), (4, 2), (9, 3)] {
            assert_eq!(act(secret, others, Fork::Fresh), Act::Match);
            // Its next block is kept again, beside what was shown.
            assert_eq!(act(secret + 1, others, Fork::Split), Act::Wait);
        }
    }
}
