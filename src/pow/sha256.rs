//! The compression function of SHA-256 (FIPS 180-4, section 6.2.2), written to be vectorised.
//!
//! It is scalar code for one message or two. Called in a plain loop over many messages, the whole of it is widened by
//! LLVM's loop vectoriser, which asks that the 64 rounds stand in a straight line, without an inner loop, and that
//! nothing is left to call. So it has no iterators and no closures, which are inlined in some build profiles only.

/// The state before the first block (section 5.3.3).
#[rustfmt::skip]
pub(super) const INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The rounds' constants (section 4.2.2).
#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// Compresses `N` blocks, one or two, into the states before them.
///
/// Two take turns at each round, so that one's instructions can be carried out while the other's wait.
#[inline(always)]
pub(super) fn compress<const N: usize>(before: [[u32; 8]; N], mut blocks: [[u32; 16]; N]) -> [[u32; 8]; N] {
    const { assert!(N == 1 || N == 2) };
    let mut states = before;
    macro_rules! in_a_straight_line { ($($t:literal)*) => { $(
        round::<$t>(&mut states[0], &mut blocks[0]);
        if N == 2 {
            round::<$t>(&mut states[N - 1], &mut blocks[N - 1]);
        }
    )* } }
    in_a_straight_line!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
    let mut n = 0;
    while n < N {
        let mut i = 0;
        while i < 8 {
            states[n][i] = states[n][i].wrapping_add(before[n][i]);
            i += 1;
        }
        n += 1;
    }
    states
}

/// Runs round `T`.
///
/// The order of the operations is FIPS 180-4's or one that means the same, whichever LLVM makes the faster loop of.
#[inline(always)]
fn round<const T: usize>(state: &mut [u32; 8], w: &mut [u32; 16]) {
    // The message schedule, kept in the 16 words that are still needed.
    if T >= 16 {
        let (x, y) = (w[(T + 1) % 16], w[(T + 14) % 16]);
        let sigma_0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let sigma_1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        w[T % 16] = w[T % 16].wrapping_add(w[(T + 9) % 16]).wrapping_add(sigma_0).wrapping_add(sigma_1);
    }
    let [a, b, c, d, e, f, g, h] = *state;
    let majority = c ^ ((a ^ c) & (b ^ c));
    let sum_1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choice = g ^ (e & (f ^ g));
    let sum_0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let t2 = majority.wrapping_add(sum_0);
    let t1 = h.wrapping_add(w[T % 16]).wrapping_add(K[T]).wrapping_add(choice.wrapping_add(sum_1));
    *state = [t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of a whole message, by the compression function above.
    fn sha256(message: &[u8]) -> String {
        let mut padded = [message, &[0x80]].concat();
        padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
        padded.extend((8 * message.len() as u64).to_be_bytes());
        let (words, _) = padded.as_chunks();
        let words: Vec<u32> = words.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect();
        let (blocks, _) = words.as_chunks();
        let [state] = blocks.iter().fold([INITIAL], |state, block| compress(state, [*block]));
        state.map(|word| format!("{word:08x}")).concat()
    }

    #[test]
    fn gives_the_published_digests() {
        // FIPS 180-4's examples, as NIST's "SHA256.pdf" and SHA256ShortMsg.rsp print them.
        for (message, digest) in [
            ("".into(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc".into(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".into(),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
                    .into(),
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
            ),
            ("a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ] {
            assert_eq!(sha256(message.as_bytes()), digest);
        }
    }

    #[test]
    fn two_messages_take_turns() {
        let [one, two] = [0x9e37_79b9, 0x85eb_ca6b]
            .map(|odd: u32| std::array::from_fn(|i| odd.wrapping_mul(i as u32 + 1)));
        let [[alone], [other]] = [compress([INITIAL], [one]), compress([[7; 8]], [two])];
        assert_eq!(compress([INITIAL, [7; 8]], [one, two]), [alone, other]);
    }
}
