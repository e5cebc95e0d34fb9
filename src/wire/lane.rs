//! The state of one directed link that has been used or set, or on which something is under way.

use std::sync::Arc;

use super::{
    Epoch, Link,
    draw::{Key, Purpose},
    room::Waiting,
};
use crate::Time;

/// What must be remembered of a directed link, in a line of the cache, but for its setting.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Lane {
    /// The link's own setting, if it has one beside the default. Apart from the lane, which stays small, and shared by those
    /// that are set alike: a simulation's time is spent on fetching lanes.
    pub(crate) link: Option<Arc<Link>>,
    /// What is under way, as far as whoever carries it counts that.
    pub(crate) under_way: Waiting,
    /// Whether messages wait at its end for a release.
    pub(crate) held: bool,
    /// The last partition that separated the two ends.
    pub(crate) cut: Epoch,
    /// How many messages were put on the link for which something is drawn: it numbers the draws.
    messages: u64,
    /// When the last message has been written out.
    busy_until: Time,
    /// The latest arrival of the messages so far.
    last_arrival: Time,
}

impl Lane {
    pub(crate) fn last_arrival(&self) -> Time {
        self.last_arrival
    }

    /// Tells whether it is as if it had never been used, and nothing is under way.
    pub(super) fn is_forgotten(&self) -> bool {
        self.under_way.messages == 0
            && self.link.is_none()
            && !self.held
            && self.messages == 0
            && self.idle_at() == Time::UNIX_EPOCH
    }

    /// When everything has been written out, and has come.
    #[inline]
    pub(super) fn idle_at(&self) -> Time {
        self.busy_until.max(self.last_arrival)
    }

    pub(crate) fn note_arrival(&mut self, at: Time) {
        self.last_arrival = self.last_arrival.max(at);
    }

    /// Puts a message on the link; answers when it arrives, or nothing if it is lost.
    ///
    /// `key` names the directed link.
    #[inline]
    pub(crate) fn carry(
        &mut self,
        link: &Link,
        key: impl Fn() -> Key,
        now: Time,
        bytes: u64,
    ) -> Option<Time> {
        let message = self.messages;
        // What draws nothing leaves nothing to remember, and need not even be carried one by one.
        self.messages += u64::from(link.draws());
        let mut left = now;
        if let Some(bandwidth) = link.bandwidth() {
            left = now.max(self.busy_until).after_nanos(writing_nanos(bytes, bandwidth));
            self.busy_until = left;
        }
        let draw = |purpose: Purpose| key().and(purpose as u64).and(message);
        if link.loss() > 0.0 && draw(Purpose::Loss).uniform() < link.loss() {
            return None;
        }
        let latency = link.latency();
        let nanos = latency.steady_nanos().unwrap_or_else(|| latency.draw(draw(Purpose::Latency)));
        let mut arrival = left.after_nanos(nanos);
        if link.is_ordered() {
            arrival = arrival.max(self.last_arrival);
        }
        self.last_arrival = self.last_arrival.max(arrival);
        Some(arrival)
    }
}

/// How long it takes to write out so many bytes, in whole nanoseconds, rounded up.
pub(crate) fn writing_nanos(bytes: u64, bytes_per_second: u64) -> u64 {
    let nanos = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(bytes_per_second));
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writing_takes_the_length_over_the_bandwidth_rounded_up() {
        assert_eq!(writing_nanos(1_000_000, 1_000_000), 1_000_000_000);
        assert_eq!(writing_nanos(1, 3), 333_333_334);
        assert_eq!(writing_nanos(0, 1), 0);
        assert_eq!(writing_nanos(u64::MAX, 1), u64::MAX);
    }

    #[test]
    fn a_lane_is_a_line_of_the_cache() {
        assert_eq!((size_of::<Lane>(), align_of::<Lane>()), (64, 64));
    }

    proptest! {
        /// The queue as one would do it by hand: all messages are written out one after the other.
        #[test]
        fn messages_queue_behind_each_other(
            messages in proptest::collection::vec((0..2_000_000_000_u64, 0..5000_u64), 1..50),
            bandwidth in 1..10_000_u64,
        ) {
            let link = Link::default().with_bandwidth(bandwidth).unwrap();
            let (mut lane, mut now, mut free) = (Lane::default(), 0, 0);
            for (pause, bytes) in messages {
                now += pause;
                if free < now {
                    free = now;
                }
                free += (bytes * 1_000_000_000).div_ceil(bandwidth);
                let arrival = lane.carry(&link, || Key::new(0), Time::from_nanos(now), bytes);
                prop_assert_eq!(arrival, Some(Time::from_nanos(free)));
            }
        }
    }
}
