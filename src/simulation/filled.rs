//! Which buckets of a ring have entries.

/// How many buckets a ring has.
pub(super) const BUCKETS: usize = 1024;

/// How many words hold a bit for each bucket.
const WORDS: usize = BUCKETS / 64;
const _: () = assert!(WORDS == u16::BITS as usize, "a bit for each word, and words come around as bits do");

/// Which buckets of a ring have entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filled {
    /// A bit for each bucket, by its number's place.
    words: [u64; WORDS],
    /// A bit for each word that holds any: where few do, the next is found without a look at those between.
    held: u16,
}

/// The place of a bucket in the ring.
#[inline]
pub(super) fn place_of(number: u64) -> usize {
    number as usize % BUCKETS
}

impl Filled {
    pub(super) fn is_none(&self) -> bool {
        self.held == 0
    }

    #[inline]
    pub(super) fn fill(&mut self, number: u64) {
        let place = place_of(number);
        self.words[place / 64] |= 1 << (place % 64);
        self.held |= 1 << (place / 64);
    }

    #[inline]
    pub(super) fn empty(&mut self, number: u64) {
        let place = place_of(number);
        let word = &mut self.words[place / 64];
        *word &= !(1 << (place % 64));
        if *word == 0 {
            self.held &= !(1 << (place / 64));
        }
    }

    /// The number of the first bucket after one that has entries, within a round.
    #[inline]
    pub(super) fn next_after(&self, number: u64) -> Option<u64> {
        let start = place_of(number + 1);
        let (first, bit) = (start / 64, start % 64);
        let near = self.words[first] >> bit;
        if near != 0 {
            return Some(number + 1 + u64::from(near.trailing_zeros()));
        }
        // The first word comes again at the end of the round, with its lower bits.
        let others = self.held.rotate_right(first as u32 + 1);
        (others != 0).then(|| {
            let word = (first + 1 + others.trailing_zeros() as usize) % WORDS;
            let place = word * 64 + self.words[word].trailing_zeros() as usize;
            number + 1 + ((place + BUCKETS - start) % BUCKETS) as u64
        })
    }
}
