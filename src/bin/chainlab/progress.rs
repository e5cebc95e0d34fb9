//! How far the command has come.

use indicatif::{ProgressBar, ProgressStyle};

/// Makes a bar with the time left, of so many things that are done one by one. In a pipe it is not there.
pub(crate) fn bar(count: usize, what: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template(&format!("{{wide_bar}} {{pos}} of {{len}} {what}, {{eta}} left"));
    ProgressBar::new(count as u64).with_style(style.expect("it names known fields"))
}
