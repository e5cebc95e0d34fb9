//! Stubborn mining.

use serde::{Deserialize, Serialize};

use super::race::{Act, Fork, Race};

/// Selfish mining that gives in later. Without any of the three ways it is selfish mining itself.
///
/// Source: Nayak, Kumar, Miller and Shi, *Stubborn Mining: Generalizing Selfish Mining and Combining with an Eclipse
/// Attack* (2016), section 3. Grunspan and Pérez-Marco, *On Profitability of Stubborn Mining* (arXiv 1808.01041), give
/// revenues in closed form: what they call equal fork stubborn is `lead` and `equal_fork` together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stubborn {
    /// Whether, when the others come within a block of its lead, it shows as many as they have and not all.
    pub lead: bool,
    /// Whether it keeps the block that would decide a tie for it.
    pub equal_fork: bool,
    /// How many blocks it mines on behind the others, before it gives up with one more; in secret until it is ahead.
    pub trail: u64,
}

impl Stubborn {
    /// Tells what the miner does in a race.
    pub fn act(self, race: Race) -> Act {
        let Race { secret, others, fork } = race;
        match (secret.checked_sub(others), fork) {
            // There must be a branch to be stubborn with.
            (None, _) if secret == 0 || others - secret > self.trail => Act::Adopt,
            (None, _) => Act::Wait,
            (Some(0), Fork::Fresh) => Act::Match,
            (Some(1), Fork::Fresh) if !self.lead && others > 0 => Act::Override,
            (Some(1), Fork::Split) if !self.equal_fork => Act::Override,
            // It was behind, and has been ahead for this block alone: there is nobody to split.
            (Some(1), Fork::Stale) if others > 0 => Act::Override,
            (Some(1..), Fork::Fresh) if others > 0 => Act::Match,
            (Some(_), _) => Act::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::selfish;

    const FORKS: [Fork; 3] = [Fork::Stale, Fork::Fresh, Fork::Split];

    fn act(stubborn: Stubborn, secret: u64, others: u64, fork: Fork) -> Act {
        stubborn.act(Race { secret, others, fork })
    }

    #[test]
    fn without_stubbornness_it_is_selfish_mining() {
        for (secret, others) in (0..9).flat_map(|secret| (0..9).map(move |others| (secret, others))) {
            for fork in FORKS {
                let race = Race { secret, others, fork };
                // Selfish mining never comes here: it shows its branch before the others have two blocks, or has a lead.
                let is_reached = match fork {
                    Fork::Stale => others == 0,
                    Fork::Fresh => others > 0 && (secret != others || others == 1),
                    Fork::Split => others > 0,
                };
                if is_reached {
                    assert_eq!(Stubborn::default().act(race), selfish(race), "{race:?}");
                }
            }
        }
    }

    #[test]
    fn lead_stubborn_shows_no_more_than_the_others_have() {
        let lead = Stubborn { lead: true, ..Stubborn::default() };
        for others in 1..9 {
            assert_eq!(act(lead, others + 1, others, Fork::Fresh), Act::Match);
            assert_eq!(act(lead, others, others, Fork::Fresh), Act::Match);
            // A tie is decided by its next block, and lost by theirs.
            assert_eq!(act(lead, others + 1, others, Fork::Split), Act::Override);
            assert_eq!(act(lead, others, others + 1, Fork::Fresh), Act::Adopt);
        }
        assert_eq!(act(lead, 2, 0, Fork::Stale), Act::Wait);
    }

    #[test]
    fn equal_fork_stubborn_keeps_the_block_that_decides_a_tie() {
        let equal_fork = Stubborn { equal_fork: true, ..Stubborn::default() };
        assert_eq!(act(equal_fork, 2, 1, Fork::Split), Act::Wait);
        assert_eq!(act(equal_fork, 3, 1, Fork::Split), Act::Wait);
        // And shows it all when the others come within a block, unless it is lead stubborn, too.
        assert_eq!(act(equal_fork, 2, 1, Fork::Fresh), Act::Override);
        let both = Stubborn { lead: true, ..equal_fork };
        assert_eq!(act(both, 2, 1, Fork::Split), Act::Wait);
        assert_eq!(act(both, 2, 1, Fork::Fresh), Act::Match);
    }

    #[test]
    fn trail_stubborn_mines_on_behind_and_shows_all_once_ahead() {
        let trail = Stubborn { trail: 2, ..Stubborn::default() };
        assert_eq!(act(trail, 1, 2, Fork::Fresh), Act::Wait);
        assert_eq!(act(trail, 1, 3, Fork::Fresh), Act::Wait);
        assert_eq!(act(trail, 1, 4, Fork::Fresh), Act::Adopt);
        assert_eq!(act(trail, 0, 1, Fork::Fresh), Act::Adopt);
        // It catches up unseen.
        assert_eq!(act(trail, 3, 3, Fork::Stale), Act::Wait);
        assert_eq!(act(trail, 4, 3, Fork::Stale), Act::Override);
    }
}
