//! The wall clock, read nowhere else.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{message::NodeId, time::Time, verbs::closure};

/// What a network tells the time by.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    /// The system's time when the network started, and a clock that never goes back since.
    Wall {
        start: Time,
        started: Instant,
    },
    Given(Arc<dyn Fn(NodeId) -> Time + Send + Sync>),
}

impl Clock {
    /// Makes the wall clock: the system's time now, going on steadily from there.
    #[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
    pub fn wall() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(Source::Wall { start: Time::UNIX_EPOCH + since_epoch, started: Instant::now() })
    }

    /// Makes a clock of the caller's, which is asked for a node's time at each of its inputs, and once for messages that
    /// wait together. Waiting is done in real time all the same. The closure must not call the
    /// network: a call that would wait for a node or a link panics instead. A clock that panics takes down the node that
    /// looks at it.
    pub fn given(clock: impl Fn(NodeId) -> Time + Send + Sync + 'static) -> Self {
        Self(Source::Given(Arc::new(clock)))
    }

    /// Reads a node's time.
    pub fn now(&self, node: NodeId) -> Time {
        match &self.0 {
            Source::Wall { start, started } => *start + started.elapsed(),
            Source::Given(clock) => closure::run("clock", || clock(node)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::wall()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Wall { .. } => "Clock(wall)",
            Source::Given(_) => "Clock(given)",
        })
    }
}

/// The moment on the monotonic clock, for deadlines and slices.
#[expect(clippy::disallowed_methods, reason = "this is the driver's clock")]
pub(super) fn instant() -> Instant {
    Instant::now()
}
