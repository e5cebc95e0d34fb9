//! Ctrl-C, and the signal that ends a process before its time is up.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::ended::INTERRUPTED;

/// Has the first signal call `stop`, on a thread of its own, and the second end the process at once.
pub(crate) fn listen(stop: impl Fn() + Send + 'static) -> Result<(), ctrlc::Error> {
    let came = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if came.swap(true, Ordering::SeqCst) {
            process::exit(INTERRUPTED.into());
        }
        stop();
    })
}
