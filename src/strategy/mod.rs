//! What a node does where the rules leave it free: which of its blocks a miner shows and when, and which of two equally
//! good chains a node takes.
//!
//! A strategy decides what a miner shows and on what it mines. Fork choice stays the node's: what others show is judged
//! and told on as by any node. As long as a miner holds blocks back, its chain, that it is asked for and reports, is the
//! best that has been shown.
//!
//! Most strategies look at nothing but a [`Race`]: how long the secret branch and the others' are. They are functions of
//! it, and can be tested by themselves.

mod double_spend;
mod eclipse;
mod optimal;
mod race;
mod selfish;
mod stubborn;
mod tie_break;

use serde::{Deserialize, Serialize};

use crate::message::NodeId;

pub use double_spend::{DoubleSpend, DoubleSpendError};
pub use eclipse::Eclipse;
pub use optimal::{Optimal, OptimalError};
pub use race::{Act, Fork, Race};
pub use selfish::selfish;
pub use stubborn::Stubborn;
pub use tie_break::{TieBreak, Towards, TowardsError};

/// What a node does where the rules leave it free: by default it shows what it mines, and keeps to what it saw first.
///
/// ```
/// use chainlab::{
///     Rules, Simulation,
///     network::{HashRate, Identity},
///     strategy::{Behaviour, Strategy},
/// };
///
/// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e6), 42);
/// let behaviour = Behaviour { strategy: Strategy::Selfish, ..Behaviour::default() };
/// let pool = simulation.spawn_as(Identity { behaviour, ..Identity::default() })?;
/// let honest = simulation.spawn()?;
/// simulation.connect(pool, honest)?;
/// simulation.start_mining(pool, HashRate::per_second(4e5)?)?;
/// simulation.start_mining(honest, HashRate::per_second(6e5)?)?;
/// simulation.run_blocks(10_000);
/// let share = simulation.report().nodes[pool.index()].chain_share;
/// assert!(share > 0.45, "with 40 % of the hash rate it has {share} of the chain");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What it shows of what it mines, and on what it mines.
    pub strategy: Strategy,
    /// Which of two equally good chains it takes.
    pub tie_break: TieBreak,
}

/// What a miner shows of what it mines, and on what it mines.
///
/// What is mined on a secret block holds a reward and nothing else, as what is pending follows the chain that is shown.
/// What a miner holds back is lost when it crashes, and is no part of a save.
///
/// `N` is how other nodes are named: by their ids, or in a scenario by their numbers or their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy<N = NodeId> {
    /// It mines on the best chain that it knows, and shows every block at once.
    #[default]
    Honest,
    /// Selfish mining: see [`selfish`](fn@selfish).
    Selfish,
    /// Selfish mining that gives in later, in three ways.
    Stubborn(Stubborn),
    /// Selfish mining by the best policy for a given share of the hash rate.
    Optimal(Optimal),
    /// Pays, and mines in secret what takes the payment back.
    DoubleSpend(DoubleSpend),
    /// Shows a victim nothing but what it likes.
    Eclipse(Eclipse<N>),
}

impl<N> Strategy<N> {
    /// Returns the strategy with its victim found, if it has one.
    ///
    /// # Errors
    ///
    /// That of the search.
    pub(crate) fn with_victim_found<M, E>(
        &self,
        find: impl FnOnce(&N) -> Result<M, E>,
    ) -> Result<Strategy<M>, E> {
        Ok(match self {
            Self::Honest => Strategy::Honest,
            Self::Selfish => Strategy::Selfish,
            Self::Stubborn(stubborn) => Strategy::Stubborn(*stubborn),
            Self::Optimal(optimal) => Strategy::Optimal(optimal.clone()),
            Self::DoubleSpend(double_spend) => Strategy::DoubleSpend(double_spend.clone()),
            Self::Eclipse(Eclipse { victim, feeds }) => {
                Strategy::Eclipse(Eclipse { victim: find(victim)?, feeds: *feeds })
            }
        })
    }
}

impl Strategy {
    /// Tells what to do in a race, if it is one that looks at races.
    pub(crate) fn act(&self, race: Race) -> Act {
        match self {
            Self::Selfish => selfish(race),
            Self::Stubborn(stubborn) => stubborn.act(race),
            Self::Optimal(optimal) => optimal.act(race),
            Self::Honest | Self::DoubleSpend(_) | Self::Eclipse(_) => {
                unreachable!("it has no branch, or goes by more than the race")
            }
        }
    }
}
