//! Texts that stand in many places: what others chose, cut to what an error can carry, and numbers of things.

/// Returns the first 80 characters: an error must not carry a hundred megabytes.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Returns a sentence about something, up to 600 characters: it may hold a text of others', of any length.
pub(crate) fn shortened_sentence(text: impl Into<String>) -> String {
    let mut text = text.into();
    if let Some((end, _)) = text.char_indices().nth(600) {
        text.truncate(end);
    }
    text
}

/// Writes so many blocks: `1 block`, `2 blocks`.
pub(crate) fn blocks(count: u64) -> String {
    format!("{count} {}", if count == 1 { "block" } else { "blocks" })
}
