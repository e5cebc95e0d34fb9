//! Ctrl-C.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Whether Ctrl-C was pressed.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Has the first Ctrl-C call `stop`, on a thread of its own, and the second end the process at once.
    pub(crate) fn listen(stop: impl Fn() + Send + 'static) -> Result<Self, ctrlc::Error> {
        let came = Arc::new(AtomicBool::new(false));
        let interrupt = Self(Arc::clone(&came));
        ctrlc::set_handler(move || {
            if came.swap(true, Ordering::SeqCst) {
                // What a shell reports of a program that the signal ended.
                process::exit(130);
            }
            stop();
        })?;
        Ok(interrupt)
    }

    /// Tells whether it was pressed.
    pub(crate) fn came(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
