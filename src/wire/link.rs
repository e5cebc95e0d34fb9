//! The setting of one directed link.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::Latency;

/// What a directed link is like: its latency, bandwidth, loss, and whether it keeps order.
///
/// The default link is perfect: no latency, unlimited bandwidth, no loss, in order. A link is valid once made, and
/// reads and writes documents with serde; what a document leaves out is as in the default link.
///
/// ```
/// use std::time::Duration;
/// use chainlab::wire::{Latency, Link};
///
/// let link = Link::default()
///     .with_latency(Latency::fixed(Duration::from_millis(40)))
///     .with_bandwidth(1_250_000)?    // ten megabits a second
///     .with_loss(0.01)?;
/// assert!(link.is_ordered());
/// assert_eq!(link.with_loss(1.5).unwrap_err().to_string(), "the loss is 1.5, not a probability from 0 to 1");
/// # Ok::<(), chainlab::wire::LinkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct Link {
    latency: Latency,
    bandwidth: Option<NonZeroU64>,
    loss: Probability,
    ordered: bool,
}

impl Link {
    /// Returns the link with another latency.
    pub const fn with_latency(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    /// Returns the link with a bandwidth, in bytes a second.
    ///
    /// Messages queue: each is written out when those before it are, and takes its length over the bandwidth. The
    /// queue has no end; who sends more than the link carries waits ever longer.
    ///
    /// # Errors
    ///
    /// If it is zero: nothing would ever arrive.
    pub fn with_bandwidth(self, bytes_per_second: u64) -> Result<Self, LinkError> {
        let bandwidth = NonZeroU64::new(bytes_per_second).ok_or(LinkError::Bandwidth)?;
        Ok(Self { bandwidth: Some(bandwidth), ..self })
    }

    /// Returns the link without a limit to its bandwidth.
    pub const fn with_unlimited_bandwidth(self) -> Self {
        Self { bandwidth: None, ..self }
    }

    /// Returns the link with a loss: the probability, from 0 to 1, that a message is lost, each by itself.
    ///
    /// # Errors
    ///
    /// If it is below 0, above 1, or not a number.
    pub fn with_loss(self, probability: f64) -> Result<Self, LinkError> {
        Ok(Self { loss: probability.try_into()?, ..self })
    }

    /// Returns the link with or without order.
    ///
    /// A link that keeps order delivers a message no earlier than those sent before it over the same directed link, as
    /// TCP does; a late message makes those behind it late. A link without order delivers each when it is there, as UDP
    /// does.
    pub const fn with_order(self, ordered: bool) -> Self {
        Self { ordered, ..self }
    }

    /// Returns how long a message is under way.
    pub const fn latency(&self) -> Latency {
        self.latency
    }

    /// Returns the bandwidth in bytes a second, nothing if it is unlimited.
    pub fn bandwidth(&self) -> Option<u64> {
        self.bandwidth.map(NonZeroU64::get)
    }

    /// Returns the probability that a message is lost.
    pub const fn loss(&self) -> f64 {
        self.loss.0
    }

    /// Tells whether anything is drawn for a message.
    pub(crate) fn draws(&self) -> bool {
        self.loss() > 0.0 || self.latency.steady_nanos().is_none()
    }

    /// Tells whether messages arrive in the order in which they were sent.
    pub const fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// Tells whether the link delivers everything at once and in order.
    pub fn is_perfect(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Link {
    /// Makes a perfect link.
    fn default() -> Self {
        Self { latency: Latency::ZERO, bandwidth: None, loss: Probability(0.0), ordered: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
struct Probability(f64);

impl TryFrom<f64> for Probability {
    type Error = LinkError;

    fn try_from(loss: f64) -> Result<Self, LinkError> {
        // The sum turns a negative zero into zero.
        if (0.0..=1.0).contains(&loss) { Ok(Self(loss + 0.0)) } else { Err(LinkError::Loss { loss }) }
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

/// A link that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The bandwidth is zero.
    #[error("the bandwidth is 0 bytes a second: nothing would ever arrive")]
    Bandwidth,
    /// The loss is no probability.
    #[error("the loss is {loss}, not a probability from 0 to 1")]
    Loss {
        /// What was given.
        loss: f64,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_default_is_perfect_and_nothing_else_is() {
        let link = Link::default();
        assert!(link.is_perfect());
        assert!(!link.with_order(false).is_perfect());
        assert!(!link.with_loss(1e-9).unwrap().is_perfect());
        assert!(!link.with_bandwidth(u64::MAX).unwrap().is_perfect());
        assert!(link.with_bandwidth(1).unwrap().with_unlimited_bandwidth().is_perfect());
    }

    #[test]
    fn bad_values_are_named() {
        assert_eq!(Link::default().with_bandwidth(0), Err(LinkError::Bandwidth));
        for loss in [-0.1, 1.000_001, f64::INFINITY] {
            assert_eq!(Link::default().with_loss(loss), Err(LinkError::Loss { loss }));
        }
        assert!(Link::default().with_loss(f64::NAN).unwrap_err().to_string().contains("NaN"));
        assert!(Link::default().with_loss(0.0).unwrap().with_loss(1.0).is_ok());
        assert!(Link::default().with_loss(-0.0).unwrap().loss().is_sign_positive());
        let even = Latency::log_normal(Duration::from_millis(1), -0.0).unwrap();
        assert!(serde_json::to_string(&even).unwrap().contains("\"sigma\":0.0"));
    }

    #[test]
    fn documents_are_checked_like_everything_else() {
        let read = |text: &str| serde_json::from_str::<Link>(text).map_err(|error| error.to_string());
        assert_eq!(read("{}"), Ok(Link::default()));
        let link = Link::default().with_loss(0.1).unwrap().with_bandwidth(5).unwrap().with_order(false);
        assert_eq!(read(r#"{"bandwidth":5,"loss":0.1,"ordered":false}"#), Ok(link));
        assert_eq!(read(&serde_json::to_string(&link).unwrap()), Ok(link));
        assert!(read(r#"{"loss":2.0}"#).unwrap_err().contains("the loss is 2"));
        assert!(read(r#"{"bandwidth":0}"#).is_err());
        assert!(read(r#"{"lost":0.5}"#).is_err());
    }
}
