//! Guides: what takes more than one item of the library to tell.

#[doc = include_str!("sweeps.md")]
pub mod sweeps {}
