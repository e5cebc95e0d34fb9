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
            false => Err(HashRateError::PerSecond { attempts_per_second: attempts }),
        }
    }

    /// Returns a share of this rate. If this is that of all nodes together, for which
    /// [`Rules::paced_for`](crate::Rules::paced_for) sets the first target, the share is a node's part of the whole.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{Rules, Simulation, network::HashRate, wire::Topology};
    ///
    /// let whole = HashRate::per_second(1e18)?;
    /// let simulation = Simulation::new(Rules::bitcoin().paced_for(1e18), 42);
    /// for share in [0.1, 0.3, 0.6] {
    ///     let node = simulation.spawn()?;
    ///     simulation.start_mining(node, whole.share(share)?)?;
    /// }
    /// simulation.join(&Topology::Complete)?;
    /// simulation.run_for(Duration::from_secs(30 * 86_400));
    /// let most = simulation.report().nodes[2].mined;
    /// assert!((2200..3000).contains(&most), "{most} of some 4,320 blocks");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the share is below 0, above 1, or none; or if the rate is unlimited, which has no number.
    pub fn share(self, share: f64) -> Result<Self, HashRateError> {
        match self.0 {
            Some(whole) if (0.0..=1.0).contains(&share) => Self::per_second(whole * share),
            Some(_) => Err(HashRateError::Share { share }),
            None => Err(HashRateError::ShareOfUnlimited { share }),
        }
    }

    /// Returns the attempts a second, nothing if they are unlimited.
    pub const fn attempts_per_second(self) -> Option<f64> {
        self.0
    }
}

/// A number that makes no hash rate.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum HashRateError {
    /// A number of attempts a second that is below 0, infinite, or none.
    #[error("a hash rate of {attempts_per_second} attempts a second: it is a finite number from 0")]
    PerSecond {
        /// What was given.
        attempts_per_second: f64,
    },
    /// A share that is below 0, above 1, or none.
    #[error("a share of {share} of a hash rate: it is a number from 0 to 1")]
    Share {
        /// What was given.
        share: f64,
    },
    /// A share of as many attempts as can be made.
    #[error("a share of {share} of an unlimited hash rate: how much that is depends on the machine")]
    ShareOfUnlimited {
        /// What was given.
        share: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_a_number_and_from_0_to_1() {
        let whole = HashRate::per_second(500.0).unwrap();
        for (share, attempts) in [(0.0, 0.0), (0.25, 125.0), (1.0, 500.0)] {
            assert_eq!(whole.share(share).unwrap().attempts_per_second(), Some(attempts));
        }
        for share in [-0.1, 1.1, f64::INFINITY] {
            assert_eq!(whole.share(share), Err(HashRateError::Share { share }));
        }
        let error = whole.share(f64::NAN).unwrap_err();
        assert_eq!(error.to_string(), "a share of NaN of a hash rate: it is a number from 0 to 1");
        let error = HashRate::UNLIMITED.share(0.5).unwrap_err();
        assert_eq!(error, HashRateError::ShareOfUnlimited { share: 0.5 });
    }
}
