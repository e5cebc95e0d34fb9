//! The search for a proof, as a value.

use serde::{Deserialize, Serialize};

use super::{Challenge, InstructionSet, Target, instruction_set, run::Run};

/// Finds the smallest proof for the notebook's rule: the first of 0, 1, 2, ... that [`valid_proof`] accepts.
///
/// It needs [`Target::expected_hashes`] attempts on average and cannot be interrupted; a [`Search`] can.
///
/// # Errors
///
/// [`Exhausted`] if no `u64` is one.
///
/// ```
/// use chainlab::pow::{Target, proof_of_work};
///
/// assert_eq!(proof_of_work(100, Target::leading_zero_bits(16))?, 35293);
/// # Ok::<(), chainlab::pow::Exhausted>(())
/// ```
pub fn proof_of_work(last_proof: u64, target: Target) -> Result<u64, Exhausted> {
    let mut search = Search::new(Challenge::LastProof { last_proof }, target);
    loop {
        if let Some(proof) = search.run(u64::MAX)? {
            return Ok(proof);
        }
    }
}

/// Tells whether a proof is valid by the notebook's rule: whether SHA-256 of the last proof in decimal followed by
/// this one in decimal meets the target.
pub fn valid_proof(last_proof: u64, proof: u64, target: Target) -> bool {
    Challenge::LastProof { last_proof }.is_met(proof, target)
}

/// A search for the smallest proof that meets a target: run for a budget of attempts, resumed, or dropped.
///
/// It is plain data and does nothing between calls. On one core with AVX-512, a budget of 50,000 attempts takes
/// about a millisecond; a call hashes up to two batches of 160 candidates in vain, at its start and at its end.
///
/// ```
/// use chainlab::{BlockHash, pow::{Challenge, Search, Target}};
///
/// let challenge = Challenge::Sealed { digest: BlockHash::of(b"a block") };
/// let mut search = Search::new(challenge, Target::leading_zero_bits(16));
/// let proof = loop {
///     match search.run(50_000)? {
///         Some(proof) => break proof,
///         None => println!("{} attempts so far", search.attempts()),
///     }
/// };
/// assert!(challenge.is_met(proof, Target::leading_zero_bits(16)));
/// assert_eq!(search.attempts(), proof + 1);
/// # Ok::<(), chainlab::pow::Exhausted>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Search {
    challenge: Challenge,
    target: Target,
    set: InstructionSet,
    attempts: u64,
    /// The next candidate, unless the last `u64` has been tried.
    next: Option<u64>,
    found: Option<u64>,
}

impl Search {
    /// Begins a search at the proof 0.
    pub fn new(challenge: Challenge, target: Target) -> Self {
        Self::starting_at(challenge, target, 0)
    }

    /// Begins a search at a given proof: what it finds is the smallest from there on.
    pub fn starting_at(challenge: Challenge, target: Target, first_proof: u64) -> Self {
        Self { challenge, target, set: instruction_set(), attempts: 0, next: Some(first_proof), found: None }
    }

    /// Makes the search run on given instructions, for measuring. If the CPU lacks them, it runs on those that every
    /// CPU has.
    pub fn on(self, set: InstructionSet) -> Self {
        Self { set, ..self }
    }

    /// Tries at most `attempts` further candidates, and returns the proof if it is among them.
    ///
    /// `None` says that the budget is spent and the search can go on. Once a proof is found, every further call
    /// returns it again, without an attempt.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] if the last `u64` has been tried and none is a proof; every further call says so again.
    pub fn run(&mut self, attempts: u64) -> Result<Option<u64>, Exhausted> {
        let mut left = attempts;
        while left > 0
            && self.found.is_none()
            && let Some(next) = self.next
        {
            let (tried, found) = self.try_some(next, left);
            (self.next, self.found) = (next.checked_add(tried), found);
            // The whole of `u64` is one attempt more than `u64` can count, and takes longer than anyone waits.
            self.attempts = self.attempts.saturating_add(tried);
            left -= tried;
        }
        match (self.found, self.next) {
            (None, None) => Err(Exhausted { challenge: self.challenge, target: self.target }),
            (found, _) => Ok(found),
        }
    }

    /// Tries at least one and at most `budget` candidates from `next` on. Returns how many, and the proof if the
    /// last of them is one.
    fn try_some(&self, next: u64, budget: u64) -> (u64, Option<u64>) {
        /// So many candidates take as long one by one as a whole batch takes.
        const FEW: u64 = 16;
        let is_met = |before: &u64| self.challenge.is_met(next + before, self.target);

        let (count, hit) = if u128::from(budget).min(self.target.expected_hashes()) < u128::from(FEW) {
            let count = budget.min(FEW).min((u64::MAX - next).saturating_add(1));
            (count, (0..count).find(is_met))
        } else {
            let run = Run::starting_at(next, &self.challenge);
            let count = budget.min(run.count);
            // Only a filter: a proof's first 32 bits are at most those of the greatest hash below the target.
            let limit = ((self.target.get() - 1) >> 96) as u32;
            match run.scan(self.set, count, limit) {
                Some(before) if !is_met(&before) => (before + 1, None),
                hit => (count, hit),
            }
        };
        (hit.map_or(count, |before| before + 1), hit.map(|before| next + before))
    }

    /// Returns how many candidates have been tried so far: with a found proof, up to and including it.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }
}

/// A search that has tried every proof up to the last `u64`, and found none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(deny_unknown_fields)]
#[error("no proof up to {} meets the target {target} for {challenge:?}", u64::MAX)]
pub struct Exhausted {
    /// What a proof was sought for.
    pub challenge: Challenge,
    /// The target that none meets.
    pub target: Target,
}
