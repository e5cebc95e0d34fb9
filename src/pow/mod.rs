//! The proof of work: targets, work, and the search for a proof at the hardware's limit.
//!
//! This module knows numbers and bytes, not chains. A [`Challenge`] is what a proof is sought for, by one of three
//! rules; a [`Target`] says how small the hash must be; a [`Search`] tries the candidates 0, 1, 2, ... in order, for
//! a budget of attempts at a time, and finds the smallest proof. [`Work`] is what a proof is worth.
//!
//! ```
//! use chainlab::pow::{Challenge, Search, Target, proof_of_work, valid_proof};
//!
//! // Four hex zeros, as in the notebook.
//! let target = Target::leading_zero_bits(16);
//! let proof = proof_of_work(100, target)?;
//! assert_eq!(proof, 35293);
//! assert!(valid_proof(100, proof, target));
//!
//! // The same, a slice of attempts at a time.
//! let mut search = Search::new(Challenge::LastProof { last_proof: 100 }, target);
//! let mut slices = 1;
//! while search.run(1_000)?.is_none() {
//!     slices += 1;
//! }
//! assert_eq!((slices, search.attempts()), (36, 35_294));
//! # Ok::<(), chainlab::pow::Exhausted>(())
//! ```
//!
//! The search is ordinary Rust that the compiler turns into vector instructions, for each [`InstructionSet`] once.
//! So it needs optimisation: `opt-level` 2 or 3, for debug builds with `[profile.dev.package.chainlab]` in one's own
//! manifest. It does not need `-C target-cpu=native`, which makes the compiler prefer vectors of half the width.
//! `cargo run --release --example hash_rate` shows how fast it is here.

mod challenge;
mod instruction_set;
mod run;
mod scan;
mod search;
mod sha256;
mod target;
mod work;

pub use challenge::Challenge;
pub use instruction_set::{InstructionSet, instruction_set};
pub use search::{Exhausted, Search, proof_of_work, valid_proof};
pub use target::{ParseTargetError, Target};
pub use work::Work;
