//! Consecutive candidates whose messages are almost the same.

use std::array::from_fn;

use super::Challenge;

/// The longest run: 10,000, filled up to whole batches of the loop.
pub(super) const LONGEST: usize = 10_080;

/// Consecutive candidates whose messages differ only in the proof's last four bytes: at most [`LONGEST`], with the
/// same decimal digits but for the last four (fewer where there are fewer), or the same first half of a binary number.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// The place of the first candidate in `last_bytes`.
    pub(super) first: usize,
    /// How many there are.
    pub(super) count: u64,
    /// The padded message's first block, without what the last bytes add to it.
    pub(super) block: [u32; 16],
    /// Its second block, if it is too long for one.
    pub(super) second: Option<[u32; 16]>,
    /// The word of the first block in which the last bytes begin. They may go on in the next.
    pub(super) word: usize,
    /// How far they are shifted to the left, to drop the digits that the number does not have, and then to the right.
    pub(super) shifts: (u32, u32),
    /// What each candidate adds to the block: its last digits as text, or its distance from the first binary one.
    pub(super) last_bytes: &'static [u32; LONGEST],
}

/// The texts "0000" to "9999", and some that are no texts.
static TEXTS: [u32; LONGEST] = last_bytes(true);

/// The numbers 0, 1, 2, ...
static NUMBERS: [u32; LONGEST] = last_bytes(false);

const fn last_bytes(as_text: bool) -> [u32; LONGEST] {
    let mut words = [0; LONGEST];
    let mut i = 0;
    while i < LONGEST {
        let n = i as u32;
        let text = 0x3030_3030 + ((n / 1000) << 24) + ((n / 100 % 10) << 16) + ((n / 10 % 10) << 8) + n % 10;
        words[i] = if as_text { text } else { n };
        i += 1;
    }
    words
}

impl Run {
    /// Makes the longest run of the candidates from a proof on.
    pub(super) fn starting_at(proof: u64, challenge: &Challenge) -> Self {
        let (message, length) = challenge.message(proof);
        let mut bytes = [0; 128];
        bytes[..length].copy_from_slice(&message[..length]);
        bytes[length] = 0x80;
        let two_blocks = length > 55;
        let size = if two_blocks { 128 } else { 64 };
        bytes[size - 8..size].copy_from_slice(&(8 * length as u64).to_be_bytes());

        let (first, to_the_carry, place, missing, last_bytes) = match challenge {
            // What is added to a binary number can be added to the first proof's.
            Challenge::Sealed { .. } => (0, (1 << 32) - proof % (1 << 32), 36, 0, &NUMBERS),
            Challenge::LastProof { last_proof } | Challenge::LastProofAndHash { last_proof, .. } => {
                let varying = count_digits(proof).min(4);
                let place = count_digits(*last_proof) + count_digits(proof) - varying;
                bytes[place..place + varying].fill(0);
                let size = 10u64.pow(varying as u32);
                (proof % size, size - proof % size, place, 4 - varying, &TEXTS)
            }
        };
        let to_the_last = (u64::MAX - proof).saturating_add(1);
        let words = |from: usize| from_fn(|i| u32::from_be_bytes(bytes[from..].as_chunks().0[i]));
        Self {
            first: first as usize,
            count: to_the_carry.min(to_the_last).min(LONGEST as u64),
            block: words(0),
            second: two_blocks.then(|| words(64)),
            word: place / 4,
            shifts: (8 * missing as u32, 8 * (place % 4) as u32),
            last_bytes,
        }
    }

    /// Returns what a candidate's last bytes add to the word in which they begin, and to the next.
    #[inline(always)]
    pub(super) fn added(&self, last_bytes: u32) -> (u32, u32) {
        let (left, right) = self.shifts;
        let last_bytes = last_bytes << left;
        (last_bytes >> right, last_bytes << (31 - right) << 1)
    }
}

/// Counts a number's decimal digits.
fn count_digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
