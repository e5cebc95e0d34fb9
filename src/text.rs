//! Texts that stand in many places: what others chose, cut to what an error can carry, and numbers of things.

/// Returns the first 80 characters: an error must not carry a hundred megabytes.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Returns a sentence about something, up to 600 characters: it may hold a text of others', of any length. What is left out
/// stands in the middle, as what is wrong with a text follows it.
pub(crate) fn shortened_sentence(text: impl Into<String>) -> String {
    let text = text.into();
    let at = |place: usize| text.char_indices().nth(place).map(|(at, _)| at);
    let (Some(start), Some(_)) = (at(300), at(600)) else { return text };
    let end = text.char_indices().rev().nth(298).map_or(start, |(at, _)| at);
    format!("{}…{}", &text[..start], &text[end..])
}

/// Writes so many blocks: `1 block`, `2 blocks`.
pub(crate) fn blocks(count: u64) -> String {
    format!("{count} {}", if count == 1 { "block" } else { "blocks" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_has_both_of_its_ends() {
        let sentence = |length: usize| format!("Ä{}Ö", "ß".repeat(length - 2));
        assert_eq!(shortened_sentence(sentence(600)), sentence(600));
        for length in [601, 602, 10_000] {
            let shortened = shortened_sentence(sentence(length));
            assert_eq!(shortened.chars().count(), 600);
            assert!(shortened.starts_with('Ä') && shortened.contains("ß…ß") && shortened.ends_with('Ö'));
        }
    }
}
