//! Keyed draws: each random number of a network is a function of what it is for, not of what was drawn before.
//!
//! A [`Key`] is folded from the seed and the parts that name one draw, such as the link, the purpose and the count of
//! the message. So neither a node more, nor a message elsewhere, nor a draw left out shifts any other draw.
//!
//! The fold is `mix(key ^ mix(part))`, where `mix` is the step of SplitMix64 (Steele, Lea, Flood: "Fast splittable
//! pseudorandom number generators", 2014). It is a bijection, so two parts never give the same key under one key.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// What a draw is for: one stream for each, so that adding a loss to a link leaves its latencies as they were.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Loss = 1,
    Latency = 2,
    Topology = 3,
    Search = 4,
    Address = 5,
    FixedLatency = 6,
    Region = 7,
    HashRate = 8,
}

/// The name of a draw, well mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// Starts a key with the seed of the run.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Narrows the key down by one more part; the order of the parts counts.
    pub(crate) const fn and(self, part: u64) -> Self {
        Self(mix(self.0 ^ mix(part)))
    }

    /// Draws 64 bits.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Draws one number, uniform in `0.0..1.0`, in steps of 2^-53.
    pub(crate) const fn uniform(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws one number from the exponential distribution of mean 1: `-ln` of a uniform one in steps of 2^-53, so that
    /// it is at most 36.8.
    pub(crate) fn exponential(self) -> f64 {
        -libm::log(1.0 - self.uniform())
    }

    /// Draws one number from the standard normal distribution.
    ///
    /// Source: Box and Muller, "A note on the generation of random normal deviates" (Annals of Mathematical Statistics
    /// 29, 1958); the first of their two numbers.
    pub(crate) fn normal(self) -> f64 {
        let (radius, turns) = (self.and(0).exponential(), self.and(1).uniform());
        (2.0 * radius).sqrt() * libm::cos(std::f64::consts::TAU * turns)
    }

    /// Makes the generator for a draw that may need more than one number.
    pub(crate) fn generator(self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.0)
    }
}

const fn mix(part: u64) -> u64 {
    let part = part.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let part = (part ^ (part >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let part = (part ^ (part >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    part ^ (part >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn mix_is_the_published_generator() {
        // The first outputs of SplitMix64 from the state 1234567, as published on rosettacode.org.
        let published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        for (step, output) in (0..).zip(published) {
            assert_eq!(mix(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(step).wrapping_add(1_234_567)), output);
        }
    }

    #[test]
    fn draws_of_neighbouring_keys_are_uniform_and_independent() {
        // 256 links x 256 messages: the mean is 1/2 with a standard error of 0.0011, the correlation with the next
        // message and with the next link 0 with a standard error of 0.0039; five standard errors are allowed.
        let at = |link: u64, count: u64| Key::new(7).and(link).and(Purpose::Loss as u64).and(count).uniform();
        let (mut sum, mut next_message, mut next_link) = (0.0, 0.0, 0.0);
        for link in 0..256 {
            for count in 0..256 {
                let draw = at(link, count);
                assert!((0.0..1.0).contains(&draw));
                sum += draw;
                next_message += (draw - 0.5) * (at(link, count + 1) - 0.5) * 12.0;
                next_link += (draw - 0.5) * (at(link + 1, count) - 0.5) * 12.0;
            }
        }
        assert!((sum / 65536.0 - 0.5).abs() < 0.0056, "{sum}");
        assert!((next_message / 65536.0).abs() < 0.02, "{next_message}");
        assert!((next_link / 65536.0).abs() < 0.02, "{next_link}");
    }

    /// Written down once; any machine, build and mathematical library of the system's must give the same.
    #[test]
    fn draws_are_the_same_bits_everywhere() {
        let mut folded = Key::new(3);
        for count in 0..10_000 {
            let key = Key::new(2).and(count);
            folded = folded.and(key.exponential().to_bits()).and(key.normal().to_bits());
        }
        assert_eq!(folded, Key(8_109_742_529_255_812_838));
    }

    #[test]
    fn every_part_and_their_order_count() {
        let key = Key::new(1).and(2).and(3);
        for other in [Key::new(0).and(2).and(3), Key::new(1).and(3).and(2), Key::new(1).and(2), key.and(0)] {
            assert_ne!(key, other);
        }
        assert_eq!(key.generator().next_u64(), Key::new(1).and(2).and(3).generator().next_u64());
    }
}
