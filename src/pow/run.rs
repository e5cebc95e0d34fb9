//! Consecutive candidates whose messages are almost the same.

use super::Challenge;

/// The longest run: 10,000, filled up to whole batches of one stream or two.
pub(super) const LONGEST: usize = 10_080;

/// Consecutive proofs whose messages differ only in one place of their first block: at most [`LONGEST`], with the same
/// decimal digits but for the last four (fewer where there are fewer), or the same first four of eight bytes.
pub(super) struct Run {
    /// The first of the proofs.
    pub(super) base: u64,
    /// How many there are.
    length: u64,
    /// The padded message's first block: the first proof's if they are binary, without those digits if decimal.
    pub(super) block: [u32; 16],
    /// Its second block, if it is too long for one.
    pub(super) second: Option<[u32; 16]>,
    pub(super) place: Place,
}

/// Where the messages of a run differ.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In word 9, a binary number: the sealed rule.
    Binary,
    /// In a decimal number's last digits, which begin in `word` and may go on in the next.
    Decimal { word: usize, digits: Digits },
}

/// How a text of four digits is moved into a message.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    /// Shifts the digits out that the number does not have.
    left: u32,
    /// Shifts the others into place.
    right: u32,
}

impl Digits {
    /// Returns what a text of digits adds to the word that they begin in, and to the next.
    #[inline(always)]
    pub(super) fn words(self, text: u32) -> (u32, u32) {
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
                (proof, to_the_next_carry.min(LONGEST as u64), Place::Binary)
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
}

/// Counts a number's decimal digits.
fn count_digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
