//! Fields that are checked as they are read, so that an error stands at the place of the very field.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a value, and returns what a check makes of it.
pub(crate) fn checked<'de, D: Deserializer<'de>, T: Deserialize<'de>, U, E: Display>(
    deserializer: D,
    check: impl FnOnce(T) -> Result<U, E>,
) -> Result<U, D::Error> {
    check(T::deserialize(deserializer)?).map_err(D::Error::custom)
}
