//! What is wrong with a document, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is no document of the kind that was asked for; it says where and names the value.
///
/// It is no verdict on a chain: what does not parse was never judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is not JSON, or holds more than JSON's types (a lone surrogate, a number out of range).
    #[error("{place}: not JSON: {message}")]
    NotJson {
        /// Where it was found.
        place: Place,
        /// What the JSON reader says, with line and column within that place.
        message: String,
    },
    /// Fields are missing; the notebook answers "Missing values".
    #[error("{place}: missing values: {}", .fields.join(", "))]
    Missing {
        /// Where they are missing.
        place: Place,
        /// The names of all that are missing.
        fields: Vec<Box<str>>,
    },
    /// A field that has no place there.
    #[error("{place}: unknown field \"{field}\"")]
    UnknownField {
        /// Where it was found.
        place: Place,
        /// The field's name, its first 80 characters.
        field: String,
    },
    /// A field's value has the wrong type or is out of range.
    #[error("{place}: field \"{field}\": expected {expected}, found {found}")]
    Value {
        /// Where it was found.
        place: Place,
        /// The field's name.
        field: Box<str>,
        /// What the field takes.
        expected: Box<str>,
        /// The JSON that stands there, its first 80 characters.
        found: String,
    },
    /// A list of blocks where a chain's document is expected.
    #[error(
        "the document is a list, not an object with \"chain\" and \"length\": a list of blocks is read by itself, and verified by Blockchain::from_blocks"
    )]
    BareList,
    /// A chain without a single block.
    #[error("the chain is empty; the first block is always there")]
    EmptyChain,
    /// The stated length is not the chain's.
    #[error("the document says length {stated}, but its chain has {actual} blocks")]
    Length {
        /// The document's `length`.
        stated: u64,
        /// The number of blocks in its `chain`.
        actual: u64,
    },
}

/// Where in a document something was found; positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    /// The block's position in the chain, if the document is a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// The transaction's position in its list, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.block, self.transaction) {
            (None, None) => f.write_str("document"),
            (Some(block), None) => write!(f, "block {block}"),
            (None, Some(transaction)) => write!(f, "transaction {transaction}"),
            (Some(block), Some(transaction)) => write!(f, "block {block}, transaction {transaction}"),
        }
    }
}

impl DocumentError {
    /// Says in which block of a chain it was found.
    pub(crate) fn in_block(mut self, position: u64) -> Self {
        if let Some(place) = self.place_mut() {
            place.block = Some(position);
        }
        self
    }

    /// Says in which transaction of a list it was found.
    pub(crate) fn in_transaction(mut self, position: u64) -> Self {
        if let Some(place) = self.place_mut() {
            place.transaction = Some(position);
        }
        self
    }

    fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::NotJson { place, .. }
            | Self::Missing { place, .. }
            | Self::UnknownField { place, .. }
            | Self::Value { place, .. } => Some(place),
            Self::BareList | Self::EmptyChain | Self::Length { .. } => None,
        }
    }
}
