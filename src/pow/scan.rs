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
//! - The vectors are 512 bits wide only where AVX-512 is chosen at run time, because with `-C target-cpu=native` LLVM
//!   prefers 256 bits.

use std::{array::from_fn, ops::Range};

use multiversion::{multiversion, target::match_target};

use super::{
    InstructionSet,
    run::{LONGEST, Run},
    sha256::{INITIAL, compress},
};

/// Consecutive candidates of one stream: a multiple of 16 lanes.
const STRETCH: usize = 80;

impl Run {
    /// Returns how many candidates come before the first whose hash begins with a word of at most `limit`, if it is
    /// one of the first `count`.
    pub(super) fn scan(&self, set: InstructionSet, count: u64, limit: u32) -> Option<u64> {
        let range = self.first..self.first + count as usize;
        let hit = match set {
            InstructionSet::Avx512 => scan_avx512(self, range, limit),
            InstructionSet::Avx2 => scan_avx2(self, range, limit),
            InstructionSet::Sha => scan_one_by_one(self, range, limit),
            InstructionSet::Baseline => scan_baseline(self, range, limit),
        };
        hit.map(|i| (i - self.first) as u64)
    }
}

#[multiversion(targets("x86_64+avx512f"))]
fn scan_avx512(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    match_target! {
        "x86_64+avx512f" => scan_wide::<2>(run, range, limit),
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

/// Scans a range of a run with the loop that is compiled for what is written out here.
///
/// The loop should fit into the 32 KiB of a CPU's instruction cache. So there are two streams only where wide vectors
/// make the code short, and for one block; and two blocks, where a loop for each word would gain little, share one.
#[inline(always)]
fn scan_wide<const STREAMS: usize>(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    let one_block = Run { second: None, ..*run };
    macro_rules! by_word { ($($word:literal)*) => { match (run.second, run.word, run.shifts) {
        (Some(_), ..) => scan_batches::<1>(*run, masks(run.word), range, limit),
        // The messages of the sealed rule, and of two proofs of 20 digits: they differ in this word alone.
        (None, 9, (0, 0)) => {
            scan_batches::<STREAMS>(Run { shifts: (0, 0), ..one_block }, const { masks(9) }, range, limit)
        }
        $( (None, $word, _) => scan_batches::<STREAMS>(one_block, const { masks($word) }, range, limit), )*
        _ => unreachable!("the last four of at most 40 digits begin in word 9, unshifted, at the latest"),
    } } }
    by_word!(0 1 2 3 4 5 6 7 8)
}

/// The first words of the hashes of a batch.
///
/// They are aligned like the widest vectors because the stack then is, too: the loop of two streams keeps a hundred
/// vectors there, which would cross cache lines.
#[repr(align(64))]
struct FirstWords<const STREAMS: usize>([[u32; STRETCH]; STREAMS]);

/// Scans a range of a run batch by batch, the candidates of a batch in one stream or two.
#[inline(always)]
fn scan_batches<const STREAMS: usize>(
    run: Run,
    masks: Masks,
    range: Range<usize>,
    limit: u32,
) -> Option<usize> {
    let batch = const {
        assert!(LONGEST.is_multiple_of(STREAMS * STRETCH), "the last batch would go past the end");
        STREAMS * STRETCH
    };
    let mut first_words = FirstWords([[0; STRETCH]; STREAMS]);
    for start in (range.start / batch * batch..range.end).step_by(batch) {
        let (last_bytes, _) = run.last_bytes[start..start + batch].as_chunks::<STRETCH>();
        let mut i = 0;
        while i < STRETCH {
            let mut blocks = [[0; 16]; STREAMS];
            let mut stream = 0;
            while stream < STREAMS {
                blocks[stream] = first_block(&run, &masks, last_bytes[stream][i]);
                stream += 1;
            }
            let mut states = compress([INITIAL; STREAMS], blocks);
            if let Some(second) = run.second {
                states = compress(states, [second; STREAMS]);
            }
            stream = 0;
            while stream < STREAMS {
                first_words.0[stream][i] = states[stream][0];
                stream += 1;
            }
            i += 1;
        }
        let first_words = first_words.0.as_flattened();
        if first_words.iter().fold(u32::MAX, |least, &word| least.min(word)) <= limit {
            let mut hits = (start..).zip(first_words).filter(|&(_, &word)| word <= limit);
            if let Some((i, _)) = hits.find(|(i, _)| range.contains(i)) {
                return Some(i);
            }
        }
    }
    None
}

/// Which word of a block the last bytes begin in, and which they may go on in: all ones there, zeros elsewhere.
type Masks = [[u32; 16]; 2];

const fn masks(word: usize) -> Masks {
    let mut masks = [[0; 16]; 2];
    masks[0][word] = u32::MAX;
    masks[1][word + 1] = u32::MAX;
    masks
}

/// Returns the first block of the message of the candidate with these last bytes.
#[inline(always)]
fn first_block(run: &Run, masks: &Masks, last_bytes: u32) -> [u32; 16] {
    let (here, next) = run.added(last_bytes);
    macro_rules! words { ($($i:literal)*) => { [
        $( run.block[$i].wrapping_add(here & masks[0][$i]).wrapping_add(next & masks[1][$i]) ),*
    ] } }
    words!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
}

/// Scans a range of a run through sha2's block function, which uses a CPU's SHA instructions.
fn scan_one_by_one(run: &Run, mut range: Range<usize>, limit: u32) -> Option<usize> {
    let bytes = |words: [u32; 16]| from_fn(|i| words[i / 4].to_be_bytes()[i % 4]);
    let mut blocks = [bytes(run.block), bytes(run.second.unwrap_or_default())];
    let blocks = &mut blocks[..1 + usize::from(run.second.is_some())];
    range.find(|&i| {
        let (here, next) = run.added(run.last_bytes[i]);
        let words = blocks[0].as_chunks_mut().0;
        words[run.word] = run.block[run.word].wrapping_add(here).to_be_bytes();
        words[run.word + 1] = run.block[run.word + 1].wrapping_add(next).to_be_bytes();
        let mut state = INITIAL;
        sha2::block_api::compress256(&mut state, blocks);
        state[0] <= limit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockHash, pow::Challenge};

    /// Which of them a search takes depends on the CPU, so that its own tests see both only where AVX-512 is.
    #[test]
    fn one_stream_and_two_find_what_one_by_one_is_found() {
        let hash = BlockHash::of(b"the last block");
        for challenge in [
            Challenge::LastProof { last_proof: 35293 },
            Challenge::LastProofAndHash { last_proof: 35293, last_hash: hash },
            Challenge::Sealed { digest: hash },
        ] {
            for proof in [7, 120, 10_000_000, u64::MAX - 100] {
                let run = Run::starting_at(proof, &challenge);
                let mut rest = run.first..run.first + run.count as usize;
                let limit = u32::MAX >> 7;
                loop {
                    let hit = scan_one_by_one(&run, rest.clone(), limit);
                    assert_eq!(scan_wide::<1>(&run, rest.clone(), limit), hit, "{challenge:?} {proof}");
                    assert_eq!(scan_wide::<2>(&run, rest.clone(), limit), hit, "{challenge:?} {proof}");
                    let Some(hit) = hit else { break };
                    assert_eq!(scan_wide::<2>(&run, rest.start..hit, limit), None, "{challenge:?} {proof}");
                    rest.start = hit + 1;
                }
            }
        }
    }
}
