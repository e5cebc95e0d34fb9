//! What a policy brings in the long run, from the chain of the states that it goes through.

use std::collections::BTreeMap;

use crate::strategy::{Act, Fork, Race};

/// The longest branch that is computed with.
const LONGEST: u64 = 100;
/// After so many blocks the chances have settled.
const BLOCKS: u32 = 1000;
/// What is less likely is left out.
const CHANCE_MIN: f64 = 1e-10;

const FORKS: [Fork; 3] = [Fork::Stale, Fork::Fresh, Fork::Split];

/// The chances of races: by the lengths of both branches and the place of the fork in [`FORKS`].
type Chances = BTreeMap<(u64, u64, usize), f64>;

/// Returns the share of the chain of a miner with `power` of the hash rate that follows a policy, of whose blocks `gamma` of
/// the others mine on in a tie, where all hear of blocks at once.
///
/// It follows the chances of all races from block to block until they have settled, and counts the blocks that the next
/// step decides. No simulation and no formula is in it.
pub(super) fn revenue(act: impl Fn(Race) -> Act, power: f64, gamma: f64) -> f64 {
    let mut chances = Chances::from([((0, 0, 0), 1.0)]);
    let mut decided = (0.0, 0.0);
    for _ in 0..BLOCKS {
        (chances, decided) = step(&chances, &act, power, gamma);
    }
    decided.0 / (decided.0 + decided.1)
}

/// The chances after one block more, and how many blocks of the miner's and of the others' were decided.
fn step(chances: &Chances, act: impl Fn(Race) -> Act, power: f64, gamma: f64) -> (Chances, (f64, f64)) {
    let mut next = Chances::new();
    let (mut own, mut theirs) = (0.0, 0.0);
    let mut add = |secret: u64, others, fork: usize, chance: f64| {
        *next.entry((secret.min(LONGEST), others, fork)).or_insert(0.0) += chance;
    };
    let [stale, fresh, split] = [0, 1, 2];
    for (&(secret, others, fork), &chance) in chances {
        let race = Race { secret, others, fork: FORKS[fork] };
        let chosen = if (secret, others) == (0, 0) { Act::Wait } else { act(race) };
        let (by_own, by_theirs) = (chance * power, chance * (1.0 - power));
        match chosen {
            Act::Adopt => {
                theirs += chance * others as f64;
                add(1, 0, stale, by_own);
                add(0, 1, fresh, by_theirs);
            }
            Act::Override => {
                own += chance * (others + 1) as f64;
                add(secret - others, 0, stale, by_own);
                add(secret - others - 1, 1, fresh, by_theirs);
            }
            Act::Wait if fork != split => {
                add(secret + 1, others, stale, by_own);
                add(secret, others + 1, fresh, by_theirs);
            }
            Act::Match | Act::Wait => {
                own += by_theirs * gamma * others as f64;
                add(secret + 1, others, split, by_own);
                add(secret - others, 1, fresh, by_theirs * gamma);
                add(secret, others + 1, fresh, by_theirs * (1.0 - gamma));
            }
        }
    }
    next.retain(|_, chance| *chance > CHANCE_MIN);
    (next, (own, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{experiment::validation::Truth, strategy::selfish};

    #[test]
    fn the_chain_of_states_gives_the_published_revenue() {
        for row in Truth::read().eyal_sirer.rows {
            // Beyond, branches grow longer than what is computed with.
            if row.alpha <= 0.4 {
                let found = revenue(selfish, row.alpha, row.gamma);
                assert!((found - row.revenue).abs() < 1e-3, "{row:?}: {found}");
            }
        }
    }

    /// Whoever shows every block at once has its share of the hash rate.
    #[test]
    fn an_honest_miner_has_its_share() {
        let honest = |race: Race| if race.secret > race.others { Act::Override } else { Act::Adopt };
        assert!((revenue(honest, 0.3, 0.5) - 0.3).abs() < 1e-9);
    }
}
