//! Documents: JSON as Python writes it, and reading it back with errors that name the place and the value.
//!
//! What is written here is what `json.dumps(document, sort_keys=True)` gives, to the byte; a block's hash depends on
//! it. What is read is as Python reads it too: of a key that stands twice the last counts, and a number without point
//! and exponent is an integer. What the library's types cannot hold is refused.

use std::{fmt, io};

use serde::{Deserialize, Serialize, de};
use serde_json::{ser::Formatter, value::RawValue};
use sha2::{Digest, Sha256};

use crate::hash::BlockHash;

/// Writes a value as Python's `json.dumps` does. Structs must list their fields in alphabetical order.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, PythonFormatter);
    value.serialize(&mut serializer).expect("documents have string keys, and a vector takes what is written");
    String::from_utf8(text).expect("the formatter writes ASCII")
}

/// Hashes what [`to_json`] writes, without keeping it. Returns the number of bytes, too.
pub(crate) fn hash_json<T: Serialize + ?Sized>(value: &T) -> (BlockHash, usize) {
    let mut text = HashedText { sha256: Sha256::new(), bytes: 0 };
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, PythonFormatter);
    value.serialize(&mut serializer).expect("documents have string keys, and a hash takes what is written");
    (BlockHash::from_bytes(text.sha256.finalize().into()), text.bytes)
}

/// A text of which only the hash and the length are kept.
struct HashedText {
    sha256: Sha256,
    bytes: usize,
}

impl io::Write for HashedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sha256.update(bytes);
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The separators, the escapes and the floats of Python's `json.dumps` with its defaults.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python_float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        // What needs no escape goes out in one piece; quotes, backslashes and control characters never come here.
        let mut rest = text;
        while let Some(at) = rest.find(|character: char| !matches!(character, ' '..='~')) {
            let (plain, escaped) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let character = escaped.chars().next().expect("a character was found here");
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &escaped[character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Writes a float as Python's `repr` does: the shortest digits that come back exactly, of those the nearest, of two that
/// are equally near the even one; an exponent below 1e-4 and from 1e16 on.
pub(crate) fn python_float(value: f64) -> String {
    let shortest = format!("{value:?}");
    // Rust changes to exponents where Python does, and finds as few digits. But of two that are equally near it takes
    // the upper: 1507824951.00390625 is ...63 to `{:?}`, and ...62 to Python and to Rust's rounding.
    let (mantissa, has_exponent) =
        shortest.split_once('e').map_or((&*shortest, false), |(mantissa, _)| (mantissa, true));
    let decimals = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let nearest = if has_exponent { format!("{value:.decimals$e}") } else { format!("{value:.decimals$}") };
    // Below a power of two floats lie closer together, so that the nearest digits may be another float's.
    let text = if nearest.parse() == Ok(value) { nearest } else { shortest };
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            // Rust writes 1e16 and 1.2e-5 for 1e+16 and 1.2e-05.
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            // Rust's `{:?}` adds ".0" to a single digit; Python does not.
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

/// Why a text is no document of the kind that was asked for; it says where and names the value.
///
/// It is no verdict on a chain: what does not parse was never judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is not JSON, or holds more than JSON's types (a lone surrogate, a number out of range).
    #[error("{place}: not JSON: {message}")]
    NotJson {
        /// Where it was found.
        place: Place,
        /// What the JSON reader says, with line and column within that place.
        message: String,
    },
    /// Fields are missing; the notebook answers "Missing values".
    #[error("{place}: missing values: {}", .fields.join(", "))]
    Missing {
        /// Where they are missing.
        place: Place,
        /// The names of all that are missing.
        fields: Vec<&'static str>,
    },
    /// A field that has no place there.
    #[error("{place}: unknown field \"{field}\"")]
    UnknownField {
        /// Where it was found.
        place: Place,
        /// The field's name, its first 80 characters.
        field: String,
    },
    /// A field's value has the wrong type or is out of range.
    #[error("{place}: field \"{field}\": expected {expected}, found {found}")]
    Value {
        /// Where it was found.
        place: Place,
        /// The field's name.
        field: &'static str,
        /// What the field takes.
        expected: &'static str,
        /// The JSON that stands there, its first 80 characters.
        found: String,
    },
    /// A chain without a single block.
    #[error("the chain is empty; the first block is always there")]
    EmptyChain,
    /// The stated length is not the chain's.
    #[error("the document says length {stated}, but its chain has {actual} blocks")]
    Length {
        /// The document's `length`.
        stated: u64,
        /// The number of blocks in its `chain`.
        actual: u64,
    },
}

/// Where in a document something was found; positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The block's position in the chain, if the document is a chain.
    pub block: Option<u64>,
    /// The transaction's position in its list, if it is in one.
    pub transaction: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.block, self.transaction) {
            (None, None) => f.write_str("document"),
            (Some(block), None) => write!(f, "block {block}"),
            (None, Some(transaction)) => write!(f, "transaction {transaction}"),
            (Some(block), Some(transaction)) => write!(f, "block {block}, transaction {transaction}"),
        }
    }
}

impl DocumentError {
    /// Says in which block of a chain it was found.
    pub(crate) fn in_block(mut self, position: u64) -> Self {
        if let Some(place) = self.place_mut() {
            place.block = Some(position);
        }
        self
    }

    /// Says in which transaction of a list it was found.
    pub(crate) fn in_transaction(mut self, position: u64) -> Self {
        if let Some(place) = self.place_mut() {
            place.transaction = Some(position);
        }
        self
    }

    fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::NotJson { place, .. }
            | Self::Missing { place, .. }
            | Self::UnknownField { place, .. }
            | Self::Value { place, .. } => Some(place),
            Self::EmptyChain | Self::Length { .. } => None,
        }
    }
}

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
        let fields = missing.into_iter().map(|(field, _)| *field).collect();
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
    DocumentError::Value { place: Place::default(), field, expected, found: shortened(value.get()) }
}

/// The first 80 characters: an error must not carry a hundred megabytes.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Deserialises by way of the JSON text itself, which alone tells an integer from a float of the same value.
pub(crate) fn deserialize_raw<'de, T, D: de::Deserializer<'de>>(
    deserializer: D,
    read: impl FnOnce(&RawValue) -> Result<T, DocumentError>,
) -> Result<T, D::Error> {
    read(&Box::<RawValue>::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Python 3.11's `repr`.
    #[test]
    fn floats_are_python_s() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1_507_824_951.769_517_7, "1507824951.7695177"),
            (1_507_824_951.0 + 1.0 / 256.0, "1507824951.0039062"),
            (1_507_824_951.0 + 3.0 / 256.0, "1507824951.0117188"),
            (2.0_f64.powi(-44), "5.684341886080802e-14"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.2e16, "1.2e+16"),
            (0.0001, "0.0001"),
            (0.000_099, "9.9e-05"),
            (1.2e-5, "1.2e-05"),
            (1e100, "1e+100"),
            (-2.5e-300, "-2.5e-300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }

    #[test]
    fn strings_are_python_s() {
        let text = "\u{0}\u{1f}\u{8}\u{c}\n\r\t \"\\/~\u{7f}\u{80}é\u{ffff}😀z";
        let python = r#""\u0000\u001f\b\f\n\r\t \"\\/~\u007f\u0080\u00e9\uffff\ud83d\ude00z""#;
        assert_eq!(to_json(text), python);
    }
}
