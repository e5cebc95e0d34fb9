//! Texts that others chose, cut to what an error can carry.

/// Returns the first 80 characters: an error must not carry a hundred megabytes.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
