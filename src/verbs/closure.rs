//! Closures of the caller's, which run while the network waits for them and so must not call it.

use std::cell::Cell;

thread_local! {
    /// The closure that this thread is in.
    static INSIDE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Runs a closure of the caller's, known by a name.
pub(crate) fn run<T>(name: &'static str, closure: impl FnOnce() -> T) -> T {
    // It may panic, and the thread live on.
    struct Outside(Option<&'static str>);
    impl Drop for Outside {
        fn drop(&mut self) {
            INSIDE.set(self.0);
        }
    }
    let _outside = Outside(INSIDE.replace(Some(name)));
    closure()
}

/// Called by whatever waits for a node, or for the links.
///
/// # Panics
///
/// In a closure: it would wait for what waits for it.
pub(crate) fn assert_outside() {
    if let Some(name) = INSIDE.get() {
        panic!("the {name} calls the network, which waits for the {name}");
    }
}
