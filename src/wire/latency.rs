//! Latency: how long a message is under way, beside the time that it takes to be written out.

use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{
    draw::{Key, Purpose},
    shape::{LatencyError, Shape},
};
use crate::message::NodeId;

/// How long a message is under way: always the same, or drawn anew for each message.
///
/// A latency is valid once made. It is drawn in whole nanoseconds. What is longer than 584 years counts as that: a
/// [`Time`](crate::Time) ends sooner.
///
/// The same draw is the same number on every machine: logarithms, exponentials and powers are `libm`'s, as those of the
/// standard library differ in the last bit between processors with and without a fused multiply-add.
///
/// ```
/// use std::time::Duration;
/// use chainlab::wire::Latency;
///
/// let ms = Duration::from_millis;
/// let across_the_ocean = Latency::normal(ms(75), ms(5));
/// let a_long_tail = Latency::log_normal(ms(60), 0.8)?;
/// assert_eq!(
///     Latency::uniform(ms(20), ms(10)).unwrap_err().to_string(),
///     "a uniform latency from 20ms to 10ms is from more to less",
/// );
/// # Ok::<(), chainlab::wire::LatencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Shape", into = "Shape")]
#[must_use]
pub struct Latency(Shape);

impl Latency {
    /// No latency at all.
    pub const ZERO: Self = Self(Shape::Fixed { latency: Duration::ZERO });

    /// Makes a latency that is the same for every message.
    pub const fn fixed(latency: Duration) -> Self {
        Self(Shape::Fixed { latency })
    }

    /// Makes a latency drawn evenly from `min` to `max`, both included.
    ///
    /// Its mean is `(min + max) / 2`.
    ///
    /// # Errors
    ///
    /// If `min` is more than `max`.
    pub fn uniform(min: Duration, max: Duration) -> Result<Self, LatencyError> {
        Shape::Uniform { min, max }.try_into()
    }

    /// Makes a latency drawn from the normal distribution, cut at zero: what is drawn below zero counts as zero.
    ///
    /// With m the mean and s the standard deviation that are given, the mean of the latencies is
    /// `m Φ(m/s) + s φ(m/s)`, Φ and φ being the distribution and the density of the standard normal distribution: m
    /// within a thousandth where m is at least 2.7 s, and `s / √(2π)` where m is zero.
    pub const fn normal(mean: Duration, standard_deviation: Duration) -> Self {
        Self(Shape::Normal { mean, standard_deviation })
    }

    /// Makes a latency whose logarithm is normally distributed: `median · exp(sigma · z)`, z standard normal.
    ///
    /// Half of the messages take longer than `median`. `sigma` is the standard deviation of the natural logarithm, a
    /// number without a unit: the 84th percentile is `median · exp(sigma)`. The mean is `median · exp(sigma² / 2)`.
    ///
    /// # Errors
    ///
    /// If `sigma` is negative, infinite or not a number.
    pub fn log_normal(median: Duration, sigma: f64) -> Result<Self, LatencyError> {
        Shape::LogNormal { median, sigma }.try_into()
    }

    /// Makes a latency drawn from the exponential distribution: it exceeds t with probability `exp(-t / mean)`.
    pub const fn exponential(mean: Duration) -> Self {
        Self(Shape::Exponential { mean })
    }

    /// Makes a latency drawn from the Pareto distribution: it is never below `minimum`, and exceeds t with probability
    /// `(minimum / t)^shape`.
    ///
    /// The mean is `minimum · shape / (shape - 1)`, and infinite if `shape` is at most 1; the variance is infinite if
    /// it is at most 2.
    ///
    /// # Errors
    ///
    /// If `shape` is zero, negative, infinite or not a number.
    pub fn pareto(minimum: Duration, shape: f64) -> Result<Self, LatencyError> {
        Shape::Pareto { minimum, shape }.try_into()
    }

    /// Returns the fixed latency of the links between two nodes, in both directions: drawn from this one once, by a seed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use chainlab::{NodeId, wire::Latency};
    ///
    /// let [alice, bob] = [0, 1].map(NodeId::new);
    /// let latency = Latency::uniform(Duration::from_millis(50), Duration::from_millis(150))?;
    /// assert_eq!(latency.drawn_once(7, alice, bob), latency.drawn_once(7, bob, alice));
    /// assert_ne!(latency.drawn_once(7, alice, bob), latency.drawn_once(8, alice, bob));
    /// # Ok::<(), chainlab::wire::LatencyError>(())
    /// ```
    pub fn drawn_once(&self, seed: u64, one: NodeId, other: NodeId) -> Self {
        let [low, high] = [one.min(other), one.max(other)].map(|node| node.index() as u64);
        let key = Key::new(seed).and(Purpose::FixedLatency as u64).and(low << 32 | high);
        Self::fixed(Duration::from_nanos(self.draw(key)))
    }

    /// Returns the latency in nanoseconds, if it is always the same.
    pub(crate) fn steady_nanos(&self) -> Option<u64> {
        match self.0 {
            Shape::Fixed { latency } => Some(nanos(latency)),
            _ => None,
        }
    }

    /// Draws the latency of one message, in nanoseconds.
    #[inline]
    pub(crate) fn draw(&self, key: Key) -> u64 {
        match self.0 {
            Shape::Fixed { latency } => nanos(latency),
            shape => shape.draw(key),
        }
    }
}

impl Default for Latency {
    /// Makes the latency zero.
    fn default() -> Self {
        Self::ZERO
    }
}

impl Shape {
    fn draw(self, key: Key) -> u64 {
        // A conversion from a float to an integer stops at the ends, and makes zero of what is not a number, such as
        // zero times infinity.
        let nanos_as_float = |duration| nanos(duration) as f64;
        match self {
            Self::Fixed { latency } => nanos(latency),
            Self::Uniform { min, max } => key.generator().random_range(nanos(min)..=nanos(max)),
            Self::Normal { mean, standard_deviation } => {
                (nanos_as_float(mean) + nanos_as_float(standard_deviation) * key.normal()).round() as u64
            }
            Self::LogNormal { median, sigma } => {
                (nanos_as_float(median) * libm::exp(sigma * key.normal())).round() as u64
            }
            Self::Exponential { mean } => (nanos_as_float(mean) * key.exponential()).round() as u64,
            Self::Pareto { minimum, shape } => {
                (nanos_as_float(minimum) * libm::exp(key.exponential() / shape)).round() as u64
            }
        }
    }
}

impl TryFrom<Shape> for Latency {
    type Error = LatencyError;

    fn try_from(shape: Shape) -> Result<Self, LatencyError> {
        shape.checked().map(Self)
    }
}

impl From<Latency> for Shape {
    fn from(latency: Latency) -> Self {
        latency.0
    }
}

/// The nanoseconds of a duration, at most what a [`Time`](crate::Time) holds.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DRAWS: usize = 100_000;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Draws many latencies, in milliseconds, sorted.
    fn sample(latency: Latency) -> Vec<f64> {
        let mut draws: Vec<f64> =
            (0..DRAWS).map(|count| latency.draw(Key::new(11).and(count as u64)) as f64 / 1e6).collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    fn mean(draws: &[f64]) -> f64 {
        draws.iter().sum::<f64>() / draws.len() as f64
    }

    /// Checks the share of the draws at or below each value: its standard error is at most 0.0016, four are allowed.
    fn assert_distribution(draws: &[f64], distribution: impl Fn(f64) -> f64) {
        for share in [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999] {
            let value = draws[(share * DRAWS as f64) as usize];
            let expected = distribution(value);
            assert!((expected - share).abs() < 0.0064, "{share} at {value} ms, expected {expected}");
        }
    }

    /// Checks a mean, allowing five times the given standard deviation of one draw over the root of their number.
    fn assert_mean(draws: &[f64], expected: f64, standard_deviation: f64) {
        let (found, tolerance) = (mean(draws), 5.0 * standard_deviation / (DRAWS as f64).sqrt());
        assert!((found - expected).abs() < tolerance, "mean {found} ms, expected {expected} ± {tolerance}");
    }

    #[test]
    fn fixed_latencies_are_all_the_same() {
        let draws = sample(Latency::fixed(ms(40)));
        assert_eq!((draws[0], draws[DRAWS - 1]), (40.0, 40.0));
        assert_eq!(Latency::fixed(Duration::MAX).draw(Key::new(0)), u64::MAX);
    }

    #[test]
    fn uniform_latencies_fill_their_range() {
        let draws = sample(Latency::uniform(ms(10), ms(30)).unwrap());
        assert!(draws[0] >= 10.0 && draws[DRAWS - 1] <= 30.0);
        assert_distribution(&draws, |value| (value - 10.0) / 20.0);
        assert_mean(&draws, 20.0, 20.0 / 12_f64.sqrt());
        assert_eq!(Latency::uniform(ms(7), ms(7)).unwrap().draw(Key::new(0)), 7_000_000);
        Latency::uniform(Duration::ZERO, Duration::MAX).unwrap().draw(Key::new(0));
    }

    #[test]
    fn normal_latencies_have_the_quantiles_of_tables() {
        let draws = sample(Latency::normal(ms(100), ms(10)));
        assert_mean(&draws, 100.0, 10.0);
        // One in a thousand, a hundred, forty, ten are below the mean by so many standard deviations.
        for (share, deviations) in [(0.001, 3.0902), (0.01, 2.3263), (0.025, 1.9600), (0.1, 1.2816)] {
            for (share, value) in
                [(share, 100.0 - 10.0 * deviations), (1.0 - share, 100.0 + 10.0 * deviations)]
            {
                let found = draws.partition_point(|&draw| draw <= value) as f64 / DRAWS as f64;
                let tolerance = 5.0 * (share * (1.0 - share) / DRAWS as f64).sqrt();
                assert!((found - share).abs() < tolerance, "{found} are below {value} ms, expected {share}");
            }
        }
    }

    #[test]
    fn normal_latencies_are_cut_at_zero() {
        let draws = sample(Latency::normal(Duration::ZERO, ms(10)));
        let zeros = draws.partition_point(|&draw| draw <= 0.0) as f64 / DRAWS as f64;
        assert!((zeros - 0.5).abs() < 0.008, "{zeros}");
        // The rectified normal distribution: mean s / √(2π), variance s² (1/2 - 1/(2π)).
        let tau = std::f64::consts::TAU;
        assert_mean(&draws, 10.0 / tau.sqrt(), 10.0 * (0.5 - 1.0 / tau).sqrt());
    }

    #[test]
    fn log_normal_latencies_follow_their_median_and_sigma() {
        let (median, sigma) = (60.0, 0.8_f64);
        let draws = sample(Latency::log_normal(ms(60), sigma).unwrap());
        let mean = median * (sigma * sigma / 2.0).exp();
        assert_mean(&draws, mean, mean * (sigma * sigma).exp_m1().sqrt());
        for (deviations, share) in [(0.0_f64, 0.5), (1.0, 0.841_345), (-1.0, 0.158_655), (2.0, 0.977_25)] {
            let value = median * (sigma * deviations).exp();
            let found = draws.partition_point(|&draw| draw <= value) as f64 / DRAWS as f64;
            assert!((found - share).abs() < 0.0064, "{found} are below {value} ms, expected {share}");
        }
    }

    #[test]
    fn exponential_latencies_follow_their_mean() {
        let draws = sample(Latency::exponential(ms(50)));
        assert_mean(&draws, 50.0, 50.0);
        assert_distribution(&draws, |value| -(-value / 50.0).exp_m1());
    }

    #[test]
    fn pareto_latencies_follow_their_minimum_and_shape() {
        let draws = sample(Latency::pareto(ms(20), 3.0).unwrap());
        assert!(draws[0] >= 20.0);
        assert_mean(&draws, 30.0, 20.0 * (3.0_f64 / 4.0).sqrt());
        assert_distribution(&draws, |value| 1.0 - (20.0 / value).powi(3));
    }

    #[test]
    fn bad_parameters_are_named() {
        let error = |made: Result<Latency, LatencyError>| made.unwrap_err().to_string();
        assert_eq!(
            error(Latency::log_normal(ms(1), -0.5)),
            "the sigma of a log-normal latency is -0.5, not a finite number from zero up"
        );
        assert_eq!(
            error(Latency::pareto(ms(1), 0.0)),
            "the shape of a Pareto latency is 0, not a finite number above zero"
        );
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            assert!(Latency::log_normal(ms(1), bad).is_err());
            assert!(Latency::pareto(ms(1), bad).is_err());
        }
        assert!(Latency::log_normal(ms(1), 0.0).is_ok());
    }

    #[test]
    fn documents_are_checked_like_everything_else() {
        let text = r#"{"uniform":{"min_seconds":5e-9,"max_seconds":1.0}}"#;
        let latency: Latency = serde_json::from_str(text).unwrap();
        assert_eq!(latency, Latency::uniform(Duration::from_nanos(5), ms(1000)).unwrap());
        assert_eq!(serde_json::to_string(&latency).unwrap(), text);
        let text = r#"{"pareto":{"minimum_seconds":5e-9,"shape":-2.5}}"#;
        let error = serde_json::from_str::<Latency>(text).unwrap_err().to_string();
        assert!(error.contains("is -2.5"), "{error}");
        for (text, wrong) in [
            (r#"{"fixed":{"second":1}}"#, "`second`"),
            (r#"{"fix":{"seconds":1}}"#, "`fix`"),
            (r#"{"uniform":{"min_seconds":1,"maximum_seconds":1}}"#, "`maximum_seconds`"),
            (r#"{"normal":{"mean_seconds":1}}"#, "`standard_deviation_seconds`"),
            (r#"{"log_normal":{"median_seconds":1,"sigma":1,"mean_seconds":1}}"#, "`mean_seconds`"),
            (r#"{"exponential":{"mean_seconds":1,"shape":1}}"#, "`shape`"),
        ] {
            let error = serde_json::from_str::<Latency>(text).unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_valid_latency_panics(
            a: Duration,
            b: Duration,
            positive in prop_oneof![f64::MIN_POSITIVE..10.0, Just(5e-324), Just(f64::MAX)],
            key: u64,
        ) {
            let latencies = [
                Latency::fixed(a),
                Latency::uniform(a.min(b), a.max(b)).unwrap(),
                Latency::normal(a, b),
                Latency::log_normal(a, positive).unwrap(),
                Latency::exponential(a),
                Latency::pareto(a, positive).unwrap(),
            ];
            for latency in latencies {
                let draw = latency.draw(Key::new(key));
                prop_assert_eq!(draw, latency.draw(Key::new(key)), "the same key draws the same");
            }
        }
    }
}
