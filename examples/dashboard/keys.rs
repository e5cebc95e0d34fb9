//! What the keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::model::Model;

/// What a key has done. What concerns a node concerns the chosen one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Chooses the node before.
    Up,
    /// Chooses the next node.
    Down,
    /// Cuts the network in two below the node, or heals it.
    Partition,
    /// Holds the link between the node and the next one, or releases it.
    Hold,
    /// Crashes the node, or restarts it.
    Crash,
    /// Has the node mine twice as fast.
    Faster,
    /// Has the node mine half as fast.
    Slower,
    /// Pauses all nodes, or resumes them.
    Pause,
    /// Ends the dashboard.
    Quit,
}

impl Act {
    /// Returns what a key does, if it does anything.
    pub(crate) fn of(key: KeyEvent) -> Option<Self> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            // The terminal is raw: Ctrl-C is a key there, and no signal.
            let is_end = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
            return is_end.then_some(Self::Quit);
        }
        Some(match key.code {
            KeyCode::Up | KeyCode::Char('k') => Self::Up,
            KeyCode::Down | KeyCode::Char('j') => Self::Down,
            KeyCode::Char('p') => Self::Partition,
            KeyCode::Char('h') => Self::Hold,
            KeyCode::Char('c') => Self::Crash,
            // The same key on many keyboards, without and with Shift.
            KeyCode::Char('+' | '=') => Self::Faster,
            KeyCode::Char('-') => Self::Slower,
            KeyCode::Char(' ') => Self::Pause,
            KeyCode::Char('q') | KeyCode::Esc => Self::Quit,
            _ => return None,
        })
    }
}

/// A key, what it would do now, and the longest of what it ever does.
pub(crate) struct Shown {
    pub(crate) key: &'static str,
    pub(crate) now: &'static str,
    pub(crate) longest: usize,
}

/// Returns the keys as the bottom of the screen shows them.
pub(crate) fn shown(model: &Model) -> Vec<Shown> {
    let either = |key, is_second: bool, [first, second]: [&'static str; 2]| Shown {
        key,
        now: if is_second { second } else { first },
        longest: first.len().max(second.len()),
    };
    let one = |key, name| either(key, false, [name, name]);
    vec![
        one("↑↓", "node"),
        either("p", model.cut.is_some(), ["partition", "heal"]),
        either("h", model.is_held(), ["hold link", "release link"]),
        either("c", model.chosen().is_down(), ["crash", "restart"]),
        one("+", "faster"),
        one("-", "slower"),
        either("space", model.is_paused, ["pause", "resume"]),
        one("q", "quit"),
    ]
}
