//! What a run had come to each time that so many more blocks were mined.

use super::{Simulation, carry::Surroundings};
use crate::report::Tally;

/// With as many every second one leaves, and from then on they are taken half as often.
const SAMPLES_MAX: usize = 512;

/// Samples of a run, the first before its first block; they are as many blocks apart.
#[derive(Debug)]
pub(super) struct Samples {
    taken: Vec<Tally>,
    /// How many blocks they are apart.
    apart: u64,
    /// How many blocks will have been mined when the next is taken.
    due: u64,
}

impl Default for Samples {
    fn default() -> Self {
        Self { taken: Vec::new(), apart: 1, due: u64::MAX }
    }
}

impl Samples {
    fn begin(mined: u64) -> Self {
        Self { due: mined, ..Self::default() }
    }

    /// Begins anew when so many blocks have been mined, if samples are taken.
    pub(super) fn restart(&mut self, mined: u64) {
        if self.due < u64::MAX {
            *self = Self::begin(mined);
        }
    }

    /// Takes a sample if it is time, just before a block is mined: nothing that was found waits then to be carried.
    #[inline]
    pub(super) fn look(&mut self, around: &Surroundings) {
        if around.mined >= self.due {
            self.take(around.tally());
        }
    }

    #[cold]
    fn take(&mut self, tally: Tally) {
        if self.taken.len() == SAMPLES_MAX {
            let mut is_even = false;
            self.taken.retain(|_| {
                is_even = !is_even;
                is_even
            });
            self.apart *= 2;
        }
        self.taken.push(tally);
        self.due += self.apart;
    }
}

impl Simulation {
    /// Has the run sampled from now on, so that [`within_run`](crate::experiment::within_run) can estimate more of its
    /// figures. It takes some hundred kilobytes, and next to no time in a run of many blocks.
    pub fn take_samples(&self) {
        let mut world = self.driver.world.borrow_mut();
        world.samples = Samples::begin(world.around.mined);
    }

    /// The samples of the run, and how many blocks they are apart.
    pub(crate) fn samples(&self) -> (Vec<Tally>, u64) {
        let Samples { taken, apart, .. } = &self.driver.world.borrow().samples;
        (taken.clone(), *apart)
    }
}

impl Surroundings {
    fn tally(&self) -> Tally {
        let mut tally = self.recorder.tally(&self.counted());
        self.replays.add_to_tally(&mut tally);
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many blocks there are, they are as far apart, and enough.
    #[test]
    fn samples_are_equally_far_apart() {
        let mut samples = Samples::begin(7);
        for mined in 0..100_000 {
            if 7 + mined == samples.due {
                samples.take(Tally { mined, ..Tally::default() });
            }
            let Samples { taken, apart, .. } = &samples;
            assert!((0..).zip(taken).all(|(place, tally)| tally.mined == place * apart));
            assert!(taken.len() <= SAMPLES_MAX && (mined < 1000 || taken.len() >= SAMPLES_MAX / 2));
        }
    }
}
