//! Saving a network to a directory, and loading it.
//!
//! A save writes everything anew beside what is there, and has it flushed to the disk; then a single rename makes it
//! the current one. So whoever loads finds the one or the other, never a mixture, wherever a save was cut off. What
//! lies where in the directory, [`Network::save`](super::Network::save) tells; the names are in `layout`, and every
//! access to the file system in `files`.

mod error;
mod files;
mod layout;
mod read;
mod write;

pub use error::{FileError, LoadError, SaveError};
