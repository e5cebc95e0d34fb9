//! How fast a node searches for proofs.

use thiserror::Error;

/// How fast a node searches for proofs: so many attempts a second, or as many as it can make.
///
/// Among threads a limited rate is real hashing at an even pace, or as fast as the thread goes if that is less. The thread
/// tries many attempts ahead, for a millisecond at most, tells of a proof when its attempt is due, and sleeps meanwhile:
/// however low the rate is, it is woken some ten times a block, and once more for every millisecond of its own work. As
/// what is ahead is lost with the search, it tries at most a thousand attempts more than twice those that are due. A
/// thousand miners of a thousand attempts a second each take a few hundredths of one core, which
/// `cargo bench --bench network` measures. A report counts an attempt when it is due. A thread that comes late, as the
/// machine is busy, makes up for a tenth of a second. An unlimited miner takes a core.
///
/// In a simulation any rate costs the same, and an unlimited one is 1,000,000 attempts a second. A proof takes a nanosecond
/// there at least.
///
/// ```
/// use chainlab::network::HashRate;
///
/// let rate = HashRate::per_second(0.5)?; // an attempt every two seconds
/// assert_eq!(rate.attempts_per_second(), Some(0.5));
/// assert_eq!(HashRate::default(), HashRate::UNLIMITED);
/// let error = HashRate::per_second(-1.0).unwrap_err();
/// assert_eq!(error.to_string(), "a hash rate of -1 attempts a second: it is a finite number from 0");
/// # Ok::<(), chainlab::network::HashRateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[must_use]
pub struct HashRate(Option<f64>);

impl HashRate {
    /// As many attempts as can be made: a thread's as fast as it goes, a simulated node's 1,000,000 a second.
    pub const UNLIMITED: Self = Self(None);

    /// Makes a rate of so many attempts a second. A node does not start mining at 0: it would find nothing, and whoever
    /// waits for a block would wait for ever.
    ///
    /// # Errors
    ///
    /// If the number is below 0, infinite, or none.
    pub fn per_second(attempts: f64) -> Result<Self, HashRateError> {
        match attempts.is_finite() && attempts >= 0.0 {
            true => Ok(Self(Some(attempts))),
            false => Err(HashRateError { attempts_per_second: attempts }),
        }
    }

    /// Returns the attempts a second, nothing if they are unlimited.
    pub const fn attempts_per_second(self) -> Option<f64> {
        self.0
    }
}

/// A number of attempts a second that is below 0, infinite, or none.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("a hash rate of {attempts_per_second} attempts a second: it is a finite number from 0")]
pub struct HashRateError {
    /// What was given.
    pub attempts_per_second: f64,
}
