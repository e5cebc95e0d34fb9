//! Optimal selfish mining.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize};

use super::race::{Act, Fork, Race};
use crate::document::checked;

/// The most blocks that a branch may have in a policy: more take much more time and bring next to nothing.
const TRUNCATION_MAX: u32 = 40;
/// How near the revenue of a policy is to the best.
const PRECISION: f64 = 1e-6;

/// How many policies a thread keeps.
const KEPT: usize = 64;

thread_local! {
    /// The policies that this thread has asked for last, the last first.
    static KNOWN: RefCell<VecDeque<Optimal>> = const { RefCell::new(VecDeque::new()) };
}

/// What may be better than to adopt.
const ACTS: [Act; 3] = [Act::Override, Act::Match, Act::Wait];
/// In the order of their declaration.
const FORKS: [Fork; 3] = [Fork::Stale, Fork::Fresh, Fork::Split];

/// Selfish mining by the policy that has the largest share of the chain, for a share of the hash rate and a gamma.
///
/// The policy is computed when it is first needed: by value iteration over all races whose branches have at most
/// `truncation` blocks, at which the miner has to adopt or to override. That takes the longer the more blocks there are
/// and the nearer the power is to a half: a moment for 20 blocks, seconds where both are at their ends. Clones share
/// it, and each thread keeps the last few, so that it is not computed again for every run of an experiment.
///
/// Source: Sapirshtein, Sompolinsky and Zohar, *Optimal Selfish Mining Strategies in Bitcoin* (2016), sections 3 and 4.
///
/// ```
/// use chainlab::strategy::Optimal;
///
/// let optimal = Optimal::new(0.4, 0.0, 20)?;
/// assert!(optimal.revenue() > 0.4837, "it has more than selfish mining: {}", optimal.revenue());
/// assert_eq!(Optimal::new(0.5, 0.0, 20).unwrap_err().to_string(), "the power is 0.5, not more than 0 and less than 0.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "Parameters", try_from = "Parameters")]
pub struct Optimal {
    parameters: Parameters,
    policy: Arc<OnceLock<Policy>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(deserialize_with = "read_power")]
    power: f64,
    #[serde(default, deserialize_with = "read_gamma")]
    gamma: f64,
    #[serde(default = "usual_truncation", deserialize_with = "read_truncation")]
    truncation: u32,
}

fn usual_truncation() -> u32 {
    20
}

/// A policy that cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimalError {
    /// The power is no minority.
    #[error("the power is {power}, not more than 0 and less than 0.5")]
    Power {
        /// The share that was given.
        power: f64,
    },
    /// Gamma is no share.
    #[error("gamma is {gamma}, not from 0 to 1")]
    Gamma {
        /// What was given.
        gamma: f64,
    },
    /// The branches are too short to hold anything back, or too long to compute with.
    #[error("the truncation is {truncation}, not from 2 to {TRUNCATION_MAX}")]
    Truncation {
        /// What was given.
        truncation: u32,
    },
}

impl Optimal {
    /// Makes the strategy of a miner with `power` of the hash rate, more than 0 and less than 0.5, of whose blocks
    /// `gamma` of the others mine on in a tie, from 0 to 1; no branch has more than `truncation` blocks, from 2 to 40.
    ///
    /// # Errors
    ///
    /// A number is out of its range.
    pub fn new(power: f64, gamma: f64, truncation: u32) -> Result<Self, OptimalError> {
        Parameters { power, gamma, truncation }.try_into()
    }

    /// Tells what the miner does in a race. The first time it computes the policy.
    pub fn act(&self, race: Race) -> Act {
        self.policy().act(race)
    }

    /// Returns the share of the chain that the policy brings, where all hear of blocks at once: a lower bound of what is
    /// possible with longer branches. The first time it computes the policy.
    pub fn revenue(&self) -> f64 {
        self.policy().revenue
    }

    fn policy(&self) -> &Policy {
        self.policy.get_or_init(|| Policy::best(self.parameters))
    }
}

impl TryFrom<Parameters> for Optimal {
    type Error = OptimalError;

    fn try_from(parameters: Parameters) -> Result<Self, OptimalError> {
        let Parameters { power, gamma, truncation } = parameters;
        check_power(power)?;
        check_truncation(truncation)?;
        // Of the two zeros there are, the one that is written without a sign.
        let parameters = Parameters { gamma: check_gamma(gamma)? + 0.0, ..parameters };
        Ok(KNOWN.with_borrow_mut(|known| {
            let place = known.iter().position(|known| known.parameters == parameters);
            let optimal = place.and_then(|place| known.remove(place));
            let optimal = optimal.unwrap_or_else(|| Self { parameters, policy: Arc::default() });
            known.truncate(KEPT - 1);
            known.push_front(optimal.clone());
            optimal
        }))
    }
}

impl PartialEq for Optimal {
    fn eq(&self, other: &Self) -> bool {
        self.parameters == other.parameters
    }
}

fn check_power(power: f64) -> Result<f64, OptimalError> {
    if power > 0.0 && power < 0.5 { Ok(power) } else { Err(OptimalError::Power { power }) }
}

fn check_gamma(gamma: f64) -> Result<f64, OptimalError> {
    if (0.0..=1.0).contains(&gamma) { Ok(gamma) } else { Err(OptimalError::Gamma { gamma }) }
}

fn check_truncation(truncation: u32) -> Result<u32, OptimalError> {
    let is_possible = (2..=TRUNCATION_MAX).contains(&truncation);
    if is_possible { Ok(truncation) } else { Err(OptimalError::Truncation { truncation }) }
}

fn read_power<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, check_power)
}

fn read_gamma<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, check_gamma)
}

fn read_truncation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, check_truncation)
}

impl From<Optimal> for Parameters {
    fn from(optimal: Optimal) -> Self {
        optimal.parameters
    }
}

impl fmt::Debug for Optimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parameters.fmt(f)
    }
}

/// What to do in each race.
#[derive(Debug)]
struct Policy {
    truncation: u32,
    acts: Vec<Act>,
    revenue: f64,
}

impl Policy {
    /// Computes the best policy: the one for the largest share at which a block of the miner's, worth what the share leaves
    /// of one, still makes up for those of the others, which cost the share.
    fn best(parameters: Parameters) -> Self {
        let mut values = Values::new(parameters);
        let (mut low, mut high) = (parameters.power, 1.0);
        while high - low > PRECISION {
            let share = (low + high) / 2.0;
            if values.gains_at(share) { low = share } else { high = share }
        }
        // Of the last one that gains: what is reached by it, and not only bounded.
        values.gains_at(low);
        let races = races(parameters.truncation);
        let acts = races.map(|race| values.best_act(low, race).0).collect();
        Self { truncation: parameters.truncation, acts, revenue: low }
    }

    fn act(&self, race: Race) -> Act {
        let Race { secret, others, .. } = race;
        let longest = u64::from(self.truncation);
        match secret.max(others) > longest {
            // Links that take their time can bring more at once than the policy knows of.
            true if secret > others => Act::Override,
            true => Act::Adopt,
            false => self.acts[place(self.truncation, race)],
        }
    }
}

/// All races with branches of at most so many blocks, by their places.
fn races(truncation: u32) -> impl Iterator<Item = Race> {
    let lengths = move || 0..=u64::from(truncation);
    lengths().flat_map(move |secret| {
        lengths().flat_map(move |others| FORKS.map(|fork| Race { secret, others, fork }))
    })
}

fn place(truncation: u32, Race { secret, others, fork }: Race) -> usize {
    ((secret * (u64::from(truncation) + 1) + others) * 3) as usize + fork as usize
}

/// What each race is worth, relative to the one at the start.
struct Values {
    parameters: Parameters,
    values: Vec<f64>,
    /// Those of the next round.
    next: Vec<f64>,
}

impl Values {
    fn new(parameters: Parameters) -> Self {
        let values = vec![0.0; races(parameters.truncation).count()];
        Self { parameters, next: values.clone(), values }
    }

    /// Tells whether the best policy gains on average, if the others' blocks cost `share` each and the miner's bring what
    /// is left of 1. It goes on from the values of the share before.
    fn gains_at(&mut self, share: f64) -> bool {
        loop {
            let (mut least, mut most) = (f64::MAX, f64::MIN);
            for (place, race) in races(self.parameters.truncation).enumerate() {
                let (_, value) = self.best_act(share, race);
                let gain = value - self.values[place];
                (least, most) = (least.min(gain), most.max(gain));
                self.next[place] = value;
            }
            let start = self.next[0];
            self.values.iter_mut().zip(&self.next).for_each(|(value, next)| *value = next - start);
            // The average gain lies between the two.
            if least > 0.0 || most < 0.0 || most - least < PRECISION {
                return least + most > 0.0;
            }
        }
    }

    /// The best of what can be done in a race, and its worth.
    fn best_act(&self, share: f64, race: Race) -> (Act, f64) {
        let longest = u64::from(self.parameters.truncation);
        // Nobody is split about a branch that is shorter than theirs.
        let is_at_the_end =
            race.secret.max(race.others) == longest || race.fork == Fork::Split && race.secret < race.others;
        let mut best = (Act::Adopt, self.worth(share, race, Act::Adopt));
        for act in ACTS {
            let may_go_on = !is_at_the_end || act == Act::Override;
            if may_go_on && race.allows(act) {
                let worth = self.worth(share, race, act);
                if worth > best.1 {
                    best = (act, worth);
                }
            }
        }
        best
    }

    /// What an act brings until the next block is found, and what the race is worth then: table 1 of the paper.
    fn worth(&self, share: f64, Race { secret, others, fork }: Race, act: Act) -> f64 {
        let Parameters { power, gamma, .. } = self.parameters;
        let value = |secret, others, fork| {
            self.values[place(self.parameters.truncation, Race { secret, others, fork })]
        };
        let (own, others_block) = (1.0 - share, -share);
        match act {
            Act::Adopt => {
                let then = power * value(1, 0, Fork::Stale) + (1.0 - power) * value(0, 1, Fork::Fresh);
                others_block * others as f64 + then
            }
            Act::Override => {
                let left = secret - others - 1;
                let then =
                    power * value(left + 1, 0, Fork::Stale) + (1.0 - power) * value(left, 1, Fork::Fresh);
                own * (others + 1) as f64 + then
            }
            Act::Wait if fork != Fork::Split => {
                power * value(secret + 1, others, Fork::Stale)
                    + (1.0 - power) * value(secret, others + 1, Fork::Fresh)
            }
            Act::Match | Act::Wait => {
                let on_own = own * others as f64 + value(secret - others, 1, Fork::Fresh);
                let on_theirs = value(secret, others + 1, Fork::Fresh);
                power * value(secret + 1, others, Fork::Split)
                    + (1.0 - power) * (gamma * on_own + (1.0 - gamma) * on_theirs)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Below the threshold of every strategy, honest mining is best: a share of the chain like that of the power.
    #[test]
    fn a_small_miner_is_honest() {
        let optimal = Optimal::new(0.2, 0.0, 10).unwrap();
        assert!((optimal.revenue() - 0.2).abs() < 1e-5, "{}", optimal.revenue());
        assert_eq!(optimal.act(Race { secret: 1, others: 0, fork: Fork::Stale }), Act::Override);
        assert_eq!(optimal.act(Race { secret: 0, others: 1, fork: Fork::Fresh }), Act::Adopt);
    }

    #[test]
    fn every_act_is_possible() {
        for gamma in [0.0, 0.5, 1.0] {
            let optimal = Optimal::new(0.42, gamma, 12).unwrap();
            for race in races(12) {
                assert!(race.allows(optimal.act(race)), "{race:?}: {:?}", optimal.act(race));
            }
        }
    }

    /// What asks for many policies waits for none that is not used; what is used is computed once.
    #[test]
    fn a_policy_is_computed_when_it_is_needed_and_kept() {
        let power = |place: u32| 0.499_999_9 + f64::from(place) * 1e-12;
        let all: Vec<_> =
            (0..1_000).map(|place| Optimal::new(power(place), 0.5, TRUNCATION_MAX).unwrap()).collect();
        assert!(all.iter().all(|optimal| optimal.policy.get().is_none()));
        let small = Optimal::new(0.123, 0.5, 2).unwrap();
        let revenue = small.revenue();
        let again = Optimal::new(0.123, 0.5, 2).unwrap();
        assert_eq!(again.policy.get().map(|policy| policy.revenue), Some(revenue));
    }

    #[test]
    fn longer_branches_bring_no_less() {
        let revenues = [5, 10, 20].map(|truncation| Optimal::new(0.4, 0.5, truncation).unwrap().revenue());
        assert!(revenues.is_sorted(), "{revenues:?}");
    }

    #[test]
    fn documents_have_the_parameters() {
        let optimal = Optimal::new(0.35, -0.0, 20).unwrap();
        let text = r#"{"power":0.35,"gamma":0.0,"truncation":20}"#;
        assert_eq!(serde_json::to_string(&optimal).unwrap(), text);
        assert_eq!(serde_json::from_str::<Optimal>(text).unwrap(), optimal);
        assert_eq!(serde_json::from_str::<Optimal>(r#"{"power":0.35}"#).unwrap(), optimal);
        let signed = serde_json::from_str::<Optimal>(r#"{"power":0.35,"gamma":-0.0}"#).unwrap();
        assert_eq!(serde_json::to_string(&signed).unwrap(), text);
        let error = serde_json::from_str::<Optimal>(r#"{"power":0.35,"gamma":2}"#).unwrap_err().to_string();
        assert!(error.starts_with("gamma is 2, not from 0 to 1"), "{error}");
    }
}
