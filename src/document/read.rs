//! Reading, in one pass: a text is seen to be JSON, and its values are taken or found wanting, as they go by.

use std::{borrow::Cow, collections::BTreeMap, str::Chars};

use serde::{Deserialize, de};
use serde_json::value::RawValue;

use super::{
    error::{DocumentError, Place},
    scan::{Broken, Scanner},
};
use crate::text::shortened;

/// What has been read: a value, or why it is none of the kind that was asked for. What is wrong with a value does not
/// end the reading, as a text that is not JSON is refused for that alone.
pub(crate) type Read<T> = Result<Result<T, DocumentError>, Broken>;

/// Reads a text that is one JSON value.
pub(crate) fn read<'a, T>(
    text: &'a str,
    read: impl FnOnce(&mut Scanner<'a>) -> Read<T>,
) -> Result<T, DocumentError> {
    let mut scanner = Scanner::new(text);
    let value = read(&mut scanner).and_then(|value| scanner.end().map(|()| value));
    value.unwrap_or_else(|Broken| Err(not_json::<&RawValue>(text)))
}

/// Has serde's reader say why a text is not JSON, or holds what a text cannot.
fn not_json<'a, T: Deserialize<'a>>(text: &'a str) -> DocumentError {
    let error = serde_json::from_str::<T>(text).err();
    let message = error.map_or_else(String::new, |error| error.to_string());
    DocumentError::NotJson { place: Place::default(), message }
}

/// Reads an object: each of its fields by `take`, which is told its name; those that it must have, and those that it may
/// have. Of a field that stands twice the last counts. `name` is what to call the value if it is no object.
pub(crate) fn object<'a, const N: usize>(
    scanner: &mut Scanner<'a>,
    name: &'static str,
    required: [&'static str; N],
    optional: &[&'static str],
    mut take: impl FnMut(&mut Scanner<'a>, &'static str) -> Result<(), Broken>,
) -> Read<()> {
    if !scanner.is_at(b'{') {
        return Ok(Err(unexpected(name, "an object", scanner.value()?)));
    }
    let (mut is_found, mut unknown, mut is_text) = ([false; N], None, true);
    let json = scanner.members(|scanner, key| {
        let Some(key) = text_of(key) else {
            is_text = false;
            return scanner.value().map(drop);
        };
        if let Some(at) = required.iter().position(|name| *name == key) {
            is_found[at] = true;
            take(scanner, required[at])
        } else if let Some(name) = optional.iter().find(|name| **name == key) {
            take(scanner, name)
        } else {
            // Of those that have no place there the first is kept.
            unknown.get_or_insert_with(|| shortened(&key));
            scanner.value().map(drop)
        }
    })?;

    let place = Place::default();
    if !is_text {
        return Ok(Err(not_json::<BTreeMap<String, de::IgnoredAny>>(json)));
    }
    if is_found.contains(&false) {
        let missing = required.iter().zip(is_found).filter(|(_, is_found)| !is_found);
        let fields = missing.map(|(field, _)| Box::from(*field)).collect();
        return Ok(Err(DocumentError::Missing { place, fields }));
    }
    match unknown {
        Some(field) => Ok(Err(DocumentError::UnknownField { place, field })),
        None => Ok(Ok(())),
    }
}

/// Takes what was read of a field that an object must have, once it is known to have them all.
pub(crate) fn taken<T>(field: Option<Result<T, DocumentError>>) -> Result<T, DocumentError> {
    field.expect("no field is missing")
}

/// Reads an array, element by element, each told its position; after the first error they are passed over.
pub(crate) fn array<'a, T>(
    scanner: &mut Scanner<'a>,
    field: &'static str,
    mut each: impl FnMut(&mut Scanner<'a>, u64) -> Read<T>,
) -> Read<Vec<T>> {
    if !scanner.is_at(b'[') {
        return Ok(Err(unexpected(field, "an array", scanner.value()?)));
    }
    let mut elements = Ok(Vec::new());
    scanner.elements(|scanner| {
        let Ok(read) = &mut elements else { return scanner.value().map(drop) };
        match each(scanner, read.len() as u64 + 1)? {
            Ok(element) => read.push(element),
            Err(error) => elements = Err(error),
        }
        Ok(())
    })?;
    Ok(elements)
}

/// Reads a whole number that fits a `u64`.
pub(crate) fn whole_number(field: &'static str, json: &str) -> Result<u64, DocumentError> {
    // Python reads "-0" as the integer 0.
    let text = if json == "-0" { "0" } else { json };
    text.parse().map_err(|_| unexpected(field, "a whole number from 0 to 18446744073709551615", json))
}

/// Reads a string.
pub(crate) fn string<'a>(field: &'static str, json: &'a str) -> Result<Cow<'a, str>, DocumentError> {
    if !json.starts_with('"') {
        return Err(unexpected(field, "a string", json));
    }
    text_of(json).ok_or_else(|| not_json::<String>(json))
}

/// What a JSON string stands for, if that is a text: what is half of a character is none.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    if json.contains('\\') {
        unescaped(&json[1..json.len() - 1]).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(&json[1..json.len() - 1]))
    }
}

/// What stands between a JSON string's quotes, without its escapes.
fn unescaped(json: &str) -> Option<String> {
    let mut text = String::with_capacity(json.len());
    let mut rest = json.chars();
    while let Some(character) = rest.next() {
        text.push(if character == '\\' { escaped(&mut rest)? } else { character });
    }
    Some(text)
}

/// Reads what follows a backslash: a letter, or the number of a character's UTF-16 unit, after which that of its second
/// may follow.
fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    let unit =
        |rest: &mut Chars<'_>| (0..4).try_fold(0, |unit, _| Some(unit << 4 | rest.next()?.to_digit(16)?));
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => match unit(rest)? {
            high @ 0xd800..=0xdbff => {
                let (Some('\\'), Some('u')) = (rest.next(), rest.next()) else { return None };
                let low = unit(rest)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
            }
            unit => char::from_u32(unit)?,
        },
        itself => itself,
    })
}

/// Says what was expected of a field and what stands there.
pub(crate) fn unexpected(field: &'static str, expected: &'static str, json: &str) -> DocumentError {
    DocumentError::Value {
        place: Place::default(),
        field: field.into(),
        expected: expected.into(),
        found: shortened(json),
    }
}

/// Deserialises by way of the JSON text itself, which alone tells an integer from a float of the same value.
pub(crate) fn deserialize_raw<'de, T, D: de::Deserializer<'de>>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, DocumentError>,
) -> Result<T, D::Error> {
    read(Box::<RawValue>::deserialize(deserializer)?.get()).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// A string stands for what serde's reader says, if it is one.
        #[test]
        fn strings_stand_for_what_serde_says(
            text in proptest::collection::vec(
                prop_oneof![
                    Just("x".to_owned()),
                    proptest::sample::select(vec![r"\n", r"\t", r"\r", r"\b", r"\f", r"\/", r"\\", "\\\"", "é", "😀"])
                        .prop_map(str::to_owned),
                    prop_oneof![any::<u16>(), 0xd700..=0xe100_u16].prop_map(|unit| format!("\\u{unit:04x}")),
                    (0xd800..=0xdbff_u16, 0xdc00..=0xdfff_u16)
                        .prop_map(|(high, low)| format!("\\u{high:04X}\\u{low:04x}")),
                ],
                0..6,
            ),
        ) {
            let json = format!("\"{}\"", text.concat());
            let expected = serde_json::from_str::<String>(&json).ok();
            prop_assert_eq!(text_of(&json).map(Cow::into_owned), expected, "{}", json);
        }
    }
}
