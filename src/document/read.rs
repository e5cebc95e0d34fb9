//! Reading, field by field and element by element.

use std::fmt;

use serde::{Deserialize, de};
use serde_json::value::RawValue;

use super::error::{DocumentError, Place};
use crate::text::shortened;

/// Checks that a text is one JSON value. It neither recurses nor copies, however deep or long the value is.
pub(crate) fn parse(text: &str) -> Result<&RawValue, DocumentError> {
    serde_json::from_str(text).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> DocumentError {
    DocumentError::NotJson { place: Place::default(), message: error.to_string() }
}

/// Reads an object's fields by name: those that it must have, and those that it may have. `name` is what to call the
/// value if it is no object.
pub(crate) fn fields<'a, const N: usize, const M: usize>(
    value: &'a RawValue,
    name: &'static str,
    required: [&'static str; N],
    optional: [&'static str; M],
) -> Result<([&'a RawValue; N], [Option<&'a RawValue>; M]), DocumentError> {
    if !value.get().starts_with('{') {
        return Err(unexpected(name, "an object", value));
    }
    let (mut found, mut found_optional, mut unknown) = ([None; N], [None; M], None);
    // Of a field that stands twice the last counts; of those that have no place there the first is kept.
    let take = |field: String, value: &'a RawValue| {
        if let Some(at) = required.iter().position(|name| *name == field) {
            found[at] = Some(value);
        } else if let Some(at) = optional.iter().position(|name| *name == field) {
            found_optional[at] = Some(value);
        } else {
            unknown.get_or_insert_with(|| shortened(&field));
        }
    };
    let mut json = serde_json::Deserializer::from_str(value.get());
    de::Deserializer::deserialize_map(&mut json, EachField(take)).map_err(not_json)?;

    let place = Place::default();
    let missing: Vec<_> = required.iter().zip(found).filter(|(_, value)| value.is_none()).collect();
    if !missing.is_empty() {
        let fields = missing.into_iter().map(|(field, _)| Box::from(*field)).collect();
        return Err(DocumentError::Missing { place, fields });
    }
    match unknown {
        Some(field) => Err(DocumentError::UnknownField { place, field }),
        None => Ok((found.map(|value| value.expect("no field is missing")), found_optional)),
    }
}

/// Hands an object's fields on as they are read, so that junk is not collected.
struct EachField<F>(F);

impl<'a, F: FnMut(String, &'a RawValue)> de::Visitor<'a> for EachField<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((field, value)) = map.next_entry()? {
            (self.0)(field, value);
        }
        Ok(())
    }
}

/// Reads a whole number that fits a `u64`.
pub(crate) fn whole_number(field: &'static str, value: &RawValue) -> Result<u64, DocumentError> {
    // Python reads "-0" as the integer 0.
    let text = if value.get() == "-0" { "0" } else { value.get() };
    text.parse().map_err(|_| unexpected(field, "a whole number from 0 to 18446744073709551615", value))
}

/// Reads a string.
pub(crate) fn string<'a, T: Deserialize<'a>>(
    field: &'static str,
    value: &'a RawValue,
) -> Result<T, DocumentError> {
    if !value.get().starts_with('"') {
        return Err(unexpected(field, "a string", value));
    }
    serde_json::from_str(value.get()).map_err(not_json)
}

/// Reads an array, element by element; the first error ends it.
pub(crate) fn array<'a, T>(
    field: &'static str,
    value: &'a RawValue,
    mut read: impl FnMut(u64, &'a RawValue) -> Result<T, DocumentError>,
) -> Result<Vec<T>, DocumentError> {
    if !value.get().starts_with('[') {
        return Err(unexpected(field, "an array", value));
    }
    let mut read_error = None;
    let visitor = Elements {
        each: |position, element| read(position, element).map_err(|error| read_error = Some(error)).ok(),
        elements: std::marker::PhantomData,
    };
    let elements =
        de::Deserializer::deserialize_seq(&mut serde_json::Deserializer::from_str(value.get()), visitor);
    match read_error {
        Some(error) => Err(error),
        None => elements.map_err(not_json),
    }
}

/// Hands an array's elements on as they are read, so that junk is refused before it is collected.
struct Elements<F, T> {
    each: F,
    elements: std::marker::PhantomData<T>,
}

impl<'a, T, F: FnMut(u64, &'a RawValue) -> Option<T>> de::Visitor<'a> for Elements<F, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: de::SeqAccess<'a>>(mut self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element::<&RawValue>()? {
            let position = elements.len() as u64 + 1;
            elements.push((self.each)(position, element).ok_or_else(|| de::Error::custom("refused"))?);
        }
        Ok(elements)
    }
}

/// Says what was expected of a field and what stands there.
pub(crate) fn unexpected(field: &'static str, expected: &'static str, value: &RawValue) -> DocumentError {
    DocumentError::Value {
        place: Place::default(),
        field: field.into(),
        expected: expected.into(),
        found: shortened(value.get()),
    }
}

/// Deserialises by way of the JSON text itself, which alone tells an integer from a float of the same value.
pub(crate) fn deserialize_raw<'de, T, D: de::Deserializer<'de>>(
    deserializer: D,
    read: impl FnOnce(&RawValue) -> Result<T, DocumentError>,
) -> Result<T, D::Error> {
    read(&Box::<RawValue>::deserialize(deserializer)?).map_err(de::Error::custom)
}
