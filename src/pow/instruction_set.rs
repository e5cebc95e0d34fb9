//! Which instructions the search runs on.

use std::fmt;

use multiversion::{multiversion, target::match_target};

/// A way to hash candidates, by the instructions that it needs.
///
/// All find the same proofs. A [`Search`](super::Search) takes the fastest that the CPU has; the others are for
/// measuring them beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// Sixteen candidates at a time, or twice sixteen by turns, with the 512-bit vectors of x86-64, from Intel's Ice
    /// Lake and AMD's Zen 4 on. Older CPUs slow down when they use these; there they are chosen only in a build with
    /// `RUSTFLAGS="--cfg multiversion_allow_slow_avx512"` and without `--target`.
    Avx512,
    /// Eight candidates at a time with the 256-bit vectors of x86-64.
    Avx2,
    /// One candidate at a time through the sha2 crate, with the SHA instructions of x86-64 or AArch64.
    Sha,
    /// As many candidates at a time as the vectors hold that every CPU of the architecture has: four with SSE2 or
    /// NEON.
    Baseline,
}

impl InstructionSet {
    /// Returns those that this CPU has, the fastest first.
    ///
    /// The order is measured on one x86-64 CPU (`benches/proof_of_work.md`). On AArch64 it is an assumption: that the
    /// SHA instructions, which do four rounds each, beat NEON's four lanes, which have neither rotations nor three-way
    /// logic.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::Avx512, Self::Avx2, Self::Sha, Self::Baseline].into_iter().filter(|set| set.is_available())
    }

    fn is_available(&self) -> bool {
        match self {
            Self::Avx512 => has_avx512(),
            Self::Avx2 => has_avx2(),
            Self::Sha => has_sha(),
            Self::Baseline => true,
        }
    }
}

// These ask as the search's own dispatch does, for the same names: multiversion takes AVX-512 to mean Ice Lake's.

#[multiversion(targets("x86_64+avx512f"))]
fn has_avx512() -> bool {
    match_target! { "x86_64+avx512f" => true, _ => false }
}

#[multiversion(targets("x86_64+avx2"))]
fn has_avx2() -> bool {
    match_target! { "x86_64+avx2" => true, _ => false }
}

#[multiversion(targets("x86_64+sha", "aarch64+sha2"))]
fn has_sha() -> bool {
    match_target! { "x86_64+sha" | "aarch64+sha2" => true, _ => false }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Sha => "SHA instructions",
            Self::Baseline => "baseline",
        })
    }
}

/// Returns what a search runs on here: the fastest [`InstructionSet`] that this CPU has.
pub fn instruction_set() -> InstructionSet {
    InstructionSet::available().next().expect("every CPU has the baseline")
}
