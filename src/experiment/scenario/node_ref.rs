//! A node, as a scenario names it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A node of a scenario, by its number, counted from 0, or by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a node's number or its name")]
pub enum NodeRef {
    /// By its number.
    Number(u64),
    /// By its name.
    Name(String),
}

impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "node {number}"),
            Self::Name(name) => write!(f, "node {name:?}"),
        }
    }
}

impl From<u64> for NodeRef {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for NodeRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}
