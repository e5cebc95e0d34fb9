//! The search's hot loop: the first words of the hashes of many consecutive candidates.
//!
//! One source for every instruction set. LLVM's loop vectoriser widens the scalar SHA-256 of `sha256.rs` over the
//! candidates of a batch and moves out of the loop what is the same for all of them: the leading rounds, and much of
//! the message schedule. The results go to a buffer first, because a reduction in the hot loop makes LLVM interleave
//! two copies of it and spill; and the vectors are 512 bits wide only where the code is compiled for AVX-512 at run
//! time, because with `-C target-cpu=native` LLVM prefers 256 bits.

use std::ops::Range;

use multiversion::{multiversion, target::match_target};

use super::{
    Challenge, InstructionSet,
    sha256::{INITIAL, add, rounds},
};

/// Candidates per batch: a multiple of 16 lanes that divides 10,000.
const BATCH: usize = 80;

/// The texts "0000" to "9999" as big-endian words.
static DIGITS: [u32; 10_000] = {
    let mut words = [0; 10_000];
    let mut i = 0;
    while i < words.len() {
        let n = i as u32;
        words[i] = 0x3030_3030 + ((n / 1000) << 24) + ((n / 100 % 10) << 16) + ((n / 10 % 10) << 8) + n % 10;
        i += 1;
    }
    words
};

/// Consecutive proofs whose messages differ only in one place of their first block: at most 10,000, with the same
/// decimal digits but for the last four (fewer where there are fewer), or the same first four of eight bytes.
pub(super) struct Run {
    /// The first of the proofs.
    base: u64,
    /// How many there are.
    length: u64,
    /// The padded message's first block: the first proof's if they are binary, without those digits if decimal.
    block: [u32; 16],
    /// Its second block, if it is too long for one.
    second: Option<[u32; 16]>,
    place: Place,
}

/// Where the messages of a run differ.
#[derive(Clone, Copy)]
enum Place {
    /// In word 9, a binary number: the sealed rule.
    Binary,
    /// In a decimal number's last digits, which begin in `word` and may go on in the next.
    Decimal { word: usize, digits: Digits },
}

/// How a text of four digits is moved into a message.
#[derive(Clone, Copy)]
struct Digits {
    /// Shifts the digits out that the number does not have.
    left: u32,
    /// Shifts the others into place.
    right: u32,
}

impl Digits {
    /// Returns what a text of digits adds to the word that they begin in, and to the next.
    #[inline(always)]
    fn words(self, text: u32) -> (u32, u32) {
        let digits = text << self.left;
        (digits >> self.right, digits << (31 - self.right) << 1)
    }
}

impl Run {
    /// Makes the run that contains a proof. What it holds before that proof may be no decimal number ("007").
    pub(super) fn containing(challenge: &Challenge, proof: u64) -> Self {
        let (message, length) = challenge.message(proof);
        let mut bytes = [0; 128];
        bytes[..length].copy_from_slice(&message[..length]);
        bytes[length] = 0x80;
        let two_blocks = length > 55;
        let end = if two_blocks { 128 } else { 64 };
        bytes[end - 8..end].copy_from_slice(&(8 * length as u64).to_be_bytes());

        let (base, length, place) = match challenge {
            Challenge::Sealed { .. } => {
                let to_the_next_carry = u64::from(u32::MAX - proof as u32) + 1;
                (proof, to_the_next_carry.min(10_000), Place::Binary)
            }
            Challenge::LastProof { last_proof } | Challenge::LastProofAndHash { last_proof, .. } => {
                let proof_end = count_digits(*last_proof) + count_digits(proof);
                let varying = count_digits(proof).min(4);
                let start = proof_end - varying;
                bytes[start..proof_end].fill(0);
                let size = 10u64.pow(varying as u32);
                let base = proof - proof % size;
                let digits = Digits { left: 8 * (4 - varying as u32), right: 8 * (start as u32 % 4) };
                let to_the_last = (u64::MAX - base).saturating_add(1);
                (base, to_the_last.min(size), Place::Decimal { word: start / 4, digits })
            }
        };
        let words = |from: usize| {
            let (words, _) = bytes[from..].as_chunks();
            std::array::from_fn(|i| u32::from_be_bytes(words[i]))
        };
        Self { base, length, block: words(0), second: two_blocks.then(|| words(64)), place }
    }

    /// Returns how many proofs the run has from one of them on.
    pub(super) fn count_from(&self, proof: u64) -> u64 {
        self.length - (proof - self.base)
    }

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

/// Counts a number's decimal digits.
fn count_digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[multiversion(targets("x86_64+avx512f"))]
fn scan_avx512(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    match_target! {
        "x86_64+avx512f" => scan_wide(run, range, limit),
        _ => scan_baseline(run, range, limit),
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn scan_avx2(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    match_target! {
        "x86_64+avx2" => scan_wide(run, range, limit),
        _ => scan_baseline(run, range, limit),
    }
}

#[inline(never)]
fn scan_baseline(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    scan_wide(run, range, limit)
}

/// Scans a range of a run, with the loop that is compiled for where the run's messages differ.
#[inline(always)]
fn scan_wide(run: &Run, range: Range<usize>, limit: u32) -> Option<usize> {
    let block = run.block;
    macro_rules! by_word { ($word:ident, $digits:ident: $($t:literal)*) => { match $word {
        $( $t => {
            scan_messages(Decimal::<$t> { block, shared: rounds::<0, $t>(INITIAL, block), $digits }, range, limit)
        } )*
        _ => unreachable!("two proofs have at most 40 digits: ten words"),
    } } }
    match (run.place, run.second) {
        (Place::Binary, _) => {
            scan_messages(Binary { block, shared: rounds::<0, 9>(INITIAL, block) }, range, limit)
        }
        (Place::Decimal { word, digits }, None) => by_word!(word, digits: 0 1 2 3 4 5 6 7 8 9),
        (Place::Decimal { word, digits }, Some(second)) => {
            let mask = |is_there| if is_there { u32::MAX } else { 0 };
            let masks = std::array::from_fn(|i| (mask(i == word), mask(i == word + 1)));
            scan_messages(TwoBlocks { block, second, masks, digits }, range, limit)
        }
    }
}

/// Scans a range of a run whose messages are given.
#[inline(always)]
fn scan_messages(messages: impl Messages, range: Range<usize>, limit: u32) -> Option<usize> {
    let mut first_words = [0; BATCH];
    for batch in range.start / BATCH..range.end.div_ceil(BATCH) {
        let texts = &DIGITS.as_chunks::<BATCH>().0[batch];
        for (i, (first_word, &text)) in first_words.iter_mut().zip(texts).enumerate() {
            *first_word = messages.first_word((batch * BATCH + i) as u32, text);
        }
        if first_words.iter().fold(u32::MAX, |least, &word| least.min(word)) <= limit {
            let mut hits = (batch * BATCH..).zip(first_words).filter(|&(_, word)| word <= limit);
            if let Some((i, _)) = hits.find(|(i, _)| range.contains(i)) {
                return Some(i);
            }
        }
    }
    None
}

/// The messages of a run, by where they differ.
trait Messages: Copy {
    /// Returns the first word of the hash of the candidate `i`, whose last four digits are `text`.
    fn first_word(self, i: u32, text: u32) -> u32;
}

/// One block, in which word 9 alone differs: the low half of a binary proof after a digest.
#[derive(Clone, Copy)]
struct Binary {
    block: [u32; 16],
    shared: [u32; 8],
}

impl Messages for Binary {
    #[inline(always)]
    fn first_word(self, i: u32, _: u32) -> u32 {
        let mut w = self.block;
        w[9] = w[9].wrapping_add(i);
        add(INITIAL, rounds::<9, 64>(self.shared, w))[0]
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
    fn first_word(self, _: u32, text: u32) -> u32 {
        let (word, next) = self.digits.words(text);
        let mut w = self.block;
        w[WORD] |= word;
        w[WORD + 1] |= next;
        add(INITIAL, rounds::<WORD, 64>(self.shared, w))[0]
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
    fn first_word(self, _: u32, text: u32) -> u32 {
        let (word, next) = self.digits.words(text);
        let w = std::array::from_fn(|i| self.block[i] | word & self.masks[i].0 | next & self.masks[i].1);
        let state = add(INITIAL, rounds::<0, 64>(INITIAL, w));
        add(state, rounds::<0, 64>(state, self.second))[0]
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
