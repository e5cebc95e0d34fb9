//! The terminal: taken over, and given back whole, however the dashboard ends.

use std::{
    io::{self, Stdout, Write},
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use parking_lot::Mutex;
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

/// Whether the terminal is taken over.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// What other threads have panicked with meanwhile: it would stand in the middle of the picture.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal, taken over until this is dropped or its thread panics.
pub(crate) struct Screen {
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal over.
    pub(crate) fn take() -> io::Result<Self> {
        hold_panics_back();
        enable_raw_mode()?;
        IS_TAKEN.store(true, Ordering::SeqCst);
        let taken = execute!(io::stdout(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, unless that is done already, and tells of the panics that were held back.
pub(crate) fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Whoever looked at it may have gone away.
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    for panic in PANICS.lock().drain(..) {
        let _ = writeln!(io::stderr(), "{panic}");
    }
}

/// Has a panic of this thread give the terminal back before it is told of, and one of another thread, as a node's, be
/// told of only when the terminal is given back.
fn hold_panics_back() {
    let owner = thread::current().id();
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == owner {
            give_back();
        }
        if IS_TAKEN.load(Ordering::SeqCst) {
            PANICS.lock().push(info.to_string());
        } else {
            tell(info);
        }
    }));
}
