//! The search's hot loop: the first words of the hashes of many consecutive candidates.
//!
//! One source for every instruction set. LLVM's loop vectoriser widens the scalar SHA-256 of `sha256.rs` over the
//! candidates of a batch and moves out of the loop what is the same for all of them: the leading rounds, and much of
//! the message schedule.
//!
//! - The results go to a buffer first, because a reduction in the hot loop makes LLVM interleave many copies of it and
//!   spill.
//! - The loop calls nothing, or it would not be vectorised: no iterators and no closures, which not every build profile
//!   inlines.
//! - The vectors are 512 bits wide only where the code is compiled for AVX-512 at run time, because with
//!   `-C target-cpu=native` LLVM prefers 256 bits.

use std::{array::from_fn, ops::Range};

use multiversion::{multiversion, target::match_target};

use super::{
    InstructionSet,
    run::{Digits, LONGEST, Place, Run},
    sha256::{INITIAL, add, rounds},
};

/// Consecutive candidates of one stream: a multiple of 16 lanes.
const STRETCH: usize = 80;

/// The texts "0000" to "9999" as big-endian words, and some that are no texts.
static DIGITS: [u32; LONGEST] = {
    const { assert!(LONGEST.is_multiple_of(2 * STRETCH), "a batch of two streams goes past the end") };
    let mut words = [0; LONGEST];
    let mut i = 0;
    while i < words.len() {
        let n = i as u32;
        words[i] = 0x3030_3030 + ((n / 1000) << 24) + ((n / 100 % 10) << 16) + ((n / 10 % 10) << 8) + n % 10;
        i += 1;
    }
    words
};

impl Run {
    /// Returns the first of `count` proofs from `proof` on whose hash begins with a word of at most `limit`.
    pub(super) fn scan(&self, set: InstructionSet, proof: u64, count: u64, limit: u32) -> Option<u64> {
        let start = (proof - self.base) as usize;
        let range = start..start + count as usize;
        let hit = match set {
            InstructionSet::Avx512 => scan_avx512(self, range, limit),
            InstructionSet::Avx2 => scan_avx2(self, range, limit),
            InstructionSet::Sha => scan_one_by_one(self, range, limit),
            InstructionSet::Baseline => scan_baseline(self, range, limit),
        };
        hit.map(|i| self.base + i as u64)
    }
}

#[multiversion(targets("x86_64+avx512f+sse4a", "x86_64+avx512f"))]
fn scan_avx512(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    match_target! {
        // Two streams are 10 % faster on AMD's Zen 4, which SSE4a tells apart; on Intel's CPUs one was measured alone.
        "x86_64+avx512f+sse4a" => scan_wide::<2>(run, range, limit),
        "x86_64+avx512f" => scan_wide::<1>(run, range, limit),
        _ => scan_baseline(run, range, limit),
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn scan_avx2(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    match_target! {
        "x86_64+avx2" => scan_wide::<1>(run, range, limit),
        _ => scan_baseline(run, range, limit),
    }
}

#[inline(never)]
fn scan_baseline(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    scan_wide::<1>(run, range, limit)
}

/// Scans a range of a run in so many streams, with the loop that is compiled for where the run's messages differ.
#[inline(always)]
fn scan_wide<const STREAMS: usize>(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    let block = run.block;
    macro_rules! by_word { ($word:ident, $digits:ident: $($t:literal)*) => { match $word {
        $( $t => {
            let [shared] = rounds::<0, $t, 1>([INITIAL], [block]);
            scan_messages::<STREAMS>(Decimal::<$t> { block, shared, $digits }, range, limit)
        } )*
        _ => unreachable!("two proofs have at most 40 digits: ten words"),
    } } }
    match (run.place, run.second) {
        (Place::Binary, _) => {
            let [shared] = rounds::<0, 9, 1>([INITIAL], [block]);
            scan_messages::<STREAMS>(Binary { block, shared }, range, limit)
        }
        (Place::Decimal { word, digits }, None) => by_word!(word, digits: 0 1 2 3 4 5 6 7 8 9),
        (Place::Decimal { word, digits }, Some(second)) => {
            let mask = |is_there| if is_there { u32::MAX } else { 0 };
            let masks = from_fn(|i| (mask(i == word), mask(i == word + 1)));
            // At opt-level 2, LLVM does not vectorise the long loop for two streams.
            scan_messages::<1>(TwoBlocks { block, second, masks, digits }, range, limit)
        }
    }
}

/// Scans a range of a run whose messages are given.
#[inline(always)]
fn scan_messages<const STREAMS: usize>(
    messages: impl Messages,
    range: Range<usize>,
    limit: u32,
) -> Option<usize> {
    let size = STREAMS * STRETCH;
    let mut first_words = [[0; STRETCH]; STREAMS];
    for batch in range.start / size..range.end.div_ceil(size) {
        let texts = &DIGITS.as_chunks::<STRETCH>().0.as_chunks::<STREAMS>().0[batch];
        let mut i = 0;
        while i < STRETCH {
            let mut blocks = [[0; 16]; STREAMS];
            let mut s = 0;
            while s < STREAMS {
                blocks[s] = messages.block((batch * size + s * STRETCH + i) as u32, texts[s][i]);
                s += 1;
            }
            let hashes = messages.hashes(blocks);
            s = 0;
            while s < STREAMS {
                first_words[s][i] = hashes[s][0];
                s += 1;
            }
            i += 1;
        }
        let first_words = first_words.as_flattened();
        if first_words.iter().fold(u32::MAX, |least, &word| least.min(word)) <= limit {
            let mut hits = (batch * size..).zip(first_words).filter(|&(_, &word)| word <= limit);
            if let Some((i, _)) = hits.find(|(i, _)| range.contains(i)) {
                return Some(i);
            }
        }
    }
    None
}

/// The messages of a run, by where they differ.
trait Messages: Copy {
    /// Returns the first block of the candidate at the place `i` of the run, whose last four digits are `text`.
    fn block(self, i: u32, text: u32) -> [u32; 16];

    /// Returns the hashes of `N` messages, whose first blocks are given.
    fn hashes<const N: usize>(self, blocks: [[u32; 16]; N]) -> [[u32; 8]; N];
}

/// One block, in which word 9 alone differs: the low half of a binary proof after a digest.
#[derive(Clone, Copy)]
struct Binary {
    block: [u32; 16],
    shared: [u32; 8],
}

impl Messages for Binary {
    #[inline(always)]
    fn block(self, i: u32, _: u32) -> [u32; 16] {
        let mut w = self.block;
        w[9] = w[9].wrapping_add(i);
        w
    }

    #[inline(always)]
    fn hashes<const N: usize>(self, blocks: [[u32; 16]; N]) -> [[u32; 8]; N] {
        add([INITIAL; N], rounds::<9, 64, N>([self.shared; N], blocks))
    }
}

/// One block, in which `WORD` and the next differ.
#[derive(Clone, Copy)]
struct Decimal<const WORD: usize> {
    block: [u32; 16],
    shared: [u32; 8],
    digits: Digits,
}

impl<const WORD: usize> Messages for Decimal<WORD> {
    #[inline(always)]
    fn block(self, _: u32, text: u32) -> [u32; 16] {
        let (word, next) = self.digits.words(text);
        let mut w = self.block;
        w[WORD] |= word;
        w[WORD + 1] |= next;
        w
    }

    #[inline(always)]
    fn hashes<const N: usize>(self, blocks: [[u32; 16]; N]) -> [[u32; 8]; N] {
        add([INITIAL; N], rounds::<WORD, 64, N>([self.shared; N], blocks))
    }
}

/// Two blocks. Masks tell which two words of the first differ: a loop for each place would win a few per cent and
/// take long to compile.
#[derive(Clone, Copy)]
struct TwoBlocks {
    block: [u32; 16],
    second: [u32; 16],
    masks: [(u32, u32); 16],
    digits: Digits,
}

impl Messages for TwoBlocks {
    #[inline(always)]
    fn block(self, _: u32, text: u32) -> [u32; 16] {
        let (word, next) = self.digits.words(text);
        macro_rules! words { ($($i:literal)*) => { [
            $( self.block[$i] | word & self.masks[$i].0 | next & self.masks[$i].1 ),*
        ] } }
        words!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    }

    #[inline(always)]
    fn hashes<const N: usize>(self, blocks: [[u32; 16]; N]) -> [[u32; 8]; N] {
        let states = add([INITIAL; N], rounds::<0, 64, N>([INITIAL; N], blocks));
        add(states, rounds::<0, 64, N>(states, [self.second; N]))
    }
}

/// Scans a range of a run through sha2's block function, which uses a CPU's SHA instructions.
fn scan_one_by_one(run: &Run, mut range: Range<usize>, limit: u32) -> Option<usize> {
    let bytes = |words: [u32; 16]| {
        let mut bytes = [0; 64];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_be_bytes();
        }
        bytes
    };
    let mut blocks = [bytes(run.block), bytes(run.second.unwrap_or_default())];
    let blocks = &mut blocks[..if run.second.is_some() { 2 } else { 1 }];
    range.find(|&i| {
        let words = blocks[0].as_chunks_mut().0;
        match run.place {
            Place::Binary => words[9] = (run.block[9].wrapping_add(i as u32)).to_be_bytes(),
            Place::Decimal { word, digits } => {
                let (this, next) = digits.words(DIGITS[i]);
                words[word] = (run.block[word] | this).to_be_bytes();
                words[word + 1] = (run.block[word + 1] | next).to_be_bytes();
            }
        }
        let mut state = INITIAL;
        sha2::block_api::compress256(&mut state, blocks);
        state[0] <= limit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockHash, pow::Challenge};

    /// No CPU chooses both, so that the search's own tests see only one of them.
    #[test]
    fn one_stream_and_two_find_what_one_by_one_is_found() {
        let hash = BlockHash::of(b"the last block");
        for challenge in [
            Challenge::LastProof { last_proof: 35293 },
            Challenge::LastProofAndHash { last_proof: 35293, last_hash: hash },
            Challenge::Sealed { digest: hash },
        ] {
            for proof in [7, 120, 10_000_000, u64::MAX - 100] {
                let run = Run::containing(&challenge, proof);
                let end = run.count_from(run.base) as usize;
                let limit = u32::MAX >> 7;
                let mut start = 0;
                while let Some(hit) = scan_one_by_one(&run, start..end, limit) {
                    assert_eq!(scan_wide::<1>(&run, start..end, limit), Some(hit), "{challenge:?} {proof}");
                    assert_eq!(scan_wide::<2>(&run, start..end, limit), Some(hit), "{challenge:?} {proof}");
                    assert_eq!(scan_wide::<2>(&run, start..hit, limit), None, "{challenge:?} {proof}");
                    start = hit + 1;
                }
                assert_eq!(scan_wide::<1>(&run, start..end, limit), None, "{challenge:?} {proof}");
                assert_eq!(scan_wide::<2>(&run, start..end, limit), None, "{challenge:?} {proof}");
            }
        }
    }
}
