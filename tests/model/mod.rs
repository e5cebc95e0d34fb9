//! A slow, obvious validator: the notebook's `hash`, `valid_proof` and `valid_chain` line by line, over plain JSON.
//!
//! It shares no code with the library: the canonical JSON is written here a second time, floats included, and nothing
//! is kept from one block to the next. Tests hold the library's verdicts against it.

#![allow(dead_code, reason = "each test binary uses its part")]

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What tells the notebook's and the tutorial's code apart, and how hard a proof is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// The hexadecimal zeros that a proof's hash starts with.
    pub(crate) zeros: usize,
    /// Whether a proof also covers the last block's hash, as in the tutorial's later code.
    pub(crate) covers_hash: bool,
}

/// What is to be said of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is no document of a chain that the library's types can hold.
    Refused,
    /// The block at a position, counted from 1, does not name the hash of the one before.
    BrokenLink(u64),
    /// The proof of the block at a position is not met.
    BadProof(u64),
    Valid,
}

impl Model {
    pub(crate) const NOTEBOOK: Self = Self { zeros: 4, covers_hash: false };
    pub(crate) const TUTORIAL: Self = Self { zeros: 4, covers_hash: true };

    /// Judges a text as `Blockchain::from_json` should.
    pub(crate) fn judge(&self, text: &str) -> Verdict {
        match serde_json::from_str(text) {
            Ok(document) if is_document(&document) => self.valid_chain(&document["chain"]),
            _ => Verdict::Refused,
        }
    }

    /// The notebook's `valid_chain`.
    pub(crate) fn valid_chain(&self, chain: &Value) -> Verdict {
        let chain = chain.as_array().expect("a chain is an array");
        let mut last_block = &chain[0];
        let mut current_index = 1;
        while current_index < chain.len() {
            let block = &chain[current_index];
            let position = current_index as u64 + 1;
            if block["previous_hash"] != Value::String(hash(last_block)) {
                return Verdict::BrokenLink(position);
            }
            if !self.valid_proof(last_block, block) {
                return Verdict::BadProof(position);
            }
            last_block = block;
            current_index += 1;
        }
        Verdict::Valid
    }

    /// The notebook's `valid_proof`, and that of the tutorial's later code.
    pub(crate) fn valid_proof(&self, last_block: &Value, block: &Value) -> bool {
        let last_hash = if self.covers_hash { hash(last_block) } else { String::new() };
        let guess = format!("{}{}{last_hash}", last_block["proof"], block["proof"]);
        sha256(&guess).starts_with(&"0".repeat(self.zeros))
    }

    /// The notebook's `proof_of_work`: writes the smallest proof into the block.
    pub(crate) fn mine(&self, last_block: &Value, block: &mut Value) {
        let mut proof = 0_u64;
        block["proof"] = proof.into();
        while !self.valid_proof(last_block, block) {
            proof += 1;
            block["proof"] = proof.into();
        }
    }
}

/// The notebook's `hash`: SHA-256 of `json.dumps(block, sort_keys=True)`, in hexadecimal.
pub(crate) fn hash(block: &Value) -> String {
    sha256(&dumps(block))
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Python's `json.dumps(value, sort_keys=True)`.
pub(crate) fn dumps(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => repr(float),
            _ => number.to_string(),
        },
        Value::String(text) => quoted(text),
        Value::Array(elements) => format!("[{}]", elements.iter().map(dumps).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(key, value)| format!("{}: {}", quoted(key), dumps(value))).collect();
            fields.sort();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// A string as Python writes it in JSON: `ESCAPE_ASCII` and `ESCAPE_DCT` of its `json/encoder.py`.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for unit in text.encode_utf16() {
        match unit {
            0x08 => quoted += "\\b",
            0x09 => quoted += "\\t",
            0x0a => quoted += "\\n",
            0x0c => quoted += "\\f",
            0x0d => quoted += "\\r",
            0x22 => quoted += "\\\"",
            0x5c => quoted += "\\\\",
            0x20..=0x7e => quoted.push(unit as u8 as char),
            _ => quoted += &format!("\\u{unit:04x}"),
        }
    }
    quoted + "\""
}

/// A float as Python's `repr` writes it: `format_float_short` of its `Python/pystrtod.c`, with the code `r`.
pub(crate) fn repr(value: f64) -> String {
    let (digits, exponent) = shortest_digits(value.abs());
    let count = digits.len() as i32;
    let text = if !(-4..16).contains(&exponent) {
        let fraction = if count > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}{fraction}e{sign}{:02}", &digits[..1], exponent.abs())
    } else if exponent < 0 {
        format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize))
    } else if count <= exponent + 1 {
        format!("{digits}{}.0", "0".repeat((exponent + 1 - count) as usize))
    } else {
        let (whole, fraction) = digits.split_at((exponent + 1) as usize);
        format!("{whole}.{fraction}")
    };
    if value.is_sign_negative() { format!("-{text}") } else { text }
}

/// The fewest digits that come back as the same number, and the first one's exponent: of the two numbers of so many digits
/// beside the exact value the nearer, if both come back, and of two equally near ones the even.
fn shortest_digits(value: f64) -> (String, i32) {
    if value == 0.0 {
        return ("0".into(), 0);
    }
    // No float has more digits than these, so that none is rounded away.
    let exact = format!("{value:.780e}");
    let (mantissa, exponent) = exact.split_once('e').expect("{:e} writes an e");
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    for count in 1..=17 {
        let last = exponent - (count as i32 - 1);
        let comes_back = |digits: u64| format!("{digits}e{last}").parse() == Ok(value);
        let (down, rest) = digits.split_at(count);
        let down: u64 = down.parse().expect("they are digits");
        let half = format!("5{}", "0".repeat(rest.len() - 1));
        let is_down_nearer = rest < &*half || (rest == half && down.is_multiple_of(2));
        let found = match (comes_back(down), comes_back(down + 1)) {
            (false, false) => continue,
            (true, true) if is_down_nearer => down,
            (true, false) => down,
            _ => down + 1,
        };
        let found = found.to_string();
        let exponent = exponent + (found.len() - count) as i32;
        return (found.trim_end_matches('0').into(), exponent);
    }
    unreachable!("17 digits tell every float from all others")
}

/// Whether a document has the fields that a chain's has, of the types that the library has for them.
fn is_document(document: &Value) -> bool {
    let Some(chain) = document["chain"].as_array() else { return false };
    has_fields(document, &["chain", "length"])
        && document["length"].as_u64() == Some(chain.len() as u64)
        && !chain.is_empty()
        && chain.iter().all(is_block)
}

fn is_block(block: &Value) -> bool {
    let Some(transactions) = block["transactions"].as_array() else { return false };
    has_fields(block, &["index", "previous_hash", "proof", "timestamp", "transactions"])
        && block["index"].is_u64()
        && block["proof"].is_u64()
        && (block["timestamp"].is_f64() || block["timestamp"].is_i64())
        && is_previous_hash(&block["previous_hash"])
        && transactions.iter().all(is_transaction)
}

fn is_previous_hash(value: &Value) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match value {
        Value::Number(number) => number.as_u64() == Some(1),
        Value::String(text) => text == "1" || (text.len() == 64 && text.bytes().all(is_digit)),
        _ => false,
    }
}

fn is_transaction(transaction: &Value) -> bool {
    has_fields(transaction, &["amount", "recipient", "sender"])
        && transaction["amount"].is_u64()
        && transaction["recipient"].is_string()
        && transaction["sender"].is_string()
}

fn has_fields(value: &Value, expected: &[&str]) -> bool {
    let Some(fields) = value.as_object() else { return false };
    let mut names: Vec<_> = fields.keys().collect();
    names.sort();
    names == expected
}
