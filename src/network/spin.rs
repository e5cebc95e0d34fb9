//! The short wait before a long one.

use std::hint;

/// How often to look: about a microsecond or two, which is less than it takes to be woken.
const LOOKS: u32 = 64;

/// Keeps looking for a moment whether something is there. Two threads that talk by turns find each other awake; a
/// channel's own wait looks less and less often, and then sleeps.
pub(super) fn spin_until(is_there: impl Fn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if is_there() {
            return true;
        }
        hint::spin_loop();
    }
    false
}
