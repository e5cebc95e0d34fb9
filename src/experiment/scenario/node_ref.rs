//! A node, as a scenario names it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

use crate::text::shortened;

/// A node of a scenario, by its number, counted from 0, or by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NodeRef {
    /// By its number.
    Number(u64),
    /// By its name.
    Name(String),
}

impl<'de> Deserialize<'de> for NodeRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;

        impl Visitor<'_> for NumberOrName {
            type Value = NodeRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node's number or its name")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<NodeRef, E> {
                Ok(NodeRef::Number(number))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<NodeRef, E> {
                Ok(name.into())
            }
        }

        // Serde's own for untagged values names no value that is neither.
        deserializer.deserialize_any(NumberOrName)
    }
}

impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "node {number}"),
            Self::Name(name) => write!(f, "node {:?}", shortened(name)),
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
