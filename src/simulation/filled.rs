//! Which buckets of a ring have entries.

/// How many buckets a ring has.
pub(super) const BUCKETS: usize = 1024;

/// A bit for each bucket, by its number's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filled([u64; BUCKETS / 64]);

/// The place of a bucket in the ring.
#[inline]
pub(super) fn place_of(number: u64) -> usize {
    number as usize % BUCKETS
}

impl Filled {
    pub(super) fn is_none(&self) -> bool {
        self.0 == [0; BUCKETS / 64]
    }

    #[inline]
    pub(super) fn fill(&mut self, number: u64) {
        let place = place_of(number);
        self.0[place / 64] |= 1 << (place % 64);
    }

    #[inline]
    pub(super) fn empty(&mut self, number: u64) {
        let place = place_of(number);
        self.0[place / 64] &= !(1 << (place % 64));
    }

    /// The number of the first bucket after one that has entries, within a round.
    #[inline]
    pub(super) fn next_after(&self, number: u64) -> Option<u64> {
        let start = place_of(number + 1);
        let (first, bit) = (start / 64, start % 64);
        let words = self.0.len();
        // The first word is looked at twice: its upper bits at the start, its lower ones at the end of the round.
        (0..=words).find_map(|step| {
            let word = (first + step) % words;
            let mask = if step == 0 {
                !0 << bit
            } else if step == words {
                !(!0 << bit)
            } else {
                !0
            };
            let bits = self.0[word] & mask;
            (bits != 0).then(|| {
                let place = word * 64 + bits.trailing_zeros() as usize;
                number + 1 + ((place + BUCKETS - start) % BUCKETS) as u64
            })
        })
    }
}
