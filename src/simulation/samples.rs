//! What a run had come to each time that so many more blocks were mined.

use super::{Simulation, carry::Surroundings, world::World};
use crate::report::{Bins, Classes, Ranked, Tally};

/// With as many every second one leaves, and from then on they are taken half as often.
const SAMPLES_MAX: usize = 512;

/// What a run had come to.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) tally: Tally,
    /// How long blocks took to come to each node, to half of them, to nine tenths and to all, since the sample before: how
    /// many lie in each bin.
    pub(crate) since: [Classes; 4],
}

/// The samples of a run, and what they are samples of.
#[derive(Debug)]
pub(crate) struct Sampled {
    pub(crate) samples: Vec<Sample>,
    /// How many blocks they are apart.
    pub(crate) apart: u64,
    /// How long all blocks took, in their order.
    pub(crate) all: [Ranked; 4],
}

/// Samples of a run, the first before its first block; they are as many blocks apart.
#[derive(Debug)]
pub(super) struct Samples {
    taken: Vec<Sample>,
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

impl Sample {
    /// Adds to what came since the sample before what came between that and the one before it.
    fn take_up(&mut self, before: &Self) {
        for (since, before) in self.since.iter_mut().zip(&before.since) {
            let mut bins = Bins::new();
            bins.add(before, 1);
            bins.add(since, 1);
            *since = bins.take();
        }
    }
}

impl Samples {
    /// Begins when so many blocks have been mined.
    fn begin(mined: u64) -> Self {
        Self { due: mined, ..Self::default() }
    }

    /// Begins anew with a recorder that has, if samples are taken.
    pub(super) fn restart(&mut self, around: &mut Surroundings) {
        if self.due < u64::MAX {
            around.recorder.keep_recent();
            *self = Self::begin(around.mined);
        }
    }

    /// Takes a sample if it is time, just before a block is mined: nothing that was found waits then to be carried,
    /// and all that was replayed has come.
    #[inline]
    pub(super) fn look(&mut self, around: &mut Surroundings) {
        if self.are_due(around.mined) {
            self.take(around.sample());
        }
    }

    /// Tells whether one is taken before the next block is mined.
    #[inline]
    pub(super) fn are_due(&self, mined: u64) -> bool {
        mined >= self.due
    }

    #[cold]
    fn take(&mut self, mut sample: Sample) {
        if self.taken.len() == SAMPLES_MAX {
            let mut odd: Option<Sample> = None;
            for mut even in std::mem::take(&mut self.taken) {
                match odd.take() {
                    _ if self.taken.is_empty() => self.taken.push(even),
                    None => odd = Some(even),
                    Some(odd) => {
                        even.take_up(&odd);
                        self.taken.push(even);
                    }
                }
            }
            odd.iter().for_each(|odd| sample.take_up(odd));
            self.apart *= 2;
        }
        self.taken.push(sample);
        self.due += self.apart;
    }
}

impl Simulation {
    /// Has the run sampled from now on, so that [`within_run`](crate::experiment::within_run) can estimate more of its
    /// figures. It takes a megabyte or so, and next to no time in a run of many blocks.
    pub fn take_samples(&self) {
        let World { around, samples, .. } = &mut *self.driver.world.borrow_mut();
        around.recorder.keep_recent();
        *samples = Samples::begin(around.mined);
    }

    /// The samples of the run.
    pub(crate) fn samples(&self) -> Sampled {
        let World { around, samples, .. } = &*self.driver.world.borrow();
        let all = around.replays.records.ranked(&around.recorder);
        Sampled { samples: samples.taken.clone(), apart: samples.apart, all }
    }
}

impl Surroundings {
    fn sample(&mut self) -> Sample {
        let mut tally = self.recorder.tally(&self.counted());
        self.replays.records.add_to_tally(&mut tally);
        self.replays.records.note_recent(&mut self.recorder);
        Sample { tally, since: self.recorder.take_recent() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many blocks there are, they are as far apart, and enough; and each has what came since the one before.
    #[test]
    fn samples_are_equally_far_apart() {
        let mut samples = Samples::begin(7);
        let mut blocks = Bins::new();
        for mined in 0..100_000 {
            if mined > 0 {
                blocks.record(mined);
            }
            if 7 + mined == samples.due {
                let since = [(); 4].map(|()| blocks.clone().take());
                blocks.take();
                samples.take(Sample { tally: Tally { mined, ..Tally::default() }, since });
            }
            let Samples { taken, apart, .. } = &samples;
            assert!((0..).zip(taken).all(|(place, sample)| sample.tally.mined == place * apart));
            assert!(taken.len() <= SAMPLES_MAX && (mined < 1000 || taken.len() >= SAMPLES_MAX / 2));
        }
        for pair in samples.taken.windows(2) {
            let mut expected = Bins::new();
            (pair[0].tally.mined + 1..=pair[1].tally.mined).for_each(|mined| expected.record(mined));
            let found: Vec<_> = pair[1].since.iter().map(|since| since.iter().collect::<Vec<_>>()).collect();
            assert_eq!(found, vec![expected.iter().collect::<Vec<_>>(); 4]);
        }
    }
}
