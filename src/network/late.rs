//! The delivery thread, which brings messages that take their time.

use std::{
    collections::{BTreeMap, btree_map::OccupiedEntry},
    io,
    sync::Arc,
    thread,
};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::shared::Shared;
use crate::{time::Time, verbs::traffic::UnderWay};

type Entry<'a> = OccupiedEntry<'a, (Time, u64), UnderWay>;

/// Starts the delivery thread of a network, if it was not; the network's shutdown ends it.
pub(super) fn start_delivery(shared: &Arc<Shared>) -> io::Result<()> {
    shared.delivery.start(|messages| {
        let shared = Arc::clone(shared);
        thread::Builder::new().name("delivery".into()).spawn(move || deliver_late(&shared, &messages))
    })
}

/// Takes messages in, and brings them when they are due, those of one moment in the order in which they came.
fn deliver_late(shared: &Shared, messages: &Receiver<UnderWay>) {
    let mut waiting = BTreeMap::new();
    for count in 0_u64.. {
        let is_due = |entry: &Entry<'_>| entry.key().0 <= shared.delivery.now();
        while let Some(entry) = waiting.first_entry().filter(is_due) {
            shared.arrive(entry.remove());
        }
        let next_due = waiting.first_key_value().and_then(|((due, _), _)| shared.delivery.instant_of(*due));
        let message = match next_due {
            Some(due) => messages.recv_deadline(due),
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(message) => {
                waiting.insert((message.due, count), message);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
