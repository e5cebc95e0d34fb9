//! Documents: JSON as Python writes it, and reading it back with errors that name the place and the value.
//!
//! What is written here is what `json.dumps(document, sort_keys=True)` gives, to the byte; a block's hash depends on
//! it. What is read is as Python reads it too: of a key that stands twice the last counts, and a number without point
//! and exponent is an integer. What the library's types cannot hold is refused.

mod canonical;
mod checked;
mod error;
mod read;
mod scan;
mod write;

pub(crate) use canonical::{HashedText, Text, push_float, push_hash, push_number, push_string, whole_micros};
pub(crate) use checked::checked;
pub use error::{DocumentError, Place};
pub(crate) use read::{Read, array, deserialize_raw, object, read, string, taken, unexpected, whole_number};
pub(crate) use scan::Scanner;
pub(crate) use write::{python_float, to_json};
