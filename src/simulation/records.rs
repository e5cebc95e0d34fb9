//! What is known of how blocks spread.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    message::NodeId,
    report::{Pattern, Ranked, Recorder, Tally},
};

/// The most records. With the least used each gives way to a new one; they take some kilobytes each.
const RECORDS_MAX: usize = 16_384;

/// What decides how a block spreads: blocks of a kind all spread alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) finder: NodeId,
    /// The bytes of a message with the block, or 0 where sizes do not matter.
    pub(super) bytes: u64,
    /// The bytes of a message that asks for it, or 0 where these do not matter.
    pub(super) request_bytes: u64,
}

/// How a block comes from its finder to all other nodes.
#[derive(Debug)]
pub(super) struct Spread {
    /// After what time each of them takes it on, the soonest first.
    pub(super) accepted: Vec<Duration>,
    /// After what time the last message has come.
    pub(super) last: Duration,
    pub(super) messages: u64,
    /// How many of these ask for the block.
    pub(super) requests: u64,
    /// The bytes of the others; if nothing, each has those of a message that tells of the block.
    pub(super) bytes: Option<u64>,
}

/// How the blocks of a kind spread.
#[derive(Debug)]
pub(super) struct Record {
    /// How long it takes until the last node has such a block, and until the last message has arrived.
    pub(super) accepted: Duration,
    pub(super) last: Duration,
    pub(super) messages: u64,
    pub(super) requests: u64,
    pub(super) bytes: Option<u64>,
    pub(super) pattern: Pattern,
    /// How many blocks of the pattern are still to be added to the recorder.
    pub(super) uses: u64,
    /// How many of those the recorder has counted as recent ones.
    noted: u64,
}

/// How blocks spread that were seen to.
#[derive(Debug, Default)]
pub(super) struct Records {
    all: BTreeMap<Kind, Record>,
    /// The longest that a block was seen to spread: where something comes sooner, it is not worth finding out more. The
    /// longest time that there is, where that cannot be found out.
    pub(super) longest: Duration,
}

impl Records {
    pub(super) fn get(&self, kind: Kind) -> Option<&Record> {
        self.all.get(&kind)
    }

    pub(super) fn get_mut(&mut self, kind: Kind) -> Option<&mut Record> {
        self.all.get_mut(&kind)
    }

    /// Keeps how blocks of a kind spread, of which that was not known.
    pub(super) fn keep(&mut self, kind: Kind, spread: Spread, recorder: &mut Recorder) {
        if self.all.len() >= RECORDS_MAX {
            let least = self.all.iter().min_by_key(|(_, record)| record.uses).map(|(kind, _)| *kind);
            if let Some(mut record) = least.and_then(|kind| self.all.remove(&kind)) {
                record.note_recent(recorder);
                record.settle(recorder);
            }
        }
        let Spread { accepted, last, messages, requests, bytes } = spread;
        self.longest = self.longest.max(last);
        let pattern = Pattern::of(&accepted);
        let accepted = accepted.last().copied().unwrap_or_default();
        let (uses, noted) = (0, 0);
        self.all.insert(kind, Record { accepted, last, messages, requests, bytes, pattern, uses, noted });
    }

    /// Forgets all, as blocks will spread so no more.
    pub(super) fn forget(&mut self, recorder: &mut Recorder) {
        self.note_recent(recorder);
        self.add_to(recorder);
        *self = Self::default();
    }

    /// Has what has been replayed so far count no longer.
    pub(super) fn count_from_now(&mut self) {
        self.all.values_mut().for_each(|record| (record.uses, record.noted) = (0, 0));
    }

    /// Adds to a copy of the recorder what has been replayed.
    pub(super) fn add_to(&self, recorder: &mut Recorder) {
        self.all.values().for_each(|record| record.settle(recorder));
    }

    /// Has a recorder count as recent what has been replayed since it last did.
    pub(super) fn note_recent(&mut self, recorder: &mut Recorder) {
        self.all.values_mut().for_each(|record| record.note_recent(recorder));
    }

    /// How long all blocks took, in their order, those that have been replayed as well.
    pub(super) fn ranked(&self, recorder: &Recorder) -> [Ranked; 4] {
        let used = self.all.values().filter(|record| record.uses > 0);
        recorder.ranked(used.map(|record| (&record.pattern, record.uses)))
    }

    /// Adds to a tally what has been replayed.
    pub(super) fn add_to_tally(&self, tally: &mut Tally) {
        self.all.values().for_each(|record| record.pattern.add_to(tally, record.uses));
    }
}

impl Record {
    fn note_recent(&mut self, recorder: &mut Recorder) {
        if self.uses > self.noted {
            recorder.add_recent(&self.pattern, self.uses - self.noted);
            self.noted = self.uses;
        }
    }

    fn settle(&self, recorder: &mut Recorder) {
        if self.uses > 0 {
            recorder.add(&self.pattern, self.uses);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{blockchain::Blockchain, report::Messages, rules::Rules, time::Time};

    fn kind(finder: usize) -> Kind {
        Kind { finder: NodeId::new(finder as u32), bytes: 0, request_bytes: 0 }
    }

    fn keep(records: &mut Records, recorder: &mut Recorder, finder: usize) {
        let second = Duration::from_secs(1);
        let spread =
            Spread { accepted: vec![second], last: second, messages: 1, requests: 0, bytes: Some(1) };
        records.keep(kind(finder), spread, recorder);
    }

    /// What was replayed by it counts all the same.
    #[test]
    fn of_too_many_records_the_least_used_gives_way() {
        let (mut records, mut recorder) = (Records::default(), Recorder::new(Time::UNIX_EPOCH));
        for finder in 0..RECORDS_MAX {
            keep(&mut records, &mut recorder, finder);
            let record = records.get_mut(kind(finder)).expect("it was kept");
            record.uses = if finder == 7 { 2 } else { 3 };
        }
        let chain = Blockchain::started(&Rules::sealed(), Time::UNIX_EPOCH);
        let counted = |records: &Records, recorder: &Recorder| -> u64 {
            let mut recorder = recorder.clone();
            records.add_to(&mut recorder);
            let report = recorder.report(Time::UNIX_EPOCH, &chain, |_| 0, Messages::default());
            report.propagation.to_each.bins.iter().map(|bin| bin.count).sum()
        };
        let before = counted(&records, &recorder);
        assert_eq!(before, 3 * RECORDS_MAX as u64 - 1);
        keep(&mut records, &mut recorder, RECORDS_MAX);
        assert_eq!(records.all.len(), RECORDS_MAX);
        assert!(records.get(kind(7)).is_none() && records.get(kind(8)).is_some());
        assert_eq!(counted(&records, &recorder), before);
    }
}
