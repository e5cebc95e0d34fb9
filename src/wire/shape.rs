//! What latencies there can be, and how a document tells of them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{document::checked, time::seconds};

/// How a latency is drawn, and by which numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Shape {
    Fixed {
        #[serde(rename = "seconds", with = "seconds")]
        latency: Duration,
    },
    #[serde(deserialize_with = "read_uniform")]
    Uniform {
        #[serde(rename = "min_seconds", with = "seconds")]
        min: Duration,
        #[serde(rename = "max_seconds", with = "seconds")]
        max: Duration,
    },
    Normal {
        #[serde(rename = "mean_seconds", with = "seconds")]
        mean: Duration,
        #[serde(rename = "standard_deviation_seconds", with = "seconds")]
        standard_deviation: Duration,
    },
    LogNormal {
        #[serde(rename = "median_seconds", with = "seconds")]
        median: Duration,
        #[serde(deserialize_with = "read_sigma")]
        sigma: f64,
    },
    Exponential {
        #[serde(rename = "mean_seconds", with = "seconds")]
        mean: Duration,
    },
    Pareto {
        #[serde(rename = "minimum_seconds", with = "seconds")]
        minimum: Duration,
        #[serde(deserialize_with = "read_shape")]
        shape: f64,
    },
}

impl Shape {
    /// Returns it as it is kept, if its numbers can be.
    pub(super) fn checked(self) -> Result<Self, LatencyError> {
        match self {
            Self::Uniform { min, max } => check_uniform((min, max)).map(|_| self),
            Self::LogNormal { median, sigma } => {
                check_sigma(sigma).map(|sigma| Self::LogNormal { median, sigma })
            }
            Self::Pareto { shape, .. } => check_shape(shape).map(|_| self),
            Self::Fixed { .. } | Self::Normal { .. } | Self::Exponential { .. } => Ok(self),
        }
    }
}

fn check_uniform((min, max): (Duration, Duration)) -> Result<(Duration, Duration), LatencyError> {
    if min <= max { Ok((min, max)) } else { Err(LatencyError::Uniform { min, max }) }
}

fn check_sigma(sigma: f64) -> Result<f64, LatencyError> {
    // The sum turns a negative zero into zero.
    if sigma.is_finite() && sigma >= 0.0 { Ok(sigma + 0.0) } else { Err(LatencyError::Sigma { sigma }) }
}

fn check_shape(shape: f64) -> Result<f64, LatencyError> {
    if shape.is_finite() && shape > 0.0 { Ok(shape) } else { Err(LatencyError::Shape { shape }) }
}

fn read_uniform<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Duration, Duration), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        #[serde(with = "seconds")]
        min_seconds: Duration,
        #[serde(with = "seconds")]
        max_seconds: Duration,
    }
    checked(deserializer, |Fields { min_seconds, max_seconds }| check_uniform((min_seconds, max_seconds)))
}

fn read_sigma<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, check_sigma)
}

fn read_shape<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, check_shape)
}

/// A latency that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LatencyError {
    /// The least latency is more than the greatest.
    #[error("a uniform latency from {min:?} to {max:?} is from more to less")]
    Uniform {
        /// The least latency.
        min: Duration,
        /// The greatest latency.
        max: Duration,
    },
    /// The spread of a log-normal latency is negative, infinite or not a number.
    #[error("the sigma of a log-normal latency is {sigma}, not a finite number from zero up")]
    Sigma {
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// The shape of a Pareto latency is zero, negative, infinite or not a number.
    #[error("the shape of a Pareto latency is {shape}, not a finite number above zero")]
    Shape {
        /// The exponent of the tail.
        shape: f64,
    },
}
