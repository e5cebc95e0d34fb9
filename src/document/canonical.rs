//! The canonical text of blocks and transactions, without a detour: every block's hash is made from it.
//!
//! It is what [`to_json`](super::to_json) writes, piece by piece into a hash, a count or a text.

use sha2::{Digest, Sha256};

use super::write::{hex_digits, python_float, write_json};
use crate::hash::BlockHash;

/// What takes a text, piece by piece.
pub(crate) trait Text {
    fn push(&mut self, piece: &[u8]);
}

/// A text that is kept.
impl Text for Vec<u8> {
    fn push(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// A text of which only the length is kept, in bytes.
impl Text for usize {
    fn push(&mut self, piece: &[u8]) {
        *self += piece.len();
    }
}

/// A text of which only the hash and the length are kept.
pub(crate) struct HashedText {
    sha256: Sha256,
    /// How many bytes went into it.
    hashed: usize,
    /// Pieces of a few bytes would each cost the hash as much as a long one.
    piece: [u8; 512],
    length: usize,
}

impl HashedText {
    pub(crate) fn new() -> Self {
        Self { sha256: Sha256::new(), hashed: 0, piece: [0; 512], length: 0 }
    }

    /// Returns the hash and the length in bytes, once all is written. It is not handed over for that, as to move it takes as
    /// long as to write a block.
    pub(crate) fn finish(&mut self) -> (BlockHash, usize) {
        self.sha256.update(&self.piece[..self.length]);
        (BlockHash::from_bytes(self.sha256.finalize_reset().into()), self.hashed + self.length)
    }

    #[inline(never)]
    fn hash_with(&mut self, piece: &[u8]) {
        self.sha256.update(&self.piece[..self.length]);
        self.sha256.update(piece);
        self.hashed += self.length + piece.len();
        self.length = 0;
    }
}

impl Text for HashedText {
    // Inlined, a piece of a fixed length is copied by a few moves, and not by a call.
    #[inline(always)]
    fn push(&mut self, piece: &[u8]) {
        match self.piece.get_mut(self.length..self.length + piece.len()) {
            Some(room) => {
                room.copy_from_slice(piece);
                self.length += piece.len();
            }
            None => self.hash_with(piece),
        }
    }
}

/// Writes a whole number.
pub(crate) fn push_number(text: &mut impl Text, number: u64) {
    text.push(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a hash, in quotes.
pub(crate) fn push_hash(text: &mut impl Text, hash: &BlockHash) {
    let mut digits = [b'"'; 66];
    let (pairs, _) = digits[1..65].as_chunks_mut();
    for (pair, byte) in pairs.iter_mut().zip(hash.as_bytes()) {
        *pair = hex_digits(*byte);
    }
    text.push(&digits);
}

/// Writes a string, in quotes.
pub(crate) fn push_string(text: &mut impl Text, string: &str) {
    if is_plain(string.as_bytes()) {
        text.push(b"\"");
        text.push(string.as_bytes());
        text.push(b"\"");
    } else {
        // No escape takes more than six bytes for each of the text's.
        let mut written = Vec::with_capacity(6 * string.len() + 2);
        write_json(&mut written, string);
        text.push(&written);
    }
}

/// Tells whether nothing of a string needs an escape.
fn is_plain(bytes: &[u8]) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\');
    // Pieces of a fixed length are looked at as a whole, which is faster by far than byte by byte.
    let is_piece_plain = |piece: &[u8; 16]| piece.iter().fold(true, |all, byte| all & is_plain(byte));
    match bytes.last_chunk() {
        // The last piece overlaps the one before.
        Some(last) => is_piece_plain(last) && bytes.as_chunks().0.iter().all(is_piece_plain),
        None => bytes.iter().all(is_plain),
    }
}

/// Writes a float as Python's `repr` does.
pub(crate) fn push_float(text: &mut impl Text, value: f64) {
    let Some(micros) = whole_micros(value) else { return text.push(python_float(value).as_bytes()) };
    push_number(text, micros / 1_000_000);
    let (mut fraction, mut digits) = (micros % 1_000_000, *b".000000");
    for digit in digits[1..].iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let zeros = digits[2..].iter().rev().take_while(|digit| **digit == b'0').count();
    text.push(&digits[..digits.len() - zeros]);
}

/// The millionths of a float that is the nearest to so many of them, from 1 up to where floats are as far apart: until
/// then no other number of so few decimals is as near, so that no shorter text comes back to it, and it is
/// [rounded](crate::Timestamp::rounded_micros) to the same.
#[inline]
pub(crate) fn whole_micros(value: f64) -> Option<u64> {
    const END: f64 = (1_u64 << 33) as f64;
    // Signed: processors turn floats into such, and back, at once.
    let micros = if (1.0..END).contains(&value) { (value * 1e6 + 0.5) as i64 } else { return None };
    (micros as f64 / 1e6 == value).then_some(micros as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::write::to_json, *};

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        write(&mut text);
        String::from_utf8(text).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn floats_are_python_s(
            micros in prop_oneof![0..3_000_000_u64, any::<u32>().prop_map(u64::from), 0..10_u64.pow(16)],
            scale in 0..7_u32,
            off in 0..3_u8,
            bits in any::<u64>(),
        ) {
            let rounded = (micros / 10_u64.pow(scale) * 10_u64.pow(scale)) as f64 / 1e6;
            let near = [rounded, rounded.next_up(), rounded.next_down()][usize::from(off)];
            for value in [near, f64::from_bits(bits)] {
                prop_assert_eq!(written(|text| push_float(text, value)), python_float(value));
            }
        }

        #[test]
        fn numbers_and_strings_are_python_s(number: u64, bits in 0..64_u32, string: String, ascii in "[ -~]{0,50}") {
            let number = number >> bits;
            prop_assert_eq!(written(|text| push_number(text, number)), number.to_string());
            for string in [string, ascii] {
                prop_assert_eq!(written(|text| push_string(text, &string)), to_json(&string));
            }
        }
    }

    /// In pieces shorter and longer than what is gathered.
    #[test]
    fn a_text_in_pieces_has_the_hash_of_the_whole() {
        for length in 0..1100 {
            let whole: Vec<u8> = (0..3 * length).map(|byte| byte as u8).collect();
            let (first, rest) = whole.split_at(length);
            let (mut hashed, mut counted) = (HashedText::new(), 0);
            for piece in [first, rest, &whole[..length / 2]] {
                hashed.push(piece);
                counted.push(piece);
            }
            let all = [&whole, &whole[..length / 2]].concat();
            assert_eq!((hashed.finish(), counted), ((BlockHash::of(&all), all.len()), all.len()));
        }
    }
}
