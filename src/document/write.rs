//! Writing, to the byte as Python does.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Writes a value as Python's `json.dumps` does. Structs must list their fields in alphabetical order.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Vec::new();
    write_json(&mut text, value);
    String::from_utf8(text).expect("the formatter writes ASCII")
}

/// Writes a value as [`to_json`] does, after what stands there.
pub(super) fn write_json<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) {
    let mut serializer = serde_json::Serializer::with_formatter(text, PythonFormatter);
    value.serialize(&mut serializer).expect("documents have string keys, and what takes them never fails");
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
        // What needs no escape goes out in one piece; quotes, backslashes and control characters never come here. Pieces
        // of a fixed length are looked at as a whole, which is faster by far than byte by byte.
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
        let (pieces, last) = text.as_bytes().as_chunks::<16>();
        let all_plain = |piece: &[u8]| piece.iter().fold(true, |all, byte| all & is_plain(byte));
        if pieces.iter().all(|piece| all_plain(piece)) && all_plain(last) {
            return writer.write_all(text.as_bytes());
        }
        // Else character by character, in pieces of some hundred bytes: the writer costs more than an escape.
        let (mut piece, mut length) = ([0; 512], 0);
        for character in text.chars() {
            let mut push = |bytes: &[u8]| {
                piece[length..][..bytes.len()].copy_from_slice(bytes);
                length += bytes.len();
            };
            let code = u32::from(character);
            match (u8::try_from(code), u16::try_from(code)) {
                (Ok(byte), _) if is_plain(&byte) => push(&[byte]),
                (_, Ok(unit)) => push(&escape(unit)),
                _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| push(&escape(*unit))),
            }
            // The next character may take two escapes.
            if length > piece.len() - 12 {
                writer.write_all(&piece[..length])?;
                length = 0;
            }
        }
        writer.write_all(&piece[..length])
    }
}

/// Writes a UTF-16 code unit by its number.
#[inline]
fn escape(unit: u16) -> [u8; 6] {
    let [[a, b], [c, d]] = unit.to_be_bytes().map(hex_digits);
    [b'\\', b'u', a, b, c, d]
}

/// Writes a byte as two hexadecimal digits. They are reckoned, for many bytes at once, and not looked up one by one.
#[inline(always)]
pub(super) fn hex_digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|half| half + if half < 10 { b'0' } else { b'a' - 10 })
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
        for times in 1..200 {
            assert_eq!(
                to_json(&"é😀z".repeat(times)),
                format!("\"{}\"", r"\u00e9\ud83d\ude00z".repeat(times))
            );
        }
    }
}
