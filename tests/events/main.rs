//! Events as documents and as text: every variant there and back, the lines' format, and what a person reads.

mod any;
#[path = "../golden/mod.rs"]
mod golden;
mod lines;
mod text;
