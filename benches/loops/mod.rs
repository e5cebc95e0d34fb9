//! The loops that chainlab's search is measured against, and the challenges for all of them.

use std::hint::black_box;

use chainlab::{
    BlockHash,
    pow::{Challenge, InstructionSet, Search, Target, instruction_set},
};
use sha2::{Digest, Sha256};

/// A way to try candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    /// What one writes first: `format!`, sha2, and a comparison of hexadecimal text.
    Naive,
    /// What one writes with care: the padded message is kept, the proof counted up in it, and sha2's block function
    /// called on it, which uses the CPU's SHA instructions.
    SingleStream,
    /// chainlab's search.
    Chainlab,
}

impl Loop {
    /// All three, the slowest first.
    pub(crate) const ALL: [Self; 3] = [Self::Naive, Self::SingleStream, Self::Chainlab];

    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SingleStream => "single stream",
            Self::Chainlab => "chainlab",
        }
    }

    /// Tries so many candidates from a first one on, for a target that none of them meets.
    pub(crate) fn run(self, challenge: Challenge, first: u64, candidates: u64) {
        let found = match self {
            Self::Naive => naive(black_box(challenge), first, candidates),
            Self::SingleStream => single_stream(black_box(challenge), first, candidates),
            Self::Chainlab => return search_on(instruction_set(), challenge, first, candidates),
        };
        assert_eq!(found, None, "nobody has ever seen 16 zero bytes");
    }
}

/// Tries so many candidates with chainlab's search on given instructions, for a target that none of them meets.
pub(crate) fn search_on(set: InstructionSet, challenge: Challenge, first: u64, candidates: u64) {
    let mut search = Search::starting_at(black_box(challenge), Target::HARDEST, first).on(set);
    assert_eq!(
        search.run(candidates),
        Ok(None),
        "far from the last u64, and nobody has ever seen 16 zero bytes"
    );
}

/// The three rules by name, after a last proof.
pub(crate) fn rules(last_proof: u64) -> [(&'static str, Challenge); 3] {
    let hash = BlockHash::of(b"the last block");
    [
        ("notebook", Challenge::LastProof { last_proof }),
        ("tutorial", Challenge::LastProofAndHash { last_proof, last_hash: hash }),
        ("sealed", Challenge::Sealed { digest: hash }),
    ]
}

fn naive(challenge: Challenge, first: u64, candidates: u64) -> Option<u64> {
    let zeros = "0".repeat(32);
    (first..first + candidates).find(|proof| {
        let hash = match challenge {
            Challenge::LastProof { last_proof } => Sha256::digest(format!("{last_proof}{proof}")),
            Challenge::LastProofAndHash { last_proof, last_hash } => {
                Sha256::digest(format!("{last_proof}{proof}{last_hash}"))
            }
            Challenge::Sealed { digest } => {
                Sha256::digest([&digest.as_bytes()[..], &proof.to_be_bytes()].concat())
            }
        };
        hex::encode(hash).starts_with(&zeros)
    })
}

fn single_stream(challenge: Challenge, first: u64, candidates: u64) -> Option<u64> {
    let (before, text, after) = match challenge {
        Challenge::LastProof { last_proof } => (last_proof.to_string().into_bytes(), true, String::new()),
        Challenge::LastProofAndHash { last_proof, last_hash } => {
            (last_proof.to_string().into_bytes(), true, last_hash.to_string())
        }
        Challenge::Sealed { digest } => (digest.as_bytes().to_vec(), false, String::new()),
    };
    let padded = |proof: u64| {
        let proof = if text { proof.to_string().into_bytes() } else { proof.to_be_bytes().to_vec() };
        let place = before.len()..before.len() + proof.len();
        let mut message = [&before[..], &proof, after.as_bytes()].concat();
        let bits = 8 * message.len() as u64;
        message.push(0x80);
        message.resize((message.len() + 8).next_multiple_of(64) - 8, 0);
        message.extend(bits.to_be_bytes());
        (message, place)
    };
    let (mut message, mut place) = padded(first);
    for proof in first..first + candidates {
        let mut state = INITIAL;
        sha2::block_api::compress256(&mut state, message.as_chunks().0);
        if state[..4] == [0; 4] {
            return Some(proof);
        }
        let last = if text { b'9' } else { 0xff };
        let smallest = if text { b'0' } else { 0 };
        let digits = &mut message[place.clone()];
        match digits.iter().rposition(|digit| *digit != last) {
            Some(i) => {
                digits[i] += 1;
                digits[i + 1..].fill(smallest);
            }
            None => (message, place) = padded(proof + 1),
        }
    }
    None
}

#[rustfmt::skip]
const INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
